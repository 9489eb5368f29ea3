//! What a document may hold at most. The parser's own bounds keep every document of leakgate far
//! below; one that somebody wrote by hand must not cost more than it weighs.

use alloc::format;
use alloc::string::String;

use super::raw::{Raw, RawFinding};
use crate::options::Options;

/// Different findings, of many legs together.
const MAX_FINDINGS: usize = 1_000_000;

/// What a checker explains of a finding.
const MAX_NOTES: usize = 4096;

/// Reasons and warnings; of many legs together.
const MAX_REASONS: usize = 1000;

/// What of a document is too much.
pub(super) fn exceeded(raw: &Raw) -> Option<String> {
    let too_many = |what: &str, number: usize, most: usize| {
        (number > most).then(|| format!("it holds more than {most} {what}"))
    };
    too_many("findings", raw.findings.len(), MAX_FINDINGS)
        .or_else(|| too_many("reasons", raw.verdict.reasons.len(), MAX_REASONS))
        .or_else(|| too_many("watched checkers", raw.verdict.watched.len(), MAX_REASONS))
        .or_else(|| too_many("warnings", raw.verdict.warnings.len(), MAX_REASONS))
        .or_else(|| raw.findings.iter().find_map(of_finding))
}

fn of_finding(finding: &RawFinding) -> Option<String> {
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
    ];
    let (what, _, most) = all.into_iter().find(|(_, number, most)| number > most)?;
    Some(format!(
        "{}: it has more than {most} {what}",
        finding.fingerprint
    ))
}
