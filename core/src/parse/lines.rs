//! Splits text into lines and selects the relevant ones: between reports, the lines with a marker;
//! within a report, every line.

mod numbering;
mod pending;
mod router;
mod skipped;
mod spacing;
mod streams;

use alloc::vec::Vec;

use self::router::{Router, Target};
use self::skipped::SkippedLines;
use super::collect::Collector;
use super::detect::Markers;
use super::scan::Scan;
use super::truncation;
use crate::custom_format::CustomFormat;
use crate::line::{Line, PartialLine, count_lines, split_line};
use crate::options::Options;
use crate::problem::Code;

/// The state of the parser after decoding: the current line, and the sources of an input.
#[derive(Clone, Debug)]
pub(super) struct LineReader {
    partial_line: PartialLine,
    /// Number of the next line, from 1.
    number: u64,
    router: Router,
    skipped: SkippedLines,
    /// The last bytes of the input, for [`truncation::is_cut`].
    tail: Vec<u8>,
    pub(super) out: Collector,
}

/// Returns true if the text begins with a tag without prefix.
fn begins_with_tag(text: &[u8]) -> bool {
    matches!(text, [b'=', b'=', digit, ..] if digit.is_ascii_digit())
}

impl LineReader {
    pub(super) fn new(options: Options, formats: &[CustomFormat]) -> Self {
        Self {
            partial_line: PartialLine::default(),
            number: 1,
            router: Router::default(),
            skipped: SkippedLines::default(),
            tail: Vec::new(),
            out: Collector::new(options, formats),
        }
    }

    /// Begins an input.
    pub(super) fn begin(&mut self) {
        self.number = 1;
        self.out.tests.clear();
        self.skipped.clear();
    }

    /// Reads a chunk of decoded text.
    pub(super) fn feed(&mut self, chunk: &[u8], markers: &Markers) {
        self.keep_tail(chunk);
        let mut chunk = chunk;
        if !self.partial_line.is_empty() {
            let Some(end) = memchr::memchr(b'\n', chunk) else {
                return self.carry_over(chunk, markers);
            };
            self.carry_over(&chunk[..end], markers);
            let line = self.partial_line.take();
            self.read_if_relevant(&line, markers, false);
            self.partial_line.reuse_buffer(line);
            self.number += 1;
            chunk = &chunk[end + 1..];
        }
        let whole = memchr::memrchr(b'\n', chunk).map_or(0, |n| n + 1);
        self.whole_lines(&chunk[..whole], None, markers);
        self.carry_over(&chunk[whole..], markers);
    }

    /// Reads a chunk of text in which another thread has looked for markers.
    pub(super) fn feed_scanned(&mut self, chunk: &[u8], scan: &Scan, markers: &Markers) {
        self.feed(&chunk[..scan.lines.start], markers);
        self.keep_tail(&chunk[scan.lines.start..]);
        self.whole_lines(&chunk[scan.lines.clone()], Some(scan), markers);
        self.carry_over(&chunk[scan.lines.end..], markers);
    }

    /// Returns true if lines without a marker are relevant.
    pub(super) fn is_open(&self) -> bool {
        self.router.is_open()
    }

    /// Stores the start of a line until its end arrives. Pieces of an overlong line are read
    /// immediately.
    fn carry_over(&mut self, bytes: &[u8], markers: &Markers) {
        let mut carry = core::mem::take(&mut self.partial_line);
        carry.push(bytes, self.out.options.max_line, |piece| {
            self.read_if_relevant(piece, markers, true)
        });
        self.partial_line = carry;
    }

    /// Reads a chunk that consists of complete lines.
    fn whole_lines(&mut self, chunk: &[u8], scan: Option<&Scan>, markers: &Markers) {
        let mut finder = match scan {
            Some(scan) => markers.find_iter_from(chunk, &scan.first),
            None => markers.find_iter(chunk),
        };
        let mut text = chunk;
        while !text.is_empty() {
            // A tag is a marker, and each line of a valgrind report has one.
            if !self.router.is_open() && !begins_with_tag(text) {
                let at = chunk.len() - text.len();
                let Some(next) = finder.next_from(at) else {
                    let known = scan.filter(|_| at == 0).map(|scan| scan.count);
                    self.number += known.unwrap_or_else(|| count_lines(text));
                    self.skipped.push(text);
                    return;
                };
                let start = memchr::memrchr(b'\n', &text[..next - at]).map_or(0, |n| n + 1);
                self.number += count_lines(&text[..start]);
                self.skipped.push(&text[..start]);
                text = &text[start..];
            }
            // Lines without a prefix belong to the source without a name.
            let rows = self.router.rows(text, self.number, &mut self.out);
            if rows.lines > 0 {
                self.number += rows.lines;
                text = &text[rows.bytes..];
                continue;
            }
            let (line, rest) = split_line(text);
            let max = self.out.options.max_line.max(1);
            if line.len() <= max {
                self.read(line, markers, false);
            } else {
                let pieces = line.len().div_ceil(max);
                for (at, piece) in line.chunks(max).enumerate() {
                    self.read_if_relevant(piece, markers, at + 1 < pieces);
                }
            }
            self.number += 1;
            text = rest;
        }
    }

    /// Reads a line if a stream is open or the line contains a marker.
    fn read_if_relevant(&mut self, bytes: &[u8], markers: &Markers, continues: bool) {
        if self.router.is_open() || markers.contains_any(bytes) {
            self.read(bytes, markers, continues);
        } else {
            self.skipped.push_line(bytes, continues);
        }
    }

    fn read(&mut self, bytes: &[u8], markers: &Markers, continues: bool) {
        if !self.skipped.is_empty() {
            let (router, out) = (&mut self.router, &mut self.out);
            self.skipped.observe(self.number, router, out);
        }
        let line = Line {
            bytes,
            number: self.number,
            continues,
        };
        let out = &mut self.out;
        self.router.read(&line, &mut Target { markers, out });
    }

    /// Stores the last bytes of the input.
    fn keep_tail(&mut self, chunk: &[u8]) {
        const TAIL: usize = 512;
        let new = &chunk[chunk.len().saturating_sub(TAIL)..];
        let old = (self.tail.len() + new.len())
            .saturating_sub(TAIL)
            .min(self.tail.len());
        self.tail.drain(..old);
        self.tail.extend_from_slice(new);
    }

    /// Ends the input.
    pub(super) fn end(&mut self, markers: &Markers) {
        let line = self.partial_line.take();
        if !line.is_empty() {
            self.read_if_relevant(&line, markers, false);
        }
        let last = if line.is_empty() {
            self.number - 1
        } else {
            self.number
        };
        self.partial_line.reuse_buffer(line);
        let out = &mut self.out;
        self.router.finish(last, &mut Target { markers, out });
        if let Some(input) = self.out.inputs.last_mut() {
            input.lines = last;
        }
        let tail = core::mem::take(&mut self.tail);
        let is_reported = self
            .out
            .problems
            .iter()
            .any(|p| p.input == self.out.input_index() && p.code == Code::Truncated);
        if !is_reported && truncation::is_cut(&tail) {
            let message = "the log ends where a checker's report begins";
            self.out.add_problem(Code::Truncated, last, None, message);
        }
    }
}
