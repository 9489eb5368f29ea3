//! Dr. Memory: `results.txt`, or the same on the terminal behind `~~Dr.M~~ `.
//!
//! Source: Dr. Memory `drmemory/report.c`. An error is a headline, frames, and notes, of which some
//! are frames of another stack; at the end stand sums by kind.

mod words;

use alloc::boxed::Box;
use alloc::format;

use self::words::{Headline, headline};
use super::{Desk, Opened, Reading, Step};
use crate::bytes::{after, before, contains, number, trim_start};
use crate::model::{Role, Tool};
use crate::parse::collect::{Grammar, text_of};
use crate::parse::draft::Draft;
use crate::parse::frame::Head;
use crate::problem::Code;

#[cfg(test)]
pub(in crate::parse) use self::words::KINDS;

pub(super) fn opens(text: &[u8], desk: &mut Desk<'_>) -> Opened {
    let said = plain(text);
    let is_results = said.starts_with(b"Dr. Memory results for pid ")
        || said.starts_with(b"Dr. Memory version ");
    let headline = headline(said);
    if !is_results && headline.is_none() {
        return Opened::No;
    }
    let mut results = Results {
        report: None,
        draft: None,
        in_totals: false,
        whole: false,
        read: 0,
        stated: 0,
        is_whole_file: is_results,
    };
    match headline {
        Some(headline) => results.begin(&headline, desk),
        None => {
            results.line(text, desk);
        }
    }
    Opened::Report(Box::new(results))
}

/// A line without what stands before it on the terminal.
fn plain(text: &[u8]) -> &[u8] {
    let said = trim_start(text);
    said.strip_prefix(b"~~Dr.M~~")
        .or_else(|| said.strip_prefix(b"~~Dr.H~~"))
        .map_or(said, trim_start)
        .trim_ascii_end()
}

/// The results of one process.
#[derive(Clone, Debug)]
struct Results {
    report: Option<usize>,
    draft: Option<Draft>,
    /// The sums have begun.
    in_totals: bool,
    whole: bool,
    /// Errors and leaks so far, and how many the sums count.
    read: u64,
    stated: u64,
    /// It began with its header, so that an end is to be expected.
    is_whole_file: bool,
}

impl Reading for Results {
    fn line(&mut self, text: &[u8], desk: &mut Desk<'_>) -> Step {
        let said = plain(text);
        if let Some(rest) = said.strip_prefix(b"Dr. Memory results for pid ") {
            self.process(rest, desk);
        } else if let Some(headline) = headline(said) {
            self.hand_in(desk);
            self.begin(&headline, desk);
        } else if said.starts_with(b"FINAL SUMMARY:") || said.ends_with(b"ERRORS FOUND:") {
            self.hand_in(desk);
            self.in_totals = true;
            if said.ends_with(b"ERRORS FOUND:") {
                self.whole = true;
                self.report
                    .get_or_insert_with(|| desk.report(&Tool::DrMemory, None));
            }
        } else if said.starts_with(b"Details: ") && self.in_totals {
            self.sum_up(desk);
            return Step::Last;
        } else if self.in_totals {
            if !is_of_totals(said) {
                return Step::Foreign;
            }
            self.total(said, desk);
        } else if self.draft.is_some() {
            return self.body(said, desk);
        } else if !said.is_empty()
            && !said.starts_with(b"Recorded ")
            && !said.starts_with(b"Application cmdline")
            && !said.starts_with(b"Dr. Memory ")
        {
            return Step::Foreign;
        }
        Step::Own
    }

    fn finish(&mut self, desk: &mut Desk<'_>) {
        self.hand_in(desk);
        if self.whole || !self.is_whole_file {
            self.sum_up(desk);
        } else if let Some(report) = self.report {
            desk.cut(report, "Dr. Memory's results have no sums at their end");
        }
    }

    fn report(&self) -> Option<usize> {
        self.report
    }
}

impl Results {
    /// `5904: "main.exe"`
    fn process(&mut self, rest: &[u8], desk: &mut Desk<'_>) {
        let Some((pid, rest)) = number(rest) else {
            return;
        };
        let report = desk.report(&Tool::DrMemory, Some(pid));
        let this = &mut desk.out.reports[report];
        this.complete = false;
        this.has_header = true;
        this.command = before(rest.strip_prefix(b": \"").unwrap_or_default(), b"\"").map(text_of);
        self.report = Some(report);
        self.is_whole_file = true;
    }

    fn begin(&mut self, headline: &Headline<'_>, desk: &mut Desk<'_>) {
        let report = *self
            .report
            .get_or_insert_with(|| desk.report(&Tool::DrMemory, None));
        desk.out.reports[report].complete = !self.is_whole_file;
        if headline.is_ignored() {
            return;
        }
        self.read += 1;
        let mut draft = desk.draft(
            Tool::DrMemory,
            headline.kind.clone(),
            &text_of(headline.title),
        );
        draft.leak = headline.leak;
        draft.expect_stack(
            if headline.leak.is_some() {
                Role::Allocation
            } else {
                Role::Access
            },
            b"",
        );
        self.draft = Some(draft);
    }

    /// A line of an error.
    fn body(&mut self, said: &[u8], desk: &mut Desk<'_>) -> Step {
        let Some(draft) = &mut self.draft else {
            return Step::Foreign;
        };
        let note = said.strip_prefix(b"Note: ");
        if let Some(head) = frame(note.unwrap_or(said)) {
            desk.frame(draft, Grammar::Bracket, head);
        } else if let Some(note) = note {
            draft.note(note);
            if note.ends_with(b"here:") {
                draft.expect_stack(words::role(note), note);
            }
        } else if said.is_empty() {
            self.hand_in(desk);
        } else if !said.starts_with(b"Elapsed time = ") {
            return Step::Foreign;
        }
        Step::Own
    }

    /// `      5 unique,     5 total unaddressable access(es)` and the other sums.
    fn total(&mut self, said: &[u8], desk: &mut Desk<'_>) {
        let Some(report) = self.report else { return };
        let report = &mut desk.out.reports[report];
        if let Some((_, rest)) = number(said) {
            let unique = contains(rest, b" unique, ").then(|| number(said)).flatten();
            let counts = !contains(rest, b"warning(s)")
                && !contains(rest, b"still-reachable")
                && !contains(rest, b"potential error");
            if let Some((unique, _)) = unique.filter(|_| counts) {
                self.stated = self.stated.saturating_add(unique);
            }
            report.capped |= contains(rest, b"beyond -report_max");
            let hidden = after(said, b"user-suppressed,")
                .is_some()
                .then(|| number(said))
                .flatten();
            if let Some((hidden, _)) = hidden {
                report.stated.suppressed_errors = Some(hidden);
            }
        }
    }

    fn sum_up(&mut self, desk: &mut Desk<'_>) {
        let Some(report) = self.report else { return };
        desk.out.reports[report].complete = true;
        let stated = self.stated;
        desk.out.reports[report].stated.contexts = Some(stated);
        if stated > self.read && !desk.out.reports[report].capped {
            let message = format!(
                "Dr. Memory counts {stated} errors, and its results hold {}",
                self.read
            );
            desk.problem(Code::Unreconciled, &message);
        }
    }

    fn hand_in(&mut self, desk: &mut Desk<'_>) {
        if let Some((report, draft)) = self.report.zip(self.draft.take()) {
            desk.record(report, draft);
        }
    }
}

/// A line of the sums, or of the lists before them.
fn is_of_totals(said: &[u8]) -> bool {
    const WORDS: &[&[u8]] = &[
        b"DUPLICATE ERROR COUNTS:",
        b"SUPPRESSIONS USED:",
        b"ERRORS IGNORED:",
        b"(re-run with",
        b"Error #",
        b"=====",
    ];
    said.is_empty() || said[0].is_ascii_digit() || WORDS.iter().any(|words| said.starts_with(words))
}

/// `# 0 CECache::CECache       [c:\src\ecache.cpp:55]`
fn frame(said: &[u8]) -> Option<Head<'_>> {
    let (index, rest) = number(trim_start(said.strip_prefix(b"#")?))?;
    let site = trim_start(rest.strip_prefix(b" ")?);
    (!site.is_empty()).then_some(Head {
        index: u32::try_from(index).ok(),
        address: None,
        site,
    })
}
