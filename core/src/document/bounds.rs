//! Bounds for JSON reports. Reports written by leakgate stay far below them. A forged report must
//! not cost more memory or time than its size justifies.

use alloc::format;
use alloc::string::String;

use crate::model::{Kind, MAX_TESTS};
use crate::options::Options;
use crate::wire::{Finding, Report};

/// Maximum number of findings in merged runs.
const MAX_FINDINGS: usize = 1_000_000;

/// Maximum number of notes for a finding.
const MAX_NOTES: usize = 4096;

/// Maximum number of reasons, warnings and verified checkers in merged runs.
const MAX_REASONS: usize = 1000;

/// Returns a message if the report exceeds a bound.
pub(super) fn exceeded(report: &Report<'_>) -> Option<String> {
    let too_many = |what: &str, number: usize, most: usize| {
        (number > most).then(|| format!("more than {most} {what}"))
    };
    too_many("findings", report.findings.len(), MAX_FINDINGS)
        .or_else(|| too_many("reasons", report.verdict.reasons.len(), MAX_REASONS))
        .or_else(|| {
            too_many(
                "verified checkers",
                report.verdict.watched.len(),
                MAX_REASONS,
            )
        })
        .or_else(|| too_many("warnings", report.verdict.warnings.len(), MAX_REASONS))
        .or_else(|| report.findings.iter().find_map(exceeded_by_finding))
}

fn exceeded_by_finding(finding: &Finding<'_>) -> Option<String> {
    let Options {
        max_frames,
        max_stacks,
        ..
    } = Options::default();
    let frames = finding
        .stacks
        .iter()
        .map(|stack| stack.frames.len())
        .max()
        .unwrap_or(0);
    let all = [
        ("stacks", finding.stacks.len(), max_stacks),
        ("frames in a stack", frames, max_frames),
        ("notes", finding.notes.len(), MAX_NOTES),
        ("tests", finding.tests.len(), MAX_TESTS),
    ];
    let (what, _, most) = all.into_iter().find(|(_, number, most)| number > most)?;
    Some(format!("{}: more than {most} {what}", finding.fingerprint))
}

/// Returns a message if numbers contradict each other, which leakgate never writes.
pub(super) fn contradiction(report: &Report<'_>) -> Option<String> {
    let mut records = alloc::vec![0u64; report.findings.len()];
    for (finding, count) in report.reports.iter().flat_map(|r| &r.records) {
        records[*finding] = records[*finding].saturating_add(*count);
    }
    for (finding, records) in report.findings.iter().zip(records) {
        let kind = Kind::from_json(&finding.kind);
        let what = if finding.occurrences == 0
            || finding.inherited > finding.occurrences
            || records != finding.occurrences
        {
            "the number of records is inconsistent"
        } else if kind.is_leak() && finding.leak.is_none() {
            "a leak has no size"
        } else {
            continue;
        };
        return Some(format!("{}: {what}", finding.fingerprint));
    }
    None
}
