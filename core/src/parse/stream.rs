//! Which report a line belongs to.
//!
//! A stream is one source within an input: a docker service, a ctest number, or the input itself
//! where no prefix names a source. Within it, lines with a tag go to the process that the tag
//! names; lines without one, to the open XML document or to the sanitizer report that is being
//! read.

use alloc::vec::Vec;

use hashbrown::HashMap;

use super::body::{Sanitizers, is_prefix, speaks};
use super::collect::{Collector, text_of};
use super::detect::Markers;
use super::failures;
use super::frame;
use super::generated::{Block, Step};
use super::lead::Lead;
use super::lsan;
use super::plain::Plain;
use super::tag::{self, Tag};
use super::valgrind::{End, Process};
use super::xml::{self, Document, Rows};
use crate::bytes::{contains, find, trim_start};
use crate::line::Line;
use crate::model::{Text, Tool};
use crate::problem::Code;

/// True for the whole headline of a leak. It needs none of the looks at what else a line may be,
/// and reports of leaks are full of them.
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
    processes: HashMap<u64, Process>,
    sanitizers: Sanitizers,
    xml: Option<Document>,
    plain: Plain,
    lead: Lead,
    /// A process of valgrind wrote its header here.
    has_header: bool,
    /// The tool that the last header named: a child of `fork` writes none.
    tool: Option<Tool>,
    /// The last line with a tag that began no process: if a stack follows, it was the headline of
    /// a record, unless it has no text here.
    unknown: Option<(u64, Option<Text>, u64)>,
    /// The process whose record ended with the line before, so that a generated suppression may
    /// follow.
    recorded: Option<u64>,
    /// Such a suppression, and whose record it is for.
    block: Option<(u64, Block)>,
}

/// True for `<valgrindoutput>` at the end of a line, or followed by another tag: elsewhere somebody
/// speaks about it.
fn is_start_tag(text: &[u8], at: usize) -> bool {
    let quoted = at > 0 && matches!(text[at - 1], b'"' | b'\'' | b'`');
    let rest = memchr::memchr(b'>', &text[at..]).map(|end| text[at + end + 1..].trim_ascii());
    !quoted && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"<"))
}

/// True where a tag, or the end of one, stands in a text of valgrind's: `12== `, `== Invalid`.
fn holds_tag(text: &[u8]) -> bool {
    memchr::memchr_iter(b'=', text).any(|at| match text[at..] {
        [b'=', b'=', b' ', next, ..] if next.is_ascii_uppercase() => at > 0,
        [b'=', b'=', ..] => at > 0 && text[at - 1].is_ascii_digit(),
        _ => false,
    })
}

/// True for a frame within which a sanitizer speaks; frames end with a parenthesis.
fn is_torn(text: &[u8]) -> bool {
    let is_frame =
        || text.starts_with(b"by 0x") || text.starts_with(b"at 0x") || text.starts_with(b"#");
    !matches!(text, [.., b')'])
        && is_frame()
        && (contains(text, b": runtime error: ") || contains(text, b"Sanitizer: "))
}

impl Stream {
    pub(crate) fn new(name: Option<Text>) -> Self {
        Self {
            name,
            ..Self::default()
        }
    }

    /// True while lines without a marker matter.
    pub(crate) fn is_open(&self) -> bool {
        self.sanitizers.is_open()
            || self.plain.is_open()
            || self.xml.is_some()
            || self.recorded.is_some()
            || self.block.is_some()
    }

    /// True while nothing is known that the next line could go on with.
    pub(crate) fn is_bare(&self) -> bool {
        self.processes.is_empty()
            && self.xml.is_none()
            && self.sanitizers.is_bare()
            && self.plain.is_bare()
    }

    /// Reads lines at the start of a text of whole lines that can be nothing but parts of the open
    /// document, `number` that of the first.
    pub(crate) fn rows(&mut self, text: &[u8], number: u64, out: &mut Collector) -> Rows {
        let is_alone = self.recorded.is_none()
            && self.block.is_none()
            && self.lead.is_empty()
            && !self.plain.is_open();
        self.xml
            .as_mut()
            .filter(|_| is_alone)
            .map_or_else(Rows::default, |xml| xml.rows(text, number, out))
    }

    /// Reads a line without its known prefixes.
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
        let text = if self.is_open() {
            self.lead.strip(text)
        } else {
            text
        };
        if self.plain.within(text, line, self.name.as_ref(), out) {
            return;
        }
        let trimmed = trim_start(text);
        if self.xml.is_some() {
            if self.xml_line(text, trimmed, line, out) {
                return;
            }
        } else if self.sanitizers.is_open() && (trimmed.starts_with(b"#") || is_whole_leak(trimmed))
        {
            return self.untagged(text, line, out);
        }
        if memchr::memchr(b'<', text).is_some() && self.outside_xml(text, line, out) {
            return;
        }
        let tag = tag::find(text);
        let was_open = self.sanitizers.is_open();
        // What stands before a tag has lost its end: another process wrote into the line.
        let untagged = tag.map_or(text, |tag| &text[..tag.at]);
        let is_plain = !untagged.is_empty()
            && markers.are_in(untagged)
            && self.plain.opens(untagged, line, self.name.as_ref(), out);
        if !is_plain && (tag.is_none() || speaks(untagged)) {
            failures::outside_of_reports(untagged, line, out);
            self.untagged(untagged, line, out);
        }
        match tag {
            Some(tag) if tag.is_valgrind() => self.valgrind(&tag, line, out),
            Some(tag) => self.sanitizer(text, tag, line, out),
            None => {}
        }
        if !was_open && self.sanitizers.is_open() {
            // Frames look alike; from here on they are those of the report that has just begun.
            self.plain.finish(line.number, self.name.as_ref(), out);
        }
    }

    /// Reads a line of a generated suppression. False when the line is not its own.
    fn generated(&mut self, text: &[u8], out: &mut Collector) -> bool {
        if let Some(pid) = self.recorded.take() {
            let opens = Block::opens(text);
            self.block = opens.then(|| (pid, Block::default()));
            return opens;
        }
        let Some((pid, mut block)) = self.block.take() else {
            return false;
        };
        match block.line(text) {
            Step::More => self.block = Some((pid, block)),
            Step::Foreign => return false,
            Step::Done(generated) => {
                if let Some(process) = self.processes.get_mut(&pid) {
                    process.generated(generated, out);
                }
            }
        }
        true
    }

    /// Reads a line of the open document. False when the line is not its own.
    fn xml_line(
        &mut self,
        text: &[u8],
        trimmed: &[u8],
        line: &Line<'_>,
        out: &mut Collector,
    ) -> bool {
        let Some(xml) = &mut self.xml else {
            return false;
        };
        if trimmed.starts_with(b"==") && tag::find(text).is_some() {
            return false;
        }
        if !trimmed.starts_with(b"<")
            && !trimmed.is_empty()
            && (self.sanitizers.is_open() || speaks(trimmed))
        {
            return false;
        }
        if tag::find(text).is_some_and(|tag| {
            tag.is_valgrind() && Process::begins_with(tag.rest.trim_ascii_start())
        }) {
            out.problem(
                Code::Interleaved,
                line.number,
                None,
                "another process writes into a line of the XML document",
            );
        }
        let another = trimmed.starts_with(b"<valgrindoutput");
        let goes_on = trimmed.trim_ascii_end() == xml::GOES_ON.as_bytes() && xml.goes_on(out);
        let own = goes_on || !another && xml.line(text, line, out);
        if another {
            xml.finish(out);
        }
        if xml.is_done() {
            self.xml = None;
        }
        own
    }

    /// Reads a line that holds `<` and belongs to no document. False when it is none of an XML
    /// document.
    fn outside_xml(&mut self, text: &[u8], line: &Line<'_>, out: &mut Collector) -> bool {
        let is_end =
            |at: usize| text[..at].trim_ascii().is_empty() || is_prefix(text[..at].trim_ascii());
        if find(text, b"</valgrindoutput>").is_some_and(is_end) {
            let message = "an XML document ends whose beginning is not in the log";
            out.problem(Code::Interleaved, line.number, None, message);
        } else if let Some(at) = find(text, b"<valgrindoutput").filter(|at| is_start_tag(text, *at))
        {
            self.open_xml(text, at, line, out);
        } else if xml::is_fragment(text) {
            let message = "a part of an XML document whose beginning is not in the log";
            out.problem(Code::Truncated, line.number, None, message);
        } else {
            return false;
        }
        true
    }

    fn open_xml(&mut self, text: &[u8], at: usize, line: &Line<'_>, out: &mut Collector) {
        self.lead.learn(&text[..at]);
        let mut document = Document::new(self.name.clone(), line.number, out);
        document.line(&text[at..], line, out);
        if !document.is_done() {
            self.xml = Some(document);
        }
    }

    fn valgrind(&mut self, tag: &Tag<'_>, line: &Line<'_>, out: &mut Collector) {
        // What valgrind says at `-v` (`--PID--`) and what the program prints (`**PID**`) are no
        // part of a report.
        if tag.mark != b'=' {
            self.unknown = Some((tag.pid, None, line.number));
            return;
        }
        let text = tag.rest.trim_ascii_start();
        if !text.starts_with(b"Command: ") && (holds_tag(tag.rest) || is_torn(text)) {
            let message = "another process writes into the line of this one: the end of the line is lost, and what the other says";
            out.problem(Code::Interleaved, line.number, Some(tag.pid), message);
        }
        if let Some(tool) = Process::header_of(text) {
            self.has_header = true;
            self.tool = Some(tool);
            if let Some(mut older) = self.processes.remove(&tag.pid) {
                older.finish(End::Replaced, out);
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

    /// Begins to follow a process, if the line is one of valgrind's: `==1== text` stands in other
    /// outputs, too.
    fn begin_process(&mut self, tag: &Tag<'_>, line: &Line<'_>, out: &mut Collector) -> bool {
        let text = tag.rest.strip_prefix(b" ").unwrap_or(tag.rest);
        let before = self.unknown.take().filter(|(pid, ..)| *pid == tag.pid);
        let stack = frame::valgrind(text).map(|(first, _)| first);
        if stack == Some(true) && before.is_none() {
            out.problem(
                Code::Truncated,
                line.number,
                Some(tag.pid),
                "a stack whose headline is not in the log",
            );
        }
        let title = before
            .filter(|_| stack == Some(true))
            .and_then(|(_, title, line)| Some((title?, line)));
        if title.is_none() && !Process::begins_with(text) {
            let is_blank = text.trim_ascii().is_empty();
            let title = (stack.is_none() && !text.starts_with(b"Warning: ")).then(|| text_of(text));
            self.unknown = (!is_blank).then_some((tag.pid, title, line.number));
            return false;
        }
        let max = out.options.max_processes;
        if self.processes.len() >= max {
            let end = self.end();
            for (_, mut ended) in self.processes.extract_if(|_, process| process.has_ended()) {
                ended.finish(end, out);
            }
        }
        if self.processes.len() >= max {
            let message =
                alloc::format!("more than {max} processes at once; this one was not read");
            out.problem(Code::TooManyProcesses, line.number, Some(tag.pid), message);
            return false;
        }
        let tool = Process::tool_of(text)
            .or(self.tool.clone())
            .unwrap_or(Tool::Memcheck);
        let mut process = Process::new(tool, tag.pid, self.name.as_ref(), line.number, out);
        process.is_first = !self.has_header;
        if let Some((title, line)) = title {
            process.expect_title(title, line);
        }
        self.processes.insert(tag.pid, process);
        true
    }

    fn end(&self) -> End {
        if self.has_header {
            End::Loud
        } else {
            End::Quiet
        }
    }

    fn sanitizer<'a>(
        &mut self,
        text: &'a [u8],
        tag: Tag<'a>,
        line: &Line<'_>,
        out: &mut Collector,
    ) {
        if !self.is_open() {
            self.lead.learn(&text[..tag.at]);
        }
        if tag
            .rest
            .get(1..)
            .is_some_and(|text| Process::begins_with(text.trim_ascii_start()))
        {
            let message = "a line of valgrind's with a tag that is damaged";
            out.problem(Code::Interleaved, line.number, Some(tag.pid), message);
        }
        // Some messages lack their line feed, so that the next process goes on in the same line.
        let mut next = Some(tag);
        while let Some(tag) = next {
            next = tag::find_from(tag.rest, 0);
            if tag.is_valgrind() {
                return self.valgrind(&tag, line, out);
            }
            let own = next.map_or(tag.rest, |next| &tag.rest[..next.at]);
            self.sanitizers
                .line(own, Some(tag.pid), line, self.name.as_ref(), out);
        }
    }

    fn untagged(&mut self, text: &[u8], line: &Line<'_>, out: &mut Collector) {
        self.sanitizers
            .line(text, None, line, self.name.as_ref(), out);
    }

    /// The input ends.
    pub(crate) fn finish(&mut self, last_line: u64, out: &mut Collector) {
        let mut processes: Vec<_> = core::mem::take(&mut self.processes).into_values().collect();
        processes.sort_unstable_by_key(|p| p.report);
        let end = self.end();
        for mut process in processes {
            process.finish(end, out);
        }
        self.sanitizers.finish(last_line, out);
        self.plain.finish(last_line, self.name.as_ref(), out);
        if let Some(mut xml) = self.xml.take() {
            xml.finish(out);
        }
    }
}
