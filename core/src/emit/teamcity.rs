//! Service messages of TeamCity (<https://www.jetbrains.com/help/teamcity/service-messages.html>):
//! inspections for findings, and build problems for other reasons.

use alloc::format;
use alloc::string::String;
use core::fmt;

use hashbrown::HashSet;

use super::Run;
use super::annotations::verdict_line;
use super::escape::{inline, teamcity};
use super::issues::{Issue, issues};
use super::summary::shortened;
use crate::numbers::count;

/// Maximum length of a description or a message, in characters.
const MAX_TEXT: usize = 4000;

/// Maximum length of a name, in characters.
const MAX_NAME: usize = 255;

/// Maximum length of the identity of a build problem, in characters.
const MAX_IDENTITY: usize = 60;

/// Writes the messages, then a line with the verdict.
pub(crate) fn write(run: &Run<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    let issues = issues(run);
    let mut types = HashSet::new();
    let mut findings = 0;
    for issue in &issues {
        match issue.group() {
            Some(_) => {
                findings += 1;
                if types.insert(&issue.code) {
                    out.write_str(&inspection_type(issue))?;
                }
                out.write_str(&inspection(issue, run))?;
            }
            None => out.write_str(&problem(&issue.headline, &issue.id))?,
        }
    }
    if findings > 0 {
        let text = count(findings, "unexpected finding", "unexpected findings");
        out.write_str(&problem(&text, "leakgate-unexpected-findings"))?;
    }
    verdict_line(run, out)
}

/// Returns a service message with a line feed at the end.
fn message(name: &str, attributes: &[(&str, &str, usize)]) -> String {
    let attribute = |(key, value, max): &(&str, &str, usize)| {
        format!(" {key}='{}'", teamcity(&shortened(value, *max)))
    };
    let attributes: String = attributes.iter().map(attribute).collect();
    format!("##teamcity[{name}{attributes}]\n")
}

/// Returns the message that describes the kind of a finding.
fn inspection_type(issue: &Issue<'_>) -> String {
    let (title, meaning) = issue
        .help()
        .map_or(("", ""), |help| (help.title, help.meaning));
    let attributes = [
        ("id", &*issue.code, MAX_NAME),
        ("name", title, MAX_NAME),
        ("category", "leakgate", MAX_NAME),
        ("description", meaning, MAX_TEXT),
    ];
    message("inspectionType", &attributes)
}

fn inspection(issue: &Issue<'_>, run: &Run<'_>) -> String {
    let line = format!("{}", issue.location.line.unwrap_or(1));
    let attributes = [
        ("typeId", &*issue.code, MAX_NAME),
        ("message", &issue.annotation(run).message, MAX_TEXT),
        ("file", &issue.location.file, MAX_TEXT),
        ("line", &line, MAX_NAME),
        ("SEVERITY", "ERROR", MAX_NAME),
    ];
    message("inspection", &attributes)
}

/// Returns the message for a build problem, which TeamCity shows as the reason of the failure.
fn problem(text: &str, identity: &str) -> String {
    let attributes = [
        ("description", &*inline(text), MAX_TEXT),
        ("identity", identity, MAX_IDENTITY),
    ];
    message("buildProblem", &attributes)
}
