//! How a process ends, and whether something is missing there.

use alloc::format;

use super::super::collect::Collector;
use super::Process;
use crate::model::{Kind, Tool};
use crate::problem::Code;

/// How a process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The input ends, and somebody in the stream wrote a header, so summaries are due.
    Loud,
    /// The input ends, and nobody in the stream wrote a header: valgrind may run with `-q`, which
    /// prints no summary.
    Quiet,
    /// The same process wrote a new header.
    Replaced,
}

impl Process {
    /// The process has no more lines.
    pub(crate) fn finish(&mut self, end: End, out: &mut Collector) {
        // A fatal signal and an error about a descriptor end without a blank line.
        let unended = |kind: &Kind| *kind == Kind::FATAL_SIGNAL || kind.as_str().starts_with("fd-");
        let cut_record = self.draft.as_ref().is_some_and(|d| !unended(&d.kind));
        self.end_record(out);
        let report = &mut out.reports[self.report];
        let says_nothing = !report.has_header && !self.has_summary && !self.ended;
        if (says_nothing || !report.tool.is_valgrind()) && report.printed == 0 {
            // `==1== text` alone is no word of valgrind's, and its profilers look for no errors.
            out.forgotten.insert(self.report);
            return;
        }
        let quiet = end == End::Quiet && !report.has_header && !self.has_summary && !cut_record;
        // A child of `fork` writes no header of its own; its parent wrote one before.
        if self.is_first && !report.has_header && (self.has_summary || self.ended) {
            let message = "the report sums up a run whose beginning is not in the log";
            let (line, pid) = (report.first_line, report.pid);
            return out.problem(Code::Truncated, line, pid, message);
        }
        if self.ended && report.stated.contexts.is_none() && report.printed == 0 {
            let message = "the process ended at its first error, and the error is not in the log";
            let (line, pid) = (report.last_line, report.pid);
            return out.problem(Code::Truncated, line, pid, message);
        }
        report.complete = self.ended || quiet || !report.tool.is_valgrind();
        if report.complete {
            return;
        }
        // A process goes on with another program (exec) before it sums up, and not within a record.
        let sums_up =
            self.has_summary && (report.tool != Tool::Memcheck || report.stated.in_use.is_some());
        let cut = sums_up || (cut_record && report.tool != Tool::Helgrind);
        report.complete = end == End::Replaced && !cut;
        let (tool, line, pid) = (report.tool.clone(), report.last_line, report.pid);
        let only_header = !self.has_summary && report.printed == 0 && report.parent.is_some();
        if end == End::Replaced && !cut {
            out.replaced.push(self.report);
        } else if only_header {
            out.bare_children.push(self.report);
        } else {
            let message = format!(
                "the report of {tool} has no ERROR SUMMARY: the log is cut, or the process was killed"
            );
            out.problem(Code::Truncated, line, pid, message);
        }
    }
}
