//! Reports: one checker's output for one process, and what the checker stated in it.

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
    /// Both together.
    #[must_use]
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_add(other.bytes),
            blocks: self.blocks.saturating_add(other.blocks),
        }
    }
}

/// What a checker said about the leaks of a process in sum.
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
    /// What the checker's own suppressions hid.
    pub suppressed: Amount,
    /// How many of these lines were read; valgrind always prints all five.
    pub lines: u8,
}

impl LeakSummary {
    /// How many lines valgrind's `LEAK SUMMARY` has.
    pub const LINES: u8 = 5;
}

/// What a checker itself stated in sum. Every field is absent where it said nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stated {
    /// Leaked memory in all, where the checker gives one sum.
    pub leaked: Option<Amount>,
    /// Leaked memory by kind (valgrind's last `LEAK SUMMARY`).
    pub leaks: Option<LeakSummary>,
    /// Errors, counted with repetitions (valgrind's `ERROR SUMMARY`).
    pub errors: Option<u64>,
    /// Different errors.
    pub contexts: Option<u64>,
    /// Errors that the checker's own suppressions hid.
    pub suppressed_errors: Option<u64>,
    /// Memory in use at the end of the process.
    pub in_use: Option<Amount>,
    /// `All heap blocks were freed`.
    pub all_freed: bool,
}

/// Which leaks a checker was told to show as records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShownLeaks {
    /// Records of definite leaks appear.
    pub definite: bool,
    /// Records of indirect leaks appear.
    pub indirect: bool,
    /// Records of possible leaks appear.
    pub possible: bool,
    /// Records of reachable blocks appear.
    pub reachable: bool,
}

/// One record of a report, counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Index into the findings.
    pub finding: usize,
    /// How often it was printed in this report.
    pub count: u64,
    /// Which leak search of the process printed it last, from 0.
    pub search: u32,
}

/// One checker's output for one process.
#[derive(Clone, Debug)]
pub struct Report {
    /// Who wrote it.
    pub tool: Tool,
    /// The checker's version, where it says so.
    pub version: Option<Text>,
    /// The process.
    pub pid: Option<u64>,
    /// Its parent, where the report names it.
    pub parent: Option<u64>,
    /// The command line, where the report names it.
    pub command: Option<Text>,
    /// The source within the input that a prefix named: a service, a test, a job.
    pub stream: Option<Text>,
    /// Index into the inputs.
    pub input: usize,
    /// The first line, from 1.
    pub first_line: u64,
    /// The last line.
    pub last_line: u64,
    /// True when nothing of the report is missing at its end.
    pub complete: bool,
    /// True when the report began with the checker's own header.
    pub has_header: bool,
    /// How many leak searches the process made.
    pub searches: u32,
    /// How many frames of a stack valgrind keeps at most, where the report tells; a longer
    /// suppression is cut to so many.
    pub callers: Option<u32>,
    /// Which leaks the checker shows as records, where the report tells (valgrind XML names its
    /// options).
    pub shown: Option<ShownLeaks>,
    /// What the checker stated.
    pub stated: Stated,
    /// The checker said that it left findings out (a documented cap).
    pub capped: bool,
    /// How many records the checker printed, those that a later leak search printed again
    /// included.
    pub printed: u64,
    /// How many of them were errors.
    pub printed_errors: u64,
    /// What the checker printed, in order of first appearance.
    pub entries: Vec<Entry>,
}

impl Report {
    /// Leaked memory that the checker's own suppressions hid.
    pub fn suppressed(&self) -> Amount {
        self.stated.leaks.map(|l| l.suppressed).unwrap_or_default()
    }
}

/// What one input was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// The name it was given.
    pub name: String,
    /// Bytes read.
    pub bytes: u64,
    /// Lines read.
    pub lines: u64,
    /// A checker that looks for memory errors spoke in it.
    pub spoke: bool,
    /// The leg of several runs that it belongs to.
    pub leg: Option<String>,
}

impl Input {
    /// The name for people, with its leg.
    pub fn shown(&self) -> String {
        self.leg.as_ref().map_or_else(
            || self.name.clone(),
            |leg| alloc::format!("{leg}: {}", self.name),
        )
    }
}
