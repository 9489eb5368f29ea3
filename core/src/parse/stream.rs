//! Assigns lines to reports.
//!
//! A stream is one source within an input: a docker service, a ctest number, or the input itself if
//! no prefix names a source. Within a stream, lines with a tag belong to the process in the tag.
//! Lines without a tag belong to the open XML document or to the open sanitizer report.

mod begin;
mod cut_lines;
mod plain_frames;
mod wrapped_frames;
mod xml_lines;

use alloc::vec::Vec;

use hashbrown::HashMap;

use self::wrapped_frames::WrappedFrame;
use super::collect::Collector;
use super::detect::Markers;
use super::failures;
use super::generated::{Block, BlockLine};
use super::heads;
use super::lsan;
use super::sanitizer::{Sanitizers, is_sanitizer_line};
use super::tag::{self, Tag};
use super::unsupported;
use super::untagged::UntaggedReports;
use super::valgrind::{CutLine, Panic, ProcessEnd, ValgrindProcess};
use super::xml::XmlDocument;
use crate::bytes::{contains, number, trim_start};
use crate::line::Line;
use crate::model::{Text, Tool};
use crate::problem::Code;

/// Maximum number of tags in a line after which its rest isn't read. Each is read by a recursive
/// call.
const MAX_TAGS: u32 = 64;

/// Returns true for the complete headline of a leak. Leak reports contain many of these, and no
/// other check is needed for them.
fn is_whole_leak(text: &[u8]) -> bool {
    matches!(text, [b'D' | b'I', ..])
        && text.ends_with(b" allocated from:")
        && lsan::record(text).is_some()
        && tag::find(text).is_none()
}

/// One source of lines.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stream {
    name: Option<Text>,
    processes: HashMap<u64, ValgrindProcess>,
    sanitizers: Sanitizers,
    xml: Option<XmlDocument>,
    untagged_reports: UntaggedReports,
    /// A valgrind process wrote its header to this stream.
    has_header: bool,
    /// The tool in the last header. A child of `fork` writes no header.
    tool: Option<Tool>,
    /// The last line with a tag that isn't a known start of a process: its pid, text and number. If
    /// a stack follows, the line was an unknown headline, unless its text is `None`.
    unknown: Option<(u64, Option<Text>, u64)>,
    /// The pid whose record ended with the line before. A generated suppression may follow.
    recorded: Option<u64>,
    /// An incomplete generated suppression, and the pid of its record.
    block: Option<(u64, Block)>,
    /// The line before, if it has a tag of valgrind and may go on in this one.
    cut: Option<CutLine>,
    /// Length of the longest line with a tag of valgrind.
    longest: usize,
    /// The frame before, if it may go on in this line.
    wrapped: Option<WrappedFrame>,
    /// Length of the longest frame of a sanitizer.
    longest_untagged: usize,
    /// valgrind broke down, and its stacks follow.
    panic: Option<Panic>,
    /// Number of tags of the current line that are being read, except its first.
    inner_tags: u32,
}

/// Returns true if valgrind's text contains a tag, or the end of one: `12== `, `== Invalid`.
fn contains_tag(text: &[u8]) -> bool {
    memchr::memchr_iter(b'=', text).any(|at| match text[at..] {
        [b'=', b'=', b' ', next, ..] if next.is_ascii_uppercase() => at > 0,
        [b'=', b'=', ..] => at > 0 && text[at - 1].is_ascii_digit(),
        _ => false,
    })
}

/// Returns true for a frame that a sanitizer's message interrupts. Complete frames end with a
/// parenthesis.
fn is_interrupted(text: &[u8]) -> bool {
    let is_frame =
        || text.starts_with(b"by 0x") || text.starts_with(b"at 0x") || text.starts_with(b"#");
    !matches!(text, [.., b')'])
        && is_frame()
        && (contains(text, b": runtime error: ") || contains(text, b"Sanitizer: "))
}

/// Adds a problem if a process wrote its tag into a frame or a headline of another report, whose
/// rest is lost.
fn report_cut_text(
    before: &[u8],
    has_marker: bool,
    tag: &Tag<'_>,
    line: &Line<'_>,
    out: &mut Collector,
) {
    let is_frame = || {
        let frame = trim_start(before).strip_prefix(b"#").and_then(number);
        frame.is_some_and(|(_, rest)| trim_start(rest).starts_with(b"0x"))
    };
    if (has_marker && heads::contains_any(before)) || is_frame() {
        let message = "two processes wrote to the same line; the first report is unreadable";
        out.add_problem(Code::Interleaved, line.number, Some(tag.pid), message);
    }
}

impl Stream {
    pub(crate) fn new(name: Option<Text>) -> Self {
        Self {
            name,
            ..Self::default()
        }
    }

    /// Returns true while lines without a marker are relevant.
    pub(crate) fn is_open(&self) -> bool {
        self.sanitizers.is_open()
            || self.untagged_reports.is_open()
            || self.xml.is_some()
            || self.expects_line()
    }

    /// Returns true if the line before may go on in the next one, or the next one may belong to it.
    fn expects_line(&self) -> bool {
        self.recorded.is_some()
            || self.block.is_some()
            || self.cut.is_some()
            || self.wrapped.is_some()
    }

    /// Returns true while lines are part of an XML document.
    pub(crate) fn reads_xml(&self) -> bool {
        self.xml.is_some()
    }

    /// Returns true if the stream contains no output of a checker that the next line could
    /// continue.
    pub(crate) fn is_empty(&self) -> bool {
        self.processes.is_empty()
            && self.xml.is_none()
            && self.sanitizers.is_empty()
            && self.untagged_reports.is_empty()
    }

    /// Reads a line without its known prefixes; `line` is the original.
    pub(crate) fn line(
        &mut self,
        text: &[u8],
        line: &Line<'_>,
        markers: &Markers,
        out: &mut Collector,
    ) {
        if (self.recorded.is_some() || self.block.is_some()) && self.generated(text, out) {
            return;
        }
        if self.cut.is_some() && self.resume(text, line, markers, out) {
            return;
        }
        if self.wrapped.is_some() && self.resumes_frame(text, line, markers, out) {
            return;
        }
        if self
            .untagged_reports
            .try_continue(text, line, self.name.as_ref(), out)
        {
            return;
        }
        let trimmed = trim_start(text);
        if self.xml.is_some() {
            if self.xml_line(text, trimmed, line, out) {
                return;
            }
        } else if self.sanitizers.is_open()
            && (is_whole_leak(trimmed)
                || (trimmed.starts_with(b"#") && tag::find(text).is_none())
                || (out.formats.is_empty() && lsan::is_whole_summary(text)))
        {
            if trimmed.starts_with(b"#") && self.holds_frame(text, line) {
                return;
            }
            return self.untagged(text, line, out);
        }
        if memchr::memchr(b'<', text).is_some() && self.outside_xml(text, line, out) {
            return;
        }
        let tag = tag::find(text);
        let was_open = self.sanitizers.is_open();
        // Text before a tag is incomplete, because another process wrote into its line.
        let untagged = tag.map_or(text, |tag| &text[..tag.at]);
        let has_marker = !untagged.is_empty() && markers.contains_any(untagged);
        let starts_report = has_marker
            && self
                .untagged_reports
                .try_start(untagged, line, self.name.as_ref(), out);
        if !starts_report && (tag.is_none() || is_sanitizer_line(untagged)) {
            self.outside_of_reports(untagged, has_marker, line, out);
        } else if let Some(tag) = tag.filter(|_| !starts_report) {
            report_cut_text(untagged, has_marker, &tag, line, out);
        }
        match tag {
            Some(tag) if tag.is_valgrind() => self.valgrind(&tag, line, out),
            Some(tag) => self.sanitizer(tag, line, out),
            None => {}
        }
        if !was_open && self.sanitizers.is_open() {
            // All frames look alike. The following ones belong to the new report.
            self.untagged_reports
                .finish(line.number, self.name.as_ref(), out);
        }
    }

    /// Reads a line without a tag that begins no report of an untagged dialect.
    fn outside_of_reports(
        &mut self,
        text: &[u8],
        has_marker: bool,
        line: &Line<'_>,
        out: &mut Collector,
    ) {
        failures::outside_of_reports(text, line, out);
        if has_marker {
            unsupported::read(text, line, out);
        }
        if Panic::is_message(text) {
            self.panic = Some(Panic::default());
        }
        self.untagged(text, line, out);
    }

    /// Reads a line of a generated suppression. Returns false if the line isn't part of it.
    fn generated(&mut self, text: &[u8], out: &mut Collector) -> bool {
        if let Some(pid) = self.recorded.take() {
            let is_start = Block::is_start(text);
            self.block = is_start.then(|| (pid, Block::default()));
            return is_start;
        }
        let Some((pid, mut block)) = self.block.take() else {
            return false;
        };
        match block.line(text) {
            BlockLine::Continues => self.block = Some((pid, block)),
            BlockLine::Unrelated => return false,
            BlockLine::Done(generated) => {
                if let Some(process) = self.processes.get_mut(&pid) {
                    process.generated(generated, out);
                }
            }
        }
        true
    }

    /// Reads a line with a tag of valgrind.
    fn valgrind(&mut self, tag: &Tag<'_>, line: &Line<'_>, out: &mut Collector) {
        self.longest = self.longest.max(line.bytes.len());
        if CutLine::is_plain_frame(tag) {
            return self.whole_valgrind(tag, line, out);
        }
        // The messages of `-v` (`--PID--`) and of the program itself (`**PID**`) aren't part of a
        // report.
        if tag.mark != b'=' {
            self.unknown = Some((tag.pid, None, line.number));
            if let Some(process) = self.processes.get_mut(&tag.pid) {
                process.note_message();
            }
            return;
        }
        if self.is_foreign(tag, line, out) {
            return;
        }
        match CutLine::new(tag, line) {
            Some(cut) => self.cut = Some(cut),
            None => self.whole_valgrind(tag, line, out),
        }
    }

    /// Reads a complete line with a tag of valgrind.
    fn whole_valgrind(&mut self, tag: &Tag<'_>, line: &Line<'_>, out: &mut Collector) {
        let text = tag.rest.trim_ascii_start();
        if !text.starts_with(b"Command: ") && (contains_tag(tag.rest) || is_interrupted(text)) {
            if self.is_glued(tag, line, out) {
                return;
            }
            let message =
                "two processes wrote to the same line; the rest of the line is unreadable";
            out.add_problem(Code::Interleaved, line.number, Some(tag.pid), message);
        }
        if self
            .panic
            .as_mut()
            .is_some_and(|p| p.contains(tag.pid, text))
        {
            return;
        }
        if let Some(tool) = ValgrindProcess::header_of(text) {
            self.has_header = true;
            self.tool = Some(tool);
            let end = match self.panic.take_if(|panic| panic.affects(tag.pid)) {
                Some(_) => ProcessEnd::BrokeDown,
                None => ProcessEnd::Replaced,
            };
            if let Some(mut older) = self.processes.remove(&tag.pid) {
                older.finish(end, out);
            }
        }
        if !self.processes.contains_key(&tag.pid) && !self.begin_process(tag, line, out) {
            return;
        }
        if let Some(process) = self.processes.get_mut(&tag.pid) {
            process.line(tag.rest, line, out);
            self.recorded = process.awaits_generated().then_some(tag.pid);
        }
    }

    /// Returns how processes end at the end of the input.
    fn end(&self) -> ProcessEnd {
        if self.has_header {
            ProcessEnd::InputEnded
        } else {
            ProcessEnd::QuietInputEnded
        }
    }

    /// Reads a line with a tag of a sanitizer.
    fn sanitizer(&mut self, tag: Tag<'_>, line: &Line<'_>, out: &mut Collector) {
        // The headline of most reports.
        let is_whole = tag.rest == b"ERROR: LeakSanitizer: detected memory leaks";
        let after_mark = tag.rest.get(1..).filter(|_| !is_whole);
        if after_mark.is_some_and(|text| ValgrindProcess::can_begin_with(text.trim_ascii_start())) {
            let message = "a valgrind line with a damaged tag";
            out.add_problem(Code::Interleaved, line.number, Some(tag.pid), message);
        }
        // Some messages have no line feed, so the next process continues the same line.
        let mut next = Some(tag);
        let mut is_first = true;
        while let Some(tag) = next {
            next = tag::find_from(tag.rest, 0);
            if tag.is_valgrind() {
                return self.valgrind(&tag, line, out);
            }
            let text = next.map_or(tag.rest, |next| &tag.rest[..next.at]);
            let is_whole = next.is_none() && is_first;
            let part = if is_whole { *line } else { line.part(text) };
            is_first = false;
            self.sanitizers
                .line(text, Some(tag.pid), &part, self.name.as_ref(), out);
        }
    }

    /// Reads a line without a tag.
    fn untagged(&mut self, text: &[u8], line: &Line<'_>, out: &mut Collector) {
        self.sanitizers
            .line(text, None, line, self.name.as_ref(), out);
    }

    /// Ends the input.
    pub(crate) fn finish(&mut self, last_line: u64, markers: &Markers, out: &mut Collector) {
        self.flush_cut(markers, out);
        self.flush_frame(out);
        let mut processes: Vec<_> = core::mem::take(&mut self.processes).into_iter().collect();
        processes.sort_unstable_by_key(|(_, process)| process.report);
        let usual = self.end();
        for (pid, mut process) in processes {
            let broke_down = self.panic.as_mut().is_some_and(|p| p.affects(pid));
            let end = if broke_down {
                ProcessEnd::BrokeDown
            } else {
                usual
            };
            process.finish(end, out);
        }
        self.sanitizers.finish(last_line, out);
        self.untagged_reports
            .finish(last_line, self.name.as_ref(), out);
        if let Some(mut xml) = self.xml.take() {
            xml.finish(out);
        }
    }
}
