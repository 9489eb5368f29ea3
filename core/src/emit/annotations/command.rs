//! Workflow commands of GitHub Actions, `::error file=…::…`, which its runner turns into
//! annotations (<https://docs.github.com/actions/reference/workflow-commands-for-github-actions>).
//!
//! A step shows at most ten annotations of a level, so that the most important come first, and the
//! tenth tells of those left out.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::{Annotation, annotations};
use crate::emit::Run;
use crate::emit::escape::{command_data, command_property, terminal};
use crate::emit::words::shortened;
use crate::numbers::grouped;
use crate::verdict::Outcome;

/// What a step shows of each level.
const MAX_SHOWN: usize = 10;

/// The runner cuts a message at 4,096 UTF-16 code units; a character is at most two of them.
const MAX_MESSAGE: usize = 2000;

/// Writes a command for each annotation, and a line with the verdict.
pub(in crate::emit) fn write(run: &Run<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    let (errors, warnings): (Vec<_>, Vec<_>) =
        annotations(run).into_iter().partition(|a| a.is_error);
    level(out, "error", &errors)?;
    level(out, "warning", &warnings)?;
    let evidence = terminal(&run.verdict.evidence);
    match run.verdict.outcome {
        Outcome::Pass => writeln!(out, "leakgate: pass: {evidence}"),
        Outcome::Fail => writeln!(out, "leakgate: fail: seen: {evidence}"),
        Outcome::Error => writeln!(
            out,
            "leakgate: error: not everything could be read; seen: {evidence}"
        ),
    }
}

fn level(out: &mut dyn fmt::Write, name: &str, all: &[Annotation]) -> fmt::Result {
    let shown = if all.len() > MAX_SHOWN {
        MAX_SHOWN - 1
    } else {
        all.len()
    };
    all.iter()
        .take(shown)
        .try_for_each(|annotation| one(out, name, annotation))?;
    let left = all.len() - shown;
    if left == 0 {
        return Ok(());
    }
    let message = format!(
        "{} of the {} {name}s of leakgate are not shown here, for GitHub shows {MAX_SHOWN} annotations of a step. The job's summary and the other documents of leakgate have all of them.",
        grouped(left as u64),
        grouped(all.len() as u64),
    );
    out.write_str(&command(
        name,
        &format!("{} more", grouped(left as u64)),
        &message,
    ))
}

/// A command of GitHub's runner for an annotation without a place, with its line feed: `error`,
/// `warning` or `notice`, its title and its message of one or several lines.
pub fn command(name: &str, title: &str, message: &str) -> String {
    let lines: Vec<_> = message.lines().map(terminal).collect();
    let message = shortened(&lines.join("\n"), MAX_MESSAGE).into_owned();
    format!(
        "::{name} title={}::{}\n",
        command_property(title),
        command_data(&message)
    )
}

fn one(out: &mut dyn fmt::Write, name: &str, annotation: &Annotation) -> fmt::Result {
    let mut properties = Vec::new();
    if let Some(spot) = &annotation.spot {
        properties.push(format!("file={}", command_property(&spot.file)));
        properties.push(format!("line={}", spot.line.unwrap_or(1)));
        properties.extend(
            spot.column
                .filter(|_| spot.line.is_some())
                .map(|column| format!("col={column}")),
        );
    }
    properties.push(format!("title={}", command_property(&annotation.title)));
    writeln!(
        out,
        "::{name} {}::{}",
        properties.join(","),
        command_data(&shortened(&annotation.message, MAX_MESSAGE))
    )
}
