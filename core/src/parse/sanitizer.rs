//! Reports of the sanitizers: a headline with a pid, then a body without one, up to `SUMMARY:`.
//!
//! The body's lines carry no tag, so two processes that write at once into one stream can't be told
//! apart. A body that breaks its own grammar (a frame out of sequence, a second headline before the
//! first report has a stack) is named `interleaved`, never guessed at. What the words mean is said
//! in `asan.rs`, `lsan.rs`, `tsan.rs`, …; how lines follow one another, here; who is asked, in
//! `body/dialect.rs`.

mod dialect;
mod headline;
mod message;
mod record;
mod undefined;

use alloc::format;
use alloc::string::String;

use hashbrown::HashMap;
use memchr::memmem::Finder;

use self::headline::{Standalone, is_tagged_error, standalone};
pub(crate) use self::headline::{is_prefix, speaks};
use self::record::{Open, Part, Place};
use super::collect::{Collector, text_of};
use super::failures;
use super::{frame, lsan, msan, tsan};
use crate::bytes::{contains, trim_start};
use crate::line::Line;
use crate::model::{Amount, Text, Tool};
use crate::problem::Code;

/// A report is given up after so many lines that are none of its own (the process died while it
/// wrote).
const MAX_FOREIGN: u32 = 2000;

/// What is looked for in every frame; to prepare the search each time would take longer than the
/// search.
#[derive(Clone, Debug)]
struct Words {
    within: Finder<'static>,
}

impl Default for Words {
    fn default() -> Self {
        Self {
            within: Finder::new(b": runtime error: "),
        }
    }
}

/// The sanitizer reports of one stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sanitizers {
    open: Option<Open>,
    reports: HashMap<(Tool, Option<u64>), usize>,
    /// `DEADLYSIGNAL` was printed and its headline is still to come.
    deadly: Option<u64>,
    /// What MemorySanitizer said just before a headline that is still to come, and where.
    lead: Option<(Text, u64)>,
    /// Two reports ran into each other, so a `SUMMARY:` may stand alone.
    mixed: bool,
    /// An error of UndefinedBehaviorSanitizer has no `SUMMARY:` yet.
    unsummed: bool,
    /// UndefinedBehaviorSanitizer sums up its errors here.
    sums_up: bool,
    words: Words,
    /// The last headline that no dialect knows: its `SUMMARY:` is no second problem.
    unknown: bool,
}

impl Sanitizers {
    /// True while lines without a marker may belong to a report.
    pub(crate) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// True while no report is known.
    pub(crate) fn is_bare(&self) -> bool {
        self.open.is_none()
            && self.reports.is_empty()
            && self.deadly.is_none()
            && self.lead.is_none()
    }

    /// Reads a line; `pid` is that of its tag, `text` what follows the tag and every prefix.
    pub(crate) fn line(
        &mut self,
        text: &[u8],
        pid: Option<u64>,
        line: &Line<'_>,
        stream: Option<&Text>,
        out: &mut Collector,
    ) {
        let place = Place {
            pid,
            line: line.number,
            stream,
        };
        // Most lines are frames, which mean nothing else, unless another process wrote into one.
        let is_frame = pid.is_none()
            && trim_start(text).starts_with(b"#")
            && self.words.within.find(text).is_none();
        match standalone(text) {
            _ if is_frame => self.body(text, &place, out),
            Some(Standalone::Summary { name, text }) => self.summary(name, text, &place, out),
            Some(Standalone::Message {
                level,
                name,
                text: said,
            }) if !level.is_empty() || !is_tagged_error(text, pid) => {
                self.message(level, name, said, &place, out);
            }
            _ if self.undefined(text, &place, out) => {}
            _ => {
                if msan::is_lead(text) {
                    self.lead = Some((text_of(text.trim_ascii()), place.line));
                } else if lsan::record(text).is_some() || text.trim_ascii() == b"Suppressions used:"
                {
                    self.open_leaks(text, &place, out);
                } else if pid.is_some() && failures::is_start_of_asan(text) {
                    let message = format!(
                        "AddressSanitizer failed: `{}`",
                        String::from_utf8_lossy(text.trim_ascii())
                    );
                    out.problem(Code::CheckerFailed, place.line, pid, message);
                } else if text.starts_with(b"SUMMARY: ") && contains(text, b"Sanitizer: ") {
                    out.problem(
                        Code::SummaryWithoutReport,
                        place.line,
                        pid,
                        "a summary of a sanitizer that can't be read",
                    );
                } else if is_tagged_error(text, pid) {
                    let message = format!(
                        "`{}` is no report that leakgate knows",
                        String::from_utf8_lossy(text.trim_ascii())
                    );
                    out.problem(Code::UnknownReport, place.line, pid, message);
                    self.unknown = true;
                }
                self.body(text, &place, out);
            }
        }
        if let Some(open) = &self.open {
            out.touch(open.report, line.bytes, line.number);
            if line.continues && frame::numbered(text).is_some() {
                out.problem(
                    Code::LineTooLong,
                    line.number,
                    pid,
                    "a frame is longer than the bound of a line; its end was not read",
                );
            }
        }
    }

    /// The input ends.
    pub(crate) fn finish(&mut self, last_line: u64, out: &mut Collector) {
        self.close(self.is_whole(), last_line, out);
        if let Some(line) = self.deadly.take() {
            out.problem(
                Code::Truncated,
                line,
                None,
                "a sanitizer announced a deadly signal, and its report is missing",
            );
        }
        if let Some((_, line)) = self.lead.take() {
            out.problem(
                Code::Truncated,
                line,
                None,
                "MemorySanitizer tells of uninitialized bytes, and its report is missing",
            );
        }
        *self = Self::default();
    }

    fn report(&mut self, tool: Tool, place: &Place<'_>, out: &mut Collector) -> usize {
        let key = (tool, place.pid);
        if let Some(report) = self.reports.get(&key) {
            return *report;
        }
        let report = out.open_report(key.0.clone(), key.1, place.stream.cloned(), place.line);
        self.reports.insert(key, report);
        report
    }

    fn leaks(&mut self, place: &Place<'_>, out: &mut Collector) {
        self.deadly = None;
        self.interrupt(place, out);
        let report = self.report(Tool::Lsan, place, out);
        let this = &mut out.reports[report];
        this.has_header = true;
        this.complete = false;
        self.open = Some(Open::new(report, Part::Leaks, None));
    }

    /// A leak record or a table of suppressions without the headline before it: the start was cut,
    /// or there is none.
    fn open_leaks(&mut self, text: &[u8], place: &Place<'_>, out: &mut Collector) {
        let table = lsan::record(text).is_none();
        if self.open.as_ref().is_some_and(Open::is_of_leaks) {
            return;
        }
        self.interrupt(place, out);
        let report = self.report(Tool::Lsan, place, out);
        out.reports[report].complete = table;
        let part = if table {
            Part::Suppressions { then_leaks: false }
        } else {
            Part::Leaks
        };
        self.open = Some(Open::new(report, part, None));
    }

    /// A new report begins while another one is open.
    fn interrupt(&mut self, place: &Place<'_>, out: &mut Collector) {
        let Some(open) = &self.open else { return };
        let (report, part) = (open.report, open.part);
        let same_process = out.reports[report].pid == place.pid;
        let bare = open.draft.as_ref().is_some_and(|d| d.stacks.is_empty());
        if part == Part::Undefined {
            self.close(true, place.line, out);
        } else if same_process || part == (Part::Suppressions { then_leaks: false }) {
            let has_stack = part == Part::Error && !bare;
            self.close(has_stack, place.line, out);
        } else {
            self.mixed = true;
            let pid = out.reports[report].pid;
            out.problem(
                Code::Interleaved,
                place.line,
                pid,
                "another process began to report before this report ended",
            );
            self.give_up(out);
        }
    }

    /// Ends the open report, of which a problem tells already.
    fn give_up(&mut self, out: &mut Collector) {
        let Some(report) = self.open.as_ref().map(|open| open.report) else {
            return;
        };
        self.close(true, 0, out);
        out.reports[report].complete = false;
    }

    fn summary(&mut self, name: &[u8], text: &[u8], place: &Place<'_>, out: &mut Collector) {
        self.deadly = None;
        if let Some(total) = lsan::total(text) {
            return self.leak_total(total, place, out);
        }
        if self.undefined_summary(name, text, place, out) {
            return;
        }
        let ended = self
            .open
            .as_mut()
            .filter(|o| o.part == Part::Error)
            .and_then(|o| o.draft.as_mut());
        if let Some(draft) = ended.filter(|draft| dialect::sums_up(name, &draft.tool)) {
            message::complete_kind(draft, text);
            self.close(true, place.line, out);
        } else if !self.mixed && !self.unknown {
            let message = format!(
                "a summary of {}Sanitizer whose report is not in the log",
                String::from_utf8_lossy(name)
            );
            out.problem(Code::SummaryWithoutReport, place.line, place.pid, message);
        }
    }

    /// A sanitizer ended the process: it has told before why, and if that is not in the log, the
    /// start of the report is lost.
    fn aborted(&self, place: &Place<'_>, out: &mut Collector) {
        let is_known = self.mixed
            || self.unknown
            || self.deadly.is_some()
            || self.reports.keys().any(|(_, pid)| *pid == place.pid);
        if !is_known {
            let message = "a sanitizer ended the process, and its report is not in the log";
            out.problem(Code::SummaryWithoutReport, place.line, place.pid, message);
        }
    }

    fn leak_total(&mut self, total: Amount, place: &Place<'_>, out: &mut Collector) {
        let open = self
            .open
            .as_ref()
            .filter(|o| o.is_of_leaks())
            .map(|o| o.report);
        match open {
            Some(report) => {
                // A process may look for leaks several times; every report counts, and so does
                // every total.
                let stated = out.reports[report].stated.leaked.get_or_insert_default();
                *stated = stated.plus(total);
                self.close(true, place.line, out);
            }
            None if self.mixed => {}
            None => {
                let message = format!(
                    "{} leaked bytes are summed up, and their report is not in the log",
                    total.bytes
                );
                out.problem(Code::SummaryWithoutReport, place.line, place.pid, message);
            }
        }
    }

    /// Ends the open report. What is missing at its end is a problem.
    fn close(&mut self, complete: bool, line: u64, out: &mut Collector) {
        let Some(mut open) = self.open.take() else {
            return;
        };
        if let Some(mut draft) = open.draft.take() {
            undefined::put_in_place(&mut draft, &open.spot, out);
            out.record(open.report, draft, out.reports[open.report].searches, false);
        }
        let table = open.part == (Part::Suppressions { then_leaks: false });
        let complete = complete || table;
        let report = &mut out.reports[open.report];
        if table
            && report.entries.is_empty()
            && report.stated.leaks.is_none()
            && report.stated.leaked.is_none()
        {
            // The words alone, without a row, prove nothing.
            out.forgotten.insert(open.report);
            self.reports.retain(|_, known| *known != open.report);
        }
        report.complete = complete;
        if !complete {
            let (tool, pid) = (report.tool.clone(), report.pid);
            out.problem(
                Code::Truncated,
                line,
                pid,
                format!("the report of {tool} has no end"),
            );
        }
    }

    fn body(&mut self, text: &[u8], place: &Place<'_>, out: &mut Collector) {
        let trimmed = trim_start(text);
        let in_report = self
            .open
            .as_ref()
            .is_some_and(|o| o.part != Part::Suppressions { then_leaks: false });
        if !in_report && place.pid.is_some() && trimmed.starts_with(b"ABORTING") {
            self.aborted(place, out);
        }
        let Some(open) = &mut self.open else { return };
        open.foreign += 1;
        if open.part == Part::Undefined {
            return self.undefined_line(text, place, out);
        }
        if let Some(head) = frame::numbered(trimmed) {
            open.frame(head, place, out);
        } else if trimmed.trim_ascii().is_empty() {
            if let Some(draft) = &mut open.draft {
                draft.close_stack();
            }
        } else if place.pid.is_some() && trimmed.starts_with(b"ABORTING") {
            let whole = open.part == Part::Error
                && open.draft.as_ref().is_some_and(|d| !d.stacks.is_empty());
            self.close(whole, place.line, out);
        } else if tsan::is_bar(text) && open.is_of(&Tool::Tsan) {
            let whole = open
                .draft
                .as_ref()
                .is_some_and(|d| !d.stacks.is_empty() || !d.notes.is_empty());
            self.close(whole, place.line, out);
        } else if msan::is_end(text) && open.is_of(&Tool::Msan) {
            let whole = open.draft.as_ref().is_some_and(|d| !d.stacks.is_empty());
            self.close(whole, place.line, out);
        } else if open.part == Part::Error {
            open.error_line(text);
        } else if open.part == (Part::Suppressions { then_leaks: false })
            && trimmed.starts_with(b"-----")
        {
            self.close(true, place.line, out);
        } else {
            open.leak_line(text, place, out);
        }
        if self.open.as_ref().is_some_and(|o| o.foreign > MAX_FOREIGN) {
            self.close(false, place.line, out);
        }
    }
}
