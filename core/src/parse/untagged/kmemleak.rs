//! kmemleak: kernel objects that no pointer refers to, from `/sys/kernel/debug/kmemleak` or a log.
//!
//! Source: Linux `mm/kmemleak.c` (`print_unreferenced`). Each object has a size, the task that
//! allocated it, a hex dump, and a backtrace.

use alloc::format;

use super::{Context, CurrentReport, LineOutcome, ReportReader, Start, kernel};
use crate::bytes::{after, number};
use crate::model::{Kind, Leak, Role, Tool};
use crate::parse::collect::shared_text;
use crate::parse::finding_builder::FindingBuilder;
use crate::problem::Code;

/// The beginnings of headlines.
pub(super) const HEADS: &[&str] = &[
    "unreferenced object 0x",
    "unreferenced percpu object 0x",
    "kmemleak: ",
];

pub(super) fn start(text: &[u8], context: &mut Context<'_>) -> Start {
    if let Some(size) = object_size(text) {
        let report = context.complete_report(&Tool::Kmemleak, None);
        let current = CurrentReport::new(report).with_finding(unreferenced(size, context));
        return Start::report(current, Objects);
    }
    let message = text.trim_ascii().strip_prefix(b"kmemleak: ");
    let found = message
        .and_then(number)
        .filter(|(_, rest)| rest.starts_with(b" new suspected memory leak"));
    if let Some((found, _)) = found {
        // The kernel log contains only the number; the objects are in another file.
        let report = context.complete_report(&Tool::Kmemleak, None);
        let errors = context.report_mut(report).totals.errors.get_or_insert(0);
        *errors = errors.saturating_add(found);
        return Start::Line;
    }
    let has_stopped = message.is_some_and(|message| {
        message.starts_with(b"Kernel memory leak detector disabled")
            || message.starts_with(b"Automatic memory scanning thread ended")
    });
    if has_stopped {
        context.problem(
            Code::CheckerFailed,
            &format!("kmemleak stopped: `{}`", shared_text(text.trim_ascii())),
        );
        return Start::Line;
    }
    Start::No
}

/// Parses `unreferenced object 0xffff880039a55260 (size 64):` into the size in bytes.
fn object_size(text: &[u8]) -> Option<u64> {
    let text = text.trim_ascii();
    let rest = text
        .strip_prefix(b"unreferenced object ")
        .or_else(|| text.strip_prefix(b"unreferenced percpu object "))?;
    let (size, rest) = number(after(rest, b"(size ")?)?;
    rest.starts_with(b")").then_some(size)
}

/// Reads the objects of one scan.
#[derive(Clone, Debug)]
struct Objects;

impl ReportReader for Objects {
    fn read_line(
        &mut self,
        text: &[u8],
        current: &mut CurrentReport,
        context: &mut Context<'_>,
    ) -> LineOutcome {
        if let Some(size) = object_size(text) {
            context.flush(current);
            current.finding = Some(unreferenced(size, context));
            return LineOutcome::Consumed;
        }
        let text = text.trim_ascii();
        let Some(finding) = &mut current.finding else {
            return LineOutcome::EndedBefore;
        };
        if kernel::push_frame(text, finding, context)
            || text.starts_with(b"comm \"")
            || text.starts_with(b"hex dump ")
            || text.starts_with(b"backtrace")
            || is_hex_dump(text)
        {
            finding.last_line = context.line;
        } else if text.is_empty() {
            return LineOutcome::Unrelated;
        } else {
            context.flush(current);
            return LineOutcome::EndedBefore;
        }
        LineOutcome::Consumed
    }

    fn finish(&mut self, current: &mut CurrentReport, context: &mut Context<'_>) {
        context.flush(current);
    }
}

/// Creates the finding for an object of `size` bytes.
fn unreferenced(size: u64, context: &Context<'_>) -> FindingBuilder {
    let mut finding = context.new_finding(
        Tool::Kmemleak,
        Kind::LEAK_DEFINITE,
        &format!("unreferenced object of {size} bytes"),
    );
    finding.leak = Some(Leak::direct(size, 1));
    finding.expect_stack(Role::Allocation, b"");
    finding
}

/// Returns true for a row of a hex dump: `2f 00 00 00  /...`.
fn is_hex_dump(text: &[u8]) -> bool {
    text.split(|b| *b == b' ')
        .next()
        .is_some_and(|byte| byte.len() == 2 && byte.iter().all(u8::is_ascii_hexdigit))
}
