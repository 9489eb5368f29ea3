//! Findings, their stacks and frames.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Kind, Text, Tool};

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

impl Leak {
    /// Memory of which nothing is told but its size.
    pub(crate) const fn direct(bytes: u64, blocks: u64) -> Self {
        Self {
            bytes,
            blocks,
            direct_bytes: bytes,
            indirect_bytes: 0,
        }
    }

    /// The sizes of so many such records.
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

/// What stands at a frame's address: everything that does not change between two runs of one
/// binary.
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

/// The suppression that valgrind itself wrote for a record (`--gen-suppressions`). It holds what a
/// printed stack has lost: names as suppressions are compared with, before demangling.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Generated {
    /// Tool and kind: `Memcheck:Leak`.
    pub kind: Text,
    /// What stands between the kind and the frames: `match-leak-kinds: definite`, the name of a
    /// system call's parameter.
    pub extra: Option<Text>,
    /// `fun:…` or `obj:…` for each frame of the primary stack. Empty where equal records had
    /// different ones.
    pub frames: Vec<Text>,
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
    /// The suppression that valgrind wrote for it.
    pub generated: Option<Generated>,
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
        self.leak.map(|leak| leak.times(self.occurrences))
    }
}
