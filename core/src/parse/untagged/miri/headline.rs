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
        leaked: Option<Leaked>,
    },
    /// Miri can't run the program any further.
    Stopped(&'a [u8]),
    /// The end of the line is missing.
    Truncated(&'a [u8]),
}

/// Leaked memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaked {
    /// Its size in bytes.
    Bytes(u64),
    /// The size is unreadable, because something replaced the number.
    Unreadable,
}

/// Parts of a message about undefined behavior, and their kinds. The first match decides.
pub(in crate::parse) const KINDS: &[(&str, &str)] = &[
    ("Data race detected", "data-race"),
    ("Race condition detected", "data-race"),
    ("Non-atomic race", "data-race"),
    (
        "has been freed, so this pointer is dangling",
        "use-after-free",
    ),
    ("access freed memory", "use-after-free"),
    (
        "dereferenced after this allocation got freed",
        "use-after-free",
    ),
    (
        "incorrect layout on deallocation",
        "new-delete-type-mismatch",
    ),
    ("which is not the beginning of that object", "invalid-free"),
    ("deallocating ", "invalid-free"),
    ("null pointer", "null-pointer-use"),
    ("null reference", "null-pointer-use"),
    ("got 0x", "dangling-pointer"),
    ("does not exist in the borrow stack", "aliasing-violation"),
    ("not granting access to tag", "aliasing-violation"),
    ("that tag only grants ", "aliasing-violation"),
    (
        "no exposed tags have suitable permission",
        "aliasing-violation",
    ),
    ("trying to retag from", "aliasing-violation"),
    ("is forbidden", "aliasing-violation"),
    ("is protected", "aliasing-violation"),
    ("strongly protected", "aliasing-violation"),
    ("because the tag", "aliasing-violation"),
    ("bytes from the end of the allocation", "out-of-bounds"),
    ("byte from the end of the allocation", "out-of-bounds"),
    ("bytes, but got alloc", "out-of-bounds"),
    ("byte, but got alloc", "out-of-bounds"),
    ("but got alloc", "out-of-bounds"),
    ("out-of-bounds", "out-of-bounds"),
    ("in-bounds pointer arithmetic failed", "out-of-bounds"),
    ("before the beginning of the allocation", "out-of-bounds"),
    ("at or beyond the end of the allocation", "out-of-bounds"),
    ("which is only ", "out-of-bounds"),
    ("overflowing pointer arithmetic", "pointer-overflow"),
    ("dangling", "dangling-pointer"),
    ("is uninitialized", "uninit-value"),
    ("uninitialized memory", "uninit-value"),
    ("uninitialized data", "uninit-value"),
    ("requires initialized memory", "uninit-value"),
    ("encountered an unaligned", "misaligned-pointer-use"),
    ("is required", "misaligned-pointer-use"),
    ("constructing invalid value", "invalid-value"),
    ("has invalid tag", "invalid-enum-load"),
    ("value as a bool", "invalid-bool-load"),
    ("value as a char", "invalid-value"),
    ("interpreting an invalid ", "invalid-value"),
    ("read-only", "write-to-constant"),
    ("entering unreachable code", "unreachable-call"),
    ("divisor of zero", "integer-divide-by-zero"),
    ("dividing by zero", "integer-divide-by-zero"),
    ("arithmetic overflow", "integer-overflow"),
    ("calling a function", "function-type-mismatch"),
    ("incorrect number of arguments", "function-type-mismatch"),
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
        let Some((allocation, leaked)) = parse_leak(&lossy(leak)) else {
            return Some(Headline::Truncated(text));
        };
        return Some(Headline::Error {
            kind: Kind::LEAK_DEFINITE,
            title: format!("memory leaked: {allocation}"),
            leaked: Some(leaked),
        });
    }
    if let Some(message) = text.strip_prefix(b"the evaluated program ") {
        // Until 2023 this was the error, and the list of allocations came before it.
        if message.starts_with(b"leaked memory") {
            return Some(Headline::Error {
                kind: Kind::LEAK_DEFINITE,
                title: lossy(text).into_owned(),
                leaked: Some(Leaked::Bytes(0)),
            });
        }
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
/// and the size.
fn parse_leak(text: &str) -> Option<(String, Leaked)> {
    let inside = text.split_once('(')?.1.split_once(')')?.0;
    let size = inside.split_once("size: ").map_or("", |(_, size)| size);
    let digits = size
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(size.len());
    let leaked = size[..digits]
        .parse()
        .map_or(Leaked::Unreadable, Leaked::Bytes);
    Some((inside.to_string(), leaked))
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
