//! What Dr. Memory's headlines say.

use crate::bytes::{after, contains, number, trim_start};
use crate::model::{Kind, Leak, Role};

/// A headline.
pub(super) struct Headline<'a> {
    pub(super) kind: Kind,
    pub(super) title: &'a [u8],
    pub(super) leak: Option<Leak>,
}

impl Headline<'_> {
    /// True for what Dr. Memory itself does not count as an error.
    pub(super) fn is_ignored(&self) -> bool {
        self.title.starts_with(b"WARNING: ")
    }
}

/// What a headline begins with, or with `*` what stands in it, and its kind. The first that fits
/// counts.
pub(in crate::parse) const KINDS: &[(&str, &str)] = &[
    ("*UNADDRESSABLE ACCESS of freed memory", "use-after-free"),
    ("*: writing ", "invalid-write"),
    ("*: executing ", "invalid-jump"),
    ("UNADDRESSABLE ACCESS", "invalid-read"),
    ("UNINITIALIZED READ", "uninit-value"),
    ("*allocated with ", "mismatched-free"),
    ("INVALID HEAP ARGUMENT", "invalid-free"),
    ("GDI USAGE ERROR", "gdi-usage-error"),
    ("HANDLE LEAK", "fd-leak"),
];

/// `Error #3: INVALID HEAP ARGUMENT: free 0x00001234`
pub(super) fn headline(said: &[u8]) -> Option<Headline<'_>> {
    let rest = said
        .strip_prefix(b"Potential ")
        .or_else(|| said.strip_prefix(b"SUPPRESSED "))
        .unwrap_or(said);
    let (_, rest) = number(trim_start(rest.strip_prefix(b"Error #")?))?;
    let title = trim_start(rest.strip_prefix(b":")?);
    let is_shouted = title
        .iter()
        .take_while(|b| b.is_ascii_uppercase() || **b == b' ')
        .count()
        > 3;
    if !is_shouted {
        return None;
    }
    if let Some((kind, leak)) = leak(title) {
        return Some(Headline {
            kind,
            title,
            leak: Some(leak),
        });
    }
    let fits = |part: &str| match part.strip_prefix('*') {
        Some(part) => contains(title, part.as_bytes()),
        None => title.starts_with(part.as_bytes()),
    };
    let kind = KINDS
        .iter()
        .find(|(part, _)| fits(part))
        .map_or(Kind::UNKNOWN, |(_, kind)| Kind::of(kind));
    Some(Headline {
        kind,
        title,
        leak: None,
    })
}

/// `POSSIBLE LEAK 150 direct bytes 0x005a25f8-0x005a268e + 0 indirect bytes`
fn leak(title: &[u8]) -> Option<(Kind, Leak)> {
    let (kind, rest) = [
        (Kind::LEAK_DEFINITE, &b"LEAK "[..]),
        (Kind::LEAK_POSSIBLE, b"POSSIBLE LEAK "),
        (Kind::LEAK_REACHABLE, b"REACHABLE LEAK "),
        (Kind::LEAK_REACHABLE, b"STILL-REACHABLE "),
    ]
    .into_iter()
    .find_map(|(kind, words)| Some((kind, title.strip_prefix(words)?)))?;
    let (direct, rest) = number(rest)?;
    let indirect = after(rest, b" + ")
        .and_then(number)
        .map_or(0, |(indirect, _)| indirect);
    let leak = Leak {
        bytes: direct.saturating_add(indirect),
        blocks: 1,
        direct_bytes: direct,
        indirect_bytes: indirect,
    };
    Some((kind, leak))
}

/// What stack a note announces.
pub(super) fn role(note: &[u8]) -> Role {
    if contains(note, b"freed here") {
        Role::Free
    } else if contains(note, b"allocated here") {
        Role::Allocation
    } else {
        Role::Other
    }
}
