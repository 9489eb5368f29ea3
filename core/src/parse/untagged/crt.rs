//! The debug heap of Microsoft's C runtime: its dump at the end of a program, and its messages
//! about corrupted blocks.
//!
//! Source:
//! <https://learn.microsoft.com/en-us/cpp/c-runtime-library/find-memory-leaks-using-the-crt-library>.
//! A block has no stack. It has the location of its allocation only if `_CRTDBG_MAP_ALLOC` was
//! defined.

use alloc::format;
use alloc::vec::Vec;

use super::{Context, CurrentReport, LineOutcome, ReportReader, Start};
use crate::bytes::{before, contains, find, lossy, number};
use crate::model::{Kind, Leak, Role, Tool};
use crate::parse::collect::{FrameSyntax, shared_text};
use crate::parse::finding_builder::FindingBuilder;
use crate::parse::frame::SplitFrame;
use crate::parse::tag;

/// The beginnings of headlines. A block begins with the path of a file, so it has none.
pub(super) const HEADS: &[&str] = &["Detected memory leaks!", "HEAP CORRUPTION DETECTED: "];

pub(super) fn start(text: &[u8], context: &mut Context<'_>) -> Start {
    let text = text.trim_ascii();
    if text == b"Detected memory leaks!" {
        let report = context.incomplete_report(&Tool::Crt, None);
        return Start::report(CurrentReport::new(report), Dump::default());
    }
    if let Some(finding) = parse_block(text, context) {
        let report = context.report(&Tool::Crt, None);
        let current = CurrentReport::new(report);
        context.record(report, finding);
        context.mark_truncated(&current, "a debug heap dump has no beginning");
        return Start::report(current, Dump::default());
    }
    if text.starts_with(b"HEAP CORRUPTION DETECTED: ") {
        context.record_single_line(
            Tool::Crt,
            Kind::from_static("heap-corruption"),
            &shared_text(text),
        );
        return Start::Line;
    }
    Start::No
}

/// Reads the dump of leaked blocks.
#[derive(Clone, Debug, Default)]
struct Dump {
    /// A line of a block that may go on in the next line.
    cut: Vec<u8>,
}

/// Maximum length of a block's line.
const MAX_BLOCK: usize = 4096;

impl Dump {
    /// Reads the line after one that may go on in it. Returns false if the line is another one.
    fn resume(
        &mut self,
        text: &[u8],
        current: &mut CurrentReport,
        context: &mut Context<'_>,
    ) -> bool {
        if self.cut.is_empty() {
            return false;
        }
        let joined = [&self.cut, text].concat();
        let text = text.trim_ascii();
        let continues = !text.is_empty()
            && !starts_block(text)
            && !is_other_line(text)
            && tag::find(text).is_none();
        if continues {
            if let Some(finding) = parse_block(joined.trim_ascii(), context) {
                self.cut.clear();
                current.finding = Some(finding);
                context.flush(current);
                return true;
            }
            if joined.len() <= MAX_BLOCK {
                self.cut = joined;
                return true;
            }
        }
        self.give_up(context);
        false
    }

    /// Adds a problem for a block whose line is incomplete.
    fn give_up(&mut self, context: &mut Context<'_>) {
        if !self.cut.is_empty() {
            context.unreadable(&Tool::Crt, &self.cut);
            self.cut.clear();
        }
    }
}

/// Returns true for the other lines of a dump.
fn is_other_line(text: &[u8]) -> bool {
    text.starts_with(b"Dumping objects ->")
        || text.starts_with(b"Data: <")
        || text.starts_with(b"Object dump complete")
        || text == b"Detected memory leaks!"
}

/// Returns the position of `{NUMBER} ` with which the description of a block begins.
fn find_number(text: &[u8]) -> Option<usize> {
    find(text, b"{").filter(|at| *at == 0 || text[..*at].ends_with(b" : "))
}

/// Returns true if a line begins like that of a block.
fn starts_block(text: &[u8]) -> bool {
    find_number(text)
        .and_then(|open| number(&text[open + 1..]))
        .is_some_and(|(_, rest)| {
            rest.is_empty() || b"} ".starts_with(rest) || rest.starts_with(b"} ")
        })
}

impl ReportReader for Dump {
    fn read_line(
        &mut self,
        text: &[u8],
        current: &mut CurrentReport,
        context: &mut Context<'_>,
    ) -> LineOutcome {
        if self.resume(text, current, context) {
            return LineOutcome::Consumed;
        }
        let whole = text;
        let text = text.trim_ascii();
        if text == b"Detected memory leaks!" {
            self.finish(current, context);
            return LineOutcome::EndedBefore;
        }
        if text.starts_with(b"Object dump complete") {
            context.complete(current);
            return LineOutcome::Finished;
        }
        if let Some(finding) = parse_block(text, context) {
            current.finding = Some(finding);
            context.flush(current);
            return LineOutcome::Consumed;
        }
        // MFC lists a client block a second time, by its class.
        let is_mfc_object = text.starts_with(b"a ") && contains(text, b" at $");
        if contains(text, b" bytes long") && !is_mfc_object {
            context.unreadable(&Tool::Crt, text);
            return LineOutcome::Consumed;
        }
        if starts_block(text) {
            if let Some(tag) = tag::find(text) {
                context.unreadable(&Tool::Crt, &text[..tag.at]);
                return LineOutcome::Unrelated;
            }
            self.cut = whole.to_vec();
            return LineOutcome::Consumed;
        }
        if is_mfc_object || text.is_empty() || is_other_line(text) {
            LineOutcome::Consumed
        } else {
            LineOutcome::Unrelated
        }
    }

    fn finish(&mut self, current: &mut CurrentReport, context: &mut Context<'_>) {
        self.give_up(context);
        context.end_truncated(current);
    }
}

/// Parses `C:\src\a.cpp(10) : {813} normal block at 0x00C08E80, 16 bytes long.` into a finding.
fn parse_block(text: &[u8], context: &mut Context<'_>) -> Option<FindingBuilder> {
    let open = find_number(text)?;
    let (allocation, block) = number(&text[open + 1..])?;
    let block = block.strip_prefix(b"} ")?;
    let name = before(block, b" at ")?;
    let size = block
        .strip_suffix(b" bytes long.")
        .or_else(|| block.strip_suffix(b" bytes long"))?;
    let (bytes, _) = number(size.rsplit(|b| *b == b' ').next()?)?;
    if !contains(name, b"block") && !contains(name, b"a C") {
        return None;
    }
    let mut finding = context.new_finding(
        Tool::Crt,
        Kind::LEAK_DEFINITE,
        &format!("{}, {bytes} bytes long", lossy(name)),
    );
    finding.leak = Some(Leak::direct(bytes, 1));
    finding.expect_stack(Role::Allocation, b"");
    if open == 0 {
        // `_CrtSetBreakAlloc` stops at this allocation.
        finding.add_note(format!("allocation number {allocation}").as_bytes());
    }
    if let Some(location) = text[..open].strip_suffix(b" : ") {
        context.push_frame(
            &mut finding,
            FrameSyntax::Location,
            SplitFrame {
                index: Some(0),
                address: None,
                text: location,
            },
        );
    }
    Some(finding)
}
