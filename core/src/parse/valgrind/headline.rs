//! Lines without indentation: headlines, and lines about the run or the open record.

use super::super::collect::{Collector, shared_text};
use super::super::finding_builder::FindingBuilder;
use super::super::{drd, heads, helgrind, memcheck, summary};
use super::{ValgrindProcess, run};
use crate::model::{Kind, Role, Text, Tool};

impl ValgrindProcess {
    /// Reads a line without indentation, which may be a headline.
    pub(super) fn headline(&mut self, text: &[u8], line: u64, out: &mut Collector) {
        if self.tool == Tool::Helgrind
            && self.introduce_stack(helgrind::stack_role(text), text, line)
        {
            return;
        }
        if self.tool == Tool::Drd
            && (self.introduce_stack(drd::stack_role(text), text, line) || self.drd_note(text))
        {
            return;
        }
        if memcheck::is_detail(text) || summary::is_row(text) {
            return self.indented(text, line, out);
        }
        if self.draft.is_none() && Self::continues_error(text) {
            self.check_owner(line, out);
            // The stack that follows belongs to the same error.
            self.after_message = true;
            return;
        }
        let headline = shared_text(text.trim_ascii_end());
        self.candidate = None;
        if self.continues_record(text, &headline) {
            return;
        }
        self.end_record(out);
        self.after_message = false;
        self.announced = helgrind::announced_thread(&headline);
        if self.announced.is_some() {
            return;
        }
        self.recognize_tool(text, out);
        if self.run_level(text, &headline, line, out) {
            self.after_message = run::may_have_stack(&headline);
            self.has_chatter |= run::is_chatter(&headline);
            return;
        }
        if let Some((kind, leak)) = memcheck::loss_record(text) {
            self.loss_record(kind, leak, &headline, line, out);
        } else if let Some(kind) = self.headline_kind(&headline) {
            self.begin_error(kind, text, &headline, line);
        } else if headline.starts_with("Thread ") {
            self.thread = Some(headline);
            self.after_blank = true;
        } else if run::is_core_message(&headline) {
            self.after_message = true;
        } else {
            if let Some(pid) = self.pid(out) {
                heads::report_inner(text, pid, line, out);
            }
            self.candidate = Some((headline, line));
        }
    }

    /// Begins the record of an error.
    fn begin_error(&mut self, kind: Kind, text: &[u8], headline: &str, line: u64) {
        let title = headline.trim_end_matches(':');
        let mut draft = FindingBuilder::new(self.tool.clone(), kind, title, line);
        if draft.kind == Kind::FD_LEAK {
            draft.expect_stack(Role::Allocation, b"");
        } else if headline.starts_with("Acquired at:") {
            draft.expect_stack(Role::Lock, text);
        }
        if let Some(thread) = self.thread.take() {
            draft.add_note(thread.as_bytes());
        }
        self.draft = Some(draft);
    }

    /// Returns true for a line that only follows the headline of an error.
    pub(crate) fn continues_error(text: &[u8]) -> bool {
        let is_headline = text.starts_with(b"Acquired at:");
        helgrind::stack_role(text).is_some()
            || (drd::stack_role(text).is_some() && !is_headline)
            || drd::is_note(text)
            || text.starts_with(b"Locks held:")
            || memcheck::follows_stack(text)
    }

    /// Reads a line without indentation that belongs to the open record. Returns false if it
    /// doesn't.
    fn continues_record(&mut self, text: &[u8], headline: &Text) -> bool {
        let Some(draft) = &mut self.draft else {
            return false;
        };
        if draft.kind.as_str() == "holdtime-err" && drd::is_hold_time(headline) {
            // The stack before is that of the acquisition.
            draft.title = headline.clone();
            draft.expect_stack(Role::Access, b"");
            return true;
        }
        let is_note = self.tool == Tool::Helgrind && headline.starts_with("Locks held:");
        // The core may print a message before the stack of an error.
        let is_between = draft.stacks.is_empty() && run::is_core_message(headline);
        if is_note || is_between {
            draft.add_note(text);
        }
        is_note || is_between
    }

    /// Corrects the tool of a report without header, if only one tool prints this headline.
    fn recognize_tool(&mut self, text: &[u8], out: &mut Collector) {
        let report = &mut out.reports[self.report].report;
        if report.has_header || report.printed > 0 {
            return;
        }
        if let Some(tool) = Self::tool_of(text) {
            self.tool = tool.clone();
            report.tool = tool;
        }
    }

    /// Reads a line within an error that introduces a stack. Returns false if the line doesn't.
    fn introduce_stack(&mut self, role: Option<Role>, text: &[u8], line: u64) -> bool {
        let (Some(role), Some(draft)) = (role, &mut self.draft) else {
            return false;
        };
        draft.expect_stack(role, text);
        draft.add_note(text);
        draft.last_line = line;
        true
    }

    /// Reads an explanation within drd's error. Returns false if the line isn't one.
    fn drd_note(&mut self, text: &[u8]) -> bool {
        let Some(draft) = self.draft.as_mut().filter(|_| drd::is_note(text)) else {
            return false;
        };
        draft.add_note(text);
        true
    }

    /// Returns the kind of a headline, or `None` if it isn't known.
    fn headline_kind(&self, headline: &str) -> Option<Kind> {
        match self.tool {
            Tool::Helgrind => {
                helgrind::headline_kind(headline).or_else(|| memcheck::headline_kind(headline))
            }
            Tool::Drd => drd::headline_kind(headline).or_else(|| memcheck::headline_kind(headline)),
            // A log without its header doesn't name its tool.
            _ => memcheck::headline_kind(headline)
                .or_else(|| helgrind::headline_kind(headline))
                .or_else(|| drd::headline_kind(headline)),
        }
    }
}
