//! Folded stacks, `main;make;malloc 40`: what speedscope, inferno and flamegraph.pl read. Leaks
//! only; the number is leaked bytes.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use hashbrown::HashMap;

use super::escape::folded;
use super::{Run, Style};
use crate::model::{Finding, Kind, Leak, Site};
use crate::triage::{Disposition, Item};

/// Writes a line for each different stack, the largest first.
pub(crate) fn write(run: &Run<'_>, style: &Style<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut stacks: Vec<(String, u64)> = Vec::new();
    for (finding, item) in run.parsed.findings.iter().zip(&run.triage.items) {
        let Some(leak) = finding
            .leak
            .filter(|_| style.accepted || item.disposition == Disposition::Unexpected)
        else {
            continue;
        };
        let line = stack(finding);
        let at = *places.entry(line).or_insert_with_key(|line| {
            stacks.push((line.clone(), 0));
            stacks.len() - 1
        });
        stacks[at].1 = stacks[at].1.saturating_add(bytes(finding, item, leak, run));
    }
    stacks.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    stacks
        .iter()
        .try_for_each(|(stack, bytes)| writeln!(out, "{stack} {bytes}"))
}

/// A byte counts once: where the checker shows indirect leaks as records of their own, only the
/// direct bytes count here.
fn bytes(finding: &Finding, item: &Item, leak: Leak, run: &Run<'_>) -> u64 {
    let own = finding.kind != Kind::LEAK_INDIRECT
        && leak.indirect_bytes > 0
        && shows_indirect(finding, run);
    let each = if own { leak.direct_bytes } else { leak.bytes };
    each.saturating_mul(item.records)
}

/// True when a report in which the finding stands also holds a record of an indirect leak.
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
        .flat_map(|r| &r.entries)
        .any(|entry| is_indirect(entry.finding))
}

/// The frames, the outermost first.
fn stack(finding: &Finding) -> String {
    let frames = finding
        .primary()
        .map(|s| s.frames.as_slice())
        .unwrap_or_default();
    let names: Vec<String> = frames.iter().rev().map(|frame| name(&frame.site)).collect();
    if names.is_empty() {
        String::from("[unknown]")
    } else {
        names.join(";")
    }
}

fn name(site: &Site) -> String {
    let module = || {
        let module = site
            .module
            .as_deref()?
            .rsplit(['/', '\\'])
            .next()
            .filter(|m| !m.is_empty())?;
        Some(site.offset.map_or_else(
            || format!("[{module}]"),
            |offset| format!("[{module}+{offset:#x}]"),
        ))
    };
    let name = site.name().map(folded).filter(|n| !n.is_empty());
    name.or_else(|| module().map(|m| folded(&m)))
        .unwrap_or_else(|| String::from("[unknown]"))
}
