//! The report of glibc's `mtrace` script: one row per block that was not freed, with its address,
//! its size in hex, and the location of the call.
//!
//! Source: glibc `malloc/mtrace.pl`. If a program was aborted, its trace is empty and the script
//! prints `No memory leaks.`, so that message proves only that the trace balances.

use alloc::format;

use super::{Context, CurrentReport, LineOutcome, ReportReader, Start};
use crate::bytes::{after, before, contains, find, hex, trim_start};
use crate::model::{Kind, Leak, Role, Tool};
use crate::parse::collect::{FrameSyntax, shared_text};

/// The beginnings of headlines.
pub(super) const HEADS: &[&str] = &["Memory not freed:", "No memory leaks.", "- 0x", "+ 0x"];

pub(super) fn start(text: &[u8], context: &mut Context<'_>) -> Start {
    let text = text.trim_ascii();
    if text == b"Memory not freed:" {
        let report = context.complete_report(&Tool::Mtrace, None);
        return Start::report(CurrentReport::new(report), Table { rows: 0 });
    }
    if text == b"No memory leaks." {
        context.complete_report(&Tool::Mtrace, None);
        return Start::Line;
    }
    let kind = if is_unknown(text) {
        "invalid-free"
    } else if text.starts_with(b"+ 0x") && contains(text, b" duplicate: ") {
        "heap-corruption"
    } else {
        return Start::No;
    };
    context.record_single_line(Tool::Mtrace, Kind::from_static(kind), &shared_text(text));
    Start::Line
}

/// Returns true for `- 0x0000000000405510 Free 12 was never alloc'd 0x122c`. No other output
/// contains the part from `Free` on, so the beginning may be cut or damaged.
fn is_unknown(text: &[u8]) -> bool {
    let number = before(text, b" was never alloc'd").and_then(|before| after(before, b"Free "));
    let is_cut = || {
        let before = before(text, b"was never alloc'd 0x");
        before.is_some_and(|before| {
            let before = before.trim_ascii_end();
            before.last().is_none_or(u8::is_ascii_digit)
        })
    };
    number.is_some_and(|number| !number.is_empty() && number.iter().all(u8::is_ascii_digit))
        || is_cut()
}

/// Reads the table of leaked blocks.
#[derive(Clone, Debug)]
struct Table {
    /// Number of rows so far.
    rows: u64,
}

impl ReportReader for Table {
    fn read_line(
        &mut self,
        text: &[u8],
        current: &mut CurrentReport,
        context: &mut Context<'_>,
    ) -> LineOutcome {
        let text = text.trim_ascii();
        if text.is_empty() || text.starts_with(b"-----") || text.starts_with(b"Address ") {
            return LineOutcome::Consumed;
        }
        let Some((size, location)) = parse_row(text) else {
            self.finish(current, context);
            return LineOutcome::EndedBefore;
        };
        self.rows += 1;
        let mut finding = context.new_finding(
            Tool::Mtrace,
            Kind::LEAK_DEFINITE,
            &format!("{size} bytes not freed"),
        );
        finding.leak = Some(Leak::direct(size, 1));
        finding.expect_stack(Role::Allocation, b"");
        context.push_site(&mut finding, FrameSyntax::Location, location);
        current.finding = Some(finding);
        context.flush(current);
        LineOutcome::Consumed
    }

    fn finish(&mut self, current: &mut CurrentReport, context: &mut Context<'_>) {
        if self.rows == 0 {
            context.mark_truncated(current, "mtrace's `Memory not freed` table has no rows");
        }
    }
}

/// Parses `0x000055b3baa3a4a0     0x64  at /path/mtr.c:3` into size and location.
fn parse_row(text: &[u8]) -> Option<(u64, &[u8])> {
    let (_, rest) = hex(text.strip_prefix(b"0x")?)?;
    let (size, rest) = hex(trim_start(rest).strip_prefix(b"0x")?)?;
    let location = trim_start(rest);
    let location = location.strip_prefix(b"at ").unwrap_or(location);
    let end = find(location, b" (discriminator ").unwrap_or(location.len());
    Some((size, &location[..end]))
}
