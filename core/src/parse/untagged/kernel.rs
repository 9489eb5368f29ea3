//! The kernel's sanitizers in the output of `dmesg`: KASAN, KMSAN, KCSAN, KFENCE, UBSAN.
//!
//! Sources: Linux `mm/kasan/report.c`, `mm/kmsan/report.c`, `kernel/kcsan/report.c`,
//! `mm/kfence/report.c`, `lib/ubsan.c`. Each report ends with a line of `=`. Frames that the
//! unwinder marks as unreliable (`? FUNCTION`) are skipped.

mod headline;
mod lines;
mod undefined;

pub(in crate::parse) use self::headline::is_cut_headline;
use self::headline::{Headline, parse_headline};
#[cfg(test)]
pub(in crate::parse) use self::headline::{KINDS, RANGES, UNDEFINED};
use self::lines::{is_certain_part, is_dump, is_note, is_trace_heading, parse_frame, stack_role};
use self::undefined::Undefined;
use super::{Context, CurrentReport, LineOutcome, ReportReader, Start};
use crate::bytes::{before, trim_start};
use crate::model::{Role, Tool};
use crate::parse::collect::{FrameSyntax, shared_text};
use crate::parse::finding_builder::FindingBuilder;

/// The beginnings of headlines, and of lines that only a report contains.
pub(super) const HEADS: &[&str] = &[
    "BUG: KASAN: ",
    "BUG: KASan: ",
    "BUG: KMSAN: ",
    "BUG: KCSAN: ",
    "BUG: KFENCE: ",
    "UBSAN: ",
    "KASAN: ",
    "The buggy address ",
    "Memory state around the buggy address:",
];

/// Number of lines after a headline without an end by which its report must go on.
const MAX_BEFORE_BODY: u32 = 8;

pub(super) fn start(text: &[u8], context: &mut Context<'_>) -> Start {
    let text = text.trim_ascii();
    match parse_headline(text) {
        Some(Headline::Bug {
            kind,
            title,
            is_whole,
        }) => {
            let finding = context.new_finding(Tool::Kasan, kind, &shared_text(title));
            // A report is opened when it is certain that the line isn't prose.
            let index = is_whole.then(|| context.incomplete_report(&Tool::Kasan, None));
            let current = CurrentReport {
                index,
                finding: Some(finding),
            };
            Start::report(current, Bug::default())
        }
        Some(Headline::Undefined {
            kind,
            title,
            location,
        }) => Undefined::start(kind, title, location, context),
        Some(Headline::Range { kind, title }) => {
            let report = context.complete_report(&Tool::Kasan, None);
            let mut finding = context.new_finding(Tool::Kasan, kind, &shared_text(title));
            finding.add_note(text);
            Start::report(CurrentReport::new(report).with_finding(finding), Oops)
        }
        None if is_certain_part(text) => {
            let report = context.incomplete_report(&Tool::Kasan, None);
            let current = CurrentReport::new(report);
            context.mark_truncated(
                &current,
                "the beginning of a report of the kernel is missing from the log",
            );
            Start::report(current, Rest)
        }
        None => Start::No,
    }
}

/// Returns true for the line of `=` that ends a report.
fn is_bar(text: &[u8]) -> bool {
    text.len() > 40 && text.iter().all(|b| *b == b'=')
}

/// Returns true for the last line of an Oops or a warning.
fn is_end_of_trace(text: &[u8]) -> bool {
    text.starts_with(b"---[ end trace ")
}

/// Adds a line of a stack to the finding. Returns false if it isn't a frame.
pub(super) fn push_frame(
    text: &[u8],
    finding: &mut FindingBuilder,
    context: &mut Context<'_>,
) -> bool {
    let Some(frame) = parse_frame(text) else {
        return false;
    };
    if let Some(part) = frame {
        context.push_frame(finding, part.syntax, part.frame);
    }
    true
}

/// Reads a report of KASAN, KMSAN, KCSAN or KFENCE. It is opened when it is certain that the
/// headline isn't prose.
#[derive(Clone, Debug, Default)]
struct Bug {
    /// Number of lines so far.
    lines: u32,
}

/// Returns true if the finding has frames of the error's own stack.
fn has_error_stack(finding: &FindingBuilder) -> bool {
    finding
        .stacks
        .iter()
        .any(|stack| stack.role == Role::Access && !stack.frames.is_empty())
}

impl ReportReader for Bug {
    fn read_line(
        &mut self,
        text: &[u8],
        current: &mut CurrentReport,
        context: &mut Context<'_>,
    ) -> LineOutcome {
        let text = text.trim_ascii();
        self.lines += 1;
        if parse_headline(text).is_some() {
            self.finish(current, context);
            return LineOutcome::EndedBefore;
        }
        let Some(finding) = &mut current.finding else {
            return LineOutcome::EndedBefore;
        };
        // Before the stack, a line of `=` begins the dump of SLUB.
        let has_stack = has_error_stack(finding);
        if (is_bar(text) && has_stack) || is_end_of_trace(text) {
            context.complete(current);
            return LineOutcome::Finished;
        }
        if let Some(role) = stack_role(text, !has_stack) {
            let is_heading = is_trace_heading(text);
            finding.expect_stack(role, if is_heading { b"" } else { text });
        } else if is_note(text) {
            finding.add_note(text);
        } else if push_frame(text, finding, context) {
        } else if current.index.is_none() {
            // It isn't certain yet that the headline is one.
            return if self.lines > MAX_BEFORE_BODY {
                LineOutcome::EndedBefore
            } else {
                LineOutcome::Unrelated
            };
        } else if text.is_empty() {
            finding.close_stack();
        } else if !is_bar(text) && !is_dump(text) {
            return LineOutcome::Unrelated;
        }
        finding.last_line = context.line;
        if current.index.is_none() {
            current.index = Some(context.incomplete_report(&Tool::Kasan, None));
        }
        LineOutcome::Consumed
    }

    fn finish(&mut self, current: &mut CurrentReport, context: &mut Context<'_>) {
        if current.index.is_none() {
            // The words were followed by something else, so they were prose.
            if self.lines > 0 {
                return;
            }
            current.index = Some(context.incomplete_report(&Tool::Kasan, None));
        }
        context.end_truncated(current);
    }
}

/// Reads the part of an Oops after KASAN's description. The kernel may die before it prints more.
#[derive(Clone, Debug)]
struct Oops;

impl ReportReader for Oops {
    fn read_line(
        &mut self,
        text: &[u8],
        current: &mut CurrentReport,
        context: &mut Context<'_>,
    ) -> LineOutcome {
        let text = text.trim_ascii();
        if is_end_of_trace(text) || is_bar(text) {
            context.complete(current);
            return LineOutcome::Finished;
        }
        if parse_headline(text).is_some() {
            context.complete(current);
            return LineOutcome::EndedBefore;
        }
        let Some(finding) = &mut current.finding else {
            return LineOutcome::EndedBefore;
        };
        if let Some(site) = instruction(text) {
            // After the end of the trace the registers are printed once more.
            if finding.stacks.is_empty() {
                context.push_site(finding, FrameSyntax::Kernel, site);
            }
        } else if stack_role(text, false).is_some() {
            if finding.stacks.is_empty() {
                finding.expect_stack(Role::Access, b"");
            }
        } else if push_frame(text, finding, context) || is_dump(text) || is_register(text) {
            finding.last_line = context.line;
        } else {
            return LineOutcome::Unrelated;
        }
        LineOutcome::Consumed
    }

    fn finish(&mut self, current: &mut CurrentReport, context: &mut Context<'_>) {
        context.complete(current);
    }
}

/// Parses the address of the instruction, the top of the stack: `RIP: 0010:f+0x7c/0x390`, or on
/// arm64 `pc : f+0x7c/0x390`.
fn instruction(text: &[u8]) -> Option<&[u8]> {
    let site = match text.strip_prefix(b"RIP: ") {
        Some(rest) => rest
            .iter()
            .position(|b| *b == b':')
            .map_or(rest, |at| &rest[at + 1..]),
        None => trim_start(text.strip_prefix(b"pc : ")?),
    };
    before(site, b"+0x").map(|_| site)
}

/// Returns true for a line of registers: `RSP: 0018:ffffc90000 EFLAGS: 00010202`.
fn is_register(text: &[u8]) -> bool {
    let word = text.split(|b| *b == b' ').next().unwrap_or_default();
    let is_name = |name: &[u8]| {
        (2..=6).contains(&name.len())
            && name
                .iter()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    };
    word.strip_suffix(b":").is_some_and(is_name)
}

/// Skips the rest of a report whose beginning is missing.
#[derive(Clone, Debug)]
struct Rest;

impl ReportReader for Rest {
    fn read_line(
        &mut self,
        text: &[u8],
        _: &mut CurrentReport,
        _: &mut Context<'_>,
    ) -> LineOutcome {
        let text = text.trim_ascii();
        if is_bar(text) || is_end_of_trace(text) {
            return LineOutcome::Finished;
        }
        let is_part = text.is_empty()
            || is_note(text)
            || is_dump(text)
            || stack_role(text, false).is_some()
            || parse_frame(text).is_some();
        if is_part && parse_headline(text).is_none() {
            LineOutcome::Consumed
        } else {
            LineOutcome::EndedBefore
        }
    }

    fn finish(&mut self, _: &mut CurrentReport, _: &mut Context<'_>) {}
}
