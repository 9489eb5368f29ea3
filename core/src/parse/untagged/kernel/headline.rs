//! The kernel's headlines.

use crate::bytes::{after, before, contains, find, hex};
use crate::model::Kind;
use crate::parse::collect::shared_text;

/// Prefixes of the text after `BUG: K…: ` whose first word isn't the kind, and their kinds.
pub(in crate::parse) const KINDS: &[(&str, &str)] = &[
    ("double-free or invalid-free", "invalid-free"),
    ("null-ptr-deref", "null-pointer-use"),
    ("memory corruption", "heap-corruption"),
    ("invalid free", "invalid-free"),
    ("invalid read", "invalid-read"),
    ("invalid write", "invalid-write"),
    ("assert: race", "data-race"),
    // Linux 4.
    ("use after free", "use-after-free"),
    ("out of bounds", "out-of-bounds"),
    ("wild memory access", "wild-memory-access"),
    ("user memory access", "user-memory-access"),
];

/// Words before ` in FILE:LINE:COLUMN` in a headline of UBSAN, and their kinds.
pub(in crate::parse) const UNDEFINED: &[(&str, &str)] = &[
    ("array-index-out-of-bounds", "out-of-bounds-index"),
    ("shift-out-of-bounds", "invalid-shift"),
    ("signed-integer-overflow", "signed-integer-overflow"),
    ("unsigned-integer-overflow", "unsigned-integer-overflow"),
    ("integer-overflow", "integer-overflow"),
    ("negation-overflow", "signed-integer-overflow"),
    ("division-overflow", "integer-divide-by-zero"),
    ("implicit-conversion", "implicit-conversion"),
    ("pointer-overflow", "pointer-overflow"),
    ("invalid-load", "load-invalid-value"),
    ("misaligned-access", "misaligned-pointer-use"),
    ("null-ptr-deref", "null-pointer-use"),
    ("object-size-mismatch", "insufficient-object-size"),
    ("alignment-assumption", "alignment-assumption"),
    ("unreachable", "unreachable-call"),
    ("Undefined behaviour", "undefined-behavior"),
];

/// Errors that KASAN describes after an Oops, and their kinds.
pub(in crate::parse) const RANGES: &[(&str, &str)] = &[
    ("null-ptr-deref", "null-pointer-use"),
    ("probably user-memory-access", "user-memory-access"),
    ("maybe wild-memory-access", "wild-memory-access"),
    ("probably wild-memory-access", "wild-memory-access"),
    ("maybe slab-use-after-free", "slab-use-after-free"),
];

/// A headline.
pub(super) enum Headline<'a> {
    /// `BUG: KASAN: …`, and the same of the other sanitizers.
    Bug {
        kind: Kind,
        title: &'a [u8],
        /// False if the end of the line is missing. Prose may also look like this.
        is_whole: bool,
    },
    /// `UBSAN: array-index-out-of-bounds in FILE:LINE:COLUMN`
    Undefined {
        kind: Kind,
        title: &'a [u8],
        location: &'a [u8],
    },
    /// `KASAN: null-ptr-deref in range [0x…-0x…]`, within an Oops.
    Range { kind: Kind, title: &'a [u8] },
}

/// Parses a headline.
pub(super) fn parse_headline(text: &[u8]) -> Option<Headline<'_>> {
    let text = text.trim_ascii();
    match text.first()? {
        b'B' => bug(text),
        b'U' => undefined(text),
        b'K' => range(text),
        _ => None,
    }
}

/// Parses `BUG: KASAN: slab-out-of-bounds in FUNCTION+0x1/0x2`. Linux 4.0 writes `KASan`.
fn bug(text: &[u8]) -> Option<Headline<'_>> {
    let name = text.strip_prefix(b"BUG: K")?;
    let message = [&b"ASAN: "[..], b"ASan: ", b"MSAN: ", b"CSAN: ", b"FENCE: "]
        .into_iter()
        .find_map(|rest| name.strip_prefix(rest))?
        .trim_ascii();
    let message = message.strip_prefix(b"maybe ").unwrap_or(message);
    let site = after(message, b" in ");
    let site_at = message.len() - site.map_or(0, <[u8]>::len);
    let end = site.and_then(|site| find(site, b"+0x").or_else(|| find(site, b" (")));
    let title = &message[..end.map_or(message.len(), |end| site_at + end)];
    let error = shared_text(before(message, b" in ").unwrap_or(message));
    let error = error.split(" on address").next().unwrap_or_default();
    let known = KINDS.iter().find(|(prefix, _)| error.starts_with(prefix));
    let kind = known.map_or_else(
        || Kind::from_name(error.split(' ').next().unwrap_or_default()),
        |(_, kind)| Kind::from_static(kind),
    );
    let is_whole = match site {
        Some(site) => is_site(site) || is_pair(site),
        None => contains(message, b" on address "),
    };
    Some(Headline::Bug {
        kind,
        title,
        is_whole,
    })
}

/// Returns true for the place of an error: `f+0x1/0x2 [module]`, `f (FILE:LINE) module` after
/// `decode_stacktrace.sh`, or only an address.
fn is_site(site: &[u8]) -> bool {
    let is_name = |name: &[u8]| {
        !name.is_empty()
            && name
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || b"_.$".contains(b))
    };
    let word = site.split(|b| *b == b' ').next().unwrap_or_default();
    let offset = before(word, b"+0x").zip(after(word, b"+0x").and_then(hex));
    let has_offset =
        offset.is_some_and(|(name, (_, rest))| is_name(name) && rest.starts_with(b"/0x"));
    let decoded = before(site, b" (").is_some_and(is_name)
        && after(site, b" (").is_some_and(|place| {
            contains(place, b")") && after(place, b":").is_some_and(starts_with_digit)
        });
    let address = word.strip_prefix(b"0x").unwrap_or(word);
    let is_address = hex(address).is_some_and(|(_, rest)| rest.is_empty() && address.len() >= 8);
    has_offset || decoded || is_address || site == b"(null)"
}

/// Returns true for the two functions of a data race: `f / g`.
fn is_pair(site: &[u8]) -> bool {
    before(site, b" / ").is_some_and(|name| !contains(name, b" "))
        && after(site, b" / ").is_some_and(|name| !contains(name, b" "))
}

fn starts_with_digit(text: &[u8]) -> bool {
    text.first().is_some_and(u8::is_ascii_digit)
}

/// Parses `UBSAN: array-index-out-of-bounds in drivers/demo/demo.c:843:16`.
fn undefined(text: &[u8]) -> Option<Headline<'_>> {
    let title = text.strip_prefix(b"UBSAN: ")?;
    let name = before(title, b" in ")?;
    let location = after(title, b" in ")?;
    let is_place = after(location, b":").is_some_and(starts_with_digit);
    if !is_place || contains(location, b" ") {
        return None;
    }
    let known = UNDEFINED.iter().find(|(known, _)| known.as_bytes() == name);
    let kind = known.map_or_else(
        || Kind::from_name(&shared_text(name)),
        |(_, kind)| Kind::from_static(kind),
    );
    Some(Headline::Undefined {
        kind,
        title,
        location,
    })
}

/// Returns true for the last line of a log if it may be a headline of UBSAN whose end is lost: a
/// part of its place, or of the name of the error. Titles of bug reports have the same form. Names
/// consist of several words with hyphens.
pub(in crate::parse) fn is_cut_headline(line: &[u8]) -> bool {
    let Some(title) = line.strip_prefix(b"UBSAN: ") else {
        return false;
    };
    let name = before(title, b" in ").unwrap_or(title);
    let is_name = contains(name, b"-") && !contains(name, b" ");
    let is_part = || {
        let mut names = UNDEFINED.iter();
        names.any(|(known, _)| known.as_bytes().starts_with(name))
    };
    is_name && (name.len() < title.len() || is_part())
}

/// Parses `KASAN: maybe wild-memory-access in range [0x1-0x8]`.
fn range(text: &[u8]) -> Option<Headline<'_>> {
    let title = text.strip_prefix(b"KASAN: ")?;
    let (_, kind) = RANGES.iter().find(|(error, _)| {
        title
            .strip_prefix(error.as_bytes())
            .is_some_and(|range| contains(range, b"[0x"))
    })?;
    Some(Headline::Range {
        kind: Kind::from_static(kind),
        title: before(title, b" in range [").unwrap_or(title),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns kind, title and whether the headline is whole.
    fn read(text: &str) -> Option<(Kind, alloc::string::String, bool)> {
        let (kind, title, is_whole) = match parse_headline(text.as_bytes())? {
            Headline::Bug {
                kind,
                title,
                is_whole,
            } => (kind, title, is_whole),
            Headline::Undefined { kind, location, .. } => (kind, location, true),
            Headline::Range { kind, title } => (kind, title, true),
        };
        Some((kind, crate::bytes::lossy(title).into_owned(), is_whole))
    }

    #[test]
    fn headlines_are_parsed() {
        for (text, want) in [
            (
                "BUG: KASAN: slab-use-after-free in f+0x1/0x2 [demo]",
                Some(("slab-use-after-free", "slab-use-after-free in f", true)),
            ),
            (
                "BUG: KASan: out of bounds on stack in f.isra.0+0x1/0x2 at addr ffff8800",
                Some(("out-of-bounds", "out of bounds on stack in f.isra.0", true)),
            ),
            (
                "BUG: KASAN: slab-out-of-bounds in f (drivers/demo.c:42) demo",
                Some(("slab-out-of-bounds", "slab-out-of-bounds in f", true)),
            ),
            (
                "BUG: KASAN: user-memory-access on address 0000000000000010",
                Some((
                    "user-memory-access",
                    "user-memory-access on address 0000000000000010",
                    true,
                )),
            ),
            (
                "BUG: KCSAN: data-race in demo_count / demo_show",
                Some(("data-race", "data-race in demo_count / demo_show", true)),
            ),
            (
                "BUG: KFENCE: memory corruption in f+0x1/0x2",
                Some(("heap-corruption", "memory corruption in f", true)),
            ),
            (
                "BUG: KASAN: stack-out-of-bounds in f_of_demo",
                Some((
                    "stack-out-of-bounds",
                    "stack-out-of-bounds in f_of_demo",
                    false,
                )),
            ),
            ("BUG: KASAN is off", None),
            (
                "UBSAN: shift-out-of-bounds in fs/demo.c:4:12",
                Some(("invalid-shift", "fs/demo.c:4:12", true)),
            ),
            (
                "UBSAN: Undefined behaviour in fs/demo.c:4:12",
                Some(("undefined-behavior", "fs/demo.c:4:12", true)),
            ),
            ("UBSAN: fixes in fs/demo.c:4 and others", None),
            (
                "KASAN: maybe wild-memory-access in range [0xdead000000000100-0xdead000000000107]",
                Some(("wild-memory-access", "maybe wild-memory-access", true)),
            ),
            ("KASAN: null-ptr-deref Read in demo_write", None),
            ("KASAN: null-ptr-deref in range", None),
        ] {
            let want =
                want.map(|(kind, title, whole)| (Kind::from_static(kind), title.into(), whole));
            assert_eq!(read(text), want, "{text}");
        }
    }
}
