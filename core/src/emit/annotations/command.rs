//! Workflow commands of GitHub Actions, `::error file=…::…`, which its runner turns into
//! annotations (<https://docs.github.com/actions/reference/workflow-commands-for-github-actions>).
//!
//! GitHub shows at most ten annotations of each level per step. The most important come first, and
//! if there are more than ten, the tenth states how many are not shown.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::{Annotation, annotations};
use crate::emit::Run;
use crate::emit::escape::{command_data, command_property, terminal};
use crate::emit::summary::shortened;
use crate::numbers::grouped;
use crate::verdict::Outcome;

/// Maximum number of annotations of a level that GitHub shows per step.
const MAX_SHOWN: usize = 10;

/// Maximum length of a message, in characters. The runner truncates messages after 4,096 UTF-16
/// code units, and a character takes at most two of them.
const MAX_MESSAGE: usize = 2000;

/// Writes a command for each annotation, then a line with the verdict.
pub(in crate::emit) fn write(run: &Run<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    out.write_str(&annotation_commands(&annotations(run)))?;
    verdict_line(run, out)
}

/// Writes a line with the verdict and its evidence.
pub fn verdict_line(run: &Run<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    let evidence = terminal(&run.verdict.evidence);
    match run.verdict.outcome {
        Outcome::Pass => writeln!(out, "leakgate: pass: {evidence}"),
        Outcome::Fail => writeln!(out, "leakgate: fail ({evidence})"),
        Outcome::Error => writeln!(
            out,
            "leakgate: error: an input could not be read ({evidence})"
        ),
    }
}

/// Returns a workflow command for each annotation, as far as GitHub shows them, each with a line
/// feed at the end.
pub fn annotation_commands(annotations: &[Annotation]) -> String {
    let mut out = String::new();
    for level in first_of_each_level(
        annotations,
        MAX_SHOWN,
        "GitHub limits annotations to 10 per step",
    ) {
        for annotation in level.shown {
            out += &annotation_command(level.name, annotation);
        }
        if let Some((left, message)) = level.more {
            out += &command(level.name, &format!("{} more", grouped(left)), &message);
        }
    }
    out
}

/// The annotations of a level that a service shows.
pub(in crate::emit) struct Level<'a> {
    /// `error` or `warning`.
    pub(in crate::emit) name: &'static str,
    pub(in crate::emit) shown: Vec<&'a Annotation>,
    /// The number of the others, and a message about them. `None` if there are no others.
    pub(in crate::emit) more: Option<(u64, String)>,
}

/// Returns the errors, and then the warnings. If there are more than `max` of a level, the message
/// about the others takes the place of the last one, and contains `cause`.
pub(in crate::emit) fn first_of_each_level<'a>(
    annotations: &'a [Annotation],
    max: usize,
    cause: &str,
) -> [Level<'a>; 2] {
    let (errors, warnings): (Vec<_>, Vec<_>) = annotations.iter().partition(|a| a.is_error);
    [("error", errors), ("warning", warnings)].map(|(name, mut shown)| {
        let all = shown.len();
        if all <= max {
            return Level {
                name,
                shown,
                more: None,
            };
        }
        shown.truncate(max - 1);
        let left = (all - shown.len()) as u64;
        let message = format!(
            "{} of {} leakgate {name}s are not shown, because {cause}. See the job summary or \
             another report format for all of them.",
            grouped(left),
            grouped(all as u64),
        );
        Level {
            name,
            shown,
            more: Some((left, message)),
        }
    })
}

/// Returns a workflow command that creates an annotation without a place, with a line feed at the
/// end.
///
/// `name` is `error`, `warning` or `notice`; `message` may have several lines.
pub fn command(name: &str, title: &str, message: &str) -> String {
    let lines: Vec<_> = message.lines().map(terminal).collect();
    let message = shortened(&lines.join("\n"), MAX_MESSAGE).into_owned();
    format!(
        "::{name} title={}::{}\n",
        command_property(title),
        command_data(&message)
    )
}

/// Returns the command for an annotation.
fn annotation_command(name: &str, annotation: &Annotation) -> String {
    let mut properties = Vec::new();
    if let Some(location) = &annotation.location {
        properties.push(format!("file={}", command_property(&location.file)));
        properties.push(format!("line={}", location.line.unwrap_or(1)));
        properties.extend(
            location
                .column
                .filter(|_| location.line.is_some())
                .map(|column| format!("col={column}")),
        );
    }
    properties.push(format!("title={}", command_property(&annotation.title)));
    format!(
        "::{name} {}::{}\n",
        properties.join(","),
        command_data(&shortened(&annotation.message, MAX_MESSAGE))
    )
}
