//! The effects of rules and of the baseline, and advice about rules.

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;

use super::super::Run;
use super::super::escape::terminal;
use super::paint::Paint;
use crate::numbers::{count, grouped};
use crate::policy::Level;
use crate::rules::{Advice, Rule, RuleUsage};

/// Maximum number of fixed baseline entries listed.
const MAX_FIXED: usize = 5;

/// Writes a line for each rule that accepts findings, lines for the baseline, warnings and advice.
pub(crate) fn write(run: &Run<'_>, paint: Paint, out: &mut dyn fmt::Write) -> fmt::Result {
    let rules = || {
        run.rules()
            .filter(|(_, usage)| usage.findings > 0 && !usage.expired && !usage.over_limit)
    };
    if rules().next().is_some() {
        writeln!(out)?;
    }
    for (rule, usage) in rules() {
        allowed(rule, usage, paint, out)?;
    }
    baseline(run, paint, out)?;
    advice(run, paint, out)
}

/// Writes the line for a rule that accepts findings.
fn allowed(rule: &Rule, usage: &RuleUsage, paint: Paint, out: &mut dyn fmt::Write) -> fmt::Result {
    let bytes = if usage.bytes > 0 {
        format!(", {}", count(usage.bytes, "byte", "bytes"))
    } else {
        String::new()
    };
    let records = count(usage.decided, "record", "records");
    let origin = if rule.id.contains(&rule.origin.to_string()) {
        String::new()
    } else {
        let origin = format!("({})", terminal(&rule.origin.to_string()));
        format!(" {}", paint.dim(&origin))
    };
    let reason = if rule.metadata.reason.is_empty() {
        String::new()
    } else {
        format!(": {}", rule.metadata.reason)
    };
    writeln!(
        out,
        "{} {records}{bytes} by {}{origin}{}",
        paint.good("allowed"),
        terminal(&rule.id),
        terminal(&reason)
    )
}

/// Writes the number of known findings, and the fixed ones.
fn baseline(run: &Run<'_>, paint: Paint, out: &mut dyn fmt::Write) -> fmt::Result {
    let Some(baseline) = &run.triage.baseline else {
        return Ok(());
    };
    if baseline.known > 0 {
        writeln!(
            out,
            "{} {} known, not grown",
            paint.good("baseline"),
            count(baseline.known, "finding", "findings")
        )?;
    }
    let fixed = &baseline.fixed;
    for known in fixed.iter().take(MAX_FIXED) {
        let place = known
            .frames
            .first()
            .map_or(String::new(), |f| format!(" in {}", terminal(f)));
        writeln!(
            out,
            "{} {}{place} {}",
            paint.good("fixed"),
            terminal(&known.describe()),
            paint.dim(&terminal(&known.fingerprint))
        )?;
    }
    if fixed.len() > MAX_FIXED {
        writeln!(
            out,
            "{} {} more",
            paint.good("fixed"),
            grouped((fixed.len() - MAX_FIXED) as u64)
        )?;
    }
    Ok(())
}

/// Writes the warnings of the verdict and the advice about rules. For each kind of advice, only the
/// first rules of a file are listed; for the others, their number is shown.
fn advice(run: &Run<'_>, paint: Paint, out: &mut dyn fmt::Write) -> fmt::Result {
    const MAX_LISTED: usize = 5;
    for warning in &run.verdict.warnings {
        writeln!(
            out,
            "{} {} {}",
            paint.mark("warning"),
            terminal(&warning.message),
            paint.dim(&format!("[{}]", warning.code))
        )?;
    }
    let shown = || run.triage.advice.iter().filter(|a| a.level != Level::Allow);
    for advice in shown() {
        let Some(rule) = run.gate.rules.get(advice.rule) else {
            continue;
        };
        let alike = |a: &&Advice| {
            a.code == advice.code
                && run
                    .gate
                    .rules
                    .get(a.rule)
                    .is_some_and(|r| r.origin.file == rule.origin.file)
        };
        let number = shown()
            .filter(alike)
            .position(|a| a.rule == advice.rule)
            .unwrap_or(0);
        let all = shown().filter(alike).count();
        if number == MAX_LISTED && all > MAX_LISTED {
            writeln!(
                out,
                "{} {}: {} more [{}]",
                paint.mark("rule"),
                terminal(&rule.origin.file),
                all - MAX_LISTED,
                advice.code.as_str()
            )?;
        }
        if number >= MAX_LISTED && all > MAX_LISTED {
            continue;
        }
        let place = place(rule);
        let code = paint
            .dim(&format!("[{}]", advice.code.as_str()))
            .into_owned();
        writeln!(
            out,
            "{} {place}{}: {} {code}",
            paint.mark("rule"),
            terminal(&rule.id),
            terminal(&advice.message)
        )?;
    }
    Ok(())
}

/// Returns the origin of a rule with a space after it. Empty if the id contains the origin.
fn place(rule: &Rule) -> String {
    let origin = rule.origin.to_string();
    if rule.id.contains(&origin) {
        String::new()
    } else {
        format!("{} ", terminal(&origin))
    }
}
