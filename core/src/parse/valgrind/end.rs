//! The end of a process's output, and whether something is missing there.

use alloc::format;

use super::super::collect::{Collector, Ending};
use super::{ValgrindProcess, run};
use crate::model::{Amount, Kind, LeakSummary, RecordCount, Report, Tool};
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
    /// valgrind itself broke down, which is a problem of its own.
    BrokeDown,
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
        if end == ProcessEnd::BrokeDown {
            return;
        }
        self.complete_old_leaks(report);
        let quiet = end == ProcessEnd::QuietInputEnded
            && !report.has_header
            && !self.has_summary
            && !in_record;
        if self.is_first && !in_record && self.is_only_error_summary(report) {
            return self.end_error_summary(out);
        }
        let (first_line, last_line, pid) = (report.first_line, report.last_line, report.pid);
        // A child of `fork` writes no header, but then its parent wrote one before.
        if self.is_first && !report.has_header && (self.has_summary || self.ended) {
            let message =
                "the report ends with a summary, but its beginning is missing from the log";
            return out.add_problem(Code::Truncated, first_line, pid, message);
        }
        if self.ended && report.totals.contexts.is_none() && report.printed == 0 {
            let message =
                "the process ended at its first error, but the error is missing from the log";
            return out.add_problem(Code::Truncated, last_line, pid, message);
        }
        report.complete = self.ended || quiet || !report.tool.is_valgrind();
        if !report.complete {
            self.end_without_summary(end, in_record, out);
        }
    }

    /// Adds the row of indirect leaks to the leak summary of an old valgrind, which prints it only
    /// if there are any.
    fn complete_old_leaks(&self, report: &mut Report) {
        let is_old = self.has_old_heap || run::is_old(report);
        if let Some(leaks) = report.totals.leaks.as_mut().filter(|_| is_old) {
            let lacks_indirect = leaks.lines + 1 == LeakSummary::LINES;
            if lacks_indirect && leaks.indirect == Amount::default() {
                leaks.lines = LeakSummary::LINES;
            }
        }
    }

    /// Returns true if the report has nothing but an error summary: all that `-q -s` prints.
    fn is_only_error_summary(&self, report: &Report) -> bool {
        !report.has_header
            && report.totals.contexts.is_some()
            && report.totals.in_use.is_none()
            && report.totals.leaks.is_none()
            && !report.totals.all_freed
            && !self.has_chatter
            && (report.printed == 0 || self.has_reprint)
    }

    /// Ends a report that has nothing but an error summary.
    fn end_error_summary(&self, out: &mut Collector) {
        let is_leak = |record: &RecordCount| out.findings[record.finding].kind.is_leak();
        let shows_leaks = out.reports[self.report].report.records.iter().any(is_leak);
        let report = &mut out.reports[self.report].report;
        report.complete = true;
        if report.tool == Tool::Memcheck && !shows_leaks {
            let (line, pid) = (report.last_line, report.pid);
            let message = "the log has no more than an error summary, which proves nothing about \
                           leaks; run valgrind without -q";
            out.add_problem(Code::LeaksNotShown, line, pid, message);
        }
    }

    /// Ends a report that lacks its ERROR SUMMARY.
    fn end_without_summary(&self, end: ProcessEnd, in_record: bool, out: &mut Collector) {
        let report = &mut out.reports[self.report].report;
        // A process calls `exec` before its summary, and never within a record.
        let in_summary =
            self.has_summary && (report.tool != Tool::Memcheck || report.totals.in_use.is_some());
        let cut = in_summary || (in_record && report.tool != Tool::Helgrind);
        report.complete = end == ProcessEnd::Replaced && !cut;
        let only_header = !self.has_summary && report.printed == 0 && report.parent.is_some();
        if report.complete {
            out.reports[self.report].ending = Ending::Replaced;
        } else if only_header {
            out.reports[self.report].ending = Ending::BareHeader;
        } else {
            let (line, pid) = (report.last_line, report.pid);
            let message = format!(
                "the {} report has no ERROR SUMMARY: the log is truncated, or the process was \
                 killed",
                report.tool
            );
            out.add_problem(Code::Truncated, line, pid, message);
        }
    }
}
