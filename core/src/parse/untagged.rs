//! Checkers whose lines carry no tag. Their reports are recognized by their wording: allocators,
//! Miri, Go's race detector, the kernel's sanitizers, and checkers of Windows and macOS.
//!
//! Each dialect is a file. Its `start` function decides whether a line starts a report ([`Start`]),
//! and its reader reads line by line until the report ends ([`ReportReader`]). The shared part is
//! here: it passes lines to the dialects, and gives them access to the reports ([`Context`]).

mod app_verifier;
mod context;
mod crt;
mod custom;
#[cfg(test)]
mod dialect_tests;
mod dr_memory;
mod efence;
mod glibc;
mod go_race;
mod gwp_asan;
mod jemalloc;
mod kernel;
mod kmemleak;
mod leaks;
mod message;
mod miri;
mod mtrace;
mod ruby_memcheck;
mod scudo;
mod tcmalloc;
mod tombstone;

use alloc::boxed::Box;
use core::fmt::Debug;

use self::context::{Context, CurrentReport, ReportIndex};
use super::collect::Collector;
use crate::line::Line;
use crate::model::Text;

pub(super) use self::kernel::is_cut_headline;

/// Maximum number of unrelated lines within a report. If more follow, and the report has no end
/// marker, it has ended.
const MAX_UNRELATED_LINES: u32 = 200;

/// The `start` functions of the dialects, in the order in which they get a line. Each one looks for
/// its own marker first, so that an unrelated line costs only a few searches.
const DIALECTS: &[fn(&[u8], &mut Context<'_>) -> Start] = &[
    scudo::start,
    gwp_asan::start,
    glibc::start,
    efence::start,
    jemalloc::start,
    tcmalloc::start,
    mtrace::start,
    miri::start,
    go_race::start,
    kernel::start,
    kmemleak::start,
    dr_memory::start,
    leaks::start,
    app_verifier::start,
    crt::start,
    ruby_memcheck::start,
    custom::start,
];

/// The beginnings of the dialects' headlines, by which they are found after other text.
pub(super) const HEADS: &[&[&str]] = &[
    scudo::HEADS,
    gwp_asan::HEADS,
    glibc::HEADS,
    efence::HEADS,
    jemalloc::HEADS,
    tcmalloc::HEADS,
    mtrace::HEADS,
    miri::HEADS,
    go_race::HEADS,
    kernel::HEADS,
    kmemleak::HEADS,
    dr_memory::HEADS,
    leaks::HEADS,
    app_verifier::HEADS,
    crt::HEADS,
    custom::HEADS,
];

/// Beginnings of messages that allocators print before they abort the process.
pub(super) const ABORTS: &[&str] = &[
    "Scudo ERROR: ",
    "*** buffer overflow detected",
    "*** stack smashing detected",
    "*** Error in `",
    "double free or corruption (",
    "free(): double free detected",
    "free(): invalid ",
    "malloc(): corrupted",
    "malloc(): invalid ",
    "malloc_consolidate(): ",
    "munmap_chunk(): invalid",
    "realloc(): invalid ",
    "corrupted size vs. prev_size",
    "corrupted double-linked list",
];

/// Returns the kinds that the dialects' tables and code use.
#[cfg(test)]
pub(super) fn known_kinds() -> impl Iterator<Item = &'static str> {
    let tables: [&[(&str, &'static str)]; 12] = [
        scudo::KINDS,
        gwp_asan::KINDS,
        glibc::KINDS,
        glibc::STARRED_KINDS,
        efence::KINDS,
        jemalloc::KINDS,
        tcmalloc::KINDS,
        miri::KINDS,
        kernel::KINDS,
        kernel::UNDEFINED,
        kernel::RANGES,
        dr_memory::KINDS,
    ];
    let in_code = [
        "data-race",
        "deadlock",
        "abrt",
        "invalid-free",
        "heap-corruption",
        "uninit-value",
        "slab-out-of-bounds",
    ];
    let from_kernel = [
        "slab-use-after-free",
        "wild-memory-access",
        "user-memory-access",
        "invalid-access",
        "kernel-infoleak",
    ];
    let stops = app_verifier::STOPS.iter().map(|(.., kind)| *kind);
    tables
        .into_iter()
        .flatten()
        .map(|(_, kind)| *kind)
        .chain(stops)
        .chain(in_code)
        .chain(from_kernel)
}

/// The meaning of a line to a dialect without an open report.
enum Start {
    /// The line is unrelated.
    No,
    /// The line is a whole message of the checker.
    Line,
    /// The line starts a report that spans several lines.
    Report(Box<ActiveReport>),
}

impl Start {
    /// Starts a report that `reader` reads.
    fn report(current: CurrentReport, reader: impl ReportReader + 'static) -> Self {
        Self::Report(Box::new(ActiveReport {
            current,
            reader: Box::new(reader),
        }))
    }
}

/// The meaning of a line to the dialect with the open report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LineOutcome {
    /// The line is part of the report.
    Consumed,
    /// The line is the last one of the report.
    Finished,
    /// The line isn't part of the report, and the report goes on.
    Unrelated,
    /// The line isn't part of the report, and the report has ended before it.
    EndedBefore,
}

/// A reader for a report of several lines.
trait ReportReader: CloneReader + Debug {
    /// Reads a line. Before the reader returns that the report has ended, it adds the open finding.
    fn read_line(
        &mut self,
        text: &[u8],
        current: &mut CurrentReport,
        context: &mut Context<'_>,
    ) -> LineOutcome;

    /// Ends the report without its last line, because the log ends, another report starts or too
    /// many unrelated lines followed. By default this is a problem.
    fn finish(&mut self, current: &mut CurrentReport, context: &mut Context<'_>) {
        context.end_truncated(current);
    }
}

/// Clones a boxed reader.
trait CloneReader {
    /// Returns a copy of the reader in a new box.
    fn clone_reader(&self) -> Box<dyn ReportReader>;
}

impl<T: ReportReader + Clone + 'static> CloneReader for T {
    fn clone_reader(&self) -> Box<dyn ReportReader> {
        Box::new(self.clone())
    }
}

impl Clone for Box<dyn ReportReader> {
    fn clone(&self) -> Self {
        (**self).clone_reader()
    }
}

/// A report that is being read, and its reader.
#[derive(Clone, Debug)]
struct ActiveReport {
    current: CurrentReport,
    reader: Box<dyn ReportReader>,
}

impl ActiveReport {
    fn read_line(&mut self, text: &[u8], context: &mut Context<'_>) -> LineOutcome {
        self.reader.read_line(text, &mut self.current, context)
    }

    fn finish(&mut self, context: &mut Context<'_>) {
        self.reader.finish(&mut self.current, context);
    }
}

/// The untagged reports of one stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct UntaggedReports {
    open: Option<Box<ActiveReport>>,
    /// Number of unrelated lines since the last line of the open report.
    unrelated: u32,
    reports: ReportIndex,
}

impl UntaggedReports {
    /// Returns true while lines without a marker may belong to an open report.
    pub(crate) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Returns true if the stream has no untagged report yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_none() && self.reports.is_empty()
    }

    /// Reads a line as part of the open report. Returns false if the line isn't part of it.
    pub(crate) fn try_continue(
        &mut self,
        text: &[u8],
        line: &Line<'_>,
        stream: Option<&Text>,
        out: &mut Collector,
    ) -> bool {
        let Some(open) = &mut self.open else {
            return false;
        };
        let context = &mut Context {
            line: line.number,
            stream,
            reports: &mut self.reports,
            out,
        };
        let outcome = open.read_line(text, context);
        let is_part = matches!(outcome, LineOutcome::Consumed | LineOutcome::Finished);
        if is_part && let Some(report) = open.current.index {
            context.out.touch(report, line.bytes, line.number);
        }
        match outcome {
            LineOutcome::Consumed => self.unrelated = 0,
            LineOutcome::Finished | LineOutcome::EndedBefore => self.open = None,
            LineOutcome::Unrelated => self.unrelated += 1,
        }
        if self.unrelated > MAX_UNRELATED_LINES {
            self.finish(line.number, stream, out);
        }
        is_part
    }

    /// Reads a line that may start a report. Returns false if it doesn't.
    pub(crate) fn try_start(
        &mut self,
        text: &[u8],
        line: &Line<'_>,
        stream: Option<&Text>,
        out: &mut Collector,
    ) -> bool {
        let mut before = self.open.take();
        let context = &mut Context {
            line: line.number,
            stream,
            reports: &mut self.reports,
            out,
        };
        let started = DIALECTS
            .iter()
            .map(|start| start(text, context))
            .find(|started| !matches!(started, Start::No));
        match started {
            None | Some(Start::No) => {
                self.open = before;
                return false;
            }
            Some(Start::Line) => self.open = before,
            Some(Start::Report(report)) => {
                if let Some(open) = &mut before {
                    open.finish(context);
                }
                if let Some(index) = report.current.index {
                    context.out.touch(index, line.bytes, line.number);
                }
                self.open = Some(report);
                self.unrelated = 0;
            }
        }
        true
    }

    /// Ends the open report without its last line.
    pub(crate) fn finish(&mut self, line: u64, stream: Option<&Text>, out: &mut Collector) {
        self.unrelated = 0;
        if let Some(mut open) = self.open.take() {
            open.finish(&mut Context {
                line,
                stream,
                reports: &mut self.reports,
                out,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Options;
    use crate::parse::{Parsed, Parser};

    fn read(log: &str) -> Parsed {
        let mut parser = Parser::new(Options::default());
        parser.begin("log");
        parser.feed(log.as_bytes());
        parser.finish()
    }

    #[test]
    fn prose_and_option_dumps_are_ignored() {
        for line in [
            "undefined reference to `malloc(): no'",
            "fixes a bug where free(): invalid calls were made twice a day by the scheduler of \
                the pool and it went unnoticed for more than a year",
            "calling free(): done",
            "the data is corrupted",
            "memory corruption (see above)",
            "docs: what `double free or corruption` means",
            "a block freed twice is reported",
            "ElectricFence is installed",
            "<jemalloc>: Run jeprof on dump output for leak detail",
            "No leaks found in the roof",
            "Leak check is on",
            "Leak of confidence",
            "Memory not freed: see below",
            "it was never alloc'd",
            "warning: duplicate: x",
            "test miri ... Undefined Behavior: expected",
            "// error: Undefined Behavior: entering unreachable code",
            "unsupported operation: not for us",
            "the evaluated program was short",
            "DATA RACE detection is enabled",
            "0 data race(s)",
            "Dr. Memory is a tool",
            "Error #1: cannot open file",
            "the option Report Version is unknown",
            "10 total leaked bytes were fixed last week",
            "see VERIFIER STOP in the manual",
            "grep -q 'Detected memory leaks!' log.txt",
            "HEAP CORRUPTION is what we look for",
            "CONFIG_UBSAN: yes",
            "# BUG: KASAN is off",
            "unreferenced object in the scene",
            "kmemleak: Kernel memory leak detector initialized (mem pool available: 15679)",
            "set SCUDO_OPTIONS=verbosity=1 for Scudo ERROR lines",
            "*** GWP-ASan is enabled",
            "ubsan: enabled",
            "panic: runtime error: index out of range [5] with length 3",
        ] {
            let parsed = read(&alloc::format!("{line}\n"));
            assert!(
                parsed.findings.is_empty() && parsed.reports.is_empty(),
                "{line}: {:?}",
                parsed.findings
            );
            assert!(parsed.problems.is_empty(), "{line}: {:?}", parsed.problems);
        }
    }

    #[test]
    fn open_report_does_not_swallow_the_next_one() {
        const ASAN: &str = "\
            ==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x1 at pc 0x2 \
            bp 0x3 sp 0x4\n\
            READ of size 4 at 0x1 thread T0\n    #0 0x5 in f() /src/a.c:3:9\n\n\
            SUMMARY: AddressSanitizer: heap-use-after-free /src/a.c:3:9 in f\n";
        const MEMCHECK: &str = "\
            ==9== 4 bytes in 1 blocks are definitely lost in loss record 1 of 1\n\
            ==9==    at 0x1: malloc (a.c:1)\n\
            ==9==    by 0x2: make (b.c:2)\n==9== \n";
        for start in [
            "*** GWP-ASan detected a memory error ***\n\
                Double Free at 0x7f (a 10-byte allocation) by thread 9 here:\n",
            "Leak check _main_ detected leaks of 10 bytes in 1 objects\n\
                Leak of 10 bytes in 1 objects allocated from:\n\t@ 5555 f\n",
            "Memory not freed:\n-----------------\n0x000055b3baa3a4a0     0x64  at /path/mtr.c:3\n",
            "error: Undefined Behavior: entering unreachable code\n --> a.rs:1:2\n",
            "==================\nWARNING: DATA RACE\n\
                Read at 0x00c0 by goroutine 8:\n  f()\n      /a.go:1 +0x1\n",
            "BUG: KASAN: slab-out-of-bounds in f+0x1/0x2\nCall Trace:\n f+0x1/0x2\n",
            "unreferenced object 0xffff (size 64):\n  backtrace:\n    [<0000>] f+0x1/0x2\n",
            "Dr. Memory results for pid 5: \"a\"\n\n\
                Error #1: LEAK 4 direct bytes 0x1-0x2 + 0 indirect bytes\n\
                # 0 f [a.c:1]\n\nERRORS FOUND:\n",
            "Process 83: 1 leak for 32 total leaked bytes.\n    1 (32 bytes) \
                ROOT LEAK: 0x6000 [32]\n",
            "Detected memory leaks!\nDumping objects ->\n\
                {1} normal block at 0x1, 16 bytes long.\n Data: <x>\n",
        ] {
            let parsed = read(&alloc::format!("{start}{ASAN}{MEMCHECK}"));
            let has = |tool: &str| {
                parsed
                    .findings
                    .iter()
                    .any(|f| f.tool.as_str() == tool && !f.stacks.is_empty())
            };
            assert!(has("asan") || has("go-race"), "{start}");
            assert!(
                parsed
                    .findings
                    .iter()
                    .any(|f| f.kind.as_str() == "heap-use-after-free" && f.tool.as_str() == "asan"),
                "{start}"
            );
            assert!(
                has("memcheck") && parsed.findings.len() == 3,
                "{start}: {:?}",
                parsed.findings
            );
        }
    }

    #[test]
    fn new_report_ends_the_open_one() {
        let parsed = read(
            "error: Undefined Behavior: entering unreachable code\n --> a.rs:1:2\n\
                Scudo ERROR: out of memory trying to allocate 8 bytes\n\
                double free or corruption (top)\nerror: aborting due to 1 previous error\n",
        );
        let found: alloc::vec::Vec<_> = parsed
            .findings
            .iter()
            .map(|f| (f.tool.as_str(), f.kind.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                ("scudo", "out-of-memory"),
                ("glibc", "double-free"),
                ("miri", "unreachable-call")
            ]
        );
        assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    }
}
