//! The parser, which converts bytes to reports, findings and problems. It never fails.
//!
//! Bytes are fed in chunks of any size, which doesn't affect the result. While no report is open,
//! the parser jumps from marker to marker (see `parse/detect.rs`) and ignores all other lines.

mod asan;
mod collect;
mod detect;
mod drd;
mod failures;
mod finalize;
mod finding_builder;
mod frame;
mod generated;
mod harness;
mod heads;
mod helgrind;
mod hwasan;
mod learned_prefix;
mod lines;
mod lsan;
mod memcheck;
mod msan;
mod place;
mod sanitizer;
mod scan;
mod stream;
mod summary;
mod tag;
mod threads;
mod truncation;
mod tsan;
mod ubsan;
mod unsupported;
mod untagged;
mod valgrind;
mod xml;

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;

pub(crate) use self::collect::Collector;
use self::detect::Markers;
use self::lines::LineReader;
pub use self::scan::{Scan, Scanner};
pub(crate) use self::xml::unescape;
pub use self::xml::{EXEC_MARKER as XML_GOES_ON, UNCHECKED_EXEC_MARKER as XML_GOES_ON_UNCHECKED};
use crate::custom_format::CustomFormat;
use crate::encoding::Decoder;
use crate::model::{Finding, Input, Report};
use crate::options::Options;
use crate::problem::Problem;

/// The parsed data of all inputs.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// The inputs, in the order of [`Parser::begin`].
    pub inputs: Vec<Input>,
    /// One report per checker and process. They are boxed, because there may be many, and a growing
    /// list of large values would be copied and half empty.
    pub reports: Vec<Box<Report>>,
    /// The findings, in order of first appearance.
    pub findings: Vec<Finding>,
    /// Truncated, unreadable or contradictory output, ordered by input and line.
    pub problems: Vec<Problem>,
}

/// Returns the kinds in the parser's tables, and the known kinds that checkers name in their
/// headlines.
#[cfg(test)]
pub(crate) fn known_kinds() -> Vec<&'static str> {
    const IN_CODE: &str = "\
        leak-definite leak-indirect leak-possible leak-reachable fd-leak fd-inherited \
        fatal-signal unknown-error fishy-value core-mem-error \
        mismatched-allocate-deallocate-alignment mismatched-allocate-deallocate-size \
        mismatched-allocate-deallocate-size-and-alignment fd-bad-close fd-bad-use \
        invalid-bool-load invalid-enum-load implicit-conversion undefined-behavior race \
        lock-order unlock-unlocked unlock-bogus unlock-foreign pth-api-error misc dubious \
        invalid-thread-id cond-err";
    const ASAN: &str = "\
        heap-buffer-overflow heap-use-after-free stack-buffer-underflow \
        initialization-order-fiasco stack-buffer-overflow stack-use-after-return \
        use-after-poison container-overflow stack-use-after-scope global-buffer-overflow \
        intra-object-overflow dynamic-stack-buffer-overflow unknown-crash \
        alloc-dealloc-mismatch new-delete-type-mismatch odr-violation invalid-pointer-pair \
        memcpy-param-overlap strcat-param-overlap negative-size-param stack-overflow segv \
        fpe ill bus abrt trap access-violation use-of-uninitialized-value tag-mismatch \
        invalid-free allocation-tail-overwritten";
    let tables = [
        memcheck::HEADLINES,
        drd::HEADLINES,
        asan::HEADLINES,
        tsan::HEADLINES,
        ubsan::MESSAGES,
        ubsan::MINIMAL,
        sanitizer::FUZZER_KINDS,
    ];
    let untagged = untagged::known_kinds();
    let in_tables = tables.into_iter().flatten().map(|(_, kind)| *kind);
    in_tables
        .chain(untagged)
        .chain([IN_CODE, ASAN].into_iter().flat_map(str::split_whitespace))
        .collect()
}

/// A parser for any number of inputs, one after the other.
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
/// assert_eq!(parsed.findings[0].stacks[0].frames[0].info.line, Some(3));
/// assert!(parsed.problems.is_empty());
/// ```
#[derive(Clone, Debug)]
pub struct Parser {
    markers: Markers,
    decoder: Decoder,
    lines: LineReader,
    in_input: bool,
}

impl Parser {
    /// Creates a parser with these limits.
    pub fn new(options: Options) -> Self {
        Self::with_formats(options, &[])
    }

    /// Creates a parser that also reads custom formats, see [`crate::rules::Config::formats`].
    pub fn with_formats(options: Options, formats: &[CustomFormat]) -> Self {
        let lines = LineReader::new(options, formats);
        Self {
            markers: Markers::new(formats),
            decoder: Decoder::default(),
            lines,
            in_input: false,
        }
    }

    /// Ends the current input and begins another one.
    pub fn begin(&mut self, name: &str) {
        self.end();
        self.lines.out.inputs.push(Input {
            name: name.to_string(),
            ..Input::default()
        });
        self.lines.begin();
        self.in_input = true;
    }

    /// Reads the next bytes of the input. Begins an input without a name if there is none.
    pub fn feed(&mut self, chunk: &[u8]) {
        if !self.in_input {
            self.begin("");
        }
        if let Some(input) = self.lines.out.inputs.last_mut() {
            input.bytes += chunk.len() as u64;
        }
        let lines = &mut self.lines;
        let markers = &self.markers;
        self.decoder
            .feed(chunk, &mut |text| lines.feed(text, markers));
    }

    /// Returns a search for the markers of this parser, for threads that read ahead.
    pub fn scanner(&self) -> Scanner {
        Scanner::new(self.markers.clone())
    }

    /// Reads the next bytes of the input, like [`Self::feed`], and uses the result of
    /// [`Scanner::scan`] for these bytes. The parsed data is the same.
    pub fn feed_scanned(&mut self, chunk: &[u8], scan: &Scan) {
        let is_bytes = self.in_input && scan.is_utf8 && self.decoder.passes_bytes(chunk);
        if scan.len != chunk.len() || !is_bytes {
            return self.feed(chunk);
        }
        if let Some(input) = self.lines.out.inputs.last_mut() {
            input.bytes += chunk.len() as u64;
        }
        self.lines.feed_scanned(chunk, scan, &self.markers);
    }

    /// Returns true if the parser reads every line, because a report is open. The result of a
    /// [`Scanner`] is useful only if this is false.
    pub fn is_in_report(&self) -> bool {
        self.lines.is_open()
    }

    /// Ends the last input, compares the records with the totals that the checkers stated, and
    /// returns the parsed data.
    pub fn finish(mut self) -> Parsed {
        self.end();
        let collector = finalize::finalize(self.lines.out);
        let reports = collector.reports.into_iter();
        Parsed {
            inputs: collector.inputs,
            reports: reports.map(|open| open.report).collect(),
            findings: collector.findings,
            problems: collector.problems,
        }
    }

    fn end(&mut self) {
        if !core::mem::take(&mut self.in_input) {
            return;
        }
        let lines = &mut self.lines;
        let markers = &self.markers;
        self.decoder.finish(&mut |text| lines.feed(text, markers));
        lines.end(markers);
    }
}

/// Returns the texts by which leakgate finds reports in a log. Outside of reports, a line without
/// any of them is ignored.
pub fn markers() -> Vec<&'static str> {
    detect::markers()
}
