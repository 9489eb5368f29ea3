//! Reduces a line to the text that a checker wrote, and passes it to the stream of its source.
//!
//! A line is unwrapped from the outside to the inside: escape sequences, prefixes of CI systems,
//! carriers such as JSON, unknown prefixes. After a headline behind unknown text, the next lines
//! wait until they show whether that text is a prefix.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::numbering::Numbering;
use super::pending::{OwnedLine, Pending};
use super::spacing::Spacing;
use super::streams::Streams;
use crate::carrier::{self, Carriers};
use crate::line::Line;
use crate::parse::collect::Collector;
use crate::parse::detect::Markers;
use crate::parse::heads;
use crate::parse::learned_prefix::LearnedPrefix;
use crate::parse::xml::Rows;
use crate::{plain, prefix};

/// Maximum number of carriers within each other.
const MAX_DEPTH: usize = 4;

/// Maximum number of learned prefixes.
const MAX_LEARNED: usize = 32;

/// The sources of an input, and what is known of the form of its lines.
#[derive(Clone, Debug, Default)]
pub(super) struct Router {
    streams: Streams,
    carriers: Carriers,
    learned: Vec<LearnedPrefix>,
    pending: Option<Pending>,
    spacing: Spacing,
    numbering: Numbering,
    scratch: Vec<u8>,
}

/// What is needed to read a line, and where the result goes.
pub(super) struct Target<'a> {
    pub(super) markers: &'a Markers,
    pub(super) out: &'a mut Collector,
}

/// Returns true for a line that can't contain a headline after other text. Most lines of a report
/// are of this kind.
fn begins_usually(text: &[u8]) -> bool {
    let trimmed = text.trim_ascii_start();
    match trimmed {
        [] | [b'#', b'0'..=b'9' | b' ', ..] => true,
        [b'=', b'=', next, ..] => next.is_ascii_digit(),
        [b'D', ..] => trimmed.starts_with(b"Direct leak of "),
        [b'I', ..] => trimmed.starts_with(b"Indirect leak of "),
        _ => false,
    }
}

/// Splits a line at carriage returns and NEL, which some programs write instead of line feeds.
fn split_returns(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(bytes);
    let is_return = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let after_last = bytes.iter().rev().skip_while(|b| is_return(b)).count();
    let returns_at_end = bytes.len() - after_last;
    core::iter::from_fn(move || {
        let text = rest?;
        let is_nel = |at: usize| at > 0 && text[at - 1] == 0xC2;
        let end = memchr::memchr2_iter(b'\r', 0x85, text)
            .find(|at| text[*at] == b'\r' || is_nel(*at))
            .filter(|at| *at + returns_at_end < text.len());
        let Some(end) = end else {
            rest = None;
            return Some(text);
        };
        rest = Some(&text[end + 1..]);
        let piece = &text[..end];
        Some(piece.strip_suffix(b"\xC2").unwrap_or(piece))
    })
}

/// Strips carriage returns at the end of a line.
fn without_line_end(bytes: &[u8]) -> &[u8] {
    let returns = bytes
        .iter()
        .rev()
        .take_while(|byte| **byte == b'\r')
        .count();
    &bytes[..bytes.len() - returns]
}

/// Returns true for a line with nothing but escape sequences and carriage returns.
fn is_blank(bytes: &[u8]) -> bool {
    let mut scratch = Vec::new();
    let text = plain::plain(bytes, &mut scratch);
    text.trim_ascii().is_empty()
}

impl Router {
    /// Returns true if lines without a marker are relevant.
    pub(super) fn is_open(&self) -> bool {
        self.streams.is_any_open() || self.pending.is_some() || self.numbering.holds_line()
    }

    /// Passes on complete lines that can only be parts of an open XML document, or that are plain
    /// frames.
    pub(super) fn rows(&mut self, text: &[u8], number: u64, out: &mut Collector) -> Rows {
        if self.pending.is_some() || self.numbering.holds_line() {
            return Rows::default();
        }
        let rows = self.streams.rows(text, number, out);
        if rows.lines > 0 || !self.learned.is_empty() {
            return rows;
        }
        let rows = self.streams.plain_frames(text, number, out);
        self.spacing.add_text(number, rows.lines);
        rows
    }

    /// Reads a line.
    pub(super) fn read(&mut self, line: &Line<'_>, target: &mut Target<'_>) {
        let is_padding = line.bytes.first() == Some(&0) && line.bytes.iter().all(|b| *b == 0);
        if is_padding || self.spacing.is_extra(line) {
            return;
        }
        let mut scratch = core::mem::take(&mut self.scratch);
        for (at, piece) in split_returns(line.bytes).enumerate() {
            let text = plain::plain(piece, &mut scratch);
            let is_part = || piece.len() < without_line_end(line.bytes).len();
            if at == 0 && text.trim_ascii().is_empty() && is_part() && !is_blank(line.bytes) {
                // The line begins with a carriage return.
                continue;
            }
            if at > 0 && text.trim_ascii().is_empty() && !piece.is_empty() {
                // Only the end of a color or blanks follow the carriage return.
                continue;
            }
            let line = line.part(piece);
            match self.numbering.hold(text, &line) {
                None => {
                    let text = self.numbering.strip(text);
                    self.unwrap(&[], text, &line, target, 0);
                }
                Some(held) => self.read_held(held, target),
            }
        }
        self.scratch = scratch;
    }

    /// Looks at a line with a word of a test harness that isn't read. `words` are these words.
    pub(super) fn observe(&mut self, line: &Line<'_>, words: &Markers, out: &mut Collector) {
        let mut scratch = core::mem::take(&mut self.scratch);
        for piece in split_returns(line.bytes) {
            let text = self.numbering.strip(plain::plain(piece, &mut scratch));
            let stripped = prefix::strip(text);
            let key = join([stripped.keys[0], stripped.keys[1], &[]]);
            let is_marked = |text: &[u8]| words.contains_any(text);
            match self.carriers.unwrap_fields(stripped.rest, &is_marked) {
                Some(inner) => {
                    let key = join([&key, &inner.source, &[]]);
                    for text in inner.text.split(|b| *b == b'\n') {
                        out.tests.line(&key, text, line.number);
                    }
                }
                None => self.observe_text(&key, stripped.rest, line.number, out),
            }
        }
        self.scratch = scratch;
    }

    /// Looks at a text without known prefixes.
    fn observe_text(&self, key: &[u8], text: &[u8], line: u64, out: &mut Collector) {
        let learned = self
            .learned
            .iter()
            .find_map(|prefix| Some((prefix, prefix.strip(text)?)));
        match learned {
            Some((prefix, rest)) => {
                out.tests.line(&[key, prefix.key()].concat(), rest, line);
            }
            None => out.tests.line(key, text, line),
        }
    }

    /// Reads lines that waited until it was clear whether they are numbered.
    fn read_held(&mut self, held: Vec<OwnedLine>, target: &mut Target<'_>) {
        for held in held {
            let text = self.numbering.strip(&held.text);
            self.unwrap(&[], text, &held.line(), target, 0);
        }
    }

    /// Strips the known prefixes of a text, and reads what it carries. `outer` is the key of the
    /// carrier's source.
    fn unwrap(
        &mut self,
        outer: &[u8],
        text: &[u8],
        line: &Line<'_>,
        target: &mut Target<'_>,
        depth: usize,
    ) {
        let stripped = prefix::strip(text);
        let key = join([outer, stripped.keys[0], stripped.keys[1]]);
        let text = stripped.rest;
        if depth < MAX_DEPTH {
            let markers = target.markers;
            let is_marked = |text: &[u8]| markers.contains_any(text);
            if !begins_usually(text)
                && let Some(inner) = self.carriers.unwrap_fields(text, &is_marked)
            {
                let key = join([&key, &inner.source, &[]]);
                return self.unwrap_all(&key, &inner.text, line, target, depth);
            }
            if !self.streams.reads_xml(&key)
                && let Some(inner) = carrier::unescape(text, &is_marked)
            {
                return self.unwrap_all(&key, &inner, line, target, depth);
            }
        }
        self.enqueue(&key, text, line, target);
    }

    /// Reads the lines that a line carries.
    fn unwrap_all(
        &mut self,
        key: &[u8],
        text: &[u8],
        line: &Line<'_>,
        target: &mut Target<'_>,
        depth: usize,
    ) {
        let mut scratch = Vec::new();
        for inner in text.split(|b| *b == b'\n') {
            for inner in split_returns(inner) {
                let is_whole = inner.len() == text.len();
                let part = if is_whole { *line } else { line.part(inner) };
                let inner = plain::plain(inner, &mut scratch);
                self.unwrap(key, inner, &part, target, depth + 1);
            }
        }
    }

    /// Reads a text, or makes it wait until it is clear whether the text before a headline is a
    /// prefix.
    fn enqueue(&mut self, key: &[u8], text: &[u8], line: &Line<'_>, target: &mut Target<'_>) {
        if let Some(pending) = &mut self.pending {
            pending.push(OwnedLine::new(key, text, line));
            if pending.is_decided() {
                self.decide(target);
            }
            return;
        }
        let learned = self
            .learned
            .iter()
            .find_map(|prefix| Some((prefix, prefix.strip(text)?)));
        if let Some((prefix, rest)) = learned {
            let key = [key, prefix.key()].concat();
            return self
                .streams
                .line(&key, rest, line, target.markers, target.out);
        }
        let is_usual = self.streams.is_any_open() && begins_usually(text);
        let is_candidate = !line.continues && !is_usual && target.markers.contains_any(text);
        match is_candidate.then(|| heads::find(text)).flatten() {
            Some(head) => self.pending = Some(Pending::new(head, OwnedLine::new(key, text, line))),
            None => self
                .streams
                .line(key, text, line, target.markers, target.out),
        }
    }

    /// Reads the lines that waited.
    fn decide(&mut self, target: &mut Target<'_>) {
        let Some(pending) = self.pending.take() else {
            return;
        };
        let head = pending.head;
        let prefix = pending.prefix;
        let mut lines = pending.lines.into_iter();
        if let Some(prefix) = prefix {
            self.learned.truncate(MAX_LEARNED - 1);
            self.learned.insert(0, prefix);
        } else if let Some(first) = lines.next() {
            let line = first.line();
            let (markers, out) = (target.markers, &mut *target.out);
            if head.needs_prefix || head.has_tag {
                self.streams
                    .line(&first.key, &first.text, &line, markers, out);
            } else {
                let before = first.text[..head.at].trim_ascii_end();
                self.streams.line(&first.key, before, &line, markers, out);
                let rest = &first.text[head.at..];
                self.streams.line(&first.key, rest, &line, markers, out);
            }
        }
        for waiting in lines {
            self.enqueue(&waiting.key, &waiting.text, &waiting.line(), target);
        }
    }

    /// Ends the input.
    pub(super) fn finish(&mut self, last_line: u64, target: &mut Target<'_>) {
        let held = self.numbering.release();
        self.read_held(held, target);
        while self.pending.is_some() {
            self.decide(target);
        }
        self.streams.finish(last_line, target.markers, target.out);
        *self = Self {
            scratch: core::mem::take(&mut self.scratch),
            ..Self::default()
        };
    }
}

/// Joins the names of sources, outermost first.
fn join<'a>(keys: [&'a [u8]; 3]) -> Cow<'a, [u8]> {
    let mut joined: Cow<'a, [u8]> = Cow::Borrowed(&[]);
    for key in keys.into_iter().filter(|key| !key.is_empty()) {
        if joined.is_empty() {
            joined = Cow::Borrowed(key);
        } else {
            let joined = joined.to_mut();
            joined.push(b' ');
            joined.extend_from_slice(key);
        }
    }
    joined
}
