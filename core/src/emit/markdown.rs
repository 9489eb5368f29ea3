//! Markdown reports for job summaries and comments: the verdict, a table of the worst findings, and
//! collapsed details of each finding.
//!
//! Services limit the length of such texts. The report is built from whole pieces as long as they
//! fit, and lists the pieces that don't.

mod bounded_text;
mod detail;
mod link;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use hashbrown::HashSet;

use self::bounded_text::BoundedText;
use super::escape::{code, code_in_table, prose};
use super::group::{ChangeLabels, Group, groups};
use super::location;
use super::next_step::next_step;
use super::summary::shortened;
use super::{FindingInRun, RenderOptions, Run};
use crate::compare::summary;
use crate::numbers::{amount, count, grouped};
use crate::policy::Level;
use crate::problem::Problem;
use crate::reason::{Reason, ReasonCode};
use crate::triage::{Cause, Disposition};
use crate::verdict::{NO_OUTPUT, Outcome};

/// Maximum number of rows in the table of findings, at the default length limit.
const MAX_ROWS: usize = 50;

/// Maximum number of lines in each of the lists of reasons, accepted findings and notes.
const MAX_LINES: usize = 20;

/// Maximum length of a message, in characters.
const MAX_MESSAGE: usize = 500;

/// Writes the report.
pub(crate) fn write(
    run: &Run<'_>,
    options: &RenderOptions<'_>,
    out: &mut dyn fmt::Write,
) -> fmt::Result {
    let findings = groups(run, Disposition::Unexpected);
    let footer = footer(run);
    let mut report = BoundedText::new(options.max_characters, &footer);
    let (mark, label) = match run.verdict.outcome {
        Outcome::Pass => ("✅", "pass"),
        Outcome::Fail => ("❌", "fail"),
        Outcome::Error => ("⚠️", "error"),
    };
    report.push(&format!(
        "## {mark} leakgate: {label}{}\n\n",
        headline(run, findings.len())
    ));
    if !options.preamble.is_empty() {
        report.push(&format!("{}\n\n", options.preamble));
    }
    input_errors(run, &mut report);
    reasons(run, &mut report);
    if let Some(changes) = run.changes {
        report.push(&format!(
            "Compared with the base run: {}.\n\n",
            summary(changes)
        ));
    }
    let max_rows = scaled(MAX_ROWS, options.max_characters);
    let rows = table(&findings, max_rows, run, options, &mut report);
    if let Some(step) = next_step(run) {
        // The names in it have no character that Markdown interprets.
        report.push(&format!("**Next:** {step}\n\n"));
    }
    let max_details = scaled(detail::MAX_SHOWN, options.max_characters);
    let details = detail::write(&findings, max_details, run, options, &mut report);
    accepted(run, &mut report);
    notes(run, &mut report);
    let total = grouped(findings.len() as u64);
    let omitted = |shown: usize| grouped((findings.len() - shown) as u64);
    if rows < findings.len() {
        let what = format!("{} of {total} findings in the table", omitted(rows));
        report.note_limited(&what, max_rows, rows);
    }
    if details < findings.len() {
        let what = format!("the details of {} of {total} findings", omitted(details));
        report.note_limited(&what, max_details, details);
    }
    out.write_str(&report.finish())
}

/// Returns the maximum number of pieces for a length limit, from that for the default limit. A
/// shorter text has as many, as far as they fit.
fn scaled(max: usize, max_characters: usize) -> usize {
    max * (max_characters / RenderOptions::DEFAULT_MAX_CHARACTERS).max(1)
}

/// Returns the end of the heading: the number of findings, or why the gate doesn't pass.
fn headline(run: &Run<'_>, findings: usize) -> String {
    let open = count(findings as u64, "unexpected finding", "unexpected findings");
    match run.verdict.outcome {
        Outcome::Pass => String::new(),
        _ if findings > 0 => format!(", {open}"),
        Outcome::Fail => String::from(", not proven clean"),
        Outcome::Error => String::from(", an input could not be read"),
    }
}

/// Writes a line for each input that could not be read.
fn input_errors(run: &Run<'_>, report: &mut BoundedText) {
    let all = run.input_errors;
    for error in all.iter().take(MAX_LINES) {
        report.push(&format!("- {}\n", prose(&shortened(error, MAX_MESSAGE))));
    }
    if all.len() > MAX_LINES {
        report.push(&format!("- … {} more\n", all.len() - MAX_LINES));
    }
    if !all.is_empty() {
        report.push("\n");
    }
}

/// Writes the evidence if the gate passes, otherwise a line for each reason. The reason for
/// unexpected findings is left out, because the heading states their number.
fn reasons(run: &Run<'_>, report: &mut BoundedText) {
    if run.verdict.outcome == Outcome::Pass {
        report.push(&format!(
            "{}\n\n",
            prose(&shortened(&run.verdict.evidence, MAX_MESSAGE))
        ));
    }
    let all: Vec<&Reason> = run
        .verdict
        .reasons
        .iter()
        .filter(|r| r.code != ReasonCode::UnexpectedFinding)
        .collect();
    for reason in all.iter().take(MAX_LINES) {
        report.push(&format!(
            "- **{}**: {}{}\n",
            reason.code,
            prose(&shortened(&reason.message, MAX_MESSAGE)),
            reason.more()
        ));
    }
    if !all.is_empty() {
        report.push("\n");
    }
}

/// Writes the table of findings, of at most `max_rows` rows. Returns the number of its rows.
fn table(
    findings: &[Group<'_>],
    max_rows: usize,
    run: &Run<'_>,
    options: &RenderOptions<'_>,
    report: &mut BoundedText,
) -> usize {
    if findings.is_empty() {
        return 0;
    }
    let labels = ChangeLabels::new(run);
    let states: Vec<&str> = findings
        .iter()
        .map(|group| state(group, run, &labels))
        .collect();
    let with_state = states.iter().any(|state| !state.is_empty());
    let head = if with_state {
        "| | Kind | Bytes | Blocks | Function | Location | State |\n\
         |---:|---|---:|---:|---|---|---|\n"
    } else {
        "| | Kind | Bytes | Blocks | Function | Location |\n\
         |---:|---|---:|---:|---|---|\n"
    };
    // The head is only written together with a row.
    let row = |at: usize| {
        let state = with_state.then_some(states[at]);
        row(at, &findings[at], run, options, state)
    };
    let first = row(0);
    if !report.push(&format!("{head}{first}")) {
        return 0;
    }
    let rows = 1
        + (1..findings.len().min(max_rows))
            .take_while(|at| report.push(&row(*at)))
            .count();
    report.push("\n");
    rows
}

/// Returns a row of the table.
fn row(
    at: usize,
    group: &Group<'_>,
    run: &Run<'_>,
    options: &RenderOptions<'_>,
    state: Option<&str>,
) -> String {
    const MAX_CELL: usize = 120;
    let FindingInRun {
        finding, triaged, ..
    } = group.first();
    let leak = group.leak();
    let number = |n: Option<u64>| n.map_or(String::new(), grouped);
    let function = location::culprit_frame(finding, triaged)
        .map(|f| run.triage.names.simple(&f.info))
        .unwrap_or_default();
    let source = location::finding_location(finding, triaged, run);
    let url = source.as_ref().and_then(|at| link::url(at, options));
    let place = source.unwrap_or_else(|| location::log_location(finding, run));
    let cell = |text: &str| {
        if text.is_empty() {
            String::new()
        } else {
            code_in_table(&shortened(text, MAX_CELL))
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
        link::linked(cell(&format!("{place}")), url),
    )
}

/// Returns why a group is unexpected, or its change since the baseline or the base run. Empty if
/// there is nothing to compare with.
fn state(group: &Group<'_>, run: &Run<'_>, labels: &ChangeLabels<'_>) -> &'static str {
    match group.first().triaged.cause {
        Some(Cause::Grown) => "grown",
        Some(Cause::ExpiredRule) => "rule expired",
        Some(Cause::OverLimit) => "over limit",
        None if run.gate.baseline.is_some() => "new",
        None => labels.label(group.first().triaged).unwrap_or(""),
    }
}

/// Writes a collapsed list of the rules that accept findings, and of the baseline.
fn accepted(run: &Run<'_>, report: &mut BoundedText) {
    let rules = run
        .rules()
        .filter(|(_, usage)| usage.findings > 0 && !usage.expired && !usage.over_limit);
    let mut lines: Vec<String> = rules
        .map(|(rule, usage)| {
            let sum = if usage.bytes > 0 {
                format!(", {}", amount(usage.bytes, usage.blocks))
            } else {
                String::new()
            };
            let reason = prose(&shortened(&rule.metadata.reason, MAX_MESSAGE));
            let origin = code(&format!("{}", rule.origin));
            format!(
                "- {} ({origin}): {}{sum}. {reason}\n",
                code(&rule.id),
                count(usage.decided, "record", "records")
            )
        })
        .collect();
    if let Some(baseline) = &run.triage.baseline {
        if baseline.known > 0 {
            lines.push(format!(
                "- {} in the baseline, not grown\n",
                count(baseline.known, "finding", "findings")
            ));
        }
        let fixed = baseline.fixed.len() as u64;
        if fixed > 0 {
            lines.push(format!(
                "- {} of the baseline fixed\n",
                count(fixed, "finding", "findings")
            ));
        }
    }
    folded("Accepted", &lines, report);
}

/// Writes a collapsed list of warnings, advice about rules, and problems that the reasons don't
/// mention.
fn notes(run: &Run<'_>, report: &mut BoundedText) {
    let mut lines: Vec<String> = Vec::new();
    let mut line = |place: &str, message: &str, code_name: &str| {
        let place = if place.is_empty() {
            String::new()
        } else {
            format!("{}: ", code(place))
        };
        lines.push(format!(
            "- {place}{} ({})\n",
            prose(&shortened(message, MAX_MESSAGE)),
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
    let reasons: HashSet<_> = run
        .verdict
        .reasons
        .iter()
        .map(|reason| (reason.code, reason.message.as_str()))
        .collect();
    let is_reason = |p: &&Problem| {
        p.code
            .reason()
            .is_some_and(|code| reasons.contains(&(code, p.message.as_str())))
    };
    for problem in run.parsed.problems.iter().filter(|p| !is_reason(p)) {
        line(
            &format!(
                "{}",
                location::log_line_location(problem.input, problem.line, run)
            ),
            &problem.message,
            problem.code.as_str(),
        );
    }
    folded("Notes", &lines, report);
}

/// Writes a collapsed list, unless it's empty.
fn folded(title: &str, lines: &[String], report: &mut BoundedText) {
    if lines.is_empty() {
        return;
    }
    let mut text = format!("<details><summary>{title}: {}</summary>\n\n", lines.len());
    lines.iter().take(MAX_LINES).for_each(|line| text += line);
    if lines.len() > MAX_LINES {
        text += &format!("- … {} more\n", lines.len() - MAX_LINES);
    }
    text += "\n</details>\n\n";
    if !report.push(&text) {
        report.note_omitted(&format!(
            "{} under “{title}”",
            count(lines.len() as u64, "line", "lines")
        ));
    }
}

/// Returns the last line: totals, and the evidence if the gate doesn't pass.
fn footer(run: &Run<'_>) -> String {
    let dispositions = [
        (Disposition::Allowed, "allowed"),
        (Disposition::Baseline, "in the baseline"),
        (Disposition::NotGated, "that don't fail the gate"),
    ];
    let mut out = count(
        run.triage.count(run.parsed, Disposition::Unexpected).groups,
        "unexpected finding",
        "unexpected findings",
    );
    for (disposition, label) in dispositions {
        match run.triage.count(run.parsed, disposition).groups {
            0 => {}
            1 => out += &format!(", 1 {}", label.replace("don't", "doesn't")),
            n => out += &format!(", {} {label}", grouped(n)),
        }
    }
    let lines: u64 = run.parsed.inputs.iter().map(|i| i.lines).sum();
    out += &format!(
        "; {}, {}.",
        count(run.parsed.inputs.len() as u64, "input", "inputs"),
        count(lines, "line", "lines")
    );
    let evidence = &run.verdict.evidence;
    if run.verdict.outcome != Outcome::Pass && !evidence.is_empty() {
        let evidence = match evidence.as_str() {
            NO_OUTPUT => String::from("No checker output found"),
            evidence => format!("Seen: {}", prose(&shortened(evidence, MAX_MESSAGE))),
        };
        out += &format!(" {evidence}.");
    }
    out + "\n"
}
