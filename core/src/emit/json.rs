//! JSON, schema `leakgate/v1`: the contract for machines.

mod wire;

use alloc::format;
use alloc::string::ToString;
use core::fmt;

use self::wire::*;
use super::{Run, escape, places};
use crate::culprit::Class;
use crate::model::{Amount, Finding, Frame, Report, Stack};
use crate::triage::Item;
use crate::verdict::Vouched;

/// Writes the document and a line feed.
pub(crate) fn write(run: &Run<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    let text = serde_json::to_string(&document(run)).map_err(|_| fmt::Error)?;
    writeln!(out, "{}", escape::json(text))
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
            watched: verdict.watched.iter().map(vouched).collect(),
        },
        inputs: run
            .parsed
            .inputs
            .iter()
            .map(|i| Input {
                path: &i.name,
                bytes: i.bytes,
                lines: i.lines,
                spoke: i.spoke,
                leg: i.leg.as_deref(),
            })
            .collect(),
        reports: run.parsed.reports.iter().map(report).collect(),
        findings: run
            .parsed
            .findings
            .iter()
            .zip(&run.triage.items)
            .map(|(f, i)| finding(f, i, run))
            .collect(),
        rules: run
            .gate
            .rules
            .iter()
            .zip(&run.triage.uses)
            .map(|(r, u)| rule(r, u))
            .collect(),
        advice: run.triage.advice.iter().map(|a| advice(a, run)).collect(),
        baseline: run.triage.baseline.as_ref().map(baseline),
        problems: run.parsed.problems.iter().map(problem).collect(),
    }
}

fn vouched(vouched: &Vouched) -> VouchedV1<'_> {
    VouchedV1 {
        tool: vouched.tool.as_str(),
        processes: vouched.processes,
        canary: vouched.canary,
    }
}

fn reason(reason: &crate::Reason) -> Reason<'_> {
    Reason {
        code: reason.code.as_str(),
        count: reason.count,
        message: &reason.message,
    }
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
    let rule = run
        .gate
        .rules
        .get(advice.rule)
        .map_or("", |r| r.id.as_str());
    AdviceV1 {
        code: advice.code.as_str(),
        level: advice.level.as_str(),
        rule,
        message: &advice.message,
    }
}

fn baseline(baseline: &crate::Comparison) -> BaselineV1<'_> {
    BaselineV1 {
        known: baseline.known,
        grown: baseline
            .grown
            .iter()
            .map(|(fingerprint, _)| fingerprint.as_str())
            .collect(),
        fixed: baseline
            .fixed
            .iter()
            .map(|k| k.fingerprint.as_str())
            .collect(),
    }
}

fn report(report: &Report) -> ReportV1<'_> {
    let leaks = report.stated.leaks;
    let by_kind = leaks.map(|l| Amount {
        bytes: l
            .definite
            .bytes
            .saturating_add(l.indirect.bytes)
            .saturating_add(l.possible.bytes),
        blocks: l
            .definite
            .blocks
            .saturating_add(l.indirect.blocks)
            .saturating_add(l.possible.blocks),
    });
    let leaked = report
        .stated
        .leaked
        .or(by_kind.filter(|_| report.tool.is_valgrind()));
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
        records: report
            .entries
            .iter()
            .map(|e| (e.finding, e.count))
            .collect(),
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
        severity: if item.disposition == crate::Disposition::Unexpected {
            "error"
        } else {
            "note"
        },
        occurrences: finding.occurrences,
        inherited: finding.inherited,
        leak: total.map(|l| LeakV1 {
            bytes: l.bytes,
            blocks: l.blocks,
            direct_bytes: l.direct_bytes,
            indirect_bytes: l.indirect_bytes,
        }),
        location: location(finding, item, run),
        stacks: finding
            .stacks
            .iter()
            .zip(&item.classes)
            .map(|(s, c)| stack(s, c))
            .collect(),
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
        rule: item
            .rule
            .and_then(|at| run.gate.rules.get(at))
            .map(|r| r.id.as_str()),
    }
}

fn location<'a>(finding: &'a Finding, item: &Item, run: &Run<'_>) -> Option<Location<'a>> {
    let site = &places::culprit(finding, item)?.site;
    Some(Location {
        file: places::file(site, run),
        line: site.line,
        column: site.column,
        function: site.name(),
        own: item.culprit.own,
    })
}

fn stack<'a>(stack: &'a Stack, classes: &[Class]) -> StackV1<'a> {
    StackV1 {
        role: stack.role.as_str(),
        label: stack.label.as_deref(),
        frames: stack
            .frames
            .iter()
            .zip(classes)
            .map(|(f, c)| frame(f, *c))
            .collect(),
    }
}

fn frame(frame: &Frame, class: Class) -> FrameV1<'_> {
    let site = &frame.site;
    FrameV1 {
        index: frame.index,
        address: frame.address.map(|a| format!("{a:#x}")),
        function: site.name(),
        symbol: site
            .function
            .as_deref()
            .filter(|_| site.demangled.is_some()),
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
