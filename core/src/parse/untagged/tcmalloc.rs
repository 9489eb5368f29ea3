//! gperftools' heap checker, and tcmalloc's messages about invalid frees.
//!
//! Source: gperftools 2.10 `src/heap-checker.cc`, `src/debugallocation.cc`, `src/tcmalloc.cc`.

use super::{Context, CurrentReport, LineOutcome, ReportReader, Start};
use crate::bytes::{after, before, contains, hex, number, trim_start};
use crate::model::{Amount, Kind, Leak, Role, Tool};
use crate::parse::collect::{FrameSyntax, shared_text};
use crate::parse::finding_builder::FindingBuilder;
use crate::parse::frame::SplitFrame;

/// The beginnings of headlines.
pub(super) const HEADS: &[&str] = &[
    "Leak check ",
    "Leak of ",
    "No leaks found for check ",
    "memory allocation",
    "memory stomping bug",
    "Attempt to free invalid pointer",
    "Attempt to realloc invalid pointer",
];

/// Parts of the allocator's error messages, and their kinds.
pub(in crate::parse) const KINDS: &[(&str, &str)] = &[
    ("memory stomping bug", "heap-corruption"),
    ("has been already deallocated", "double-free"),
    ("Attempt to free invalid pointer", "invalid-free"),
    ("Attempt to realloc invalid pointer", "invalid-free"),
    ("mismatched by", "alloc-dealloc-mismatch"),
];

pub(super) fn start(text: &[u8], context: &mut Context<'_>) -> Start {
    let text = text.trim_ascii();
    if let Some(total) = text
        .strip_prefix(b"Leak check ")
        .and_then(|rest| after(rest, b" detected leaks of "))
    {
        let Some(total) = parse_amount(total) else {
            context.unreadable(&Tool::Tcmalloc, text);
            return Start::Line;
        };
        let report = finished_check(context, total);
        return Start::report(CurrentReport::new(report), Leaks);
    }
    if let Some(leak) = text.strip_prefix(b"Leak of ").and_then(parse_amount) {
        // The log lacks the total, which comes first.
        let report = context.report(&Tool::Tcmalloc, None);
        let mut current = CurrentReport::new(report);
        context.mark_truncated(&current, "the total before a tcmalloc leak is missing");
        current.finding = Some(new_leak(leak, text, context));
        return Start::report(current, Leaks);
    }
    if text.starts_with(b"No leaks found for check ") {
        finished_check(context, Amount::default());
        return Start::Line;
    }
    let Some(kind) = error_kind(text) else {
        return Start::No;
    };
    // One message names two errors. The state of the object shows which one it was.
    let kind = if contains(text, b"already deallocated") {
        "double-free"
    } else {
        kind
    };
    context.record_single_line(Tool::Tcmalloc, Kind::from_static(kind), &shared_text(text));
    Start::Line
}

/// Returns the kind of an error message.
fn error_kind(text: &[u8]) -> Option<&'static str> {
    // The release build writes the line of its source before the message.
    let source = before(text, b"] ").filter(|source| contains(source, b"tcmalloc.cc:"));
    let message = source.map_or(text, |source| &text[source.len() + 2..]);
    let is_pointer = |message: &[u8]| {
        let pointer = message.strip_prefix(b":").unwrap_or(message);
        pointer.starts_with(b" 0x")
    };
    let is_attempt = [
        &b"Attempt to free invalid pointer"[..],
        b"Attempt to realloc invalid pointer",
    ]
    .into_iter()
    .filter_map(|words| message.strip_prefix(words))
    .any(is_pointer);
    let is_error = is_attempt
        || message.starts_with(b"memory allocation")
        || message.starts_with(b"memory stomping bug");
    KINDS
        .iter()
        .filter(|_| is_error)
        .find(|(part, _)| contains(message, part.as_bytes()))
        .map(|(_, kind)| *kind)
}

/// Returns the report of a finished heap check, and adds the check's total to it.
fn finished_check(context: &mut Context<'_>, leaked: Amount) -> usize {
    let report = context.complete_report(&Tool::Tcmalloc, None);
    let totals = &mut context.report_mut(report).totals;
    let total = totals.leaked.get_or_insert_default();
    *total = total.plus(leaked);
    report
}

/// Parses `1000000 bytes in 10 objects`.
fn parse_amount(text: &[u8]) -> Option<Amount> {
    let (bytes, rest) = number(text)?;
    let (blocks, rest) = number(rest.strip_prefix(b" bytes in ")?)?;
    rest.starts_with(b" objects")
        .then_some(Amount { bytes, blocks })
}

/// Reads the leaks of one check.
#[derive(Clone, Debug)]
struct Leaks;

impl ReportReader for Leaks {
    fn read_line(
        &mut self,
        text: &[u8],
        current: &mut CurrentReport,
        context: &mut Context<'_>,
    ) -> LineOutcome {
        let trimmed = text.trim_ascii();
        if let Some(leak) = trimmed.strip_prefix(b"Leak of ").and_then(parse_amount) {
            context.flush(current);
            current.finding = Some(new_leak(leak, trimmed, context));
            return LineOutcome::Consumed;
        }
        // The list has at most 20 leaks, so the total may be larger.
        if trimmed.starts_with(b"The ") && trimmed.ends_with(b" largest leaks:") {
            return LineOutcome::Consumed;
        }
        if trimmed.starts_with(b"If the preceding stack traces are not enough")
            || trimmed.starts_with(b"Exiting with error code")
        {
            context.flush(current);
            return LineOutcome::Finished;
        }
        let Some(finding) = &mut current.finding else {
            return LineOutcome::Unrelated;
        };
        let frame = trim_start(text).strip_prefix(b"@ ").and_then(hex);
        let Some((address, rest)) = frame else {
            return if trimmed.is_empty() {
                LineOutcome::Consumed
            } else {
                LineOutcome::Unrelated
            };
        };
        let frame = SplitFrame {
            index: None,
            address: Some(address),
            text: if trim_start(rest).is_empty() {
                trimmed
            } else {
                trim_start(rest)
            },
        };
        context.push_frame(finding, FrameSyntax::Function, frame);
        LineOutcome::Consumed
    }
}

/// Creates the finding for a leak, with its line as the title.
fn new_leak(leak: Amount, text: &[u8], context: &Context<'_>) -> FindingBuilder {
    let title = shared_text(text.strip_suffix(b" allocated from:").unwrap_or(text));
    let mut finding = context.new_finding(Tool::Tcmalloc, Kind::LEAK_DEFINITE, &title);
    finding.leak = Some(Leak::direct(leak.bytes, leak.blocks));
    finding.expect_stack(Role::Allocation, b"");
    finding
}
