//! Rules: which findings are accepted, why, and until when.
//!
//! Rules come from four sources, each read by its own module: `leakgate.toml` ([`Config`]),
//! valgrind suppression files, sanitizer suppression files, and the built-in packs. Whatever its
//! source, a [`Rule`] only decides whether it matches a finding. The consequences of a match are
//! decided in `triage.rs`.

pub(crate) mod allocators;
pub(crate) mod config;
pub(crate) mod dependency;
mod file;
pub(crate) mod glob;
pub(crate) mod hygiene;
pub(crate) mod index;
mod pack;
pub(crate) mod sanitizer;
pub(crate) mod selector;
pub(crate) mod stack;
mod steps;
mod usage;
pub(crate) mod valgrind;
pub(crate) mod witness;

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use jiff::civil::Date;

pub use self::allocators::Allocators;
pub(crate) use self::allocators::Reclassifier;
pub use self::config::{Config, Files, RunPatterns};
pub use self::dependency::{Dependency, Expiry, Mismatch};
pub use self::file::{FileFormat, read_file};
pub use self::hygiene::{Advice, AdviceCode};
pub(crate) use self::hygiene::{advice_after_run, advice_before_run};
pub(crate) use self::index::Index;
pub use self::pack::{Pack, packs};
pub use self::selector::{Bounds, GrowthBounds, Limit, Selector};
use self::stack::StackPattern;
pub use self::usage::{GatedTotals, RuleUsage};
use crate::lock_file::LockFile;
use crate::model::{Report, Tool};

/// The source of a rule. Rules are tried in the order of these variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// An `[[allow]]` of `leakgate.toml`.
    Config,
    /// An entry of a valgrind suppression file.
    Valgrind,
    /// A line of a sanitizer suppression file.
    Sanitizer,
    /// A rule of a built-in pack.
    Pack,
}

impl Source {
    /// Returns the name used in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Valgrind => "valgrind",
            Self::Sanitizer => "sanitizer",
            Self::Pack => "pack",
        }
    }
}

/// The place where a rule is defined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The kind of source.
    pub source: Source,
    /// The file name as the caller passed it, or `pack NAME`.
    pub file: String,
    /// The first line of the rule, counted from 1.
    pub line: u32,
}

/// Formats the origin as `leakgate.toml:12`.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Metadata of a rule. Not used for matching.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleMetadata {
    /// Why matching findings are accepted. Empty only if a suppression file has no comment.
    pub reason: String,
    /// Path or URL of the investigation.
    pub investigation: Option<String>,
    /// `false-positive`, `accepted` or `to-fix`.
    pub status: Option<String>,
    /// URLs with more information.
    pub references: Vec<String>,
    /// Owner of the rule.
    pub owner: Option<String>,
    /// Day on which the rule was added.
    pub added: Option<Date>,
}

impl RuleMetadata {
    /// Creates metadata that consists of a reason only.
    pub fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            ..Self::default()
        }
    }
}

/// The stack pattern of a rule, in the syntax of its source.
#[derive(Clone, Debug)]
pub(crate) enum Matcher {
    /// The patterns of a `leakgate.toml` rule. An empty list matches any stack.
    Stack(Vec<StackPattern>),
    Valgrind(valgrind::Entry),
    Sanitizer(sanitizer::Suppression),
}

/// A rule that accepts findings.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Id, unique among the rules of a gate.
    pub id: String,
    /// Place where the rule is defined.
    pub origin: Origin,
    /// Metadata for readers, such as the reason.
    pub metadata: RuleMetadata,
    /// Conditions on everything but the stack: tool, kind, sizes, title and fingerprint.
    pub selector: Selector,
    /// Last day on which the rule is valid. `None` means that it doesn't expire.
    pub expires: Option<Date>,
    /// Version of a dependency that the rule is tied to. With another version, it has expired.
    /// `None` means that it depends on none.
    pub dependency: Option<Dependency>,
    /// Limits for the totals of all matching findings. Above them, the rule accepts nothing.
    pub limit: Limit,
    /// Growth that `leakgate grow` accepts. `None` means that the findings must not grow.
    pub growth: Option<GrowthBounds>,
    /// Exact number of records that the rule must match, or the gate fails.
    pub expect: Option<u64>,
    /// Reduced stack of the finding that the rule was written for. Empty if not recorded.
    pub witness: Vec<String>,
    pub(crate) matcher: Matcher,
}

impl Rule {
    pub(crate) fn new(id: String, origin: Origin, matcher: Matcher) -> Self {
        Self {
            id,
            origin,
            metadata: RuleMetadata::default(),
            selector: Selector::default(),
            expires: None,
            dependency: None,
            limit: Limit::default(),
            growth: None,
            expect: None,
            witness: Vec::new(),
            matcher,
        }
    }

    /// Returns the number of places in one process up to which the rule accepts findings. By
    /// default, a weak fingerprint accepts one. `None` means unlimited.
    pub(crate) fn per_process_limit(&self, is_weak: bool) -> Option<u64> {
        let is_weak = is_weak && self.selector.fingerprint.is_some();
        self.limit.per_process.or(is_weak.then_some(1))
    }

    /// Returns the id in backticks after the origin, or only the id if it contains the origin.
    pub fn locate(&self) -> String {
        if self.id.contains(&self.origin.to_string()) {
            format!("`{}`", self.id)
        } else {
            format!("{}: `{}`", self.origin, self.id)
        }
    }

    /// Returns the id in backticks and the origin in parentheses, or only the id if it contains the
    /// origin.
    pub(crate) fn describe_id(&self) -> String {
        if self.id.contains(&self.origin.to_string()) {
            format!("`{}`", self.id)
        } else {
            format!("`{}` ({})", self.id, self.origin)
        }
    }

    /// Describes the matched findings in one line per condition or stack pattern.
    pub fn describe(&self) -> Vec<String> {
        let selector = &self.selector;
        let mut out = Vec::new();
        let join = |names: Vec<&str>| names.join(", ");
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
            Matcher::Stack(patterns) => out.extend(patterns.iter().map(|p| p.text.clone())),
            Matcher::Valgrind(entry) => out.extend(
                entry
                    .locations
                    .iter()
                    .map(valgrind::SuppressionFrame::to_line),
            ),
            Matcher::Sanitizer(suppression) => {
                out.push(format!("{}:{}", suppression.kind, suppression.template))
            }
        }
        out
    }

    /// Returns why the rule has expired: `today` is after its last day, or its dependency has
    /// another version in the lock files. `None` if it hasn't.
    pub fn expiry(&self, today: Date, locks: &[LockFile]) -> Option<Expiry> {
        dependency::expiry(self.expires, self.dependency.as_ref(), today, locks)
    }

    /// Returns true if one of the reports comes from a tool that the rule applies to. Only then
    /// does a rule without matches count as unused.
    pub(crate) fn was_tried(&self, reports: &[Box<Report>]) -> bool {
        // LeakSanitizer's output may be part of another sanitizer's report.
        let leaked = |r: &Report| r.totals.leaked.is_some();
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
            Matcher::Sanitizer(suppression) => ran(&Tool::from_name(suppression.owner())),
        }
    }
}

/// The reason why text in a rule file is invalid. The caller adds the file and the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReadError(String);

impl From<String> for ReadError {
    fn from(message: String) -> Self {
        Self(message)
    }
}

impl From<&str> for ReadError {
    fn from(message: &str) -> Self {
        Self(message.into())
    }
}

impl From<ReadError> for String {
    fn from(error: ReadError) -> Self {
        error.0
    }
}

/// Makes rule ids unique, because a suppression file may use a name twice. Duplicate ids get their
/// origin as a suffix.
pub(crate) fn with_unique_names(mut rules: Vec<Rule>) -> Vec<Rule> {
    let mut seen = hashbrown::HashSet::new();
    for rule in &mut rules {
        if !seen.insert(rule.id.clone()) {
            rule.id = format!("{} ({})", rule.id, rule.origin);
            seen.insert(rule.id.clone());
        }
    }
    rules
}
