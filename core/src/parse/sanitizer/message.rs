//! What a sanitizer says with its name: headlines, totals, failures of its own.

use alloc::format;
use alloc::string::String;

use super::super::collect::{Collector, text_of};
use super::super::draft::Draft;
use super::super::tsan;
use super::Sanitizers;
use super::dialect::{self, Headline};
use super::headline::is_failure;
use super::record::{Open, Part, Place};
use crate::model::{Kind, Tool};
use crate::problem::Code;

impl Sanitizers {
    pub(super) fn message(
        &mut self,
        level: &[u8],
        name: &[u8],
        text: &[u8],
        place: &Place<'_>,
        out: &mut Collector,
    ) {
        let said = text.strip_prefix(b":").unwrap_or(text).trim_ascii();
        if said == b"DEADLYSIGNAL" {
            self.deadly.get_or_insert(place.line);
        } else if said.starts_with(b"checking for leaks") {
            let report = self.report(Tool::Lsan, place, out);
            out.reports[report].complete = true;
        } else if is_failure(level, said) {
            self.deadly = None;
            let message = format!(
                "{}Sanitizer failed: `{}`",
                String::from_utf8_lossy(name),
                String::from_utf8_lossy(said)
            );
            out.problem(Code::CheckerFailed, place.line, place.pid, message);
            self.give_up(out);
        } else if level == b"ERROR:"
            && name == b"Leak"
            && said.starts_with(b"detected memory leaks")
        {
            if place.pid.is_some() {
                self.leaks(place, out);
            }
        } else if let Some(headline) =
            dialect::headline(level, name, &text_of(text), place.pid.is_some())
        {
            self.error(headline, place, out);
        } else if let Some(words) = closing_words(level, name, said) {
            self.closing(&words, place, out);
        } else if is_unknown(level, name, text) {
            self.deadly = None;
            self.unknown = true;
            let message = format!(
                "a report of {}Sanitizer, which this version does not read",
                String::from_utf8_lossy(name)
            );
            out.problem(Code::UnknownReport, place.line, place.pid, message);
        } else if let Some(draft) = self.open.as_mut().and_then(|o| o.draft.as_mut()) {
            draft.close_stack();
        }
    }

    fn error(&mut self, headline: Headline<'_>, place: &Place<'_>, out: &mut Collector) {
        let Headline {
            tool,
            kind,
            title,
            pid,
        } = headline;
        let place = &Place {
            pid: pid.or(place.pid),
            ..*place
        };
        self.deadly = None;
        self.unknown = false;
        self.interrupt(place, out);
        let report = self.report(tool.clone(), place, out);
        let lead = self.lead.take().filter(|_| tool == Tool::Msan);
        let mut draft = Draft::new(tool, kind, title, place.line);
        draft.notes.extend(lead.map(|(text, _)| text));
        out.reports[report].complete = false;
        self.open = Some(Open::new(report, Part::Error, Some(draft)));
    }

    fn closing(&mut self, words: &Closing, place: &Place<'_>, out: &mut Collector) {
        match words {
            Closing::Suppressed { tool, pid, hidden } => {
                let is_new = !self.reports.contains_key(&(tool.clone(), Some(*pid)));
                let report = self.report(
                    tool.clone(),
                    &Place {
                        pid: Some(*pid),
                        ..*place
                    },
                    out,
                );
                out.reports[report].complete |= is_new;
                out.reports[report].stated.suppressed_errors = Some(*hidden);
            }
            Closing::Total { tool, printed } => {
                // The words name no process; the last one that reported is the one that ends.
                let own = self
                    .reports
                    .iter()
                    .filter(|((of, _), _)| of == tool)
                    .map(|(_, report)| *report)
                    .max();
                if let Some(report) = own {
                    let stated = &mut out.reports[report].stated.errors;
                    *stated = Some((*printed).max(stated.unwrap_or(0)));
                } else {
                    let message = format!(
                        "{tool} states that it reported {printed}, and none of them is in the log"
                    );
                    out.problem(Code::SummaryWithoutReport, place.line, place.pid, message);
                }
            }
        }
    }
}

/// What a sanitizer says at the end of a process.
enum Closing {
    /// How many errors it printed.
    Total { tool: Tool, printed: u64 },
    /// How many errors its suppressions hid.
    Suppressed { tool: Tool, pid: u64, hidden: u64 },
}

fn closing_words(level: &[u8], name: &[u8], said: &[u8]) -> Option<Closing> {
    let tool = dialect::tool(name).filter(|_| level.is_empty())?;
    match tsan::suppressed(said).filter(|_| tool == Tool::Tsan) {
        Some((hidden, pid)) => Some(Closing::Suppressed { tool, pid, hidden }),
        None => dialect::total(&tool, said).map(|printed| Closing::Total { tool, printed }),
    }
}

/// True for a headline that no dialect reads. AddressSanitizer and LeakSanitizer warn in words of
/// their own.
fn is_unknown(level: &[u8], name: &[u8], text: &[u8]) -> bool {
    let Some(said) = text.strip_prefix(b":") else {
        return false;
    };
    let is_known = matches!(name, b"Address" | b"Leak") || dialect::is_chatter(name, said);
    !level.is_empty() && !is_known
}

/// What a headline said nothing of is known from the `SUMMARY:`.
pub(super) fn complete_kind(draft: &mut Draft, summary: &[u8]) {
    if draft.kind == Kind::UNKNOWN && draft.title.is_empty() {
        draft.kind = super::super::asan::kind(&text_of(summary));
    }
}
