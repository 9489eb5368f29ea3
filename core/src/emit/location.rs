//! Locations of findings and problems: in the repository, in a log, or in a file of rules.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use super::Run;
use crate::culprit::Class;
use crate::model::{Finding, Frame, FrameInfo};
use crate::numbers::push_decimal;
use crate::reason::ReasonCode;
use crate::triage::TriagedFinding;

/// A position in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The path, with `/` as separator. Relative if the file is in the repository.
    pub file: String,
    /// The line, counted from 1.
    pub line: Option<u32>,
    /// The column, counted from 1.
    pub column: Option<u32>,
}

impl core::fmt::Display for Location {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.file)?;
        match (self.line, self.column) {
            (Some(line), Some(column)) => write!(f, ":{line}:{column}"),
            (Some(line), None) => write!(f, ":{line}"),
            _ => Ok(()),
        }
    }
}

/// Formats the source location of a frame as `file:line:column`, or the module if the file is
/// unknown.
pub(crate) fn display_location(info: &FrameInfo, run: &Run<'_>) -> String {
    let Some(file) = display_file(info, run) else {
        let module = info.module.as_deref();
        return module.map_or(String::new(), |m| ["(", m, ")"].concat());
    };
    /// The length of a line and a column, with their colons.
    const NUMBERS: usize = 12;
    let mut out = String::with_capacity(file.len() + NUMBERS);
    out.push_str(&file);
    if let Some(line) = info.line {
        push_number(line, &mut out);
        if let Some(column) = info.column {
            push_number(column, &mut out);
        }
    }
    out
}

/// Appends a colon and a number.
fn push_number(number: u32, out: &mut String) {
    out.push(':');
    push_decimal(number.into(), out);
}

/// Returns the source file of a frame: its path in the repository if it's there, otherwise as
/// printed by the checker.
pub(crate) fn display_file<'a>(info: &'a FrameInfo, run: &Run<'_>) -> Option<Cow<'a, str>> {
    let printed = info.file.as_deref()?;
    let resolved = run.workspace.resolve(printed).map(Cow::Owned);
    Some(resolved.unwrap_or(Cow::Borrowed(printed)))
}

/// Returns the frame that most likely causes a finding.
pub(crate) fn culprit_frame<'a>(
    finding: &'a Finding,
    triaged: &TriagedFinding,
) -> Option<&'a Frame> {
    finding.primary()?.frames.get(triaged.culprit.frame?)
}

/// Returns the location of a frame in the repository, or as printed if the repository is unknown.
/// `None` if the frame isn't in the repository or has no file.
pub(crate) fn repository_location(info: &FrameInfo, run: &Run<'_>) -> Option<Location> {
    let printed = info.file.as_deref()?;
    let file = match run.workspace.is_known() {
        true => run.workspace.resolve(printed)?,
        false => plain_path(printed)?,
    };
    Some(Location {
        file,
        line: info.line.filter(|n| *n > 0),
        column: info.column.filter(|n| *n > 0),
    })
}

/// Removes `.` components from a printed path. Returns `None` if it has `..` components.
fn plain_path(printed: &str) -> Option<String> {
    let path = printed.replace('\\', "/");
    let parts: Vec<&str> = path.split('/').filter(|part| *part != ".").collect();
    (!parts.contains(&"..") && parts.iter().any(|p| !p.is_empty())).then(|| parts.join("/"))
}

/// Returns the location of a finding in the repository: the culprit frame, otherwise the first
/// frame there that doesn't belong to an allocator or a runtime.
pub(crate) fn finding_location(
    finding: &Finding,
    triaged: &TriagedFinding,
    run: &Run<'_>,
) -> Option<Location> {
    let frames = finding
        .stacks
        .iter()
        .zip(&triaged.classes)
        .flat_map(|(stack, classes)| stack.frames.iter().zip(classes));
    let others = frames
        .filter(|(_, class)| !matches!(class, Class::Allocator | Class::Runtime))
        .map(|(frame, _)| frame);
    culprit_frame(finding, triaged)
        .into_iter()
        .chain(others)
        .find_map(|frame| repository_location(&frame.info, run))
}

/// Returns the first location of a finding in the logs. See [`log_line_location`].
pub(crate) fn log_location(finding: &Finding, run: &Run<'_>) -> Location {
    let first = finding.instances.first();
    log_line_location(
        first.map_or(0, |i| i.input),
        first.map_or(0, |i| i.first_line),
        run,
    )
}

/// Returns the location of a log line. Paths that could not be in the repository are reduced to the
/// file name, because services reject them.
pub(crate) fn log_line_location(input: usize, line: u64, run: &Run<'_>) -> Location {
    let name = run
        .parsed
        .inputs
        .get(input)
        .map_or("", |i| i.name.as_str())
        .replace('\\', "/");
    let name = name.trim_start_matches("./");
    let foreign = name.starts_with('/')
        || name
            .split('/')
            .any(|part| part == ".." || part.ends_with(':'));
    let file = if foreign {
        name.rsplit('/').next().unwrap_or_default()
    } else {
        name
    };
    let file = if file.is_empty() || file == "-" {
        "stdin"
    } else {
        file
    };
    Location {
        file: file.into(),
        line: u32::try_from(line).ok().filter(|n| *n > 0),
        column: None,
    }
}

/// Returns the location of the cause of a reason that isn't about findings: a line of a log, or of
/// a file of rules.
pub(crate) fn reason_location(code: ReasonCode, run: &Run<'_>) -> Location {
    let rule = match code {
        ReasonCode::ExpectationMissed => run.rules().find(|(_, used)| used.expectation_missed),
        ReasonCode::UnusedRule => run.rules().find(|(_, used)| used.state() == "unused"),
        _ => None,
    };
    if let Some((rule, _)) = rule {
        return Location {
            file: rule.origin.file.clone(),
            line: Some(rule.origin.line.max(1)),
            column: None,
        };
    }
    if let Some(problem) = run
        .parsed
        .problems
        .iter()
        .find(|p| p.code.reason() == Some(code))
    {
        return log_line_location(problem.input, problem.line, run);
    }
    if run.parsed.inputs.is_empty() {
        return Location {
            file: "leakgate.toml".into(),
            line: Some(1),
            column: None,
        };
    }
    log_line_location(
        run.parsed
            .inputs
            .iter()
            .position(|i| !i.has_output)
            .unwrap_or(0),
        1,
        run,
    )
}
