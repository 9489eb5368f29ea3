//! The kernel's UBSAN: a headline with the place of the error, the error, and a stack.
//!
//! Source: Linux `lib/ubsan.c` (`ubsan_prologue`, `ubsan_epilogue`).

use alloc::boxed::Box;
use alloc::format;

use super::lines::{is_dump, is_trace_heading};
use super::{is_bar, is_end_of_trace, parse_headline, push_frame};
use crate::bytes::contains;
use crate::model::{Kind, Role, Tool};
use crate::parse::collect::shared_text;
use crate::parse::place::place;
use crate::parse::ubsan;
use crate::parse::untagged::{Context, CurrentReport, LineOutcome, ReportReader, Start};

/// Reads a report.
#[derive(Clone, Debug)]
pub(super) struct Undefined {
    /// `FILE:LINE:COLUMN`.
    location: Box<[u8]>,
    /// The line with the error was read.
    has_message: bool,
    /// The error goes on in the next line, as until Linux 5.
    continues: bool,
    /// Lines after the headline were read, or lines of something else.
    has_body: bool,
    is_followed: bool,
}

impl Undefined {
    /// Starts the report of a headline.
    pub(super) fn start(
        kind: Kind,
        title: &[u8],
        location: &[u8],
        context: &mut Context<'_>,
    ) -> Start {
        let report = context.incomplete_report(&Tool::Ubsan, None);
        let mut finding = context.new_finding(Tool::Ubsan, kind, &shared_text(title));
        finding.add_note(title);
        let current = CurrentReport::new(report).with_finding(finding);
        Start::report(
            current,
            Self {
                location: location.into(),
                has_message: false,
                continues: false,
                has_body: false,
                is_followed: false,
            },
        )
    }

    /// Reads the line with the error. Returns false if the line is something else.
    fn read_message(&mut self, text: &[u8], current: &mut CurrentReport) -> bool {
        let Some(finding) = &mut current.finding else {
            return false;
        };
        let message = shared_text(text);
        if self.continues {
            self.continues = false;
            finding.title = format!("{} {message}", finding.title).into();
            return true;
        }
        // The space after the colon is lost at the end of a line.
        let kind = ubsan::kind(&format!("{message} "));
        let is_known = kind.as_str() != "undefined-behavior";
        let is_message = is_known
            || contains(text, b" cannot be represented in type ")
            || text.starts_with(b"calling __builtin_unreachable()");
        if self.has_message || !is_message {
            return false;
        }
        self.has_message = true;
        self.continues = text.ends_with(b":");
        if is_known {
            finding.kind = kind;
        }
        finding.title = message;
        true
    }

    /// Adds the finding, with the place of the error in its stack.
    fn flush(&self, current: &mut CurrentReport, context: &mut Context<'_>) {
        if let Some(finding) = &mut current.finding {
            place(finding, &self.location, context.out);
        }
        context.flush(current);
    }
}

impl ReportReader for Undefined {
    fn read_line(
        &mut self,
        text: &[u8],
        current: &mut CurrentReport,
        context: &mut Context<'_>,
    ) -> LineOutcome {
        let text = text.trim_ascii();
        if is_bar(text) || is_end_of_trace(text) {
            self.flush(current, context);
            context.complete(current);
            return LineOutcome::Finished;
        }
        if parse_headline(text).is_some() {
            self.is_followed = true;
            self.finish(current, context);
            return LineOutcome::EndedBefore;
        }
        if self.read_message(text, current) {
            if let Some(finding) = &mut current.finding {
                finding.last_line = context.line;
            }
            return LineOutcome::Consumed;
        }
        let Some(finding) = &mut current.finding else {
            return LineOutcome::EndedBefore;
        };
        if is_trace_heading(text) {
            let role = if finding.stacks.is_empty() {
                Role::Access
            } else {
                Role::Other
            };
            finding.expect_stack(role, b"");
        } else if !push_frame(text, finding, context) && !is_dump(text) && !text.is_empty() {
            self.is_followed = true;
            return LineOutcome::Unrelated;
        }
        self.has_body |= !text.is_empty();
        finding.last_line = context.line;
        LineOutcome::Consumed
    }

    fn finish(&mut self, current: &mut CurrentReport, context: &mut Context<'_>) {
        self.flush(current, context);
        // A log that was filtered for the headlines has no stacks.
        if self.is_followed && !self.has_body {
            context.complete(current);
        } else {
            context.end_truncated(current);
        }
    }
}
