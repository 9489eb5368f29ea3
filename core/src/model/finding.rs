//! Findings, their stacks and frames.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Kind, Text, Tool};

/// Sizes of one leak record, as printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Leak {
    /// Leaked bytes, direct and indirect.
    pub bytes: u64,
    /// Leaked blocks (objects) of the record itself.
    pub blocks: u64,
    /// Bytes of the record's own blocks.
    pub direct_bytes: u64,
    /// Bytes of blocks that only the record's own blocks pointed to. Zero if the checker doesn't
    /// report them.
    pub indirect_bytes: u64,
}

impl Leak {
    /// Creates the sizes of a leak without indirect bytes.
    pub(crate) const fn direct(bytes: u64, blocks: u64) -> Self {
        Self {
            bytes,
            blocks,
            direct_bytes: bytes,
            indirect_bytes: 0,
        }
    }

    /// Returns the sizes of `n` equal records. Saturates at [`u64::MAX`].
    ///
    /// ```
    /// use leakgate_core::model::Leak;
    ///
    /// let leak = Leak { bytes: 40, blocks: 2, direct_bytes: 16, indirect_bytes: 24 };
    /// assert_eq!(leak.times(3).bytes, 120);
    /// ```
    #[must_use]
    pub fn times(self, n: u64) -> Self {
        Self {
            bytes: self.bytes.saturating_mul(n),
            blocks: self.blocks.saturating_mul(n),
            direct_bytes: self.direct_bytes.saturating_mul(n),
            indirect_bytes: self.indirect_bytes.saturating_mul(n),
        }
    }
}

/// The meaning of a stack in a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// The invalid access.
    Access,
    /// The allocation of the memory, or the opening of the descriptor.
    Allocation,
    /// The deallocation of the memory, or the closing of the descriptor.
    Free,
    /// The origin of an uninitialized value or of a stack variable.
    Origin,
    /// The creation of a thread.
    Thread,
    /// The acquisition or first use of a lock.
    Lock,
    /// The conflicting access.
    Conflict,
    /// The registration of a global variable, or the poisoning of memory.
    Declaration,
    /// A stack whose meaning the checker doesn't state.
    Other,
}

impl Role {
    /// Every role.
    pub const ALL: &'static [Self] = &[
        Self::Access,
        Self::Allocation,
        Self::Free,
        Self::Origin,
        Self::Thread,
        Self::Lock,
        Self::Conflict,
        Self::Declaration,
        Self::Other,
    ];

    /// Returns the name used in JSON.
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

/// The part of a frame that is the same in every run of a binary.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct FrameInfo {
    /// Text of the frame after its number and address, byte for byte. Empty for frames that were
    /// read from a JSON report.
    pub raw: Box<[u8]>,
    /// Function name, as printed.
    pub function: Option<Text>,
    /// Demangled function name. `None` if the printed name isn't mangled.
    pub demangled: Option<Text>,
    /// Source file, as printed.
    pub file: Option<Text>,
    /// Line in the file, from 1.
    pub line: Option<u32>,
    /// Column in the line, from 1.
    pub column: Option<u32>,
    /// Path of the binary or library.
    pub module: Option<Text>,
    /// Offset in the module, in bytes.
    pub offset: Option<u64>,
    /// Build id of the module, in hex digits.
    pub build_id: Option<Text>,
}

impl FrameInfo {
    /// Returns the function name for display: demangled if possible. Returns `None` if the frame
    /// has no function.
    pub fn name(&self) -> Option<&str> {
        self.demangled.as_deref().or(self.function.as_deref())
    }
}

/// One frame of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Frame {
    /// Number of the frame as printed, or its position from 0 if the checker doesn't number frames.
    pub index: u32,
    /// Address in the first process that reported the finding. `None` if it isn't printed.
    pub address: Option<u64>,
    /// True if this frame was inlined into the next frame, which has the same address.
    pub inlined: bool,
    /// Function, location and module. Equal frames share one value.
    pub info: Arc<FrameInfo>,
}

/// A list of frames, innermost first.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stack {
    /// The meaning of the stack.
    pub role: Role,
    /// The line that introduces the stack, such as `freed by thread T0 here:`. `None` if the stack
    /// has no such line.
    pub label: Option<Text>,
    /// The frames.
    pub frames: Vec<Frame>,
}

/// One occurrence of a finding in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Instance {
    /// Index into [`Parsed::inputs`](crate::Parsed::inputs).
    pub input: usize,
    /// Index into [`Parsed::reports`](crate::Parsed::reports).
    pub report: usize,
    /// The pid. `None` if it isn't printed.
    pub pid: Option<u64>,
    /// First line of the record, from 1.
    pub first_line: u64,
    /// Last line of the record, from 1.
    pub last_line: u64,
}

/// The suppression that valgrind generated for a record (`--gen-suppressions`). It has the function
/// names that valgrind matches suppressions with: mangled, unlike in the printed stack.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct GeneratedSuppression {
    /// Tool and kind: `Memcheck:Leak`.
    pub kind: Text,
    /// The line between the kind and the frames: `match-leak-kinds: definite`, or the parameter of
    /// a system call. `None` for kinds without such a line.
    pub extra: Option<Text>,
    /// One `fun:…` or `obj:…` line for each frame of the primary stack. Empty if equal records have
    /// different suppressions.
    pub frames: Vec<Text>,
}

/// One record of a checker, or several records with equal kind, sizes and stacks.
///
/// A finding is the checker's statement. Whether it is accepted is decided by
/// [triage](crate::triage).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Finding {
    /// The tool that reported it.
    pub tool: Tool,
    /// The kind of the error or leak.
    pub kind: Kind,
    /// The checker's headline.
    pub title: Text,
    /// Sizes of one record. `None` if the finding isn't a leak of memory.
    pub leak: Option<Leak>,
    /// The stacks. The first one is the primary stack.
    pub stacks: Vec<Stack>,
    /// Further lines of the record, such as the description of an address.
    pub notes: Vec<Text>,
    /// The suppression that valgrind generated. `None` without `--gen-suppressions`.
    pub generated_suppression: Option<GeneratedSuppression>,
    /// Number of records.
    pub occurrences: u64,
    /// Number of records that repeat a leak of the parent process after `fork`.
    pub inherited: u64,
    /// The first occurrences, at most [`Options::max_instances`](crate::Options::max_instances).
    pub instances: Vec<Instance>,
    /// Names of the tests that caused it, as their harness prints them, at most [`MAX_TESTS`].
    /// Empty if they aren't known.
    pub tests: Vec<Text>,
    /// True if other tests, or code outside of tests, caused some of the records.
    pub more_tests: bool,
}

/// Maximum number of tests of a finding that are stored.
pub const MAX_TESTS: usize = 64;

impl Finding {
    /// Returns the primary stack: the access or the allocation. Returns `None` if the record has no
    /// stack.
    pub fn primary(&self) -> Option<&Stack> {
        self.stacks.first()
    }

    /// Adds the tests of further records, which `occurrences` doesn't contain yet. `more` means that
    /// other tests, or code outside of tests, caused some of these records.
    pub(crate) fn add_tests(&mut self, tests: Vec<Text>, more: bool) {
        let differ = tests.is_empty() != self.tests.is_empty();
        self.more_tests |= more || (differ && self.occurrences > 0);
        self.push_tests(tests);
    }

    /// Adds tests, each once.
    pub(crate) fn push_tests(&mut self, tests: Vec<Text>) {
        for test in tests {
            if self.tests.contains(&test) {
                continue;
            }
            if self.tests.len() >= MAX_TESTS {
                self.more_tests = true;
                return;
            }
            self.tests.push(test);
        }
    }

    /// Returns the sizes of all records together. Returns `None` if the finding isn't a leak of
    /// memory.
    pub fn total(&self) -> Option<Leak> {
        self.leak.map(|leak| leak.times(self.occurrences))
    }
}
