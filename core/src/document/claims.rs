//! Claims of a JSON report that its own data must bear out. leakgate writes no report without them;
//! a report that was edited or cut may lack them.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::PriorFinding;
use crate::culprit::FrameCache;
use crate::fingerprint::{self, PREFIX};
use crate::model::Report;
use crate::parse::Parsed;
use crate::problem::{Code, Problem};
use crate::reason::{Reason, ReasonCode};
use crate::triage::Disposition;
use crate::verdict::{Outcome, Verdict};

/// Returns a message if a finding's fingerprint or severity doesn't fit its content.
pub(super) fn misidentified(
    parsed: &Parsed,
    prior: &[PriorFinding],
    severities: &[String],
    names: &mut FrameCache,
) -> Option<String> {
    let findings = parsed.findings.iter().zip(prior).zip(severities);
    for ((finding, prior), severity) in findings {
        let stated = &prior.fingerprint;
        if !stated.starts_with(PREFIX) {
            return Some(format!(
                "{stated}: another version of leakgate computed this fingerprint"
            ));
        }
        if fingerprint::fingerprint(finding, names).as_str() != stated {
            return Some(format!(
                "{stated}: the fingerprint doesn't fit the kind or the stack"
            ));
        }
        let is_unexpected = prior.disposition() == Disposition::Unexpected;
        if !severity.is_empty() && (severity == "error") != is_unexpected {
            return Some(format!(
                "{stated}: the severity doesn't fit the disposition"
            ));
        }
    }
    None
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
