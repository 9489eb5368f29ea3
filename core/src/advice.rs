//! Explanations of kinds of findings (what they mean, how to fix them, when they are often
//! harmless, and how to learn more) and of codes.
//!
//! The texts are in tables, one for each family of kinds. Kinds without an entry get a general
//! explanation.

mod accesses;
mod codes;
mod crashes;
mod fuzzing;
mod heap;
mod hints;
mod leaks;
mod startup_errors;
mod sync;
mod threads;
mod undefined;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

pub use self::codes::{CodeHelp, code_groups, codes, find_code, misspelled_code};
pub use self::hints::hints;
pub(crate) use self::hints::hints_by_names;
pub use self::startup_errors::startup_hint;
use crate::diagnostic::{distance, nearest};
use crate::model::Kind;

/// The explanation of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Help {
    /// The kind. A `*` at its start or end matches any text.
    pub kind: &'static str,
    /// A readable title, such as `Leaked memory`.
    pub title: &'static str,
    /// The meaning of the kind.
    pub meaning: &'static str,
    /// How to fix it.
    pub fix: &'static str,
    /// When it is often harmless. `None` if it usually isn't.
    pub harmless: Option<&'static str>,
    /// How to learn more, such as options of the checker or the compiler.
    pub more: Option<&'static str>,
    /// Severity of the kind.
    pub risk: Risk,
    /// CWE number, see <https://cwe.mitre.org>.
    pub cwe: Option<u16>,
}

/// The severity of a kind of finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Risk {
    /// The program may read or write memory that it doesn't own. The number is the CVSS score that
    /// bugs of this kind usually get.
    Security(&'static str),
    /// The program is incorrect.
    Error,
    /// Memory or another resource is lost.
    Leak,
    /// The finding may be a leak.
    Possible,
    /// The finding rarely causes problems.
    Untidy,
}

/// Advice to build with debug information.
const SYMBOLS: &str =
    "Build with -g and -fno-omit-frame-pointer to get the file and line of each frame.";

/// Creates an entry of a table, without texts.
const fn entry(kind: &'static str, title: &'static str, risk: Risk) -> Help {
    Help {
        kind,
        title,
        meaning: "",
        fix: "",
        harmless: None,
        more: None,
        risk,
        cwe: None,
    }
}

impl Help {
    const fn meaning(self, meaning: &'static str) -> Self {
        Self { meaning, ..self }
    }

    const fn fix(self, fix: &'static str) -> Self {
        Self { fix, ..self }
    }

    const fn harmless(self, harmless: &'static str) -> Self {
        Self {
            harmless: Some(harmless),
            ..self
        }
    }

    const fn more(self, more: &'static str) -> Self {
        Self {
            more: Some(more),
            ..self
        }
    }

    const fn cwe(self, number: u16) -> Self {
        Self {
            cwe: Some(number),
            ..self
        }
    }

    /// Returns the address of the CWE entry. `None` if the kind has none.
    pub fn cwe_url(&self) -> Option<String> {
        let number = self.cwe?;
        Some(format!(
            "https://cwe.mitre.org/data/definitions/{number}.html"
        ))
    }

    /// Returns all texts, the meaning first.
    pub fn texts(&self) -> impl Iterator<Item = &'static str> {
        [Some(self.meaning), Some(self.fix), self.harmless, self.more]
            .into_iter()
            .flatten()
    }

    fn matches(&self, kind: &str) -> bool {
        if let Some(end) = self.kind.strip_prefix('*') {
            kind.ends_with(end)
        } else if let Some(start) = self.kind.strip_suffix('*') {
            kind.starts_with(start)
        } else {
            kind == self.kind
        }
    }
}

/// The explanation of kinds that have no entry.
const FALLBACK: Help = entry("*", "Error of unknown kind", Risk::Error)
    .meaning(
        "The checker reports an error of a kind that leakgate has no explanation for. The \
         checker's headline describes it.",
    )
    .fix("Check the marked frame, then the checker's documentation of this headline.")
    .more(SYMBOLS);

const TABLES: &[&[Help]] = &[
    leaks::TABLE,
    accesses::TABLE,
    crashes::TABLE,
    heap::TABLE,
    fuzzing::TABLE,
    undefined::TABLE,
    sync::TABLE,
    threads::TABLE,
];

/// Returns the explanation of a kind, or a general explanation if the kind has no entry.
pub fn for_kind(kind: &Kind) -> &'static Help {
    find_help(kind.as_str()).unwrap_or(&FALLBACK)
}

/// Returns the explanation of a kind by its name. `None` if it has no entry.
///
/// ```
/// use leakgate_core::advice::find_help;
///
/// assert!(!find_help("heap-use-after-free").unwrap().meaning.is_empty());
/// assert!(find_help("no-such-kind").is_none());
/// ```
pub fn find_help(kind: &str) -> Option<&'static Help> {
    TABLES
        .iter()
        .flat_map(|table| table.iter())
        .find(|help| help.matches(kind))
}

/// Returns the kind that `name` probably misspells. It differs from `name` in at most two
/// characters. Returns `None` if `name` is a kind of an entry.
pub fn misspelled_kind(name: &str) -> Option<&'static str> {
    const MAX_DISTANCE: usize = 2;
    let kinds = kinds();
    if kinds.contains(&name) {
        return None;
    }
    let named = kinds.into_iter().filter(|kind| !kind.contains('*'));
    nearest(name, named).filter(|kind| distance(name, kind) <= MAX_DISTANCE)
}

/// Returns the kinds of all entries, in the order of the tables. They may start or end with `*`.
pub fn kinds() -> Vec<&'static str> {
    TABLES
        .iter()
        .flat_map(|table| table.iter())
        .map(|help| help.kind)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parsed_kind_has_an_entry() {
        for kind in crate::parse::known_kinds() {
            assert!(find_help(kind).is_some(), "no entry for {kind}");
        }
        assert!(find_help("no-such-kind").is_none());
        assert_eq!(for_kind(&Kind::from_checker("no-such-kind")), &FALLBACK);
    }

    #[test]
    fn every_entry_is_complete_and_reachable() {
        for help in TABLES.iter().flat_map(|t| t.iter()).chain([&FALLBACK]) {
            for text in help.texts() {
                assert!(
                    text.ends_with('.') && text.len() > 12,
                    "{}: {text:?}",
                    help.kind
                );
                assert!(
                    !text.contains("  ") && text.chars().all(|c| c != '\n'),
                    "{}: {text:?}",
                    help.kind
                );
            }
            assert!(
                help.title.chars().next().is_some_and(char::is_uppercase)
                    && !help.title.ends_with('.'),
                "{}",
                help.title
            );
            assert!(help.title.len() < 100 && help.meaning.len() < 600 && help.fix.len() < 600);
            if let Risk::Security(score) = help.risk {
                assert!(
                    score
                        .parse::<f32>()
                        .is_ok_and(|s| (0.1..=10.0).contains(&s))
                );
            }
            let name = help.kind.replace('*', "x");
            assert!(
                help.kind == "*" || find_help(&name) == Some(help),
                "{} is shadowed by an earlier entry",
                help.kind
            );
        }
    }
}
