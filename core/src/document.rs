//! Reading a `leakgate/v1` document back, so that several runs can be joined or compared.
//!
//! What the document does not hold (the raw text of a frame) stays empty; fields of a newer leakgate are passed over.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use hashbrown::HashMap;
use serde::Deserialize;

use crate::mistake::Mistake;
use crate::model::{
    Amount, Entry, Finding, Frame, Generated, Input, Instance, Kind, Leak, LeakSummary, Report, Role, Site, Stack, Stated, Text,
    Tool,
};
use crate::parse::Parsed;
use crate::problem::{Code, Problem};
use crate::verdict::{Outcome, Reason, ReasonCode};

/// A run, as its document tells of it.
#[derive(Clone, Debug)]
pub struct Document {
    /// What was read.
    pub parsed: Parsed,
    /// How it ended.
    pub outcome: Outcome,
    /// Reasons that can't be told again from what was read: silence, a command that failed.
    pub reasons: Vec<Reason>,
    /// One for each finding of `parsed`.
    pub seen: Vec<Seen>,
}

/// What the document says of a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its identity.
    pub fingerprint: String,
    /// What became of it.
    pub disposition: String,
    /// `file:line`, where it is known.
    pub place: Option<String>,
    /// The function to look at.
    pub function: Option<String>,
}

#[derive(Deserialize)]
struct Raw {
    schema: String,
    verdict: RawVerdict,
    inputs: Vec<RawInput>,
    reports: Vec<RawReport>,
    findings: Vec<RawFinding>,
    problems: Vec<RawProblem>,
}

#[derive(Deserialize)]
struct RawVerdict {
    outcome: String,
    reasons: Vec<RawReason>,
}

#[derive(Deserialize)]
struct RawReason {
    code: String,
    count: u64,
    message: String,
}

#[derive(Deserialize)]
struct RawInput {
    path: String,
    bytes: u64,
    lines: u64,
    #[serde(default)]
    spoke: bool,
    leg: Option<String>,
}

#[derive(Deserialize)]
struct RawReport {
    tool: String,
    pid: Option<u64>,
    parent: Option<u64>,
    command: Option<String>,
    version: Option<String>,
    source: Option<String>,
    callers: Option<u32>,
    input: usize,
    first_line: u64,
    last_line: u64,
    complete: bool,
    #[serde(default)]
    capped: bool,
    stated: RawStated,
    suppressed: RawAmount,
    #[serde(default)]
    suppressed_errors: u64,
    #[serde(default)]
    records: Vec<(usize, u64)>,
}

#[derive(Deserialize)]
struct RawStated {
    bytes: Option<u64>,
    blocks: Option<u64>,
    errors: Option<u64>,
    contexts: Option<u64>,
    #[serde(default)]
    all_freed: bool,
}

#[derive(Deserialize)]
struct RawAmount {
    bytes: u64,
    blocks: u64,
}

#[derive(Deserialize)]
struct RawFinding {
    fingerprint: String,
    tool: String,
    kind: String,
    title: String,
    occurrences: u64,
    #[serde(default)]
    inherited: u64,
    leak: Option<RawLeak>,
    location: Option<RawLocation>,
    stacks: Vec<RawStack>,
    #[serde(default)]
    notes: Vec<String>,
    suppression: Option<RawGenerated>,
    instances: Vec<RawInstance>,
    disposition: String,
}

#[derive(Deserialize)]
struct RawLeak {
    bytes: u64,
    blocks: u64,
    direct_bytes: u64,
    indirect_bytes: u64,
}

#[derive(Deserialize)]
struct RawLocation {
    file: Option<String>,
    line: Option<u32>,
    function: Option<String>,
}

#[derive(Deserialize, Hash)]
struct RawStack {
    role: String,
    label: Option<String>,
    frames: Vec<RawFrame>,
}

#[derive(Deserialize, Hash)]
struct RawFrame {
    index: u32,
    address: Option<String>,
    function: Option<String>,
    symbol: Option<String>,
    file: Option<String>,
    line: Option<u32>,
    column: Option<u32>,
    module: Option<String>,
    offset: Option<String>,
    build_id: Option<String>,
    #[serde(default)]
    inlined: bool,
}

#[derive(Deserialize)]
struct RawGenerated {
    kind: String,
    extra: Option<String>,
    frames: Vec<String>,
}

#[derive(Deserialize)]
struct RawInstance {
    input: usize,
    #[serde(default)]
    report: usize,
    pid: Option<u64>,
    first_line: u64,
    last_line: u64,
}

#[derive(Deserialize)]
struct RawProblem {
    code: String,
    #[serde(default = "yes")]
    fatal: bool,
    input: usize,
    line: u64,
    pid: Option<u64>,
    message: String,
}

fn yes() -> bool {
    true
}

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// One mistake, with its line.
    pub fn read(file: &str, text: &str) -> Result<Self, Mistake> {
        let raw: Raw = serde_json::from_str(text).map_err(|e| {
            let message = format!("{e}");
            let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(head, _)| head);
            let mut mistake = Mistake::at_line(
                file,
                "",
                u32::try_from(e.line()).unwrap_or(0),
                format!("this is no document of leakgate: {message}"),
            );
            mistake.column = u32::try_from(e.column()).unwrap_or(0);
            mistake
        })?;
        let wrong = |what: String| Mistake::at_line(file, "", 0, what);
        if raw.schema != "leakgate/v1" {
            return Err(wrong(format!("the schema is `{}`, this version of leakgate reads `leakgate/v1`", raw.schema)));
        }
        let outcome = match raw.verdict.outcome.as_str() {
            "pass" => Outcome::Pass,
            "fail" => Outcome::Fail,
            "error" => Outcome::Error,
            other => return Err(wrong(format!("`{other}` is no outcome"))),
        };
        let (findings, inputs, reports) = (raw.findings.len(), raw.inputs.len(), raw.reports.len());
        let holds = raw.reports.iter().all(|r| r.input < inputs && r.records.iter().all(|(f, _)| *f < findings))
            && raw.findings.iter().all(|f| f.instances.iter().all(|i| i.input < inputs && (i.report < reports || reports == 0)))
            && raw.problems.iter().all(|p| p.input < inputs || inputs == 0);
        if !holds {
            return Err(wrong(String::from("the document refers to an input, a report or a finding that it does not hold")));
        }
        if let Some(what) = inconsistent(&raw) {
            return Err(wrong(what));
        }
        Ok(Self::of(raw, outcome))
    }

    fn of(raw: Raw, outcome: Outcome) -> Self {
        let kept = [ReasonCode::NoEvidence, ReasonCode::CommandFailed, ReasonCode::MissingReport];
        let reason = |r: RawReason| {
            let known = ReasonCode::ALL.iter().find(|code| code.as_str() == r.code);
            match known {
                Some(code) => kept.contains(code).then_some(Reason { code: *code, count: r.count, message: r.message }),
                None => {
                    let message = format!("{} [{}, which this version does not know]", r.message, r.code);
                    Some(Reason { code: ReasonCode::CommandFailed, count: r.count, message })
                }
            }
        };
        let seen = raw.findings.iter().map(seen).collect();
        Self {
            outcome,
            reasons: raw.verdict.reasons.into_iter().filter_map(reason).collect(),
            seen,
            parsed: Parsed {
                inputs: raw.inputs.into_iter().map(input).collect(),
                reports: raw.reports.into_iter().map(report).collect(),
                findings: raw.findings.into_iter().map(finding).collect(),
                problems: raw.problems.into_iter().map(problem).collect(),
            },
        }
    }
}

/// What the figures of a document contradict; leakgate never writes such a one.
fn inconsistent(raw: &Raw) -> Option<String> {
    let mut records = alloc::vec![0u64; raw.findings.len()];
    for (finding, count) in raw.reports.iter().flat_map(|r| &r.records) {
        records[*finding] = records[*finding].saturating_add(*count);
    }
    for (finding, records) in raw.findings.iter().zip(records) {
        let kind = Kind::printed(&finding.kind);
        let what = if finding.occurrences == 0 || finding.inherited > finding.occurrences || records != finding.occurrences {
            "its records do not add up"
        } else if kind.is_leak() && finding.leak.is_none() {
            "a leak without sizes"
        } else {
            continue;
        };
        return Some(format!("{}: {what}", finding.fingerprint));
    }
    None
}

fn seen(raw: &RawFinding) -> Seen {
    let location = raw.location.as_ref();
    let place = location.and_then(|l| {
        let file = l.file.as_deref()?;
        Some(l.line.map_or_else(|| file.to_owned(), |line| format!("{file}:{line}")))
    });
    Seen {
        fingerprint: raw.fingerprint.clone(),
        disposition: raw.disposition.clone(),
        place,
        function: location.and_then(|l| l.function.clone()),
    }
}

fn input(raw: RawInput) -> Input {
    Input { name: raw.path, bytes: raw.bytes, lines: raw.lines, spoke: raw.spoke, leg: raw.leg }
}

fn text(value: Option<String>) -> Option<Text> {
    value.map(Text::from)
}

fn report(raw: RawReport) -> Report {
    let amount = |a: &RawAmount| Amount { bytes: a.bytes, blocks: a.blocks };
    let stated = raw.stated.bytes.zip(raw.stated.blocks).map(|(bytes, blocks)| Amount { bytes, blocks });
    let tool = Tool::named(&raw.tool);
    // Of valgrind's sums by kind the document keeps the whole.
    let (leaked, by_kind) = if tool.is_valgrind() { (None, stated) } else { (stated, None) };
    let suppressed = amount(&raw.suppressed);
    let has_sums = by_kind.is_some() || suppressed.blocks > 0;
    let leaks = LeakSummary { definite: by_kind.unwrap_or_default(), suppressed, ..LeakSummary::default() };
    Report {
        tool,
        version: text(raw.version),
        pid: raw.pid,
        parent: raw.parent,
        command: text(raw.command),
        stream: text(raw.source),
        input: raw.input,
        first_line: raw.first_line,
        last_line: raw.last_line,
        complete: raw.complete,
        has_header: true,
        searches: 1,
        callers: raw.callers,
        shown: None,
        stated: Stated {
            leaked,
            errors: raw.stated.errors,
            contexts: raw.stated.contexts,
            leaks: Some(leaks).filter(|_| has_sums),
            suppressed_errors: Some(raw.suppressed_errors).filter(|n| *n > 0),
            all_freed: raw.stated.all_freed,
            ..Stated::default()
        },
        capped: raw.capped,
        printed: raw.records.iter().map(|(_, n)| n).sum(),
        printed_errors: 0,
        entries: raw.records.into_iter().map(|(finding, count)| Entry { finding, count, search: 0 }).collect(),
    }
}

fn finding(raw: RawFinding) -> Finding {
    let records = raw.occurrences.max(1);
    let leak = raw.leak.map(|l| Leak {
        bytes: l.bytes / records,
        blocks: l.blocks / records,
        direct_bytes: l.direct_bytes / records,
        indirect_bytes: l.indirect_bytes / records,
    });
    let generated = raw.suppression.map(|g| Generated {
        kind: g.kind.into(),
        extra: text(g.extra),
        frames: g.frames.into_iter().map(Text::from).collect(),
    });
    let instance = |i: RawInstance| Instance {
        input: i.input,
        report: i.report,
        pid: i.pid,
        first_line: i.first_line,
        last_line: i.last_line,
    };
    Finding {
        tool: Tool::named(&raw.tool),
        kind: Kind::printed(&raw.kind),
        title: raw.title.into(),
        leak,
        stacks: raw.stacks.into_iter().map(stack).collect(),
        notes: raw.notes.into_iter().map(Text::from).collect(),
        generated,
        occurrences: raw.occurrences,
        inherited: raw.inherited,
        instances: raw.instances.into_iter().map(instance).collect(),
    }
}

fn stack(raw: RawStack) -> Stack {
    let role = Role::ALL.iter().find(|r| r.as_str() == raw.role).copied().unwrap_or(Role::Other);
    Stack { role, label: text(raw.label), frames: raw.frames.into_iter().map(frame).collect() }
}

fn frame(raw: RawFrame) -> Frame {
    let hex = |text: Option<String>| text.and_then(|t| u64::from_str_radix(t.trim_start_matches("0x"), 16).ok());
    let (function, demangled) = match raw.symbol {
        Some(symbol) => (Some(symbol), raw.function),
        None => (raw.function, None),
    };
    let site = Site {
        function: text(function),
        demangled: text(demangled),
        file: text(raw.file),
        line: raw.line,
        column: raw.column,
        module: text(raw.module),
        offset: hex(raw.offset),
        build_id: text(raw.build_id),
        ..Site::default()
    };
    Frame { index: raw.index, address: hex(raw.address), inlined: raw.inlined, site: Arc::new(site) }
}

/// A code of a newer leakgate that fails is taken for a cut report.
fn problem(raw: RawProblem) -> Problem {
    let unknown = if raw.fatal { Code::Truncated } else { Code::MoreProblems };
    let code = Code::ALL.iter().find(|c| c.as_str() == raw.code).copied().unwrap_or(unknown);
    Problem { code, input: raw.input, line: raw.line, pid: raw.pid, message: raw.message }
}

/// Joins the runs of several legs, each with its name, into one. Records that are the same in all legs become one finding.
pub fn merge(legs: Vec<(String, Document)>) -> Document {
    let mut all = Document { parsed: Parsed::default(), outcome: Outcome::Pass, reasons: Vec::new(), seen: Vec::new() };
    let mut known: HashMap<String, usize> = HashMap::new();
    for (leg, mut document) in legs {
        let out = &mut all.parsed;
        let (inputs, reports) = (out.inputs.len(), out.reports.len());
        out.inputs
            .extend(document.parsed.inputs.into_iter().map(|i| Input { leg: Some(i.leg.unwrap_or_else(|| leg.clone())), ..i }));
        let mut places = Vec::with_capacity(document.parsed.findings.len());
        for (mut finding, seen) in document.parsed.findings.into_iter().zip(document.seen) {
            for instance in &mut finding.instances {
                (instance.input, instance.report) = (instance.input + inputs, instance.report + reports);
            }
            let next = out.findings.len();
            let at = *known.entry(identity(&finding)).or_insert(next);
            places.push(at);
            if at == next {
                out.findings.push(finding);
                all.seen.push(seen);
            } else {
                let same = &mut out.findings[at];
                same.occurrences += finding.occurrences;
                same.inherited += finding.inherited;
                same.instances.append(&mut finding.instances);
            }
        }
        for mut report in document.parsed.reports {
            report.input += inputs;
            report.entries.iter_mut().for_each(|e| e.finding = places[e.finding]);
            out.reports.push(report);
        }
        out.problems.extend(document.parsed.problems.into_iter().map(|p| Problem { input: p.input + inputs, ..p }));
        for reason in &mut document.reasons {
            reason.message = format!("{leg}: {}", reason.message);
        }
        all.reasons.append(&mut document.reasons);
        if document.outcome == Outcome::Error {
            all.outcome = Outcome::Error;
        }
    }
    all
}

/// What makes two findings one: everything but addresses and places in logs.
fn identity(finding: &Finding) -> String {
    let mut out = format!("{}\n{}\n{}\n", finding.tool, finding.kind, finding.title);
    if let Some(leak) = finding.leak {
        out += &format!("{} {} {} {}\n", leak.bytes, leak.blocks, leak.direct_bytes, leak.indirect_bytes);
    }
    for stack in &finding.stacks {
        out += stack.role.as_str();
        for frame in &stack.frames {
            let site = &frame.site;
            let text = |t: &Option<Text>| t.as_deref().unwrap_or("-").to_owned();
            let line = site.line.unwrap_or(0);
            out += &format!(
                "\n{} {}:{line} {} {:x}",
                text(&site.function),
                text(&site.file),
                text(&site.module),
                site.offset.unwrap_or(0)
            );
        }
        out.push('\n');
    }
    out
}
