//! Claims of a JSON report that its own data must bear out. leakgate writes no report without them;
//! a report that was edited or cut may lack them.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::PriorFinding;
use crate::culprit::FrameCache;
use crate::fingerprint::{self, Fingerprint, PREFIX};
use crate::model::{Finding, Report};
use crate::parse::Parsed;
use crate::problem::{Code, Problem};
use crate::reason::{Reason, ReasonCode};
use crate::triage::Disposition;
use crate::verdict::{Outcome, Verdict};

/// Returns the fingerprint of a finding.
///
/// # Errors
/// Returns a message if it isn't the one that the report states.
pub(super) fn verified_fingerprint(
    stated: &str,
    finding: &Finding,
    names: &mut FrameCache,
) -> Result<Fingerprint, String> {
    if !stated.starts_with(PREFIX) {
        return Err(format!(
            "{stated}: another version of leakgate computed this fingerprint"
        ));
    }
    let fingerprint = fingerprint::fingerprint(finding, names);
    if fingerprint.as_str() == stated {
        Ok(fingerprint)
    } else {
        Err(format!(
            "{stated}: the fingerprint doesn't fit the kind or the stack"
        ))
    }
}

/// Returns a message as the error if the severity doesn't fit the disposition.
pub(super) fn check_severity(severity: &str, prior: &PriorFinding) -> Result<(), String> {
    let is_unexpected = prior.disposition() == Disposition::Unexpected;
    if severity.is_empty() || (severity == "error") == is_unexpected {
        return Ok(());
    }
    Err(format!(
        "{}: the severity doesn't fit the disposition",
        prior.fingerprint
    ))
}

/// Returns a problem for each statement that the problems of the report should explain, but don't.
pub(super) fn unexplained(parsed: &Parsed) -> Vec<Problem> {
    let is_explained = |input: usize| parsed.problems.iter().any(|p| p.input == input);
    let mut problems: Vec<Problem> = Vec::new();
    for report in parsed.reports.iter().filter(|r| !is_explained(r.input)) {
        let tool = report.tool.as_str();
        let claims = [
            (
                !report.complete,
                Code::Truncated,
                format!("the JSON report of {tool} is incomplete, without a reason"),
            ),
            (
                report.capped,
                Code::UnseenFindings,
                format!("{tool} stopped at one of its limits"),
            ),
            (
                counts_errors_without_records(report, parsed),
                Code::Unreconciled,
                format!("{tool} counted errors, but the JSON report has none"),
            ),
        ];
        let unexplained = claims.into_iter().filter(|(is_claimed, ..)| *is_claimed);
        problems.extend(unexplained.map(|(_, code, message)| Problem {
            code,
            input: report.input,
            line: report.last_line,
            pid: report.pid,
            message,
        }));
    }
    problems
}

/// Returns true if valgrind counted errors, but no process has any. A child also counts the errors
/// of its parent.
fn counts_errors_without_records(report: &Report, parsed: &Parsed) -> bool {
    report.tool.is_valgrind()
        && report.totals.errors.is_some_and(|errors| errors > 0)
        && !parsed.findings.iter().any(|f| f.tool == report.tool)
}

/// Clears the inputs that claim checker output without any report or problem.
pub(super) fn clear_unproven_output(parsed: &mut Parsed) {
    let mut proven = alloc::vec![false; parsed.inputs.len()];
    let reports = parsed.reports.iter().map(|report| report.input);
    for input in reports.chain(parsed.problems.iter().map(|problem| problem.input)) {
        if let Some(proven) = proven.get_mut(input) {
            *proven = true;
        }
    }
    for (input, proven) in parsed.inputs.iter_mut().zip(proven) {
        input.has_output &= proven;
    }
}

/// Returns the reasons of a failed run that its findings and problems don't show. They stay,
/// because nothing in the merged data could lead to them again.
pub(super) fn lasting_reasons(
    verdict: &Verdict,
    parsed: &Parsed,
    findings: &[PriorFinding],
) -> Vec<Reason> {
    let has_unexpected = findings
        .iter()
        .any(|finding| finding.disposition() == Disposition::Unexpected);
    let is_derivable = |reason: &Reason| match reason.code {
        code if code.is_about_findings() => has_unexpected,
        code => parsed
            .problems
            .iter()
            .any(|p| p.code.reason() == Some(code)),
    };
    let is_lasting = |reason: &&Reason| !is_derivable(reason);
    let mut reasons: Vec<Reason> = verdict.reasons.iter().filter(is_lasting).cloned().collect();
    if verdict.outcome == Outcome::Fail && verdict.reasons.is_empty() {
        reasons.push(Reason {
            code: ReasonCode::CommandFailed,
            count: 1,
            message: String::from("the run failed, but its report gives no reason"),
        });
    }
    reasons
}
