//! Markdown for the summary of a job and for comments: the verdict, a table of the worst, and each
//! finding folded below it.
//!
//! Services limit how long such a text may be, so that it is put together of whole pieces while
//! they fit, and says what did not.

mod detail;
mod sheet;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use hashbrown::HashSet;

use self::sheet::Sheet;
use super::escape::{code, code_in_table, plain};
use super::group::{Against, Group, groups};
use super::places;
use super::words::shortened;
use super::{Run, Style};
use crate::compare::summary;
use crate::numbers::{amount, count, grouped};
use crate::symbol::simple_name;
use crate::triage::{Cause, Disposition};
use crate::verdict::{Level, Outcome, Reason};

/// Rows of the table of findings.
const MAX_ROWS: usize = 50;

/// Lines about reasons, rules and problems, each.
const MAX_LINES: usize = 20;

/// Longest message that is taken over.
const MAX_MESSAGE: usize = 500;

/// Writes the document.
pub(crate) fn write(run: &Run<'_>, style: &Style<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    let findings = groups(run, Disposition::Unexpected);
    let footer = footer(run);
    let mut sheet = Sheet::new(style.budget, &footer);
    let (mark, word) = match run.verdict.outcome {
        Outcome::Pass => ("✅", "pass"),
        Outcome::Fail => ("❌", "fail"),
        Outcome::Error => ("⚠️", "error"),
    };
    sheet.push(&format!(
        "## {mark} leakgate: {word}{}\n\n",
        headline(run, findings.len())
    ));
    reasons(run, &mut sheet);
    if let Some(changes) = run.changes {
        sheet.push(&format!("Against the base: {}.\n\n", summary(changes)));
    }
    let rows = table(&findings, run, &mut sheet);
    let details = detail::write(&findings, run, style, &mut sheet);
    accepted(run, &mut sheet);
    notes(run, &mut sheet);
    if rows < findings.len() {
        sheet.left_out(&format!(
            "{} of {} findings in the table",
            grouped((findings.len() - rows) as u64),
            grouped(findings.len() as u64)
        ));
    }
    if details < findings.len() {
        sheet.left_out(&format!(
            "the details of {}",
            count((findings.len() - details) as u64, "finding", "findings")
        ));
    }
    out.write_str(&sheet.finish())
}

fn headline(run: &Run<'_>, findings: usize) -> String {
    let open = count(findings as u64, "unexpected finding", "unexpected findings");
    match run.verdict.outcome {
        Outcome::Pass => String::new(),
        _ if findings > 0 => format!(", {open}"),
        Outcome::Fail => String::from(", not proved clean"),
        Outcome::Error => String::from(", not everything could be read"),
    }
}

/// A line for each reason; those about findings only where they say more than that there are some.
fn reasons(run: &Run<'_>, sheet: &mut Sheet) {
    if run.verdict.outcome == Outcome::Pass {
        sheet.push(&format!(
            "{}\n\n",
            plain(&shortened(&run.verdict.evidence, MAX_MESSAGE))
        ));
    }
    let told = |r: &&Reason| r.code != crate::ReasonCode::UnexpectedFinding;
    let all: Vec<&Reason> = run.verdict.reasons.iter().filter(told).collect();
    for reason in all.iter().take(MAX_LINES) {
        let more = if reason.count > 1 {
            format!(" (and {} more)", grouped(reason.count - 1))
        } else {
            String::new()
        };
        sheet.push(&format!(
            "- **{}**: {}{more}\n",
            reason.code,
            plain(&shortened(&reason.message, MAX_MESSAGE))
        ));
    }
    if !all.is_empty() {
        sheet.push("\n");
    }
}

/// Writes the table, and tells how many rows it has.
fn table(findings: &[Group<'_>], run: &Run<'_>, sheet: &mut Sheet) -> usize {
    if findings.is_empty() {
        return 0;
    }
    let against = Against::of(run);
    let states: Vec<&str> = findings
        .iter()
        .map(|group| state(group, run, &against))
        .collect();
    let with_state = states.iter().any(|state| !state.is_empty());
    let (head, rule) = if with_state {
        (" state |", "---|")
    } else {
        ("", "")
    };
    let head = format!(
        "| | kind | bytes | blocks | function | place |{head}\n|---:|---|---:|---:|---|---|{rule}\n"
    );
    // A table without a row is none.
    let row = |at: usize| row(at, &findings[at], run, with_state.then_some(states[at]));
    let first = row(0);
    if !sheet.push(&format!("{head}{first}")) {
        return 0;
    }
    let rows = 1
        + (1..findings.len().min(MAX_ROWS))
            .take_while(|at| sheet.push(&row(*at)))
            .count();
    sheet.push("\n");
    rows
}

fn row(at: usize, group: &Group<'_>, run: &Run<'_>, state: Option<&str>) -> String {
    const LONGEST: usize = 120;
    let (finding, item) = group.first();
    let leak = group.leak();
    let number = |n: Option<u64>| n.map_or(String::new(), grouped);
    let function = places::culprit(finding, item)
        .and_then(|f| f.site.name())
        .map(simple_name)
        .unwrap_or_default();
    let place = places::spot(finding, item, run).unwrap_or_else(|| places::log_spot(finding, run));
    let cell = |text: &str| {
        if text.is_empty() {
            String::new()
        } else {
            code_in_table(&shortened(text, LONGEST))
        }
    };
    let state = state.map_or(String::new(), |state| format!(" {state} |"));
    format!(
        "| {} | {} | {} | {} | {} | {} |{state}\n",
        at + 1,
        cell(finding.kind.as_str()),
        number(leak.map(|l| l.bytes)),
        number(leak.map(|l| l.blocks)),
        cell(&function),
        cell(&format!("{place}")),
    )
}

/// What is known of it: `new` where there is a baseline that does not know it.
fn state(group: &Group<'_>, run: &Run<'_>, against: &Against<'_>) -> &'static str {
    match group.first().1.cause {
        Some(Cause::Grown) => "grown",
        Some(Cause::ExpiredRule) => "rule expired",
        Some(Cause::OverLimit) => "over limit",
        None if run.gate.baseline.is_some() => "new",
        None => against.word(group.first().1).unwrap_or(""),
    }
}

/// What is accepted, folded: each rule with its reason.
fn accepted(run: &Run<'_>, sheet: &mut Sheet) {
    let rules = run
        .gate
        .rules
        .iter()
        .zip(&run.triage.uses)
        .filter(|(_, u)| u.findings > 0 && !u.expired && !u.over_limit);
    let mut lines: Vec<String> = rules
        .map(|(rule, used)| {
            let sum = if used.bytes > 0 {
                format!(", {}", amount(used.bytes, used.blocks))
            } else {
                String::new()
            };
            let reason = plain(&shortened(&rule.about.reason, MAX_MESSAGE));
            let origin = code(&format!("{}", rule.origin));
            format!(
                "- {} ({origin}): {}{sum}. {reason}\n",
                code(&rule.id),
                count(used.decided, "record", "records")
            )
        })
        .collect();
    if let Some(baseline) = &run.triage.baseline {
        let (known, fixed) = (baseline.known, baseline.fixed.len() as u64);
        if known > 0 {
            lines.push(format!(
                "- {} of the baseline, not grown\n",
                count(known, "finding", "findings")
            ));
        }
        if fixed > 0 {
            lines.push(format!(
                "- {} of the baseline fixed\n",
                count(fixed, "finding", "findings")
            ));
        }
    }
    folded("Accepted", &lines, sheet);
}

/// Problems that are no reason, warnings, and what is to be said about rules, folded.
fn notes(run: &Run<'_>, sheet: &mut Sheet) {
    let mut lines: Vec<String> = Vec::new();
    let mut line = |place: &str, message: &str, code_name: &str| {
        let place = if place.is_empty() {
            String::new()
        } else {
            format!("{}: ", code(place))
        };
        lines.push(format!(
            "- {place}{} ({})\n",
            plain(&shortened(message, MAX_MESSAGE)),
            code(code_name)
        ));
    };
    for warning in &run.verdict.warnings {
        line("", &warning.message, warning.code.as_str());
    }
    for advice in run.triage.advice.iter().filter(|a| a.level != Level::Allow) {
        let Some(rule) = run.gate.rules.get(advice.rule) else {
            continue;
        };
        line(
            &format!("{}", rule.origin),
            &format!("{}: {}", rule.id, advice.message),
            advice.code.as_str(),
        );
    }
    let told: HashSet<_> = run
        .verdict
        .reasons
        .iter()
        .map(|reason| (reason.code, reason.message.as_str()))
        .collect();
    let is_told = |p: &&crate::Problem| {
        p.code
            .reason()
            .is_some_and(|code| told.contains(&(code, p.message.as_str())))
    };
    for problem in run.parsed.problems.iter().filter(|p| !is_told(p)) {
        line(
            &format!("{}", places::log_line(problem.input, problem.line, run)),
            &problem.message,
            problem.code.as_str(),
        );
    }
    folded("Notes", &lines, sheet);
}

fn folded(title: &str, lines: &[String], sheet: &mut Sheet) {
    if lines.is_empty() {
        return;
    }
    let mut text = format!("<details><summary>{title}: {}</summary>\n\n", lines.len());
    lines.iter().take(MAX_LINES).for_each(|line| text += line);
    if lines.len() > MAX_LINES {
        text += &format!("- … {} more\n", lines.len() - MAX_LINES);
    }
    text += "\n</details>\n\n";
    if !sheet.push(&text) {
        sheet.left_out(&format!(
            "{} under “{title}”",
            count(lines.len() as u64, "line", "lines")
        ));
    }
}

fn footer(run: &Run<'_>) -> String {
    let dispositions = [
        (Disposition::Allowed, "allowed"),
        (Disposition::Baseline, "in the baseline"),
        (Disposition::NotGated, "not gated"),
    ];
    let mut out = count(
        run.triage.count(run.parsed, Disposition::Unexpected).0,
        "unexpected finding",
        "unexpected findings",
    );
    for (disposition, word) in dispositions {
        match run.triage.count(run.parsed, disposition).0 {
            0 => {}
            n => out += &format!(", {} {word}", grouped(n)),
        }
    }
    let lines: u64 = run.parsed.inputs.iter().map(|i| i.lines).sum();
    out += &format!(
        "; {}, {}.",
        count(run.parsed.inputs.len() as u64, "input", "inputs"),
        count(lines, "line", "lines")
    );
    if run.verdict.outcome != Outcome::Pass && !run.verdict.evidence.is_empty() {
        out += &format!(
            " Seen: {}.",
            plain(&shortened(&run.verdict.evidence, MAX_MESSAGE))
        );
    }
    out + "\n"
}
