//! GWP-ASan, which guards a few allocations of a process: a headline, the error, and the stacks of
//! the access, the free and the allocation.
//!
//! Sources: compiler-rt `gwp_asan/optional/segv_handler_posix.cpp`; tcmalloc
//! `tcmalloc/segv_handler.cc`, which uses another wording and has no end line.

use super::tombstone::Tombstone;
use super::{Context, CurrentReport, LineOutcome, ReportReader, Start};
use crate::bytes::{contains, find, hex, trim_start};
use crate::model::{Kind, Role, Tool};
use crate::parse::collect::{FrameSyntax, shared_text};
use crate::parse::frame::{self, SplitFrame};

/// The beginnings of headlines.
pub(super) const HEADS: &[&str] = &["*** GWP-ASan ", "Cause: [GWP-ASan]: "];

/// Prefixes of the error, and their kinds.
pub(in crate::parse) const KINDS: &[(&str, &str)] = &[
    ("Use After Free", "heap-use-after-free"),
    ("Use-after-free", "heap-use-after-free"),
    ("Double Free", "double-free"),
    ("Double free", "double-free"),
    ("Invalid (Wild) Free", "invalid-free"),
    ("Invalid free", "invalid-free"),
    ("Buffer Overflow", "heap-buffer-overflow"),
    ("Buffer overflow", "heap-buffer-overflow"),
    ("Buffer Underflow", "heap-buffer-overflow"),
    ("Buffer underflow", "heap-buffer-overflow"),
    ("Buffer Under/Overflow", "heap-buffer-overflow"),
    ("Mismatched-size-delete", "new-delete-type-mismatch"),
    ("Mismatched-free", "alloc-dealloc-mismatch"),
];

pub(super) fn start(text: &[u8], context: &mut Context<'_>) -> Start {
    let text = strip_log_prefix(text);
    let is_headline =
        text.starts_with(b"*** GWP-ASan ") && contains(text, b"detected a memory error");
    if !is_headline {
        return tombstone_start(text, context);
    }
    let report = context.incomplete_report(&Tool::GwpAsan, None);
    let reader = Error {
        first_line: context.line,
        has_end_line: !contains(text, b" has detected "),
    };
    Start::report(CurrentReport::new(report), reader)
}

/// Starts the report of `Cause: [GWP-ASan]: Use After Free, 0 bytes into a 16-byte allocation at
/// 0x7000a5fff0` in a tombstone of Android.
fn tombstone_start(text: &[u8], context: &mut Context<'_>) -> Start {
    let cause = text.strip_prefix(b"Cause: [GWP-ASan]: ");
    let Some(cause) = cause.filter(|cause| contains(cause, b" at 0x")) else {
        return Start::No;
    };
    let report = context.complete_report(&Tool::GwpAsan, None);
    let finding = context.new_finding(Tool::GwpAsan, cause_kind(cause), &shared_text(cause));
    Start::report(
        CurrentReport::new(report).with_finding(finding),
        Tombstone::default(),
    )
}

/// Returns the kind of an error or of a cause in a tombstone.
pub(super) fn cause_kind(text: &[u8]) -> Kind {
    KINDS
        .iter()
        .find(|(prefix, _)| text.starts_with(prefix.as_bytes()))
        .map_or(Kind::UNKNOWN, |(_, kind)| Kind::from_static(kind))
}

/// Reads an error. The finding is created by the line that names the error.
#[derive(Clone, Debug)]
struct Error {
    /// Line number of the headline, from 1.
    first_line: u64,
    /// False for tcmalloc, whose reports have no end line.
    has_end_line: bool,
}

impl ReportReader for Error {
    fn read_line(
        &mut self,
        text: &[u8],
        current: &mut CurrentReport,
        context: &mut Context<'_>,
    ) -> LineOutcome {
        let text = strip_log_prefix(text);
        if text.starts_with(b"*** End GWP-ASan report") {
            // Without the line that names the error, the error is lost.
            if current.finding.is_some() {
                context.complete(current);
            } else {
                context.end_truncated(current);
            }
            return LineOutcome::Finished;
        }
        let kind = KINDS
            .iter()
            .find(|(prefix, _)| text.starts_with(prefix.as_bytes()));
        let Some(finding) = &mut current.finding else {
            let kind = kind
                .map(|(_, kind)| Kind::from_static(kind))
                .or_else(|| contains(text, b" at 0x").then_some(Kind::UNKNOWN));
            let Some(kind) = kind else {
                return if text.is_empty() {
                    LineOutcome::Consumed
                } else {
                    LineOutcome::Unrelated
                };
            };
            let title = shared_text(text.trim_ascii_end());
            let mut finding = context.new_finding(Tool::GwpAsan, kind, &title);
            finding.first_line = self.first_line;
            finding.expect_stack(Role::Access, b"");
            current.finding = Some(finding);
            return LineOutcome::Consumed;
        };
        if let Some(role) = stack_role(text) {
            finding.expect_stack(role, text);
        } else if let Some(frame) = frame::split_numbered(text).or_else(|| address_frame(text)) {
            if let Some((address, site)) = frame::split_backtrace_symbols(frame.text) {
                let frame = SplitFrame {
                    address: Some(address),
                    text: site,
                    ..frame
                };
                context.push_frame(finding, FrameSyntax::BacktraceSymbols, frame);
            } else {
                context.push_frame(finding, FrameSyntax::Sanitizer, frame);
            }
        } else if text.is_empty() {
            finding.close_stack();
        } else if kind.is_none() && !is_note(text) {
            return LineOutcome::Unrelated;
        } else {
            finding.add_note(text);
        }
        LineOutcome::Consumed
    }

    fn finish(&mut self, current: &mut CurrentReport, context: &mut Context<'_>) {
        if !self.has_end_line && current.finding.is_some() {
            context.complete(current);
        } else {
            context.end_truncated(current);
        }
    }
}

/// Strips the prefix of tcmalloc's log: the time, the thread, `FILE.cc:LINE] `.
fn strip_log_prefix(text: &[u8]) -> &[u8] {
    let text = text.trim_ascii();
    let Some(at) = find(text, b"] ").filter(|at| contains(&text[..*at], b".cc:")) else {
        return text;
    };
    text[at + 2..].trim_ascii()
}

/// Parses tcmalloc's frames: `@ 0x55d1d3d45164  leaker`.
fn address_frame(text: &[u8]) -> Option<SplitFrame<'_>> {
    let (address, rest) = hex(trim_start(text.strip_prefix(b"@")?).strip_prefix(b"0x")?)?;
    Some(SplitFrame {
        index: None,
        address: Some(address),
        text: trim_start(rest),
    })
}

/// Returns the role of the stack that a line introduces.
fn stack_role(text: &[u8]) -> Option<Role> {
    let has = |part: &[u8]| contains(text, part);
    let is_heading = (text.ends_with(b" here:") && has(b" by thread ")) || text.ends_with(b" at:");
    if !is_heading || text.starts_with(b"error: ") {
        return None;
    }
    Some(if has(b"deallocated") || has(b"freed") {
        Role::Free
    } else if has(b"allocated") && !has(b"allocation) by thread") {
        Role::Allocation
    } else {
        Role::Access
    })
}

/// Returns true for a line with an explanation: tcmalloc's `>>> Access at offset …`, or Scudo's
/// line about the memory of its allocator.
fn is_note(text: &[u8]) -> bool {
    text.starts_with(b">>> ")
        || text.starts_with(b"0x")
        || text.starts_with(b"GWP-ASan cannot provide any more information")
        || text.starts_with(b"Error originates from")
}
