//! Checkers whose lines carry no tag and whose reports are known by their words alone: allocators,
//! Miri, Go's race detector, the kernel's sanitizers, and those of Windows and macOS.
//!
//! Each dialect is a file. It says which line opens a report of its own ([`Opened`]), and then
//! reads line by line until the report ends ([`Reading`]). What all of them share is here: whose
//! turn a line is, and what a report needs ([`Desk`]).

mod app_verifier;
mod crt;
mod custom;
mod dr_memory;
mod efence;
mod glibc;
mod go_race;
mod gwp_asan;
mod jemalloc;
mod kernel;
mod kmemleak;
mod leaks;
mod miri;
mod mtrace;
mod scudo;
mod tcmalloc;

use alloc::boxed::Box;
use alloc::format;
use core::fmt::Debug;

use hashbrown::HashMap;

use super::collect::{Collector, Grammar, text_of};
use super::draft::Draft;
use super::frame::Head;
use crate::line::Line;
use crate::model::{Kind, Text, Tool};
use crate::problem::Code;

/// Lines of others that may stand between two lines of a report, when nothing tells that it has
/// ended.
const MAX_FOREIGN: u32 = 200;

/// What the dialects look for, in the order in which they are asked. Each looks for words of its
/// own first, so that a line of somebody else's costs no more than a few searches.
const DIALECTS: &[fn(&[u8], &mut Desk<'_>) -> Opened] = &[
    scudo::opens,
    gwp_asan::opens,
    glibc::opens,
    efence::opens,
    jemalloc::opens,
    tcmalloc::opens,
    mtrace::opens,
    miri::opens,
    go_race::opens,
    kernel::opens,
    kmemleak::opens,
    dr_memory::opens,
    leaks::opens,
    app_verifier::opens,
    crt::opens,
    custom::opens,
];

/// The kinds that stand in the dialects' tables and in their code.
#[cfg(test)]
pub(super) fn known_kinds() -> impl Iterator<Item = &'static str> {
    let tables: [&[(&str, &'static str)]; 10] = [
        scudo::WORDS,
        gwp_asan::WORDS,
        glibc::WORDS,
        glibc::STARRED,
        efence::WORDS,
        jemalloc::WORDS,
        tcmalloc::WORDS,
        miri::KINDS,
        kernel::KINDS,
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
    let of_kernel = [
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
        .chain(of_kernel)
}

/// What a line means to a dialect whose report is not open.
pub(super) enum Opened {
    /// Nothing.
    No,
    /// All that there is to read.
    Line,
    /// The beginning of a report.
    Report(Box<dyn Reading>),
}

/// What a line means to the dialect whose report is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It is part of the report.
    Own,
    /// It is the report's last line.
    Last,
    /// It is none of the report's, which goes on.
    Foreign,
    /// It is none of the report's, which has ended before it.
    Over,
}

/// A report that is being read.
pub(super) trait Reading: Copied + Debug {
    /// Reads a line. Before it answers that the report has ended, it hands in what it has.
    fn line(&mut self, text: &[u8], desk: &mut Desk<'_>) -> Step;

    /// The log ends, or another report begins, or nothing more came for long.
    fn finish(&mut self, desk: &mut Desk<'_>);

    /// The report, once there is one.
    fn report(&self) -> Option<usize>;
}

/// Makes what is boxed clonable.
pub(super) trait Copied {
    fn copied(&self) -> Box<dyn Reading>;
}

impl<T: Reading + Clone + 'static> Copied for T {
    fn copied(&self) -> Box<dyn Reading> {
        Box::new(self.clone())
    }
}

impl Clone for Box<dyn Reading> {
    fn clone(&self) -> Self {
        (**self).copied()
    }
}

/// Where a dialect works: the line's number, and everything that was read so far.
pub(super) struct Desk<'a> {
    pub(super) line: u64,
    stream: Option<&'a Text>,
    reports: &'a mut HashMap<(Tool, Option<u64>), usize>,
    pub(super) out: &'a mut Collector,
}

impl Desk<'_> {
    /// The report of a tool and process.
    pub(super) fn report(&mut self, tool: &Tool, pid: Option<u64>) -> usize {
        let key = (tool.clone(), pid);
        if let Some(report) = self.reports.get(&key) {
            return *report;
        }
        let report = self
            .out
            .open_report(tool.clone(), pid, self.stream.cloned(), self.line);
        self.reports.insert(key, report);
        report
    }

    /// A record that is told in one line.
    pub(super) fn said(&mut self, tool: Tool, kind: Kind, title: &str) {
        let draft = self.draft(tool, kind, title);
        let report = self.report(&draft.tool, None);
        self.out.reports[report].complete = true;
        self.record(report, draft);
    }

    /// A record that begins with this line.
    pub(super) fn draft(&self, tool: Tool, kind: Kind, title: &str) -> Draft {
        Draft::new(tool, kind, title, self.line)
    }

    /// Hands in a record.
    pub(super) fn record(&mut self, report: usize, draft: Draft) {
        self.out.record(report, draft, 0, false);
    }

    /// Adds a frame to a record.
    pub(super) fn frame(&mut self, draft: &mut Draft, grammar: Grammar, head: Head<'_>) {
        draft.last_line = self.line;
        self.out.push_frame(draft, grammar, head);
    }

    /// A line says something that matters, and what it says can't be read.
    pub(super) fn unreadable(&mut self, tool: &Tool, said: &[u8]) {
        let message = format!(
            "a line of {tool} that can't be read: `{}`",
            text_of(said.trim_ascii())
        );
        self.problem(Code::UnknownReport, &message);
    }

    pub(super) fn problem(&mut self, code: Code, message: &str) {
        self.out.problem(code, self.line, None, message);
    }

    /// Hands in a record, if there is one.
    pub(super) fn hand_in(&mut self, report: usize, draft: &mut Option<Draft>) {
        if let Some(draft) = draft.take() {
            self.record(report, draft);
        }
    }

    /// The report ends with this record: where it is not whole, that is a problem.
    pub(super) fn end(&mut self, report: usize, draft: &mut Option<Draft>, whole: bool) {
        self.hand_in(report, draft);
        if whole {
            self.out.reports[report].complete = true;
        } else {
            let message = format!("a report of {} has no end", self.out.reports[report].tool);
            self.cut(report, &message);
        }
    }

    /// The report breaks off.
    pub(super) fn cut(&mut self, report: usize, message: &str) {
        self.out.reports[report].complete = false;
        let pid = self.out.reports[report].pid;
        self.out.problem(Code::Truncated, self.line, pid, message);
    }
}

/// The reports without tags of one stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plain {
    open: Option<Box<dyn Reading>>,
    foreign: u32,
    reports: HashMap<(Tool, Option<u64>), usize>,
}

impl Plain {
    /// True while lines without a marker may belong to a report.
    pub(crate) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// True while no report is known.
    pub(crate) fn is_bare(&self) -> bool {
        self.open.is_none() && self.reports.is_empty()
    }

    /// Reads a line as part of the open report. False when it is none of it.
    pub(crate) fn within(
        &mut self,
        text: &[u8],
        line: &Line<'_>,
        stream: Option<&Text>,
        out: &mut Collector,
    ) -> bool {
        let Some(open) = &mut self.open else {
            return false;
        };
        let desk = &mut Desk {
            line: line.number,
            stream,
            reports: &mut self.reports,
            out,
        };
        let step = open.line(text, desk);
        if let Some(report) = open
            .report()
            .filter(|_| matches!(step, Step::Own | Step::Last))
        {
            desk.out.touch(report, line.bytes, line.number);
        }
        match step {
            Step::Own => self.foreign = 0,
            Step::Last | Step::Over => self.open = None,
            Step::Foreign => self.foreign += 1,
        }
        if self.foreign > MAX_FOREIGN {
            self.finish(line.number, stream, out);
        }
        matches!(step, Step::Own | Step::Last)
    }

    /// Reads a line that may open a report. False when it does not.
    pub(crate) fn opens(
        &mut self,
        text: &[u8],
        line: &Line<'_>,
        stream: Option<&Text>,
        out: &mut Collector,
    ) -> bool {
        let mut before = self.open.take();
        let desk = &mut Desk {
            line: line.number,
            stream,
            reports: &mut self.reports,
            out,
        };
        let opened = DIALECTS
            .iter()
            .map(|opens| opens(text, desk))
            .find(|opened| !matches!(opened, Opened::No));
        match opened {
            None | Some(Opened::No) => {
                self.open = before;
                return false;
            }
            Some(Opened::Line) => self.open = before,
            Some(Opened::Report(reading)) => {
                if let Some(open) = &mut before {
                    open.finish(desk);
                }
                if let Some(report) = reading.report() {
                    desk.out.touch(report, line.bytes, line.number);
                }
                self.open = Some(reading);
                self.foreign = 0;
            }
        }
        true
    }

    /// The open report ends where nothing tells its end.
    pub(crate) fn finish(&mut self, line: u64, stream: Option<&Text>, out: &mut Collector) {
        self.foreign = 0;
        if let Some(mut open) = self.open.take() {
            open.finish(&mut Desk {
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
    use crate::{Options, Parsed, Parser};

    fn read(log: &str) -> Parsed {
        let mut parser = Parser::new(Options::default());
        parser.begin("log");
        parser.feed(log.as_bytes());
        parser.finish()
    }

    #[test]
    fn words_in_prose_and_in_option_dumps_are_no_report() {
        for line in [
            "undefined reference to `malloc(): no'",
            "fixes a bug where free(): invalid calls were made twice a day by the scheduler of the pool and nobody noticed it for a year",
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
    fn no_open_report_swallows_another() {
        const ASAN: &str = "==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x1 at pc 0x2 bp 0x3 sp 0x4\n\
            READ of size 4 at 0x1 thread T0\n    #0 0x5 in f() /src/a.c:3:9\n\nSUMMARY: AddressSanitizer: heap-use-after-free /src/a.c:3:9 in f\n";
        const MEMCHECK: &str = "==9== 4 bytes in 1 blocks are definitely lost in loss record 1 of 1\n==9==    at 0x1: malloc (a.c:1)\n\
            ==9==    by 0x2: make (b.c:2)\n==9== \n";
        for start in [
            "*** GWP-ASan detected a memory error ***\nDouble Free at 0x7f (a 10-byte allocation) by thread 9 here:\n",
            "Leak check _main_ detected leaks of 10 bytes in 1 objects\nLeak of 10 bytes in 1 objects allocated from:\n\t@ 5555 f\n",
            "Memory not freed:\n-----------------\n0x000055b3baa3a4a0     0x64  at /path/mtr.c:3\n",
            "error: Undefined Behavior: entering unreachable code\n --> a.rs:1:2\n",
            "==================\nWARNING: DATA RACE\nRead at 0x00c0 by goroutine 8:\n  f()\n      /a.go:1 +0x1\n",
            "BUG: KASAN: slab-out-of-bounds in f+0x1/0x2\nCall Trace:\n f+0x1/0x2\n",
            "unreferenced object 0xffff (size 64):\n  backtrace:\n    [<0000>] f+0x1/0x2\n",
            "Dr. Memory results for pid 5: \"a\"\n\nError #1: LEAK 4 direct bytes 0x1-0x2 + 0 indirect bytes\n# 0 f [a.c:1]\n\nERRORS FOUND:\n",
            "Process 83: 1 leak for 32 total leaked bytes.\n    1 (32 bytes) ROOT LEAK: 0x6000 [32]\n",
            "Detected memory leaks!\nDumping objects ->\n{1} normal block at 0x1, 16 bytes long.\n Data: <x>\n",
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
    fn a_report_ends_where_another_begins() {
        let parsed = read(
            "error: Undefined Behavior: entering unreachable code\n --> a.rs:1:2\nScudo ERROR: out of memory trying to allocate 8 bytes\n\
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
