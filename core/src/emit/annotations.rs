//! Annotations: messages that a service shows at a line of a file, usually in a pull request.
//!
//! [`annotations`] returns them as a list, for services with an API. As a report format, they are
//! written as workflow commands of GitHub Actions, see [`command`].

mod command;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

pub use self::command::verdict_line;
pub use self::command::{annotation_commands, command};
pub(super) use self::command::{first_of_each_level, write};
use super::escape::terminal;
use super::group::{Group, groups};
use super::location::{self, Location};
use super::summary::{self, shortened};
use super::{FindingInRun, Run};
use crate::advice::{self, Help};
use crate::culprit::Class;
use crate::model::{Frame, Kind};
use crate::numbers::count;
use crate::policy::Level;
use crate::reason::Reason;
use crate::rules::Source;
use crate::triage::{Disposition, TriagedFinding};

/// Maximum number of frames in a message.
const MAX_FRAMES: usize = 8;

/// A message about a line of a file. All texts are safe to display: invisible and control
/// characters are escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// True for an error, which fails the gate; false for a warning.
    pub is_error: bool,
    /// True if the message is about a finding.
    pub is_finding: bool,
    /// The kind of the finding, or the code of the reason or the advice.
    pub code: String,
    /// A short title, such as `leakgate: Leaked memory (leak-definite)`.
    pub title: String,
    /// The place in the repository. `None` if it's unknown.
    pub location: Option<Location>,
    /// The line of the log, or of the rule, that the message is about. `None` for warnings that are
    /// not about a rule.
    pub log_location: Option<Location>,
    /// The message, as one or more lines.
    pub message: String,
    /// All stacks of a finding, as lines. Empty if the annotation isn't about a finding.
    pub details: String,
}

/// Returns an annotation for each reason of the verdict that isn't about findings, then for each
/// unexpected finding, the worst first, and then for each warning.
///
/// ```
/// use leakgate_core::emit::{Run, annotations};
/// use leakgate_core::triage::triage;
/// use leakgate_core::verdict::{Source, judge};
/// use leakgate_core::{Date, Gate, NoWorkspace, Options, Parser, Policy};
///
/// let mut parser = Parser::new(Options::default());
/// parser.begin("run.log");
/// parser.feed(b"==7==ERROR: LeakSanitizer: detected memory leaks\n\n\
///     Direct leak of 4 byte(s) in 1 object(s) allocated from:\n    #0 0x51 in make /src/a.c:3:9\n\n\
///     SUMMARY: LeakSanitizer: 4 byte(s) leaked in 1 allocation(s).\n");
/// let parsed = parser.finish();
/// let gate = Gate::new(Policy::default(), Date::constant(2026, 11, 22));
/// let triage = triage(&parsed, &gate, &NoWorkspace);
/// let sources = [Source { name: "run.log".into(), inputs: vec![0] }];
/// let verdict = judge(&parsed, &triage, &sources, &gate);
///
/// let annotations = annotations(&Run::new(&parsed, &gate, &triage, &verdict));
/// assert!(annotations[0].is_error);
/// assert_eq!(annotations[0].location.as_ref().unwrap().to_string(), "/src/a.c:3:9");
/// ```
pub fn annotations(run: &Run<'_>) -> Vec<Annotation> {
    let reasons = run
        .verdict
        .reasons
        .iter()
        .filter(|r| !r.code.is_about_findings())
        .map(|r| of_reason(r, run));
    let findings = groups(run, Disposition::Unexpected);
    reasons
        .chain(findings.iter().map(|group| of_findings(group, run)))
        .chain(warnings(run))
        .collect()
}

/// Joins lines that aren't empty, escaping each of them.
fn message(lines: &[String]) -> String {
    let lines: Vec<_> = lines
        .iter()
        .filter(|l| !l.is_empty())
        .map(|line| terminal(line))
        .collect();
    lines.join("\n")
}

/// Returns the annotation for a group of findings.
pub(super) fn of_findings(group: &Group<'_>, run: &Run<'_>) -> Annotation {
    let FindingInRun {
        finding, triaged, ..
    } = group.first();
    let help = advice::for_kind(&finding.kind);
    let location = location::finding_location(finding, triaged, run);
    let log = location::log_location(finding, run);
    // The log of a step shows the message without the file, so the message repeats it.
    let place = location.as_ref().unwrap_or(&log);
    let mut lines = alloc::vec![format!("{} ({place})", summary::headline(group, run))];
    lines.extend(
        advice::hints_by_names(finding, triaged.culprit.own, &run.triage.names)
            .into_iter()
            .map(String::from),
    );
    lines.extend(stack(group, triaged, run));
    lines.push(help.meaning.to_string());
    lines.push(help.fix.to_string());
    let records = if group.records() > 1 {
        format!("{} in ", count(group.records(), "record", "records"))
    } else {
        String::new()
    };
    lines.push(format!("{records}{} {log}", finding.tool));
    let prefix: String = triaged.fingerprint.as_str().chars().take(16).collect();
    lines.push(format!(
        "To accept it: leakgate allow {prefix} --reason '…' LOG"
    ));
    let stacks: Vec<String> = summary::stacks(finding, triaged, run, true)
        .lines()
        .map(String::from)
        .collect();
    Annotation {
        is_error: true,
        is_finding: true,
        code: terminal(finding.kind.as_str()).into_owned(),
        title: format!("leakgate: {}", terminal(&title(help, &finding.kind))),
        location,
        log_location: Some(log),
        message: message(&lines),
        details: message(&stacks),
    }
}

/// Returns the readable title of a kind with the name that rules use, or only the latter if no
/// table has an entry for the kind.
fn title(help: &Help, kind: &Kind) -> String {
    if help.kind == "*" {
        kind.to_string()
    } else {
        format!("{} ({kind})", help.title)
    }
}

/// Returns the first frames of the primary stack, without allocator and runtime frames.
fn stack(group: &Group<'_>, triaged: &TriagedFinding, run: &Run<'_>) -> Vec<String> {
    let finding = group.first().finding;
    let frames = finding
        .primary()
        .map(|s| s.frames.as_slice())
        .unwrap_or_default();
    let classes = triaged
        .classes
        .first()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let relevant = frames
        .iter()
        .zip(classes)
        .enumerate()
        .filter(|(_, (_, class))| !matches!(class, Class::Allocator | Class::Runtime));
    let line = |(at, (frame, _)): (usize, (&Frame, &Class))| {
        let mark = if triaged.culprit.frame == Some(at) {
            '>'
        } else {
            ' '
        };
        let name = frame.info.name().unwrap_or("?");
        let place = location::display_location(&frame.info, run);
        format!("{mark} {} {}", shortened(name, 100), shortened(&place, 100))
            .trim_end()
            .to_string()
    };
    relevant.take(MAX_FRAMES).map(line).collect()
}

/// Returns the annotation for a reason that isn't about findings.
pub(super) fn of_reason(reason: &Reason, run: &Run<'_>) -> Annotation {
    let more = reason.more();
    let location = location::reason_location(reason.code, run);
    let line = format!("{}{more} ({location}) [{}]", reason.message, reason.code);
    let title = format!("leakgate: {}", reason.code);
    Annotation {
        is_error: true,
        is_finding: false,
        code: reason.code.to_string(),
        title,
        log_location: Some(location.clone()),
        location: Some(location),
        message: message(&[line]),
        details: String::new(),
    }
}

/// Returns the warnings of the verdict, and the advice about rules at the lines of the rules.
fn warnings(run: &Run<'_>) -> Vec<Annotation> {
    let warning = |code: &str, location: Option<Location>, line: String| Annotation {
        is_error: false,
        is_finding: false,
        code: String::from(code),
        title: format!("leakgate: {code}"),
        log_location: location.clone(),
        location,
        message: message(&[line]),
        details: String::new(),
    };
    let warnings = run.verdict.warnings.iter().map(|reason| {
        let code = reason.code.as_str();
        warning(code, None, format!("{} [{code}]", reason.message))
    });
    let advice = run
        .triage
        .advice
        .iter()
        .filter(|a| a.level != Level::Allow)
        .filter_map(|advice| {
            let rule = run.gate.rules.get(advice.rule)?;
            let is_file = rule.origin.source != Source::Pack;
            let location = Location {
                file: rule.origin.file.clone(),
                line: Some(rule.origin.line.max(1)),
                column: None,
            };
            let code = advice.code.as_str();
            let line = format!("{} ({}): {} [{code}]", rule.id, rule.origin, advice.message);
            Some(warning(code, Some(location).filter(|_| is_file), line))
        });
    warnings.chain(advice).collect()
}
