//! What the rules and the baseline did, and what is to be said about them.

use alloc::format;
use alloc::string::String;
use core::fmt;

use super::super::Run;
use super::super::escape::terminal;
use super::paint::Paint;
use crate::numbers::{count, grouped};
use crate::rules::Rule;
use crate::triage::Use;
use crate::verdict::Level;

/// Entries of the baseline that are listed.
const MAX_FIXED: usize = 5;

/// A line for each rule that allows something, for the baseline, and for each advice.
pub(crate) fn write(run: &Run<'_>, paint: Paint, out: &mut dyn fmt::Write) -> fmt::Result {
    let rules = || {
        run.gate
            .rules
            .iter()
            .zip(&run.triage.uses)
            .filter(|(_, used)| used.findings > 0 && !used.expired && !used.over_limit)
    };
    if rules().next().is_some() {
        writeln!(out)?;
    }
    for (rule, used) in rules() {
        allowed(rule, used, paint, out)?;
    }
    baseline(run, paint, out)?;
    advice(run, paint, out)
}

fn allowed(rule: &Rule, used: &Use, paint: Paint, out: &mut dyn fmt::Write) -> fmt::Result {
    let bytes = if used.bytes > 0 {
        format!(", {}", count(used.bytes, "byte", "bytes"))
    } else {
        String::new()
    };
    let what = count(used.decided, "record", "records");
    let (id, origin) = (terminal(&rule.id), format!("{}", rule.origin));
    let reason = if rule.about.reason.is_empty() {
        String::new()
    } else {
        format!(": {}", rule.about.reason)
    };
    writeln!(
        out,
        "{} {what}{bytes} by {id} {}{}",
        paint.good("allowed"),
        paint.dim(&format!("({})", terminal(&origin))),
        terminal(&reason)
    )
}

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

/// Of many unused rules of one file only the number is told.
fn advice(run: &Run<'_>, paint: Paint, out: &mut dyn fmt::Write) -> fmt::Result {
    const MANY: usize = 5;
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
        let alike = |a: &&crate::Advice| {
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
        if number == MANY && all > MANY {
            writeln!(
                out,
                "{} {}: {} more [{}]",
                paint.mark("rule"),
                terminal(&rule.origin.file),
                all - MANY,
                advice.code.as_str()
            )?;
        }
        if number >= MANY && all > MANY {
            continue;
        }
        let place = format!("{}", rule.origin);
        let code = paint
            .dim(&format!("[{}]", advice.code.as_str()))
            .into_owned();
        writeln!(
            out,
            "{} {} {}: {} {code}",
            paint.mark("rule"),
            terminal(&place),
            terminal(&rule.id),
            terminal(&advice.message)
        )?;
    }
    Ok(())
}
