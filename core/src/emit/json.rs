//! JSON report, schema `leakgate/v1`. The types are in `wire.rs`.

mod frames;

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::Serialize;

use self::frames::FrameWriter;
use super::{FindingInRun, Run, escape, location};
use crate::model::Finding;
use crate::rules::{self, Rule, RuleUsage};
use crate::triage::{Cause, Comparison, Disposition, TriagedFinding};
use crate::wire::{self, borrow_all, to_str};

/// The place of the checker reports in a JSON report without any.
const REPORTS: &str = ",\"reports\":[";

/// The place of the findings in a JSON report without any.
const FINDINGS: &str = ",\"findings\":[";

/// Writes the JSON report and a line feed. Checker reports and findings are written one by one,
/// because the text of all of them may be larger than everything else in memory.
pub(crate) fn write(run: &Run<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    let text = serialize(&without_lists(run))?;
    let place = text.find(&format!("{REPORTS}]{FINDINGS}],\"rules\":"));
    let (head, rest) = text.split_at(place.ok_or(fmt::Error)? + REPORTS.len());
    let (between, tail) = rest.split_at("]".len() + FINDINGS.len());
    out.write_str(head)?;
    for (at, report) in run.parsed.reports.iter().enumerate() {
        write_item(at, &serialize(&wire::CheckerReport::from(&**report))?, out)?;
    }
    out.write_str(between)?;
    let mut frames = FrameWriter::default();
    let mut text = String::new();
    for (at, found) in run.findings().enumerate() {
        text.clear();
        write_finding(found, run, &mut frames, &mut text)?;
        write_item(at, &text, out)?;
    }
    writeln!(out, "{tail}")
}

/// Writes an item of a list, and the comma before it.
fn write_item(at: usize, text: &str, out: &mut dyn fmt::Write) -> fmt::Result {
    if at > 0 {
        out.write_str(",")?;
    }
    out.write_str(text)
}

/// Appends a finding.
fn write_finding<'a>(
    found: FindingInRun<'a>,
    run: &Run<'a>,
    frames: &mut FrameWriter,
    out: &mut String,
) -> fmt::Result {
    let text = serialize(&finding(found, run))?;
    let mut rest = text.as_str();
    let stacks = found.finding.stacks.iter();
    for (stack, classes) in stacks.zip(&found.triaged.classes) {
        let place = frames.place_in(rest).ok_or(fmt::Error)?;
        let (head, tail) = rest.split_at(place);
        out.push_str(head);
        frames.write(stack, classes, out)?;
        rest = tail;
    }
    out.push_str(rest);
    Ok(())
}

fn serialize(value: &impl Serialize) -> Result<String, fmt::Error> {
    let text = serde_json::to_string(value).map_err(|_| fmt::Error)?;
    Ok(escape::json(text))
}

/// Returns the JSON report without its checker reports and findings.
fn without_lists<'a>(run: &Run<'a>) -> wire::Report<'a> {
    let parsed = run.parsed;
    let verdict = run.verdict;
    let advice = run.triage.advice.iter();
    wire::Report {
        schema: wire::SCHEMA.into(),
        version: env!("CARGO_PKG_VERSION").into(),
        verdict: wire::Verdict {
            outcome: verdict.outcome.as_str().into(),
            reasons: verdict.reasons.iter().map(Into::into).collect(),
            warnings: verdict.warnings.iter().map(Into::into).collect(),
            evidence: verdict.evidence.as_str().into(),
            watched: verdict.verified.iter().map(Into::into).collect(),
        },
        inputs: parsed.inputs.iter().map(Into::into).collect(),
        reports: Vec::new(),
        findings: Vec::new(),
        rules: run.rules().map(|(r, usage)| rule(r, usage)).collect(),
        advice: advice.map(|a| rule_advice(a, run)).collect(),
        baseline: run.triage.baseline.as_ref().map(baseline),
        problems: parsed.problems.iter().map(Into::into).collect(),
    }
}

fn rule<'a>(rule: &'a Rule, usage: &RuleUsage) -> wire::Rule<'a> {
    let metadata = &rule.metadata;
    wire::Rule {
        id: rule.id.as_str().into(),
        origin: to_str(&rule.origin),
        source: rule.origin.source.as_str().into(),
        state: usage.state().into(),
        findings: usage.findings,
        records: usage.decided,
        bytes: usage.bytes,
        blocks: usage.blocks,
        reason: metadata.reason.as_str().into(),
        investigation: metadata.investigation.as_deref().map(Cow::Borrowed),
        status: metadata.status.as_deref().map(Cow::Borrowed),
        references: borrow_all(&metadata.references),
        owner: metadata.owner.as_deref().map(Cow::Borrowed),
        expires: rule.expires.map(to_str),
        dependency: rule.dependency.as_ref().map(dependency),
    }
}

fn dependency(dependency: &rules::Dependency) -> wire::Dependency<'_> {
    wire::Dependency {
        package: dependency.package.as_str().into(),
        version: dependency.version.as_str().into(),
        file: dependency.file.as_deref().map(Cow::Borrowed),
    }
}

fn rule_advice<'a>(advice: &'a rules::Advice, run: &Run<'a>) -> wire::Advice<'a> {
    let rule = run.gate.rules.get(advice.rule);
    wire::Advice {
        code: advice.code.as_str().into(),
        level: advice.level.as_str().into(),
        rule: rule.map_or("", |rule| &rule.id).into(),
        message: advice.message.as_str().into(),
    }
}

fn baseline(comparison: &Comparison) -> wire::Baseline<'_> {
    let grown = comparison.grown.iter();
    let fixed = comparison.fixed.iter();
    wire::Baseline {
        known: comparison.known,
        grown: grown.map(|g| g.fingerprint.as_str().into()).collect(),
        fixed: fixed.map(|e| e.fingerprint.as_str().into()).collect(),
    }
}

/// Converts a finding, without the frames of its stacks.
fn finding<'a>(found: FindingInRun<'a>, run: &Run<'a>) -> wire::Finding<'a> {
    let FindingInRun {
        finding,
        triaged,
        rule,
    } = found;
    let is_unexpected = triaged.disposition == Disposition::Unexpected;
    let stacks = finding.stacks.iter().zip(&triaged.classes);
    let suppression = finding.generated_suppression.as_ref();
    wire::Finding {
        fingerprint: triaged.fingerprint.as_str().into(),
        weak: triaged.fingerprint.is_weak(),
        tool: finding.tool.as_str().into(),
        kind: finding.kind.as_str().into(),
        title: (&*finding.title).into(),
        severity: if is_unexpected { "error" } else { "note" }.into(),
        occurrences: finding.occurrences,
        inherited: finding.inherited,
        leak: finding.total().map(Into::into),
        location: culprit_location(finding, triaged, run),
        stacks: stacks
            .map(|(stack, _)| wire::Stack::without_frames(stack))
            .collect(),
        notes: finding.notes.iter().map(|note| (&**note).into()).collect(),
        suppression: suppression.map(Into::into),
        instances: finding.instances.iter().map(Into::into).collect(),
        tests: finding.tests.iter().map(|test| (&**test).into()).collect(),
        more_tests: finding.more_tests,
        disposition: triaged.disposition.as_str().into(),
        cause: triaged.cause.map(Cause::as_str).map(Cow::Borrowed),
        rule: rule.map(|rule| rule.id.as_str().into()),
    }
}

fn culprit_location<'a>(
    finding: &'a Finding,
    triaged: &TriagedFinding,
    run: &Run<'_>,
) -> Option<wire::Location<'a>> {
    let info = &location::culprit_frame(finding, triaged)?.info;
    Some(wire::Location {
        file: location::display_file(info, run),
        line: info.line,
        column: info.column,
        function: info.name().map(Cow::Borrowed),
        own: triaged.culprit.own,
    })
}
