//! The report of glibc's `mtrace` script: rows of what was not freed, each with its address, its
//! size in hex, and the place of the call.
//!
//! Source: glibc `malloc/mtrace.pl`. A program that was aborted leaves an empty trace, of which the
//! script says `No memory leaks.`, so those words prove no more than that the trace balances.

use alloc::boxed::Box;
use alloc::format;

use super::{Desk, Opened, Reading, Step};
use crate::bytes::{before, contains, find, hex, trim_start};
use crate::model::{Kind, Leak, Role, Tool};
use crate::parse::collect::{Grammar, text_of};
use crate::parse::frame::Head;

pub(super) fn opens(text: &[u8], desk: &mut Desk<'_>) -> Opened {
    let said = text.trim_ascii();
    if said.ends_with(b"Memory not freed:") {
        return Opened::Report(Box::new(Table {
            report: checked(desk),
            rows: 0,
        }));
    }
    if said == b"No memory leaks." {
        checked(desk);
        return Opened::Line;
    }
    let kind = if is_unknown(said) {
        "invalid-free"
    } else if contains(said, b"+ 0x") && contains(said, b" duplicate: ") {
        "heap-corruption"
    } else {
        return Opened::No;
    };
    desk.said(Tool::Mtrace, Kind::of(kind), &text_of(said));
    Opened::Line
}

/// A trace was gone through.
fn checked(desk: &mut Desk<'_>) -> usize {
    let report = desk.report(&Tool::Mtrace, None);
    desk.out.reports[report].complete = true;
    report
}

/// `- 0x0000000000405510 Free 12 was never alloc'd 0x122c`
fn is_unknown(said: &[u8]) -> bool {
    let Some(head) = before(said, b"was never alloc'd ").map(<[u8]>::trim_ascii_end) else {
        return false;
    };
    head.last().is_none_or(u8::is_ascii_digit)
}

/// The table that is being read.
#[derive(Clone, Debug)]
struct Table {
    report: usize,
    rows: u64,
}

impl Reading for Table {
    fn line(&mut self, text: &[u8], desk: &mut Desk<'_>) -> Step {
        let said = text.trim_ascii();
        if said.is_empty() || said.starts_with(b"-----") || said.starts_with(b"Address ") {
            return Step::Own;
        }
        let Some((size, place)) = row(said) else {
            self.finish(desk);
            return Step::Over;
        };
        self.rows += 1;
        let mut draft = desk.draft(
            Tool::Mtrace,
            Kind::LEAK_DEFINITE,
            &format!("{size} bytes not freed"),
        );
        draft.leak = Some(Leak::direct(size, 1));
        draft.expect_stack(Role::Allocation, b"");
        desk.frame(
            &mut draft,
            Grammar::Place,
            Head {
                index: None,
                address: None,
                site: place,
            },
        );
        desk.record(self.report, draft);
        Step::Own
    }

    fn finish(&mut self, desk: &mut Desk<'_>) {
        if self.rows == 0 {
            desk.cut(
                self.report,
                "mtrace's table of what was not freed has no rows",
            );
        }
    }

    fn report(&self) -> Option<usize> {
        Some(self.report)
    }
}

/// `0x000055b3baa3a4a0     0x64  at /path/mtr.c:3`: the size, and where.
fn row(said: &[u8]) -> Option<(u64, &[u8])> {
    let (_, rest) = hex(said.strip_prefix(b"0x")?)?;
    let (size, rest) = hex(trim_start(rest).strip_prefix(b"0x")?)?;
    let place = trim_start(rest);
    let place = place.strip_prefix(b"at ").unwrap_or(place);
    let end = find(place, b" (discriminator ").unwrap_or(place.len());
    Some((size, &place[..end]))
}
