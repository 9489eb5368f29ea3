//! The parts of the page that need no script.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::compare::{Side, sized, summary};
use crate::emit::Run;
use crate::emit::escape::xml;
use crate::numbers::{count, grouped};
use crate::rules::Rule;
use crate::triage::{Disposition, Use};
use crate::verdict::{Outcome, Reason};

/// So many rows of a list are written; the last says how many there are more.
const MAX_ROWS: usize = 500;

pub(super) fn title(run: &Run<'_>) -> String {
    let (open, _) = run.triage.count(run.parsed, Disposition::Unexpected);
    let what = match run.verdict.outcome {
        Outcome::Pass => String::from("pass"),
        Outcome::Error => String::from("error"),
        Outcome::Fail if open > 0 => format!(
            "fail, {}",
            count(open, "unexpected finding", "unexpected findings")
        ),
        Outcome::Fail => String::from("fail, not proved clean"),
    };
    format!("leakgate: {what}")
}

/// Writes everything between `<body>` and the data.
pub(super) fn write(run: &Run<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    let outcome = run.verdict.outcome.as_str();
    write!(
        out,
        "<a class=\"skip\" href=\"#findings\">Go to the findings</a>\n<header class=\"{outcome}\">\n"
    )?;
    writeln!(out, "<h1>{}</h1>", xml(&title(run)))?;
    verdict(run, out)?;
    out.write_str("</header>\n<main>\n")?;
    out.write_str(FINDINGS)?;
    lists(run, out)?;
    write!(
        out,
        "</main>\n<footer><p>Made by leakgate {}. This page loads nothing and sends nothing.</p></footer>\n",
        env!("CARGO_PKG_VERSION")
    )
}

/// Writes what was proved or seen, and every reason.
pub(super) fn verdict(run: &Run<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    writeln!(out, "<p>{}</p>", xml(&run.verdict.evidence))?;
    if let Some(changes) = run.changes {
        writeln!(out, "<p>Against the base: {}.</p>", summary(changes))?;
    }
    reasons("reasons", &run.verdict.reasons, out)?;
    reasons("warnings", &run.verdict.warnings, out)
}

/// Writes what has changed, rules, problems, reports and inputs.
pub(super) fn lists(run: &Run<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    changes(run, out)?;
    rules(run, out)?;
    problems(run, out)?;
    inputs(run, out)
}

/// Where the script puts the findings.
const FINDINGS: &str = r#"<section id="findings" aria-labelledby="findings-title" tabindex="-1">
<h2 id="findings-title">Findings</h2>
<noscript><p class="hint">The findings are in this page as data; a script of the page shows them, and this browser runs none.</p></noscript>
<div id="app"></div>
</section>
"#;

fn reasons(class: &str, reasons: &[Reason], out: &mut dyn fmt::Write) -> fmt::Result {
    if reasons.is_empty() {
        return Ok(());
    }
    writeln!(out, "<ul class=\"{class}\">")?;
    for reason in reasons {
        let more = if reason.count > 1 {
            format!(" <b>{}×</b>", grouped(reason.count))
        } else {
            String::new()
        };
        writeln!(
            out,
            "<li><code>{}</code>{more} {}</li>",
            reason.code,
            xml(&reason.message)
        )?;
    }
    out.write_str("</ul>\n")
}

/// A list that is folded, unless something in it needs a look.
fn table(
    title: &str,
    open: bool,
    head: &[&str],
    rows: impl ExactSizeIterator<Item = Vec<String>>,
    out: &mut dyn fmt::Write,
) -> fmt::Result {
    let all = rows.len();
    if all == 0 {
        return Ok(());
    }
    let open = if open { " open" } else { "" };
    writeln!(
        out,
        "<details{open}><summary><h2>{title} <span class=\"n\">{}</span></h2></summary>",
        grouped(all as u64)
    )?;
    write!(
        out,
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{title}\"><table>\n<thead><tr>"
    )?;
    head.iter()
        .try_for_each(|name| write!(out, "<th scope=\"col\">{name}</th>"))?;
    out.write_str("</tr></thead>\n<tbody>\n")?;
    for row in rows.take(MAX_ROWS) {
        writeln!(out, "<tr><td>{}</td></tr>", row.join("</td><td>"))?;
    }
    if all > MAX_ROWS {
        let left = grouped((all - MAX_ROWS) as u64);
        writeln!(
            out,
            "<tr><td colspan=\"{}\">and {left} more; the JSON document has all of them</td></tr>",
            head.len()
        )?;
    }
    out.write_str("</tbody>\n</table></div>\n</details>\n")
}

fn changes(run: &Run<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    let all = run.changes.unwrap_or_default();
    let rows = all.iter().map(|change| {
        let side = |side: &Option<Side>| {
            side.as_ref()
                .map_or(String::new(), |side| xml(&sized(side)))
        };
        let place = change
            .after
            .as_ref()
            .or(change.before.as_ref())
            .and_then(|side| side.place.as_deref());
        Vec::from([
            format!("<span class=\"state {0}\">{0}</span>", change.what.as_str()),
            xml(&change.kind),
            code(change.function.as_deref().unwrap_or("")),
            code(place.unwrap_or("")),
            side(&change.before),
            side(&change.after),
        ])
    });
    table(
        "Changes",
        true,
        &["change", "kind", "function", "place", "before", "now"],
        rows,
        out,
    )
}

fn rules(run: &Run<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    let rules = run.gate.rules.iter().zip(&run.triage.uses);
    let open = run
        .triage
        .uses
        .iter()
        .any(|used| !matches!(used.state(), "used" | "not-tried"));
    table(
        "Rules",
        open,
        &["state", "rule", "findings", "bytes", "reason", "from"],
        rules.map(|(rule, used)| row(rule, used)),
        out,
    )?;
    let advice = run.triage.advice.iter().map(|a| {
        let rule = run.gate.rules.get(a.rule).map_or("", |r| r.id.as_str());
        Vec::from([
            a.level.as_str().to_string(),
            code(a.code.as_str()),
            code(rule),
            xml(&a.message),
        ])
    });
    table(
        "About the rules",
        true,
        &["level", "code", "rule", "message"],
        advice,
        out,
    )
}

fn row(rule: &Rule, used: &Use) -> Vec<String> {
    let until = rule
        .expires
        .map_or(String::new(), |day| format!(" Until {day}."));
    Vec::from([
        format!("<span class=\"state {0}\">{0}</span>", used.state()),
        code(&rule.id),
        grouped(used.findings),
        grouped(used.bytes),
        format!("{}{until}", xml(&rule.about.reason)),
        code(&rule.origin.to_string()),
    ])
}

fn problems(run: &Run<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    let all = &run.parsed.problems;
    let open = all.iter().any(|p| p.code.reason().is_some());
    let rows = all.iter().map(|p| {
        let input = run
            .parsed
            .inputs
            .get(p.input)
            .map_or(String::new(), crate::model::Input::shown);
        let level = if p.code.reason().is_some() {
            "fatal"
        } else {
            "note"
        };
        Vec::from([
            level.into(),
            code(p.code.as_str()),
            code(&format!("{input}:{}", p.line)),
            xml(&p.message),
        ])
    });
    table(
        "Problems",
        open,
        &["level", "code", "place", "message"],
        rows,
        out,
    )
}

fn inputs(run: &Run<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    let inputs = &run.parsed.inputs;
    let reports = run.parsed.reports.iter().map(|r| {
        let place = format!(
            "{}:{}",
            inputs
                .get(r.input)
                .map_or(String::new(), crate::model::Input::shown),
            r.first_line
        );
        let version = r.version.as_deref().unwrap_or("");
        Vec::from([
            xml(&format!("{} {version}", r.tool)),
            r.pid.map_or(String::new(), |pid| pid.to_string()),
            if r.complete { "yes" } else { "no" }.into(),
            grouped(r.printed),
            code(r.command.as_deref().unwrap_or("")),
            code(&place),
        ])
    });
    table(
        "Reports",
        false,
        &["checker", "pid", "complete", "records", "command", "place"],
        reports,
        out,
    )?;
    let rows = inputs.iter().map(|i| {
        let spoke = if i.spoke { "yes" } else { "no" };
        Vec::from([
            code(&i.shown()),
            grouped(i.bytes),
            grouped(i.lines),
            spoke.into(),
        ])
    });
    table(
        "Inputs",
        false,
        &["input", "bytes", "lines", "a checker spoke"],
        rows,
        out,
    )
}

fn code(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!("<code>{}</code>", xml(text))
    }
}
