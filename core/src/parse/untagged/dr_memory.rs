//! Dr. Memory: `results.txt`, or the same text on the terminal after `~~Dr.M~~ `.
//!
//! Source: Dr. Memory `drmemory/report.c`. An error is a headline, frames, and notes, some of which
//! are frames of another stack. The file ends with totals by kind.

mod headline;

use alloc::format;

use self::headline::{Headline, parse_headline};
use super::{Context, CurrentReport, LineOutcome, ReportReader, Start};
use crate::bytes::{after, before, contains, number, trim_start};
use crate::model::{Role, Tool};
use crate::parse::collect::{FrameSyntax, shared_text};
use crate::parse::frame::SplitFrame;
use crate::problem::Code;

#[cfg(test)]
pub(in crate::parse) use self::headline::KINDS;

/// The beginnings of headlines.
pub(super) const HEADS: &[&str] = &[
    "~~Dr.M~~",
    "~~Dr.H~~",
    "Dr. Memory results for pid ",
    "Dr. Memory version ",
    "Error #",
    "Potential Error #",
    "SUPPRESSED Error #",
];

pub(super) fn start(text: &[u8], context: &mut Context<'_>) -> Start {
    let text = strip_marker(text);
    let is_results = text.starts_with(b"Dr. Memory results for pid ")
        || text.starts_with(b"Dr. Memory version ");
    let headline = parse_headline(text);
    if !is_results && headline.is_none() {
        return Start::No;
    }
    let mut current = CurrentReport::default();
    let mut results = Results {
        in_totals: false,
        has_totals: false,
        parsed: 0,
        reported: 0,
        has_header: is_results,
    };
    match headline {
        Some(headline) => results.start_error(&headline, &mut current, context),
        None => {
            results.read_line(text, &mut current, context);
        }
    }
    Start::report(current, results)
}

/// Strips the marker of Dr. Memory's lines on the terminal.
fn strip_marker(text: &[u8]) -> &[u8] {
    let text = trim_start(text);
    text.strip_prefix(b"~~Dr.M~~")
        .or_else(|| text.strip_prefix(b"~~Dr.H~~"))
        .map_or(text, trim_start)
        .trim_ascii_end()
}

/// Reads the results of one process.
#[derive(Clone, Debug)]
struct Results {
    /// The totals at the end have started.
    in_totals: bool,
    /// The results contain their final totals.
    has_totals: bool,
    /// Number of errors and leaks so far.
    parsed: u64,
    /// Number of errors and leaks according to the totals.
    reported: u64,
    /// The results start with their header, so they must have an end too.
    has_header: bool,
}

impl ReportReader for Results {
    fn read_line(
        &mut self,
        text: &[u8],
        current: &mut CurrentReport,
        context: &mut Context<'_>,
    ) -> LineOutcome {
        let text = strip_marker(text);
        if let Some(rest) = text.strip_prefix(b"Dr. Memory results for pid ") {
            self.read_header(rest, current, context);
        } else if let Some(headline) = parse_headline(text) {
            context.flush(current);
            self.start_error(&headline, current, context);
        } else if text.starts_with(b"FINAL SUMMARY:") || text.ends_with(b"ERRORS FOUND:") {
            context.flush(current);
            self.in_totals = true;
            if text.ends_with(b"ERRORS FOUND:") {
                self.has_totals = true;
                current
                    .index
                    .get_or_insert_with(|| context.report(&Tool::DrMemory, None));
            }
        } else if text.starts_with(b"Details: ") && self.in_totals {
            self.reconcile(current, context);
            return LineOutcome::Finished;
        } else if self.in_totals {
            if !is_in_totals(text) {
                return LineOutcome::Unrelated;
            }
            self.read_total(text, current, context);
        } else if current.finding.is_some() {
            return read_error_line(text, current, context);
        } else if !text.is_empty()
            && !text.starts_with(b"Recorded ")
            && !text.starts_with(b"Application cmdline")
            && !text.starts_with(b"Dr. Memory ")
        {
            return LineOutcome::Unrelated;
        }
        LineOutcome::Consumed
    }

    fn finish(&mut self, current: &mut CurrentReport, context: &mut Context<'_>) {
        context.flush(current);
        if self.has_totals || !self.has_header {
            self.reconcile(current, context);
        } else if current.index.is_some() {
            context.mark_truncated(current, "the Dr. Memory results have no totals at the end");
        }
    }
}

impl Results {
    /// Reads the pid and the command: `5904: "main.exe"`.
    fn read_header(&mut self, rest: &[u8], current: &mut CurrentReport, context: &mut Context<'_>) {
        let Some((pid, rest)) = number(rest) else {
            return;
        };
        let index = context.incomplete_report(&Tool::DrMemory, Some(pid));
        let report = context.report_mut(index);
        report.has_header = true;
        report.command =
            before(rest.strip_prefix(b": \"").unwrap_or_default(), b"\"").map(shared_text);
        current.index = Some(index);
        self.has_header = true;
    }

    /// Starts the finding of an error.
    fn start_error(
        &mut self,
        headline: &Headline<'_>,
        current: &mut CurrentReport,
        context: &mut Context<'_>,
    ) {
        let report = *current
            .index
            .get_or_insert_with(|| context.report(&Tool::DrMemory, None));
        context.report_mut(report).complete = !self.has_header;
        if headline.is_warning() {
            return;
        }
        self.parsed += 1;
        let mut finding = context.new_finding(
            Tool::DrMemory,
            headline.kind.clone(),
            &shared_text(headline.title),
        );
        finding.leak = headline.leak;
        let role = if headline.leak.is_some() {
            Role::Allocation
        } else {
            Role::Access
        };
        finding.expect_stack(role, b"");
        current.finding = Some(finding);
    }

    /// Reads one of the totals, such as `      5 unique,     5 total unaddressable access(es)`.
    fn read_total(&mut self, text: &[u8], current: &CurrentReport, context: &mut Context<'_>) {
        let Some(report) = current.index else { return };
        let report = context.report_mut(report);
        if let Some((_, rest)) = number(text) {
            let unique = contains(rest, b" unique, ").then(|| number(text)).flatten();
            let is_error = !contains(rest, b"warning(s)")
                && !contains(rest, b"still-reachable")
                && !contains(rest, b"potential error");
            if let Some((unique, _)) = unique.filter(|_| is_error) {
                self.reported = self.reported.saturating_add(unique);
            }
            report.capped |= contains(rest, b"beyond -report_max");
            let suppressed = after(text, b"user-suppressed,")
                .is_some()
                .then(|| number(text))
                .flatten();
            if let Some((suppressed, _)) = suppressed {
                report.totals.suppressed_errors = Some(suppressed);
            }
        }
    }

    /// Completes the report, and compares the totals with the parsed errors.
    fn reconcile(&self, current: &CurrentReport, context: &mut Context<'_>) {
        let Some(index) = current.index else { return };
        let Self {
            parsed, reported, ..
        } = *self;
        let report = context.report_mut(index);
        report.complete = true;
        report.totals.contexts = Some(reported);
        if reported > parsed && !report.capped {
            let message =
                format!("Dr. Memory counted {reported} errors, but its results contain {parsed}");
            context.problem(Code::Unreconciled, &message);
        }
    }
}

/// Reads a line of an error.
fn read_error_line(
    text: &[u8],
    current: &mut CurrentReport,
    context: &mut Context<'_>,
) -> LineOutcome {
    let Some(finding) = &mut current.finding else {
        return LineOutcome::Unrelated;
    };
    let note = text.strip_prefix(b"Note: ");
    if let Some(frame) = parse_frame(note.unwrap_or(text)) {
        context.push_frame(finding, FrameSyntax::Bracketed, frame);
    } else if let Some(note) = note {
        finding.add_note(note);
        if note.ends_with(b"here:") {
            finding.expect_stack(headline::stack_role(note), note);
        }
    } else if text.is_empty() {
        context.flush(current);
    } else if !text.starts_with(b"Elapsed time = ") {
        return LineOutcome::Unrelated;
    }
    LineOutcome::Consumed
}

/// Returns true for a line of the totals or of the lists before them.
fn is_in_totals(text: &[u8]) -> bool {
    const PREFIXES: &[&[u8]] = &[
        b"DUPLICATE ERROR COUNTS:",
        b"SUPPRESSIONS USED:",
        b"ERRORS IGNORED:",
        b"(re-run with",
        b"Error #",
        b"=====",
    ];
    text.is_empty()
        || text[0].is_ascii_digit()
        || PREFIXES.iter().any(|prefix| text.starts_with(prefix))
}

/// Parses `# 0 CECache::CECache       [c:\src\ecache.cpp:55]`.
fn parse_frame(text: &[u8]) -> Option<SplitFrame<'_>> {
    let (index, rest) = number(trim_start(text.strip_prefix(b"#")?))?;
    let site = trim_start(rest.strip_prefix(b" ")?);
    (!site.is_empty()).then_some(SplitFrame {
        index: u32::try_from(index).ok(),
        address: None,
        text: site,
    })
}
