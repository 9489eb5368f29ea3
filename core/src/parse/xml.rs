//! valgrind's XML output, read element by element. A document that is truncated, concatenated, or
//! larger than memory still yields every complete element.
//!
//! The children of `<valgrindoutput>` are split at their end tags (none of them nests in itself)
//! and passed to the tokenizer one at a time. Unknown elements are skipped, because newer protocols
//! add some.
//!
//! Sources: `docs/internals/xml-output-protocol4.txt` to `-protocol6.txt`, and the actual output of
//! valgrind 3.19 to 3.27.

mod element;
mod error;
mod facts;
mod fragment;
mod rows;

use alloc::format;
use alloc::vec::Vec;

use memchr::memmem;

pub(crate) use self::element::unescape;
use self::element::{XmlItem, next_item};
pub(crate) use self::fragment::is_fragment;
pub(crate) use self::rows::Rows;
use super::collect::{Collector, Ending};
use super::memcheck::amount;
use super::threads::Threads;
use crate::bytes::{contains, lossy, trim_start};
use crate::line::Line;
use crate::model::{Text, Tool};
use crate::problem::Code;

/// Number of unrelated lines after which an ended document can no longer be continued.
const MAX_UNRELATED: u32 = 2000;

/// Maximum size of an element, in bytes.
const MAX_ELEMENT: usize = 16 << 20;

/// The line that `leakgate run` writes between the documents of a process that called `exec`. No
/// checker writes this line.
pub const EXEC_MARKER: &str = "<!-- the process went on as another program -->";

/// The line that `leakgate run` writes after the document of a process that called `exec` for a
/// program which is not checked.
pub const UNCHECKED_EXEC_MARKER: &str = "<!-- the process went on as an unchecked program -->";

/// Lines with fewer bytes than this can end an element only with a tag at their beginning.
const SHORT: usize = 1024;

/// One `<valgrindoutput>` document.
#[derive(Clone, Debug)]
pub(crate) struct XmlDocument {
    report: usize,
    stream: Option<Text>,
    buffer: Vec<u8>,
    /// Length of the part of the buffer that doesn't contain the end of its first element.
    searched: usize,
    /// Number of the line in which the first element of the buffer begins.
    first_line: u64,
    state: State,
    /// The buffer begins with an incomplete element.
    waiting: bool,
    /// A `<tool>` element was read. Without it and the state `FINISHED` the document proves
    /// nothing.
    has_tool: bool,
    /// The state `FINISHED` was read.
    finished: bool,
    threads: Threads,
    /// Number of lines after the end tag that valgrind did not write.
    unrelated: u32,
    /// A leak check was summed up; the next leak belongs to another one.
    leak_check_done: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Inside,
    /// The end tag was read. A second process may still continue its document in the same file.
    Ended,
    Done,
}

/// Returns how a document ends with a line that `leakgate run` wrote.
pub(crate) fn exec_ending(line: &[u8]) -> Option<Ending> {
    let line = line.trim_ascii_end();
    if line == EXEC_MARKER.as_bytes() {
        Some(Ending::ExecCalled)
    } else if line == UNCHECKED_EXEC_MARKER.as_bytes() {
        Some(Ending::UncheckedExecCalled)
    } else {
        None
    }
}

impl XmlDocument {
    pub(crate) fn new(stream: Option<Text>, line: u64, out: &mut Collector) -> Self {
        let report = out.open_report(Tool::Memcheck, None, stream.clone(), line);
        out.reports[report].report.has_header = true;
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
            threads: Threads::default(),
            unrelated: 0,
            leak_check_done: false,
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Reads a line. Returns false if the line isn't part of the document.
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

    /// Ends the document of a process that called `exec`; the new program's document follows.
    /// Returns false if this document is truncated or has ended already.
    pub(crate) fn end_by_exec(&mut self, ending: Ending, out: &mut Collector) -> bool {
        let is_whole = self.state == State::Inside
            && self.has_tool
            && !self.finished
            && self.buffer.trim_ascii().is_empty();
        if is_whole {
            out.reports[self.report].report.complete = true;
            out.reports[self.report].ending = ending;
            self.state = State::Done;
        }
        is_whole
    }

    /// Ends the document, because the input ends or another document begins.
    pub(crate) fn finish(&mut self, out: &mut Collector) {
        let last_line = out.reports[self.report].report.last_line;
        self.read(last_line, out);
        let report = &out.reports[self.report].report;
        // The incomplete element may contain an error.
        let holds_error = contains(&self.buffer, b"<error>");
        let is_bare =
            report.printed == 0 && report.parent.is_some() && !self.finished && !holds_error;
        if self.state == State::Inside && is_bare {
            out.reports[self.report].ending = Ending::BareHeader;
        } else if self.state == State::Inside {
            let line = report.last_line;
            let pid = report.pid;
            out.add_problem(
                Code::Truncated,
                line,
                pid,
                "the XML document has no end tag: the log is truncated, or the process was killed",
            );
        }
        self.state = State::Done;
    }

    /// Returns true if the line may end the incomplete element. An end tag usually begins its line.
    /// If one doesn't, the element is completed with the next end tag that does, or at the end of
    /// the input.
    fn may_end(&self, text: &[u8]) -> bool {
        match trim_start(text) {
            [b'<', b'/', tag @ ..] if tag.starts_with(element::name(&self.buffer)) => true,
            _ => text.len() >= SHORT || !element::has_name(&self.buffer),
        }
    }

    /// Continues after the end tag, if the line is an element of valgrind. Such elements were
    /// written by a parent process that shares the file with its child. Output of the program may
    /// come in between.
    fn resume(&mut self, text: &[u8], line: u64, out: &mut Collector) -> bool {
        const CONTINUATIONS: &[&[u8]] = &[
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
        if !CONTINUATIONS.iter().any(|start| text.starts_with(start)) {
            self.unrelated += 1;
            if self.unrelated > MAX_UNRELATED {
                self.state = State::Done;
            }
            return false;
        }
        let older = &out.reports[self.report].report;
        let tool = older.tool.clone();
        let pid = older.pid;
        out.add_problem(
            Code::Interleaved,
            line,
            pid,
            "two processes wrote to one XML file; give each its own with `--xml-file=NAME.%p`",
        );
        self.report = out.open_report(tool, None, self.stream.clone(), line);
        self.state = State::Inside;
        true
    }

    /// Reads the complete elements at the start of the buffer and returns their length in bytes.
    fn elements(&mut self, buffer: &[u8], line: u64, out: &mut Collector) -> usize {
        let mut read = 0;
        loop {
            let rest = &buffer[read..];
            let rest = rest.trim_ascii_start();
            read = buffer.len() - rest.len();
            let searched = core::mem::take(&mut self.searched).saturating_sub(read);
            match next_item(rest, searched) {
                XmlItem::Nothing => return read,
                XmlItem::Incomplete => {
                    self.searched = rest.len().saturating_sub(64);
                    return read;
                }
                XmlItem::Skip(len) => read += len,
                XmlItem::End(len) => {
                    read += len;
                    self.end(line, out);
                    return read;
                }
                XmlItem::Element { name, text, len } => {
                    self.element(name, text, line, out);
                    read += len;
                    self.first_line = line;
                }
            }
        }
    }

    fn end(&mut self, line: u64, out: &mut Collector) {
        self.state = State::Ended;
        let report = &mut out.reports[self.report].report;
        report.complete = self.finished && self.has_tool;
        report.last_line = line;
        let complete = report.complete;
        let pid = report.pid;
        if !complete {
            let message = "the XML document has no FINISHED state: valgrind could not start, or lines \
                           are lost";
            out.add_problem(Code::Truncated, line, pid, message);
        }
    }

    fn malformed(&self, line: u64, message: &str, out: &mut Collector) {
        let pid = out.reports[self.report].report.pid;
        out.add_problem(Code::MalformedXml, line, pid, message);
    }

    fn element(&mut self, name: &[u8], bytes: &[u8], line: u64, out: &mut Collector) {
        self.check_nesting(name, bytes, line, out);
        match name {
            b"status" => self.finished |= contains(bytes, b"<state>FINISHED"),
            b"stack" => {
                let lines = self.first_line..=line;
                error::read_descriptor(&lossy(bytes), self.report, lines, out);
            }
            b"announcethread" => error::announce(&lossy(bytes), &mut self.threads, out),
            b"error" => self.error(bytes, line, out),
            b"clientmsg" => self.client_message(bytes, out),
            b"fatal_signal" => {
                let lines = self.first_line..=line;
                error::read_fatal_signal(&lossy(bytes), self.report, lines, out);
            }
            _ => self.header_or_summary(name, bytes, out),
        }
    }

    /// Reads a message of the program, which may be the line of a checkpoint. Leaks after it belong
    /// to another leak check than those before.
    fn client_message(&mut self, bytes: &[u8], out: &mut Collector) {
        let text = lossy(bytes);
        let message = facts::value(&text, "text").unwrap_or_default();
        let message = message.trim_ascii();
        let pid = out.reports[self.report].report.pid;
        if let Some(pid) = pid.filter(|_| message.starts_with("leakgate: ")) {
            self.leak_check_done = true;
            let source = self.stream.as_deref().unwrap_or_default();
            let text = format!("**{pid}** {message}");
            out.tests
                .line(source.as_bytes(), text.as_bytes(), self.first_line);
        }
    }

    /// Reports parts of an error that are outside of an `<error>`.
    fn check_nesting(&self, name: &[u8], bytes: &[u8], line: u64, out: &mut Collector) {
        let swallows = |part: &[u8]| name != b"error" && contains(bytes, part);
        if matches!(name, b"unique" | b"kind" | b"frame")
            || [&b"<error>"[..], b"</error>", b"</valgrindoutput"]
                .into_iter()
                .any(swallows)
        {
            let message = "parts of an error outside of an `<error>` element: lines are lost";
            self.malformed(line, message, out);
        }
    }

    fn error(&mut self, bytes: &[u8], line: u64, out: &mut Collector) {
        let mut rest = bytes;
        while let Some(second) = memmem::find(&rest[1..], b"<error>") {
            self.malformed(line, "an `<error>` has no end tag: lines are lost", out);
            let (first, others) = rest.split_at(second + 1);
            self.single_error(first, line, out);
            rest = others;
        }
        self.single_error(rest, line, out);
    }

    fn single_error(&mut self, bytes: &[u8], line: u64, out: &mut Collector) {
        let lines = self.first_line..=line;
        if let Err(message) = error::read(
            &lossy(bytes),
            self.report,
            lines,
            &mut self.leak_check_done,
            &self.threads,
            out,
        ) {
            self.malformed(line, &message, out);
        }
    }

    fn header_or_summary(&mut self, name: &[u8], bytes: &[u8], out: &mut Collector) {
        let text = lossy(bytes);
        let open = &mut out.reports[self.report];
        let report = &mut open.report;
        let inner = || facts::inner_text(&text);
        match name {
            b"pid" => report.pid = inner().parse().ok(),
            b"ppid" => report.parent = inner().parse().ok(),
            b"protocoltool" | b"tool" => {
                report.tool = facts::tool(&inner());
                self.has_tool = true;
            }
            b"preamble" => report.version = facts::version(&text),
            b"args" => facts::arguments(&text, report),
            b"errorcounts" => {
                let stated = memmem::find_iter(bytes, b"<pair>").count() as u64;
                open.stated_errors.push(stated);
            }
            b"all_heap_blocks_freed" => report.totals.all_freed = inner() != "false",
            b"leak_summary" => {
                let is_next = core::mem::replace(&mut self.leak_check_done, true);
                open.leak_checks += u32::from(is_next);
                report.totals.leaks = Some(facts::leak_summary(&text));
            }
            b"heap_summary" => {
                let in_use = facts::amounts(&text, "memory_in_use_at_exit");
                report.totals.in_use = in_use;
                report.totals.all_freed |= contains(bytes, b"<all_heap_blocks_freed>true");
            }
            b"error_summary" => {
                let number = |name| {
                    facts::value(&text, name).and_then(|v| amount(v.as_bytes()).map(|a| a.0))
                };
                report.totals.errors = number("errors");
                report.totals.contexts = number("error_contexts");
                report.totals.suppressed_errors = number("suppressed");
            }
            _ => {}
        }
    }
}
