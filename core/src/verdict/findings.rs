//! Reasons that findings and rules give.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Level, Reason, ReasonCode};
use crate::numbers::count;
use crate::parse::Parsed;
use crate::rules::{AdviceCode, Rule};
use crate::triage::{Cause, Disposition, Gate, Item, Triage, Use};

/// Findings that nobody accepted, or no longer.
pub(super) fn unexpected(parsed: &Parsed, triage: &Triage, gate: &Gate, reasons: &mut Vec<Reason>) {
    let of = |cause: Option<Cause>| {
        triage.count_where(parsed, |item: &Item| {
            item.disposition == Disposition::Unexpected && item.cause == cause
        })
    };
    let (groups, records) = of(None);
    if groups > 0 {
        let mut message = match groups {
            1 => String::from("a finding that nobody accepted"),
            n => format!("{} that nobody accepted", count(n, "finding", "findings")),
        };
        if records > groups {
            message += &format!(", in {}", count(records, "record", "records"));
        }
        reasons.push(Reason {
            code: ReasonCode::UnexpectedFinding,
            count: groups,
            message,
        });
    }
    by_rule(
        of(Some(Cause::OverLimit)).0,
        triage,
        gate,
        |u| u.over_limit && !u.expired,
        ReasonCode::OverLimit,
        reasons,
    );
    by_rule(
        of(Some(Cause::ExpiredRule)).0,
        triage,
        gate,
        |u| u.expired,
        ReasonCode::ExpiredRule,
        reasons,
    );
    let (grown, _) = of(Some(Cause::Grown));
    if grown > 0 {
        let message = match triage.baseline.as_ref().and_then(|b| b.grown.first()) {
            Some((fingerprint, was)) if grown == 1 => {
                format!("{fingerprint} has grown; the baseline knows it as {was}")
            }
            _ => format!(
                "{} of the baseline that have grown",
                count(grown, "finding", "findings")
            ),
        };
        reasons.push(Reason {
            code: ReasonCode::GrownFinding,
            count: grown,
            message,
        });
    }
}

/// Findings that a rule stopped accepting, named after the first such rule.
fn by_rule(
    findings: u64,
    triage: &Triage,
    gate: &Gate,
    is_one: impl Fn(&Use) -> bool,
    code: ReasonCode,
    reasons: &mut Vec<Reason>,
) {
    let mut rules = gate
        .rules
        .iter()
        .zip(&triage.uses)
        .filter(|(_, used)| is_one(used) && used.decided > 0);
    let (Some((rule, used)), 1..) = (rules.next(), findings) else {
        return;
    };
    let what = count(findings, "finding", "findings");
    let message = match code {
        ReasonCode::OverLimit => format!(
            "{what} beyond the limit of `{}` ({}): {}",
            rule.id,
            rule.origin,
            exceeded(rule, used)
        ),
        _ => {
            let last = rule
                .expires
                .map_or(String::new(), |day| format!(" on {day}"));
            format!(
                "{what} of a rule that expired: `{}` ({}){last}",
                rule.id, rule.origin
            )
        }
    };
    reasons.push(Reason {
        code,
        count: findings,
        message,
    });
}

fn exceeded(rule: &Rule, used: &Use) -> String {
    let (records, bytes, blocks) = used.gated;
    let sums = [
        (rule.limit.findings, records, "record", "records"),
        (rule.limit.bytes, bytes, "byte", "bytes"),
        (rule.limit.blocks, blocks, "block", "blocks"),
    ];
    let over = sums.into_iter().filter_map(|(limit, sum, one, many)| {
        limit
            .filter(|limit| sum > *limit)
            .map(|limit| format!("{} of {limit}", count(sum, one, many)))
    });
    over.collect::<Vec<_>>().join(", ")
}

/// Rules that had to match a number of records and did not.
pub(super) fn expectations(triage: &Triage, gate: &Gate, reasons: &mut Vec<Reason>) {
    let missed: Vec<(&Rule, &Use)> = gate
        .rules
        .iter()
        .zip(&triage.uses)
        .filter(|(_, u)| u.expectation_missed)
        .collect();
    let Some((rule, used)) = missed.first() else {
        return;
    };
    let message = format!(
        "`{}` ({}) must match {} and matches {}: the run is not trusted",
        rule.id,
        rule.origin,
        count(rule.expect.unwrap_or(0), "record", "records"),
        used.matched
    );
    reasons.push(Reason {
        code: ReasonCode::ExpectationMissed,
        count: missed.len() as u64,
        message,
    });
}

/// Rules that match nothing, where the policy does not allow them.
pub(super) fn unused(triage: &Triage, gate: &Gate, reasons: &mut Vec<Reason>) {
    let mut unused = triage
        .advice
        .iter()
        .filter(|a| a.code == AdviceCode::UnusedRule && a.level == Level::Fail);
    let Some(first) = unused.next() else { return };
    let rule = &gate.rules[first.rule];
    let message = format!("`{}` ({}) matches nothing", rule.id, rule.origin);
    reasons.push(Reason {
        code: ReasonCode::UnusedRule,
        count: 1 + unused.count() as u64,
        message,
    });
}

/// Findings that are not gated since no frame of theirs is one's own.
pub(super) fn third_party(
    parsed: &Parsed,
    triage: &Triage,
    gate: &Gate,
    warnings: &mut Vec<Reason>,
) {
    if gate.policy.third_party != Level::Warn {
        return;
    }
    let gated = |item: &Item, at: usize| {
        gate.policy.gates(&parsed.findings[at].kind) && item.disposition == Disposition::NotGated
    };
    let found = (0..)
        .zip(&triage.items)
        .filter(|(at, item)| gated(item, *at))
        .count() as u64;
    if found > 0 {
        let message = format!(
            "{} without a frame of yours",
            count(found, "finding", "findings")
        );
        warnings.push(Reason {
            code: ReasonCode::ThirdParty,
            count: found,
            message,
        });
    }
}
