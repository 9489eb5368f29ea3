//! The text output of a process under valgrind, line by line: header, records, summaries.
//!
//! This module contains the parts common to memcheck, helgrind and drd. The headlines of each tool
//! are in its own module.
//!
//! Sources: `coregrind/m_main.c` (header), `m_errormgr.c` (error counts), `m_mallocfree.c`,
//! `memcheck/mc_leakcheck.c` (summaries), `m_signals.c` (fatal signals).

mod end;
mod headline;
mod panic;
mod reprint;
mod run;
mod wrap;

use alloc::format;

pub(crate) use self::end::ProcessEnd;
pub(crate) use self::panic::Panic;
use self::reprint::PrintedErrors;
use self::run::header_tool;
pub(crate) use self::run::is_crash;
pub(crate) use self::wrap::{CutLine, NextPart, has_location, is_round_width};
use super::collect::{Collector, FrameSyntax, shared_text};
use super::finding_builder::FindingBuilder;
use super::threads::Threads;
use super::{drd, frame, helgrind, memcheck, summary};
use crate::bytes::trim_start;
use crate::line::Line;
use crate::model::{GeneratedSuppression, Kind, Leak, Role, Text, Tool};
use crate::problem::Code;

/// A process whose lines carry the tag `==PID==`.
#[derive(Clone, Debug)]
pub(crate) struct ValgrindProcess {
    pub(crate) report: usize,
    tool: Tool,
    draft: Option<FindingBuilder>,
    /// A line that may be an unknown headline, and its number.
    candidate: Option<(Text, u64)>,
    /// The records were printed before (`-s` lists all errors again).
    reprint: bool,
    /// A leak check was summed up; the next leak record begins another one.
    leak_check_done: bool,
    /// The thread whose announcement is being read. Its stack isn't an error.
    announced: Option<u64>,
    threads: Threads,
    /// The line `Thread 2 name:` before an error.
    thread: Option<Text>,
    /// No process of the stream wrote a header before this one began.
    pub(crate) is_first: bool,
    /// A line of a summary was read, so the process doesn't run with `-q`.
    has_summary: bool,
    /// A line was read that valgrind doesn't print with `-q`.
    pub(crate) has_chatter: bool,
    /// Errors were printed a second time.
    has_reprint: bool,
    /// The heap was summed up in the form of valgrind 3.5, which does that after the `ERROR
    /// SUMMARY`.
    has_old_heap: bool,
    /// The last line of the process was read.
    ended: bool,
    /// Index of the finding of the record that the line before ended.
    recorded: Option<usize>,
    /// The line before was blank, and a record is still open (helgrind's records contain blank
    /// lines).
    paused: bool,
    /// The line before was blank or named the thread, so the headline of a following stack is
    /// missing.
    after_blank: bool,
    /// The line before is a message that isn't an error. A stack that follows belongs to it.
    after_message: bool,
    printed: PrintedErrors,
}

impl ValgrindProcess {
    pub(crate) fn new(
        tool: Tool,
        pid: u64,
        stream: Option<&Text>,
        line: u64,
        out: &mut Collector,
    ) -> Self {
        let report = out.open_report(tool.clone(), Some(pid), stream.cloned(), line);
        Self {
            report,
            tool,
            draft: None,
            candidate: None,
            reprint: false,
            leak_check_done: false,
            announced: None,
            threads: Threads::default(),
            thread: None,
            is_first: false,
            has_summary: false,
            has_chatter: false,
            has_reprint: false,
            has_old_heap: false,
            ended: false,
            recorded: None,
            paused: false,
            after_blank: false,
            after_message: false,
            printed: PrintedErrors::default(),
        }
    }

    /// Returns the tool if the line is the first of a header, which begins a new report.
    pub(crate) fn header_of(text: &[u8]) -> Option<Tool> {
        header_tool(text)
    }

    /// Returns true for lines by which a process can be recognized: header, summaries, records.
    pub(crate) fn can_begin_with(text: &[u8]) -> bool {
        let headline = shared_text(text.trim_ascii_end());
        header_tool(text).is_some()
            || memcheck::loss_record(text).is_some()
            || run::is_run_level(&headline)
            || [
                memcheck::headline_kind,
                helgrind::headline_kind,
                drd::headline_kind,
            ]
            .iter()
            .any(|title| title(&headline).is_some())
            || helgrind::announced_thread(&headline).is_some()
            || (headline.starts_with("Thread ") && headline.ends_with(':'))
    }

    /// Returns the tool that wrote the line, if it is a header or a headline that only one tool
    /// prints.
    pub(crate) fn tool_of(text: &[u8]) -> Option<Tool> {
        let headline = shared_text(text.trim_ascii_end());
        header_tool(text).or_else(|| {
            if helgrind::headline_kind(&headline).is_some()
                || helgrind::announced_thread(&headline).is_some()
            {
                Some(Tool::Helgrind)
            } else {
                drd::headline_kind(&headline).map(|_| Tool::Drd)
            }
        })
    }

    /// Sets the line before, which isn't a known headline. If a stack follows, it is an unknown
    /// one.
    pub(crate) fn expect_headline(&mut self, title: Text, line: u64) {
        self.candidate = Some((title, line));
    }

    /// Returns true if no more lines are expected from the process.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended && self.draft.is_none()
    }

    /// Notes that valgrind printed a message with another kind of tag, which isn't an error. Its
    /// stack has the usual tag.
    pub(crate) fn note_message(&mut self) {
        self.after_message = true;
    }

    /// Reads a line; `rest` is the text after the tag.
    pub(crate) fn line(&mut self, rest: &[u8], line: &Line<'_>, out: &mut Collector) {
        out.touch(self.report, line.bytes, line.number);
        self.recorded = None;
        self.paused = false;
        let after_blank = core::mem::take(&mut self.after_blank);
        let text = match rest {
            [b' ' | b'\t', text @ ..] => text,
            _ => rest,
        };
        if text.trim_ascii().is_empty() {
            self.blank(out);
            self.after_blank = true;
            self.after_message = false;
        } else if let Some((first, head)) = frame::split_valgrind(text) {
            if line.continues {
                out.add_problem(
                    Code::LineTooLong,
                    line.number,
                    self.pid(out),
                    "a frame exceeds the maximum line length; its end was not read",
                );
            }
            if after_blank || self.ended {
                self.check_owner(line.number, out);
            }
            self.frame(first, head, line.number, out);
        } else if matches!(text, [b' ' | b'\t', ..]) {
            self.indented(text, line.number, out);
        } else {
            self.headline(text, line.number, out);
        }
    }

    /// Adds a problem if the line belongs to an error, and no error is open.
    fn check_owner(&mut self, line: u64, out: &mut Collector) {
        let has_owner = self.draft.is_some()
            || self.announced.is_some()
            || self.candidate.is_some()
            || self.after_message;
        // With a header, the totals would reveal the loss, unless they were printed before.
        if has_owner || (out.reports[self.report].report.has_header && !self.ended) {
            return;
        }
        let message = "a stack without its headline: lines are lost";
        out.add_problem(Code::Truncated, line, self.pid(out), message);
        // One problem for each stack is enough.
        self.after_message = true;
    }

    /// Returns true right after the blank line that ends a record, where a generated suppression
    /// may follow.
    pub(crate) fn awaits_generated(&self) -> bool {
        self.recorded.is_some() || self.paused
    }

    /// Adds the suppression that valgrind generated for the last record.
    pub(crate) fn generated(&mut self, generated: GeneratedSuppression, out: &mut Collector) {
        if let Some(finding) = self.recorded.take() {
            out.add_generated_suppression(finding, generated);
        } else if let Some(draft) = &mut self.draft {
            draft.generated = Some(generated);
        }
    }

    fn pid(&self, out: &Collector) -> Option<u64> {
        out.reports[self.report].report.pid
    }

    /// Reads a blank line, which ends a record except in helgrind's output.
    fn blank(&mut self, out: &mut Collector) {
        self.candidate = None;
        if self.tool == Tool::Helgrind {
            if let Some(draft) = &mut self.draft {
                draft.close_stack();
                self.paused = true;
            }
        } else if let Some(draft) = self.draft.as_mut().filter(|d| lacks_second_block(d)) {
            draft.expect_stack(Role::Allocation, b"");
        } else {
            self.end_record(out);
        }
    }

    /// Reads a frame. `first` is true for the first frame of a stack.
    fn frame(&mut self, first: bool, head: frame::SplitFrame<'_>, line: u64, out: &mut Collector) {
        if self.draft.is_none() && self.announced.is_some() {
            self.draft = Some(FindingBuilder::new(
                self.tool.clone(),
                Kind::UNKNOWN,
                "",
                line,
            ));
        }
        if self.draft.is_none() {
            let Some((title, at)) = self.candidate.take() else {
                return;
            };
            let message = format!("unknown valgrind message `{title}`; it is counted as an error");
            out.add_problem(Code::UnknownWording, at, self.pid(out), message);
            self.draft = Some(FindingBuilder::new(
                self.tool.clone(),
                Kind::UNKNOWN,
                &title,
                at,
            ));
        }
        let Some(draft) = &mut self.draft else { return };
        draft.last_line = line;
        let is_late_stack = first && !draft.stack_is_closed();
        if is_late_stack {
            draft.expect_stack(Role::Access, b"");
        }
        out.push_frame(draft, FrameSyntax::Valgrind, head);
    }

    /// Reads an indented line, which belongs to a summary or describes an error or its next stack.
    fn indented(&mut self, text: &[u8], line: u64, out: &mut Collector) {
        if summary::indented(text, &mut out.reports[self.report].report) {
            self.has_summary = true;
            return;
        }
        let Some(draft) = &mut self.draft else {
            if memcheck::follows_stack(trim_start(text)) {
                self.check_owner(line, out);
            }
            return;
        };
        draft.last_line = line;
        if trim_start(text).starts_with(b"<inherited from parent>") {
            draft.kind = Kind::FD_INHERITED;
        }
        if trim_start(text).starts_with(b"(thread finished, call stack") {
            draft.close_stack();
        }
        let role = match self.tool {
            Tool::Helgrind => helgrind::stack_role(text),
            Tool::Drd => drd::stack_role(text),
            _ => None,
        };
        match role.or_else(|| memcheck::stack_role(text)) {
            Some(role) => draft.expect_stack(role, text),
            None if draft.stacks.is_empty() => {}
            None => draft.expect_stack(Role::Other, text),
        }
        draft.add_note(text);
    }

    fn loss_record(
        &mut self,
        kind: Kind,
        leak: Leak,
        headline: &str,
        line: u64,
        out: &mut Collector,
    ) {
        self.next_leak_check(out);
        let mut draft = FindingBuilder::new(
            self.tool.clone(),
            kind,
            memcheck::without_record_number(headline),
            line,
        );
        draft.leak = Some(leak);
        draft.expect_stack(Role::Allocation, b"");
        self.draft = Some(draft);
    }

    /// Begins the next leak check, if one was summed up.
    fn next_leak_check(&mut self, out: &mut Collector) {
        if core::mem::take(&mut self.leak_check_done) {
            out.reports[self.report].leak_checks += 1;
        }
    }

    /// Ends the open record, or the announcement of a thread.
    fn end_record(&mut self, out: &mut Collector) {
        let Some(mut draft) = self.draft.take() else {
            return;
        };
        if let Some(thread) = self.announced.take() {
            if let Some(stack) = draft.stacks.into_iter().next() {
                self.threads.insert(thread, stack);
            }
            return;
        }
        put_own_stack_first(&mut draft);
        helgrind::put_later_lock_first(&mut draft);
        self.threads.add_to(&mut draft);
        if self.tool == Tool::Drd && self.printed.contains_or_add(&draft, self.reprint) {
            return;
        }
        self.recorded = out.add_record(self.report, draft, self.reprint);
    }
}

/// Moves the stack of the error itself to the front. valgrind 3.24 prints it last for errors about
/// file descriptors, and drd after the stack of a lock's acquisition.
fn put_own_stack_first(draft: &mut FindingBuilder) {
    let own = draft.stacks.iter().position(|s| s.role == Role::Access);
    if let Some(at) = own.filter(|at| *at > 0) {
        draft.stacks[..=at].rotate_right(1);
    }
}

/// Returns true if the record is about two blocks that overlap, and only the stack of the first one
/// was read.
fn lacks_second_block(draft: &FindingBuilder) -> bool {
    draft.kind.as_str() == memcheck::OVERLAPPING_BLOCKS && draft.stacks.len() == 1
}
