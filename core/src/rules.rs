//! Rules: what a team accepts, why, until when, and nothing else.
//!
//! Rules come from four sources, each read in a file of its own: `leakgate.toml` ([`Config`]),
//! valgrind's suppression files, the sanitizers' suppression files, and the built-in packs.
//! Whatever its source, a [`Rule`] answers one question about one finding; what follows from the
//! answers is decided in `triage.rs`.

pub(crate) mod config;
pub(crate) mod expression;
mod file;
pub(crate) mod glob;
pub(crate) mod hygiene;
mod index;
mod pack;
pub(crate) mod sanitizer;
pub(crate) mod selector;
pub(crate) mod stack;
mod steps;
pub(crate) mod valgrind;
mod witness;
pub(crate) mod write;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use jiff::civil::Date;

pub use self::config::{Config, Files};
pub use self::file::{FileFormat, read_file};
pub use self::hygiene::{Advice, AdviceCode};
pub(crate) use self::hygiene::{after_run, before_run};
pub(crate) use self::index::Index;
pub use self::pack::{Pack, packs};
pub use self::selector::{Bounds, Limit, Selector};
use self::stack::Item;
pub use self::write::{Converted, Language, Wording, Written, convert, suppress};
use crate::model::{Report, Tool};

/// Which kind of source a rule comes from; rules are tried in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// An `[[allow]]` of `leakgate.toml`.
    Config,
    /// An entry of a valgrind suppression file.
    Valgrind,
    /// A line of a sanitizer's suppression file.
    Sanitizer,
    /// A rule of a built-in pack.
    Pack,
}

impl Source {
    /// The name, as it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Valgrind => "valgrind",
            Self::Sanitizer => "sanitizer",
            Self::Pack => "pack",
        }
    }
}

/// Where a rule is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// What kind of source it is.
    pub source: Source,
    /// The file as it was named, or `pack NAME`.
    pub file: String,
    /// The line in which the rule begins, from 1.
    pub line: u32,
}

/// `leakgate.toml:12`
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// What a rule says about itself; nothing of it decides anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// Why what it matches is accepted. Empty only where a suppression file has no comment.
    pub reason: String,
    /// Where it was looked into: a path or address.
    pub investigation: Option<String>,
    /// `false-positive`, `accepted` or `to-fix`.
    pub status: Option<String>,
    /// Where more is said.
    pub references: Vec<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Since when it is there.
    pub added: Option<Date>,
}

/// Which stacks a rule matches, in the language of its source.
#[derive(Clone, Debug)]
pub(crate) enum Matcher {
    /// Of `leakgate.toml`; without items any stack.
    Stack(Vec<Item>),
    Valgrind(valgrind::Entry),
    Sanitizer(sanitizer::Suppression),
}

/// One thing that is accepted.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name, unique among the rules of a run.
    pub id: String,
    /// Where it is written.
    pub origin: Origin,
    /// What it says about itself.
    pub about: About,
    /// Which findings it is about, beside their stacks.
    pub selector: Selector,
    /// The last day on which it holds.
    pub expires: Option<Date>,
    /// Sums over all that it matches, beyond which it allows nothing.
    pub limit: Limit,
    /// How many records it must match exactly.
    pub expect: Option<u64>,
    /// The reduced stack of the finding that it was written for.
    pub witness: Vec<String>,
    pub(crate) matcher: Matcher,
}

impl Rule {
    pub(crate) fn new(id: String, origin: Origin, matcher: Matcher) -> Self {
        Self {
            id,
            origin,
            about: About::default(),
            selector: Selector::default(),
            expires: None,
            limit: Limit::default(),
            expect: None,
            witness: Vec::new(),
            matcher,
        }
    }

    /// What it matches, in lines for people.
    pub fn describe(&self) -> Vec<String> {
        let selector = &self.selector;
        let mut out = Vec::new();
        let join = |words: Vec<&str>| words.join(", ");
        if !selector.tools.is_empty() {
            out.push(format!(
                "tools: {}",
                join(selector.tools.iter().map(Tool::as_str).collect())
            ));
        }
        if !selector.kinds.is_empty() {
            out.push(format!(
                "kinds: {}",
                join(selector.kinds.iter().map(|k| k.as_str()).collect())
            ));
        }
        for (name, bounds) in [("bytes", selector.bytes), ("blocks", selector.blocks)] {
            match (bounds.min, bounds.max) {
                (None, None) => {}
                (Some(min), Some(max)) if min == max => out.push(format!("{name}: {min}")),
                (Some(min), Some(max)) => out.push(format!("{name}: {min} to {max}")),
                (Some(min), None) => out.push(format!("{name}: {min} or more")),
                (None, Some(max)) => out.push(format!("{name}: at most {max}")),
            }
        }
        match &self.matcher {
            Matcher::Stack(items) => out.extend(items.iter().map(|i| i.text.clone())),
            Matcher::Valgrind(entry) => {
                out.extend(entry.locations.iter().map(valgrind::Location::text))
            }
            Matcher::Sanitizer(suppression) => {
                out.push(format!("{}:{}", suppression.kind, suppression.template))
            }
        }
        out
    }

    /// True after its last day.
    pub fn is_expired(&self, today: Date) -> bool {
        self.expires.is_some_and(|last| last < today)
    }

    /// True where a report of a tool that the rule is about is among these: only then is it known
    /// to match nothing.
    pub(crate) fn was_tried(&self, reports: &[Report]) -> bool {
        // LeakSanitizer may speak within a report of another sanitizer.
        let leaked = |r: &Report| r.stated.leaked.is_some();
        let ran = |tool: &Tool| {
            reports
                .iter()
                .any(|r| r.tool == *tool || (*tool == Tool::Lsan && leaked(r)))
        };
        match &self.matcher {
            Matcher::Stack(_) if self.selector.tools.is_empty() => !reports.is_empty(),
            Matcher::Stack(_) => self.selector.tools.iter().any(ran),
            Matcher::Valgrind(entry) => entry.families.iter().any(|family| match family.tool() {
                Some(tool) => ran(&tool),
                None => reports.iter().any(|r| r.tool.is_valgrind()),
            }),
            Matcher::Sanitizer(suppression) => ran(&Tool::named(suppression.owner())),
        }
    }
}

/// Names of rules are made unique: a suppression file may use a name twice.
pub(crate) fn with_unique_names(mut rules: Vec<Rule>) -> Vec<Rule> {
    let mut seen = hashbrown::HashSet::new();
    for rule in &mut rules {
        if !seen.insert(rule.id.clone()) {
            rule.id = alloc::format!("{} ({})", rule.id, rule.origin);
            seen.insert(rule.id.clone());
        }
    }
    rules
}
