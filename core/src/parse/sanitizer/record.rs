//! The report that is being read: frames, the lines between them, leak records.

use alloc::boxed::Box;

use super::super::asan::Section;
use super::super::collect::{Collector, Grammar, text_of};
use super::super::draft::Draft;
use super::super::frame::Head;
use super::super::lsan;
use super::dialect;
use crate::bytes::{contains, trim_start};
use crate::model::{LeakSummary, Role, Text, Tool};
use crate::problem::Code;

/// What is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// An error, up to its `SUMMARY:`.
    Error,
    /// Leak records, up to their `SUMMARY:`.
    Leaks,
    /// The table of suppressions that were used; before or instead of the leaks' `SUMMARY:`.
    Suppressions { then_leaks: bool },
    /// An error of UndefinedBehaviorSanitizer, which has no end.
    Undefined,
}

#[derive(Clone, Debug)]
pub(crate) struct Open {
    pub(crate) report: usize,
    pub(crate) part: Part,
    pub(crate) draft: Option<Draft>,
    pub(crate) foreign: u32,
    /// One word about two processes in one body is enough.
    pub(crate) interleaved: bool,
    /// Where it happened, as the headline says it.
    pub(crate) spot: Box<[u8]>,
}

/// Where a line stands.
pub(crate) struct Place<'a> {
    pub(crate) pid: Option<u64>,
    pub(crate) line: u64,
    pub(crate) stream: Option<&'a Text>,
}

impl Open {
    pub(crate) fn new(report: usize, part: Part, draft: Option<Draft>) -> Self {
        Self {
            report,
            part,
            draft,
            foreign: 0,
            interleaved: false,
            spot: Box::default(),
        }
    }

    /// True while leaks or the table beside them are read.
    pub(crate) fn is_of_leaks(&self) -> bool {
        matches!(self.part, Part::Leaks | Part::Suppressions { .. })
    }

    /// True while an error of this tool is read.
    pub(crate) fn is_of(&self, tool: &Tool) -> bool {
        self.part == Part::Error && self.draft.as_ref().is_some_and(|draft| draft.tool == *tool)
    }

    pub(crate) fn frame(&mut self, head: Head<'_>, place: &Place<'_>, out: &mut Collector) {
        let Some(draft) = &mut self.draft else { return };
        self.foreign = 0;
        draft.last_line = place.line;
        if !draft.stack_is_closed() {
            let expected = draft
                .stacks
                .last()
                .and_then(|s| s.frames.last())
                .map_or(0, |f| f.index + 1);
            if head.index != Some(expected)
                && draft
                    .stacks
                    .last()
                    .is_some_and(|s| s.frames.len() < out.options.max_frames)
            {
                if head.index == Some(0) {
                    draft.close_stack();
                }
                self.broken(place, out);
            }
        } else if head.index != Some(0) {
            self.broken(place, out);
        }
        if let Some(draft) = &mut self.draft {
            out.push_frame(draft, Grammar::Sanitizer, head);
        }
    }

    pub(crate) fn broken(&mut self, place: &Place<'_>, out: &mut Collector) {
        if !core::mem::replace(&mut self.interleaved, true) {
            let pid = out.reports[self.report].pid;
            out.problem(
                Code::Interleaved,
                place.line,
                pid,
                "the frames of a stack are out of sequence: lines are lost, or two processes wrote at once",
            );
        }
    }

    pub(crate) fn error_line(&mut self, text: &[u8]) {
        let Some(draft) = &mut self.draft else { return };
        let Some(section) = dialect::section(&draft.tool, text) else {
            return;
        };
        self.foreign = 0;
        if let Section::Stack(role) = section {
            draft.expect_stack(role, text);
            if role == Role::Origin {
                draft.note(text);
            }
        } else {
            draft.note(text);
        }
    }

    pub(crate) fn leak_line(&mut self, text: &[u8], place: &Place<'_>, out: &mut Collector) {
        if let Some((kind, leak)) = lsan::record(text) {
            self.end_record(out);
            self.foreign = 0;
            self.part = Part::Leaks;
            let title = text_of(text.trim_ascii());
            let title = title.strip_suffix(" allocated from:").unwrap_or(&title);
            let mut draft = Draft::new(Tool::Lsan, kind, title, place.line);
            draft.leak = Some(leak);
            draft.expect_stack(Role::Allocation, b"");
            self.draft = Some(draft);
        } else if lsan::is_cap(text) {
            out.reports[self.report].capped = true;
        } else if trim_start(text).starts_with(b"Suppressions used:") {
            self.end_record(out);
            // A table of another process may stand here, too; the sum of the leaks is due all the
            // same.
            let then_leaks = matches!(
                self.part,
                Part::Leaks | Part::Suppressions { then_leaks: true }
            );
            self.part = Part::Suppressions { then_leaks };
        } else if let Part::Suppressions { .. } = self.part
            && let Some(row) = lsan::suppression_row(text)
        {
            let leaks = out.reports[self.report]
                .stated
                .leaks
                .get_or_insert_with(LeakSummary::default);
            leaks.suppressed.bytes = leaks.suppressed.bytes.saturating_add(row.bytes);
            leaks.suppressed.blocks = leaks.suppressed.blocks.saturating_add(row.blocks);
        } else if contains(text, b"eaked above:")
            && let Some(draft) = &mut self.draft
        {
            draft.close_stack();
        }
    }

    fn end_record(&mut self, out: &mut Collector) {
        if let Some(draft) = self.draft.take() {
            let search = out.reports[self.report].searches;
            out.record(self.report, draft, search, false);
        }
    }
}
