//! Which lines are looked at: between reports the search hops from marker to marker, within one
//! each line is read.

use alloc::vec::Vec;

use hashbrown::HashMap;

use super::collect::{Collector, text_of};
use super::detect::Markers;
use super::stream::Stream;
use super::tail;
use crate::format::Format;
use crate::line::{Carry, Line, count_lines, split_line};
use crate::options::Options;
use crate::prefix;
use crate::problem::Code;

/// The state that does not depend on how bytes are decoded.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    carry: Carry,
    /// The number of the line that comes next.
    number: u64,
    streams: Vec<Stream>,
    names: HashMap<Vec<u8>, usize>,
    /// The stream of lines whose prefix names no source.
    unnamed: Option<usize>,
    /// How many lines of further sources were not read, since there are too many.
    refused: usize,
    /// How many streams wait for lines without a marker.
    open: usize,
    /// The last bytes of the input, by which a report that was cut at its very first line is
    /// known.
    tail: Vec<u8>,
    pub(super) out: Collector,
    scratch: Vec<u8>,
}

fn begins_with_tag(text: &[u8]) -> bool {
    matches!(text, [b'=', b'=', digit, ..] if digit.is_ascii_digit())
}

impl Lines {
    pub(super) fn new(options: Options, formats: &[Format]) -> Self {
        Self {
            carry: Carry::default(),
            number: 1,
            streams: Vec::new(),
            names: HashMap::new(),
            unnamed: None,
            refused: 0,
            open: 0,
            tail: Vec::new(),
            out: Collector::new(options, formats),
            scratch: Vec::new(),
        }
    }

    /// Begins an input.
    pub(super) fn begin(&mut self) {
        self.number = 1;
    }

    pub(super) fn text(&mut self, chunk: &[u8], markers: &Markers) {
        self.remember(chunk);
        let mut chunk = chunk;
        if !self.carry.is_empty() {
            let Some(end) = memchr::memchr(b'\n', chunk) else {
                return self.keep(chunk, markers);
            };
            self.keep(&chunk[..end], markers);
            let line = self.carry.take();
            self.candidate(&line, markers, false);
            self.carry.give_back(line);
            self.number += 1;
            chunk = &chunk[end + 1..];
        }
        let whole = memchr::memrchr(b'\n', chunk).map_or(0, |n| n + 1);
        self.whole_lines(&chunk[..whole], markers);
        self.keep(&chunk[whole..], markers);
    }

    /// Keeps the start of a line whose end has not come yet. Pieces of an overlong line are read at
    /// once.
    fn keep(&mut self, bytes: &[u8], markers: &Markers) {
        let mut carry = core::mem::take(&mut self.carry);
        carry.push(bytes, self.out.options.max_line, |piece| {
            self.candidate(piece, markers, true)
        });
        self.carry = carry;
    }

    fn whole_lines(&mut self, chunk: &[u8], markers: &Markers) {
        let mut hunt = markers.hunt(chunk);
        let mut text = chunk;
        while !text.is_empty() {
            // A tag is a marker, and in a report of valgrind's each line has one.
            if self.open == 0 && !begins_with_tag(text) {
                let at = chunk.len() - text.len();
                let Some(next) = hunt.from(at) else {
                    self.number += count_lines(text);
                    return;
                };
                let start = memchr::memrchr(b'\n', &text[..next - at]).map_or(0, |n| n + 1);
                self.number += count_lines(&text[..start]);
                text = &text[start..];
            }
            // Lines without a prefix are those of the source without a name.
            if let Some(at) = self.unnamed.filter(|_| self.open > 0) {
                let rows = self.streams[at].rows(text, self.number, &mut self.out);
                self.number += rows.lines;
                text = &text[rows.bytes..];
                if text.is_empty() {
                    return;
                }
            }
            let (line, rest) = split_line(text);
            let max = self.out.options.max_line.max(1);
            if line.len() <= max {
                self.line(line, markers, false);
            } else {
                let pieces = line.len().div_ceil(max);
                for (at, piece) in line.chunks(max).enumerate() {
                    self.candidate(piece, markers, at + 1 < pieces);
                }
            }
            self.number += 1;
            text = rest;
        }
    }

    /// Reads a line if it can matter.
    fn candidate(&mut self, bytes: &[u8], markers: &Markers, continues: bool) {
        if self.open > 0 || markers.are_in(bytes) {
            self.line(bytes, markers, continues);
        }
    }

    fn line(&mut self, bytes: &[u8], markers: &Markers, continues: bool) {
        let mut scratch = core::mem::take(&mut self.scratch);
        let mut unwrapped = Vec::new();
        let plain = prefix::without_colours(prefix::unwrapped(bytes, &mut unwrapped), &mut scratch);
        let stripped = prefix::strip(plain);
        let line = Line {
            bytes,
            number: self.number,
            continues,
        };
        // A source is followed from the first line on that can mean something.
        if let Some(at) = self.stream(stripped.keys, || markers.are_in(stripped.rest)) {
            let stream = &mut self.streams[at];
            let was_open = stream.is_open();
            stream.line(stripped.rest, &line, markers, &mut self.out);
            match (was_open, stream.is_open()) {
                (false, true) => self.open += 1,
                (true, false) => self.open -= 1,
                _ => {}
            }
        }
        self.scratch = scratch;
    }

    /// The stream of a source.
    fn stream(&mut self, keys: [&[u8]; 2], holds_marker: impl Fn() -> bool) -> Option<usize> {
        if let (Some(at), [[], []]) = (self.unnamed, keys) {
            return Some(at);
        }
        let key = match keys {
            [outer, []] => outer.to_vec(),
            _ => keys.join(&b' '),
        };
        if let Some(at) = self.names.get(&key) {
            return Some(*at);
        }
        if !holds_marker() {
            return None;
        }
        let max = self.out.options.max_processes;
        if self.streams.len() >= max && self.refused.is_multiple_of(max.max(1)) {
            self.drop_bare_streams();
        }
        if self.streams.len() >= max {
            self.refused += 1;
            let message =
                alloc::format!("more than {max} sources in one log; this one was not read");
            self.out
                .problem(Code::TooManyProcesses, self.number, None, message);
            return None;
        }
        let name = (!key.is_empty()).then(|| text_of(&key));
        let at = self.streams.len();
        self.streams.push(Stream::new(name));
        if key.is_empty() {
            self.unnamed = Some(at);
        } else {
            self.names.insert(key, at);
        }
        Some(at)
    }

    /// Forgets sources of which nothing is known: a number before a line is not always the number
    /// of a test.
    fn drop_bare_streams(&mut self) {
        let mut places = Vec::with_capacity(self.streams.len());
        let mut kept = Vec::new();
        for stream in core::mem::take(&mut self.streams) {
            places.push((!stream.is_bare()).then_some(kept.len()));
            if !stream.is_bare() {
                kept.push(stream);
            }
        }
        self.streams = kept;
        self.unnamed = self.unnamed.and_then(|at| places[at]);
        self.names
            .retain(|_, at| places[*at].inspect(|new| *at = *new).is_some());
    }

    /// Keeps the last bytes of the input.
    fn remember(&mut self, chunk: &[u8]) {
        const TAIL: usize = 512;
        let new = &chunk[chunk.len().saturating_sub(TAIL)..];
        let old = (self.tail.len() + new.len())
            .saturating_sub(TAIL)
            .min(self.tail.len());
        self.tail.drain(..old);
        self.tail.extend_from_slice(new);
    }

    pub(super) fn end(&mut self, markers: &Markers) {
        let line = self.carry.take();
        if !line.is_empty() {
            self.candidate(&line, markers, false);
        }
        let last = if line.is_empty() {
            self.number - 1
        } else {
            self.number
        };
        self.carry.give_back(line);
        for mut stream in core::mem::take(&mut self.streams) {
            stream.finish(last, &mut self.out);
        }
        self.names.clear();
        self.unnamed = None;
        self.open = 0;
        if let Some(input) = self.out.inputs.last_mut() {
            input.lines = last;
        }
        let tail = core::mem::take(&mut self.tail);
        let told = self
            .out
            .problems
            .iter()
            .any(|p| p.input == self.out.input() && p.code == Code::Truncated);
        if !told && tail::is_cut(&tail) {
            let message = "the log breaks off where a checker begins to speak";
            self.out.problem(Code::Truncated, last, None, message);
        }
    }
}
