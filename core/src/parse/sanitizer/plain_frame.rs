//! Frames that are alone in their lines, which need no other check.

use super::super::collect::Collector;
use super::super::frame::SplitFrame;
use super::Sanitizers;
use super::record::{BodyKind, LineContext, ReportBody};
use crate::line::Line;

impl Sanitizers {
    /// Returns true if a report is open that can contain frames.
    pub(crate) fn holds_frames(&self) -> bool {
        self.open.as_ref().is_some_and(holds_frames)
    }

    /// Reads a frame that is alone in its line. Returns false if no report is open that can contain
    /// it.
    pub(crate) fn frame(
        &mut self,
        head: SplitFrame<'_>,
        line: &Line<'_>,
        out: &mut Collector,
    ) -> bool {
        let context = LineContext {
            pid: None,
            line: line.number,
            stream: None,
        };
        let Some(open) = self.open.as_mut().filter(|open| holds_frames(open)) else {
            return false;
        };
        open.frame(head, &context, out);
        out.touch(open.report, line.bytes, line.number);
        true
    }
}

fn holds_frames(open: &ReportBody) -> bool {
    open.draft.is_some() && matches!(open.kind, BodyKind::Error | BodyKind::Leaks)
}
