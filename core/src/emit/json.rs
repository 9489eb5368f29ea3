//! JSON, schema `leakgate/v1`: the contract for machines. Within `v1` fields are only added.

use alloc::format;
use alloc::string::{String, ToString};
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
    rules: Vec<RuleV1<'a>>,
    advice: Vec<AdviceV1<'a>>,
    baseline: Option<BaselineV1<'a>>,
    problems: Vec<Problem<'a>>,
}

#[derive(Serialize)]
struct Verdict<'a> {
    outcome: &'static str,
    reasons: Vec<Reason<'a>>,
    warnings: Vec<Reason<'a>>,
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
    spoke: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    leg: Option<&'a str>,
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
    callers: Option<u32>,
    input: usize,
    first_line: u64,
    last_line: u64,
    complete: bool,
    capped: bool,
    stated: Stated,
    suppressed: Sum,
    suppressed_errors: u64,
    /// Index of a finding, and how often this report printed it.
    records: Vec<(usize, u64)>,
}

/// What the checker stated: leaked memory in sum, and errors.
#[derive(Serialize)]
struct Stated {
    bytes: Option<u64>,
    blocks: Option<u64>,
    errors: Option<u64>,
    contexts: Option<u64>,
    all_freed: bool,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    suppression: Option<SuppressionV1<'a>>,
    instances: Vec<InstanceV1>,
    disposition: &'static str,
    cause: Option<&'static str>,
    rule: Option<&'a str>,
}

/// A [`crate::Rule`] and its [`crate::Use`].
#[derive(Serialize)]
struct RuleV1<'a> {
    id: &'a str,
    origin: String,
    source: &'static str,
    state: &'static str,
    findings: u64,
    records: u64,
    bytes: u64,
    blocks: u64,
    reason: &'a str,
    investigation: Option<&'a str>,
    status: Option<&'a str>,
    references: &'a [String],
    owner: Option<&'a str>,
    expires: Option<String>,
}

/// An [`crate::Advice`].
#[derive(Serialize)]
struct AdviceV1<'a> {
    code: &'static str,
    level: &'static str,
    rule: &'a str,
    message: &'a str,
}

/// A [`crate::Comparison`].
#[derive(Serialize)]
struct BaselineV1<'a> {
    known: u64,
    grown: Vec<&'a str>,
    fixed: Vec<&'a str>,
}

/// A [`crate::Generated`] suppression.
#[derive(Serialize)]
struct SuppressionV1<'a> {
    kind: &'a str,
    extra: Option<&'a str>,
    frames: Vec<&'a str>,
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
    report: usize,
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
            reasons: verdict.reasons.iter().map(reason).collect(),
            warnings: verdict.warnings.iter().map(reason).collect(),
            evidence: &verdict.evidence,
        },
        inputs: run
            .parsed
            .inputs
            .iter()
            .map(|i| Input { path: &i.name, bytes: i.bytes, lines: i.lines, spoke: i.spoke, leg: i.leg.as_deref() })
            .collect(),
        reports: run.parsed.reports.iter().map(report).collect(),
        findings: run.parsed.findings.iter().zip(&run.triage.items).map(|(f, i)| finding(f, i, run)).collect(),
        rules: run.gate.rules.iter().zip(&run.triage.uses).map(|(r, u)| rule(r, u)).collect(),
        advice: run.triage.advice.iter().map(|a| advice(a, run)).collect(),
        baseline: run.triage.baseline.as_ref().map(baseline),
        problems: run.parsed.problems.iter().map(problem).collect(),
    }
}

fn reason(reason: &crate::Reason) -> Reason<'_> {
    Reason { code: reason.code.as_str(), count: reason.count, message: &reason.message }
}

fn rule<'a>(rule: &'a crate::Rule, used: &crate::Use) -> RuleV1<'a> {
    RuleV1 {
        id: &rule.id,
        origin: rule.origin.to_string(),
        source: rule.origin.source.as_str(),
        state: used.state(),
        findings: used.findings,
        records: used.decided,
        bytes: used.bytes,
        blocks: used.blocks,
        reason: &rule.about.reason,
        investigation: rule.about.investigation.as_deref(),
        status: rule.about.status.as_deref(),
        references: &rule.about.references,
        owner: rule.about.owner.as_deref(),
        expires: rule.expires.map(|day| day.to_string()),
    }
}

fn advice<'a>(advice: &'a crate::Advice, run: &Run<'a>) -> AdviceV1<'a> {
    let rule = run.gate.rules.get(advice.rule).map_or("", |r| r.id.as_str());
    AdviceV1 { code: advice.code.as_str(), level: advice.level.as_str(), rule, message: &advice.message }
}

fn baseline(baseline: &crate::Comparison) -> BaselineV1<'_> {
    BaselineV1 {
        known: baseline.known,
        grown: baseline.grown.iter().map(|(fingerprint, _)| fingerprint.as_str()).collect(),
        fixed: baseline.fixed.iter().map(|k| k.fingerprint.as_str()).collect(),
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
        callers: report.callers,
        input: report.input,
        first_line: report.first_line,
        last_line: report.last_line,
        complete: report.complete,
        capped: report.capped,
        stated: Stated {
            bytes: leaked.map(|l| l.bytes),
            blocks: leaked.map(|l| l.blocks),
            errors: report.stated.errors,
            contexts: report.stated.contexts,
            all_freed: report.stated.all_freed,
        },
        suppressed: report.suppressed().into(),
        suppressed_errors: report.stated.suppressed_errors.unwrap_or(0),
        records: report.entries.iter().map(|e| (e.finding, e.count)).collect(),
    }
}

fn finding<'a>(finding: &'a Finding, item: &'a Item, run: &Run<'a>) -> FindingV1<'a> {
    let total = finding.total();
    FindingV1 {
        fingerprint: item.fingerprint.as_str(),
        weak: item.fingerprint.is_weak(),
        tool: finding.tool.as_str(),
        kind: finding.kind.as_str(),
        title: &finding.title,
        severity: if item.disposition == crate::Disposition::Unexpected { "error" } else { "note" },
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
        suppression: finding.generated.as_ref().map(|g| SuppressionV1 {
            kind: &g.kind,
            extra: g.extra.as_deref(),
            frames: g.frames.iter().map(|f| &**f).collect(),
        }),
        instances: finding
            .instances
            .iter()
            .map(|i| InstanceV1 {
                input: i.input,
                report: i.report,
                pid: i.pid,
                first_line: i.first_line,
                last_line: i.last_line,
            })
            .collect(),
        disposition: item.disposition.as_str(),
        cause: item.cause.map(crate::Cause::as_str),
        rule: item.rule.and_then(|at| run.gate.rules.get(at)).map(|r| r.id.as_str()),
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
