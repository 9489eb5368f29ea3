//! Reasons that come from checkers: findings that they suppressed, and missing reports.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use super::VerifiedChecker;
use crate::model::{Report, Tool};
use crate::numbers::{amount, count};
use crate::parse::Parsed;
use crate::policy::{Level, Policy};
use crate::reason::{Reason, ReasonCode};

/// Appends a reason or a warning for findings that the checkers' own suppressions hid.
pub(super) fn suppressed(
    parsed: &Parsed,
    policy: &Policy,
    reasons: &mut Vec<Reason>,
    warnings: &mut Vec<Reason>,
) {
    let is_hiding = |r: &&Report| {
        r.suppressed().blocks > 0 || r.totals.suppressed_errors.is_some_and(|n| n > 0)
    };
    let reports: Vec<&Report> = parsed
        .reports
        .iter()
        .map(Box::as_ref)
        .filter(is_hiding)
        .collect();
    let Some(first) = reports
        .first()
        .filter(|_| policy.tool_suppressed != Level::Allow)
    else {
        return;
    };
    let leaks = first.suppressed();
    let what = match first.totals.suppressed_errors {
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

/// Appends the reason for required reports that are missing.
pub(super) fn missing(
    parsed: &Parsed,
    verified: &[VerifiedChecker],
    policy: &Policy,
    reasons: &mut Vec<Reason>,
) {
    let is_present = |tool: &Tool| {
        // The report of another sanitizer may contain LeakSanitizer's summary.
        let is_report =
            |r: &&Report| r.tool == *tool || (*tool == Tool::Lsan && r.totals.leaked.is_some());
        parsed
            .reports
            .iter()
            .map(Box::as_ref)
            .filter(is_report)
            .any(|r| r.complete)
            || verified.iter().any(|v| v.tool == *tool)
    };
    let missing: Vec<&str> = policy
        .require
        .iter()
        .filter(|t| !is_present(t))
        .map(Tool::as_str)
        .collect();
    if !missing.is_empty() {
        let message = format!(
            "no complete report from {}, which `require` lists",
            missing.join(" or ")
        );
        reasons.push(Reason {
            code: ReasonCode::MissingReport,
            count: missing.len() as u64,
            message,
        });
    }
}
