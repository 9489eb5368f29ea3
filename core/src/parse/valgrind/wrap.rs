//! Lines that were broken on the way: a terminal wraps them at its width, a tracker or mail program
//! between two words. The rest of such a line has no tag.
//!
//! A line that looks incomplete is kept until the next one arrives. They are joined only if that
//! completes the line; otherwise, both are read as they are, because the program's own output may
//! follow any line.

use alloc::vec::Vec;

use super::run::{is_chatter, is_core_message, is_run_level};
use super::{ValgrindProcess, helgrind, memcheck, summary};
use crate::bytes::{contains, trim_start};
use crate::line::Line;
use crate::model::Text;
use crate::parse::collect::shared_text;
use crate::parse::frame;
use crate::parse::tag::Tag;

/// Maximum number of parts of a line.
const MAX_PARTS: usize = 32;

/// A line that may go on in the next one.
#[derive(Clone, Debug)]
pub(crate) struct CutLine {
    pid: u64,
    /// The text after the tag.
    rest: Vec<u8>,
    /// The line as it is in the log, for the digest of the report.
    raw: Vec<u8>,
    number: u64,
    /// Length of the first part of `rest`.
    first: usize,
    /// Length of the first line, with its tag and all prefixes.
    width: usize,
    /// The parts after the first one, with the numbers of their lines.
    parts: Vec<(Vec<u8>, u64)>,
}

/// The relation of a line to the one before, which may go on.
pub(crate) enum NextPart {
    /// The line completes the one before.
    Whole(CutLine),
    /// The line continues the one before, which isn't complete yet.
    Continues(CutLine),
    /// The line is another one.
    Other(CutLine),
}

impl CutLine {
    /// Returns true for a complete frame, without looking at the rest of its syntax. Most lines are
    /// such frames.
    pub(crate) fn is_plain_frame(tag: &Tag<'_>) -> bool {
        let text = trim_start(tag.rest);
        let is_frame = matches!(text, [b'a', b't', b' ', ..] | [b'b', b'y', b' ', ..]);
        is_frame && tag.mark == b'=' && has_location(text.trim_ascii_end())
    }

    /// Returns the line if it may go on in the next one.
    pub(crate) fn new(tag: &Tag<'_>, line: &Line<'_>) -> Option<Self> {
        (!line.continues && may_go_on(tag.rest)).then(|| Self {
            pid: tag.pid,
            rest: tag.rest.to_vec(),
            raw: line.bytes.to_vec(),
            number: line.number,
            first: tag.rest.len(),
            width: line.bytes.len(),
            parts: Vec::new(),
        })
    }

    /// Joins the line with the next one, whose text has no tag.
    ///
    /// `longest` is the length of the longest line so far. A terminal breaks all lines at the same
    /// width.
    pub(crate) fn join(mut self, text: &[u8], line: &Line<'_>, longest: usize) -> NextPart {
        let raw = line.bytes;
        if text.trim_ascii().is_empty() || raw.len() > self.width.max(MIN_WIDTH) + MAX_WORD {
            return NextPart::Other(self);
        }
        let glued = [&self.rest, text].concat();
        let spaced = [&self.rest, &b" "[..], text].concat();
        let [first, second] = match self.lost_space(text, longest) {
            true => [spaced, glued],
            false => [glued, spaced],
        };
        for joined in [&first, &second] {
            if completes(&self.rest, joined) {
                self.rest.clone_from(joined);
                self.raw.extend_from_slice(raw);
                return NextPart::Whole(self);
            }
        }
        // All parts but the last one fill the width of a terminal.
        let was_open = !self.parts.is_empty() || is_open(&self.rest);
        let fills = raw.len() == self.width && is_frame(&self.rest);
        let going_on = [first, second]
            .into_iter()
            .find(|joined| fills || goes_on(joined, was_open));
        if let Some(joined) = going_on.filter(|_| self.parts.len() < MAX_PARTS) {
            self.rest = joined;
            self.raw.extend_from_slice(raw);
            self.parts.push((text.to_vec(), line.number));
            return NextPart::Continues(self);
        }
        NextPart::Other(self)
    }

    /// Returns true if a space was lost where the line was broken. A terminal breaks lines at a
    /// round number of columns, everything else between two words.
    fn lost_space(&self, next: &[u8], longest: usize) -> bool {
        if self.rest.ends_with(b" ") || next.starts_with(b" ") {
            return false;
        }
        let is_location = next.starts_with(b"(") && has_location(next) && !contains(next, b") (");
        let digits = self.pid.checked_ilog10().unwrap_or(0) as usize + 1;
        let columns = self.rest.len() + digits + b"====".len();
        let fills_terminal = is_round_width(columns) || is_round_width(self.width);
        // valgrind's demangler writes a space after each comma, and between two angle brackets.
        let is_in_name =
            self.rest.ends_with(b",") || (self.rest.ends_with(b">") && next.starts_with(b">"));
        is_location || is_in_name || !fills_terminal || longest > self.width
    }

    /// Returns the tag of the line, with a text after it.
    pub(crate) fn tag<'a>(&self, rest: &'a [u8]) -> Tag<'a> {
        Tag {
            mark: b'=',
            pid: self.pid,
            at: 0,
            rest,
        }
    }

    /// Returns the line as it is in the log, with the number of its first part.
    pub(crate) fn line(&self) -> Line<'_> {
        Line {
            bytes: &self.raw,
            number: self.number,
            continues: false,
        }
    }

    /// Returns the text after the tag.
    pub(crate) fn text(&self) -> &[u8] {
        &self.rest
    }

    /// Returns the text after the tag, without the parts that were added.
    pub(crate) fn first_part(&self) -> &[u8] {
        &self.rest[..self.first]
    }

    /// Returns the parts after the first one.
    pub(crate) fn parts(&self) -> impl Iterator<Item = Line<'_>> {
        self.parts.iter().map(|(bytes, number)| Line {
            bytes,
            number: *number,
            continues: false,
        })
    }
}

/// Returns true for a usual width of a terminal.
pub(crate) fn is_round_width(width: usize) -> bool {
    width >= 60 && (width.is_multiple_of(10) || matches!(width, 72 | 132))
}

/// The smallest usual width of a page.
const MIN_WIDTH: usize = 72;

/// By how much lines that are broken between words may differ in length.
const MAX_WORD: usize = 40;

/// Returns the text after the space that follows a tag.
fn body(rest: &[u8]) -> &[u8] {
    match rest {
        [b' ' | b'\t', text @ ..] => text,
        _ => rest,
    }
}

/// Returns true if a line with a tag may be incomplete. Most lines are frames, which end with their
/// location.
fn may_go_on(rest: &[u8]) -> bool {
    let text = trim_start(rest);
    match text {
        [] => false,
        [b'a', b't', b' ', ..] | [b'b', b'y', b' ', ..] => {
            frame::split_valgrind(text).is_some_and(|(_, head)| !is_whole_site(head.text))
        }
        _ => is_incomplete(body(rest)),
    }
}

/// Returns true if the text is a frame.
fn is_frame(rest: &[u8]) -> bool {
    frame::split_valgrind(rest).is_some()
}

/// Returns true if the text of a frame ends with a location, or can't have one.
fn is_whole_site(site: &[u8]) -> bool {
    let site = site.trim_ascii_end();
    site.ends_with(b": ???") || site.ends_with(b"(below main)") || has_location(site)
}

/// Returns true if the text of a frame ends with `(FILE:LINE)` or `(in MODULE)`.
pub(crate) fn has_location(site: &[u8]) -> bool {
    let Some(body) = site.strip_suffix(b")") else {
        return false;
    };
    let digits = body.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    if digits > 0 && body.len() > digits && body[body.len() - digits - 1] == b':' {
        return true;
    }
    let inside = memchr::memrchr(b'(', body).map(|open| &body[open + 1..]);
    // A path may contain parentheses.
    inside.is_some_and(|inside| inside.starts_with(b"in ")) || contains(site, b" (in ")
}

/// Returns true if a line that isn't a frame may be incomplete.
fn is_incomplete(text: &[u8]) -> bool {
    let text = text.trim_ascii_end();
    let trimmed = trim_start(text);
    if trimmed.first().is_some_and(u8::is_ascii_digit) {
        return (contains(trimmed, b" byte") || contains(trimmed, b" ("))
            && !trimmed.ends_with(b":")
            && !memcheck::is_whole_loss_record(trimmed)
            && !trimmed.ends_with(b" bytes below stack pointer");
    }
    if trimmed.starts_with(b"ERROR SUMMARY:") {
        return !trimmed.ends_with(b")");
    }
    if summary::is_row(trimmed) {
        return !summary::is_whole_row(trimmed);
    }
    if memcheck::is_detail(trimmed) {
        return trimmed.starts_with(b"Address 0x") && memcheck::stack_role(trimmed).is_none();
    }
    if trimmed.len() < text.len() {
        return false;
    }
    let headline = shared_text(text);
    match is_known(text, &headline) {
        false => true,
        true => !is_whole_headline(text),
    }
}

/// Returns true for headlines and messages of valgrind.
fn is_known(text: &[u8], headline: &Text) -> bool {
    ValgrindProcess::can_begin_with(text)
        || is_run_level(headline)
        || is_core_message(headline)
        || is_chatter(headline)
        || headline.starts_with("Locks held:")
        || helgrind::stack_role(text).is_some()
}

/// Returns true if a known headline ends where valgrind ends it. Of most headlines, nothing but the
/// start matters.
fn is_whole_headline(text: &[u8]) -> bool {
    const ENDS_IN_NUMBER: &[&[u8]] = &[
        b"Invalid read",
        b"Invalid write",
        b"Use of uninitialised value",
        b"Possible data race",
        b"Conflicting ",
    ];
    const ENDS_IN_BRACKET: &[&[u8]] = &[b"Conditional jump", b"Syscall param "];
    let begins = |starts: &[&[u8]]| starts.iter().any(|start| text.starts_with(start));
    (!begins(ENDS_IN_NUMBER)
        || text.ends_with(b"()")
        || text.last().is_some_and(u8::is_ascii_digit))
        && (!begins(ENDS_IN_BRACKET) || text.ends_with(b")"))
}

/// Returns true if a bracket of a frame is open, or a comma is its end.
fn is_open(frame: &[u8]) -> bool {
    let count = |byte: u8| memchr::memchr_iter(byte, frame).count();
    count(b'(') > count(b')') || frame.ends_with(b",")
}

/// Returns true if a joined line certainly goes on: a bracket is open, or it is a loss record
/// without its number. `was_open` is true if a bracket was open before.
fn goes_on(joined: &[u8], was_open: bool) -> bool {
    if is_frame(joined) {
        // After the arguments, the location is still missing.
        return is_open(joined) || (was_open && joined.ends_with(b")"));
    }
    let text = trim_start(joined);
    memcheck::loss_record(text).is_some() && !memcheck::is_whole_loss_record(text)
}

/// Returns true if the joined line is complete. `first` is the part before.
fn completes(first: &[u8], joined: &[u8]) -> bool {
    if is_frame(first) {
        let site = frame::split_valgrind(joined);
        return site.is_some_and(|(_, head)| is_whole_site(head.text));
    }
    let text = body(joined).trim_ascii_end();
    let trimmed = trim_start(text);
    if trimmed.first().is_some_and(u8::is_ascii_digit) {
        return memcheck::is_whole_loss_record(trimmed) && memcheck::loss_record(trimmed).is_some();
    }
    if let Some(errors) = trimmed.strip_prefix(b"ERROR SUMMARY: ") {
        return errors.ends_with(b")") && summary::parse_errors(errors).is_some();
    }
    if summary::is_row(trimmed) {
        return summary::is_whole_row(trimmed);
    }
    if trimmed.starts_with(b"Address 0x") {
        return memcheck::stack_role(trimmed).is_some();
    }
    let headline = shared_text(text);
    is_known(text, &headline) && is_whole_headline(text)
}
