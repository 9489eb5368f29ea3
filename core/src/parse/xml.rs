//! valgrind's XML, read element by element, so that a document that is cut, concatenated, or larger than memory still gives
//! every complete element.
//!
//! The children of `<valgrindoutput>` are cut out by their end tags (none of them nests in itself) and handed to the tokenizer one at
//! a time. Elements that are not known are skipped: newer protocols add some.
//!
//! Source: `docs/internals/xml-output-protocol4.txt` to `-protocol6.txt`, and what 3.19 to 3.27 really print.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xmlparser::{ElementEnd, Token, Tokenizer};

use super::collect::Collector;
use super::memcheck::amount;
use super::xml_error;
use crate::bytes::{contains, find, lossy, trim_start};
use crate::line::Line;
use crate::model::{Amount, LeakSummary, ShownLeaks, Text, Tool};
use crate::problem::Code;

/// The largest element that is waited for.
const MAX_ELEMENT: usize = 16 << 20;

/// One `<valgrindoutput>`.
#[derive(Debug)]
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
        Self { report, stream, buffer: Vec::new(), searched: 0, first_line: line, state: State::Inside, waiting: false, search_done: false }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// True when the line belongs to the document; false when it goes on with something else.
    pub(crate) fn line(&mut self, text: &[u8], line: &Line<'_>, out: &mut Collector) -> bool {
        if self.state == State::Ended && !self.resume(text, line.number, out) {
            return self.state != State::Done;
        }
        out.touch(self.report, line.bytes, line.number);
        if self.buffer.is_empty() {
            self.first_line = line.number;
        }
        self.buffer.extend_from_slice(text);
        if !line.continues {
            self.buffer.push(b'\n');
        }
        // An end tag mostly begins its line; where it does not, the next one that does will find it.
        const SHORT: usize = 1024;
        if self.waiting && text.len() < SHORT && !trim_start(text).starts_with(b"</") {
            return true;
        }
        self.read(line.number, out);
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

    /// The input, or the document's place in it, ends.
    pub(crate) fn finish(&mut self, out: &mut Collector) {
        let last_line = out.reports[self.report].last_line;
        self.read(last_line, out);
        let report = &out.reports[self.report];
        if self.state == State::Inside {
            let (line, pid) = (report.last_line, report.pid);
            out.problem(Code::Truncated, line, pid, "the XML document has no end tag: the log is cut, or the process was killed");
        }
        self.state = State::Done;
    }

    /// After the end tag: elements that follow are those of a parent that shares the file with its child.
    fn resume(&mut self, text: &[u8], line: u64, out: &mut Collector) -> bool {
        let text = text.trim_ascii();
        if text.is_empty() {
            return false;
        }
        let goes_on = text.starts_with(b"<") && !text.starts_with(b"<?") && !text.starts_with(b"<valgrindoutput");
        if !goes_on {
            self.state = State::Done;
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
        report.complete = true;
        report.last_line = line;
    }

    fn malformed(&self, line: u64, what: &str, out: &mut Collector) {
        let pid = out.reports[self.report].pid;
        out.problem(Code::MalformedXml, line, pid, what);
    }

    fn element(&mut self, name: &[u8], bytes: &[u8], line: u64, out: &mut Collector) {
        let text = lossy(bytes);
        let report = &mut out.reports[self.report];
        let inner = || plain(&text);
        match name {
            b"pid" => report.pid = inner().parse().ok(),
            b"ppid" => report.parent = inner().parse().ok(),
            b"protocoltool" | b"tool" => report.tool = tool(&inner()),
            b"preamble" => report.version = version(&text),
            b"args" => arguments(&text, report),
            b"error" => {
                let span = (self.first_line, line);
                if let Err(what) = xml_error::read(&text, self.report, span, &mut self.search_done, out) {
                    self.malformed(line, &what, out);
                }
            }
            b"fatal_signal" => xml_error::read_signal(&text, self.report, (self.first_line, line), out),
            b"all_heap_blocks_freed" => report.stated.all_freed = inner() != "false",
            b"leak_summary" => {
                report.searches += u32::from(core::mem::replace(&mut self.search_done, true));
                report.stated.leaks = Some(leak_summary(&text));
            }
            b"heap_summary" => {
                let in_use = amounts(&text, "memory_in_use_at_exit");
                report.stated.in_use = in_use;
                report.stated.all_freed |= contains(bytes, b"<all_heap_blocks_freed>true");
            }
            b"error_summary" => {
                let number = |name| value(&text, name).and_then(|v| amount(v.as_bytes()).map(|a| a.0));
                report.stated.errors = number("errors");
                report.stated.contexts = number("error_contexts");
                report.stated.suppressed_errors = number("suppressed");
            }
            _ => {}
        }
    }
}

enum Next<'a> {
    Nothing,
    Incomplete,
    Skip(usize),
    End(usize),
    Element { name: &'a [u8], text: &'a [u8], len: usize },
}

/// What stands at the start of the text.
fn next_element(text: &[u8], searched: usize) -> Next<'_> {
    let until = |end: &[u8]| find(text, end).map_or(Next::Incomplete, |at| Next::Skip(at + end.len()));
    match text {
        [] => Next::Nothing,
        [b'<', b'?', ..] => until(b"?>"),
        [b'<', b'!', b'-', b'-', ..] => until(b"-->"),
        [b'<', b'!', ..] => until(b">"),
        [b'<', b'/', ..] => match memchr::memchr(b'>', text) {
            None => Next::Incomplete,
            Some(end) if text.starts_with(b"</valgrindoutput") => Next::End(end + 1),
            Some(end) => Next::Skip(end + 1),
        },
        [b'<', rest @ ..] => {
            let n = rest.iter().position(|b| !(b.is_ascii_alphanumeric() || *b == b'_')).unwrap_or(rest.len());
            let name = &rest[..n];
            let Some(open) = memchr::memchr(b'>', text) else { return Next::Incomplete };
            if name == b"valgrindoutput" || text[open - 1] == b'/' || name.is_empty() {
                return Next::Skip(open + 1);
            }
            find_end(text, name, searched.max(open)).map_or(Next::Incomplete, |(at, len)| Next::Element {
                name,
                text: &text[..at + len],
                len: at + len,
            })
        }
        // Text between elements is not valgrind's: another process wrote into the file.
        _ => Next::Skip(memchr::memchr(b'<', text).unwrap_or(text.len())),
    }
}

/// Where `</name>` begins, and its length.
fn find_end(text: &[u8], name: &[u8], from: usize) -> Option<(usize, usize)> {
    let hay = text.get(from..)?;
    memchr::memchr_iter(b'<', hay).find_map(|at| {
        let end = hay[at..].strip_prefix(b"</")?.strip_prefix(name)?;
        end.starts_with(b">").then_some((from + at, name.len() + 3))
    })
}

/// The parts of an element: its start tags, and each text with the name of the element around it.
///
/// valgrind writes one element a line, and so they are read; what stands otherwise is left to the tokenizer. valgrind does not escape
/// everything (`<path><unbound> <-> <unbound></path>`): where the tokenizer stumbles too, lines are read whatever they hold.
pub(crate) fn texts<'a>(xml: &'a str, mut each: impl FnMut(&'a str, Part<'a>)) -> Result<(), String> {
    if lines(xml, true, &mut |_, _| {}) {
        lines(xml, true, &mut each);
        return Ok(());
    }
    match tokens(xml) {
        Ok(parts) => parts.into_iter().for_each(|(name, part)| each(name, part)),
        Err(_) if lines(xml, false, &mut |_, _| {}) => {
            lines(xml, false, &mut each);
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

fn tokens(xml: &str) -> Result<Vec<(&str, Part<'_>)>, String> {
    let mut path: Vec<&str> = Vec::new();
    let mut parts = Vec::new();
    for token in Tokenizer::from_fragment(xml, 0..xml.len()) {
        match token.map_err(|e| e.to_string())? {
            Token::ElementStart { local, .. } => {
                path.push(local.as_str());
                parts.push((local.as_str(), Part::Open));
            }
            Token::ElementEnd { end: ElementEnd::Close(..) | ElementEnd::Empty, .. } => {
                path.pop();
            }
            Token::Text { text } => {
                if let Some(name) = path.last().filter(|_| !text.as_str().trim().is_empty()) {
                    parts.push((*name, Part::Text(text.as_str())));
                }
            }
            _ => {}
        }
    }
    Ok(parts)
}

/// `<name>`, `</name>` or `<name>text</name>` a line; false where a line is none of these, or, if `strict`, where a text holds a tag.
pub(crate) fn lines<'a>(xml: &'a str, strict: bool, each: &mut dyn FnMut(&'a str, Part<'a>)) -> bool {
    let mut rest = xml;
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len());
        let line = rest[..end].trim_ascii();
        rest = rest.get(end + 1..).unwrap_or_default();
        if line.is_empty() || line.starts_with("</") {
            continue;
        }
        let Some(open) = line.bytes().position(|b| b == b'>').filter(|_| line.starts_with('<')) else { return false };
        let (name, inner) = (&line[1..open], &line[open + 1..]);
        if name.starts_with(['!', '?']) || name.ends_with('/') {
            return false;
        }
        each(name, Part::Open);
        if !inner.is_empty() {
            let text = inner.strip_suffix('>').and_then(|r| r.strip_suffix(name)).and_then(|r| r.strip_suffix("</"));
            let Some(text) = text.filter(|t| !strict || !t.as_bytes().contains(&b'<')) else { return false };
            each(name, Part::Text(text));
        }
    }
    true
}

/// What [`texts`] hands out.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part<'a> {
    Open,
    Text(&'a str),
}

/// Text with its entities resolved.
pub(crate) fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.find(';').filter(|n| *n < 12);
        let resolved = end.and_then(|n| entity(&rest[1..n]));
        match (resolved, end) {
            (Some(c), Some(n)) => {
                out.push(c);
                rest = &rest[n + 1..];
            }
            _ => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn entity(name: &str) -> Option<char> {
    Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let digits = name.strip_prefix('#')?;
            let code = match digits.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => digits.parse().ok()?,
            };
            char::from_u32(code)?
        }
    })
}

/// The text between the first start tag and the next tag.
fn plain(element: &str) -> String {
    let inner = element.split_once('>').map_or("", |(_, rest)| rest);
    unescape(inner.split('<').next().unwrap_or_default().trim()).into_owned()
}

/// The text of the first element of this name.
fn value<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let start = xml.find(&format!("<{name}>"))? + name.len() + 2;
    xml[start..].split('<').next()
}

/// `<name><bytes>…</bytes><blocks>…</blocks></name>`; 3.26.0 leaves out an end tag.
fn amounts(xml: &str, name: &str) -> Option<Amount> {
    let start = xml.find(&format!("<{name}>"))?;
    let rest = &xml[start..];
    let number = |tag| value(rest, tag).and_then(|v| amount(v.trim().as_bytes())).map(|a| a.0);
    Some(Amount { bytes: number("bytes")?, blocks: number("blocks").or_else(|| number("in_blocks"))? })
}

fn leak_summary(xml: &str) -> LeakSummary {
    let get = |name| amounts(xml, name).unwrap_or_default();
    LeakSummary {
        definite: get("definitely_lost"),
        indirect: get("indirectly_lost"),
        possible: get("possibly_lost"),
        reachable: get("still_reachable"),
        suppressed: get("suppressed"),
    }
}

fn tool(name: &str) -> Tool {
    match name {
        "memcheck" => Tool::Memcheck,
        "helgrind" => Tool::Helgrind,
        "drd" => Tool::Drd,
        _ => Tool::Custom(name.into()),
    }
}

fn version(preamble: &str) -> Option<Text> {
    let (_, rest) = preamble.split_once("Using Valgrind-")?;
    rest.split([' ', ';', '<']).next().map(Text::from)
}

/// The command, and which leaks its options show.
fn arguments(xml: &str, report: &mut crate::model::Report) {
    let mut own = Vec::new();
    let mut program = Vec::new();
    let mut in_program = false;
    let _ = texts(xml, |name, part| match part {
        Part::Open => in_program = in_program && name != "vargv" || name == "argv",
        Part::Text(text) if in_program => program.push(unescape(text.trim()).into_owned()),
        Part::Text(text) => own.push(unescape(text.trim()).into_owned()),
    });
    report.command = (!program.is_empty()).then(|| program.join(" ").into());
    report.shown = Some(shown(&own));
}

/// Which leaks `--leak-check` and `--show-leak-kinds` show; the last option of a kind wins.
fn shown(options: &[String]) -> ShownLeaks {
    let mut full = false;
    let mut kinds = ShownLeaks { definite: true, possible: true, ..ShownLeaks::default() };
    for option in options {
        match option.split_once('=') {
            Some(("--leak-check", how)) => full = matches!(how, "full" | "yes"),
            Some(("--show-leak-kinds", list)) => {
                let has = |kind| list == "all" || list.split(',').any(|k| k.trim() == kind);
                kinds = ShownLeaks {
                    definite: has("definite"),
                    indirect: has("indirect"),
                    possible: has("possible"),
                    reachable: has("reachable"),
                };
            }
            Some(("--show-reachable", yes)) => (kinds.reachable, kinds.indirect) = (yes == "yes", yes == "yes"),
            Some(("--show-possibly-lost", yes)) => kinds.possible = yes == "yes",
            _ => {}
        }
    }
    if full { kinds } else { ShownLeaks::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::borrow::ToOwned;

    #[test]
    fn text_that_valgrind_did_not_escape_is_read_all_the_same() {
        let xml = "<error>\n  <fd>4</fd>\n  <path><unbound> <-> &lt;</path>\n</error>";
        let mut seen = Vec::new();
        texts(xml, |name, part| {
            if let Part::Text(text) = part {
                seen.push((name, text));
            }
        })
        .unwrap();
        assert_eq!(seen, [("fd", "4"), ("path", "<unbound> <-> &lt;")]);
        assert!(texts("<error>\n<path><x y></path> z\n", |_, _| ()).is_err());
    }

    #[test]
    fn entities() {
        assert_eq!(unescape("a &lt;b&gt; &amp;amp; &#65;&#x42; &bad; &"), "a <b> &amp; AB &bad; &");
    }

    #[test]
    fn options_decide_which_leaks_are_shown() {
        let show = |options: &[&str]| {
            let s = shown(&options.iter().map(|o| (*o).to_owned()).collect::<Vec<_>>());
            (s.definite, s.indirect, s.possible, s.reachable)
        };
        assert_eq!(show(&[]), (false, false, false, false));
        assert_eq!(show(&["--leak-check=full"]), (true, false, true, false));
        assert_eq!(show(&["--leak-check=full", "--show-leak-kinds=definite"]), (true, false, false, false));
        assert_eq!(show(&["--leak-check=yes", "--show-reachable=yes"]), (true, true, true, true));
        assert_eq!(show(&["--leak-check=full", "--leak-check=summary"]), (false, false, false, false));
    }
}
