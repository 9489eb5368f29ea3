//! What a kind of finding means, what usually fixes it, what is often harmless about it, and how to
//! learn more.
//!
//! Data, in a table for each family. Kinds that no table knows get words that hold for every
//! finding.

mod accesses;
mod behaviour;
mod heap;
mod hints;
mod leaks;
mod refusals;
mod sync;
mod threads;

use alloc::vec::Vec;

pub use self::hints::hints;
pub use self::refusals::refusal;
use crate::model::Kind;

/// What is to be known of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Help {
    /// The kind; `*` at its beginning or end stands for anything.
    pub kind: &'static str,
    /// A name for people.
    pub title: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What usually fixes it.
    pub fix: &'static str,
    /// What is often harmless about it.
    pub harmless: Option<&'static str>,
    /// How to learn more: options of the checker, a way to build.
    pub more: Option<&'static str>,
    /// How bad it is.
    pub risk: Risk,
    /// The weakness in the list of <https://cwe.mitre.org>.
    pub cwe: Option<u16>,
}

/// How bad a kind of finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Risk {
    /// Memory may be read or written that is not the program's to use. The number is what CVSS
    /// usually gives to such bugs.
    Security(&'static str),
    /// A wrong program.
    Error,
    /// Memory or a descriptor is lost.
    Leak,
    /// Perhaps a leak, perhaps not.
    Possible,
    /// Untidy and rarely more.
    Untidy,
}

/// The beginning of an entry of the tables.
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
    const fn means(self, meaning: &'static str) -> Self {
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

    /// All that is said of the kind, what it means first.
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

/// For kinds that no table knows.
const FALLBACK: Help = entry("*", "Error that the checker names itself", Risk::Error)
    .means("The checker reports an error of a kind that leakgate has no words for. Its own headline says what it is.")
    .fix("Look at the frame that is marked, then at the documentation of the checker for this headline.")
    .more("Build with -g, so that each frame has its file and line.");

const TABLES: &[&[Help]] = &[
    leaks::TABLE,
    accesses::TABLE,
    heap::TABLE,
    behaviour::TABLE,
    sync::TABLE,
    threads::TABLE,
];

/// What is known of a kind; words that hold for every finding where it is not known.
pub fn of(kind: &Kind) -> &'static Help {
    named(kind.as_str()).unwrap_or(&FALLBACK)
}

/// What is known of a kind by its name.
pub fn named(kind: &str) -> Option<&'static Help> {
    TABLES
        .iter()
        .flat_map(|table| table.iter())
        .find(|help| help.matches(kind))
}

/// The kinds that are known, in the order of the tables.
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
    fn every_kind_that_the_parser_names_is_known() {
        for kind in crate::parse::known_kinds() {
            assert!(named(kind).is_some(), "nothing is said about {kind}");
        }
        assert!(named("no-such-kind").is_none());
        assert_eq!(of(&Kind::own("no-such-kind")), &FALLBACK);
    }

    #[test]
    fn every_entry_is_whole_and_reached() {
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
                help.kind == "*" || named(&name) == Some(help),
                "{} is hidden by an entry above it",
                help.kind
            );
        }
    }
}
