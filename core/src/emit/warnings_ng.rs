//! The native JSON format of Jenkins' Warnings plugin
//! (<https://github.com/jenkinsci/warnings-ng-plugin/blob/main/doc/Documentation.md#export-your-issues-into-a-supported-format>),
//! which shows issues in the source code and their trend.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::Serialize;

use super::issues::{Issue, Severity, issues};
use super::{Run, escape};

#[derive(Serialize)]
struct Report {
    issues: Vec<WarningsIssue>,
}

/// An issue, with the names of `edu.hm.hafner.analysis.Issue`
/// (<https://github.com/jenkinsci/analysis-model/blob/main/src/main/java/edu/hm/hafner/analysis/parser/JsonIssueParser.java>).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WarningsIssue {
    file_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    line_start: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column_start: Option<u32>,
    severity: &'static str,
    /// The checker.
    category: String,
    #[serde(rename = "type")]
    code: String,
    message: String,
    /// HTML.
    description: String,
    fingerprint: String,
}

/// Writes the report, ending with a line feed.
pub(crate) fn write(run: &Run<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    let issues = issues(run);
    let report = Report {
        issues: issues.iter().map(|issue| converted(issue, run)).collect(),
    };
    escape::write_json(&report, out)
}

fn converted(issue: &Issue<'_>, run: &Run<'_>) -> WarningsIssue {
    let tool = issue
        .group()
        .map(|group| group.first().finding.tool.as_str());
    WarningsIssue {
        file_name: issue.location.file.clone(),
        line_start: issue.location.line,
        column_start: issue.location.column,
        severity: match issue.severity {
            Severity::Blocker | Severity::Critical => "ERROR",
            Severity::Major => "HIGH",
            Severity::Minor => "NORMAL",
            Severity::Info => "LOW",
        },
        category: String::from(tool.unwrap_or("leakgate")),
        code: issue.code.clone(),
        message: escape::inline(&issue.headline).into_owned(),
        description: description(issue, run),
        fingerprint: issue.id.clone(),
    }
}

/// Returns the stacks and the advice as HTML.
fn description(issue: &Issue<'_>, run: &Run<'_>) -> String {
    let annotation = issue.annotation(run);
    let body = match annotation.details.is_empty() {
        true => annotation.message,
        false => annotation.details,
    };
    let lines: Vec<String> = body.lines().map(escape::xml).collect();
    let advice = issue.help().map_or(String::new(), |help| {
        let texts = [help.meaning, help.fix].map(escape::xml);
        format!("<p>{}</p>", texts.join("</p><p>"))
    });
    format!("{advice}<pre>{}</pre>", lines.join("\n"))
}
