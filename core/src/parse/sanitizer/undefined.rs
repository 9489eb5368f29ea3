//! Errors of UndefinedBehaviorSanitizer: a headline in one line, then optional notes, a stack and a
//! `SUMMARY:`. They name no process and have no end marker, so the next unrelated line ends them.

use super::super::collect::{Collector, shared_text};
use super::super::finding_builder::FindingBuilder;
use super::super::frame::{self, SplitFrame};
use super::super::ubsan;
use super::Sanitizers;
use super::record::{BodyKind, LineContext, ReportBody};
use crate::bytes::{before, contains};
use crate::model::{Kind, Role, Tool};

/// Maximum number of lines of program output between a headline and its stack.
const MAX_BETWEEN: u32 = 8;

impl Sanitizers {
    /// Reads a headline. Returns false if the line isn't one.
    pub(super) fn undefined(
        &mut self,
        text: &[u8],
        context: &LineContext<'_>,
        out: &mut Collector,
    ) -> bool {
        let (kind, title, location) = if let Some(found) = ubsan::headline(text) {
            let title = shared_text(found.message);
            (ubsan::kind(&title), title, found.location)
        } else if let Some(kind) = ubsan::minimal(text) {
            // Its location is only an address, which is part of the title.
            (
                Kind::from_static(kind),
                shared_text(text.trim_ascii()),
                &b""[..],
            )
        } else {
            if ubsan::is_cap(text) {
                let report = self.report(Tool::Ubsan, context, out);
                out.reports[report].report.capped = true;
            }
            return false;
        };
        self.interrupt(context, out);
        let report = self.report(Tool::Ubsan, context, out);
        out.reports[report].report.complete = true;
        // If one error has no summary, the next ones need none either.
        self.has_summaries &= !core::mem::replace(&mut self.lacks_summary, true);
        let mut draft = FindingBuilder::new(Tool::Ubsan, kind, &title, context.line);
        draft.expect_stack(Role::Access, location);
        self.open = Some(ReportBody {
            location: location.into(),
            ..ReportBody::new(report, BodyKind::Undefined, Some(draft))
        });
        true
    }

    /// Reads a line after the headline.
    pub(super) fn undefined_line(
        &mut self,
        text: &[u8],
        context: &LineContext<'_>,
        out: &mut Collector,
    ) {
        let Some(open) = &mut self.open else { return };
        let Some(draft) = &mut open.draft else { return };
        let has_stack = !draft.stacks.is_empty();
        let head = frame::split_numbered(text).filter(is_frame);
        if head.is_some() && has_stack && draft.stack_is_closed() {
            open.broken(context, out);
        } else if let Some(head) = head {
            open.frame(head, context, out);
        } else if text.trim_ascii().is_empty() {
            draft.close_stack();
        } else if ubsan::is_note(text) {
            draft.add_note(text);
            (open.unrelated, draft.last_line) = (0, context.line);
        } else if !draft.notes.is_empty() && ubsan::is_snippet(text) {
            (open.unrelated, draft.last_line) = (0, context.line);
        } else if has_stack || open.unrelated > MAX_BETWEEN {
            self.close(true, context.line, out);
        }
    }

    /// Reads `SUMMARY: UndefinedBehaviorSanitizer: undefined-behavior a.c:3:4`. Returns false if it
    /// doesn't belong to an error of UndefinedBehaviorSanitizer.
    pub(super) fn undefined_summary(
        &mut self,
        name: &[u8],
        text: &[u8],
        context: &LineContext<'_>,
        out: &mut Collector,
    ) -> bool {
        let is_open = self
            .open
            .as_ref()
            .is_some_and(|open| open.kind == BodyKind::Undefined);
        // In old versions the summary names the sanitizer that the check runs in.
        if name != b"UndefinedBehavior" && !(is_open && text.starts_with(b"undefined-behavior")) {
            return false;
        }
        if !is_open {
            // Program output came between the two.
            if self.open.is_some() || !self.lacks_summary {
                return false;
            }
        } else if let Some(draft) = self.open.as_mut().and_then(|open| open.draft.as_mut()) {
            draft.last_line = context.line;
            if let Some(kind) = ubsan::summary_kind(text) {
                draft.kind = Kind::from_checker(kind);
            }
            self.close(true, context.line, out);
        }
        self.lacks_summary = false;
        self.has_summaries = true;
        true
    }

    /// Returns true if the open error may be complete at the end of a log.
    pub(super) fn is_whole(&self) -> bool {
        let Some(open) = self
            .open
            .as_ref()
            .filter(|open| open.kind == BodyKind::Undefined)
        else {
            return false;
        };
        let in_stack = open
            .draft
            .as_ref()
            .is_some_and(|draft| !draft.stacks.is_empty() && !draft.stack_is_closed());
        let lacks_summary = self.has_summaries && self.lacks_summary;
        !in_stack && !lacks_summary
    }
}

/// Returns true for a frame with an address or, as in a runtime that is combined with
/// ThreadSanitizer, with a module and an offset at the end.
fn is_frame(head: &SplitFrame<'_>) -> bool {
    let in_module = || {
        before(head.text, b"+0x").is_some_and(|text| contains(text, b"("))
            && head.text.trim_ascii_end().ends_with(b")")
    };
    head.address.is_some() || in_module()
}
