//! The evidence line of a verdict: which checkers ran on how many processes, and their totals.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::observed::{self, VerifiedChecker};
use crate::model::{Amount, Report, Tool};
use crate::numbers::{amount, count};
use crate::parse::Parsed;
use crate::triage::{Disposition, Triage};

/// The evidence of a run without checker output.
pub(crate) const NO_OUTPUT: &str = "no checker output found";

/// Returns one line about all reports: `memcheck: 2 processes, 1 with all heap blocks freed; …`.
pub(super) fn describe(parsed: &Parsed, triage: &Triage, verified: &[VerifiedChecker]) -> String {
    let mut tools: Vec<&Tool> = parsed.reports.iter().map(|r| &r.tool).collect();
    tools.sort_unstable();
    tools.dedup();
    let mut parts: Vec<String> = tools
        .iter()
        .map(|tool| describe_tool(tool, parsed))
        .collect();
    parts.extend(observed::evidence(verified, parsed));
    if parts.is_empty() {
        return String::from(NO_OUTPUT);
    }
    let allowed = triage.count(parsed, Disposition::Allowed).groups;
    if allowed > 0 {
        let rules = triage
            .usages
            .iter()
            .filter(|u| u.decided > 0 && !u.expired && !u.over_limit)
            .count() as u64;
        parts.push(format!(
            "{} allowed by {}",
            count(allowed, "finding", "findings"),
            count(rules, "rule", "rules")
        ));
    }
    let known = triage.count(parsed, Disposition::Baseline).groups;
    if known > 0 {
        parts.push(format!(
            "{} in the baseline",
            count(known, "finding", "findings")
        ));
    }
    parts.join("; ")
}

fn describe_tool(tool: &Tool, parsed: &Parsed) -> String {
    let reports: Vec<&Report> = parsed
        .reports
        .iter()
        .map(Box::as_ref)
        .filter(|r: &&Report| r.tool == *tool)
        .collect();
    let mut out = format!(
        "{tool}: {}",
        count(reports.len() as u64, "process", "processes")
    );
    let truncated = reports.iter().filter(|r| !r.complete).count();
    if truncated > 0 {
        out += &format!(", {truncated} truncated");
    }
    let freed = reports.iter().filter(|r| r.totals.all_freed).count();
    if freed > 0 {
        out += &format!(", {freed} with all heap blocks freed");
    }
    let summaries = reports
        .iter()
        .filter(|r| r.totals.leaks.is_some() || r.totals.leaked.is_some())
        .count();
    if summaries > 0 {
        let noun = count(summaries as u64, "leak summary", "leak summaries");
        out += &format!(", {noun}");
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
        .filter_map(|r| r.totals.suppressed_errors)
        .fold(0, u64::saturating_add);
    if hidden > 0 {
        out += &format!(
            ", {} suppressed by the tool",
            count(hidden, "error", "errors")
        );
    }
    if reports.iter().any(|r| r.capped) {
        out += ", findings omitted by the tool";
    }
    out
}
