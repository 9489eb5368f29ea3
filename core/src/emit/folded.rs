//! Folded stacks such as `main;make;malloc 40`, the input of speedscope, inferno and flamegraph.pl.
//! Only leaks are written. The number is the leaked bytes.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use hashbrown::HashMap;

use super::escape::folded;
use super::{FindingInRun, RenderOptions, Run};
use crate::model::{Finding, FrameInfo, Kind, Leak};
use crate::triage::{Disposition, TriagedFinding};

/// Writes a line for each distinct stack, sorted by leaked bytes in descending order.
pub(crate) fn write(
    run: &Run<'_>,
    options: &RenderOptions<'_>,
    out: &mut dyn fmt::Write,
) -> fmt::Result {
    let mut indices: HashMap<String, usize> = HashMap::new();
    let mut stacks: Vec<(String, u64)> = Vec::new();
    for FindingInRun {
        finding, triaged, ..
    } in run.findings()
    {
        let Some(leak) = finding
            .leak
            .filter(|_| options.show_accepted || triaged.disposition == Disposition::Unexpected)
        else {
            continue;
        };
        let line = stack(finding);
        let at = *indices.entry(line).or_insert_with_key(|line| {
            stacks.push((line.clone(), 0));
            stacks.len() - 1
        });
        stacks[at].1 = stacks[at]
            .1
            .saturating_add(bytes(finding, triaged, leak, run));
    }
    stacks.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    stacks
        .iter()
        .try_for_each(|(stack, bytes)| writeln!(out, "{stack} {bytes}"))
}

/// Returns the bytes that a finding adds to its stack. If the checker reports indirect leaks as
/// separate records, only the direct bytes count, because the others would be counted twice.
fn bytes(finding: &Finding, triaged: &TriagedFinding, leak: Leak, run: &Run<'_>) -> u64 {
    let direct_only = finding.kind != Kind::LEAK_INDIRECT
        && leak.indirect_bytes > 0
        && shows_indirect(finding, run);
    let each = if direct_only {
        leak.direct_bytes
    } else {
        leak.bytes
    };
    each.saturating_mul(triaged.records)
}

/// Returns true if a report that contains the finding also has a record of an indirect leak.
fn shows_indirect(finding: &Finding, run: &Run<'_>) -> bool {
    let reports = finding
        .instances
        .iter()
        .filter_map(|i| run.parsed.reports.get(i.report));
    let is_indirect = |at: usize| {
        run.parsed
            .findings
            .get(at)
            .is_some_and(|f| f.kind == Kind::LEAK_INDIRECT)
    };
    reports
        .flat_map(|r| &r.records)
        .any(|record| is_indirect(record.finding))
}

/// Returns the frames of the primary stack, the outermost first.
fn stack(finding: &Finding) -> String {
    let frames = finding
        .primary()
        .map(|s| s.frames.as_slice())
        .unwrap_or_default();
    let names: Vec<String> = frames.iter().rev().map(|frame| name(&frame.info)).collect();
    if names.is_empty() {
        String::from("[unknown]")
    } else {
        names.join(";")
    }
}

/// Returns the function name of a frame. Without one, returns the module and offset.
fn name(info: &FrameInfo) -> String {
    let module = || {
        let module = info
            .module
            .as_deref()?
            .rsplit(['/', '\\'])
            .next()
            .filter(|m| !m.is_empty())?;
        Some(info.offset.map_or_else(
            || format!("[{module}]"),
            |offset| format!("[{module}+{offset:#x}]"),
        ))
    };
    let name = info.name().map(folded).filter(|n| !n.is_empty());
    name.or_else(|| module().map(|m| folded(&m)))
        .unwrap_or_else(|| String::from("[unknown]"))
}
