//! Miri: undefined behavior with the locations that explain it, leaks one by one, and deadlocks, in
//! the format of compiler errors.
//!
//! Source: rust-lang/miri `src/diagnostics.rs`. The backtrace of an error follows the locations
//! that explain it. Since 2025 its frames are `N: FUNCTION` with `at PLACE` on the next line;
//! before that they were ``= note: inside `FUNCTION` at PLACE``.

mod headline;

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

#[cfg(test)]
pub(in crate::parse) use self::headline::KINDS;
use self::headline::{Headline, Leaked, parse_headline};
use super::{Context, CurrentReport, LineOutcome, ReportReader, Start};
use crate::bytes::{after, before, find, lossy, number, trim_start};
use crate::model::{Leak, Role, Tool};
use crate::parse::collect::{FrameSyntax, shared_text};
use crate::parse::finding_builder::FindingBuilder;
use crate::parse::frame::SplitFrame;
use crate::problem::Code;

/// The beginnings of headlines.
pub(super) const HEADS: &[&str] = &[
    "error: Undefined Behavior: ",
    "error: memory leaked: ",
    "error: the evaluated program ",
    "error: abnormal termination: ",
    "error: deadlock: ",
    "error: unsupported operation: ",
    "error: resource exhaustion: ",
    "error: post-monomorphization error: ",
];

pub(super) fn start(text: &[u8], context: &mut Context<'_>) -> Start {
    let Some(headline) = parse_headline(text) else {
        return Start::No;
    };
    let report = context.incomplete_report(&Tool::Miri, None);
    let mut output = Output {
        parsed: 0,
        error: None,
    };
    output.start_error(headline, context);
    Start::report(CurrentReport::new(report), output)
}

/// Reads the output of one run of Miri, up to the error count at its end.
#[derive(Clone, Debug)]
struct Output {
    /// Number of errors so far.
    parsed: u64,
    /// The error that is being read.
    error: Option<Error>,
}

/// One error.
#[derive(Clone, Debug)]
struct Error {
    finding: FindingBuilder,
    /// The role of the error's own stack.
    role: Role,
    /// The location of an error without a backtrace.
    location: Option<Box<[u8]>>,
    /// The role of the next location, and the text that introduced it; `None` for locations that
    /// aren't part of the finding.
    next: Option<(Role, Box<[u8]>)>,
    /// The function of a frame whose location is on the next line.
    function: Option<Box<[u8]>>,
    /// The error's own frames. This is at most one frame more than a stack keeps, so that the
    /// collector reports the loss.
    frames: Vec<Box<[u8]>>,
    /// Number of the error's frames, including those that aren't kept.
    depth: usize,
}

impl ReportReader for Output {
    fn read_line(
        &mut self,
        text: &[u8],
        current: &mut CurrentReport,
        context: &mut Context<'_>,
    ) -> LineOutcome {
        let trimmed = text.trim_ascii();
        if let Some(count) = trimmed.strip_prefix(b"error: aborting due to ") {
            self.reconcile(count, current, context);
            return LineOutcome::Finished;
        }
        if let Some(headline) = parse_headline(text) {
            self.flush(current, context);
            self.start_error(headline, context);
            return LineOutcome::Consumed;
        }
        if text.starts_with(b"--> ")
            && let Some(report) = current.index
        {
            context.report_mut(report).lost_indentation = true;
        }
        let is_part = match &mut self.error {
            Some(error) => error.read_line(trimmed, context),
            None => is_source(trimmed),
        };
        if is_part {
            LineOutcome::Consumed
        } else {
            LineOutcome::Unrelated
        }
    }

    fn finish(&mut self, current: &mut CurrentReport, context: &mut Context<'_>) {
        self.flush(current, context);
        context.mark_truncated(current, "the Miri output has no error count at the end");
    }
}

impl Output {
    /// Starts the error of a headline.
    fn start_error(&mut self, headline: Headline<'_>, context: &mut Context<'_>) {
        self.parsed += 1;
        match headline {
            Headline::Error {
                kind,
                title,
                leaked,
            } => {
                let is_leak = leaked.is_some();
                let mut finding = context.new_finding(Tool::Miri, kind, &title);
                if leaked == Some(Leaked::Unreadable) {
                    context.problem(
                        Code::UnreadableLine,
                        &format!("cannot parse the size of a leak: `{title}`"),
                    );
                }
                finding.leak = leaked.map(|leaked| match leaked {
                    Leaked::Bytes(bytes) => Leak::direct(bytes, 1),
                    Leaked::Unreadable => Leak::direct(0, 1),
                });
                let role = if is_leak {
                    Role::Allocation
                } else {
                    Role::Access
                };
                let next = Some((role, Box::default()));
                self.error = Some(Error {
                    finding,
                    role,
                    location: None,
                    next,
                    function: None,
                    frames: Vec::new(),
                    depth: 0,
                });
            }
            Headline::Truncated(text) => {
                context.unreadable(&Tool::Miri, text);
                self.error = None;
            }
            Headline::Stopped(reason) => {
                context.problem(
                    Code::CheckerFailed,
                    &format!("Miri stopped: `{}`", shared_text(reason)),
                );
                self.error = None;
            }
        }
    }

    /// Adds the open error, if any, to the report.
    fn flush(&mut self, current: &mut CurrentReport, context: &mut Context<'_>) {
        if let Some(error) = self.error.take() {
            current.finding = Some(error.into_finding(context));
            context.flush(current);
        }
    }

    /// Completes the report, and compares Miri's error count with the parsed errors. `count` is
    /// `1 previous error` or `10 previous errors; 2 warnings emitted`.
    fn reconcile(&mut self, count: &[u8], current: &mut CurrentReport, context: &mut Context<'_>) {
        self.flush(current, context);
        context.complete(current);
        let reported = number(count).map_or(1, |(reported, _)| reported);
        let parsed = self.parsed;
        if reported > parsed {
            let message =
                format!("Miri counted {reported} errors, but only {parsed} of them were found");
            context.problem(Code::Unreconciled, &message);
        }
    }
}

impl Error {
    /// Reads a line. Returns false if it isn't part of the error.
    fn read_line(&mut self, text: &[u8], context: &mut Context<'_>) -> bool {
        if let Some(function) = self.function.take() {
            let location = text.strip_prefix(b"at ").map_or(String::new(), |location| {
                format!(" at {}", lossy(start_of_range(location)))
            });
            self.push_frame(format!("{}{location}", lossy(&function)), context);
            if !location.is_empty() {
                self.finding.last_line = context.line;
                return true;
            }
        }
        let is_part = self.read_location(text, context)
            || self.read_frame(text, context)
            || self.read_note(text)
            || is_source(text);
        if is_part {
            self.finding.last_line = context.line;
        }
        is_part
    }

    /// Reads `--> PATH:LINE:COLUMN`: the location of the error, or one that explains it.
    fn read_location(&mut self, text: &[u8], context: &mut Context<'_>) -> bool {
        let Some(location) = text.strip_prefix(b"--> ") else {
            return text.starts_with(b"::: ");
        };
        match self.next.take() {
            Some((_, label)) if self.location.is_none() && label.is_empty() => {
                self.location = Some(start_of_range(location).into());
            }
            Some((role, label)) => {
                self.finding.expect_stack(role, &label);
                context.push_frame(
                    &mut self.finding,
                    FrameSyntax::Location,
                    first_frame(location),
                );
            }
            None => {}
        }
        true
    }

    /// Reads a frame of the backtrace in either form.
    fn read_frame(&mut self, text: &[u8], context: &Context<'_>) -> bool {
        if let Some((index, function)) = parse_numbered(text) {
            let is_next = usize::try_from(index).is_ok_and(|index| index == self.depth);
            if is_next {
                self.function = Some(function.into());
            }
            return is_next;
        }
        if let Some(inside) = after(text, b"inside `")
            .filter(|_| text.starts_with(b"= note: ") || text.starts_with(b"note: "))
        {
            let frame = before(inside, b"` at ").zip(after(inside, b"` at "));
            if let Some((function, location)) = frame {
                let location = start_of_range(location);
                self.push_frame(
                    format!("{} at {}", lossy(function), lossy(location)),
                    context,
                );
            }
            self.next = None;
            return true;
        }
        false
    }

    /// Reads an explanation, or a line that introduces a location.
    fn read_note(&mut self, text: &[u8]) -> bool {
        if let Some(note) = text.strip_prefix(b"= ") {
            let is_heading =
                note.starts_with(b"note: stack backtrace") || note.starts_with(b"note: BACKTRACE");
            if !is_heading
                && !note.starts_with(b"help: see https://")
                && !note.starts_with(b"help: this indicates a")
            {
                self.finding.add_note(note);
            }
            return true;
        }
        let label = text
            .strip_prefix(b"help: ")
            .or_else(|| text.strip_prefix(b"note: "));
        let Some(label) = label else { return false };
        self.next = text
            .starts_with(b"help: ")
            .then(|| (headline::role(label), label.into()));
        if !label.starts_with(b"some details are omitted")
            && !label.starts_with(b"set `MIRIFLAGS")
            && self.next.is_none()
        {
            self.finding.add_note(label);
        }
        true
    }

    /// Adds a frame to the error's own stack.
    fn push_frame(&mut self, site: String, context: &Context<'_>) {
        self.depth += 1;
        if self.frames.len() <= context.out.options.max_frames {
            self.frames.push(site.into_bytes().into());
        }
    }

    /// Returns the finding, with the error's own stack first.
    fn into_finding(mut self, context: &mut Context<'_>) -> FindingBuilder {
        if let Some(function) = self.function.take() {
            self.push_frame(lossy(&function).into_owned(), context);
        }
        let mut others = core::mem::take(&mut self.finding.stacks);
        self.finding.expect_stack(self.role, b"");
        let last_line = self.finding.last_line;
        for site in &self.frames {
            context.push_site(&mut self.finding, FrameSyntax::AtLocation, site);
        }
        if let Some(location) = self.location.as_ref().filter(|_| self.frames.is_empty()) {
            context.push_frame(
                &mut self.finding,
                FrameSyntax::Location,
                first_frame(location),
            );
        }
        self.finding.stacks.append(&mut others);
        self.finding.last_line = last_line;
        self.finding
    }
}

/// Returns the first frame of a stack, of which only the location is known.
fn first_frame(location: &[u8]) -> SplitFrame<'_> {
    SplitFrame {
        index: Some(0),
        address: None,
        text: location,
    }
}

/// Parses `0: rustleak::uaf` into index and function.
fn parse_numbered(text: &[u8]) -> Option<(u64, &[u8])> {
    let (index, rest) = number(text)?;
    let function = rest.strip_prefix(b": ")?;
    (!function.is_empty()).then_some((index, function))
}

/// Returns the start of a range such as `PATH:438:49: 442:15`. The tests of the compiler replace
/// the numbers by `LL:CC`.
fn start_of_range(location: &[u8]) -> &[u8] {
    let location = before(location, b":LL:CC").unwrap_or(location);
    match find(location, b": ") {
        Some(at) if location[at + 2..].first().is_some_and(u8::is_ascii_digit) => &location[..at],
        _ => location,
    }
}

/// Returns true for a source line with its number, or for the markers below it.
fn is_source(text: &[u8]) -> bool {
    let rest = number(text).map_or(text, |(_, rest)| rest);
    let rest = trim_start(rest.strip_prefix(b"LL").unwrap_or(rest));
    text.is_empty() || rest.starts_with(b"|") || text == b"..."
}
