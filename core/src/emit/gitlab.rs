//! GitLab's Code Quality report (<https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>): what a merge
//! request shows beside changed lines. It can't mark anything as accepted, so that what is accepted
//! is left out.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use hashbrown::HashSet;
use serde::Serialize;

use super::group::{Group, groups};
use super::places::{self, Spot};
use super::words;
use super::{Run, escape};
use crate::advice::{self, Risk};
use crate::triage::Disposition;

#[derive(Serialize)]
struct Issue {
    description: String,
    check_name: String,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
}

impl From<Spot> for Location {
    fn from(spot: Spot) -> Self {
        Self {
            path: spot.file,
            lines: Lines {
                begin: spot.line.unwrap_or(1),
            },
        }
    }
}

/// Writes the document and a line feed.
pub(crate) fn write(run: &Run<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    let mut taken = HashSet::new();
    let reasons = run
        .verdict
        .reasons
        .iter()
        .filter(|r| !r.code.is_about_findings())
        .map(|reason| self::reason(reason, run));
    let findings = groups(run, Disposition::Unexpected);
    let findings = findings.iter().map(|group| finding(group, run));
    let mut issues: Vec<Issue> = reasons.chain(findings).collect();
    for issue in &mut issues {
        // A leak can be definite in one process and possible in another; GitLab wants each
        // fingerprint once.
        if !taken.insert(issue.fingerprint.clone()) {
            issue.fingerprint = format!("{}-{}", issue.fingerprint, issue.check_name);
        }
    }
    let text = serde_json::to_string(&issues).map_err(|_| fmt::Error)?;
    writeln!(out, "{}", escape::json(text))
}

fn finding(group: &Group<'_>, run: &Run<'_>) -> Issue {
    let (finding, item) = group.first();
    let help = advice::of(&finding.kind);
    let severity = match help.risk {
        Risk::Security(_) => "critical",
        Risk::Error | Risk::Leak => "major",
        Risk::Possible => "minor",
        Risk::Untidy => "info",
    };
    Issue {
        description: words::sentence(group, run),
        check_name: finding.kind.to_string(),
        fingerprint: item.fingerprint.to_string(),
        severity,
        location: places::spot(finding, item, run)
            .unwrap_or_else(|| places::log_spot(finding, run))
            .into(),
    }
}

/// A reason that is no finding stands at the line of the log where its problem is, or at the log's
/// beginning.
fn reason(reason: &crate::Reason, run: &Run<'_>) -> Issue {
    Issue {
        description: reason.message.clone(),
        check_name: reason.code.to_string(),
        fingerprint: format!("leakgate-{}", reason.code),
        severity: "blocker",
        location: places::reason_spot(reason.code, run).into(),
    }
}
