//! GitLab Code Quality reports
//! (<https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>), which merge
//! requests show next to changed lines. The format cannot mark findings as accepted, so accepted
//! findings are left out.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::Serialize;

use super::issues::{Issue, Severity, issues};
use super::{Run, escape};

#[derive(Serialize)]
struct GitlabIssue {
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

impl From<Issue<'_>> for GitlabIssue {
    fn from(issue: Issue<'_>) -> Self {
        Self {
            description: issue.headline,
            check_name: issue.code,
            fingerprint: issue.id,
            severity: match issue.severity {
                Severity::Blocker => "blocker",
                Severity::Critical => "critical",
                Severity::Major => "major",
                Severity::Minor => "minor",
                Severity::Info => "info",
            },
            location: GitlabLocation {
                path: issue.location.file,
                lines: Lines {
                    begin: issue.location.line.unwrap_or(1),
                },
            },
        }
    }
}

/// Writes the report, ending with a line feed.
pub(crate) fn write(run: &Run<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    let issues: Vec<GitlabIssue> = issues(run).into_iter().map(Into::into).collect();
    escape::write_json(&issues, out)
}
