//! What Miri's headlines say.

use alloc::format;
use alloc::string::{String, ToString};

use crate::bytes::{contains, find, lossy, trim_start};
use crate::model::{Kind, Role};

/// A headline.
pub(super) enum Headline<'a> {
    /// Something is wrong with the program.
    Error {
        kind: Kind,
        title: String,
        /// The size of memory that was leaked.
        leaked: Option<u64>,
    },
    /// Miri can't tell what the program would do.
    Stopped(&'a [u8]),
    /// The end of the line is lost.
    Cut(&'a [u8]),
}

/// What a message of undefined behaviour holds, and its kind. The first that fits counts.
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

/// Reads a headline: `error: ` at the start of a line, or right behind text that the program left
/// without a line feed.
pub(super) fn headline(text: &[u8]) -> Option<Headline<'_>> {
    let mut text = trim_start(text);
    let mut begins = true;
    while let Some(at) = find(text, b"error: ") {
        let said = &text[at + b"error: ".len()..];
        let is_glued = at > 0 && text[at - 1].is_ascii_alphanumeric();
        if let Some(headline) =
            read(said.trim_ascii_end()).filter(|_| is_glued || (begins && at == 0))
        {
            return Some(headline);
        }
        (text, begins) = (said, false);
    }
    None
}

/// Reads what follows `error: `.
fn read(said: &[u8]) -> Option<Headline<'_>> {
    if let Some(message) = said.strip_prefix(b"Undefined Behavior: ") {
        let title = lossy(message).into_owned();
        let kind = KINDS
            .iter()
            .find(|(part, _)| title.contains(part))
            .map_or("undefined-behavior", |(_, kind)| kind);
        return Some(Headline::Error {
            kind: Kind::of(kind),
            title,
            leaked: None,
        });
    }
    if let Some(leak) = said.strip_prefix(b"memory leaked: ") {
        let Some((what, bytes)) = leaked(&lossy(leak)) else {
            return Some(Headline::Cut(said));
        };
        return Some(Headline::Error {
            kind: Kind::LEAK_DEFINITE,
            title: format!("memory leaked: {what}"),
            leaked: Some(bytes),
        });
    }
    if let Some(message) = said.strip_prefix(b"the evaluated program ") {
        let kind = if message.starts_with(b"deadlocked") {
            "deadlock"
        } else {
            "abrt"
        };
        return Some(Headline::Error {
            kind: Kind::of(kind),
            title: lossy(said).into_owned(),
            leaked: None,
        });
    }
    if said.starts_with(b"abnormal termination: ") || said.starts_with(b"deadlock: ") {
        let kind = if said.starts_with(b"d") {
            "deadlock"
        } else {
            "abrt"
        };
        return Some(Headline::Error {
            kind: Kind::of(kind),
            title: lossy(said).into_owned(),
            leaked: None,
        });
    }
    let stopped = [
        &b"unsupported operation: "[..],
        b"resource exhaustion: ",
        b"post-monomorphization error: ",
    ];
    stopped
        .iter()
        .any(|words| said.starts_with(words))
        .then_some(Headline::Stopped(said))
}

/// `alloc1573 (Rust heap, size: 32, align: 8), allocated here:`: what is in the parentheses, and
/// the size.
fn leaked(text: &str) -> Option<(String, u64)> {
    let inside = text.split_once('(')?.1.split_once(')')?.0;
    let size = inside.split_once("size: ")?.1;
    let digits = size
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(size.len());
    Some((inside.to_string(), size[..digits].parse().ok()?))
}

/// What stands at the place that a line announces.
pub(super) fn role(label: &[u8]) -> Role {
    let says = |words: &[u8]| contains(label, words);
    if says(b"deallocated here") || says(b"was later deallocated") {
        Role::Free
    } else if says(b"allocated here") {
        Role::Allocation
    } else if says(b"occurred earlier here") {
        Role::Conflict
    } else if says(b"was created") {
        Role::Origin
    } else {
        Role::Other
    }
}
