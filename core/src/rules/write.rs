//! Rules written for people: what to accept findings with, in each of the three languages.
//!
//! Whatever is written is read back and held against the same findings: it allows exactly those that share a fingerprint, or it
//! is not written, and the reason is said.

mod convert;
mod lsan;
pub(crate) mod toml;
mod valgrind;

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use jiff::civil::Date;

pub use self::convert::{Converted, convert};
use super::{Rule, holds};
use crate::culprit::Names;
use crate::model::Finding;
use crate::numbers::count;
use crate::parse::Parsed;
use crate::triage::{Item, Triage};

/// A language of rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// `leakgate.toml`
    Toml,
    /// valgrind's suppression files.
    Valgrind,
    /// LeakSanitizer's suppression files.
    Lsan,
}

impl Language {
    /// Every language.
    pub const ALL: &'static [Self] = &[Self::Toml, Self::Valgrind, Self::Lsan];

    /// The name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Toml => "toml",
            Self::Valgrind => "valgrind",
            Self::Lsan => "lsan",
        }
    }
}

/// What a rule is to say beside what it matches.
#[derive(Clone, Debug, Default)]
pub struct Wording {
    /// Why it is accepted.
    pub reason: String,
    /// `false-positive`, `accepted` or `to-fix`.
    pub status: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Where it was looked into.
    pub investigation: Option<String>,
    /// The day on which it is written.
    pub added: Option<Date>,
    /// The last day on which it holds.
    pub expires: Option<Date>,
    /// The names that are taken.
    pub taken: Vec<String>,
}

/// What was written for one fingerprint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The fingerprint.
    pub fingerprint: String,
    /// The findings that it allows, by their index: those that share the fingerprint.
    pub findings: Vec<usize>,
    /// The rule or rules; or why the language can't say it.
    pub text: Result<String, String>,
}

/// Writes what accepts the findings of each of these fingerprints.
pub fn suppress(
    parsed: &Parsed,
    triage: &Triage,
    fingerprints: &[String],
    language: Language,
    wording: &Wording,
) -> Vec<Written> {
    let mut names = Names::default();
    let mut wording = wording.clone();
    let one = |fingerprint: &String| {
        let members = |(at, item): (usize, &Item)| (item.fingerprint.as_str() == fingerprint).then_some(at);
        let findings: Vec<usize> = triage.items.iter().enumerate().filter_map(members).collect();
        let mut run = Run { parsed, triage, findings: &findings, names: &mut names };
        let text = match language {
            Language::Toml => toml::write(&mut run, &mut wording),
            Language::Valgrind => valgrind::write(&mut run, &mut wording),
            Language::Lsan => lsan::write(&mut run, &wording),
        };
        Written { fingerprint: fingerprint.clone(), findings, text }
    };
    fingerprints.iter().map(one).collect()
}

/// The findings that something is written for, among all others.
pub(crate) struct Run<'a> {
    pub(crate) parsed: &'a Parsed,
    pub(crate) triage: &'a Triage,
    /// Those that share the fingerprint.
    pub(crate) findings: &'a [usize],
    pub(crate) names: &'a mut Names,
}

impl<'a> Run<'a> {
    pub(crate) fn members(&self) -> impl Iterator<Item = &'a Finding> + use<'a> {
        let parsed = self.parsed;
        self.findings.iter().map(move |at| &parsed.findings[*at])
    }

    pub(crate) fn item(&self) -> &'a Item {
        &self.triage.items[self.findings[0]]
    }

    /// Which of all findings the rules match together.
    pub(crate) fn matched(&mut self, rules: &[Rule]) -> Vec<usize> {
        let all = self.parsed.findings.iter().zip(&self.triage.items).enumerate();
        let mut found = Vec::new();
        for (at, (finding, item)) in all {
            if rules.iter().any(|rule| holds(rule, finding, &item.fingerprint, &self.parsed.reports, self.names)) {
                found.push(at);
            }
        }
        found
    }

    /// Why what was matched is not what was meant; nothing where it is.
    pub(crate) fn difference(&self, matched: &[usize], meant: &[usize]) -> Option<String> {
        let more = matched.iter().filter(|at| !meant.contains(at)).count() as u64;
        let less = meant.iter().filter(|at| !matched.contains(at)).count() as u64;
        match (more, less) {
            (0, 0) => None,
            (0, n) => Some(format!(
                "it would miss {}",
                count(n, "finding that shares the fingerprint", "findings that share the fingerprint")
            )),
            (n, _) => Some(format!("it would also accept {}", count(n, "other finding", "other findings"))),
        }
    }

    /// A name for the rule: `leak-in-make`.
    pub(crate) fn name(&mut self, taken: &[String]) -> String {
        let finding = &self.parsed.findings[self.findings[0]];
        let kind = if finding.kind.is_leak() { "leak" } else { finding.kind.as_str() };
        let frame = self.item().culprit.frame.and_then(|at| finding.primary()?.frames.get(at));
        let function = frame.map(|f| self.names.get(&f.site).name.clone()).unwrap_or_default();
        let last: Vec<&str> = function.rsplit("::").take(2).collect();
        let place = slug(&last.into_iter().rev().collect::<Vec<_>>().join("-"));
        let base = if place.is_empty() {
            format!("{kind}-{}", &self.item().fingerprint.as_str()[4..12])
        } else {
            format!("{kind}-in-{place}")
        };
        let free = |name: &String| !taken.contains(name);
        let numbered = (2..).map(|n: u32| format!("{base}-{n}"));
        core::iter::once(base.clone()).chain(numbered).find(free).unwrap_or_default()
    }
}

/// Letters, digits and dashes.
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

/// A comment's lines; nothing of a text can leave the comment.
pub(crate) fn comment(text: &str) -> String {
    let lines = text.split(['\n', '\r']).filter(|l| !l.trim().is_empty());
    lines
        .map(|line| format!("# {}\n", line.chars().filter(|c| !c.is_control()).collect::<String>().trim()))
        .collect::<Vec<_>>()
        .concat()
}

/// A name within a suppression file: one line that is no bracket.
pub(crate) fn one_line(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    line.trim().to_string()
}

/// The name of an entry: a line that is neither a comment nor a bracket.
pub(crate) fn entry_name(text: &str) -> String {
    let line = one_line(text);
    if line.is_empty() || line.starts_with(['#', '{', '}']) { format!("rule {line}") } else { line }
}
