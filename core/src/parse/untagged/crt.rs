//! The debug heap of Microsoft's C runtime: its dump at the end of a program, and its messages
//! about corrupted blocks.
//!
//! Source:
//! <https://learn.microsoft.com/en-us/cpp/c-runtime-library/find-memory-leaks-using-the-crt-library>.
//! A block has no stack. It has the location of its allocation only if `_CRTDBG_MAP_ALLOC` was
//! defined.

use alloc::format;

use super::{Context, CurrentReport, LineOutcome, ReportReader, Start};
use crate::bytes::{before, contains, find, lossy, number};
use crate::model::{Kind, Leak, Role, Tool};
use crate::parse::collect::{FrameSyntax, shared_text};
use crate::parse::finding_builder::FindingBuilder;
use crate::parse::frame::SplitFrame;

/// The beginnings of headlines. A block begins with the path of a file, so it has none.
pub(super) const HEADS: &[&str] = &["Detected memory leaks!", "HEAP CORRUPTION DETECTED: "];

pub(super) fn start(text: &[u8], context: &mut Context<'_>) -> Start {
    let text = text.trim_ascii();
    if text == b"Detected memory leaks!" {
        let report = context.incomplete_report(&Tool::Crt, None);
        return Start::report(CurrentReport::new(report), Dump);
    }
    if let Some(finding) = parse_block(text, context) {
        let report = context.report(&Tool::Crt, None);
        let current = CurrentReport::new(report);
        context.record(report, finding);
        context.mark_truncated(&current, "a debug heap dump has no beginning");
        return Start::report(current, Dump);
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
#[derive(Clone, Debug)]
struct Dump;

impl ReportReader for Dump {
    fn read_line(
        &mut self,
        text: &[u8],
        current: &mut CurrentReport,
        context: &mut Context<'_>,
    ) -> LineOutcome {
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
        let is_part = is_mfc_object
            || text.is_empty()
            || text.starts_with(b"Dumping objects ->")
            || text.starts_with(b"Data: <");
        if is_part {
            LineOutcome::Consumed
        } else {
            LineOutcome::Unrelated
        }
    }
}

/// Parses `C:\src\a.cpp(10) : {813} normal block at 0x00C08E80, 16 bytes long.` into a finding.
fn parse_block(text: &[u8], context: &mut Context<'_>) -> Option<FindingBuilder> {
    let open = find(text, b"{").filter(|at| *at == 0 || text[..*at].ends_with(b" : "))?;
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
