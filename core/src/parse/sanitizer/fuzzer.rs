//! libFuzzer's own reports: a fatal signal that no sanitizer explained, a timeout, too much memory.
//!
//! Source: compiler-rt `fuzzer/FuzzerLoop.cpp` (`CrashCallback`, `AlarmCallback`,
//! `RssLimitCallback`, `ExitCallback`, `CrashOnOverwrittenInput`). Without a sanitizer a report has
//! no stack.

use alloc::format;

use super::super::asan::ErrorLine;
use super::super::collect::{Collector, shared_text};
use super::super::finding_builder::FindingBuilder;
use super::Sanitizers;
use super::record::{BodyKind, LineContext, ReportBody};
use crate::bytes::{contains, number, trim_start};
use crate::model::{Kind, Role, Tool};
use crate::problem::Code;

/// Beginnings of the text after `ERROR: libFuzzer: `, and their kinds.
pub(crate) const KINDS: &[(&str, &str)] = &[
    ("deadly signal", "deadly-signal"),
    ("timeout after ", "timeout"),
    ("out-of-memory (", "out-of-memory"),
    ("fuzz target exited", "fuzz-target-exited"),
    (
        "fuzz target overwrites its const input",
        "overwrites-const-input",
    ),
];

impl Sanitizers {
    /// Reads a headline or a summary of libFuzzer. Returns false if the line is neither.
    pub(super) fn fuzzer(
        &mut self,
        text: &[u8],
        context: &LineContext<'_>,
        out: &mut Collector,
    ) -> bool {
        let text = text.trim_ascii();
        if let Some(message) = text.strip_prefix(b"ERROR: libFuzzer: ") {
            let title = shared_text(message);
            let known = KINDS.iter().find(|(words, _)| title.starts_with(words));
            // Without a tag it may be prose.
            if known.is_none() && context.pid.is_none() {
                return false;
            }
            self.deadly = None;
            self.unknown = false;
            self.interrupt(context, out);
            let report = self.report(Tool::LibFuzzer, context, out);
            let kind = known.map_or(Kind::UNKNOWN, |(_, kind)| Kind::from_static(kind));
            let draft = FindingBuilder::new(Tool::LibFuzzer, kind, &title, context.line);
            out.reports[report].report.complete = false;
            self.open = Some(ReportBody::new(report, BodyKind::Error, Some(draft)));
            return true;
        }
        if !text.starts_with(b"SUMMARY: libFuzzer: ") {
            return false;
        }
        if self
            .open
            .as_ref()
            .is_some_and(|open| open.is_of(&Tool::LibFuzzer))
        {
            self.close(true, context.line, out);
        } else {
            let message = format!("`{}` without a report: lines are lost", shared_text(text));
            out.add_problem(
                Code::SummaryWithoutReport,
                context.line,
                context.pid,
                message,
            );
        }
        true
    }
}

/// Recognizes the lines between the stacks: `2147483648 byte(s) (99%) in 1 allocation(s)`.
pub(super) fn error_line(line: &[u8]) -> Option<ErrorLine> {
    let text = trim_start(line);
    let (_, rest) = number(text)?;
    let is_block = rest.starts_with(b" byte(s) (") && contains(rest, b" allocation(s)");
    is_block.then_some(ErrorLine::Stack(Role::Allocation))
}
