//! Messages with a sanitizer's name: headlines, totals, failures of the sanitizer itself.

use alloc::format;
use alloc::string::String;

use super::super::collect::{Collector, shared_text};
use super::super::finding_builder::FindingBuilder;
use super::super::tsan;
use super::Sanitizers;
use super::dialect::{self, Headline};
use super::headline::is_failure;
use super::record::{BodyKind, LineContext, ReportBody};
use crate::model::{Kind, Tool};
use crate::numbers::count;
use crate::problem::Code;

impl Sanitizers {
    /// Reads a line of the form `LEVEL: NAMESanitizer: text`, except `SUMMARY:`.
    pub(super) fn message(
        &mut self,
        level: &[u8],
        name: &[u8],
        text: &[u8],
        context: &LineContext<'_>,
        out: &mut Collector,
    ) {
        let message = text.strip_prefix(b":").unwrap_or(text).trim_ascii();
        if message == b"DEADLYSIGNAL" {
            self.deadly.get_or_insert(context.line);
        } else if message.starts_with(b"checking for leaks") {
            let report = self.report(Tool::Lsan, context, out);
            out.reports[report].report.complete = true;
        } else if is_failure(level, message) {
            self.deadly = None;
            // A stack of the runtime may follow.
            self.lost_headline = true;
            let line = [level, b" ", name, b"Sanitizer", text].concat();
            let message = format!(
                "{}Sanitizer failed: `{}`",
                String::from_utf8_lossy(name),
                String::from_utf8_lossy(line.trim_ascii())
            );
            out.add_problem(Code::CheckerFailed, context.line, context.pid, message);
            self.give_up(out);
        } else if level == b"ERROR:"
            && name == b"Leak"
            && message.starts_with(b"detected memory leaks")
        {
            if context.pid.is_some() {
                self.leaks(context, out);
            }
        } else if let Some(headline) =
            dialect::headline(level, name, &shared_text(text), context.pid.is_some())
        {
            self.error(headline, context, out);
        } else if let Some(line) = parse_closing(level, name, message) {
            self.closing(&line, context, out);
        } else if is_unknown(level, name, text) {
            self.deadly = None;
            self.unknown = true;
            self.lost_headline = true;
            let message = format!(
                "unknown report of {}Sanitizer",
                String::from_utf8_lossy(name)
            );
            out.add_problem(Code::UnknownReport, context.line, context.pid, message);
        } else if let Some(draft) = self.open.as_mut().and_then(|o| o.draft.as_mut()) {
            draft.close_stack();
        }
    }

    /// Opens the report of an error.
    fn error(&mut self, headline: Headline<'_>, context: &LineContext<'_>, out: &mut Collector) {
        let Headline {
            tool,
            kind,
            title,
            pid,
        } = headline;
        let context = &LineContext {
            pid: pid.or(context.pid),
            ..*context
        };
        self.deadly = None;
        self.unknown = false;
        self.interrupt(context, out);
        let report = self.report(tool.clone(), context, out);
        let preamble = self.msan_preamble.take().filter(|_| tool == Tool::Msan);
        let mut draft = FindingBuilder::new(tool, kind, title, context.line);
        draft.notes.extend(preamble.map(|(text, _)| text));
        out.reports[report].report.complete = false;
        self.open = Some(ReportBody::new(report, BodyKind::Error, Some(draft)));
    }

    /// Reads a line that a sanitizer prints at the end of a process.
    fn closing(&mut self, line: &Closing, context: &LineContext<'_>, out: &mut Collector) {
        match line {
            Closing::Suppressed { tool, pid, hidden } => {
                let is_new = !self.reports.contains_key(&(tool.clone(), Some(*pid)));
                let report = self.report(
                    tool.clone(),
                    &LineContext {
                        pid: Some(*pid),
                        ..*context
                    },
                    out,
                );
                out.reports[report].report.complete |= is_new;
                out.reports[report].report.totals.suppressed_errors = Some(*hidden);
            }
            Closing::Total { tool, printed } => {
                // The line names no process; it belongs to the process that reported last.
                if let Some(&report) = self.last_reports.get(tool) {
                    let stated = &mut out.reports[report].report.totals.errors;
                    *stated = Some((*printed).max(stated.unwrap_or(0)));
                } else {
                    let errors = count(*printed, "error", "errors");
                    let message =
                        format!("{tool} counted {errors}, but the log contains none of them");
                    out.add_problem(
                        Code::SummaryWithoutReport,
                        context.line,
                        context.pid,
                        message,
                    );
                }
            }
        }
    }
}

/// A line that a sanitizer prints at the end of a process.
enum Closing {
    /// The number of printed errors.
    Total { tool: Tool, printed: u64 },
    /// The number of errors that its suppressions hid.
    Suppressed { tool: Tool, pid: u64, hidden: u64 },
}

/// Parses the text after `NAMESanitizer: ` at the end of a process.
fn parse_closing(level: &[u8], name: &[u8], message: &[u8]) -> Option<Closing> {
    let tool = dialect::tool(name).filter(|_| level.is_empty())?;
    match tsan::suppressed(message).filter(|_| tool == Tool::Tsan) {
        Some((hidden, pid)) => Some(Closing::Suppressed { tool, pid, hidden }),
        None => dialect::total(&tool, message).map(|printed| Closing::Total { tool, printed }),
    }
}

/// Returns true for a headline that no dialect recognizes. The various warnings of AddressSanitizer
/// and LeakSanitizer don't count.
fn is_unknown(level: &[u8], name: &[u8], text: &[u8]) -> bool {
    let Some(message) = text.strip_prefix(b":") else {
        return false;
    };
    let is_known = matches!(name, b"Address" | b"Leak") || dialect::is_chatter(name, message);
    !level.is_empty() && !is_known
}

/// Sets the kind from the `SUMMARY:` if the headline was empty.
pub(super) fn complete_kind(draft: &mut FindingBuilder, summary: &[u8]) {
    if draft.kind == Kind::UNKNOWN && draft.title.is_empty() {
        draft.kind = super::super::asan::kind(&shared_text(summary));
    }
}
