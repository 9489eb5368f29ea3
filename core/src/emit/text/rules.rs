//! The effects of rules and of the baseline, and advice about rules.

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;

use hashbrown::HashMap;

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
        format!(" {}", paint.dim(&paint.whole(&origin)))
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
    let shown = || {
        let advice = run.triage.advice.iter();
        advice
            .filter(|advice| advice.level != Level::Allow)
            .filter_map(|advice| Some((advice, run.gate.rules.get(advice.rule)?)))
    };
    // For each code and file, the numbers of all rules and of those before the current one.
    let mut counts: HashMap<(&str, &str), (usize, usize)> = HashMap::new();
    for (advice, rule) in shown() {
        counts.entry(advice_group(advice, rule)).or_default().0 += 1;
    }
    for (advice, rule) in shown() {
        let count = counts.entry(advice_group(advice, rule)).or_default();
        let (all, number) = *count;
        count.1 += 1;
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

/// Returns what is counted together: the code of an advice, and the file of its rule.
fn advice_group<'a>(advice: &Advice, rule: &'a Rule) -> (&'static str, &'a str) {
    (advice.code.as_str(), &rule.origin.file)
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
