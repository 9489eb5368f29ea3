//! What is shown beside a line of a file: of a pull request, above all.
//!
//! [`command`] writes them as a runner's commands; a service with an interface for annotations
//! takes the list.

mod command;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

pub use self::command::command;
pub(super) use self::command::write;
use super::Run;
use super::escape::terminal;
use super::group::{Group, groups};
use super::places::{self, Spot};
use super::words::{self, shortened};
use crate::advice;
use crate::culprit::Class;
use crate::numbers::{count, grouped};
use crate::triage::{Disposition, Item};
use crate::verdict::{Level, Reason};

/// Frames of the stack in a message.
const MAX_FRAMES: usize = 8;

/// Something to be shown beside a line of a file. All texts are safe to show: what is not seen is
/// written out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// True where it fails the gate; false for a warning.
    pub is_error: bool,
    /// What it is, in a few words.
    pub title: String,
    /// Where it is in the repository; nothing where that is not known.
    pub spot: Option<Spot>,
    /// The line of the log, or of the rule, that tells of it.
    pub told_at: Option<Spot>,
    /// What there is to say, in lines.
    pub message: String,
    /// All stacks of a finding, in lines; empty for what is none.
    pub details: String,
}

/// An annotation for each reason of the verdict that is no finding, for each finding, the worst
/// first, and then for each warning.
pub fn annotations(run: &Run<'_>) -> Vec<Annotation> {
    let reasons = run
        .verdict
        .reasons
        .iter()
        .filter(|r| !r.code.is_about_findings())
        .map(|r| reason(r, run));
    let findings = groups(run, Disposition::Unexpected);
    reasons
        .chain(findings.iter().map(|group| finding(group, run)))
        .chain(warnings(run))
        .collect()
}

/// Lines that are safe to show, each by itself.
fn message(lines: &[String]) -> String {
    let lines: Vec<_> = lines
        .iter()
        .filter(|l| !l.is_empty())
        .map(|line| terminal(line))
        .collect();
    lines.join("\n")
}

fn finding(group: &Group<'_>, run: &Run<'_>) -> Annotation {
    let (finding, item) = group.first();
    let help = advice::of(&finding.kind);
    let spot = places::spot(finding, item, run);
    let log = places::log_spot(finding, run);
    // The log of a step shows the message without the file.
    let place = spot.as_ref().unwrap_or(&log);
    let mut lines = alloc::vec![format!("{} ({place})", words::sentence(group, run))];
    lines.extend(
        advice::hints(finding, item.culprit.own)
            .into_iter()
            .map(String::from),
    );
    lines.extend(stack(group, item, run));
    lines.push(help.meaning.to_string());
    lines.push(help.fix.to_string());
    let often = if group.records() > 1 {
        format!("{} in ", count(group.records(), "record", "records"))
    } else {
        String::new()
    };
    lines.push(format!("{often}{} {log}", finding.tool));
    let start: String = item.fingerprint.as_str().chars().take(16).collect();
    lines.push(format!(
        "Accept it: leakgate allow {start} --reason '…' LOG"
    ));
    let stacks: Vec<String> = words::stacks(finding, item, run)
        .lines()
        .map(String::from)
        .collect();
    Annotation {
        is_error: true,
        title: format!("leakgate: {}", terminal(&help_title(help, finding))),
        spot,
        told_at: Some(log),
        message: message(&lines),
        details: message(&stacks),
    }
}

/// The name for people, and the kind that stands in rules.
fn help_title(help: &advice::Help, finding: &crate::Finding) -> String {
    if help.kind == "*" {
        finding.kind.to_string()
    } else {
        format!("{} ({})", help.title, finding.kind)
    }
}

/// The first frames of the primary stack that are neither an allocator's nor a runtime's.
fn stack(group: &Group<'_>, item: &Item, run: &Run<'_>) -> Vec<String> {
    let finding = group.first().0;
    let frames = finding
        .primary()
        .map(|s| s.frames.as_slice())
        .unwrap_or_default();
    let classes = item.classes.first().map(Vec::as_slice).unwrap_or_default();
    let telling = frames
        .iter()
        .zip(classes)
        .enumerate()
        .filter(|(_, (_, class))| !matches!(class, Class::Allocator | Class::Runtime));
    let line = |(at, (frame, _)): (usize, (&crate::Frame, &Class))| {
        let mark = if item.culprit.frame == Some(at) {
            '>'
        } else {
            ' '
        };
        let (name, place) = (
            frame.site.name().unwrap_or("?"),
            places::place(&frame.site, run),
        );
        format!("{mark} {} {}", shortened(name, 100), shortened(&place, 100))
            .trim_end()
            .to_string()
    };
    telling.take(MAX_FRAMES).map(line).collect()
}

fn reason(reason: &Reason, run: &Run<'_>) -> Annotation {
    let more = if reason.count > 1 {
        format!(" (and {} more)", grouped(reason.count - 1))
    } else {
        String::new()
    };
    let spot = places::reason_spot(reason.code, run);
    let line = format!("{}{more} ({spot}) [{}]", reason.message, reason.code);
    let title = format!("leakgate: {}", reason.code);
    Annotation {
        is_error: true,
        title,
        told_at: Some(spot.clone()),
        spot: Some(spot),
        message: message(&[line]),
        details: String::new(),
    }
}

/// What the policy wants said, and what is to be said about rules, at their lines.
fn warnings(run: &Run<'_>) -> Vec<Annotation> {
    let warning = |title: &str, spot: Option<Spot>, line: String| Annotation {
        is_error: false,
        title: format!("leakgate: {title}"),
        told_at: spot.clone(),
        spot,
        message: message(&[line]),
        details: String::new(),
    };
    let said = run.verdict.warnings.iter().map(|reason| {
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
            let is_file = rule.origin.source != crate::rules::Source::Pack;
            let spot = Spot {
                file: rule.origin.file.clone(),
                line: Some(rule.origin.line.max(1)),
                column: None,
            };
            let code = advice.code.as_str();
            let line = format!("{} ({}): {} [{code}]", rule.id, rule.origin, advice.message);
            Some(warning(code, Some(spot).filter(|_| is_file), line))
        });
    said.chain(advice).collect()
}
