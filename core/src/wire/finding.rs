//! Findings of the JSON report, with their stacks and frames.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

#[cfg(test)]
use super::schema;
use super::{Str, borrowed};

/// Records of one checker with the same kind, sizes and stacks. Several findings may have the same
/// fingerprint.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "finding"))]
pub(crate) struct Finding<'a> {
    #[cfg_attr(test, schemars(with = "schema::Fingerprint"))]
    pub(crate) fingerprint: Str<'a>,
    /// True if no function outside of allocators and runtimes identifies it. Different findings may
    /// then have the same fingerprint.
    #[serde(default, skip_deserializing)]
    pub(crate) weak: bool,
    #[cfg_attr(test, schemars(with = "schema::Tool"))]
    pub(crate) tool: Str<'a>,
    #[cfg_attr(test, schemars(with = "schema::Kind"))]
    pub(crate) kind: Str<'a>,
    /// The checker's headline.
    pub(crate) title: Str<'a>,
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "schema::Severity"))]
    pub(crate) severity: Str<'a>,
    /// Number of records.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub(crate) occurrences: u64,
    /// Number of records that only repeat a leak of the parent process after `fork`. Rules and
    /// totals of the verdict don't count them.
    #[serde(default)]
    pub(crate) inherited: u64,
    /// The sizes of leaked memory; null if it isn't a memory leak.
    #[serde(default)]
    pub(crate) leak: Option<Leak>,
    /// The frame of the first stack to look at; null if the finding has no stack, or only allocator
    /// and runtime frames.
    #[serde(default)]
    pub(crate) location: Option<Location<'a>>,
    /// The stacks; the first is the primary one. Empty if the checker printed none.
    #[serde(borrow)]
    pub(crate) stacks: Vec<Stack<'a>>,
    /// Further lines that the checker printed.
    #[serde(default)]
    pub(crate) notes: Vec<Str<'a>>,
    /// The suppression that valgrind generated for the finding; absent if it generated none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Suppression<'a>"))]
    pub(crate) suppression: Option<Suppression<'a>>,
    /// The first places in the logs where it occurred. Their number is limited (16 per run), unlike
    /// `occurrences`.
    pub(crate) instances: Vec<Instance>,
    /// The names of the tests that caused it, as their harness prints them (at most 64). A test
    /// within a process that was started for another one is `OUTER > INNER`. Absent if no test is
    /// known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tests: Vec<Str<'a>>,
    /// True if other tests, or code outside of tests, caused some of the records; absent if not.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub(crate) more_tests: bool,
    #[cfg_attr(test, schemars(with = "schema::Disposition"))]
    pub(crate) disposition: Str<'a>,
    /// Why it is unexpected although a rule or the baseline matches it; otherwise null.
    #[serde(default, skip_deserializing)]
    #[cfg_attr(test, schemars(with = "Option<schema::Cause>"))]
    pub(crate) cause: Option<Str<'a>>,
    /// The `id` of the first rule that matches it, whether or not the rule accepts it; null if none
    /// matches.
    #[serde(default, skip_deserializing)]
    pub(crate) rule: Option<Str<'a>>,
}

/// The suppression that valgrind generated for a record (`--gen-suppressions`), with mangled names.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "suppression"))]
pub(crate) struct Suppression<'a> {
    /// The tool and the kind, such as `Memcheck:Leak`.
    pub(crate) kind: Str<'a>,
    /// The line between the kind and the frames, such as `match-leak-kinds: definite`; null without
    /// such a line.
    #[serde(default)]
    pub(crate) extra: Option<Str<'a>>,
    /// `fun:NAME` or `obj:FILE` for each frame of the primary stack. Empty if equal records had
    /// different suppressions.
    pub(crate) frames: Vec<Str<'a>>,
}

/// The sizes of a leak, totaled over all occurrences. Bytes and blocks are those of the records as
/// printed.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "leak"))]
pub(crate) struct Leak {
    /// Leaked bytes, direct and indirect together.
    pub(crate) bytes: u64,
    /// Leaked blocks of the records themselves.
    pub(crate) blocks: u64,
    /// Bytes of these blocks.
    pub(crate) direct_bytes: u64,
    /// Bytes that only these blocks pointed to; zero if the checker doesn't report them.
    pub(crate) indirect_bytes: u64,
}

/// The location to look at.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "location"))]
pub(crate) struct Location<'a> {
    /// The source file: its path in the repository if it belongs to the repository, otherwise as
    /// printed; null if unknown.
    #[serde(default)]
    pub(crate) file: Option<Str<'a>>,
    /// The line, from 1; null if unknown.
    #[serde(default)]
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub(crate) line: Option<u32>,
    /// The column, from 1; null if unknown.
    #[serde(default, skip_deserializing)]
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub(crate) column: Option<u32>,
    /// The function, demangled; null if it has no name.
    #[serde(default)]
    pub(crate) function: Option<Str<'a>>,
    /// True if the frame is your code; false if it is only the first frame that isn't an allocator
    /// or a runtime.
    #[serde(default, skip_deserializing)]
    pub(crate) own: bool,
}

/// A list of frames.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "stack"))]
pub(crate) struct Stack<'a> {
    #[cfg_attr(test, schemars(with = "schema::Role"))]
    pub(crate) role: Str<'a>,
    /// The line of the log that introduces the stack, such as `freed by thread T0 here:`; null if
    /// no line introduces it.
    #[serde(default)]
    pub(crate) label: Option<Str<'a>>,
    /// The frames, innermost first.
    // Most of a report are frames that it repeats, so `KnownFrames` parses each text only once.
    #[serde(borrow)]
    #[cfg_attr(test, schemars(with = "Vec<Frame<'a>>"))]
    pub(crate) frames: Vec<&'a RawValue>,
}

/// A stack frame.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "frame"))]
pub(crate) struct Frame<'a> {
    /// The number of the frame: as printed if the checker numbers frames, otherwise counted from 0.
    pub(crate) index: u32,
    /// The address in hex, from the first process with the finding; null if it wasn't printed.
    #[serde(default, borrow, deserialize_with = "borrowed")]
    #[cfg_attr(test, schemars(with = "Option<schema::Hex>"))]
    pub(crate) address: Option<Str<'a>>,
    /// The function, demangled; null if it has no name.
    #[serde(default, borrow, deserialize_with = "borrowed")]
    pub(crate) function: Option<Str<'a>>,
    /// The name as printed if `function` is its demangled form; otherwise null.
    #[serde(default, borrow, deserialize_with = "borrowed")]
    pub(crate) symbol: Option<Str<'a>>,
    /// The source file, as printed; null if unknown.
    #[serde(default, borrow, deserialize_with = "borrowed")]
    pub(crate) file: Option<Str<'a>>,
    /// The line, from 1; null if unknown.
    #[serde(default)]
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub(crate) line: Option<u32>,
    /// The column, from 1; null if unknown.
    #[serde(default)]
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub(crate) column: Option<u32>,
    /// The binary or library; null if it wasn't printed.
    #[serde(default, borrow, deserialize_with = "borrowed")]
    pub(crate) module: Option<Str<'a>>,
    /// The offset in `module`, in hex; null if it wasn't printed.
    #[serde(default, borrow, deserialize_with = "borrowed")]
    #[cfg_attr(test, schemars(with = "Option<schema::Hex>"))]
    pub(crate) offset: Option<Str<'a>>,
    /// The build id of `module`, as printed; null if it wasn't printed.
    #[serde(default, borrow, deserialize_with = "borrowed")]
    pub(crate) build_id: Option<Str<'a>>,
    /// True if the frame was inlined into the next one, which has the same address.
    #[serde(default)]
    pub(crate) inlined: bool,
    #[serde(default, skip_deserializing)]
    #[cfg_attr(test, schemars(with = "schema::Class"))]
    pub(crate) class: Str<'a>,
}

/// A place in a log where a finding occurred.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "instance"))]
pub(crate) struct Instance {
    /// An index into `inputs`, from 0.
    pub(crate) input: usize,
    /// An index into `reports`, from 0.
    #[serde(default)]
    pub(crate) report: usize,
    /// The pid; null if the report doesn't contain it.
    #[serde(default)]
    pub(crate) pid: Option<u64>,
    /// The first line of the record, from 1.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub(crate) first_line: u64,
    /// The last line of the record, from 1.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub(crate) last_line: u64,
}
