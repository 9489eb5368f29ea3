//! The parser: bytes in, reports, findings and problems out. It never fails.
//!
//! Bytes are pushed in chunks of any size; the same bytes give the same result however they are cut. While no report is open,
//! the parser hops from marker to marker (see `parse/detect.rs`) and looks at no other line.

mod asan;
mod body;
mod collect;
mod detect;
mod draft;
mod drd;
mod failures;
mod frame;
mod helgrind;
mod lead;
mod lsan;
mod memcheck;
mod stream;
mod summary;
mod tag;
mod tail;
mod threads;
mod valgrind;
mod xml;

use alloc::string::ToString;
use alloc::vec::Vec;

use hashbrown::HashMap;

pub(crate) use self::collect::Collector;
use self::collect::text_of;
use self::detect::Markers;
use self::stream::Stream;
use crate::encoding::Decoder;
use crate::line::{Carry, Line, count_lines, split_line};
use crate::model::{Finding, Input, Report};
use crate::options::Options;
use crate::prefix;
use crate::problem::{Code, Problem};
use crate::settle;

/// What was read from all inputs.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// The inputs, in the order in which they came.
    pub inputs: Vec<Input>,
    /// One report for each checker and process.
    pub reports: Vec<Report>,
    /// The findings, in order of first appearance.
    pub findings: Vec<Finding>,
    /// What could not be read, was cut, or does not add up.
    pub problems: Vec<Problem>,
}

/// Reads any number of inputs, one after the other.
///
/// ```
/// use leakgate_core::{Options, Parser};
///
/// let mut parser = Parser::new(Options::default());
/// parser.begin("run.log");
/// for chunk in [&b"==7==ERROR: LeakSanitizer: detected memory leaks\n\nDirect leak of 4 byte(s) in 1 "[..],
///               b"object(s) allocated from:\n    #0 0x51 in make /src/a.c:3:9\n\n",
///               b"SUMMARY: LeakSanitizer: 4 byte(s) leaked in 1 allocation(s).\n"] {
///     parser.feed(chunk);
/// }
/// let parsed = parser.finish();
/// assert_eq!(parsed.findings[0].kind.as_str(), "leak-definite");
/// assert_eq!(parsed.findings[0].stacks[0].frames[0].site.line, Some(3));
/// assert!(parsed.problems.is_empty());
/// ```
#[derive(Debug)]
pub struct Parser {
    markers: Markers,
    decoder: Decoder,
    lines: Lines,
    reading: bool,
}

/// The state that does not depend on how bytes are decoded.
#[derive(Debug)]
struct Lines {
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
    /// The last bytes of the input, by which a report that was cut at its very first line is known.
    tail: Vec<u8>,
    out: Collector,
    scratch: Vec<u8>,
}

impl Parser {
    /// A parser with these bounds.
    pub fn new(options: Options) -> Self {
        let lines = Lines {
            carry: Carry::default(),
            number: 1,
            streams: Vec::new(),
            names: HashMap::new(),
            unnamed: None,
            refused: 0,
            open: 0,
            tail: Vec::new(),
            out: Collector::new(options),
            scratch: Vec::new(),
        };
        Self { markers: Markers::default(), decoder: Decoder::default(), lines, reading: false }
    }

    /// Begins an input; the one before it ends.
    pub fn begin(&mut self, name: &str) {
        self.end();
        self.lines.out.inputs.push(Input { name: name.to_string(), ..Input::default() });
        self.lines.number = 1;
        self.reading = true;
    }

    /// Reads the next bytes of the input.
    pub fn feed(&mut self, chunk: &[u8]) {
        if !self.reading {
            self.begin("");
        }
        if let Some(input) = self.lines.out.inputs.last_mut() {
            input.bytes += chunk.len() as u64;
        }
        let (lines, markers) = (&mut self.lines, &self.markers);
        self.decoder.feed(chunk, &mut |text| lines.text(text, markers));
    }

    /// Ends the last input, and holds what was read against what the checkers stated.
    pub fn finish(mut self) -> Parsed {
        self.end();
        let Collector { inputs, reports, findings, problems, .. } = settle::settle(self.lines.out);
        Parsed { inputs, reports, findings, problems }
    }

    fn end(&mut self) {
        if !core::mem::take(&mut self.reading) {
            return;
        }
        let (lines, markers) = (&mut self.lines, &self.markers);
        self.decoder.finish(&mut |text| lines.text(text, markers));
        lines.end(markers);
    }
}

/// The texts by which leakgate finds reports in a log; a line without any of them is looked at only within a report.
pub fn markers() -> &'static [&'static str] {
    detect::MARKERS
}

impl Lines {
    fn text(&mut self, chunk: &[u8], markers: &Markers) {
        self.remember(chunk);
        let mut chunk = chunk;
        if !self.carry.is_empty() {
            let Some(end) = memchr::memchr(b'\n', chunk) else { return self.keep(chunk, markers) };
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

    /// Keeps the start of a line whose end has not come yet. Pieces of an overlong line are read at once.
    fn keep(&mut self, bytes: &[u8], markers: &Markers) {
        let mut carry = core::mem::take(&mut self.carry);
        carry.push(bytes, self.out.options.max_line, |piece| self.candidate(piece, markers, true));
        self.carry = carry;
    }

    fn whole_lines(&mut self, mut text: &[u8], markers: &Markers) {
        while !text.is_empty() {
            if self.open == 0 {
                let Some(at) = markers.find(text) else {
                    self.number += count_lines(text);
                    return;
                };
                let start = memchr::memrchr(b'\n', &text[..at]).map_or(0, |n| n + 1);
                self.number += count_lines(&text[..start]);
                text = &text[start..];
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
        if self.open > 0 || markers.find(bytes).is_some() {
            self.line(bytes, markers, continues);
        }
    }

    fn line(&mut self, bytes: &[u8], markers: &Markers, continues: bool) {
        let mut scratch = core::mem::take(&mut self.scratch);
        let mut unwrapped = Vec::new();
        let plain = prefix::without_colours(prefix::unwrapped(bytes, &mut unwrapped), &mut scratch);
        let stripped = prefix::strip(plain);
        let line = Line { bytes, number: self.number, continues };
        // A source is followed from the first line on that can mean something.
        if let Some(at) = self.stream(stripped.keys, || markers.find(stripped.rest).is_some()) {
            let stream = &mut self.streams[at];
            let was_open = stream.is_open();
            stream.line(stripped.rest, &line, &mut self.out);
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
            let message = alloc::format!("more than {max} sources in one log; this one was not read");
            self.out.problem(Code::TooManyProcesses, self.number, None, message);
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

    /// Forgets sources of which nothing is known: a number before a line is not always the number of a test.
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
        self.names.retain(|_, at| places[*at].inspect(|new| *at = *new).is_some());
    }

    /// Keeps the last bytes of the input.
    fn remember(&mut self, chunk: &[u8]) {
        const TAIL: usize = 512;
        let new = &chunk[chunk.len().saturating_sub(TAIL)..];
        let old = (self.tail.len() + new.len()).saturating_sub(TAIL).min(self.tail.len());
        self.tail.drain(..old);
        self.tail.extend_from_slice(new);
    }

    fn end(&mut self, markers: &Markers) {
        let line = self.carry.take();
        if !line.is_empty() {
            self.candidate(&line, markers, false);
        }
        let last = if line.is_empty() { self.number - 1 } else { self.number };
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
        let told = self.out.problems.iter().any(|p| p.input == self.out.input() && p.code == Code::Truncated);
        if !told && tail::is_cut(&tail) {
            let message = "the log breaks off where a checker begins to speak";
            self.out.problem(Code::Truncated, last, None, message);
        }
    }
}
