//! The fields of the document that are read back, and what the core knows them as.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::fields::{Place, Shape, object};
use crate::model::{
    Amount, Entry, Finding, Frame, Generated, Input, Instance, Kind, Leak, LeakSummary, Report,
    Role, Site, Stack, Stated, Text, Tool,
};
use crate::problem::{Code, Problem};
use crate::verdict::Vouched;

#[derive(Default)]
pub(super) struct Raw {
    pub(super) schema: String,
    pub(super) verdict: RawVerdict,
    pub(super) inputs: Vec<RawInput>,
    pub(super) reports: Vec<RawReport>,
    pub(super) findings: Vec<RawFinding>,
    pub(super) problems: Vec<RawProblem>,
}

#[derive(Default)]
pub(super) struct RawVerdict {
    pub(super) outcome: String,
    pub(super) reasons: Vec<RawReason>,
    pub(super) warnings: Vec<RawReason>,
    pub(super) evidence: String,
    pub(super) watched: Vec<RawVouched>,
}

#[derive(Default)]
pub(super) struct RawVouched {
    pub(super) tool: String,
    pub(super) processes: u64,
    pub(super) canary: bool,
}

#[derive(Default)]
pub(super) struct RawReason {
    pub(super) code: String,
    pub(super) count: u64,
    pub(super) message: String,
}

#[derive(Default)]
pub(super) struct RawInput {
    pub(super) path: String,
    pub(super) bytes: u64,
    pub(super) lines: u64,
    pub(super) spoke: bool,
    pub(super) leg: Option<String>,
}

#[derive(Default)]
pub(super) struct RawReport {
    pub(super) tool: String,
    pub(super) pid: Option<u64>,
    pub(super) parent: Option<u64>,
    pub(super) command: Option<String>,
    pub(super) version: Option<String>,
    pub(super) source: Option<String>,
    pub(super) callers: Option<u32>,
    pub(super) input: usize,
    pub(super) first_line: u64,
    pub(super) last_line: u64,
    pub(super) complete: bool,
    pub(super) capped: bool,
    pub(super) stated: RawStated,
    pub(super) suppressed: RawAmount,
    pub(super) suppressed_errors: u64,
    pub(super) records: Vec<(usize, u64)>,
}

#[derive(Default)]
pub(super) struct RawStated {
    pub(super) bytes: Option<u64>,
    pub(super) blocks: Option<u64>,
    pub(super) errors: Option<u64>,
    pub(super) contexts: Option<u64>,
    pub(super) all_freed: bool,
}

#[derive(Default)]
pub(super) struct RawAmount {
    pub(super) bytes: u64,
    pub(super) blocks: u64,
}

#[derive(Default)]
pub(super) struct RawFinding {
    pub(super) fingerprint: String,
    pub(super) tool: String,
    pub(super) kind: String,
    pub(super) title: String,
    pub(super) occurrences: u64,
    pub(super) inherited: u64,
    pub(super) leak: Option<RawLeak>,
    pub(super) location: Option<RawLocation>,
    pub(super) stacks: Vec<RawStack>,
    pub(super) notes: Vec<String>,
    pub(super) suppression: Option<RawGenerated>,
    pub(super) instances: Vec<RawInstance>,
    pub(super) disposition: String,
}

#[derive(Default)]
pub(super) struct RawLeak {
    pub(super) bytes: u64,
    pub(super) blocks: u64,
    pub(super) direct_bytes: u64,
    pub(super) indirect_bytes: u64,
}

#[derive(Default)]
pub(super) struct RawLocation {
    pub(super) file: Option<String>,
    pub(super) line: Option<u32>,
    pub(super) function: Option<String>,
}

#[derive(Default)]
pub(super) struct RawStack {
    pub(super) role: String,
    pub(super) label: Option<String>,
    pub(super) frames: Vec<RawFrame>,
}

#[derive(Default)]
pub(super) struct RawFrame {
    pub(super) index: u32,
    pub(super) address: Option<String>,
    pub(super) function: Option<String>,
    pub(super) symbol: Option<String>,
    pub(super) file: Option<String>,
    pub(super) line: Option<u32>,
    pub(super) column: Option<u32>,
    pub(super) module: Option<String>,
    pub(super) offset: Option<String>,
    pub(super) build_id: Option<String>,
    pub(super) inlined: bool,
}

#[derive(Default)]
pub(super) struct RawGenerated {
    pub(super) kind: String,
    pub(super) extra: Option<String>,
    pub(super) frames: Vec<String>,
}

#[derive(Default)]
pub(super) struct RawInstance {
    pub(super) input: usize,
    pub(super) report: usize,
    pub(super) pid: Option<u64>,
    pub(super) first_line: u64,
    pub(super) last_line: u64,
}

#[derive(Default)]
pub(super) struct RawProblem {
    pub(super) code: String,
    pub(super) fatal: Option<bool>,
    pub(super) input: usize,
    pub(super) line: u64,
    pub(super) pid: Option<u64>,
    pub(super) message: String,
}

object!(Raw: schema verdict inputs reports findings problems;);
object!(RawVerdict: outcome reasons; warnings evidence watched);
object!(RawVouched: tool processes canary;);
object!(RawReason: code count message;);
object!(RawInput: path bytes lines; spoke leg);
object!(
    RawReport: tool input first_line last_line complete stated suppressed;
    pid parent command version source callers capped suppressed_errors records
);
object!(RawStated:; bytes blocks errors contexts all_freed);
object!(RawAmount: bytes blocks;);
object!(
    RawFinding: fingerprint tool kind title occurrences stacks instances disposition;
    inherited leak location notes suppression
);
object!(RawLeak: bytes blocks direct_bytes indirect_bytes;);
object!(RawLocation:; file line function);
object!(RawStack: role frames; label);
object!(RawFrame: index; address function symbol file line column module offset build_id inlined);
object!(RawGenerated: kind frames; extra);
object!(RawInstance: input first_line last_line; report pid);
object!(RawProblem: code input line message; fatal pid);

/// What the figures of a document contradict; leakgate never writes such a one.
pub(super) fn inconsistent(raw: &Raw) -> Option<String> {
    let mut records = alloc::vec![0u64; raw.findings.len()];
    for (finding, count) in raw.reports.iter().flat_map(|r| &r.records) {
        records[*finding] = records[*finding].saturating_add(*count);
    }
    for (finding, records) in raw.findings.iter().zip(records) {
        let kind = Kind::printed(&finding.kind);
        let what = if finding.occurrences == 0
            || finding.inherited > finding.occurrences
            || records != finding.occurrences
        {
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

pub(super) fn input(raw: RawInput) -> Input {
    Input {
        name: raw.path,
        bytes: raw.bytes,
        lines: raw.lines,
        spoke: raw.spoke,
        leg: raw.leg,
    }
}

fn text(value: Option<String>) -> Option<Text> {
    value.map(Text::from)
}

pub(super) fn report(raw: RawReport) -> Report {
    let amount = |a: &RawAmount| Amount {
        bytes: a.bytes,
        blocks: a.blocks,
    };
    let stated = raw
        .stated
        .bytes
        .zip(raw.stated.blocks)
        .map(|(bytes, blocks)| Amount { bytes, blocks });
    let tool = Tool::named(&raw.tool);
    // Of valgrind's sums by kind the document keeps the whole.
    let (leaked, by_kind) = if tool.is_valgrind() {
        (None, stated)
    } else {
        (stated, None)
    };
    let suppressed = amount(&raw.suppressed);
    let has_sums = by_kind.is_some() || suppressed.blocks > 0;
    let leaks = LeakSummary {
        definite: by_kind.unwrap_or_default(),
        suppressed,
        ..LeakSummary::default()
    };
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
        entries: raw
            .records
            .into_iter()
            .map(|(finding, count)| Entry {
                finding,
                count,
                search: 0,
            })
            .collect(),
    }
}

pub(super) fn finding(raw: RawFinding) -> Finding {
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
    let role = Role::ALL
        .iter()
        .find(|r| r.as_str() == raw.role)
        .copied()
        .unwrap_or(Role::Other);
    Stack {
        role,
        label: text(raw.label),
        frames: raw.frames.into_iter().map(frame).collect(),
    }
}

fn frame(raw: RawFrame) -> Frame {
    let hex = |text: Option<String>| {
        text.and_then(|t| u64::from_str_radix(t.trim_start_matches("0x"), 16).ok())
    };
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
    Frame {
        index: raw.index,
        address: hex(raw.address),
        inlined: raw.inlined,
        site: Arc::new(site),
    }
}

pub(super) fn vouched(raw: RawVouched) -> Vouched {
    Vouched {
        tool: Tool::named(&raw.tool),
        processes: raw.processes,
        canary: raw.canary,
    }
}

/// A code of a newer leakgate that fails is taken for a cut report.
pub(super) fn problem(raw: RawProblem) -> Problem {
    let unknown = if raw.fatal.unwrap_or(true) {
        Code::Truncated
    } else {
        Code::MoreProblems
    };
    let code = Code::ALL
        .iter()
        .find(|c| c.as_str() == raw.code)
        .copied()
        .unwrap_or(unknown);
    Problem {
        code,
        input: raw.input,
        line: raw.line,
        pid: raw.pid,
        message: raw.message,
    }
}
