//! Comparison of two runs: new, grown, moved and fixed findings.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use hashbrown::HashMap;

use crate::document::{Document, PriorFinding};
use crate::model::{Amount, Kind, Leak};
use crate::numbers::{amount_for_kind, count};
use crate::parse::Parsed;

/// A finding that differs between two runs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// How the finding changed.
    pub change: ChangeKind,
    /// Identity of the finding.
    pub fingerprint: String,
    /// The most severe kind of the finding, in the later run if it occurs there.
    pub kind: String,
    /// Function of the culprit frame. `None` if it is unknown.
    pub function: Option<String>,
    /// State in the earlier run. `None` for new findings.
    pub before: Option<FindingState>,
    /// State in the later run. `None` for fixed findings.
    pub after: Option<FindingState>,
}

/// How a finding changed between two runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ChangeKind {
    /// The earlier run doesn't have the finding.
    New,
    /// One process leaks more bytes or blocks, or blocks that were reachable are now lost.
    Grown,
    /// The finding has another source location.
    Moved,
    /// The later run doesn't have the finding.
    Fixed,
}

impl ChangeKind {
    /// Returns the name used in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Grown => "grown",
            Self::Moved => "moved",
            Self::Fixed => "fixed",
        }
    }
}

/// A finding in one run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FindingState {
    /// The most severe kind of the finding.
    pub kind: String,
    /// Leaked bytes of the process that leaks most.
    pub bytes: u64,
    /// Leaked blocks, or open descriptors, of the process that leaks most.
    pub blocks: u64,
    /// Source location, as `FILE:LINE`. `None` if it is unknown.
    pub place: Option<String>,
    /// Name of the disposition.
    pub disposition: String,
    function: Option<String>,
}

/// Compares two runs. Returns every change: new findings first, then grown, moved and fixed ones.
///
/// Findings that the policy ignores in both runs are left out.
///
/// ```
/// use leakgate_core::compare::{ChangeKind, compare};
/// use leakgate_core::document::Document;
/// use leakgate_core::emit::{self, Format, RenderOptions, Run};
/// use leakgate_core::triage::triage;
/// use leakgate_core::verdict::{Source, judge};
/// use leakgate_core::{Date, Gate, NoWorkspace, Options, Parser, Policy};
///
/// fn run(function: &str) -> Document {
///     let mut parser = Parser::new(Options::default());
///     parser.begin("run.log");
///     let log = format!("==7==ERROR: LeakSanitizer: detected memory leaks\n\n\
///         Direct leak of 4 byte(s) in 1 object(s) allocated from:\n    #0 0x51 in {function} /src/a.c:3\n\n\
///         SUMMARY: LeakSanitizer: 4 byte(s) leaked in 1 allocation(s).\n");
///     parser.feed(log.as_bytes());
///     let parsed = parser.finish();
///     let gate = Gate::new(Policy::default(), Date::constant(2026, 11, 22));
///     let triage = triage(&parsed, &gate, &NoWorkspace);
///     let sources = [Source { name: "run.log".into(), inputs: vec![0] }];
///     let verdict = judge(&parsed, &triage, &sources, &gate);
///     let run = Run::new(&parsed, &gate, &triage, &verdict);
///     let json = emit::render(&run, Format::Json, &RenderOptions::default());
///     Document::read("run.json", &json).unwrap()
/// }
///
/// let changes = compare(&run("make"), &run("take"));
/// assert_eq!(changes[0].change, ChangeKind::New);
/// assert_eq!(changes[0].function.as_deref(), Some("take"));
/// assert_eq!(changes[1].change, ChangeKind::Fixed);
/// ```
pub fn compare(before: &Document, after: &Document) -> Vec<Change> {
    compare_with(before, &after.parsed, &after.findings)
}

/// Compares a run with an earlier one, without the JSON report of the later run.
pub(crate) fn compare_with(
    before: &Document,
    after: &Parsed,
    findings: &[PriorFinding],
) -> Vec<Change> {
    let old_states = finding_states(&before.parsed, &before.findings);
    let new_states = finding_states(after, findings);
    let mut earlier: HashMap<&str, &FindingState> = old_states
        .iter()
        .map(|(fingerprint, state)| (fingerprint.as_str(), state))
        .collect();
    let mut changes = Vec::new();
    for (fingerprint, new) in &new_states {
        let old = earlier.remove(fingerprint.as_str());
        let kind = match old {
            None => ChangeKind::New,
            Some(old) if has_grown(old, new) => ChangeKind::Grown,
            Some(old) if old.place != new.place => ChangeKind::Moved,
            Some(_) => continue,
        };
        changes.push(change(kind, fingerprint, old, Some(new)));
    }
    for (fingerprint, old) in &old_states {
        if earlier.contains_key(fingerprint.as_str()) {
            changes.push(change(ChangeKind::Fixed, fingerprint, Some(old), None));
        }
    }
    let is_gated = |state: &Option<FindingState>| {
        let state = state.as_ref();
        state.is_some_and(|s| s.disposition != "not-gated")
    };
    changes.retain(|c| is_gated(&c.before) || is_gated(&c.after));
    changes.sort_by_key(|c| c.change);
    changes
}

fn has_grown(old: &FindingState, new: &FindingState) -> bool {
    new.bytes > old.bytes || new.blocks > old.blocks || (is_reachable(old) && !is_reachable(new))
}

fn is_reachable(state: &FindingState) -> bool {
    state.kind == Kind::LEAK_REACHABLE.as_str()
}

/// Summarizes changes in one line: `2 new findings, 1 grown, 0 moved, 3 fixed`.
pub(crate) fn summary(changes: &[Change]) -> String {
    let number = |kind| changes.iter().filter(|c| c.change == kind).count() as u64;
    format!(
        "{}, {} grown, {} moved, {} fixed",
        count(number(ChangeKind::New), "new finding", "new findings"),
        number(ChangeKind::Grown),
        number(ChangeKind::Moved),
        number(ChangeKind::Fixed)
    )
}

/// Describes the size: `40 bytes in 2 blocks`. Returns the kind if the finding has no size.
pub(crate) fn describe_size(state: &FindingState) -> String {
    if state.blocks > 0 {
        amount_for_kind(&state.kind, state.bytes, state.blocks)
    } else {
        state.kind.clone()
    }
}

fn change(
    kind: ChangeKind,
    fingerprint: &str,
    before: Option<&FindingState>,
    after: Option<&FindingState>,
) -> Change {
    let latest = after.or(before);
    Change {
        change: kind,
        fingerprint: fingerprint.into(),
        kind: latest.map_or(String::new(), |s| s.kind.clone()),
        function: latest.and_then(|s| s.function.clone()),
        before: before.cloned(),
        after: after.cloned(),
    }
}

/// Returns the findings of a run by fingerprint, in the order of first appearance.
fn finding_states(parsed: &Parsed, findings: &[PriorFinding]) -> Vec<(String, FindingState)> {
    let mut indices: HashMap<&str, usize> = HashMap::new();
    let mut states: Vec<(String, FindingState)> = Vec::new();
    let mut state_of = Vec::new();
    for (prior, finding) in findings.iter().zip(&parsed.findings) {
        let at = *indices
            .entry(prior.fingerprint.as_str())
            .or_insert_with(|| {
                let state = FindingState {
                    kind: finding.kind.as_str().into(),
                    bytes: 0,
                    blocks: 0,
                    place: prior.location(),
                    disposition: prior.disposition.clone(),
                    function: prior.function.clone(),
                };
                states.push((prior.fingerprint.as_str().into(), state));
                states.len() - 1
            });
        let state = &mut states[at].1;
        if is_reachable(state) {
            state.kind = finding.kind.as_str().into();
        }
        if state.disposition == "not-gated" {
            state.disposition.clone_from(&prior.disposition);
        }
        state_of.push(at);
    }
    add_sizes(parsed, &state_of, &mut states);
    states
}

/// Sets the sizes of each state to those of the process that leaks most.
fn add_sizes(parsed: &Parsed, state_of: &[usize], states: &mut [(String, FindingState)]) {
    for report in &parsed.reports {
        let mut sums: HashMap<usize, Amount> = HashMap::new();
        for record in &report.records {
            let finding = &parsed.findings[record.finding];
            // Descriptors are counted as blocks.
            let descriptors = Leak {
                blocks: u64::from(finding.kind == Kind::FD_LEAK),
                ..Leak::default()
            };
            let leak = finding.leak.unwrap_or(descriptors).times(record.count);
            let sum = sums.entry(state_of[record.finding]).or_default();
            *sum = sum.plus(Amount {
                bytes: leak.bytes,
                blocks: leak.blocks,
            });
        }
        for (at, sum) in sums {
            let state = &mut states[at].1;
            state.bytes = state.bytes.max(sum.bytes);
            state.blocks = state.blocks.max(sum.blocks);
        }
    }
}
