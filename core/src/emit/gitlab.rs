//! GitLab Code Quality reports
//! (<https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>), which merge
//! requests show next to changed lines. The format cannot mark findings as accepted, so accepted
//! findings are left out.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use hashbrown::HashSet;
use serde::Serialize;

use super::group::{Group, groups};
use super::location::{self, Location};
use super::summary;
use super::{FindingInRun, Run, escape};
use crate::advice::{self, Risk};
use crate::reason::Reason;
use crate::triage::Disposition;

#[derive(Serialize)]
struct Issue {
    description: String,
    check_name: String,
    fingerprint: String,
    severity: &'static str,
    location: GitlabLocation,
}

#[derive(Serialize)]
struct GitlabLocation {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
}

impl From<Location> for GitlabLocation {
    fn from(location: Location) -> Self {
        Self {
            path: location.file,
            lines: Lines {
                begin: location.line.unwrap_or(1),
            },
        }
    }
}

/// Writes the report, ending with a line feed.
pub(crate) fn write(run: &Run<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    let reasons = run
        .verdict
        .reasons
        .iter()
        .filter(|r| !r.code.is_about_findings())
        .map(|reason| self::reason(reason, run));
    let findings = groups(run, Disposition::Unexpected);
    let findings = findings.iter().map(|group| finding(group, run));
    let mut issues: Vec<Issue> = reasons.chain(findings).collect();
    let mut used = HashSet::new();
    for issue in &mut issues {
        // GitLab requires unique fingerprints, but a leak may be definite in one process and
        // possible in another.
        if !used.insert(issue.fingerprint.clone()) {
            issue.fingerprint = format!("{}-{}", issue.fingerprint, issue.check_name);
        }
    }
    let text = serde_json::to_string(&issues).map_err(|_| fmt::Error)?;
    writeln!(out, "{}", escape::json(text))
}

/// Returns the issue for a group of findings.
fn finding(group: &Group<'_>, run: &Run<'_>) -> Issue {
    let FindingInRun {
        finding, triaged, ..
    } = group.first();
    let help = advice::for_kind(&finding.kind);
    let severity = match help.risk {
        Risk::Security(_) => "critical",
        Risk::Error | Risk::Leak => "major",
        Risk::Possible => "minor",
        Risk::Untidy => "info",
    };
    Issue {
        description: summary::headline(group, run),
        check_name: finding.kind.to_string(),
        fingerprint: triaged.fingerprint.to_string(),
        severity,
        location: location::finding_location(finding, triaged, run)
            .unwrap_or_else(|| location::log_location(finding, run))
            .into(),
    }
}

/// Returns the issue for a reason that isn't about findings, at the line of its problem or at the
/// start of the log.
fn reason(reason: &Reason, run: &Run<'_>) -> Issue {
    Issue {
        description: reason.message.clone(),
        check_name: reason.code.to_string(),
        fingerprint: format!("leakgate-{}", reason.code),
        severity: "blocker",
        location: location::reason_location(reason.code, run).into(),
    }
}
