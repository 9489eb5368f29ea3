//! Applies the rules: the first one that matches a finding decides about it, within its limit.

use alloc::vec;
use alloc::vec::Vec;

use super::{Cause, Disposition, Gate, TriagedFinding, is_gated, places};
use crate::model::Finding;
use crate::parse::Parsed;
use crate::rules::{GatedTotals, Limit, RuleUsage};

/// Lets the first matching rule decide about each finding. Limits count gated findings only.
pub(super) fn rules(
    parsed: &Parsed,
    gate: &Gate,
    findings: &mut [TriagedFinding],
) -> Vec<RuleUsage> {
    let mut usages = vec![RuleUsage::default(); gate.rules.len()];
    let mut gated = vec![RuleUsage::default(); gate.rules.len()];
    for (triaged, finding) in findings.iter().zip(&parsed.findings) {
        for at in &triaged.matches {
            let usage = &mut usages[*at as usize];
            let earlier = triaged.rule.filter(|first| *first != *at as usize);
            usage.matched += triaged.records;
            usage.shadowed_by = usage.shadowed_by.or(earlier);
        }
        let Some(rule) = triaged.rule else { continue };
        add_finding(&mut usages[rule], finding, triaged.records);
        if is_gated(&gate.policy, finding, triaged) {
            add_finding(&mut gated[rule], finding, triaged.records);
        }
    }
    for ((rule, usage), gated) in gate.rules.iter().zip(&mut usages).zip(&gated) {
        usage.checker_ran = rule.was_tried(&parsed.reports);
        usage.expired = gate.expiry(rule).is_some();
        usage.gated = GatedTotals {
            records: gated.decided,
            bytes: gated.bytes,
            blocks: gated.blocks,
            per_process: 0,
        };
        usage.over_limit = exceeds(rule.limit, gated);
        usage.expectation_missed = rule.expect.is_some_and(|n| n != usage.matched);
    }
    limit_per_process(parsed, gate, findings, &mut usages);
    for triaged in findings {
        let Some(usage) = triaged.rule.map(|at| &usages[at]) else {
            continue;
        };
        if usage.expired {
            triaged.cause = Some(Cause::ExpiredRule);
        } else if usage.over_limit {
            triaged.cause = Some(Cause::OverLimit);
        } else {
            triaged.disposition = Disposition::Allowed;
        }
    }
    usages
}

/// Applies the limits of places in one process.
fn limit_per_process(
    parsed: &Parsed,
    gate: &Gate,
    findings: &[TriagedFinding],
    usages: &mut [RuleUsage],
) {
    // For each finding, its rule and the limit of the rule.
    let limits: Vec<Option<(usize, u64)>> = findings
        .iter()
        .zip(&parsed.findings)
        .map(|(triaged, finding)| {
            let at = triaged.rule?;
            let limit = gate.rules[at].per_process_limit(triaged.fingerprint.is_weak())?;
            is_gated(&gate.policy, finding, triaged).then_some((at, limit))
        })
        .collect();
    let most = places::most_in_one_process(parsed, |at| Some(limits[at]?.0));
    for (at, limit) in limits.into_iter().flatten() {
        let places = most.get(&at).copied().unwrap_or_default();
        usages[at].gated.per_process = places;
        usages[at].over_limit |= places > limit;
    }
}

fn add_finding(usage: &mut RuleUsage, finding: &Finding, records: u64) {
    let leak = finding.leak.unwrap_or_default().times(records);
    usage.decided += records;
    usage.findings += 1;
    usage.bytes = usage.bytes.saturating_add(leak.bytes);
    usage.blocks = usage.blocks.saturating_add(leak.blocks);
}

fn exceeds(limit: Limit, usage: &RuleUsage) -> bool {
    let is_over = |limit: Option<u64>, sum: u64| limit.is_some_and(|max| sum > max);
    is_over(limit.findings, usage.decided)
        || is_over(limit.bytes, usage.bytes)
        || is_over(limit.blocks, usage.blocks)
}
