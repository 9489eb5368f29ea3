//! The parser: bytes in, reports, findings and problems out. It never fails.
//!
//! Bytes are pushed in chunks of any size; the same bytes give the same result however they are
//! cut. While no report is open, the parser hops from marker to marker (see `parse/detect.rs`) and
//! looks at no other line.

mod asan;
mod body;
mod collect;
mod detect;
mod draft;
mod drd;
mod failures;
mod frame;
mod generated;
mod helgrind;
mod hwasan;
mod lead;
mod lines;
mod lsan;
mod memcheck;
mod msan;
mod plain;
mod stream;
mod summary;
mod tag;
mod tail;
mod threads;
mod tsan;
mod ubsan;
mod valgrind;
mod xml;

use alloc::string::ToString;
use alloc::vec::Vec;

pub(crate) use self::collect::Collector;
use self::detect::Markers;
use self::lines::Lines;
pub use self::xml::GOES_ON as XML_GOES_ON;
pub(crate) use self::xml::unescape;
use crate::encoding::Decoder;
use crate::format::Format;
use crate::model::{Finding, Input, Report};
use crate::options::Options;
use crate::problem::Problem;
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

/// The kinds that stand in the parser's tables, and those that a checker names in its headline and
/// is known to name.
#[cfg(test)]
pub(crate) fn known_kinds() -> Vec<&'static str> {
    const IN_CODE: &str = "leak-definite leak-indirect leak-possible leak-reachable fd-leak fd-inherited fatal-signal unknown-error \
        fishy-value core-mem-error mismatched-allocate-deallocate-alignment mismatched-allocate-deallocate-size \
        mismatched-allocate-deallocate-size-and-alignment fd-bad-close fd-bad-use invalid-bool-load invalid-enum-load implicit-conversion undefined-behavior \
        race lock-order unlock-unlocked unlock-bogus unlock-foreign pth-api-error misc dubious invalid-thread-id cond-err";
    const ASAN: &str = "heap-buffer-overflow heap-use-after-free stack-buffer-underflow initialization-order-fiasco \
        stack-buffer-overflow stack-use-after-return use-after-poison container-overflow stack-use-after-scope \
        global-buffer-overflow intra-object-overflow dynamic-stack-buffer-overflow unknown-crash alloc-dealloc-mismatch \
        new-delete-type-mismatch odr-violation invalid-pointer-pair memcpy-param-overlap strcat-param-overlap \
        negative-size-param stack-overflow segv fpe ill bus abrt trap access-violation use-of-uninitialized-value tag-mismatch invalid-free \
        allocation-tail-overwritten";
    let tables = [
        memcheck::TITLES,
        drd::TITLES,
        asan::SPECIAL,
        tsan::TYPES,
        ubsan::MESSAGES,
        ubsan::MINIMAL,
    ];
    let in_plain = plain::known_kinds();
    let in_tables = tables.into_iter().flatten().map(|(_, kind)| *kind);
    in_tables
        .chain(in_plain)
        .chain([IN_CODE, ASAN].into_iter().flat_map(str::split_whitespace))
        .collect()
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
#[derive(Clone, Debug)]
pub struct Parser {
    markers: Markers,
    decoder: Decoder,
    lines: Lines,
    reading: bool,
}

impl Parser {
    /// A parser with these bounds.
    pub fn new(options: Options) -> Self {
        Self::with_formats(options, &[])
    }

    /// A parser that reads formats of the project's own, too; see [`crate::Config::formats`].
    pub fn with_formats(options: Options, formats: &[Format]) -> Self {
        let lines = Lines::new(options, formats);
        Self {
            markers: Markers::new(formats),
            decoder: Decoder::default(),
            lines,
            reading: false,
        }
    }

    /// Begins an input; the one before it ends.
    pub fn begin(&mut self, name: &str) {
        self.end();
        self.lines.out.inputs.push(Input {
            name: name.to_string(),
            ..Input::default()
        });
        self.lines.begin();
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
        self.decoder
            .feed(chunk, &mut |text| lines.text(text, markers));
    }

    /// Ends the last input, and holds what was read against what the checkers stated.
    pub fn finish(mut self) -> Parsed {
        self.end();
        let Collector {
            inputs,
            reports,
            findings,
            problems,
            ..
        } = settle::settle(self.lines.out);
        Parsed {
            inputs,
            reports,
            findings,
            problems,
        }
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

/// The texts by which leakgate finds reports in a log; a line without any of them is looked at only
/// within a report.
pub fn markers() -> Vec<&'static str> {
    detect::markers()
}
