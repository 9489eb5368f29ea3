//! Miri's headlines.

use alloc::format;
use alloc::string::{String, ToString};

use crate::bytes::{contains, lossy};
use crate::model::{Kind, Role};

/// The headline of a message.
pub(super) enum Headline<'a> {
    /// An error of the program.
    Error {
        kind: Kind,
        title: String,
        /// Size of the leaked memory, in bytes; `None` for other errors.
        leaked: Option<u64>,
    },
    /// Miri can't run the program any further.
    Stopped(&'a [u8]),
    /// The end of the line is missing.
    Truncated(&'a [u8]),
}

/// Parts of a message about undefined behavior, and their kinds. The first match decides.
pub(in crate::parse) const KINDS: &[(&str, &str)] = &[
    ("Data race detected", "data-race"),
    ("Race condition detected", "data-race"),
    (
        "has been freed, so this pointer is dangling",
        "use-after-free",
    ),
    ("which is not the beginning of that object", "invalid-free"),
    ("deallocating ", "invalid-free"),
    ("null pointer", "null-pointer-use"),
    ("got 0x", "dangling-pointer"),
    ("dangling", "dangling-pointer"),
    ("bytes from the end of the allocation", "out-of-bounds"),
    ("byte from the end of the allocation", "out-of-bounds"),
    ("bytes, but got alloc", "out-of-bounds"),
    ("byte, but got alloc", "out-of-bounds"),
    ("out-of-bounds", "out-of-bounds"),
    ("at or beyond the end of the allocation", "out-of-bounds"),
    ("is uninitialized", "uninit-value"),
    ("uninitialized memory", "uninit-value"),
    ("encountered an unaligned", "misaligned-pointer-use"),
    ("is required", "misaligned-pointer-use"),
    ("does not exist in the borrow stack", "aliasing-violation"),
    ("not granting access to tag", "aliasing-violation"),
    ("trying to retag from", "aliasing-violation"),
    ("is forbidden", "aliasing-violation"),
    ("is protected", "aliasing-violation"),
    ("because the tag", "aliasing-violation"),
    ("constructing invalid value", "invalid-value"),
    ("read-only", "write-to-constant"),
    ("entering unreachable code", "unreachable-call"),
    ("divisor of zero", "integer-divide-by-zero"),
    ("dividing by zero", "integer-divide-by-zero"),
    ("arithmetic overflow", "integer-overflow"),
    ("calling a function", "function-type-mismatch"),
    ("overlapping ranges", "overlap"),
];

/// Parses a headline: `error: ` and a message.
pub(super) fn parse_headline(text: &[u8]) -> Option<Headline<'_>> {
    parse_message(text.trim_ascii().strip_prefix(b"error: ")?)
}

/// Parses the message after `error: `.
fn parse_message(text: &[u8]) -> Option<Headline<'_>> {
    if let Some(message) = text.strip_prefix(b"Undefined Behavior: ") {
        let title = lossy(message).into_owned();
        let kind = KINDS
            .iter()
            .find(|(part, _)| title.contains(part))
            .map_or("undefined-behavior", |(_, kind)| kind);
        return Some(Headline::Error {
            kind: Kind::from_static(kind),
            title,
            leaked: None,
        });
    }
    if let Some(leak) = text.strip_prefix(b"memory leaked: ") {
        let Some((allocation, bytes)) = parse_leak(&lossy(leak)) else {
            return Some(Headline::Truncated(text));
        };
        return Some(Headline::Error {
            kind: Kind::LEAK_DEFINITE,
            title: format!("memory leaked: {allocation}"),
            leaked: Some(bytes),
        });
    }
    if let Some(message) = text.strip_prefix(b"the evaluated program ") {
        return Some(stop(text, message.starts_with(b"deadlocked")));
    }
    if text.starts_with(b"abnormal termination: ") || text.starts_with(b"deadlock: ") {
        return Some(stop(text, text.starts_with(b"deadlock")));
    }
    let stopped = [
        &b"unsupported operation: "[..],
        b"resource exhaustion: ",
        b"post-monomorphization error: ",
    ];
    stopped
        .iter()
        .any(|prefix| text.starts_with(prefix))
        .then_some(Headline::Stopped(text))
}

/// Returns the headline of a program that deadlocked or aborted.
fn stop(text: &[u8], is_deadlock: bool) -> Headline<'_> {
    Headline::Error {
        kind: Kind::from_static(if is_deadlock { "deadlock" } else { "abrt" }),
        title: lossy(text).into_owned(),
        leaked: None,
    }
}

/// Parses `alloc1573 (Rust heap, size: 32, align: 8), allocated here:` into the text in parentheses
/// and the size in bytes.
fn parse_leak(text: &str) -> Option<(String, u64)> {
    let inside = text.split_once('(')?.1.split_once(')')?.0;
    let size = inside.split_once("size: ")?.1;
    let digits = size
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(size.len());
    Some((inside.to_string(), size[..digits].parse().ok()?))
}

/// Returns the role of the location that a line introduces.
pub(super) fn role(label: &[u8]) -> Role {
    let has = |part: &[u8]| contains(label, part);
    if has(b"deallocated here") || has(b"was later deallocated") {
        Role::Free
    } else if has(b"allocated here") {
        Role::Allocation
    } else if has(b"occurred earlier here") {
        Role::Conflict
    } else if has(b"was created") {
        Role::Origin
    } else {
        Role::Other
    }
}
