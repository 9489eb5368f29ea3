//! JUnit's XML, as Jenkins, GitLab and dashboards read it
//! (<https://github.com/jenkinsci/xunit-plugin/blob/master/src/main/resources/org/jenkinsci/plugins/xunit/types/model/xsd/junit-10.xsd>).
//!
//! A suite for each checker: what nobody accepted is a failure, what is accepted is skipped, and a
//! checker without failures has a test that passes. The suite `leakgate` holds the verdict: each
//! reason that is no finding is an error.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::Run;
use super::escape::xml;
use super::group::{Group, groups};
use super::places;
use super::words;
use crate::advice;
use crate::model::Tool;
use crate::numbers::count;
use crate::triage::Disposition;

/// Failures of a checker that are told with their stacks: GitLab reads 30 MB at most.
const MAX_TOLD: usize = 1000;

/// A test case.
struct Case {
    class: String,
    name: String,
    what: What,
}

/// What became of a test.
enum What {
    Passed(String),
    Failed {
        kind: String,
        message: String,
        body: String,
    },
    Skipped(String),
    Error {
        code: &'static str,
        message: String,
        body: String,
    },
}

/// Writes the document.
pub(crate) fn write(run: &Run<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    let mut suites = alloc::vec![(String::from("leakgate"), verdict(run))];
    let mut tools: Vec<&Tool> = run
        .parsed
        .reports
        .iter()
        .map(|r| &r.tool)
        .chain(run.parsed.findings.iter().map(|f| &f.tool))
        .collect();
    tools.sort_unstable();
    tools.dedup();
    suites.extend(
        tools
            .into_iter()
            .map(|tool| (tool.to_string(), of_tool(tool, run))),
    );
    let cases: Vec<&Case> = suites.iter().flat_map(|(_, cases)| cases).collect();
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<testsuites name=\"leakgate\" {}>", counts(&cases))?;
    for (name, cases) in &suites {
        suite(name, cases, out)?;
    }
    writeln!(out, "</testsuites>")
}

fn counts(cases: &[&Case]) -> String {
    let number = |is: fn(&What) -> bool| cases.iter().filter(|c| is(&c.what)).count();
    let failures = number(|w| matches!(w, What::Failed { .. }));
    let errors = number(|w| matches!(w, What::Error { .. }));
    format!(
        "tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\"",
        cases.len()
    )
}

fn suite(name: &str, cases: &[Case], out: &mut dyn fmt::Write) -> fmt::Result {
    let all: Vec<&Case> = cases.iter().collect();
    let skipped = cases
        .iter()
        .filter(|c| matches!(c.what, What::Skipped(_)))
        .count();
    writeln!(
        out,
        "  <testsuite name=\"{}\" {} skipped=\"{skipped}\">",
        xml(name),
        counts(&all)
    )?;
    cases.iter().try_for_each(|case| self::case(case, out))?;
    writeln!(out, "  </testsuite>")
}

fn case(case: &Case, out: &mut dyn fmt::Write) -> fmt::Result {
    writeln!(
        out,
        "    <testcase classname=\"{}\" name=\"{}\">",
        xml(&case.class),
        xml(&case.name)
    )?;
    match &case.what {
        What::Passed(text) => writeln!(out, "      <system-out>{}</system-out>", xml(text))?,
        What::Skipped(why) => writeln!(out, "      <skipped message=\"{}\"/>", xml(why))?,
        What::Failed {
            kind,
            message,
            body,
        } => element("failure", kind, message, body, out)?,
        What::Error {
            code,
            message,
            body,
        } => element("error", code, message, body, out)?,
    }
    writeln!(out, "    </testcase>")
}

fn element(
    name: &str,
    kind: &str,
    message: &str,
    body: &str,
    out: &mut dyn fmt::Write,
) -> fmt::Result {
    write!(
        out,
        "      <{name} type=\"{}\" message=\"{}\">",
        xml(kind),
        xml(message)
    )?;
    for line in body.lines() {
        write!(out, "\n{}", xml(line))?;
    }
    writeln!(out, "</{name}>")
}

/// The reasons of the verdict that are no findings; a test that passes where there are none.
fn verdict(run: &Run<'_>) -> Vec<Case> {
    let class = String::from("leakgate.verdict");
    let reasons = run
        .verdict
        .reasons
        .iter()
        .filter(|r| !r.code.is_about_findings());
    let mut cases: Vec<Case> = reasons
        .map(|reason| {
            let problems = run
                .parsed
                .problems
                .iter()
                .filter(|p| p.code.reason() == Some(reason.code));
            let line = |p: &crate::Problem| {
                format!(
                    "{}: {} [{}]\n",
                    places::log_line(p.input, p.line, run),
                    p.message,
                    p.code
                )
            };
            let body: String = problems.map(line).collect();
            let what = What::Error {
                code: reason.code.as_str(),
                message: reason.message.clone(),
                body,
            };
            Case {
                class: class.clone(),
                name: reason.code.to_string(),
                what,
            }
        })
        .collect();
    if run.verdict.outcome == crate::Outcome::Error && cases.is_empty() {
        let message = String::from("not everything could be read");
        let what = What::Error {
            code: "error",
            message,
            body: run.verdict.evidence.clone(),
        };
        cases.push(Case {
            class: class.clone(),
            name: String::from("input"),
            what,
        });
    }
    if cases.is_empty() {
        cases.push(Case {
            class,
            name: String::from("evidence"),
            what: What::Passed(run.verdict.evidence.clone()),
        });
    }
    cases
}

fn of_tool(tool: &Tool, run: &Run<'_>) -> Vec<Case> {
    let of = |disposition| {
        groups(run, disposition)
            .into_iter()
            .filter(move |g| g.first().0.tool == *tool)
    };
    let mut cases: Vec<Case> = of(Disposition::Unexpected)
        .enumerate()
        .map(|(at, group)| failure(&group, at < MAX_TOLD, run))
        .collect();
    if cases.is_empty() {
        let reports = run
            .parsed
            .reports
            .iter()
            .filter(|r| r.tool == *tool)
            .count() as u64;
        let text = format!(
            "{}: no finding that nobody accepted",
            count(reports, "report", "reports")
        );
        cases.push(Case {
            class: tool.to_string(),
            name: String::from("clean"),
            what: What::Passed(text),
        });
    }
    for disposition in [Disposition::Allowed, Disposition::Baseline] {
        cases.extend(of(disposition).map(|group| skipped(&group, run)));
    }
    cases
}

/// A name that is the same in the next run, so that a dashboard can follow it.
fn name(group: &Group<'_>) -> String {
    let (finding, item) = group.first();
    let function = places::culprit(finding, item)
        .and_then(|f| f.site.name())
        .map(crate::symbol::simple_name);
    let function = function.map_or(String::new(), |name| {
        format!(" in {}", words::shortened(&name, 200))
    });
    format!("{}{function} {}", finding.kind, item.fingerprint)
}

fn failure(group: &Group<'_>, in_full: bool, run: &Run<'_>) -> Case {
    let (finding, item) = group.first();
    let place = places::spot(finding, item, run).unwrap_or_else(|| places::log_spot(finding, run));
    let mut body = format!("{place}\n");
    if in_full {
        let help = advice::of(&finding.kind);
        body += &format!(
            "{}{}\n{}\n",
            words::stacks(finding, item, run),
            help.meaning,
            help.fix
        );
    }
    body += &format!("{} {}\n", finding.tool, places::log_spot(finding, run));
    let what = What::Failed {
        kind: finding.kind.to_string(),
        message: words::sentence(group, run),
        body,
    };
    Case {
        class: finding.tool.to_string(),
        name: name(group),
        what,
    }
}

fn skipped(group: &Group<'_>, run: &Run<'_>) -> Case {
    let (finding, item) = group.first();
    let rule = item.rule.and_then(|at| run.gate.rules.get(at));
    let why = match rule {
        Some(rule) => format!(
            "allowed by {} ({}): {}",
            rule.id, rule.origin, rule.about.reason
        ),
        None => String::from("known to the baseline"),
    };
    Case {
        class: finding.tool.to_string(),
        name: name(group),
        what: What::Skipped(why),
    }
}
