//! Reviewdog's diagnostic format
//! (<https://github.com/reviewdog/reviewdog/blob/master/proto/rdf/reviewdog.proto>), from which
//! reviewdog writes comments in the review tools of many services.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::Serialize;

use super::issues::{Issue, issues};
use super::location::Location;
use super::{Run, escape};
use crate::advice::Help;

#[derive(Serialize)]
struct DiagnosticResult {
    source: Source,
    severity: &'static str,
    diagnostics: Vec<Diagnostic>,
}

#[derive(Serialize)]
struct Source {
    name: &'static str,
    url: &'static str,
}

#[derive(Serialize)]
struct Diagnostic {
    message: String,
    location: RdLocation,
    severity: &'static str,
    code: Code,
    original_output: String,
}

#[derive(Serialize)]
struct RdLocation {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<Range>,
}

#[derive(Serialize)]
struct Range {
    start: Position,
}

#[derive(Serialize)]
struct Position {
    line: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u32>,
}

#[derive(Serialize)]
struct Code {
    value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

/// All issues fail the gate.
const SEVERITY: &str = "ERROR";

/// Writes the report, ending with a line feed.
pub(crate) fn write(run: &Run<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    let issues = issues(run);
    let result = DiagnosticResult {
        source: Source {
            name: "leakgate",
            url: env!("CARGO_PKG_REPOSITORY"),
        },
        severity: SEVERITY,
        diagnostics: issues.iter().map(|issue| diagnostic(issue, run)).collect(),
    };
    escape::write_json(&result, out)
}

fn diagnostic(issue: &Issue<'_>, run: &Run<'_>) -> Diagnostic {
    let annotation = issue.annotation(run);
    Diagnostic {
        message: annotation.message,
        location: place(&issue.location),
        severity: SEVERITY,
        code: Code {
            value: issue.code.clone(),
            url: issue.help().and_then(Help::cwe_url),
        },
        original_output: annotation.details,
    }
}

fn place(location: &Location) -> RdLocation {
    let start = location.line.map(|line| Position {
        line,
        column: location.column,
    });
    RdLocation {
        path: location.file.clone(),
        range: start.map(|start| Range { start }),
    }
}
