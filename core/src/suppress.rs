//! Rules written for people: what to accept findings with, in each of the three languages.
//!
//! Whatever is written is read back and held against the same findings: it allows exactly those
//! that share a fingerprint, or it is not written, and the reason is said.

mod choose;
mod convert;
mod lsan;
pub(crate) mod toml;
mod valgrind;

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use hashbrown::{HashMap, HashSet};
use jiff::civil::Date;

use self::choose::{Attempt, choose};
pub use self::convert::{Converted, convert};
use crate::culprit::Names;
use crate::model::Finding;
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
    let mut members: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, item) in triage.items.iter().enumerate() {
        members
            .entry(item.fingerprint.as_str())
            .or_default()
            .push(at);
    }
    let findings = |fingerprint: &String| {
        members
            .get(fingerprint.as_str())
            .cloned()
            .unwrap_or_default()
    };
    let run = |fingerprint| Run {
        parsed,
        triage,
        findings: findings(fingerprint),
    };
    let runs: Vec<Run<'_>> = fingerprints.iter().map(run).collect();
    let mut writer = Writer {
        parsed,
        triage,
        wording,
        names: Names::default(),
        taken: Taken::new(&wording.taken),
    };
    let texts = match language {
        Language::Toml => toml::write(&mut writer, &runs),
        Language::Valgrind => valgrind::write(&mut writer, &runs),
        Language::Lsan => lsan::write(&mut writer, &runs),
    };
    let written = |((fingerprint, run), text): ((&String, Run<'_>), _)| Written {
        fingerprint: fingerprint.clone(),
        findings: run.findings,
        text,
    };
    fingerprints
        .iter()
        .zip(runs)
        .zip(texts)
        .map(written)
        .collect()
}

/// What all that is written has in common.
struct Writer<'a> {
    parsed: &'a Parsed,
    triage: &'a Triage,
    wording: &'a Wording,
    names: Names,
    taken: Taken,
}

impl Writer<'_> {
    /// For each list of findings the first way that means exactly these; see [`choose`].
    fn choose<W>(
        &mut self,
        wishes: &[Vec<usize>],
        attempt: impl FnMut(usize, usize, &mut Names) -> Attempt<W>,
    ) -> Vec<Result<W, String>> {
        choose(self.parsed, self.triage, &mut self.names, wishes, attempt)
    }

    /// A free name for a rule: `leak-in-make`.
    fn name(&mut self, run: &Run<'_>) -> String {
        let finding = &self.parsed.findings[run.findings[0]];
        let kind = if finding.kind.is_leak() {
            "leak"
        } else {
            finding.kind.as_str()
        };
        let frame = run
            .item()
            .culprit
            .frame
            .and_then(|at| finding.primary()?.frames.get(at));
        let function = frame
            .map(|f| self.names.get(&f.site).name.clone())
            .unwrap_or_default();
        let last: Vec<&str> = function.rsplit("::").take(2).collect();
        let place = slug(&last.into_iter().rev().collect::<Vec<_>>().join("-"));
        self.taken.free(&if place.is_empty() {
            format!("{kind}-{}", &run.item().fingerprint.as_str()[4..12])
        } else {
            format!("{kind}-in-{place}")
        })
    }
}

/// The names of rules that are there.
struct Taken {
    names: HashSet<String>,
    /// For a name that is taken, the least number that may make it a free one.
    numbers: HashMap<String, u32>,
}

impl Taken {
    fn new(names: &[String]) -> Self {
        Self {
            names: names.iter().cloned().collect(),
            numbers: HashMap::new(),
        }
    }

    fn free(&mut self, name: &str) -> String {
        if !self.names.contains(name) {
            return name.into();
        }
        let number = self.numbers.entry_ref(name).or_insert(2);
        loop {
            let numbered = format!("{name}-{number}");
            if !self.names.contains(&numbered) {
                return numbered;
            }
            *number += 1;
        }
    }
}

/// The findings that something is written for, among all others.
struct Run<'a> {
    parsed: &'a Parsed,
    triage: &'a Triage,
    /// Those that share the fingerprint.
    findings: Vec<usize>,
}

impl<'a> Run<'a> {
    fn members(&self) -> impl Iterator<Item = &'a Finding> {
        let parsed = self.parsed;
        self.findings.iter().map(move |at| &parsed.findings[*at])
    }

    fn item(&self) -> &'a Item {
        &self.triage.items[self.findings[0]]
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

/// A name within a suppression file: one line that is no bracket.
pub(crate) fn one_line(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    line.trim().to_string()
}

/// The name of an entry: a line that is neither a comment nor a bracket.
pub(crate) fn entry_name(text: &str) -> String {
    let line = one_line(text);
    if line.is_empty() || line.starts_with(['#', '{', '}']) {
        format!("rule {line}")
    } else {
        line
    }
}
