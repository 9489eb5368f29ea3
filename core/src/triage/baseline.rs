//! The baseline: known findings of an earlier run. A known finding passes, unless it has grown.
//!
//! Sizes are those of the process that leaks most, so a leak that a second test reports, too, has
//! not grown. A baseline never contains findings that the policy ignores or that a rule accepts.

mod groups;

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use self::groups::{groups, severity_rank};
use crate::culprit::FrameNames;
use crate::diagnostic::Diagnostic;
use crate::full;
use crate::model::Tool;
use crate::numbers;
use crate::parse::Parsed;
use crate::policy::Silence;
use crate::rules::config::is_fingerprint;
use crate::schema::JsonKind;
use crate::triage::{Cause, Disposition, Triage, TriagedFinding};

/// Name and version of the file format.
const SCHEMA: &str = "leakgate-baseline/v1";

const KIND: JsonKind = JsonKind {
    schema: SCHEMA,
    noun: "baseline",
    help: "write one with `leakgate baseline write LOG`",
};

/// Known findings of an earlier run.
///
/// ```
/// use leakgate_core::triage::triage;
/// use leakgate_core::{Baseline, Date, Disposition, Gate, NoWorkspace, Options, Parser, Policy};
///
/// let mut parser = Parser::new(Options::default());
/// parser.begin("run.log");
/// parser.feed(b"==7==ERROR: LeakSanitizer: detected memory leaks\n\n\
///     Direct leak of 4 byte(s) in 1 object(s) allocated from:\n    #0 0x51 in make /src/a.c:3:9\n\n\
///     SUMMARY: LeakSanitizer: 4 byte(s) leaked in 1 allocation(s).\n");
/// let parsed = parser.finish();
///
/// let gate = Gate::new(Policy::default(), Date::constant(2026, 11, 22));
/// let baseline = Baseline::from_run(&parsed, &triage(&parsed, &gate, &NoWorkspace));
/// let text = baseline.to_text();
///
/// let baseline = Baseline::read("leakgate-baseline.json", &text).unwrap();
/// let gate = gate.with_baseline(Some(baseline));
/// let triage = triage(&parsed, &gate, &NoWorkspace);
/// assert_eq!(triage.findings[0].disposition, Disposition::Baseline);
/// assert_eq!(triage.baseline.unwrap().known, 1);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    /// One entry for each fingerprint. Weak fingerprints have one entry for each size. Findings
    /// that lost their stack have no entry.
    pub entries: Vec<BaselineEntry>,
}

/// A known finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct BaselineEntry {
    /// Identity of the finding.
    pub fingerprint: String,
    /// True if the fingerprint contains no function outside of allocators and runtimes. Then the
    /// entry covers only findings of the same size, and only as many places as it states.
    #[serde(default)]
    pub weak: bool,
    /// Names of the tools that report the finding.
    pub tools: Vec<String>,
    /// The most severe kind of the finding.
    pub kind: String,
    /// Leaked bytes of the process that leaks most.
    pub bytes: u64,
    /// Leaked blocks, or open descriptors, of the process that leaks most.
    pub blocks: u64,
    /// The number of places in the process that has most of them. Zero if the entry isn't weak.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub places: u64,
    /// The lines that the fingerprint is made of. They allow a later version to convert it.
    pub frames: Vec<String>,
}

/// Returns true for a number that the file omits.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File<T> {
    schema: String,
    findings: T,
}

/// The comparison of a run with a baseline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Comparison {
    /// Number of known findings that have not grown.
    pub known: u64,
    /// Known findings that have grown.
    pub grown: Vec<GrownFinding>,
    /// Entries that the run doesn't have, although their tool ran.
    pub fixed: Vec<BaselineEntry>,
}

/// A finding that has grown since the baseline was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrownFinding {
    /// Identity of the finding.
    pub fingerprint: String,
    /// The state in the baseline: `leak-definite, 40 bytes in 1 block`.
    pub before: String,
}

impl Baseline {
    /// Parses a baseline. `file` is its name in error messages.
    ///
    /// # Errors
    /// Returns one diagnostic with its line.
    pub fn read(file: &str, text: &str) -> Result<Self, Diagnostic> {
        full::require();
        let text = text.trim_start_matches('\u{feff}');
        let parsed: File<Vec<BaselineEntry>> =
            serde_json::from_str(text).map_err(|error| KIND.parse_error(file, text, &error))?;
        let invalid = |message| Diagnostic::at_line(file, text, 0, message);
        if parsed.schema != SCHEMA {
            return Err(KIND.schema_error(file, &parsed.schema));
        }
        let entries = parsed.findings;
        if let Some(entry) = entries.iter().find(|e| !is_fingerprint(&e.fingerprint)) {
            let line = text.lines().position(|l| l.contains(&entry.fingerprint));
            let line = u32::try_from(line.unwrap_or(0) + 1).unwrap_or(0);
            let message = format!("invalid fingerprint `{}`", entry.fingerprint);
            return Err(Diagnostic::at_line(file, text, line, message));
        }
        let mut keys: Vec<_> = entries.iter().map(BaselineEntry::key).collect();
        keys.sort_unstable();
        if let Some(pair) = keys.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(invalid(format!("duplicate entry for {}", pair[0].0)));
        }
        Ok(Self { entries })
    }

    /// Returns the text of the file. Each finding has one line, and the order is stable, so version
    /// control merges the file well.
    pub fn to_text(&self) -> String {
        let mut entries = self.entries.clone();
        entries.sort_by(|a, b| {
            (&a.fingerprint, a.bytes, a.blocks).cmp(&(&b.fingerprint, b.bytes, b.blocks))
        });
        // Serializing a struct of strings and numbers can't fail.
        let lines: Vec<String> = entries
            .iter()
            .map(|entry| serde_json::to_string(entry).unwrap_or_default())
            .collect();
        let separator = if lines.is_empty() { "" } else { "\n" };
        format!(
            "{{\"schema\":\"{SCHEMA}\",\"findings\":[{separator}{}{separator}]}}\n",
            lines.join(",\n")
        )
    }

    /// Creates a baseline of all findings of a run that the policy looks at and no rule accepts.
    pub fn from_run(parsed: &Parsed, triage: &Triage) -> Self {
        // A rule that no longer accepts the finding takes precedence over the baseline.
        let has_rule =
            |t: &TriagedFinding| matches!(t.cause, Some(Cause::ExpiredRule | Cause::OverLimit));
        let is_open = |t: &TriagedFinding| {
            matches!(
                t.disposition,
                Disposition::Unexpected | Disposition::Baseline
            ) && !has_rule(t)
                && !t.fingerprint.is_lost()
        };
        let groups = groups(parsed, &triage.findings, &triage.names, |at| {
            is_open(&triage.findings[at])
        });
        Self {
            entries: groups.into_iter().map(|g| g.entry).collect(),
        }
    }

    /// Returns this baseline, updated after a run: fixed findings are removed, and shrunk findings
    /// get their new sizes. If `grow` is true, new and grown findings are added.
    #[must_use]
    pub fn updated(&self, parsed: &Parsed, triage: &Triage, grow: bool) -> Self {
        let comparison = triage.baseline.as_ref();
        let fixed: &[BaselineEntry] = comparison.map_or(&[], |c| c.fixed.as_slice());
        let mut entries: Vec<BaselineEntry> = self
            .entries
            .iter()
            .filter(|entry| !fixed.contains(entry))
            .cloned()
            .collect();
        for new in Self::from_run(parsed, triage).entries {
            match entries.iter_mut().find(|entry| entry.is_same(&new)) {
                Some(old) if grow || !old.is_exceeded_by(&new) => *old = new,
                Some(_) => {}
                None if grow => entries.push(new),
                None => {}
            }
        }
        Self { entries }
    }

    /// Sets the disposition of known findings, and the cause of those that have grown.
    pub(crate) fn apply(
        &self,
        parsed: &Parsed,
        findings: &mut [TriagedFinding],
        names: &Arc<FrameNames>,
        silence: Silence,
    ) -> Comparison {
        let mut comparison = Comparison::default();
        let by_fingerprint = index_by_fingerprint(self.entries.iter());
        let is_open: Vec<bool> = findings
            .iter()
            .map(|t| {
                let is_open = t.disposition == Disposition::Unexpected && t.cause.is_none();
                is_open && !t.fingerprint.is_lost()
            })
            .collect();
        for group in groups(parsed, findings, names, |at| is_open[at]) {
            let Some(entry) = find_same(&by_fingerprint, &group.entry) else {
                continue;
            };
            let has_grown = entry.is_exceeded_by(&group.entry);
            if has_grown {
                comparison.grown.push(GrownFinding {
                    fingerprint: group.entry.fingerprint.clone(),
                    before: entry.describe(),
                });
            } else {
                comparison.known += 1;
            }
            for at in group.members {
                if has_grown {
                    findings[at].cause = Some(Cause::Grown);
                } else {
                    findings[at].disposition = Disposition::Baseline;
                }
            }
        }
        comparison.fixed = self.fixed_entries(parsed, findings, names, silence);
        comparison
    }

    /// Returns the entries that the run doesn't have, although their tool ran.
    fn fixed_entries(
        &self,
        parsed: &Parsed,
        findings: &[TriagedFinding],
        names: &Arc<FrameNames>,
        silence: Silence,
    ) -> Vec<BaselineEntry> {
        let groups = groups(parsed, findings, names, |_| true);
        let present = index_by_fingerprint(groups.iter().map(|group| &group.entry));
        let has_run = |tool: &String| {
            let tool = Tool::from_name(tool);
            silence == Silence::Pass || parsed.reports.iter().any(|r| r.tool == tool)
        };
        let is_fixed = |entry: &&BaselineEntry| {
            entry.tools.iter().any(has_run) && find_same(&present, entry).is_none()
        };
        self.entries.iter().filter(is_fixed).cloned().collect()
    }
}

/// Indexes entries by fingerprint.
fn index_by_fingerprint<'a>(
    entries: impl Iterator<Item = &'a BaselineEntry>,
) -> HashMap<&'a str, Vec<&'a BaselineEntry>> {
    let mut index: HashMap<&str, Vec<&BaselineEntry>> = HashMap::new();
    for entry in entries {
        index.entry(&entry.fingerprint).or_default().push(entry);
    }
    index
}

/// Returns the entry of an index that covers the same findings.
fn find_same<'a>(
    index: &HashMap<&str, Vec<&'a BaselineEntry>>,
    entry: &BaselineEntry,
) -> Option<&'a BaselineEntry> {
    let candidates = index.get(entry.fingerprint.as_str())?;
    candidates.iter().copied().find(|c| c.is_same(entry))
}

impl BaselineEntry {
    /// Returns the values that must be unique in a baseline: the fingerprint and, if it is weak,
    /// the sizes.
    fn key(&self) -> (&str, u64, u64) {
        if self.weak {
            (&self.fingerprint, self.bytes, self.blocks)
        } else {
            (&self.fingerprint, 0, 0)
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        let is_weak = self.weak || other.weak;
        let has_same_size = self.bytes == other.bytes && self.blocks == other.blocks;
        self.fingerprint == other.fingerprint && (!is_weak || has_same_size)
    }

    /// Returns true if `now` has more bytes or blocks, is lost instead of reachable, or occurs at
    /// more places although the fingerprint is weak.
    fn is_exceeded_by(&self, now: &Self) -> bool {
        now.bytes > self.bytes
            || now.blocks > self.blocks
            || severity_rank(&now.kind) > severity_rank(&self.kind)
            || now.places > self.places.max(1)
    }

    /// Describes kind, size and the number of places: `leak-definite, 40 bytes in 1 block`,
    /// `invalid-read, at 2 places`.
    pub fn describe(&self) -> String {
        let mut text = self.kind.clone();
        if self.bytes > 0 || self.blocks > 0 {
            text += ", ";
            text += &numbers::amount_for_kind(&self.kind, self.bytes, self.blocks);
        }
        if self.places > 0 {
            let places = numbers::count(self.places, "place", "places");
            text += &format!(", at {places}");
        }
        text
    }
}
