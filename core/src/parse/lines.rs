//! Splits text into lines and selects the relevant ones: between reports, the lines with a marker;
//! within a report, every line.

use alloc::vec::Vec;

use hashbrown::HashMap;

use super::collect::{Collector, shared_text};
use super::detect::Markers;
use super::stream::Stream;
use super::truncation;
use crate::custom_format::CustomFormat;
use crate::line::{Line, PartialLine, count_lines, split_line};
use crate::options::Options;
use crate::prefix;
use crate::problem::Code;

/// The state of the parser after decoding: the current line, and the streams of an input.
#[derive(Clone, Debug)]
pub(super) struct LineReader {
    partial_line: PartialLine,
    /// Number of the next line, from 1.
    number: u64,
    streams: Vec<Stream>,
    /// Indices of streams by the name of their source.
    by_name: HashMap<Vec<u8>, usize>,
    /// Index of the stream of lines without a source in their prefix.
    unnamed: Option<usize>,
    /// Number of lines that were dropped because there are too many sources.
    dropped_lines: usize,
    /// Number of streams in which lines without a marker are relevant.
    open_streams: usize,
    /// The last bytes of the input, for [`truncation::is_cut`].
    tail: Vec<u8>,
    pub(super) out: Collector,
    scratch: Vec<u8>,
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
            streams: Vec::new(),
            by_name: HashMap::new(),
            unnamed: None,
            dropped_lines: 0,
            open_streams: 0,
            tail: Vec::new(),
            out: Collector::new(options, formats),
            scratch: Vec::new(),
        }
    }

    /// Begins an input.
    pub(super) fn begin(&mut self) {
        self.number = 1;
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
        self.whole_lines(&chunk[..whole], markers);
        self.carry_over(&chunk[whole..], markers);
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
    fn whole_lines(&mut self, chunk: &[u8], markers: &Markers) {
        let mut finder = markers.find_iter(chunk);
        let mut text = chunk;
        while !text.is_empty() {
            // A tag is a marker, and each line of a valgrind report has one.
            if self.open_streams == 0 && !begins_with_tag(text) {
                let at = chunk.len() - text.len();
                let Some(next) = finder.next_from(at) else {
                    self.number += count_lines(text);
                    return;
                };
                let start = memchr::memrchr(b'\n', &text[..next - at]).map_or(0, |n| n + 1);
                self.number += count_lines(&text[..start]);
                text = &text[start..];
            }
            // Lines without a prefix belong to the source without a name.
            if let Some(at) = self.unnamed.filter(|_| self.open_streams > 0) {
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
        if self.open_streams > 0 || markers.contains_any(bytes) {
            self.read(bytes, markers, continues);
        }
    }

    /// Strips colors and prefixes off a line, and passes it to the stream of its source.
    fn read(&mut self, bytes: &[u8], markers: &Markers, continues: bool) {
        let mut scratch = core::mem::take(&mut self.scratch);
        let mut unwrapped = Vec::new();
        let plain = prefix::strip_colors(
            prefix::unwrap_docker_json(bytes, &mut unwrapped),
            &mut scratch,
        );
        let stripped = prefix::strip(plain);
        let line = Line {
            bytes,
            number: self.number,
            continues,
        };
        // A source gets a stream with its first line that contains a marker.
        if let Some(at) = self.stream_for(stripped.keys, || markers.contains_any(stripped.rest)) {
            let stream = &mut self.streams[at];
            let was_open = stream.is_open();
            stream.line(stripped.rest, &line, markers, &mut self.out);
            match (was_open, stream.is_open()) {
                (false, true) => self.open_streams += 1,
                (true, false) => self.open_streams -= 1,
                _ => {}
            }
        }
        self.scratch = scratch;
    }

    /// Returns the index of the stream for a source, creating it if the line contains a marker.
    fn stream_for(
        &mut self,
        keys: [&[u8]; 2],
        contains_marker: impl Fn() -> bool,
    ) -> Option<usize> {
        if let (Some(at), [[], []]) = (self.unnamed, keys) {
            return Some(at);
        }
        let key = match keys {
            [outer, []] => outer.to_vec(),
            _ => keys.join(&b' '),
        };
        if let Some(at) = self.by_name.get(&key) {
            return Some(*at);
        }
        if !contains_marker() {
            return None;
        }
        let max = self.out.options.max_processes;
        if self.streams.len() >= max && self.dropped_lines.is_multiple_of(max.max(1)) {
            self.drop_empty_streams();
        }
        if self.streams.len() >= max {
            self.dropped_lines += 1;
            let message =
                alloc::format!("more than {max} sources in one log; this one was ignored");
            self.out
                .add_problem(Code::TooManyProcesses, self.number, None, message);
            return None;
        }
        let name = (!key.is_empty()).then(|| shared_text(&key));
        let at = self.streams.len();
        self.streams.push(Stream::new(name));
        if key.is_empty() {
            self.unnamed = Some(at);
        } else {
            self.by_name.insert(key, at);
        }
        Some(at)
    }

    /// Drops streams without any output of a checker. A number before a line is not always the
    /// number of a test.
    fn drop_empty_streams(&mut self) {
        let mut new_indices = Vec::with_capacity(self.streams.len());
        let mut kept = Vec::new();
        for stream in core::mem::take(&mut self.streams) {
            new_indices.push((!stream.is_empty()).then_some(kept.len()));
            if !stream.is_empty() {
                kept.push(stream);
            }
        }
        self.streams = kept;
        self.unnamed = self.unnamed.and_then(|at| new_indices[at]);
        self.by_name
            .retain(|_, at| new_indices[*at].inspect(|new| *at = *new).is_some());
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
        for mut stream in core::mem::take(&mut self.streams) {
            stream.finish(last, markers, &mut self.out);
        }
        self.by_name.clear();
        self.unnamed = None;
        self.open_streams = 0;
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
