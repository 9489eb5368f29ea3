//! Where things are: in the repository, in a log, in the file of a rule.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::Run;
use crate::culprit::Class;
use crate::model::{Finding, Frame, Site};
use crate::triage::Item;
use crate::verdict::ReasonCode;

/// Where something is in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The path, with `/`, without a root where it is one of the repository.
    pub file: String,
    /// From 1.
    pub line: Option<u32>,
    /// From 1.
    pub column: Option<u32>,
}

impl core::fmt::Display for Spot {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.file)?;
        match (self.line, self.column) {
            (Some(line), Some(column)) => write!(f, ":{line}:{column}"),
            (Some(line), None) => write!(f, ":{line}"),
            _ => Ok(()),
        }
    }
}

/// `file:line:column`, or the module where there is no file.
pub(crate) fn place(site: &Site, run: &Run<'_>) -> String {
    let Some(mut out) = file(site, run) else {
        return site
            .module
            .as_deref()
            .map_or(String::new(), |m| format!("({m})"));
    };
    if let Some(line) = site.line {
        out += &format!(":{line}");
        if let Some(column) = site.column {
            out += &format!(":{column}");
        }
    }
    out
}

/// The file of a site: of the repository where it is one, else as it is printed.
pub(crate) fn file(site: &Site, run: &Run<'_>) -> Option<String> {
    let printed = site.file.as_deref()?;
    Some(
        run.workspace
            .resolve(printed)
            .unwrap_or_else(|| String::from(printed)),
    )
}

/// The frame to look at.
pub(crate) fn culprit<'a>(finding: &'a Finding, item: &Item) -> Option<&'a Frame> {
    finding.primary()?.frames.get(item.culprit.frame?)
}

/// Where a frame is in the repository; where nothing is known of a repository, as it is printed.
pub(crate) fn in_repository(site: &Site, run: &Run<'_>) -> Option<Spot> {
    let printed = site.file.as_deref()?;
    let file = match run.workspace.is_known() {
        true => run.workspace.resolve(printed)?,
        false => plain_path(printed)?,
    };
    Some(Spot {
        file,
        line: site.line.filter(|n| *n > 0),
        column: site.column.filter(|n| *n > 0),
    })
}

/// A path as it is printed, without `.`; none where it leaves the root.
fn plain_path(printed: &str) -> Option<String> {
    let path = printed.replace('\\', "/");
    let parts: Vec<&str> = path.split('/').filter(|part| *part != ".").collect();
    (!parts.contains(&"..") && parts.iter().any(|p| !p.is_empty())).then(|| parts.join("/"))
}

/// Where a finding is in the repository: at the frame to look at, else at the first frame that lies
/// there at all and is nobody's runtime.
pub(crate) fn spot(finding: &Finding, item: &Item, run: &Run<'_>) -> Option<Spot> {
    let frames = finding
        .stacks
        .iter()
        .zip(&item.classes)
        .flat_map(|(stack, classes)| stack.frames.iter().zip(classes));
    let others = frames
        .filter(|(_, class)| !matches!(class, Class::Allocator | Class::Runtime))
        .map(|(frame, _)| frame);
    culprit(finding, item)
        .into_iter()
        .chain(others)
        .find_map(|frame| in_repository(&frame.site, run))
}

/// Where the log tells of a finding, by a path that may stand in the repository.
pub(crate) fn log_spot(finding: &Finding, run: &Run<'_>) -> Spot {
    let first = finding.instances.first();
    log_line(
        first.map_or(0, |i| i.input),
        first.map_or(0, |i| i.first_line),
        run,
    )
}

/// A line of a log, by a path that may stand in the repository: services refuse others.
pub(crate) fn log_line(input: usize, line: u64, run: &Run<'_>) -> Spot {
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
    Spot {
        file: file.into(),
        line: u32::try_from(line).ok().filter(|n| *n > 0),
        column: None,
    }
}

/// Where a reason of the verdict that is no finding has its cause: a line of a log, or of the file
/// that holds a rule.
pub(crate) fn reason_spot(code: ReasonCode, run: &Run<'_>) -> Spot {
    let rules = || run.gate.rules.iter().zip(&run.triage.uses);
    let rule = match code {
        ReasonCode::ExpectationMissed => rules().find(|(_, used)| used.expectation_missed),
        ReasonCode::UnusedRule => rules().find(|(_, used)| used.state() == "unused"),
        _ => None,
    };
    if let Some((rule, _)) = rule {
        return Spot {
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
        return log_line(problem.input, problem.line, run);
    }
    if run.parsed.inputs.is_empty() {
        return Spot {
            file: "leakgate.toml".into(),
            line: Some(1),
            column: None,
        };
    }
    log_line(
        run.parsed.inputs.iter().position(|i| !i.spoke).unwrap_or(0),
        1,
        run,
    )
}
