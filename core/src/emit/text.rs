//! The text report for terminals: the verdict, a block for each unexpected finding, problems, rules
//! and totals.

mod block;
mod function;
pub(crate) mod paint;
mod rules;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use self::paint::Paint;
use super::escape::terminal;
use super::group::{by_function, groups, separate};
use super::next_step::next_step;
use super::wrap::Wrapped;
use super::{RenderOptions, Run};
use crate::compare::summary;
use crate::numbers::count;
use crate::problem::Class;
use crate::triage::Disposition;
use crate::verdict::{NO_OUTPUT, Outcome};

/// Writes the report.
pub(crate) fn write(
    run: &Run<'_>,
    options: &RenderOptions<'_>,
    out: &mut dyn fmt::Write,
) -> fmt::Result {
    let paint = Paint::new(options);
    let mut wrapped = Wrapped::new(out, options.width);
    let out: &mut dyn fmt::Write = &mut wrapped;
    verdict(run, paint, out)?;
    findings(run, options, paint, out)?;
    problems(run, paint, out)?;
    rules::write(run, paint, out)?;
    not_gated(run, paint, out)?;
    footer(run, out)?;
    wrapped.finish()
}

/// Writes a block for each unexpected finding, or for the findings of a function.
fn findings(
    run: &Run<'_>,
    options: &RenderOptions<'_>,
    paint: Paint,
    out: &mut dyn fmt::Write,
) -> fmt::Result {
    let findings = groups(run, Disposition::Unexpected);
    let mut hidden = findings.len();
    let mut left = options.max_findings.unwrap_or(hidden);
    let functions = match options.full_stacks {
        true => separate(findings),
        false => by_function(findings, run),
    };
    for function in functions {
        if left == 0 {
            break;
        }
        writeln!(out)?;
        let shown = match function.groups.as_slice() {
            [group] => block::write(group, run, paint, out).map(|()| 1)?,
            groups => function::write(groups, left, run, paint, out)?,
        };
        left -= shown;
        hidden -= shown;
    }
    omitted(hidden, paint, out)
}

/// Writes the outcome with its evidence or reasons.
fn verdict(run: &Run<'_>, paint: Paint, out: &mut dyn fmt::Write) -> fmt::Result {
    let verdict = run.verdict;
    match verdict.outcome {
        Outcome::Pass => writeln!(
            out,
            "{} {}",
            paint.good("pass:"),
            terminal(&verdict.evidence)
        ),
        Outcome::Fail => reasons(run, paint, out),
        Outcome::Error => {
            writeln!(out, "{} an input could not be read", paint.bad("error:"))?;
            reasons(run, paint, out)
        }
    }
}

/// Writes a line for each reason.
fn reasons(run: &Run<'_>, paint: Paint, out: &mut dyn fmt::Write) -> fmt::Result {
    for (at, reason) in run.verdict.reasons.iter().enumerate() {
        let head = paint.bad(if at == 0 { "fail:" } else { "     " });
        writeln!(
            out,
            "{head} {}{} {}",
            terminal(&reason.message),
            reason.more(),
            paint.dim(&format!("[{}]", reason.code))
        )?;
    }
    Ok(())
}

/// Writes the number of findings that are not listed, if any.
fn omitted(number: usize, paint: Paint, out: &mut dyn fmt::Write) -> fmt::Result {
    if number == 0 {
        return Ok(());
    }
    let more = count(number as u64, "more finding", "more findings");
    let text = format!("… and {more} (use --limit 0 for all)");
    writeln!(out, "\n{}", paint.mark(&text))
}

/// Writes a line for each problem.
fn problems(run: &Run<'_>, paint: Paint, out: &mut dyn fmt::Write) -> fmt::Result {
    if !run.parsed.problems.is_empty() {
        writeln!(out)?;
    }
    for problem in &run.parsed.problems {
        let head = match problem.code.class() {
            Class::Fatal => paint.bad("problem"),
            Class::Note => paint.dim("note"),
        };
        let input = run
            .parsed
            .inputs
            .get(problem.input)
            .map_or(String::new(), |i| i.display_name());
        let pid = problem
            .pid
            .map_or(String::new(), |pid| format!(" (pid {pid})"));
        let message = terminal(&problem.message);
        writeln!(
            out,
            "{head}[{}] {}:{}: {message}{pid}",
            problem.code,
            paint.whole(&terminal(&input)),
            problem.line
        )?;
    }
    Ok(())
}

/// Writes a line for each kind of findings that are not gated.
fn not_gated(run: &Run<'_>, paint: Paint, out: &mut dyn fmt::Write) -> fmt::Result {
    let mut kinds: Vec<(&str, u64, Option<u64>)> = Vec::new();
    for group in groups(run, Disposition::NotGated) {
        let kind = group.first().finding.kind.as_str();
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
        let size = bytes.map_or(String::new(), |b| {
            format!(", {}", count(b, "byte", "bytes"))
        });
        writeln!(
            out,
            "{} {}: {}{size}",
            paint.dim("not gated"),
            terminal(kind),
            count(records, "record", "records")
        )?;
    }
    Ok(())
}

/// Writes the totals, changes and, if the gate doesn't pass, the evidence.
fn footer(run: &Run<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    let lines: u64 = run.parsed.inputs.iter().map(|i| i.lines).sum();
    let unexpected = run.triage.count(run.parsed, Disposition::Unexpected).groups;
    let n = |count: usize| count as u64;
    let fatal = n(run
        .parsed
        .problems
        .iter()
        .filter(|p| p.code.class() == Class::Fatal)
        .count());
    let notes = n(run.parsed.problems.len()) - fatal;
    let groups = |disposition| run.triage.count(run.parsed, disposition).groups;
    writeln!(out)?;
    writeln!(
        out,
        "{}{}{}{}{}{}; {}, {}",
        count(unexpected, "unexpected finding", "unexpected findings"),
        part(groups(Disposition::Allowed), "allowed", "allowed"),
        part(
            groups(Disposition::Baseline),
            "in the baseline",
            "in the baseline"
        ),
        part(
            groups(Disposition::NotGated),
            "that doesn't fail the gate",
            "that don't fail the gate"
        ),
        part(fatal, "log problem", "log problems"),
        part(notes, "note", "notes"),
        count(n(run.parsed.inputs.len()), "input", "inputs"),
        count(lines, "line", "lines"),
    )?;
    if let Some(changes) = run.changes {
        writeln!(out, "compared with the base run: {}", summary(changes))?;
    }
    if run.verdict.outcome != Outcome::Pass {
        let evidence = terminal(&run.verdict.evidence);
        let label = if evidence == NO_OUTPUT { "" } else { "seen: " };
        writeln!(out, "{label}{evidence}")?;
    }
    if let Some(step) = next_step(run) {
        writeln!(out, "next: {}", terminal(&step))?;
    }
    Ok(())
}

/// Returns a count such as `, 3 allowed`, or an empty string if it's zero.
fn part(n: u64, one: &str, many: &str) -> String {
    match n {
        0 => String::new(),
        n => format!(", {}", count(n, one, many)),
    }
}
