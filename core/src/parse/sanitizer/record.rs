//! The body of the open report: frames, the lines between them, leak records.

use alloc::boxed::Box;

use super::super::asan::ErrorLine;
use super::super::collect::{Collector, FrameSyntax, shared_text};
use super::super::finding_builder::FindingBuilder;
use super::super::frame::SplitFrame;
use super::super::lsan;
use super::dialect;
use crate::bytes::{contains, find, trim_start};
use crate::model::{Frame, LeakSummary, Role, Text, Tool};
use crate::problem::Code;

/// The kind of a report's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyKind {
    /// An error, up to its `SUMMARY:`.
    Error,
    /// Leak records, up to their `SUMMARY:`.
    Leaks,
    /// The table of used suppressions, before or instead of the leaks' `SUMMARY:`.
    Suppressions { then_leaks: bool },
    /// An error of UndefinedBehaviorSanitizer, which has no end marker.
    Undefined,
}

/// The open report of a stream.
#[derive(Clone, Debug)]
pub(crate) struct ReportBody {
    /// Index of the report.
    pub(crate) report: usize,
    pub(crate) kind: BodyKind,
    pub(crate) draft: Option<FindingBuilder>,
    /// Number of unrelated lines since the last line of the report.
    pub(crate) unrelated: u32,
    /// The problem about two processes in one body was added already.
    pub(crate) interleaved: bool,
    /// The location in the headline, empty if there is none.
    pub(crate) location: Box<[u8]>,
}

/// The origin of a line.
pub(crate) struct LineContext<'a> {
    pub(crate) pid: Option<u64>,
    pub(crate) line: u64,
    pub(crate) stream: Option<&'a Text>,
}

impl ReportBody {
    pub(crate) fn new(report: usize, kind: BodyKind, draft: Option<FindingBuilder>) -> Self {
        Self {
            report,
            kind,
            draft,
            unrelated: 0,
            interleaved: false,
            location: Box::default(),
        }
    }

    /// Returns true for leak records and for tables of suppressions.
    pub(crate) fn is_of_leaks(&self) -> bool {
        matches!(self.kind, BodyKind::Leaks | BodyKind::Suppressions { .. })
    }

    /// Returns true for an error of this tool.
    pub(crate) fn is_of(&self, tool: &Tool) -> bool {
        self.kind == BodyKind::Error && self.draft.as_ref().is_some_and(|draft| draft.tool == *tool)
    }

    /// Reads a frame.
    pub(crate) fn frame(
        &mut self,
        head: SplitFrame<'_>,
        context: &LineContext<'_>,
        out: &mut Collector,
    ) {
        let Some(draft) = &mut self.draft else { return };
        self.unrelated = 0;
        draft.last_line = context.line;
        let mut head = head;
        if !draft.stack_is_closed() {
            let frames = draft.stacks.last().map_or(&[][..], |s| &s.frames);
            let expected = frames.last().map_or(0, |f| f.index + 1);
            // Most frames are in sequence.
            if head.index != Some(expected) && is_renumbered(&head, frames) {
                head.index = Some(expected);
            }
            if head.index != Some(expected)
                && draft
                    .stacks
                    .last()
                    .is_some_and(|s| s.frames.len() < out.options.max_frames)
            {
                if head.index == Some(0) {
                    draft.close_stack();
                }
                self.broken(context, out);
            }
        } else if head.index != Some(0) {
            self.broken(context, out);
        }
        if let Some(draft) = &mut self.draft {
            out.push_frame(draft, FrameSyntax::Sanitizer, head);
        }
    }

    /// Adds a problem about a stack that is out of sequence.
    pub(crate) fn broken(&mut self, context: &LineContext<'_>, out: &mut Collector) {
        if !core::mem::replace(&mut self.interleaved, true) {
            let pid = out.reports[self.report].report.pid;
            out.add_problem(
                Code::Interleaved,
                context.line,
                pid,
                "the frames of a stack are out of sequence: lines are lost, or two processes \
                 wrote at the same time",
            );
        }
    }

    /// Reads a line between the stacks of an error.
    pub(crate) fn error_line(&mut self, text: &[u8]) {
        let Some(draft) = &mut self.draft else { return };
        let Some(error_line) = dialect::error_line(&draft.tool, text) else {
            return;
        };
        self.unrelated = 0;
        if let ErrorLine::Stack(role) = error_line {
            draft.expect_stack(role, text);
            if role == Role::Origin {
                draft.add_note(text);
            }
        } else {
            draft.add_note(text);
        }
    }

    /// Reads a line of LeakSanitizer's report.
    pub(crate) fn leak_line(
        &mut self,
        text: &[u8],
        context: &LineContext<'_>,
        out: &mut Collector,
    ) {
        if let Some((kind, leak)) = lsan::record(text) {
            self.end_record(out);
            self.unrelated = 0;
            self.kind = BodyKind::Leaks;
            let title = shared_text(text.trim_ascii());
            let title = title.strip_suffix(" allocated from:").unwrap_or(&title);
            let mut draft = FindingBuilder::new(Tool::Lsan, kind, title, context.line);
            draft.leak = Some(leak);
            draft.expect_stack(Role::Allocation, b"");
            self.draft = Some(draft);
        } else if lsan::is_cap(text) {
            out.reports[self.report].report.capped = true;
        } else if trim_start(text).starts_with(b"Suppressions used:") {
            self.end_record(out);
            // The table may also belong to another process. The total of the leaks is expected in
            // either case.
            let then_leaks = matches!(
                self.kind,
                BodyKind::Leaks | BodyKind::Suppressions { then_leaks: true }
            );
            self.kind = BodyKind::Suppressions { then_leaks };
        } else if let BodyKind::Suppressions { .. } = self.kind
            && let Some(row) = lsan::suppression_row(text)
        {
            let leaks = out.reports[self.report]
                .report
                .totals
                .leaks
                .get_or_insert_with(LeakSummary::default);
            leaks.suppressed.bytes = leaks.suppressed.bytes.saturating_add(row.bytes);
            leaks.suppressed.blocks = leaks.suppressed.blocks.saturating_add(row.blocks);
        } else if lsan::is_object(text) {
            self.unrelated = 0;
        } else if contains(text, b"eaked above:")
            && let Some(draft) = &mut self.draft
        {
            draft.close_stack();
        }
    }

    fn end_record(&mut self, out: &mut Collector) {
        if let Some(draft) = self.draft.take() {
            out.add_record(self.report, draft, false);
        }
    }
}

/// Returns true for a frame that is out of sequence in a stack that was symbolized afterwards. `asan_symbolize.py` counts
/// the frames that it knows, among them inlined ones, but copies the lines of generated code, which
/// belongs to no module.
fn is_renumbered(head: &SplitFrame<'_>, frames: &[Frame]) -> bool {
    const UNKNOWN: &[u8] = b"<unknown module>";
    if find(head.text, UNKNOWN).is_some() {
        return !frames.is_empty();
    }
    let known = || {
        frames
            .iter()
            .filter(|frame| !contains(&frame.info.raw, UNKNOWN))
            .count()
    };
    known() < frames.len() && head.index == u32::try_from(known()).ok()
}
