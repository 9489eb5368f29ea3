//! Conversion between the wire types and the model.

mod finding;
mod frames;

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

pub(crate) use self::frames::{KnownFrames, frame_error};
use super::{Amount, CheckerReport, Input, Problem, Reason, Str, Totals, Verified};
use crate::bytes;
use crate::model::{self, LeakSummary, RecordCount, ReportedTotals, Text, Tool};
use crate::numbers::push_hex;
use crate::problem::{self, Code};
use crate::reason::{self, ReasonCode};
use crate::verdict::VerifiedChecker;

fn borrow(text: &Option<Text>) -> Option<Str<'_>> {
    text.as_deref().map(Cow::Borrowed)
}

fn own(text: Option<Str<'_>>) -> Option<Text> {
    text.map(Text::from)
}

fn hex(number: Option<u64>) -> Option<Str<'static>> {
    number.map(|n| {
        let mut text = String::from("0x");
        push_hex(n, &mut text);
        Cow::Owned(text)
    })
}

/// Parses a number as [`hex`] writes it.
fn parse_hex(text: Option<Str<'_>>) -> Option<u64> {
    let text = text?;
    let digits = text.strip_prefix("0x").unwrap_or(&text);
    let (number, rest) = bytes::hex(digits.as_bytes())?;
    rest.is_empty().then_some(number)
}

impl<'a> From<&'a VerifiedChecker> for Verified<'a> {
    fn from(checker: &'a VerifiedChecker) -> Self {
        Self {
            tool: checker.tool.as_str().into(),
            processes: checker.processes,
            canary: checker.canary,
        }
    }
}

impl From<Verified<'_>> for VerifiedChecker {
    fn from(wire: Verified<'_>) -> Self {
        Self {
            tool: Tool::from_name(&wire.tool),
            processes: wire.processes,
            canary: wire.canary,
        }
    }
}

impl<'a> From<&'a reason::Reason> for Reason<'a> {
    fn from(reason: &'a reason::Reason) -> Self {
        Self {
            code: reason.code.as_str().into(),
            count: reason.count,
            message: reason.message.as_str().into(),
        }
    }
}

/// An unknown code of a newer leakgate becomes [`ReasonCode::CommandFailed`].
impl From<Reason<'_>> for reason::Reason {
    fn from(wire: Reason<'_>) -> Self {
        let known = ReasonCode::ALL.iter().find(|c| c.as_str() == wire.code);
        let message = match known {
            Some(_) => wire.message.into_owned(),
            None => alloc::format!("{} [unknown reason code {}]", wire.message, wire.code),
        };
        Self {
            code: known.copied().unwrap_or(ReasonCode::CommandFailed),
            count: wire.count,
            message,
        }
    }
}

impl<'a> From<&'a model::Input> for Input<'a> {
    fn from(input: &'a model::Input) -> Self {
        Self {
            path: input.name.as_str().into(),
            bytes: input.bytes,
            lines: input.lines,
            spoke: input.has_output,
            leg: input.leg.as_deref().map(Cow::Borrowed),
        }
    }
}

impl From<Input<'_>> for model::Input {
    fn from(wire: Input<'_>) -> Self {
        Self {
            name: wire.path.into_owned(),
            bytes: wire.bytes,
            lines: wire.lines,
            has_output: wire.spoke,
            leg: wire.leg.map(Cow::into_owned),
        }
    }
}

impl From<model::Amount> for Amount {
    fn from(amount: model::Amount) -> Self {
        Self {
            bytes: amount.bytes,
            blocks: amount.blocks,
        }
    }
}

impl From<Amount> for model::Amount {
    fn from(wire: Amount) -> Self {
        Self {
            bytes: wire.bytes,
            blocks: wire.blocks,
        }
    }
}

/// The total of a report over all kinds of lost memory. valgrind states it by kind.
fn leaked(report: &model::Report) -> Option<model::Amount> {
    let by_kind = report
        .totals
        .leaks
        .filter(|_| report.tool.is_valgrind())
        .map(|leaks| leaks.definite.plus(leaks.indirect).plus(leaks.possible));
    report.totals.leaked.or(by_kind)
}

impl<'a> From<&'a model::Report> for CheckerReport<'a> {
    fn from(report: &'a model::Report) -> Self {
        let leaked = leaked(report);
        Self {
            tool: report.tool.as_str().into(),
            pid: report.pid,
            parent: report.parent,
            command: borrow(&report.command),
            version: borrow(&report.version),
            source: borrow(&report.stream),
            callers: report.callers,
            input: report.input,
            first_line: report.first_line,
            last_line: report.last_line,
            complete: report.complete,
            capped: report.capped,
            stated: Totals {
                bytes: leaked.map(|l| l.bytes),
                blocks: leaked.map(|l| l.blocks),
                errors: report.totals.errors,
                contexts: report.totals.contexts,
                all_freed: report.totals.all_freed,
            },
            suppressed: report.suppressed().into(),
            suppressed_errors: report.totals.suppressed_errors.unwrap_or(0),
            records: report
                .records
                .iter()
                .map(|r| (r.finding, r.count))
                .collect(),
        }
    }
}

impl From<CheckerReport<'_>> for model::Report {
    fn from(wire: CheckerReport<'_>) -> Self {
        let tool = Tool::from_name(&wire.tool);
        let stated = wire
            .stated
            .bytes
            .zip(wire.stated.blocks)
            .map(|(bytes, blocks)| model::Amount { bytes, blocks });
        // The total of valgrind's kinds is read back as definite leaks.
        let by_kind = stated.filter(|_| tool.is_valgrind());
        let leaked = stated.filter(|_| !tool.is_valgrind());
        let leaks = LeakSummary {
            definite: by_kind.unwrap_or_default(),
            suppressed: wire.suppressed.into(),
            ..LeakSummary::default()
        };
        let has_summary = by_kind.is_some() || leaks.suppressed.blocks > 0;
        Self {
            tool,
            version: own(wire.version),
            pid: wire.pid,
            parent: wire.parent,
            command: own(wire.command),
            stream: own(wire.source),
            input: wire.input,
            first_line: wire.first_line,
            last_line: wire.last_line,
            complete: wire.complete,
            has_header: true,
            callers: wire.callers,
            shown_leaks: None,
            totals: ReportedTotals {
                leaked,
                errors: wire.stated.errors,
                contexts: wire.stated.contexts,
                leaks: Some(leaks).filter(|_| has_summary),
                suppressed_errors: Some(wire.suppressed_errors).filter(|n| *n > 0),
                all_freed: wire.stated.all_freed,
                ..ReportedTotals::default()
            },
            capped: wire.capped,
            lost_indentation: false,
            tracks_origins: None,
            printed: wire.records.iter().map(|(_, count)| count).sum(),
            records: wire
                .records
                .into_iter()
                .map(|(finding, count)| RecordCount {
                    finding,
                    count,
                    leak_check: 0,
                })
                .collect(),
        }
    }
}

impl<'a> From<&'a problem::Problem> for Problem<'a> {
    fn from(problem: &'a problem::Problem) -> Self {
        Self {
            code: problem.code.as_str().into(),
            fatal: problem.code.reason().is_some(),
            input: problem.input,
            line: problem.line,
            pid: problem.pid,
            message: problem.message.as_str().into(),
        }
    }
}

/// An unknown code of a newer leakgate that is fatal becomes [`Code::Truncated`].
impl From<Problem<'_>> for problem::Problem {
    fn from(wire: Problem<'_>) -> Self {
        let known = Code::ALL.iter().find(|c| c.as_str() == wire.code);
        let unknown = if wire.fatal {
            Code::Truncated
        } else {
            Code::MoreProblems
        };
        Self {
            code: known.copied().unwrap_or(unknown),
            input: wire.input,
            line: wire.line,
            pid: wire.pid,
            message: wire.message.into_owned(),
        }
    }
}

/// Returns owned texts as borrowed ones.
pub(crate) fn borrow_all(texts: &[String]) -> Vec<Str<'_>> {
    texts.iter().map(|text| text.as_str().into()).collect()
}

/// Returns the text of a displayable value.
pub(crate) fn to_str(value: impl ToString) -> Str<'static> {
    Cow::Owned(value.to_string())
}
