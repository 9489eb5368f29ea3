//! Reasons that the checkers give: what they hid themselves, and reports that are not there.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Level, Policy, Reason, ReasonCode, Vouched};
use crate::model::{Report, Tool};
use crate::numbers::{amount, count};
use crate::parse::Parsed;

/// What the checkers' own suppressions hid.
pub(super) fn suppressed(
    parsed: &Parsed,
    policy: &Policy,
    reasons: &mut Vec<Reason>,
    warnings: &mut Vec<Reason>,
) {
    let hidden = |r: &&Report| {
        r.suppressed().blocks > 0 || r.stated.suppressed_errors.is_some_and(|n| n > 0)
    };
    let reports: Vec<&Report> = parsed.reports.iter().filter(hidden).collect();
    let Some(first) = reports
        .first()
        .filter(|_| policy.tool_suppressed != Level::Allow)
    else {
        return;
    };
    let leaks = first.suppressed();
    let what = match first.stated.suppressed_errors {
        Some(errors) if leaks.blocks == 0 => count(errors, "error", "errors"),
        _ => amount(leaks.bytes, leaks.blocks),
    };
    let message = format!("{}'s own suppressions hid {what}", first.tool);
    let reason = Reason {
        code: ReasonCode::ToolSuppressed,
        count: reports.len() as u64,
        message,
    };
    if policy.tool_suppressed == Level::Fail {
        reasons.push(reason)
    } else {
        warnings.push(reason)
    }
}

/// Reports that must be there.
pub(super) fn missing(
    parsed: &Parsed,
    vouched: &[Vouched],
    policy: &Policy,
    reasons: &mut Vec<Reason>,
) {
    let is_there = |tool: &Tool| {
        // LeakSanitizer's sum may stand in the report of another sanitizer.
        let own =
            |r: &&Report| r.tool == *tool || (*tool == Tool::Lsan && r.stated.leaked.is_some());
        parsed.reports.iter().filter(own).any(|r| r.complete)
            || vouched.iter().any(|v| v.tool == *tool)
    };
    let missing: Vec<&str> = policy
        .require
        .iter()
        .filter(|t| !is_there(t))
        .map(Tool::as_str)
        .collect();
    if !missing.is_empty() {
        let (word, names) = (
            if missing.len() == 1 {
                "report"
            } else {
                "reports"
            },
            missing.join(" and of "),
        );
        let message = format!("no complete {word} of {names}, which the configuration requires");
        reasons.push(Reason {
            code: ReasonCode::MissingReport,
            count: missing.len() as u64,
            message: String::from(&*message),
        });
    }
}
