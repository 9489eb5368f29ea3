//! JUnit XML, which is read by Jenkins, GitLab and dashboards
//! (<https://github.com/jenkinsci/xunit-plugin/blob/master/src/main/resources/org/jenkinsci/plugins/xunit/types/model/xsd/junit-10.xsd>).
//!
//! Each checker has a test suite, in which unexpected findings are failures and accepted findings
//! are skipped tests. A checker without failures has a test that passes. The suite `leakgate`
//! contains the verdict, in which each reason that isn't about findings is an error.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::escape::xml;
use super::group::{Group, groups};
use super::location;
use super::summary;
use super::{FindingInRun, Run};
use crate::advice;
use crate::model::Tool;
use crate::numbers::count;
use crate::problem::Problem;
use crate::triage::Disposition;
use crate::verdict::Outcome;

/// Maximum number of failures per checker that include their stacks, because GitLab reads at most
/// 30 MB.
const MAX_DETAILED: usize = 1000;

/// A test case.
struct TestCase {
    class: String,
    name: String,
    outcome: TestOutcome,
}

/// The outcome of a test, with its texts.
enum TestOutcome {
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

/// Writes the report.
pub(crate) fn write(run: &Run<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    let mut suites = alloc::vec![(String::from("leakgate"), verdict_cases(run))];
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
            .map(|tool| (tool.to_string(), tool_cases(tool, run))),
    );
    let cases: Vec<&TestCase> = suites.iter().flat_map(|(_, cases)| cases).collect();
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<testsuites name=\"leakgate\" {}>", counts(&cases))?;
    for (name, cases) in &suites {
        suite(name, cases, out)?;
    }
    writeln!(out, "</testsuites>")
}

/// Returns the attributes that state the numbers of tests, failures and errors.
fn counts(cases: &[&TestCase]) -> String {
    let number = |is: fn(&TestOutcome) -> bool| cases.iter().filter(|c| is(&c.outcome)).count();
    let failures = number(|outcome| matches!(outcome, TestOutcome::Failed { .. }));
    let errors = number(|outcome| matches!(outcome, TestOutcome::Error { .. }));
    format!(
        "tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\"",
        cases.len()
    )
}

/// Writes a test suite.
fn suite(name: &str, cases: &[TestCase], out: &mut dyn fmt::Write) -> fmt::Result {
    let all: Vec<&TestCase> = cases.iter().collect();
    let skipped = cases
        .iter()
        .filter(|c| matches!(c.outcome, TestOutcome::Skipped(_)))
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

/// Writes a test case.
fn case(case: &TestCase, out: &mut dyn fmt::Write) -> fmt::Result {
    writeln!(
        out,
        "    <testcase classname=\"{}\" name=\"{}\">",
        xml(&case.class),
        xml(&case.name)
    )?;
    match &case.outcome {
        TestOutcome::Passed(text) => writeln!(out, "      <system-out>{}</system-out>", xml(text))?,
        TestOutcome::Skipped(reason) => {
            writeln!(out, "      <skipped message=\"{}\"/>", xml(reason))?
        }
        TestOutcome::Failed {
            kind,
            message,
            body,
        } => element("failure", kind, message, body, out)?,
        TestOutcome::Error {
            code,
            message,
            body,
        } => element("error", code, message, body, out)?,
    }
    writeln!(out, "    </testcase>")
}

/// Writes a `failure` or `error` element.
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

/// Returns an error for each reason that isn't about findings, or a passing test if there are none.
fn verdict_cases(run: &Run<'_>) -> Vec<TestCase> {
    let case = |name: &str, outcome| TestCase {
        class: String::from("leakgate.verdict"),
        name: String::from(name),
        outcome,
    };
    let reasons = run
        .verdict
        .reasons
        .iter()
        .filter(|r| !r.code.is_about_findings());
    let mut cases: Vec<TestCase> = reasons
        .map(|reason| {
            let problems = run
                .parsed
                .problems
                .iter()
                .filter(|p| p.code.reason() == Some(reason.code));
            let line = |p: &Problem| {
                format!(
                    "{}: {} [{}]\n",
                    location::log_line_location(p.input, p.line, run),
                    p.message,
                    p.code
                )
            };
            let error = TestOutcome::Error {
                code: reason.code.as_str(),
                message: reason.message.clone(),
                body: problems.map(line).collect(),
            };
            case(reason.code.as_str(), error)
        })
        .collect();
    if run.verdict.outcome == Outcome::Error && cases.is_empty() {
        let error = TestOutcome::Error {
            code: "error",
            message: String::from("an input could not be read"),
            body: run.verdict.evidence.clone(),
        };
        cases.push(case("input", error));
    }
    if cases.is_empty() {
        let passed = TestOutcome::Passed(run.verdict.evidence.clone());
        cases.push(case("evidence", passed));
    }
    cases
}

/// Returns the tests of a checker: failures or a passing test, then skipped tests.
fn tool_cases(tool: &Tool, run: &Run<'_>) -> Vec<TestCase> {
    let groups_with = |disposition| {
        groups(run, disposition)
            .into_iter()
            .filter(move |g| g.first().finding.tool == *tool)
    };
    let mut cases: Vec<TestCase> = groups_with(Disposition::Unexpected)
        .enumerate()
        .map(|(at, group)| failure(&group, at < MAX_DETAILED, run))
        .collect();
    if cases.is_empty() {
        let reports = run
            .parsed
            .reports
            .iter()
            .filter(|r| r.tool == *tool)
            .count() as u64;
        let text = format!(
            "{}: no unexpected findings",
            count(reports, "report", "reports")
        );
        cases.push(TestCase {
            class: tool.to_string(),
            name: String::from("clean"),
            outcome: TestOutcome::Passed(text),
        });
    }
    for disposition in [Disposition::Allowed, Disposition::Baseline] {
        cases.extend(groups_with(disposition).map(|group| skipped(&group, run)));
    }
    cases
}

/// Returns a name that stays the same between runs, which lets dashboards track the test.
fn name(group: &Group<'_>, run: &Run<'_>) -> String {
    let FindingInRun {
        finding, triaged, ..
    } = group.first();
    let function = location::culprit_frame(finding, triaged)
        .filter(|f| f.info.name().is_some())
        .map(|f| run.triage.names.simple(&f.info));
    let function = function.map_or(String::new(), |name| {
        format!(" in {}", summary::shortened(&name, 200))
    });
    format!("{}{function} {}", finding.kind, triaged.fingerprint)
}

/// Returns the failure for a group of unexpected findings. `detailed` includes stacks and help.
fn failure(group: &Group<'_>, detailed: bool, run: &Run<'_>) -> TestCase {
    let FindingInRun {
        finding, triaged, ..
    } = group.first();
    let place = location::finding_location(finding, triaged, run)
        .unwrap_or_else(|| location::log_location(finding, run));
    let mut body = format!("{place}\n");
    if detailed {
        let help = advice::for_kind(&finding.kind);
        body += &format!(
            "{}{}\n{}\n",
            summary::stacks(finding, triaged, run, true),
            help.meaning,
            help.fix
        );
    }
    body += &format!(
        "{} {}\n",
        finding.tool,
        location::log_location(finding, run)
    );
    let failed = TestOutcome::Failed {
        kind: finding.kind.to_string(),
        message: summary::headline(group, run),
        body,
    };
    TestCase {
        class: finding.tool.to_string(),
        name: name(group, run),
        outcome: failed,
    }
}

/// Returns the skipped test for a group of accepted findings.
fn skipped(group: &Group<'_>, run: &Run<'_>) -> TestCase {
    let FindingInRun { finding, rule, .. } = group.first();
    let reason = match rule {
        Some(rule) => format!(
            "allowed by {} ({}): {}",
            rule.id, rule.origin, rule.metadata.reason
        ),
        None => String::from("in the baseline"),
    };
    TestCase {
        class: finding.tool.to_string(),
        name: name(group, run),
        outcome: TestOutcome::Skipped(reason),
    }
}
