//! The streams of an input, by the names of their sources.

use alloc::format;
use alloc::vec::Vec;

use hashbrown::HashMap;

use crate::line::Line;
use crate::parse::collect::{Collector, shared_text};
use crate::parse::detect::Markers;
use crate::parse::stream::Stream;
use crate::parse::xml::Rows;
use crate::problem::Code;

/// The streams of an input.
#[derive(Clone, Debug, Default)]
pub(super) struct Streams {
    streams: Vec<Stream>,
    /// Indices of streams by the key of their source.
    by_key: HashMap<Vec<u8>, usize>,
    /// Index of the stream of lines without a source.
    unnamed: Option<usize>,
    /// Number of lines that were dropped because there are too many sources.
    dropped_lines: usize,
    /// Number of streams in which lines without a marker are relevant.
    open: usize,
}

impl Streams {
    /// Returns true if lines without a marker are relevant.
    pub(super) fn is_any_open(&self) -> bool {
        self.open > 0
    }

    /// Returns true if the source's lines are part of an XML document.
    pub(super) fn reads_xml(&self, key: &[u8]) -> bool {
        let at = if key.is_empty() {
            self.unnamed
        } else {
            self.by_key.get(key).copied()
        };
        at.is_some_and(|at| self.streams[at].reads_xml())
    }

    /// Passes on complete lines without a source, as long as they can only be parts of an open XML
    /// document.
    pub(super) fn rows(&mut self, text: &[u8], number: u64, out: &mut Collector) -> Rows {
        match self.unnamed.filter(|_| self.open > 0) {
            Some(at) => self.streams[at].rows(text, number, out),
            None => Rows::default(),
        }
    }

    /// Passes on complete lines without a source, as long as they are plain frames.
    pub(super) fn plain_frames(&mut self, text: &[u8], number: u64, out: &mut Collector) -> Rows {
        // A frame neither opens nor closes a report, so the number of open streams stays the same.
        match self.unnamed {
            Some(at) => self.streams[at].plain_frames(text, number, out),
            None => Rows::default(),
        }
    }

    /// Passes a line to the stream of its source. A source gets a stream with its first line that
    /// contains a marker.
    pub(super) fn line(
        &mut self,
        key: &[u8],
        text: &[u8],
        line: &Line<'_>,
        markers: &Markers,
        out: &mut Collector,
    ) {
        out.tests.line(key, text, line.number);
        let Some(at) = self.stream_for(key, text, line.number, markers, out) else {
            return;
        };
        let stream = &mut self.streams[at];
        let was_open = stream.is_open();
        stream.line(text, line, markers, out);
        match (was_open, stream.is_open()) {
            (false, true) => self.open += 1,
            (true, false) => self.open -= 1,
            _ => {}
        }
    }

    /// Returns the index of the stream for a source, creating it if the line contains a marker.
    fn stream_for(
        &mut self,
        key: &[u8],
        text: &[u8],
        number: u64,
        markers: &Markers,
        out: &mut Collector,
    ) -> Option<usize> {
        let known = if key.is_empty() {
            self.unnamed
        } else {
            self.by_key.get(key).copied()
        };
        if known.is_some() || !markers.contains_any(text) {
            return known;
        }
        let max = out.options.max_processes;
        if self.streams.len() >= max && self.dropped_lines.is_multiple_of(max.max(1)) {
            self.drop_empty();
        }
        if self.streams.len() >= max {
            self.dropped_lines += 1;
            let message = format!("more than {max} sources in one log; this one was ignored");
            out.add_problem(Code::TooManyProcesses, number, None, message);
            return None;
        }
        let at = self.streams.len();
        // The key of a learned prefix begins with a zero. It is no name, because it may be a time.
        let name = key.split(|b| *b == 0).next().unwrap_or_default();
        let name = (!name.is_empty()).then(|| shared_text(name.trim_ascii_end()));
        self.streams.push(Stream::new(name));
        if key.is_empty() {
            self.unnamed = Some(at);
        } else {
            self.by_key.insert(key.to_vec(), at);
        }
        Some(at)
    }

    /// Drops streams without any output of a checker. A number before a line is not always the
    /// number of a test.
    fn drop_empty(&mut self) {
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
        self.by_key
            .retain(|_, at| new_indices[*at].inspect(|new| *at = *new).is_some());
    }

    /// Ends the input.
    pub(super) fn finish(&mut self, last_line: u64, markers: &Markers, out: &mut Collector) {
        for mut stream in core::mem::take(&mut self.streams) {
            stream.finish(last_line, markers, out);
        }
        *self = Self::default();
    }
}
