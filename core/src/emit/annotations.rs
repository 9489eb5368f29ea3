//! Workflow commands of GitHub Actions, `::error file=…::…`, which its runner turns into annotations
//! (<https://docs.github.com/actions/reference/workflow-commands-for-github-actions>).
//!
//! A step shows at most ten annotations of a level, so that the most important come first, and the tenth tells of those left out.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::Run;
use super::escape::{command_data, command_property, terminal};
use super::group::{Group, groups};
use super::places::{self, Spot};
use super::words::{self, shortened};
use crate::advice;
use crate::culprit::Class;
use crate::numbers::{count, grouped};
use crate::triage::{Disposition, Item};
use crate::verdict::{Level, Outcome, Reason};

/// What a step shows of each level.
const MAX_SHOWN: usize = 10;

/// The runner cuts a message at 4,096 UTF-16 code units; a character is at most two of them.
const MAX_MESSAGE: usize = 2000;

/// Frames of the stack in a message.
const MAX_FRAMES: usize = 8;

#[derive(Debug)]
struct Annotation {
    title: String,
    spot: Option<Spot>,
    message: String,
}

/// Writes a command for each reason of the verdict, each finding and each warning, and a line with the verdict.
pub(crate) fn write(run: &Run<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    let findings = groups(run, Disposition::Unexpected);
    let reasons = run.verdict.reasons.iter().filter(|r| !r.code.is_about_findings());
    let errors: Vec<Annotation> =
        reasons.map(|r| reason(r, run)).chain(findings.iter().map(|group| finding(group, run))).collect();
    level(out, "error", &errors)?;
    level(out, "warning", &warnings(run))?;
    let evidence = terminal(&run.verdict.evidence);
    match run.verdict.outcome {
        Outcome::Pass => writeln!(out, "leakgate: pass: {evidence}"),
        Outcome::Fail => writeln!(out, "leakgate: fail: seen: {evidence}"),
        Outcome::Error => writeln!(out, "leakgate: error: not everything could be read; seen: {evidence}"),
    }
}

fn level(out: &mut dyn fmt::Write, name: &str, all: &[Annotation]) -> fmt::Result {
    let shown = if all.len() > MAX_SHOWN { MAX_SHOWN - 1 } else { all.len() };
    all.iter().take(shown).try_for_each(|annotation| command(out, name, annotation))?;
    let left = all.len() - shown;
    if left == 0 {
        return Ok(());
    }
    let message = format!(
        "{} of the {} {name}s of leakgate are not shown here, for GitHub shows {MAX_SHOWN} annotations of a step. The job's summary and the other documents of leakgate have all of them.",
        grouped(left as u64),
        grouped(all.len() as u64),
    );
    command(out, name, &Annotation { title: format!("{} more", grouped(left as u64)), spot: None, message })
}

fn command(out: &mut dyn fmt::Write, name: &str, annotation: &Annotation) -> fmt::Result {
    let mut properties = Vec::new();
    if let Some(spot) = &annotation.spot {
        properties.push(format!("file={}", command_property(&spot.file)));
        properties.push(format!("line={}", spot.line.unwrap_or(1)));
        properties.extend(spot.column.filter(|_| spot.line.is_some()).map(|column| format!("col={column}")));
    }
    properties.push(format!("title={}", command_property(&annotation.title)));
    writeln!(out, "::{name} {}::{}", properties.join(","), command_data(&shortened(&annotation.message, MAX_MESSAGE)))
}

/// Lines that are safe to show, each by itself.
fn message(lines: &[String]) -> String {
    let lines: Vec<_> = lines.iter().filter(|l| !l.is_empty()).map(|line| terminal(line)).collect();
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
    lines.extend(advice::hints(finding, item.culprit.own).into_iter().map(String::from));
    lines.extend(stack(group, item, run));
    lines.push(help.meaning.to_string());
    lines.push(help.fix.to_string());
    let often = if group.records() > 1 { format!("{} in ", count(group.records(), "record", "records")) } else { String::new() };
    lines.push(format!("{often}{} {log}", finding.tool));
    let start: String = item.fingerprint.as_str().chars().take(16).collect();
    lines.push(format!("Accept it: leakgate allow {start} --reason '…' LOG"));
    Annotation { title: format!("leakgate: {}", help_title(help, finding)), spot, message: message(&lines) }
}

/// The name for people, and the kind that stands in rules.
fn help_title(help: &advice::Help, finding: &crate::Finding) -> String {
    if help.kind == "*" { finding.kind.to_string() } else { format!("{} ({})", help.title, finding.kind) }
}

/// The first frames of the primary stack that are neither an allocator's nor a runtime's.
fn stack(group: &Group<'_>, item: &Item, run: &Run<'_>) -> Vec<String> {
    let finding = group.first().0;
    let frames = finding.primary().map(|s| s.frames.as_slice()).unwrap_or_default();
    let classes = item.classes.first().map(Vec::as_slice).unwrap_or_default();
    let telling =
        frames.iter().zip(classes).enumerate().filter(|(_, (_, class))| !matches!(class, Class::Allocator | Class::Runtime));
    let line = |(at, (frame, _)): (usize, (&crate::Frame, &Class))| {
        let mark = if item.culprit.frame == Some(at) { '>' } else { ' ' };
        let (name, place) = (frame.site.name().unwrap_or("?"), places::place(&frame.site, run));
        format!("{mark} {} {}", shortened(name, 100), shortened(&place, 100)).trim_end().to_string()
    };
    telling.take(MAX_FRAMES).map(line).collect()
}

fn reason(reason: &Reason, run: &Run<'_>) -> Annotation {
    let more = if reason.count > 1 { format!(" (and {} more)", grouped(reason.count - 1)) } else { String::new() };
    let spot = places::reason_spot(reason.code, run);
    let line = format!("{}{more} ({spot}) [{}]", reason.message, reason.code);
    Annotation { title: format!("leakgate: {}", reason.code), spot: Some(spot), message: message(&[line]) }
}

/// What the policy wants said, and what is to be said about rules, at their lines.
fn warnings(run: &Run<'_>) -> Vec<Annotation> {
    let warning = |reason: &Reason| {
        let title = format!("leakgate: {}", reason.code);
        Annotation { title, spot: None, message: message(&[format!("{} [{}]", reason.message, reason.code)]) }
    };
    let advice = run.triage.advice.iter().filter(|a| a.level != Level::Allow).filter_map(|advice| {
        let rule = run.gate.rules.get(advice.rule)?;
        let file = rule.origin.file.clone();
        let spot = (rule.origin.source != crate::rules::Source::Pack).then(|| Spot {
            file,
            line: Some(rule.origin.line.max(1)),
            column: None,
        });
        let line = format!("{} ({}): {} [{}]", rule.id, rule.origin, advice.message, advice.code.as_str());
        Some(Annotation { title: format!("leakgate: {}", advice.code.as_str()), spot, message: message(&[line]) })
    });
    run.verdict.warnings.iter().map(warning).chain(advice).collect()
}
