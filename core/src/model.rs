//! What the parser produces: reports, findings, stacks, frames. Plain public data, no behaviour beyond small questions.
//!
//! Nothing here is decided: a [`Finding`] is what a checker printed, neither accepted nor refused.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

/// Shared, immutable text. Bytes of a log that are not UTF-8 stand in it as U+FFFD.
pub type Text = Arc<str>;

/// The checker that speaks.
///
/// A leak that LeakSanitizer found inside an AddressSanitizer process belongs to [`Tool::Lsan`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Tool {
    /// valgrind's memcheck.
    Memcheck,
    /// valgrind's helgrind.
    Helgrind,
    /// valgrind's drd.
    Drd,
    /// AddressSanitizer.
    Asan,
    /// LeakSanitizer, stand-alone or inside another sanitizer.
    Lsan,
    /// Another checker, by its name.
    Custom(Text),
}

impl Tool {
    /// The name as it stands in configuration, JSON and on the command line.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Memcheck => "memcheck",
            Self::Helgrind => "helgrind",
            Self::Drd => "drd",
            Self::Asan => "asan",
            Self::Lsan => "lsan",
            Self::Custom(name) => name,
        }
    }

    /// True for the tools of valgrind.
    pub fn is_valgrind(&self) -> bool {
        matches!(self, Self::Memcheck | Self::Helgrind | Self::Drd)
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What kind of mistake a finding is, in kebab-case: one of the `leak-…` constants, `fd-leak`, or the checker's own kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kind(Cow<'static, str>);

impl Kind {
    /// Nothing points to the block any more: memcheck's "definitely lost", LSan's "Direct leak".
    pub const LEAK_DEFINITE: Self = Self::of("leak-definite");
    /// Only other leaked blocks point to the block.
    pub const LEAK_INDIRECT: Self = Self::of("leak-indirect");
    /// Only pointers into the middle of the block remain.
    pub const LEAK_POSSIBLE: Self = Self::of("leak-possible");
    /// Something still points to the block when the process ends.
    pub const LEAK_REACHABLE: Self = Self::of("leak-reachable");
    /// A file descriptor of the process's own is open at its end.
    pub const FD_LEAK: Self = Self::of("fd-leak");
    /// A file descriptor is open that the process had from its parent.
    pub const FD_INHERITED: Self = Self::of("fd-inherited");
    /// A signal that ends the process at a wrong access or instruction.
    pub const FATAL_SIGNAL: Self = Self::of("fatal-signal");
    /// A record whose wording is not known; its text is the title.
    pub const UNKNOWN: Self = Self::of("unknown-error");

    /// A kind that is known when leakgate is built.
    pub const fn of(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// A kind as a checker prints it, which is kebab-case already but for capitals: `SEGV`, `heap-use-after-free`.
    pub fn own(name: &str) -> Self {
        Self(Cow::Owned(name.to_lowercase()))
    }

    /// A kind as a checker names it: `InvalidRead`, `heap-use-after-free`, `data race` become kebab-case.
    pub fn from_name(name: &str) -> Self {
        let mut out = String::with_capacity(name.len() + 4);
        let mut before = ' ';
        let mut letters = name.chars().peekable();
        while let Some(c) = letters.next() {
            if c.is_ascii_uppercase() {
                let next_is_lower = letters.peek().is_some_and(char::is_ascii_lowercase);
                let starts_word = before.is_ascii_lowercase()
                    || before.is_ascii_digit()
                    || (before.is_ascii_uppercase() && next_is_lower);
                if starts_word && !out.ends_with('-') {
                    out.push('-');
                }
                out.push(c.to_ascii_lowercase());
            } else if c.is_alphanumeric() {
                out.push(c);
            } else if !out.is_empty() && !out.ends_with('-') {
                out.push('-');
            }
            before = c;
        }
        Self(Cow::Owned(out.trim_end_matches('-').into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True for the four kinds of leaked memory.
    pub fn is_leak(&self) -> bool {
        self.0.starts_with("leak-")
    }

    /// True for what is neither leaked memory nor a descriptor left open.
    pub fn is_error(&self) -> bool {
        !self.is_leak() && *self != Self::FD_LEAK && *self != Self::FD_INHERITED
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Sizes of one leak record, as printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Leak {
    /// Leaked bytes: direct and indirect together.
    pub bytes: u64,
    /// Leaked blocks (objects) of the record itself.
    pub blocks: u64,
    /// Bytes of the record's own blocks.
    pub direct_bytes: u64,
    /// Bytes that only the record's blocks pointed to; zero where the checker does not tell.
    pub indirect_bytes: u64,
}

/// A number of bytes in a number of blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// Bytes.
    pub bytes: u64,
    /// Blocks, objects or allocations.
    pub blocks: u64,
}

/// Why a stack stands in a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Where the mistake happened.
    Access,
    /// Where the memory (or descriptor) came from.
    Allocation,
    /// Where it was given back.
    Free,
    /// Where an uninitialised value, or the stack variable, comes from.
    Origin,
    /// Where a thread was started.
    Thread,
    /// Where a lock was taken or first seen.
    Lock,
    /// The other side of a conflict.
    Conflict,
    /// Where a global was registered, or memory poisoned.
    Declaration,
    /// A stack whose meaning the text does not tell.
    Other,
}

impl Role {
    /// The name, as it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Allocation => "allocation",
            Self::Free => "free",
            Self::Origin => "origin",
            Self::Thread => "thread",
            Self::Lock => "lock",
            Self::Conflict => "conflict",
            Self::Declaration => "declaration",
            Self::Other => "other",
        }
    }
}

/// What stands at a frame's address: everything that does not change between two runs of one binary.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Site {
    /// The text of the frame after its number and address, byte for byte.
    pub raw: Box<[u8]>,
    /// The function, as printed.
    pub function: Option<Text>,
    /// The function demangled, where the printed name was mangled.
    pub demangled: Option<Text>,
    /// The source file, as printed.
    pub file: Option<Text>,
    /// The line in `file`, from 1.
    pub line: Option<u32>,
    /// The column in `line`, from 1.
    pub column: Option<u32>,
    /// The binary or library.
    pub module: Option<Text>,
    /// The offset in `module`.
    pub offset: Option<u64>,
    /// The build id of `module`, in hex digits.
    pub build_id: Option<Text>,
}

impl Site {
    /// The function for people: demangled where that is known.
    pub fn name(&self) -> Option<&str> {
        self.demangled.as_deref().or(self.function.as_deref())
    }
}

/// One line of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The number in its stack: as printed where the checker numbers frames, else counted from 0.
    pub index: u32,
    /// The address, in the first process in which this finding was seen.
    pub address: Option<u64>,
    /// True where the next frame has the same address: this one was inlined into it.
    pub inlined: bool,
    /// What stands there.
    pub site: Arc<Site>,
}

/// A list of frames, innermost first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    /// Why it stands here.
    pub role: Role,
    /// The line that introduces it, for example `freed by thread T0 here:`.
    pub label: Option<Text>,
    /// The frames.
    pub frames: Vec<Frame>,
}

/// Where a finding was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Index into the inputs.
    pub input: usize,
    /// Index into the reports.
    pub report: usize,
    /// The process.
    pub pid: Option<u64>,
    /// First line of the record, from 1.
    pub first_line: u64,
    /// Last line of the record.
    pub last_line: u64,
}

/// One record of a checker, or several that are the same in kind, sizes and stacks.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Who found it.
    pub tool: Tool,
    /// What it is.
    pub kind: Kind,
    /// The checker's own headline.
    pub title: Text,
    /// Sizes of one record, where it is a leak.
    pub leak: Option<Leak>,
    /// The stacks; the first is the primary one.
    pub stacks: Vec<Stack>,
    /// What the checker says besides, line by line.
    pub notes: Vec<Text>,
    /// How many records.
    pub occurrences: u64,
    /// How many of them only repeat a leak of the parent process after `fork`.
    pub inherited: u64,
    /// The first places where it was seen; see [`crate::Options::max_instances`].
    pub instances: Vec<Instance>,
}

impl Finding {
    /// The stack that tells where the finding is.
    pub fn primary(&self) -> Option<&Stack> {
        self.stacks.first()
    }

    /// The leak's sizes over all occurrences.
    pub fn total(&self) -> Option<Leak> {
        let n = self.occurrences;
        self.leak.map(|l| Leak {
            bytes: l.bytes.saturating_mul(n),
            blocks: l.blocks.saturating_mul(n),
            direct_bytes: l.direct_bytes.saturating_mul(n),
            indirect_bytes: l.indirect_bytes.saturating_mul(n),
        })
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
    /// Which leaks the checker shows as records, where the report tells (valgrind XML names its options).
    pub shown: Option<ShownLeaks>,
    /// What the checker stated.
    pub stated: Stated,
    /// The checker said that it left findings out (a documented cap).
    pub capped: bool,
    /// How many records the checker printed, those that a later leak search printed again included.
    pub printed: u64,
    /// What the checker printed, in order of first appearance.
    pub entries: Vec<Entry>,
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
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn names_of_checkers_become_kebab_case() {
        for (name, kind) in [
            ("InvalidRead", "invalid-read"),
            ("PthAPIerror", "pth-ap-ierror"),
            ("UnimpHgClReq", "unimp-hg-cl-req"),
            ("heap-use-after-free", "heap-use-after-free"),
            ("data race", "data-race"),
            ("SEGV", "segv"),
            ("attempting  free!", "attempting-free"),
        ] {
            assert_eq!(Kind::from_name(name).as_str(), kind);
        }
    }
}
