//! What was proved, in one line: which checkers ran, on how many processes, and what they stated.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::model::{Amount, Report, Tool};
use crate::numbers::{amount, count};
use crate::parse::Parsed;
use crate::triage::{Disposition, Triage};
use crate::verdict::watched::{self, Vouched};

/// One sentence about all reports, such as `memcheck: 2 processes, 1 with every heap block freed,
/// …`.
pub(crate) fn sentence(parsed: &Parsed, triage: &Triage, vouched: &[Vouched]) -> String {
    let mut tools: Vec<&Tool> = parsed.reports.iter().map(|r| &r.tool).collect();
    tools.sort_unstable();
    tools.dedup();
    let mut parts: Vec<String> = tools.iter().map(|tool| about(tool, parsed)).collect();
    parts.extend(watched::evidence(vouched, parsed));
    if parts.is_empty() {
        return String::from("no checker spoke");
    }
    let (allowed, _) = triage.count(parsed, Disposition::Allowed);
    if allowed > 0 {
        let rules = triage
            .uses
            .iter()
            .filter(|u| u.decided > 0 && !u.expired && !u.over_limit)
            .count() as u64;
        parts.push(format!(
            "{} allowed by {}",
            count(allowed, "finding", "findings"),
            count(rules, "rule", "rules")
        ));
    }
    let (known, _) = triage.count(parsed, Disposition::Baseline);
    if known > 0 {
        parts.push(format!(
            "{} known to the baseline",
            count(known, "finding", "findings")
        ));
    }
    parts.join("; ")
}

fn about(tool: &Tool, parsed: &Parsed) -> String {
    let reports: Vec<&Report> = parsed.reports.iter().filter(|r| r.tool == *tool).collect();
    let mut out = format!(
        "{tool}: {}",
        count(reports.len() as u64, "process", "processes")
    );
    let cut = reports.iter().filter(|r| !r.complete).count();
    if cut > 0 {
        out += &format!(", {cut} cut short");
    }
    let freed = reports.iter().filter(|r| r.stated.all_freed).count();
    if freed > 0 {
        out += &format!(", {freed} with every heap block freed");
    }
    let searched = reports
        .iter()
        .filter(|r| r.stated.leaks.is_some() || r.stated.leaked.is_some())
        .count();
    if searched > 0 {
        out += &format!(", {searched} with a sum of leaks");
    }
    let suppressed = reports
        .iter()
        .map(|r| r.suppressed())
        .fold(Amount::default(), Amount::plus);
    if suppressed.blocks > 0 {
        out += &format!(
            ", {} suppressed by the tool",
            amount(suppressed.bytes, suppressed.blocks)
        );
    }
    let hidden: u64 = reports
        .iter()
        .filter_map(|r| r.stated.suppressed_errors)
        .fold(0, u64::saturating_add);
    if hidden > 0 {
        out += &format!(
            ", {} suppressed by the tool",
            count(hidden, "error", "errors")
        );
    }
    if reports.iter().any(|r| r.capped) {
        out += ", findings left out by the tool";
    }
    out
}
