//! Text for people at a terminal: the verdict first, then each finding as a block, then what else was seen.

mod block;
pub(crate) mod paint;
mod rules;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use hashbrown::HashMap;

use self::paint::Paint;
use super::Run;
use super::escape::terminal;
use crate::model::{Finding, Leak};
use crate::numbers::{count, grouped};
use crate::problem::Class;
use crate::triage::{Disposition, Item};
use crate::verdict::Outcome;

/// How text is laid out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// Colours, by ANSI sequences.
    pub colour: bool,
}

/// Lines of source files, for those who may show them.
pub trait Excerpt {
    /// A line, from 1, of a file of the repository, by the path that [`crate::Workspace::resolve`] gave.
    fn line(&self, file: &str, line: u32) -> Option<String>;
}

/// Findings with one fingerprint: one thing to look at.
pub(crate) struct Group<'a> {
    pub(crate) members: Vec<(&'a Finding, &'a Item)>,
}

impl<'a> Group<'a> {
    /// The finding that stands for the group: the largest.
    pub(crate) fn first(&self) -> (&'a Finding, &'a Item) {
        self.members[0]
    }

    pub(crate) fn records(&self) -> u64 {
        self.members.iter().map(|(f, _)| f.occurrences).sum()
    }

    pub(crate) fn inherited(&self) -> u64 {
        self.members.iter().map(|(f, _)| f.inherited).sum()
    }

    /// Leaked bytes and blocks of all records but those that a child repeats from its parent.
    pub(crate) fn leak(&self) -> Option<Leak> {
        self.members.iter().filter_map(|(f, item)| f.leak.map(|l| l.times(item.records))).reduce(|a, b| Leak {
            bytes: a.bytes.saturating_add(b.bytes),
            blocks: a.blocks.saturating_add(b.blocks),
            direct_bytes: a.direct_bytes.saturating_add(b.direct_bytes),
            indirect_bytes: a.indirect_bytes.saturating_add(b.indirect_bytes),
        })
    }
}

/// Findings of a disposition by fingerprint and kind: errors first, then leaks, the worst kind and the largest first.
fn groups<'a>(run: &Run<'a>, disposition: Disposition) -> Vec<Group<'a>> {
    let mut places: HashMap<(&str, &str), usize> = HashMap::new();
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (finding, item) in run.parsed.findings.iter().zip(&run.triage.items).filter(|(_, i)| i.disposition == disposition) {
        let key = (item.fingerprint.as_str(), finding.kind.as_str());
        let at = *places.entry(key).or_insert_with(|| {
            groups.push(Group { members: Vec::new() });
            groups.len() - 1
        });
        groups[at].members.push((finding, item));
    }
    for group in &mut groups {
        group.members.sort_by_key(|(f, _)| core::cmp::Reverse(f.leak.map_or(0, |l| l.bytes)));
    }
    groups.sort_by_key(|group| {
        let kind = &group.first().0.kind;
        let rank = ["leak-definite", "leak-possible", "leak-indirect", "leak-reachable"].iter().position(|k| *k == kind.as_str());
        (rank.map_or(0, |r| r + 1), core::cmp::Reverse(group.leak().map_or(0, |l| l.bytes)))
    });
    groups
}

/// Writes the document.
pub(crate) fn write(run: &Run<'_>, style: &Style, out: &mut dyn fmt::Write) -> fmt::Result {
    let paint = Paint { on: style.colour };
    verdict(run, paint, out)?;
    for group in groups(run, Disposition::Unexpected) {
        writeln!(out)?;
        block::write(&group, run, paint, out)?;
    }
    problems(run, paint, out)?;
    rules::write(run, paint, out)?;
    not_gated(run, paint, out)?;
    footer(run, out)
}

fn verdict(run: &Run<'_>, paint: Paint, out: &mut dyn fmt::Write) -> fmt::Result {
    let verdict = run.verdict;
    match verdict.outcome {
        Outcome::Pass => writeln!(out, "{} {}", paint.good("pass:"), terminal(&verdict.evidence)),
        Outcome::Fail => reasons(run, paint, out),
        Outcome::Error => {
            writeln!(out, "{} not everything could be read", paint.bad("error:"))?;
            reasons(run, paint, out)
        }
    }
}

/// A line for each reason.
fn reasons(run: &Run<'_>, paint: Paint, out: &mut dyn fmt::Write) -> fmt::Result {
    for (at, reason) in run.verdict.reasons.iter().enumerate() {
        let head = paint.bad(if at == 0 { "fail:" } else { "     " });
        let more = match reason.count {
            n if n > 1 && reason.code != crate::ReasonCode::UnexpectedFinding => format!(" (and {} more)", n - 1),
            _ => String::new(),
        };
        writeln!(out, "{head} {}{more} {}", terminal(&reason.message), paint.dim(&format!("[{}]", reason.code)))?;
    }
    Ok(())
}

fn problems(run: &Run<'_>, paint: Paint, out: &mut dyn fmt::Write) -> fmt::Result {
    if !run.parsed.problems.is_empty() {
        writeln!(out)?;
    }
    for problem in &run.parsed.problems {
        let head = match problem.code.class() {
            Class::Fatal => paint.bad("problem"),
            Class::Note => paint.dim("note"),
        };
        let input = run.parsed.inputs.get(problem.input).map_or(String::new(), |i| i.shown());
        let pid = problem.pid.map_or(String::new(), |pid| format!(" (pid {pid})"));
        let message = terminal(&problem.message);
        writeln!(out, "{head}[{}] {}:{}: {message}{pid}", problem.code, terminal(&input), problem.line)?;
    }
    Ok(())
}

/// What the gate does not look at, a line for each kind.
fn not_gated(run: &Run<'_>, paint: Paint, out: &mut dyn fmt::Write) -> fmt::Result {
    let mut kinds: Vec<(&str, u64, Option<u64>)> = Vec::new();
    for group in groups(run, Disposition::NotGated) {
        let kind = group.first().0.kind.as_str();
        let bytes = group.leak().map(|l| l.bytes);
        match kinds.iter_mut().find(|k| k.0 == kind) {
            Some(row) => {
                row.1 += group.records();
                row.2 = row.2.zip(bytes).map(|(a, b)| a.saturating_add(b));
            }
            None => kinds.push((kind, group.records(), bytes)),
        }
    }
    if !kinds.is_empty() {
        writeln!(out)?;
    }
    for (kind, records, bytes) in kinds {
        let size = bytes.map_or(String::new(), |b| format!(", {}", count(b, "byte", "bytes")));
        writeln!(out, "{} {kind}: {}{size}", paint.dim("not gated"), count(records, "record", "records"))?;
    }
    Ok(())
}

fn footer(run: &Run<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    let lines: u64 = run.parsed.inputs.iter().map(|i| i.lines).sum();
    let (unexpected, _) = run.triage.count(run.parsed, Disposition::Unexpected);
    let (not_gated, _) = run.triage.count(run.parsed, Disposition::NotGated);
    let n = |count: usize| count as u64;
    let fatal = n(run.parsed.problems.iter().filter(|p| p.code.class() == Class::Fatal).count());
    let notes = match n(run.parsed.problems.len()) - fatal {
        0 => String::new(),
        more => format!(", {}", count(more, "note", "notes")),
    };
    writeln!(out)?;
    writeln!(
        out,
        "{}{}{}, {} not gated, {}{notes}; {}, {}",
        count(unexpected, "unexpected finding", "unexpected findings"),
        counted(run, Disposition::Allowed, "allowed"),
        counted(run, Disposition::Baseline, "in the baseline"),
        grouped(not_gated),
        count(fatal, "problem", "problems"),
        count(n(run.parsed.inputs.len()), "input", "inputs"),
        count(lines, "line", "lines"),
    )?;
    if run.verdict.outcome != Outcome::Pass {
        writeln!(out, "seen: {}", terminal(&run.verdict.evidence))?;
    }
    Ok(())
}

/// `, 3 allowed`; nothing where there are none.
fn counted(run: &Run<'_>, disposition: Disposition, word: &str) -> String {
    match run.triage.count(run.parsed, disposition).0 {
        0 => String::new(),
        n => format!(", {} {word}", grouped(n)),
    }
}
