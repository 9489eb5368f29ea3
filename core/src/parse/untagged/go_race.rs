//! Go's race detector: two accesses, and the stacks that created their goroutines. A function is on
//! one line and its location on the next.
//!
//! Sources: LLVM `compiler-rt/lib/tsan/rtl/tsan_report.cpp` (the part for Go),
//! <https://go.dev/doc/articles/race_detector>.

use alloc::boxed::Box;
use alloc::format;

use super::{Context, CurrentReport, LineOutcome, ReportReader, Start};
use crate::bytes::{before, contains, lossy, number};
use crate::model::{Kind, Role, Tool};
use crate::parse::collect::FrameSyntax;

/// The beginnings of headlines.
pub(super) const HEADS: &[&str] = &["WARNING: DATA RACE", "Found "];

pub(super) fn start(text: &[u8], context: &mut Context<'_>) -> Start {
    let text = text.trim_ascii();
    if text == b"WARNING: DATA RACE" {
        let report = context.incomplete_report(&Tool::GoRace, None);
        let finding =
            context.new_finding(Tool::GoRace, Kind::from_static("data-race"), "data race");
        let current = CurrentReport::new(report).with_finding(finding);
        return Start::report(current, Race { function: None });
    }
    let found = text
        .strip_prefix(b"Found ")
        .and_then(number)
        .filter(|(_, rest)| *rest == b" data race(s)");
    let Some((found, _)) = found else {
        return Start::No;
    };
    let report = context.complete_report(&Tool::GoRace, None);
    let errors = context.report_mut(report).totals.errors.get_or_insert(0);
    *errors = errors.saturating_add(found);
    Start::Line
}

/// Reads a data race.
#[derive(Clone, Debug)]
struct Race {
    /// A function whose location is on the next line.
    function: Option<Box<[u8]>>,
}

impl ReportReader for Race {
    fn read_line(
        &mut self,
        text: &[u8],
        current: &mut CurrentReport,
        context: &mut Context<'_>,
    ) -> LineOutcome {
        let trimmed = text.trim_ascii();
        if trimmed.len() >= 18 && trimmed.iter().all(|b| *b == b'=') {
            context.complete(current);
            return LineOutcome::Finished;
        }
        let Some(finding) = &mut current.finding else {
            return LineOutcome::EndedBefore;
        };
        if let Some(function) = self.function.take() {
            let location = before(trimmed, b" +0x").unwrap_or(trimmed);
            let site = format!("{} at {}", lossy(&function), lossy(location));
            context.push_site(finding, FrameSyntax::AtLocation, site.as_bytes());
        } else if let Some(role) = stack_role(trimmed) {
            finding.expect_stack(role, trimmed);
            if role == Role::Access {
                let access = before(trimmed, b" at 0x").unwrap_or(trimmed);
                finding.title = format!("data race: {}", lossy(access).to_lowercase()).into();
            }
        } else if matches!(text.first(), Some(b' ' | b'\t')) && contains(trimmed, b"(") {
            self.function = Some(trimmed.into());
        } else if trimmed.is_empty() {
            finding.last_line = context.line;
        } else {
            if finding.stack_is_closed()
                && trimmed.ends_with(b"()")
                && let Some(report) = current.index
            {
                context.report_mut(report).lost_indentation = true;
            }
            return LineOutcome::Unrelated;
        }
        LineOutcome::Consumed
    }
}

/// Returns the role of the stack that a line introduces.
fn stack_role(text: &[u8]) -> Option<Role> {
    if !text.ends_with(b":") {
        return None;
    }
    let starts = |prefixes: &[&[u8]]| prefixes.iter().any(|prefix| text.starts_with(prefix));
    if starts(&[
        b"Read at ",
        b"Write at ",
        b"Atomic read at ",
        b"Atomic write at ",
        b"Read by ",
        b"Write by ",
    ]) {
        Some(Role::Access)
    } else if starts(&[b"Previous "]) {
        Some(Role::Conflict)
    } else if starts(&[b"Goroutine "]) && text.ends_with(b" created at:") {
        Some(Role::Thread)
    } else {
        None
    }
}
