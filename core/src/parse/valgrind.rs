//! A process that runs under valgrind, line by line: header, records, summaries.
//!
//! What is common to memcheck, helgrind and drd is here; what a headline means to each of them, in
//! their own files.
//!
//! Source: `coregrind/m_main.c` (header), `m_errormgr.c` (error counts), `m_mallocfree.c`,
//! `memcheck/mc_leakcheck.c` (summaries), `m_signals.c` (fatal signals).

mod end;
mod run;

use alloc::format;

pub(crate) use self::end::End;
use self::run::header_tool;
pub(crate) use self::run::is_crash;
use super::collect::{Collector, Grammar, text_of};
use super::draft::Draft;
use super::threads::Threads;
use super::{drd, frame, helgrind, memcheck, summary};
use crate::bytes::trim_start;
use crate::line::Line;
use crate::model::{Generated, Kind, Role, Text, Tool};
use crate::problem::Code;

/// A process whose lines carry the tag `==PID==`.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub(crate) report: usize,
    tool: Tool,
    draft: Option<Draft>,
    /// A line that may be the headline of a record whose wording is not known.
    candidate: Option<(Text, u64)>,
    /// The record is one that was printed before (`-s` lists all errors again).
    reprint: bool,
    /// A leak search has been summed up; the next record begins another.
    search_done: bool,
    /// The thread whose announcement is being read; its stack is no error.
    announced: Option<u64>,
    threads: Threads,
    /// `Thread 2 name:` before an error.
    thread: Option<Text>,
    /// No process wrote a header before this one began.
    pub(crate) is_first: bool,
    /// Something of a summary was seen, so the process does not run with `-q`.
    has_summary: bool,
    ended: bool,
    /// The finding of the record that ended last, while the line after it has not come.
    recorded: Option<usize>,
    /// The line before was blank, and a record is still open (helgrind's hold blank lines).
    paused: bool,
    /// The line before was blank, or named the thread: a stack that follows has lost its headline.
    after_blank: bool,
}

impl Process {
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
            search_done: false,
            announced: None,
            threads: Threads::default(),
            thread: None,
            is_first: false,
            has_summary: false,
            ended: false,
            recorded: None,
            paused: false,
            after_blank: false,
        }
    }

    /// The tool that a header names; with a header a new report begins.
    pub(crate) fn header_of(text: &[u8]) -> Option<Tool> {
        header_tool(text)
    }

    /// True for lines by which a process may be known: header, summaries, records.
    pub(crate) fn begins_with(text: &[u8]) -> bool {
        let words = text_of(text.trim_ascii_end());
        header_tool(text).is_some()
            || memcheck::loss_record(text).is_some()
            || run::is_run_level(&words)
            || [memcheck::title, helgrind::title, drd::title]
                .iter()
                .any(|title| title(&words).is_some())
            || helgrind::announced_thread(&words).is_some()
            || (words.starts_with("Thread ") && words.ends_with(':'))
    }

    /// The tool that a line names: a header does, and so do headlines that only one tool prints.
    pub(crate) fn tool_of(text: &[u8]) -> Option<Tool> {
        let words = text_of(text.trim_ascii_end());
        header_tool(text).or_else(|| {
            if helgrind::title(&words).is_some() || helgrind::announced_thread(&words).is_some() {
                Some(Tool::Helgrind)
            } else {
                drd::title(&words).map(|_| Tool::Drd)
            }
        })
    }

    /// The line before was no wording that is known; a stack makes it a headline.
    pub(crate) fn expect_title(&mut self, title: Text, line: u64) {
        self.candidate = Some((title, line));
    }

    /// True when nothing more is due from the process.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended && self.draft.is_none()
    }

    /// Reads what follows the tag.
    pub(crate) fn line(&mut self, rest: &[u8], line: &Line<'_>, out: &mut Collector) {
        out.touch(self.report, line.bytes, line.number);
        (self.recorded, self.paused) = (None, false);
        let after_blank = core::mem::take(&mut self.after_blank);
        let text = rest.strip_prefix(b" ").unwrap_or(rest);
        if text.trim_ascii().is_empty() {
            self.blank(out);
            self.after_blank = true;
        } else if let Some((first, head)) = frame::valgrind(text) {
            if line.continues {
                out.problem(
                    Code::LineTooLong,
                    line.number,
                    self.pid(out),
                    "a frame is longer than the bound of a line; its end was not read",
                );
            }
            let is_orphan =
                first && after_blank && self.draft.is_none() && self.announced.is_none();
            if is_orphan && !out.reports[self.report].has_header {
                // Sums would tell where there are some.
                out.problem(
                    Code::Truncated,
                    line.number,
                    self.pid(out),
                    "a stack whose headline is not in the log",
                );
            }
            self.frame(first, head, line.number, out);
        } else if text.starts_with(b" ") {
            self.indented(text, line.number, out);
        } else {
            self.headline(text, line.number, out);
        }
    }

    /// True right after the blank line behind a record: a generated suppression may follow.
    pub(crate) fn awaits_generated(&self) -> bool {
        self.recorded.is_some() || self.paused
    }

    /// Takes the suppression that valgrind wrote for the last record.
    pub(crate) fn generated(&mut self, generated: Generated, out: &mut Collector) {
        if let Some(finding) = self.recorded.take() {
            out.generated(finding, generated);
        } else if let Some(draft) = &mut self.draft {
            draft.generated = Some(generated);
        }
    }

    fn pid(&self, out: &Collector) -> Option<u64> {
        out.reports[self.report].pid
    }

    fn blank(&mut self, out: &mut Collector) {
        self.candidate = None;
        if self.tool == Tool::Helgrind {
            if let Some(draft) = &mut self.draft {
                draft.close_stack();
                self.paused = true;
            }
        } else {
            self.end_record(out);
        }
    }

    fn frame(&mut self, first: bool, head: frame::Head<'_>, line: u64, out: &mut Collector) {
        if self.draft.is_none() && self.announced.is_some() {
            self.draft = Some(Draft::new(self.tool.clone(), Kind::UNKNOWN, "", line));
        }
        if self.draft.is_none() {
            let Some((title, at)) = self.candidate.take() else {
                return;
            };
            let message =
                format!("`{title}` is no wording that leakgate knows; it counts as an error");
            out.problem(Code::UnknownWording, at, self.pid(out), message);
            self.draft = Some(Draft::new(self.tool.clone(), Kind::UNKNOWN, &title, at));
        }
        let Some(draft) = &mut self.draft else { return };
        draft.last_line = line;
        let late = first && !draft.stack_is_closed();
        if late {
            draft.expect_stack(Role::Access, b"");
        }
        out.push_frame(draft, Grammar::Valgrind, head);
        // valgrind 3.24 prints an error's own stack last; it still is the primary one.
        if late
            && draft.stacks.first().is_some_and(|s| s.role != Role::Access)
            && draft.stacks.len() > 1
        {
            draft.stacks.rotate_right(1);
            draft.next = None;
        }
    }

    fn indented(&mut self, text: &[u8], line: u64, out: &mut Collector) {
        if summary::indented(text, &mut out.reports[self.report]) {
            self.has_summary = true;
            return;
        }
        let Some(draft) = &mut self.draft else { return };
        draft.last_line = line;
        if trim_start(text).starts_with(b"<inherited from parent>") {
            draft.kind = Kind::FD_INHERITED;
        }
        if trim_start(text).starts_with(b"(thread finished, call stack") {
            draft.close_stack();
        }
        let own = match self.tool {
            Tool::Helgrind => helgrind::part(text),
            Tool::Drd => drd::part(text),
            _ => None,
        };
        match own.or_else(|| memcheck::auxiliary(text)) {
            Some(role) => draft.expect_stack(role, text),
            None if draft.stacks.is_empty() => {}
            None => draft.expect_stack(Role::Other, text),
        }
        draft.note(text);
    }

    fn headline(&mut self, text: &[u8], line: u64, out: &mut Collector) {
        if self.tool == Tool::Helgrind && self.part(helgrind::part(text), text, line) {
            return;
        }
        if self.tool == Tool::Drd && (self.part(drd::part(text), text, line) || self.drd_note(text))
        {
            return;
        }
        let words = text_of(text.trim_ascii_end());
        self.candidate = None;
        if self.tool == Tool::Helgrind && words.starts_with("Locks held:") {
            if let Some(draft) = &mut self.draft {
                draft.note(text);
            }
            return;
        }
        self.end_record(out);
        self.announced = helgrind::announced_thread(&words);
        if self.announced.is_some() || self.run_level(text, &words, line, out) {
            return;
        }
        if let Some((kind, leak)) = memcheck::loss_record(text) {
            self.loss_record(kind, leak, &words, line, out);
        } else if let Some(kind) = self.title(&words) {
            let mut draft = Draft::new(self.tool.clone(), kind, words.trim_end_matches(':'), line);
            if draft.kind == Kind::FD_LEAK {
                draft.expect_stack(Role::Allocation, b"");
            }
            if let Some(thread) = self.thread.take() {
                draft.note(thread.as_bytes());
            }
            self.draft = Some(draft);
        } else if words.starts_with("Thread ") {
            self.thread = Some(words);
            self.after_blank = true;
        } else if !words.starts_with("Warning: ") {
            self.candidate = Some((words, line));
        }
    }

    /// A line within an error that introduces a stack.
    fn part(&mut self, role: Option<Role>, text: &[u8], line: u64) -> bool {
        let (Some(role), Some(draft)) = (role, &mut self.draft) else {
            return false;
        };
        draft.expect_stack(role, text);
        draft.note(text);
        draft.last_line = line;
        true
    }

    fn drd_note(&mut self, text: &[u8]) -> bool {
        let Some(draft) = self.draft.as_mut().filter(|_| drd::is_note(text)) else {
            return false;
        };
        draft.note(text);
        true
    }

    fn title(&self, words: &str) -> Option<Kind> {
        match self.tool {
            Tool::Helgrind => helgrind::title(words).or_else(|| memcheck::title(words)),
            Tool::Drd => drd::title(words).or_else(|| memcheck::title(words)),
            // A log without its header does not name its tool.
            _ => memcheck::title(words)
                .or_else(|| helgrind::title(words))
                .or_else(|| drd::title(words)),
        }
    }

    fn loss_record(
        &mut self,
        kind: Kind,
        leak: crate::model::Leak,
        words: &str,
        line: u64,
        out: &mut Collector,
    ) {
        self.next_search(out);
        let mut draft = Draft::new(
            self.tool.clone(),
            kind,
            memcheck::without_record_number(words),
            line,
        );
        draft.leak = Some(leak);
        draft.expect_stack(Role::Allocation, b"");
        self.draft = Some(draft);
    }

    fn next_search(&mut self, out: &mut Collector) {
        if core::mem::take(&mut self.search_done) {
            out.reports[self.report].searches += 1;
        }
    }

    fn end_record(&mut self, out: &mut Collector) {
        let Some(mut draft) = self.draft.take() else {
            return;
        };
        if let Some(thread) = self.announced.take() {
            if let Some(stack) = draft.stacks.into_iter().next() {
                self.threads.learn(thread, stack);
            }
            return;
        }
        helgrind::put_in_order(&mut draft);
        self.threads.add_to(&mut draft);
        let search = out.reports[self.report].searches;
        self.recorded = out.record(self.report, draft, search, self.reprint);
    }
}
