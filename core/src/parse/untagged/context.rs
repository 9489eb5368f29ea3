//! Shared state of the dialects: the reports of a stream, and the report that is being read.

use alloc::format;

use hashbrown::HashMap;

use crate::model::{Kind, Report, Text, Tool};
use crate::parse::collect::{Collector, FrameSyntax, shared_text};
use crate::parse::finding_builder::FindingBuilder;
use crate::parse::frame::SplitFrame;
use crate::problem::Code;

/// Indices of a stream's reports in [`Collector::reports`], by tool and pid.
pub(super) type ReportIndex = HashMap<(Tool, Option<u64>), usize>;

/// The report that a reader works on, and the finding that is being read.
#[derive(Clone, Debug, Default)]
pub(super) struct CurrentReport {
    /// The report's index in [`Collector::reports`]; `None` until the reader knows the process.
    pub(super) index: Option<usize>,
    /// The finding that the next lines belong to; `None` between findings.
    pub(super) finding: Option<FindingBuilder>,
}

impl CurrentReport {
    /// Creates the state of a reader for a report without an open finding.
    pub(super) fn new(index: usize) -> Self {
        Self {
            index: Some(index),
            finding: None,
        }
    }

    /// Sets the open finding.
    pub(super) fn with_finding(mut self, finding: FindingBuilder) -> Self {
        self.finding = Some(finding);
        self
    }
}

/// The current line number and access to everything that was parsed so far.
pub(super) struct Context<'a> {
    /// The line's number, from 1.
    pub(super) line: u64,
    pub(super) stream: Option<&'a Text>,
    pub(super) reports: &'a mut ReportIndex,
    pub(super) out: &'a mut Collector,
}

impl Context<'_> {
    /// Returns the index of the report of a tool and process. Opens the report if necessary.
    pub(super) fn report(&mut self, tool: &Tool, pid: Option<u64>) -> usize {
        let key = (tool.clone(), pid);
        if let Some(report) = self.reports.get(&key) {
            return *report;
        }
        let report = self
            .out
            .open_report(tool.clone(), pid, self.stream.cloned(), self.line);
        self.reports.insert(key, report);
        report
    }

    /// Does the same as [`Self::report`], and marks the report as complete.
    pub(super) fn complete_report(&mut self, tool: &Tool, pid: Option<u64>) -> usize {
        let report = self.report(tool, pid);
        self.report_mut(report).complete = true;
        report
    }

    /// Does the same as [`Self::report`], and marks the report as incomplete until its end is read.
    pub(super) fn incomplete_report(&mut self, tool: &Tool, pid: Option<u64>) -> usize {
        let report = self.report(tool, pid);
        self.report_mut(report).complete = false;
        report
    }

    /// Returns the report with this index.
    pub(super) fn report_mut(&mut self, report: usize) -> &mut Report {
        &mut self.out.reports[report].report
    }

    /// Creates a finding that begins on this line.
    pub(super) fn new_finding(&self, tool: Tool, kind: Kind, title: &str) -> FindingBuilder {
        FindingBuilder::new(tool, kind, title, self.line)
    }

    /// Adds a finding to a report.
    pub(super) fn record(&mut self, report: usize, finding: FindingBuilder) {
        self.out.add_record(report, finding, false);
    }

    /// Adds a finding that consists of this line alone. Its report is complete with it.
    pub(super) fn record_single_line(&mut self, tool: Tool, kind: Kind, title: &str) {
        let finding = self.new_finding(tool, kind, title);
        let report = self.complete_report(&finding.tool, None);
        self.record(report, finding);
    }

    /// Adds the open finding, if any, to the current report.
    pub(super) fn flush(&mut self, current: &mut CurrentReport) {
        if let Some((report, finding)) = current.index.zip(current.finding.take()) {
            self.record(report, finding);
        }
    }

    /// Ends the current report with its last line: adds the open finding, and marks the report as
    /// complete.
    pub(super) fn complete(&mut self, current: &mut CurrentReport) {
        self.flush(current);
        if let Some(report) = current.index {
            self.report_mut(report).complete = true;
        }
    }

    /// Ends the current report without its last line: adds the open finding, and adds a problem.
    pub(super) fn end_truncated(&mut self, current: &mut CurrentReport) {
        self.flush(current);
        if let Some(report) = current.index {
            let message = format!(
                "the {} report has no end: the log is truncated, or the process was killed",
                self.report_mut(report).tool
            );
            self.mark_truncated(current, &message);
        }
    }

    /// Marks the current report as incomplete, and adds a problem with the reason.
    pub(super) fn mark_truncated(&mut self, current: &CurrentReport, message: &str) {
        let pid = current.index.and_then(|report| {
            let report = self.report_mut(report);
            report.complete = false;
            report.pid
        });
        self.out
            .add_problem(Code::Truncated, self.line, pid, message);
    }

    /// Adds a frame to a finding.
    pub(super) fn push_frame(
        &mut self,
        finding: &mut FindingBuilder,
        syntax: FrameSyntax,
        frame: SplitFrame<'_>,
    ) {
        finding.last_line = self.line;
        self.out.push_frame(finding, syntax, frame);
    }

    /// Adds a frame without number and address to a finding.
    pub(super) fn push_site(
        &mut self,
        finding: &mut FindingBuilder,
        syntax: FrameSyntax,
        site: &[u8],
    ) {
        let frame = SplitFrame {
            index: None,
            address: None,
            text: site,
        };
        self.push_frame(finding, syntax, frame);
    }

    /// Adds a problem for a line that the parser should understand but can't read.
    pub(super) fn unreadable(&mut self, tool: &Tool, text: &[u8]) {
        let line = shared_text(text.trim_ascii());
        self.problem(
            Code::UnreadableLine,
            &format!("cannot parse a line of {tool}: `{line}`"),
        );
    }

    /// Adds a problem on this line.
    pub(super) fn problem(&mut self, code: Code, message: &str) {
        self.out.add_problem(code, self.line, None, message);
    }
}
