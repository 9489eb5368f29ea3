//! Reasons that come from findings and rules.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::numbers::count;
use crate::parse::Parsed;
use crate::policy::Level;
use crate::reason::{Reason, ReasonCode};
use crate::rules::{AdviceCode, Rule, RuleUsage};
use crate::triage::{Cause, Disposition, FindingCount, Gate, Triage, TriagedFinding};

/// Appends the reasons for unexpected findings, one for each cause.
pub(super) fn unexpected(parsed: &Parsed, triage: &Triage, gate: &Gate, reasons: &mut Vec<Reason>) {
    let count_cause = |cause: Option<Cause>| {
        triage.count_where(parsed, |triaged| {
            triaged.disposition == Disposition::Unexpected && triaged.cause == cause
        })
    };
    let FindingCount { groups, records } = count_cause(None);
    if groups > 0 {
        let mut message = count(groups, "unexpected finding", "unexpected findings");
        if records > groups {
            message += &format!(" in {}", count(records, "record", "records"));
        }
        reasons.push(Reason {
            code: ReasonCode::UnexpectedFinding,
            count: groups,
            message,
        });
    }
    over_limit(
        count_cause(Some(Cause::OverLimit)).groups,
        triage,
        gate,
        reasons,
    );
    expired(
        count_cause(Some(Cause::ExpiredRule)).groups,
        triage,
        gate,
        reasons,
    );
    grown(count_cause(Some(Cause::Grown)).groups, triage, reasons);
}

/// Appends the reason for `findings` findings of rules that are over their limit.
fn over_limit(findings: u64, triage: &Triage, gate: &Gate, reasons: &mut Vec<Reason>) {
    let is_cause = |usage: &RuleUsage| usage.over_limit && !usage.expired;
    let Some((rule, usage)) = first_rule(findings, triage, gate, is_cause) else {
        return;
    };
    let message = format!(
        "{} over the limit of rule {}: {}",
        count(findings, "finding", "findings"),
        rule.describe_id(),
        describe_excess(rule, usage)
    );
    reasons.push(Reason {
        code: ReasonCode::OverLimit,
        count: findings,
        message,
    });
}

/// Appends the reason for `findings` findings of expired rules.
fn expired(findings: u64, triage: &Triage, gate: &Gate, reasons: &mut Vec<Reason>) {
    let Some((rule, _)) = first_rule(findings, triage, gate, |usage| usage.expired) else {
        return;
    };
    let expiry = gate.expiry(rule);
    let expiry = expiry.map_or_else(|| "expired".into(), |expiry| format!("{expiry}"));
    let message = format!(
        "{} accepted only by rule {}, which {expiry}",
        count(findings, "finding", "findings"),
        rule.describe_id()
    );
    reasons.push(Reason {
        code: ReasonCode::ExpiredRule,
        count: findings,
        message,
    });
}

/// Appends the reason for `findings` findings that have grown since the baseline was written.
fn grown(findings: u64, triage: &Triage, reasons: &mut Vec<Reason>) {
    if findings == 0 {
        return;
    }
    let message = match triage.baseline.as_ref().and_then(|b| b.grown.first()) {
        Some(grown) if findings == 1 => format!(
            "{} has grown; it was {} in the baseline",
            grown.fingerprint, grown.before
        ),
        _ => format!(
            "{} larger than in the baseline",
            count(findings, "finding is", "findings are")
        ),
    };
    reasons.push(Reason {
        code: ReasonCode::GrownFinding,
        count: findings,
        message,
    });
}

/// Returns the first rule that decided about a finding and for which `is_cause` returns true.
/// Returns `None` if `findings` is zero.
fn first_rule<'a>(
    findings: u64,
    triage: &'a Triage,
    gate: &'a Gate,
    is_cause: impl Fn(&RuleUsage) -> bool,
) -> Option<(&'a Rule, &'a RuleUsage)> {
    if findings == 0 {
        return None;
    }
    triage
        .rules(gate)
        .find(|(_, usage)| is_cause(usage) && usage.decided > 0)
}

/// Describes each exceeded limit: `3 records (limit 2), 90 bytes (limit 64)`.
fn describe_excess(rule: &Rule, usage: &RuleUsage) -> String {
    let gated = usage.gated;
    // If the rule has no such limit, its weak fingerprint limits it to one.
    let per_process = rule
        .limit
        .per_process
        .or((gated.per_process > 0).then_some(1));
    let sums = [
        (rule.limit.findings, gated.records, "record", "records"),
        (rule.limit.bytes, gated.bytes, "byte", "bytes"),
        (rule.limit.blocks, gated.blocks, "block", "blocks"),
        (
            per_process,
            gated.per_process,
            "place in one process",
            "places in one process",
        ),
    ];
    let exceeded = sums.into_iter().filter_map(|(limit, sum, one, many)| {
        limit
            .filter(|limit| sum > *limit)
            .map(|limit| format!("{} (limit {limit})", count(sum, one, many)))
    });
    exceeded.collect::<Vec<_>>().join(", ")
}

/// Appends the reason for rules that didn't match as many records as they must.
pub(super) fn expectations(triage: &Triage, gate: &Gate, reasons: &mut Vec<Reason>) {
    let missed: Vec<(&Rule, &RuleUsage)> = triage
        .rules(gate)
        .filter(|(_, usage)| usage.expectation_missed)
        .collect();
    let Some((rule, usage)) = missed.first() else {
        return;
    };
    let message = format!(
        "rule {}: expected exactly {}, found {}",
        rule.describe_id(),
        count(rule.expect.unwrap_or(0), "match", "matches"),
        usage.matched
    );
    reasons.push(Reason {
        code: ReasonCode::ExpectationMissed,
        count: missed.len() as u64,
        message,
    });
}

/// Appends the reason for unused rules if the policy forbids them.
pub(super) fn unused(triage: &Triage, gate: &Gate, reasons: &mut Vec<Reason>) {
    let mut unused = triage
        .advice
        .iter()
        .filter(|a| a.code == AdviceCode::UnusedRule && a.level == Level::Fail);
    let Some(first) = unused.next() else { return };
    let rule = &gate.rules[first.rule];
    let message = format!("rule {} matches nothing", rule.describe_id());
    reasons.push(Reason {
        code: ReasonCode::UnusedRule,
        count: 1 + unused.count() as u64,
        message,
    });
}

/// Returns the reason for findings that fail a merged run, but that the policy ignores.
pub(super) fn ignored_by_merge(triage: &Triage, unexpected: &[bool]) -> Option<Reason> {
    let findings = triage.findings.iter().zip(unexpected);
    let is_ignored = |triaged: &TriagedFinding| triaged.disposition == Disposition::NotGated;
    let number = findings
        .filter(|(triaged, unexpected)| **unexpected && is_ignored(triaged))
        .count() as u64;
    let message = format!(
        "{} in a merged run, which this policy ignores",
        count(number, "unexpected finding", "unexpected findings")
    );
    (number > 0).then_some(Reason {
        code: ReasonCode::UnexpectedFinding,
        count: number,
        message,
    })
}

/// Appends a warning about third-party findings if the policy asks for one.
pub(super) fn third_party(
    parsed: &Parsed,
    triage: &Triage,
    gate: &Gate,
    warnings: &mut Vec<Reason>,
) {
    if gate.policy.third_party != Level::Warn {
        return;
    }
    let ignored = triage.iter(parsed).filter(|(finding, triaged)| {
        gate.policy.gates(&finding.kind) && triaged.disposition == Disposition::NotGated
    });
    let number = ignored.count() as u64;
    if number > 0 {
        let message = format!(
            "{} without a frame in your code",
            count(number, "finding", "findings")
        );
        warnings.push(Reason {
            code: ReasonCode::ThirdParty,
            count: number,
            message,
        });
    }
}
