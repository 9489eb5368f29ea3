//! The end of a process's output, and whether something is missing there.

use alloc::format;

use super::super::collect::{Collector, Ending};
use super::ValgrindProcess;
use crate::model::{Kind, Tool};
use crate::problem::Code;

/// Why a process has no more lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProcessEnd {
    /// The input ends, and a process of the stream wrote a header, so summaries are expected.
    InputEnded,
    /// The input ends, and no process of the stream wrote a header: valgrind may run with `-q`,
    /// which prints no summary.
    QuietInputEnded,
    /// The same process wrote a new header.
    Replaced,
}

impl ValgrindProcess {
    /// Ends the report of the process, and adds a problem if it is incomplete.
    pub(crate) fn finish(&mut self, end: ProcessEnd, out: &mut Collector) {
        // Fatal signals and file descriptor errors end without a blank line.
        let has_no_blank_line =
            |kind: &Kind| *kind == Kind::FATAL_SIGNAL || kind.as_str().starts_with("fd-");
        let in_record = self
            .draft
            .as_ref()
            .is_some_and(|d| !has_no_blank_line(&d.kind));
        self.end_record(out);
        let report = &mut out.reports[self.report].report;
        let is_foreign = !report.has_header && !self.has_summary && !self.ended;
        if (is_foreign || !report.tool.is_valgrind()) && report.printed == 0 {
            // A lone `==1== text` is not valgrind's, and its profilers don't report errors.
            out.reports[self.report].dropped = true;
            return;
        }
        let quiet = end == ProcessEnd::QuietInputEnded
            && !report.has_header
            && !self.has_summary
            && !in_record;
        // A child of `fork` writes no header, but then its parent wrote one before.
        if self.is_first && !report.has_header && (self.has_summary || self.ended) {
            let message =
                "the report ends with a summary, but its beginning is missing from the log";
            let line = report.first_line;
            let pid = report.pid;
            return out.add_problem(Code::Truncated, line, pid, message);
        }
        if self.ended && report.totals.contexts.is_none() && report.printed == 0 {
            let message =
                "the process ended at its first error, but the error is missing from the log";
            let line = report.last_line;
            let pid = report.pid;
            return out.add_problem(Code::Truncated, line, pid, message);
        }
        report.complete = self.ended || quiet || !report.tool.is_valgrind();
        if report.complete {
            return;
        }
        // A process calls `exec` before its summary, and never within a record.
        let in_summary =
            self.has_summary && (report.tool != Tool::Memcheck || report.totals.in_use.is_some());
        let cut = in_summary || (in_record && report.tool != Tool::Helgrind);
        report.complete = end == ProcessEnd::Replaced && !cut;
        let tool = report.tool.clone();
        let line = report.last_line;
        let pid = report.pid;
        let only_header = !self.has_summary && report.printed == 0 && report.parent.is_some();
        if end == ProcessEnd::Replaced && !cut {
            out.reports[self.report].ending = Ending::Replaced;
        } else if only_header {
            out.reports[self.report].ending = Ending::BareHeader;
        } else {
            let message = format!(
                "the {tool} report has no ERROR SUMMARY: the log is truncated, or the process was \
                 killed"
            );
            out.add_problem(Code::Truncated, line, pid, message);
        }
    }
}
