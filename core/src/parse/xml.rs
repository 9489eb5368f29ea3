//! valgrind's XML, read element by element, so that a document that is cut, concatenated, or larger
//! than memory still gives every complete element.
//!
//! The children of `<valgrindoutput>` are cut out by their end tags (none of them nests in itself)
//! and handed to the tokenizer one at a time. Elements that are not known are skipped: newer
//! protocols add some.
//!
//! Source: `docs/internals/xml-output-protocol4.txt` to `-protocol6.txt`, and what 3.19 to 3.27
//! really print.

mod element;
mod error;
mod facts;
mod fragment;
mod rows;

use alloc::format;
use alloc::vec::Vec;

pub(crate) use self::element::unescape;
use self::element::{Next, next_element};
pub(crate) use self::fragment::is_fragment;
pub(crate) use self::rows::Rows;
use super::collect::Collector;
use super::memcheck::amount;
use super::threads::Threads;
use memchr::memmem;

use crate::bytes::{contains, lossy, trim_start};
use crate::line::Line;
use crate::model::{Text, Tool};
use crate::numbers::count;
use crate::problem::Code;

/// After so many lines nobody goes on with a document.
const MAX_FOREIGN: u32 = 2000;

/// The largest element that is waited for.
const MAX_ELEMENT: usize = 16 << 20;

/// The line by which `leakgate run` parts the documents of a process that became another program.
/// Checkers write none such.
pub const GOES_ON: &str = "<!-- the process went on as another program -->";

/// Lines of fewer bytes are searched for an end tag only at their beginning.
const SHORT: usize = 1024;

/// One `<valgrindoutput>`.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    report: usize,
    stream: Option<Text>,
    buffer: Vec<u8>,
    /// Up to where the end of the first element in the buffer was searched for.
    searched: usize,
    /// The line in which the first element of the buffer begins.
    first_line: u64,
    state: State,
    /// The buffer begins with an element whose end has not come yet.
    waiting: bool,
    /// `<tool>` was read, and the state `FINISHED`: without them the document proves nothing.
    has_tool: bool,
    finished: bool,
    /// Stacks that stand alone after the end of the process: descriptors that 3.19 found open, of
    /// which the text log tells more.
    bare_stacks: usize,
    threads: Threads,
    /// Lines after the end tag that are none of valgrind's.
    foreign: u32,
    /// A leak search has been summed up; the next leak belongs to another one.
    search_done: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Inside,
    /// The end tag was read. A second process may still write its rest into the same file.
    Ended,
    Done,
}

impl Document {
    pub(crate) fn new(stream: Option<Text>, line: u64, out: &mut Collector) -> Self {
        let report = out.open_report(Tool::Memcheck, None, stream.clone(), line);
        out.reports[report].has_header = true;
        Self {
            report,
            stream,
            buffer: Vec::new(),
            searched: 0,
            first_line: line,
            state: State::Inside,
            waiting: false,
            has_tool: false,
            finished: false,
            bare_stacks: 0,
            threads: Threads::default(),
            foreign: 0,
            search_done: false,
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// True when the line belongs to the document; false when it goes on with something else.
    pub(crate) fn line(&mut self, text: &[u8], line: &Line<'_>, out: &mut Collector) -> bool {
        if self.state == State::Ended && !self.resume(text, line.number, out) {
            return false;
        }
        out.touch(self.report, line.bytes, line.number);
        if self.buffer.is_empty() {
            self.first_line = line.number;
        }
        self.buffer.extend_from_slice(text);
        if !line.continues {
            self.buffer.push(b'\n');
        }
        if !self.waiting || self.may_end(text) {
            self.read(line.number, out);
        }
        if self.buffer.len() > MAX_ELEMENT {
            self.malformed(line.number, "an element is longer than 16 MiB", out);
            self.buffer.clear();
            self.searched = 0;
        }
        true
    }

    fn read(&mut self, line: u64, out: &mut Collector) {
        let buffer = core::mem::take(&mut self.buffer);
        let read = self.elements(&buffer, line, out);
        self.buffer = buffer;
        self.buffer.drain(..read);
        self.waiting = !self.buffer.is_empty();
    }

    /// The process went on as another program (`exec`), whose document follows. False where this
    /// one is cut, or has ended.
    pub(crate) fn goes_on(&mut self, out: &mut Collector) -> bool {
        let is_whole = self.state == State::Inside
            && self.has_tool
            && !self.finished
            && self.buffer.trim_ascii().is_empty();
        if is_whole {
            out.reports[self.report].complete = true;
            out.went_on.push(self.report);
            self.state = State::Done;
        }
        is_whole
    }

    /// The input, or the document's place in it, ends.
    pub(crate) fn finish(&mut self, out: &mut Collector) {
        let last_line = out.reports[self.report].last_line;
        self.read(last_line, out);
        let report = &out.reports[self.report];
        // What is still waited for may have swallowed an error.
        let holds_error = contains(&self.buffer, b"<error>");
        let bare = report.printed == 0 && report.parent.is_some() && !self.finished && !holds_error;
        if self.state == State::Inside && bare {
            out.bare_children.push(self.report);
        } else if self.state == State::Inside {
            let (line, pid) = (report.last_line, report.pid);
            out.problem(
                Code::Truncated,
                line,
                pid,
                "the XML document has no end tag: the log is cut, or the process was killed",
            );
        }
        self.state = State::Done;
    }

    /// True when the line may end the element that is waited for. An end tag mostly begins its
    /// line; where it does not, the next one that does, or the end of the input, will find it.
    fn may_end(&self, text: &[u8]) -> bool {
        match trim_start(text) {
            [b'<', b'/', tag @ ..] if tag.starts_with(element::name(&self.buffer)) => true,
            _ => text.len() >= SHORT || !element::has_name(&self.buffer),
        }
    }

    /// After the end tag: elements of valgrind's that follow are those of a parent that shares the
    /// file with its child. What the program itself prints may stand between.
    fn resume(&mut self, text: &[u8], line: u64, out: &mut Collector) -> bool {
        const OWN: &[&[u8]] = &[
            b"<error>",
            b"<status>",
            b"<errorcounts>",
            b"<suppcounts>",
            b"<fatal_signal>",
            b"<announcethread>",
            b"<stack>",
            b"<heap_summary>",
            b"<leak_summary>",
            b"<error_summary>",
            b"<all_heap_blocks_freed>",
            b"</valgrindoutput>",
        ];
        let text = text.trim_ascii();
        if !OWN.iter().any(|own| text.starts_with(own)) {
            self.foreign += 1;
            if self.foreign > MAX_FOREIGN {
                self.state = State::Done;
            }
            return false;
        }
        let older = &out.reports[self.report];
        let (tool, pid) = (older.tool.clone(), older.pid);
        out.problem(
            Code::Interleaved,
            line,
            pid,
            "two processes wrote into one XML file; give each its own with `--xml-file=NAME.%p`",
        );
        self.report = out.open_report(tool, None, self.stream.clone(), line);
        self.state = State::Inside;
        self.bare_stacks = 0;
        true
    }

    /// Reads the complete elements at the start of the buffer; returns how many bytes they take.
    fn elements(&mut self, buffer: &[u8], line: u64, out: &mut Collector) -> usize {
        let mut read = 0;
        loop {
            let rest = &buffer[read..];
            let rest = rest.trim_ascii_start();
            read = buffer.len() - rest.len();
            let searched = core::mem::take(&mut self.searched).saturating_sub(read);
            match next_element(rest, searched) {
                Next::Nothing => return read,
                Next::Incomplete => {
                    self.searched = rest.len().saturating_sub(64);
                    return read;
                }
                Next::Skip(len) => read += len,
                Next::End(len) => {
                    read += len;
                    self.end(line, out);
                    return read;
                }
                Next::Element { name, text, len } => {
                    self.element(name, text, line, out);
                    read += len;
                    self.first_line = line;
                }
            }
        }
    }

    fn end(&mut self, line: u64, out: &mut Collector) {
        self.state = State::Ended;
        let report = &mut out.reports[self.report];
        report.complete = self.finished && self.has_tool;
        report.last_line = line;
        let (complete, pid) = (report.complete, report.pid);
        if !complete {
            let message = "the XML document does not say that the process finished: valgrind could not start, or lines are lost";
            out.problem(Code::Truncated, line, pid, message);
        }
        if self.bare_stacks > 0 {
            let open = count(self.bare_stacks as u64, "descriptor", "descriptors");
            let message = format!(
                "{open} open at exit, of which this XML gives no more than the stacks; see valgrind's text output"
            );
            out.problem(Code::LeaksNotShown, line, pid, message);
        }
    }

    fn malformed(&self, line: u64, what: &str, out: &mut Collector) {
        let pid = out.reports[self.report].pid;
        out.problem(Code::MalformedXml, line, pid, what);
    }

    fn element(&mut self, name: &[u8], bytes: &[u8], line: u64, out: &mut Collector) {
        let text = lossy(bytes);
        let swallows = |part: &[u8]| name != b"error" && contains(bytes, part);
        if matches!(name, b"unique" | b"kind" | b"frame")
            || [&b"<error>"[..], b"</error>", b"</valgrindoutput"]
                .into_iter()
                .any(swallows)
        {
            self.malformed(
                line,
                "elements of an error stand outside of one: lines are lost",
                out,
            );
        }
        let report = &mut out.reports[self.report];
        let inner = || facts::plain(&text);
        match name {
            b"pid" => report.pid = inner().parse().ok(),
            b"ppid" => report.parent = inner().parse().ok(),
            b"protocoltool" | b"tool" => {
                report.tool = facts::tool(&inner());
                self.has_tool = true;
            }
            b"status" => self.finished |= contains(bytes, b"<state>FINISHED"),
            b"stack" => self.bare_stacks += 1,
            b"errorcounts" => out.counted.push((
                self.report,
                memmem::find_iter(bytes, b"<pair>").count() as u64,
            )),
            b"announcethread" => error::announce(&text, &mut self.threads, out),
            b"preamble" => report.version = facts::version(&text),
            b"args" => facts::arguments(&text, report),
            b"error" => {
                if let Some(second) = memmem::find(&bytes[1..], b"<error>") {
                    self.malformed(line, "an `<error>` has no end tag: lines are lost", out);
                    let (first, rest) = bytes.split_at(second + 1);
                    self.element(name, first, line, out);
                    return self.element(name, rest, line, out);
                }
                let span = (self.first_line, line);
                if let Err(what) = error::read(
                    &text,
                    self.report,
                    span,
                    &mut self.search_done,
                    &self.threads,
                    out,
                ) {
                    self.malformed(line, &what, out);
                }
            }
            b"fatal_signal" => error::read_signal(&text, self.report, (self.first_line, line), out),
            b"all_heap_blocks_freed" => report.stated.all_freed = inner() != "false",
            b"leak_summary" => {
                report.searches += u32::from(core::mem::replace(&mut self.search_done, true));
                report.stated.leaks = Some(facts::leak_summary(&text));
            }
            b"heap_summary" => {
                let in_use = facts::amounts(&text, "memory_in_use_at_exit");
                report.stated.in_use = in_use;
                report.stated.all_freed |= contains(bytes, b"<all_heap_blocks_freed>true");
            }
            b"error_summary" => {
                let number = |name| {
                    facts::value(&text, name).and_then(|v| amount(v.as_bytes()).map(|a| a.0))
                };
                report.stated.errors = number("errors");
                report.stated.contexts = number("error_contexts");
                report.stated.suppressed_errors = number("suppressed");
            }
            _ => {}
        }
    }
}
