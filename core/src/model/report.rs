//! Reports: the output of one checker for one process, and the totals in it.

use alloc::string::String;
use alloc::vec::Vec;

use super::{Text, Tool};

/// A number of bytes in a number of blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// Bytes.
    pub bytes: u64,
    /// Blocks, objects or allocations.
    pub blocks: u64,
}

impl Amount {
    /// Adds two amounts. Saturates at [`u64::MAX`].
    #[must_use]
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_add(other.bytes),
            blocks: self.blocks.saturating_add(other.blocks),
        }
    }
}

/// The leak summary of a process, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeakSummary {
    /// memcheck's "definitely lost".
    pub definite: Amount,
    /// memcheck's "indirectly lost".
    pub indirect: Amount,
    /// memcheck's "possibly lost".
    pub possible: Amount,
    /// memcheck's "still reachable".
    pub reachable: Amount,
    /// Leaks that the checker's own suppressions hid.
    pub suppressed: Amount,
    /// Number of parsed lines. valgrind always prints all [`LeakSummary::LINES`].
    pub lines: u8,
}

impl LeakSummary {
    /// Number of lines of valgrind's `LEAK SUMMARY`.
    pub const LINES: u8 = 5;
}

/// Totals that a checker states about a process. A field is `None` if the checker doesn't state it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReportedTotals {
    /// Leaked memory, if the checker states one total (LeakSanitizer's `SUMMARY`).
    pub leaked: Option<Amount>,
    /// Leaked memory by kind (valgrind's last `LEAK SUMMARY`).
    pub leaks: Option<LeakSummary>,
    /// Number of errors, including repetitions (valgrind's `ERROR SUMMARY`).
    pub errors: Option<u64>,
    /// Number of distinct errors.
    pub contexts: Option<u64>,
    /// Number of errors that the checker's own suppressions hid.
    pub suppressed_errors: Option<u64>,
    /// Memory in use when the process ended.
    pub in_use: Option<Amount>,
    /// True if the report says `All heap blocks were freed`.
    pub all_freed: bool,
}

/// The kinds of leaks that a checker shows as records, according to its options.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShownLeaks {
    /// Definite leaks are shown.
    pub definite: bool,
    /// Indirect leaks are shown.
    pub indirect: bool,
    /// Possible leaks are shown.
    pub possible: bool,
    /// Reachable blocks are shown.
    pub reachable: bool,
}

/// The number of records of one finding in one report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordCount {
    /// Index into [`Parsed::findings`](crate::Parsed::findings).
    pub finding: usize,
    /// Number of records.
    pub count: u64,
    /// Index of the process's leak check that printed it last, from 0.
    pub leak_check: u32,
}

/// The output of one checker for one process. Fields are `None` if the report doesn't state them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// The tool that wrote it.
    pub tool: Tool,
    /// Version of the checker.
    pub version: Option<Text>,
    /// The pid.
    pub pid: Option<u64>,
    /// The pid of the parent process.
    pub parent: Option<u64>,
    /// The command line.
    pub command: Option<Text>,
    /// The log source that a line prefix names: a service, a test or a job.
    pub stream: Option<Text>,
    /// Index into [`Parsed::inputs`](crate::Parsed::inputs).
    pub input: usize,
    /// First line, from 1.
    pub first_line: u64,
    /// Last line, from 1.
    pub last_line: u64,
    /// True if the report has its end.
    pub complete: bool,
    /// True if the report begins with the checker's header.
    pub has_header: bool,
    /// Maximum number of frames in a stack (valgrind's `--num-callers`). valgrind truncates longer
    /// suppressions to this number.
    pub callers: Option<u32>,
    /// The kinds of leaks that the checker shows as records. valgrind's XML states its options.
    pub shown_leaks: Option<ShownLeaks>,
    /// True if the checker records where undefined values come from. `None` if it doesn't state
    /// this option. Not part of the JSON report.
    pub tracks_origins: Option<bool>,
    /// Totals that the checker states.
    pub totals: ReportedTotals,
    /// True if the checker states that it reached one of its own limits and omitted findings.
    pub capped: bool,
    /// True if lines that the checker indents have no indentation in the log, so that the parser
    /// may have lost stacks. Not part of the JSON report.
    pub lost_indentation: bool,
    /// Number of printed records, including those that a later leak check printed again.
    pub printed: u64,
    /// The records, in order of first appearance.
    pub records: Vec<RecordCount>,
}

impl Report {
    /// Creates a report without records that begins at a line of an input.
    pub(crate) fn new(tool: Tool, input: usize, line: u64) -> Self {
        Self {
            tool,
            version: None,
            pid: None,
            parent: None,
            command: None,
            stream: None,
            input,
            first_line: line,
            last_line: line,
            complete: false,
            has_header: false,
            callers: None,
            shown_leaks: None,
            tracks_origins: None,
            totals: ReportedTotals::default(),
            capped: false,
            lost_indentation: false,
            printed: 0,
            records: Vec::new(),
        }
    }

    /// Returns the leaked memory that the checker's own suppressions hid.
    pub fn suppressed(&self) -> Amount {
        self.totals.leaks.map(|l| l.suppressed).unwrap_or_default()
    }
}

/// A log that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Input {
    /// The name passed to [`Parser::begin`](crate::Parser::begin).
    pub name: String,
    /// Number of bytes.
    pub bytes: u64,
    /// Number of lines.
    pub lines: u64,
    /// True if the input contains output of a checker that looks for memory errors.
    pub has_output: bool,
    /// Name of the merged run that the input belongs to. `None` if runs were not merged.
    pub leg: Option<String>,
}

impl Input {
    /// Returns the name for display: `LEG: NAME`, or the name alone.
    pub fn display_name(&self) -> String {
        self.leg.as_ref().map_or_else(
            || self.name.clone(),
            |leg| alloc::format!("{leg}: {}", self.name),
        )
    }
}
