//! Logging commands of Azure Pipelines, which its agent turns into issues of the step
//! (<https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands>).
//!
//! The agent keeps ten issues of each type per step, so the most important come first.

use alloc::format;
use alloc::string::String;
use core::fmt;

use super::Run;
use super::annotations::{Annotation, annotations, first_of_each_level, verdict_line};
use super::escape::{vso_data, vso_property};
use super::summary::shortened;

/// Maximum number of issues of a type that the agent keeps.
const MAX_SHOWN: usize = 10;

/// Why other issues are not shown.
const CAUSE: &str = "Azure Pipelines limits issues to 10 per step";

/// Maximum length of a message, in characters. The agent truncates messages after 4,096 UTF-16 code
/// units, and a character takes at most two of them.
const MAX_MESSAGE: usize = 2000;

/// Writes a command for each annotation, then a line with the verdict.
pub(crate) fn write(run: &Run<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    let annotations = annotations(run);
    for level in first_of_each_level(&annotations, MAX_SHOWN, CAUSE) {
        for annotation in level.shown {
            out.write_str(&command(level.name, Some(annotation), &annotation.message))?;
        }
        if let Some((_, message)) = level.more {
            out.write_str(&command(level.name, None, &message))?;
        }
    }
    verdict_line(run, out)
}

/// Returns a command with a line feed at the end.
fn command(level: &str, annotation: Option<&Annotation>, message: &str) -> String {
    let mut properties = format!("type={level};");
    if let Some(location) = annotation.and_then(|annotation| annotation.location.as_ref()) {
        properties += &format!("sourcepath={};", vso_property(&location.file));
        properties += &format!("linenumber={};", location.line.unwrap_or(1));
        if let Some(column) = location.column.filter(|_| location.line.is_some()) {
            properties += &format!("columnnumber={column};");
        }
    }
    if let Some(annotation) = annotation {
        properties += &format!("code={};", vso_property(&annotation.code));
    }
    let message = shortened(message, MAX_MESSAGE);
    format!("##vso[task.logissue {properties}]{}\n", vso_data(&message))
}
