//! Generates rules that accept given findings, in each of the three rule syntaxes.
//!
//! Each generated rule is parsed again and matched against all findings. If it doesn't match
//! exactly the findings with one fingerprint, it is discarded, and the result contains the reason.

mod choose;
mod convert;
mod lsan;
mod shared;
pub(crate) mod toml;
mod valgrind;

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::error::Error;
use core::fmt;
use core::str::FromStr;

use hashbrown::{HashMap, HashSet};
use jiff::civil::Date;

use self::choose::{Attempt, choose};
pub use self::convert::{ConvertedRule, convert};
pub use self::shared::{
    InvalidSite, SharedPlace, SharedRule, SharedRuleError, Site, suppress_shared,
};
use crate::culprit::FrameCache;
use crate::error::UnknownName;
use crate::full;
use crate::model::Finding;
use crate::parse::Parsed;
use crate::policy::Policy;
use crate::rules::RuleMetadata;
use crate::triage::{Triage, TriagedFinding};

/// A syntax for rules.
///
/// ```
/// use leakgate_core::suppress::RuleSyntax;
///
/// assert_eq!("lsan".parse(), Ok(RuleSyntax::Lsan));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleSyntax {
    /// `leakgate.toml`.
    Toml,
    /// Suppression files of valgrind.
    Valgrind,
    /// Suppression files of LeakSanitizer.
    Lsan,
}

impl RuleSyntax {
    /// Every syntax.
    pub const ALL: &'static [Self] = &[Self::Toml, Self::Valgrind, Self::Lsan];

    /// Returns the name used on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Toml => "toml",
            Self::Valgrind => "valgrind",
            Self::Lsan => "lsan",
        }
    }
}

impl FromStr for RuleSyntax {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let found = Self::ALL.iter().find(|syntax| syntax.as_str() == name);
        found.copied().ok_or_else(|| {
            let known = Self::ALL.iter().map(|syntax| syntax.as_str());
            UnknownName::new("rule syntax", name, known)
        })
    }
}

/// The parts of a generated rule that don't follow from the finding.
#[derive(Clone, Debug, Default)]
pub struct RuleOptions {
    /// Metadata of the rule. Suppression files only contain the reason.
    pub metadata: RuleMetadata,
    /// Last day on which the rule is valid.
    pub expires: Option<Date>,
    /// Ids of existing rules, which generated rules must not use.
    pub taken: Vec<String>,
    /// If given, each rule for `leakgate.toml` accepts no more bytes and blocks than its leaks have
    /// now. Only leaks that this policy looks at count. `None` adds no such limit, and suppression
    /// files can't have one.
    pub limits: Option<Policy>,
}

/// The rules generated for one fingerprint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedRule {
    /// The fingerprint.
    pub fingerprint: String,
    /// Indices of the accepted findings, which share the fingerprint.
    pub findings: Vec<usize>,
    /// Text of the rule or rules, or the reason why the syntax cannot express them.
    pub text: Result<String, Unsupported>,
}

/// The reason why a rule cannot be expressed in a [`RuleSyntax`].
///
/// `Display` gives the reason, such as `valgrind has no regular expressions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    reason: String,
}

impl Unsupported {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
        }
    }
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl Error for Unsupported {}

/// Generates rules that accept exactly the findings with each of these fingerprints. Returns one
/// entry for each fingerprint, in the same order.
///
/// ```
/// use leakgate_core::rules::RuleMetadata;
/// use leakgate_core::suppress::{RuleOptions, RuleSyntax, suppress};
/// use leakgate_core::triage::triage;
/// use leakgate_core::{Date, Gate, NoWorkspace, Options, Parser, Policy};
///
/// let mut parser = Parser::new(Options::default());
/// parser.begin("run.log");
/// parser.feed(b"==7==ERROR: LeakSanitizer: detected memory leaks\n\n\
///     Direct leak of 4 byte(s) in 1 object(s) allocated from:\n    #0 0x51 in make /src/a.c:3:9\n\n\
///     SUMMARY: LeakSanitizer: 4 byte(s) leaked in 1 allocation(s).\n");
/// let parsed = parser.finish();
/// let gate = Gate::new(Policy::default(), Date::constant(2026, 11, 22));
/// let triage = triage(&parsed, &gate, &NoWorkspace);
/// let fingerprints = [triage.findings[0].fingerprint.to_string()];
/// let options = RuleOptions {
///     metadata: RuleMetadata::new("freed by the system at exit"),
///     ..RuleOptions::default()
/// };
///
/// let rules = suppress(&parsed, &triage, &fingerprints, RuleSyntax::Lsan, &options);
/// assert!(rules[0].text.as_ref().unwrap().ends_with("leak:^make$\n"));
/// ```
pub fn suppress(
    parsed: &Parsed,
    triage: &Triage,
    fingerprints: &[String],
    syntax: RuleSyntax,
    options: &RuleOptions,
) -> Vec<GeneratedRule> {
    full::require();
    let mut members: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, triaged) in triage.findings.iter().enumerate() {
        members
            .entry(triaged.fingerprint.as_str())
            .or_default()
            .push(at);
    }
    let targets: Vec<Target<'_>> = fingerprints
        .iter()
        .map(|fingerprint| Target {
            parsed,
            triage,
            findings: members
                .get(fingerprint.as_str())
                .cloned()
                .unwrap_or_default(),
        })
        .collect();
    let mut generator = Generator::new(parsed, triage, options);
    let texts = match syntax {
        RuleSyntax::Toml => toml::generate(&mut generator, &targets),
        RuleSyntax::Valgrind => valgrind::generate(&mut generator, &targets),
        RuleSyntax::Lsan => lsan::generate(&mut generator, &targets),
    };
    fingerprints
        .iter()
        .zip(targets)
        .zip(texts)
        .map(|((fingerprint, target), text)| GeneratedRule {
            fingerprint: fingerprint.clone(),
            findings: target.findings,
            text,
        })
        .collect()
}

/// The state shared by all rules of one call.
struct Generator<'a> {
    parsed: &'a Parsed,
    triage: &'a Triage,
    options: &'a RuleOptions,
    cache: FrameCache,
    ids: RuleIds,
}

impl<'a> Generator<'a> {
    /// Creates a generator for the findings of a run.
    fn new(parsed: &'a Parsed, triage: &'a Triage, options: &'a RuleOptions) -> Self {
        Self {
            parsed,
            triage,
            options,
            cache: FrameCache::with_names(&triage.names),
            ids: RuleIds::new(&options.taken),
        }
    }

    /// For each goal, which is a list of findings, returns the first candidate that matches exactly
    /// these findings. See [`choose`].
    fn choose<T>(
        &mut self,
        goals: &[Vec<usize>],
        attempt: impl FnMut(usize, usize, &mut FrameCache) -> Attempt<T>,
    ) -> Vec<Result<T, Unsupported>> {
        self.choose_unless(goals, |_| false, attempt)
    }

    /// Like [`choose`](Self::choose), but a candidate may also match findings for which
    /// `is_ignored` returns true.
    fn choose_unless<T>(
        &mut self,
        goals: &[Vec<usize>],
        is_ignored: impl Fn(&TriagedFinding) -> bool,
        attempt: impl FnMut(usize, usize, &mut FrameCache) -> Attempt<T>,
    ) -> Vec<Result<T, Unsupported>> {
        let cache = &mut self.cache;
        choose(self.parsed, self.triage, cache, goals, is_ignored, attempt)
    }

    /// Returns an unused id for a rule, such as `leak-in-make`.
    fn new_id(&mut self, target: &Target<'_>) -> String {
        let finding = &self.parsed.findings[target.findings[0]];
        let kind = if finding.kind.is_leak() {
            "leak"
        } else {
            finding.kind.as_str()
        };
        let frame = target
            .triaged()
            .culprit
            .frame
            .and_then(|at| finding.primary()?.frames.get(at));
        let function = frame
            .map(|f| self.cache.get(&f.info).name.clone())
            .unwrap_or_default();
        let last: Vec<&str> = function.rsplit("::").take(2).collect();
        let place = slug(&last.into_iter().rev().collect::<Vec<_>>().join("-"));
        self.ids.unused(&if place.is_empty() {
            format!("{kind}-{}", &target.triaged().fingerprint.as_str()[4..12])
        } else {
            format!("{kind}-in-{place}")
        })
    }
}

/// The ids of existing and generated rules.
struct RuleIds {
    used: HashSet<String>,
    /// For each used id, the smallest number that may make it unused.
    numbers: HashMap<String, u32>,
}

impl RuleIds {
    fn new(used: &[String]) -> Self {
        Self {
            used: used.iter().cloned().collect(),
            numbers: HashMap::new(),
        }
    }

    /// Returns the id, with a number as suffix if it is used.
    fn unused(&mut self, id: &str) -> String {
        if !self.used.contains(id) {
            return id.into();
        }
        let number = self.numbers.entry_ref(id).or_insert(2);
        loop {
            let numbered = format!("{id}-{number}");
            if !self.used.contains(&numbered) {
                return numbered;
            }
            *number += 1;
        }
    }
}

/// The findings that a rule should accept.
struct Target<'a> {
    parsed: &'a Parsed,
    triage: &'a Triage,
    /// Indices of the findings, which share a fingerprint or a place.
    findings: Vec<usize>,
}

impl<'a> Target<'a> {
    fn members(&self) -> impl Iterator<Item = &'a Finding> {
        let parsed = self.parsed;
        self.findings.iter().map(move |at| &parsed.findings[*at])
    }

    fn triaged(&self) -> &'a TriagedFinding {
        &self.triage.findings[self.findings[0]]
    }
}

/// Converts a text to lower-case letters, digits and dashes, at most 48 characters.
fn slug(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    let short: String = out.trim_end_matches('-').chars().take(48).collect();
    short.trim_end_matches('-').to_owned()
}

/// Formats a text as comment lines. No part of the text can end the comment.
pub(crate) fn comment(text: &str) -> String {
    let lines = text.split(['\n', '\r']).filter(|l| !l.trim().is_empty());
    lines
        .map(|line| {
            format!(
                "# {}\n",
                line.chars()
                    .filter(|c| !c.is_control())
                    .collect::<String>()
                    .trim()
            )
        })
        .collect::<Vec<_>>()
        .concat()
}

/// Replaces control characters with spaces, so that the text stays on one line.
pub(crate) fn one_line(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    line.trim().to_string()
}

/// Returns the name of a valgrind suppression: one line that is neither a comment nor a brace.
pub(crate) fn entry_name(text: &str) -> String {
    let line = one_line(text);
    if line.is_empty() || line.starts_with(['#', '{', '}']) {
        format!("rule {line}")
    } else {
        line
    }
}
