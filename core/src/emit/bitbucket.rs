//! Bitbucket Code Insights: a report about a commit, and its annotations
//! (<https://developer.atlassian.com/cloud/bitbucket/rest/api-group-reports/>).
//!
//! The document has the body of each request: `report` for the one that creates the report, and
//! `annotations` with a list for each of those that add annotations.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::Serialize;

use super::issues::{Issue, Severity, issues};
use super::summary::shortened;
use super::{Run, escape};
use crate::advice::Risk;
use crate::numbers::grouped;
use crate::verdict::Outcome;

/// Maximum number of annotations in a request.
const MAX_IN_REQUEST: usize = 100;

/// Maximum number of annotations of a report.
const MAX_ANNOTATIONS: usize = 1000;

/// Maximum length of a summary, in characters.
const MAX_SUMMARY: usize = 450;

/// Maximum length of the details of a report or an annotation, in characters.
const MAX_DETAILS: usize = 2000;

#[derive(Serialize)]
struct Document {
    report: Report,
    annotations: Vec<Vec<BitbucketAnnotation>>,
}

#[derive(Serialize)]
struct Report {
    title: &'static str,
    details: String,
    report_type: &'static str,
    reporter: &'static str,
    result: &'static str,
    data: [Datum; 1],
}

#[derive(Serialize)]
struct Datum {
    title: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    value: usize,
}

#[derive(Serialize)]
struct BitbucketAnnotation {
    external_id: String,
    annotation_type: &'static str,
    severity: &'static str,
    result: &'static str,
    summary: String,
    details: String,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
}

/// Writes the document, ending with a line feed.
pub(crate) fn write(run: &Run<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    let issues = issues(run);
    let shown = &issues[..issues.len().min(MAX_ANNOTATIONS)];
    let requests = shown.chunks(MAX_IN_REQUEST);
    let annotation = |issue: &Issue<'_>| annotation(issue, run);
    let document = Document {
        report: report(&issues, run),
        annotations: requests
            .map(|issues| issues.iter().map(annotation).collect())
            .collect(),
    };
    escape::write_json(&document, out)
}

fn report(issues: &[Issue<'_>], run: &Run<'_>) -> Report {
    let left = issues.len().saturating_sub(MAX_ANNOTATIONS);
    let left = match left {
        0 => String::new(),
        left => format!(
            " {} of {} annotations are not shown, because Bitbucket limits them to {}.",
            grouped(left as u64),
            grouped(issues.len() as u64),
            grouped(MAX_ANNOTATIONS as u64)
        ),
    };
    let details = format!("{}.{left}", escape::inline(&run.verdict.evidence));
    Report {
        title: "leakgate",
        details: shortened(&details, MAX_DETAILS).into_owned(),
        report_type: "TEST",
        reporter: "leakgate",
        result: match run.verdict.outcome {
            Outcome::Pass => "PASSED",
            Outcome::Fail | Outcome::Error => "FAILED",
        },
        data: [Datum {
            title: "Unexpected findings",
            kind: "NUMBER",
            value: issues
                .iter()
                .filter(|issue| issue.group().is_some())
                .count(),
        }],
    }
}

fn annotation(issue: &Issue<'_>, run: &Run<'_>) -> BitbucketAnnotation {
    let risk = issue.help().map(|help| help.risk);
    let message = issue.annotation(run).message;
    BitbucketAnnotation {
        external_id: match issue.group() {
            Some(_) => format!("leakgate-{}", issue.id),
            None => issue.id.clone(),
        },
        annotation_type: match risk {
            Some(Risk::Security(_)) => "VULNERABILITY",
            _ => "BUG",
        },
        severity: match issue.severity {
            Severity::Blocker | Severity::Critical => "CRITICAL",
            Severity::Major => "HIGH",
            Severity::Minor => "MEDIUM",
            Severity::Info => "LOW",
        },
        result: "FAILED",
        summary: shortened(&escape::inline(&issue.headline), MAX_SUMMARY).into_owned(),
        details: shortened(&message, MAX_DETAILS).into_owned(),
        path: issue.location.file.clone(),
        line: issue.location.line,
    }
}
