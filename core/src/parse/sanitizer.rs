//! Sanitizer reports: a headline with a pid, then a body without one, up to `SUMMARY:`.
//!
//! The lines of the body carry no tag, so two processes that write to one stream at the same time
//! can't be distinguished. A body that violates its own syntax (a frame out of sequence, a second
//! headline before the first report has a stack) is reported as `interleaved`; the parser never
//! guesses. This module handles the sequence of lines. The meaning of the lines is in `asan.rs`,
//! `lsan.rs`, `tsan.rs`, and so on; `sanitizer/dialect.rs` selects among these.

mod dialect;
mod fuzzer;
mod headline;
mod leaks;
mod message;
mod parts;
mod plain_frame;
mod record;
#[cfg(test)]
mod report_tests;
mod undefined;

use alloc::format;
use alloc::string::String;

use hashbrown::HashMap;
use memchr::memmem::Finder;

#[cfg(test)]
pub(crate) use self::fuzzer::KINDS as FUZZER_KINDS;
use self::headline::{Standalone, is_tagged_error, standalone};
pub(crate) use self::headline::{is_prefix, is_sanitizer_line};
use self::record::{BodyKind, LineContext, ReportBody};
use super::collect::{Collector, shared_text};
use super::failures;
use super::place::place;
use super::{frame, lsan, msan, tsan};
use crate::bytes::{contains, trim_start};
use crate::line::Line;
use crate::model::{Text, Tool};
use crate::problem::Code;

/// Number of consecutive unrelated lines after which a report is given up: the process died while
/// writing it.
const MAX_UNRELATED: u32 = 2000;

/// A prepared search for `: runtime error: `, which every frame needs. Preparing it each time would
/// take longer than the search.
#[derive(Clone, Debug)]
struct RuntimeErrorFinder(Finder<'static>);

impl Default for RuntimeErrorFinder {
    fn default() -> Self {
        Self(Finder::new(b": runtime error: "))
    }
}

/// The sanitizer reports of one stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sanitizers {
    open: Option<ReportBody>,
    reports: HashMap<(Tool, Option<u64>), usize>,
    /// The tool's report that was opened last.
    last_reports: HashMap<Tool, usize>,
    /// Number of the line `DEADLYSIGNAL`, if its headline hasn't come yet.
    deadly: Option<u64>,
    /// The line that MemorySanitizer prints before some headlines, and its number, if the headline
    /// hasn't come yet.
    msan_preamble: Option<(Text, u64)>,
    /// Two reports were interleaved, so a `SUMMARY:` may have no report.
    mixed: bool,
    /// The last error of UndefinedBehaviorSanitizer has no `SUMMARY:` yet.
    lacks_summary: bool,
    /// UndefinedBehaviorSanitizer prints a `SUMMARY:` after each error of this stream.
    has_summaries: bool,
    runtime_error: RuntimeErrorFinder,
    /// AddressSanitizer lists the threads and where they were created (`verbosity=1`).
    lists_threads: bool,
    /// A stack without a headline was reported already, or its cause was.
    lost_headline: bool,
    /// The last headline was unknown. Its `SUMMARY:` isn't reported as a second problem.
    unknown: bool,
}

impl Sanitizers {
    /// Returns true while lines without a marker may belong to a report.
    pub(crate) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Returns true if no report of the stream is known.
    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_none()
            && self.reports.is_empty()
            && self.deadly.is_none()
            && self.msan_preamble.is_none()
    }

    /// Reads a line. `pid` is the pid of its tag, `text` the rest after the tag and all prefixes.
    pub(crate) fn line(
        &mut self,
        text: &[u8],
        pid: Option<u64>,
        line: &Line<'_>,
        stream: Option<&Text>,
        out: &mut Collector,
    ) {
        let context = LineContext {
            pid,
            line: line.number,
            stream,
        };
        if pid.is_some() {
            self.lists_threads = parts::is_thread(text);
        }
        // Most lines are frames. A frame can be nothing else, unless another process wrote into its
        // line.
        let is_frame = pid.is_none()
            && trim_start(text).starts_with(b"#")
            && self.runtime_error.0.find(text).is_none();
        match standalone(text) {
            _ if is_frame => self.body(text, &context, out),
            Some(Standalone::Summary { name, text }) => self.summary(name, text, &context, out),
            Some(Standalone::Message {
                level,
                name,
                text: message,
            }) if !level.is_empty() || !is_tagged_error(text, pid) => {
                self.message(level, name, message, &context, out);
            }
            _ if self.undefined(text, &context, out) || self.fuzzer(text, &context, out) => {}
            _ => {
                self.other_start(text, &context, out);
                self.body(text, &context, out);
            }
        }
        if let Some(open) = &self.open {
            out.touch(open.report, line.bytes, line.number);
            if line.continues && frame::split_numbered(text).is_some() {
                let message = "a frame exceeds the maximum line length; its end was not read";
                out.add_problem(Code::LineTooLong, line.number, pid, message);
            }
        }
    }

    /// Recognizes the starts of reports that don't name their sanitizer, and lines that should have
    /// been recognized before.
    fn other_start(&mut self, text: &[u8], context: &LineContext<'_>, out: &mut Collector) {
        let pid = context.pid;
        if msan::is_preamble(text) {
            self.msan_preamble = Some((shared_text(text.trim_ascii()), context.line));
        } else if lsan::record(text).is_some() || text.trim_ascii() == b"Suppressions used:" {
            self.open_leaks(text, context, out);
        } else if self.open.is_none() && pid.is_none() && parts::is_part(text) {
            self.lost_headline(context, out);
        } else if let Some(name) = pid.and_then(|_| failures::failed_sanitizer(text)) {
            let text = String::from_utf8_lossy(text.trim_ascii());
            let message = format!("{name} failed: `{text}`");
            out.add_problem(Code::CheckerFailed, context.line, pid, message);
        } else if text.starts_with(b"SUMMARY: ") && contains(text, b"Sanitizer: ") {
            let message = "cannot read the summary of a sanitizer";
            out.add_problem(Code::UnreadableLine, context.line, pid, message);
        } else if parts::is_error_without_place(text) {
            self.lost_headline(context, out);
        } else if is_tagged_error(text, pid) || (pid.is_none() && parts::is_damaged_error(text)) {
            let text = String::from_utf8_lossy(text.trim_ascii());
            let message = format!("unknown report `{text}`");
            out.add_problem(Code::UnknownReport, context.line, pid, message);
            self.unknown = true;
            self.lost_headline = true;
        }
    }

    /// Adds a problem about a part of a report whose headline is missing.
    fn lost_headline(&mut self, context: &LineContext<'_>, out: &mut Collector) {
        if !core::mem::replace(&mut self.lost_headline, true) {
            let message = "a stack without its headline: lines are lost";
            out.add_problem(Code::Truncated, context.line, None, message);
        }
    }

    /// Ends the input.
    pub(crate) fn finish(&mut self, last_line: u64, out: &mut Collector) {
        self.close(self.is_whole(), last_line, out);
        if let Some(line) = self.deadly.take() {
            out.add_problem(
                Code::Truncated,
                line,
                None,
                "a sanitizer announced a deadly signal, but its report is missing",
            );
        }
        if let Some((_, line)) = self.msan_preamble.take() {
            out.add_problem(
                Code::Truncated,
                line,
                None,
                "MemorySanitizer announced uninitialized bytes, but its report is missing",
            );
        }
        *self = Self::default();
    }

    /// Returns the index of the tool's report for the process, opening it if it is new.
    fn report(&mut self, tool: Tool, context: &LineContext<'_>, out: &mut Collector) -> usize {
        let key = (tool, context.pid);
        if let Some(report) = self.reports.get(&key) {
            return *report;
        }
        let report = out.open_report(key.0.clone(), key.1, context.stream.cloned(), context.line);
        self.last_reports.insert(key.0.clone(), report);
        self.reports.insert(key, report);
        report
    }

    /// Ends the open report, because a new one begins.
    fn interrupt(&mut self, context: &LineContext<'_>, out: &mut Collector) {
        let Some(open) = &self.open else { return };
        let report = open.report;
        let kind = open.kind;
        let same_process = out.reports[report].report.pid == context.pid;
        let has_no_stack = open.draft.as_ref().is_some_and(|d| d.stacks.is_empty());
        if kind == BodyKind::Undefined {
            self.close(true, context.line, out);
        } else if same_process || kind == (BodyKind::Suppressions { then_leaks: false }) {
            let has_stack = kind == BodyKind::Error && !has_no_stack;
            self.close(has_stack, context.line, out);
        } else {
            self.mixed = true;
            self.lost_headline = true;
            let pid = out.reports[report].report.pid;
            out.add_problem(
                Code::Interleaved,
                context.line,
                pid,
                "another process began a report before this one ended; write one log per process \
                 (log_path=…)",
            );
            self.give_up(out);
        }
    }

    /// Ends the open report as incomplete. A problem has been added already.
    fn give_up(&mut self, out: &mut Collector) {
        let Some(report) = self.open.as_ref().map(|open| open.report) else {
            return;
        };
        self.close(true, 0, out);
        out.reports[report].report.complete = false;
    }

    /// Reads the text after `SUMMARY: NAMESanitizer: `.
    fn summary(
        &mut self,
        name: &[u8],
        text: &[u8],
        context: &LineContext<'_>,
        out: &mut Collector,
    ) {
        self.deadly = None;
        if let Some(total) = lsan::total(text) {
            return self.leak_total(total, context, out);
        }
        if self.undefined_summary(name, text, context, out) {
            return;
        }
        let ended = self
            .open
            .as_mut()
            .filter(|o| o.kind == BodyKind::Error)
            .and_then(|o| o.draft.as_mut());
        if let Some(draft) = ended.filter(|draft| dialect::is_summary_of(name, &draft.tool)) {
            message::complete_kind(draft, text);
            self.close(true, context.line, out);
        } else if !self.mixed && !self.unknown {
            let message = format!(
                "a summary of {}Sanitizer without a report: lines are lost",
                String::from_utf8_lossy(name)
            );
            out.add_problem(
                Code::SummaryWithoutReport,
                context.line,
                context.pid,
                message,
            );
        }
    }

    /// Handles `ABORTING`. The sanitizer has printed a report before; if it isn't in the log, its
    /// start is lost.
    fn aborted(&self, context: &LineContext<'_>, out: &mut Collector) {
        let has_report = |tool: &Tool| {
            let of = |pid| self.reports.contains_key(&(tool.clone(), pid));
            // The tag of the headline may be missing.
            of(context.pid) || (*tool == Tool::Asan && of(None))
        };
        let is_known = self.mixed
            || self.unknown
            || self.deadly.is_some()
            || self.last_reports.keys().any(has_report);
        if !is_known {
            let message = "a sanitizer ended the process, but its report is missing from the log";
            out.add_problem(
                Code::SummaryWithoutReport,
                context.line,
                context.pid,
                message,
            );
        }
    }

    /// Ends the open report, and adds a problem if it is incomplete.
    fn close(&mut self, complete: bool, line: u64, out: &mut Collector) {
        let Some(mut open) = self.open.take() else {
            return;
        };
        if let Some(mut draft) = open.draft.take() {
            place(&mut draft, &open.location, out);
            out.add_record(open.report, draft, false);
        }
        let is_table = open.kind == (BodyKind::Suppressions { then_leaks: false });
        let complete = complete || is_table;
        let current = &mut out.reports[open.report];
        let report = &mut current.report;
        report.complete = complete;
        if is_table
            && report.records.is_empty()
            && report.totals.leaks.is_none()
            && report.totals.leaked.is_none()
        {
            // A table without rows proves nothing.
            current.dropped = true;
            let key = (report.tool.clone(), report.pid);
            if self.reports.get(&key) == Some(&open.report) {
                self.reports.remove(&key);
            }
        }
        let report = &current.report;
        if !complete {
            let tool = report.tool.clone();
            let pid = report.pid;
            out.add_problem(
                Code::Truncated,
                line,
                pid,
                format!(
                    "the {tool} report has no end: the log is truncated, or the process was killed"
                ),
            );
        }
    }

    /// Reads a line of the open report's body.
    fn body(&mut self, text: &[u8], context: &LineContext<'_>, out: &mut Collector) {
        let trimmed = trim_start(text);
        let in_report = self
            .open
            .as_ref()
            .is_some_and(|o| o.kind != BodyKind::Suppressions { then_leaks: false });
        if !in_report && context.pid.is_some() && trimmed.starts_with(b"ABORTING") {
            self.aborted(context, out);
        }
        let is_outside = self.open.is_none() && context.pid.is_none() && !self.lists_threads;
        if is_outside && parts::is_first_frame(text) {
            self.lost_headline(context, out);
        }
        let Some(open) = &mut self.open else { return };
        open.unrelated += 1;
        if open.kind == BodyKind::Undefined {
            return self.undefined_line(text, context, out);
        }
        if let Some(head) = frame::split_numbered(trimmed) {
            open.frame(head, context, out);
        } else if trimmed.trim_ascii().is_empty() {
            if let Some(draft) = &mut open.draft {
                draft.close_stack();
            }
        } else if context.pid.is_some() && trimmed.starts_with(b"ABORTING") {
            let whole = open.kind == BodyKind::Error
                && open.draft.as_ref().is_some_and(|d| !d.stacks.is_empty());
            self.close(whole, context.line, out);
        } else if tsan::is_bar(text) && open.is_of(&Tool::Tsan) {
            let whole = open
                .draft
                .as_ref()
                .is_some_and(|d| !d.stacks.is_empty() || !d.notes.is_empty());
            self.close(whole, context.line, out);
        } else if msan::is_end(text) && open.is_of(&Tool::Msan) {
            let whole = open.draft.as_ref().is_some_and(|d| !d.stacks.is_empty());
            self.close(whole, context.line, out);
        } else if open.kind == BodyKind::Error {
            open.error_line(text);
        } else if open.kind == (BodyKind::Suppressions { then_leaks: false })
            && trimmed.starts_with(b"-----")
        {
            self.close(true, context.line, out);
        } else {
            open.leak_line(text, context, out);
        }
        if self
            .open
            .as_ref()
            .is_some_and(|o| o.unrelated > MAX_UNRELATED)
        {
            self.close(false, context.line, out);
        }
    }
}
