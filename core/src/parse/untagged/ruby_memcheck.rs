//! `ruby_memcheck`, which reads memcheck's XML and prints each error in its own form: the headline,
//! and a line for each frame. Frames in the extension under test begin with ` *`.
//!
//! Source: `lib/ruby_memcheck/valgrind_error.rb` and `frame.rb` of
//! <https://github.com/Shopify/ruby_memcheck>. A log of memcheck that lost its tags is read in the
//! same way.

use alloc::format;
use alloc::vec::Vec;

use super::{Context, CurrentReport, LineOutcome, ReportReader, Start};
use crate::bytes::{contains, find};
use crate::model::{Role, Tool};
use crate::parse::collect::{FrameSyntax, shared_text};
use crate::parse::{frame, memcheck};
use crate::problem::Code;

/// The message with which `ruby_memcheck` fails, after all errors.
const FAILED: &[u8] = b"Valgrind reported errors (e.g. memory leak or use-after-free)";

pub(super) fn start(text: &[u8], context: &mut Context<'_>) -> Start {
    let text = text.trim_ascii_end();
    if text.ends_with(FAILED) {
        if !context.reports.contains_key(&(Tool::Memcheck, None)) {
            let message = "ruby_memcheck reported errors, but they are missing from the log";
            context.problem(Code::Truncated, message);
        }
        return Start::Line;
    }
    let finding = if memcheck::is_whole_loss_record(text)
        && let Some((kind, leak)) = memcheck::loss_record(text)
    {
        let title = shared_text(text);
        let title = memcheck::without_record_number(&title);
        let mut finding = context.new_finding(Tool::Memcheck, kind, title);
        finding.leak = Some(leak);
        finding.expect_stack(Role::Allocation, b"");
        finding
    } else if is_headline(text) {
        let title = shared_text(text);
        let Some(kind) = memcheck::headline_kind(&title) else {
            return Start::No;
        };
        context.new_finding(Tool::Memcheck, kind, &title)
    } else {
        return Start::No;
    };
    Start::report(CurrentReport::default().with_finding(finding), Record)
}

/// Returns true for the complete headline of a frequent error.
fn is_headline(text: &[u8]) -> bool {
    let has_size = |start: &[u8]| {
        let size = text.strip_prefix(start);
        size.is_some_and(|s| !s.is_empty() && s.iter().all(u8::is_ascii_digit))
    };
    has_size(b"Invalid read of size ")
        || has_size(b"Invalid write of size ")
        || has_size(b"Use of uninitialised value of size ")
        || text == b"Conditional jump or move depends on uninitialised value(s)"
        || text == b"Invalid free() / delete / delete[] / realloc()"
        || (text.starts_with(b"Syscall param ") && text.ends_with(b"uninitialised byte(s)"))
}

/// Reads the frames of an error.
#[derive(Clone, Debug)]
struct Record;

impl ReportReader for Record {
    fn read_line(
        &mut self,
        text: &[u8],
        current: &mut CurrentReport,
        context: &mut Context<'_>,
    ) -> LineOutcome {
        let Some(finding) = &mut current.finding else {
            return LineOutcome::EndedBefore;
        };
        if let Some((is_first, head)) = frame::split_valgrind(text) {
            if is_first && !finding.stack_is_closed() {
                finding.expect_stack(Role::Other, b"");
            }
            context.push_frame(finding, FrameSyntax::Valgrind, head);
        } else if let Some(site) = parse_frame(text) {
            context.push_site(finding, FrameSyntax::Valgrind, &site);
        } else if !finding.stacks.is_empty() && memcheck::is_detail(text.trim_ascii_start()) {
            let role = memcheck::stack_role(text).unwrap_or(Role::Other);
            finding.expect_stack(role, text);
            finding.add_note(text);
        } else {
            self.finish(current, context);
            return LineOutcome::EndedBefore;
        }
        if current.index.is_none() {
            current.index = Some(context.report(&Tool::Memcheck, None));
        }
        LineOutcome::Consumed
    }

    fn finish(&mut self, current: &mut CurrentReport, context: &mut Context<'_>) {
        if current.index.is_some() {
            return context.complete(current);
        }
        // The headline of an error alone may be part of any text.
        if let Some(finding) = current.finding.take().filter(|f| f.leak.is_some()) {
            let message = format!(
                "a record of memcheck without tag and stack: `{}`",
                finding.title
            );
            context.problem(Code::UnknownReport, &message);
        }
    }
}

/// Converts `  FUNCTION (at MODULE)` and ` *FUNCTION (FILE:LINE)` to the form of valgrind's text.
fn parse_frame(text: &[u8]) -> Option<Vec<u8>> {
    let site = text
        .strip_prefix(b"  ")
        .or_else(|| text.strip_prefix(b" *"))?
        .trim_ascii_end();
    if site == b"<unknown stack frame>" {
        return Some(b"???".to_vec());
    }
    let is_frame = site.ends_with(b")") && contains(site, b" (") && !site.starts_with(b" ");
    let module = find(site, b" (at /").filter(|_| is_frame);
    match module {
        Some(at) => Some([&site[..at], b" (in ", &site[at + b" (at ".len()..]].concat()),
        None => is_frame.then(|| site.to_vec()),
    }
}
