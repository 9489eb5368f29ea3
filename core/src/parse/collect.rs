//! Collects the parsed data of all dialects: reports, findings, problems.
//!
//! Memory use depends on the distinct data only. The text of a frame is parsed once and shared by
//! all frames with the same text. A record with the same kind, sizes and stacks as an earlier one
//! only increments a counter. That comparison ignores addresses, because they change with every
//! process, unless nothing else is known of a frame.

mod fold;
mod intern;
mod open_report;

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::hash::{BuildHasher, Hasher};

use hashbrown::{DefaultHashBuilder, HashMap, HashTable};

pub(crate) use self::intern::FrameSyntax;
use self::intern::KnownFrame;
pub(crate) use self::open_report::{Ending, OpenReport};
use crate::bytes::lossy;
use crate::custom_format::CustomFormat;
use crate::model::{Finding, Input, Report, Text, Tool};
use crate::options::Options;
use crate::parse::harness::Timelines;
use crate::problem::{Code, Problem};

/// Converts bytes of a log to shared text.
pub(crate) fn shared_text(bytes: &[u8]) -> Text {
    Text::from(&*lossy(bytes))
}

/// The data that was parsed so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Collector {
    pub(crate) options: Options,
    /// The project's custom formats.
    pub(crate) formats: Arc<[CustomFormat]>,
    pub(crate) inputs: Vec<Input>,
    pub(crate) reports: Vec<OpenReport>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) problems: Vec<Problem>,
    hasher: DefaultHashBuilder,
    /// The parsed frames.
    frames: HashTable<KnownFrame>,
    /// Indices of findings by [`Collector::fold_hash`].
    folded: HashTable<(u64, usize)>,
    /// Index into a report's records by report and finding.
    records: HashMap<(usize, usize), usize>,
    /// The tests during which the sources printed their lines.
    pub(crate) tests: Timelines,
    /// For each finding, the test whose function is in one of its stacks.
    tests_in_stacks: Vec<Option<Text>>,
    /// Number of problems by code.
    problem_counts: HashMap<Code, usize>,
}

impl Collector {
    pub(crate) fn new(options: Options, formats: &[CustomFormat]) -> Self {
        Self {
            options,
            formats: formats.into(),
            ..Self::default()
        }
    }

    /// Returns the index of the current input.
    pub(crate) fn input_index(&self) -> usize {
        self.inputs.len().saturating_sub(1)
    }

    /// Adds a problem to the current input.
    pub(crate) fn add_problem(
        &mut self,
        code: Code,
        line: u64,
        pid: Option<u64>,
        message: impl Into<String>,
    ) {
        self.add_problem_in(self.input_index(), code, line, pid, message);
    }

    /// Adds a problem to an input. Of each code, only the first `max_problems` are kept.
    pub(crate) fn add_problem_in(
        &mut self,
        input: usize,
        code: Code,
        line: u64,
        pid: Option<u64>,
        message: impl Into<String>,
    ) {
        let count = self.problem_counts.entry(code).or_default();
        *count += 1;
        let listed = self.options.max_problems;
        let problem = |code, message| Problem {
            code,
            input,
            line,
            pid,
            message,
        };
        if *count <= listed {
            self.problems.push(problem(code, message.into()));
        } else if *count == listed + 1 {
            self.problems.push(problem(
                Code::MoreProblems,
                format!("more than {listed} problems with the code {code}"),
            ));
        }
    }

    /// Opens a report and returns its index.
    pub(crate) fn open_report(
        &mut self,
        tool: Tool,
        pid: Option<u64>,
        stream: Option<Text>,
        line: u64,
    ) -> usize {
        let report = Report {
            pid,
            stream,
            ..Report::new(tool, self.input_index(), line)
        };
        self.reports.push(report.into());
        self.reports.len() - 1
    }

    /// Adds a line to the extent and the digest of a report.
    pub(crate) fn touch(&mut self, report: usize, raw: &[u8], line: u64) {
        self.reports[report].report.last_line = line;
        self.reports[report].digest = self.hash(self.reports[report].digest, raw);
    }

    /// Hashes bytes, starting from the hash of the bytes before them. The hasher includes the
    /// length by itself.
    fn hash(&self, before: u64, bytes: &[u8]) -> u64 {
        let mut state = self.hasher.build_hasher();
        state.write(bytes);
        state.write_u128(before.into());
        state.finish()
    }
}
