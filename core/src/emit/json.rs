//! JSON, schema `leakgate/v1`: the contract for machines. Within `v1` fields are only added.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::Serialize;

use super::Run;
use crate::culprit::Class;
use crate::model::{Amount, Finding, Frame, Report, Stack};
use crate::triage::Item;

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    version: &'static str,
    verdict: Verdict<'a>,
    inputs: Vec<Input<'a>>,
    reports: Vec<ReportV1<'a>>,
    findings: Vec<FindingV1<'a>>,
    problems: Vec<Problem<'a>>,
}

#[derive(Serialize)]
struct Verdict<'a> {
    outcome: &'static str,
    reasons: Vec<Reason<'a>>,
    evidence: &'a str,
}

#[derive(Serialize)]
struct Reason<'a> {
    code: &'static str,
    count: u64,
    message: &'a str,
}

#[derive(Serialize)]
struct Input<'a> {
    path: &'a str,
    bytes: u64,
    lines: u64,
}

#[derive(Serialize)]
struct Sum {
    bytes: u64,
    blocks: u64,
}

impl From<Amount> for Sum {
    fn from(amount: Amount) -> Self {
        Self { bytes: amount.bytes, blocks: amount.blocks }
    }
}

/// A [`Report`].
#[derive(Serialize)]
struct ReportV1<'a> {
    tool: &'a str,
    pid: Option<u64>,
    parent: Option<u64>,
    command: Option<&'a str>,
    version: Option<&'a str>,
    source: Option<&'a str>,
    input: usize,
    first_line: u64,
    last_line: u64,
    complete: bool,
    stated: Stated,
    suppressed: Sum,
}

/// What the checker stated: leaked memory in sum, and errors.
#[derive(Serialize)]
struct Stated {
    bytes: Option<u64>,
    blocks: Option<u64>,
    errors: Option<u64>,
    contexts: Option<u64>,
}

/// A [`Finding`].
#[derive(Serialize)]
struct FindingV1<'a> {
    fingerprint: &'a str,
    weak: bool,
    tool: &'a str,
    kind: &'a str,
    title: &'a str,
    severity: &'static str,
    occurrences: u64,
    inherited: u64,
    leak: Option<LeakV1>,
    location: Option<Location<'a>>,
    stacks: Vec<StackV1<'a>>,
    notes: Vec<&'a str>,
    instances: Vec<InstanceV1>,
    disposition: &'static str,
    rule: Option<&'a str>,
}

#[derive(Serialize)]
struct LeakV1 {
    bytes: u64,
    blocks: u64,
    direct_bytes: u64,
    indirect_bytes: u64,
}

#[derive(Serialize)]
struct Location<'a> {
    file: Option<String>,
    line: Option<u32>,
    column: Option<u32>,
    function: Option<&'a str>,
    own: bool,
}

#[derive(Serialize)]
struct StackV1<'a> {
    role: &'static str,
    label: Option<&'a str>,
    frames: Vec<FrameV1<'a>>,
}

/// A [`Frame`]: `symbol` is the name as printed where `function` is its demangled form.
#[derive(Serialize)]
struct FrameV1<'a> {
    index: u32,
    address: Option<String>,
    function: Option<&'a str>,
    symbol: Option<&'a str>,
    file: Option<&'a str>,
    line: Option<u32>,
    column: Option<u32>,
    module: Option<&'a str>,
    offset: Option<String>,
    build_id: Option<&'a str>,
    inlined: bool,
    class: &'static str,
}

#[derive(Serialize)]
struct InstanceV1 {
    input: usize,
    pid: Option<u64>,
    first_line: u64,
    last_line: u64,
}

#[derive(Serialize)]
struct Problem<'a> {
    code: &'static str,
    fatal: bool,
    input: usize,
    line: u64,
    pid: Option<u64>,
    message: &'a str,
}

/// Writes the document and a line feed.
pub(crate) fn write(run: &Run<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    let text = serde_json::to_string(&document(run)).map_err(|_| fmt::Error)?;
    out.write_str(&text)?;
    out.write_char('\n')
}

fn document<'a>(run: &Run<'a>) -> Document<'a> {
    let verdict = run.verdict;
    Document {
        schema: "leakgate/v1",
        version: env!("CARGO_PKG_VERSION"),
        verdict: Verdict {
            outcome: verdict.outcome.as_str(),
            reasons: verdict
                .reasons
                .iter()
                .map(|r| Reason { code: r.code.as_str(), count: r.count, message: &r.message })
                .collect(),
            evidence: &verdict.evidence,
        },
        inputs: run.parsed.inputs.iter().map(|i| Input { path: &i.name, bytes: i.bytes, lines: i.lines }).collect(),
        reports: run.parsed.reports.iter().map(report).collect(),
        findings: run.parsed.findings.iter().zip(&run.triage.items).map(|(f, i)| finding(f, i, run)).collect(),
        problems: run.parsed.problems.iter().map(problem).collect(),
    }
}

fn report(report: &Report) -> ReportV1<'_> {
    let leaks = report.stated.leaks;
    let by_kind = leaks.map(|l| Amount {
        bytes: l.definite.bytes.saturating_add(l.indirect.bytes).saturating_add(l.possible.bytes),
        blocks: l.definite.blocks.saturating_add(l.indirect.blocks).saturating_add(l.possible.blocks),
    });
    let leaked = report.stated.leaked.or(by_kind.filter(|_| report.tool.is_valgrind()));
    ReportV1 {
        tool: report.tool.as_str(),
        pid: report.pid,
        parent: report.parent,
        command: report.command.as_deref(),
        version: report.version.as_deref(),
        source: report.stream.as_deref(),
        input: report.input,
        first_line: report.first_line,
        last_line: report.last_line,
        complete: report.complete,
        stated: Stated {
            bytes: leaked.map(|l| l.bytes),
            blocks: leaked.map(|l| l.blocks),
            errors: report.stated.errors,
            contexts: report.stated.contexts,
        },
        suppressed: leaks.map(|l| l.suppressed).unwrap_or_default().into(),
    }
}

fn finding<'a>(finding: &'a Finding, item: &'a Item, run: &Run<'_>) -> FindingV1<'a> {
    let total = finding.total();
    FindingV1 {
        fingerprint: item.fingerprint.as_str(),
        weak: item.fingerprint.is_weak(),
        tool: finding.tool.as_str(),
        kind: finding.kind.as_str(),
        title: &finding.title,
        severity: if item.disposition == crate::Disposition::NotGated { "note" } else { "error" },
        occurrences: finding.occurrences,
        inherited: finding.inherited,
        leak: total.map(|l| LeakV1 {
            bytes: l.bytes,
            blocks: l.blocks,
            direct_bytes: l.direct_bytes,
            indirect_bytes: l.indirect_bytes,
        }),
        location: location(finding, item, run),
        stacks: finding.stacks.iter().zip(&item.classes).map(|(s, c)| stack(s, c)).collect(),
        notes: finding.notes.iter().map(|n| &**n).collect(),
        instances: finding
            .instances
            .iter()
            .map(|i| InstanceV1 { input: i.input, pid: i.pid, first_line: i.first_line, last_line: i.last_line })
            .collect(),
        disposition: item.disposition.as_str(),
        rule: None,
    }
}

fn location<'a>(finding: &'a Finding, item: &Item, run: &Run<'_>) -> Option<Location<'a>> {
    let site = &finding.primary()?.frames.get(item.culprit.frame?)?.site;
    let file = site.file.as_deref().map(|f| run.workspace.resolve(f).unwrap_or_else(|| String::from(f)));
    Some(Location { file, line: site.line, column: site.column, function: site.name(), own: item.culprit.own })
}

fn stack<'a>(stack: &'a Stack, classes: &[Class]) -> StackV1<'a> {
    StackV1 {
        role: stack.role.as_str(),
        label: stack.label.as_deref(),
        frames: stack.frames.iter().zip(classes).map(|(f, c)| frame(f, *c)).collect(),
    }
}

fn frame(frame: &Frame, class: Class) -> FrameV1<'_> {
    let site = &frame.site;
    FrameV1 {
        index: frame.index,
        address: frame.address.map(|a| format!("{a:#x}")),
        function: site.name(),
        symbol: site.function.as_deref().filter(|_| site.demangled.is_some()),
        file: site.file.as_deref(),
        line: site.line,
        column: site.column,
        module: site.module.as_deref(),
        offset: site.offset.map(|o| format!("{o:#x}")),
        build_id: site.build_id.as_deref(),
        inlined: frame.inlined,
        class: class.as_str(),
    }
}

fn problem(problem: &crate::Problem) -> Problem<'_> {
    Problem {
        code: problem.code.as_str(),
        fatal: problem.code.reason().is_some(),
        input: problem.input,
        line: problem.line,
        pid: problem.pid,
        message: &problem.message,
    }
}
