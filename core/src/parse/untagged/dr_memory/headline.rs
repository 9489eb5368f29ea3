//! Dr. Memory's headlines.

use crate::bytes::{after, contains, number, trim_start};
use crate::model::{Kind, Leak, Role};

/// The headline of an error.
pub(super) struct Headline<'a> {
    pub(super) kind: Kind,
    pub(super) title: &'a [u8],
    /// The leaked memory; `None` for other errors.
    pub(super) leak: Option<Leak>,
}

impl Headline<'_> {
    /// Returns true for a warning, which Dr. Memory itself doesn't count as an error.
    pub(super) fn is_warning(&self) -> bool {
        self.title.starts_with(b"WARNING: ")
    }
}

/// Prefixes of a headline, or parts of it if they start with `*`, and their kinds. The first match
/// decides.
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

/// Parses `Error #3: INVALID HEAP ARGUMENT: free 0x00001234`.
pub(super) fn parse_headline(text: &[u8]) -> Option<Headline<'_>> {
    let rest = text
        .strip_prefix(b"Potential ")
        .or_else(|| text.strip_prefix(b"SUPPRESSED "))
        .unwrap_or(text);
    let (_, rest) = number(trim_start(rest.strip_prefix(b"Error #")?))?;
    let title = trim_start(rest.strip_prefix(b":")?);
    let is_upper_case = title
        .iter()
        .take_while(|b| b.is_ascii_uppercase() || **b == b' ')
        .count()
        > 3;
    if !is_upper_case {
        return None;
    }
    if let Some((kind, leak)) = parse_leak(title) {
        return Some(Headline {
            kind,
            title,
            leak: Some(leak),
        });
    }
    let matches = |part: &str| match part.strip_prefix('*') {
        Some(part) => contains(title, part.as_bytes()),
        None => title.starts_with(part.as_bytes()),
    };
    let kind = KINDS
        .iter()
        .find(|(part, _)| matches(part))
        .map_or(Kind::UNKNOWN, |(_, kind)| Kind::from_static(kind));
    Some(Headline {
        kind,
        title,
        leak: None,
    })
}

/// Parses `POSSIBLE LEAK 150 direct bytes 0x005a25f8-0x005a268e + 0 indirect bytes`.
fn parse_leak(title: &[u8]) -> Option<(Kind, Leak)> {
    let (kind, rest) = [
        (Kind::LEAK_DEFINITE, &b"LEAK "[..]),
        (Kind::LEAK_POSSIBLE, b"POSSIBLE LEAK "),
        (Kind::LEAK_REACHABLE, b"REACHABLE LEAK "),
        (Kind::LEAK_REACHABLE, b"STILL-REACHABLE "),
    ]
    .into_iter()
    .find_map(|(kind, prefix)| Some((kind, title.strip_prefix(prefix)?)))?;
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

/// Returns the role of the stack that a note introduces.
pub(super) fn stack_role(note: &[u8]) -> Role {
    if contains(note, b"freed here") {
        Role::Free
    } else if contains(note, b"allocated here") {
        Role::Allocation
    } else {
        Role::Other
    }
}
