//! UndefinedBehaviorSanitizer's messages: headlines, which name no process, and the lines after
//! them.
//!
//! Sources: compiler-rt `ubsan/ubsan_handlers.cpp` (the messages), `ubsan_diag.cpp` (`Diag::~Diag`,
//! `PrintMemorySnippet`), `ubsan_checks.inc` (the kinds that `SUMMARY:` gives),
//! `ubsan_minimal/ubsan_minimal_handlers.cpp`.

use super::sanitizer::is_prefix;
use crate::bytes::{after, before, contains, hex, trim_start};
use crate::model::Kind;

/// A parsed headline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Headline<'a> {
    /// `FILE:LINE:COLUMN`, `MODULE+0xOFFSET` in brackets, an address, or `<unknown>`.
    pub(crate) location: &'a [u8],
    pub(crate) message: &'a [u8],
}

/// Parses `a.c:3:42: runtime error: …`. The program may have printed text without a line feed
/// before it.
pub(crate) fn headline(text: &[u8]) -> Option<Headline<'_>> {
    let head = before(text, b": runtime error: ")?;
    let location = location(head)?;
    let message = after(text, b": runtime error: ")?.trim_ascii();
    let text_before = head[..head.len() - location.len()].trim_ascii();
    let is_first = text_before.is_empty() || !text_before.contains(&b' ');
    // The words also occur in sentences. There, the message isn't whole, or it is quoted.
    let is_headline = is_first || is_prefix(text_before) || is_known(message);
    (is_headline && !location.starts_with(b"`") && !names_commit(text_before))
        .then_some(Headline { location, message })
}

/// Returns true for a message of the runtime, up to the words that distinguish it.
fn is_known(message: &[u8]) -> bool {
    core::str::from_utf8(message).is_ok_and(|text| kind(text).as_str() != "undefined-behavior")
}

/// Returns true if the text contains the hash of a commit, so its subject follows.
fn names_commit(text: &[u8]) -> bool {
    let is_hash = |word: &[u8]| {
        (7..=40).contains(&word.len())
            && word.iter().all(u8::is_ascii_hexdigit)
            && word.iter().any(u8::is_ascii_digit)
            && word.iter().any(u8::is_ascii_lowercase)
    };
    !is_prefix(text) && text.split(|b| *b == b' ').any(is_hash)
}

/// Returns the position at which a headline begins; `None` if the line has none.
pub(crate) fn headline_start(text: &[u8]) -> Option<usize> {
    let head = before(text, b": runtime error: ")?;
    Some(head.len() - location(head)?.len())
}

/// Returns the location at the end of the text before `: runtime error: `. Go's `panic: runtime
/// error: ` has none.
fn location(head: &[u8]) -> Option<&[u8]> {
    let text = trim_start(head);
    let is_path = matches!(
        text,
        [b'/' | b'(' | b'<', ..] | [b'.', b'.' | b'/', ..] | [_, b':', b'\\' | b'/', ..]
    );
    let last = text
        .rsplit(|b| matches!(b, b' ' | b'\t'))
        .next()
        .unwrap_or(text);
    // Some prefixes end with a colon, such as `[1,0]<stderr>:`.
    let last = after(last, b">:")
        .or_else(|| after(last, b"]:"))
        .unwrap_or(last);
    let location = if is_path { text } else { last };
    let line = location
        .iter()
        .rposition(|b| *b == b':')
        .filter(|at| *at > 0)
        .map(|at| &location[at + 1..]);
    let numbered =
        line.is_some_and(|digits| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit));
    let address = location
        .strip_prefix(b"0x")
        .and_then(hex)
        .is_some_and(|(_, rest)| rest.is_empty());
    let bracketed = location.ends_with(b")")
        && (contains(location, b"+0x")
            || location.iter().rev().nth(1).is_some_and(u8::is_ascii_digit));
    (numbered || address || bracketed || location == b"<unknown>").then_some(location)
}

/// Returns the kind of a message, with the name that the sanitizer itself prints in `SUMMARY:` if
/// `report_error_type=1` is set.
pub(crate) fn kind(message: &str) -> Kind {
    if message.starts_with("implicit conversion from type ") {
        return conversion(message);
    }
    if message.starts_with("load of value ") {
        let truth = ["'bool'", "'BOOL'", "'_Bool'", "type bool"]
            .iter()
            .any(|name| message.contains(name));
        return Kind::from_static(if truth {
            "invalid-bool-load"
        } else {
            "invalid-enum-load"
        });
    }
    let named = MESSAGES
        .iter()
        .find(|(part, _)| match part.strip_prefix('*') {
            Some(part) => message.contains(part),
            None => message.starts_with(part),
        });
    Kind::from_static(named.map_or("undefined-behavior", |(_, kind)| kind))
}

/// Returns the kind of an implicit conversion: `implicit conversion from type 'int' of value 300
/// (32-bit, signed) to type 'signed char' changed the value to 44 (8-bit, signed)`
fn conversion(message: &str) -> Kind {
    let mut sides = message.match_indices("-bit, ").map(|(at, _)| {
        let digits = message[..at]
            .rsplit('(')
            .next()
            .and_then(|bits| bits.parse::<u32>().ok());
        (
            digits.unwrap_or(0),
            message[at..].starts_with("-bit, unsigned"),
        )
    });
    let (Some((from, from_unsigned)), Some((to, to_unsigned))) = (sides.next(), sides.next())
    else {
        return Kind::from_static("implicit-conversion");
    };
    Kind::from_static(match (from > to, from_unsigned && to_unsigned) {
        (true, true) => "implicit-unsigned-integer-truncation",
        (true, false) => "implicit-signed-integer-truncation",
        (false, _) => "implicit-integer-sign-change",
    })
}

/// Start of a message, or with `*` a part of it, and its kind.
pub(super) const MESSAGES: &[(&str, &str)] = &[
    ("signed integer overflow: ", "signed-integer-overflow"),
    ("unsigned integer overflow: ", "unsigned-integer-overflow"),
    (
        "* cannot be represented in type 'unsigned",
        "unsigned-integer-overflow",
    ),
    ("negation of ", "signed-integer-overflow"),
    ("division by zero", "integer-divide-by-zero"),
    ("division of ", "signed-integer-overflow"),
    ("shift exponent ", "invalid-shift-exponent"),
    ("left shift of ", "invalid-shift-base"),
    ("index ", "out-of-bounds-index"),
    ("access out of bounds", "out-of-bounds-index"),
    (
        "execution reached an unreachable program point",
        "unreachable-call",
    ),
    (
        "execution reached the end of a value-returning function",
        "missing-return",
    ),
    (
        "variable length array bound evaluates to non-positive value",
        "non-positive-vla-index",
    ),
    (
        "* is outside the range of representable values of type ",
        "float-cast-overflow",
    ),
    ("passing zero to ", "invalid-builtin-use"),
    (
        "assumption is violated during execution",
        "invalid-builtin-use",
    ),
    ("assumption of ", "alignment-assumption"),
    ("invalid Objective-C cast", "invalid-objc-cast"),
    ("null pointer returned from function", "invalid-null-return"),
    ("null pointer passed as argument ", "invalid-null-argument"),
    (
        "applying zero offset to null pointer",
        "nullptr-with-offset",
    ),
    (
        "applying non-zero offset to non-null pointer ",
        "nullptr-after-nonzero-offset",
    ),
    ("applying non-zero offset ", "nullptr-with-nonzero-offset"),
    ("pointer index expression with base ", "pointer-overflow"),
    ("addition of unsigned offset to ", "pointer-overflow"),
    ("subtraction of unsigned offset from ", "pointer-overflow"),
    ("call to function ", "function-type-mismatch"),
    ("control flow integrity check for type ", "cfi-bad-type"),
    (
        "* which does not point to an object of type ",
        "dynamic-type-mismatch",
    ),
    (
        "* with insufficient space for an object of type ",
        "insufficient-object-size",
    ),
    ("* null pointer of type ", "null-pointer-use"),
    ("* misaligned address ", "misaligned-pointer-use"),
];

/// Messages of the minimal runtime after `ubsan: `, and their kinds. These are the kinds of the
/// full runtime, if it has an equivalent.
pub(super) const MINIMAL: &[(&str, &str)] = &[
    ("type-mismatch", "type-mismatch"),
    ("alignment-assumption", "alignment-assumption"),
    ("add-overflow", "add-overflow"),
    ("sub-overflow", "sub-overflow"),
    ("mul-overflow", "mul-overflow"),
    ("negate-overflow", "negate-overflow"),
    ("divrem-overflow", "divrem-overflow"),
    ("shift-out-of-bounds", "invalid-shift"),
    ("out-of-bounds", "out-of-bounds-index"),
    ("local-out-of-bounds", "out-of-bounds-index"),
    ("builtin-unreachable", "unreachable-call"),
    ("missing-return", "missing-return"),
    ("vla-bound-not-positive", "non-positive-vla-index"),
    ("float-cast-overflow", "float-cast-overflow"),
    ("load-invalid-value", "load-invalid-value"),
    ("invalid-builtin", "invalid-builtin-use"),
    ("invalid-objc-cast", "invalid-objc-cast"),
    ("function-type-mismatch", "function-type-mismatch"),
    ("implicit-conversion", "implicit-conversion"),
    ("nonnull-arg", "invalid-null-argument"),
    ("nonnull-return", "invalid-null-return"),
    ("nullability-arg", "invalid-null-argument"),
    ("nullability-return", "invalid-null-return"),
    ("pointer-overflow", "pointer-overflow"),
    ("cfi-check-fail", "cfi-bad-type"),
];

/// Returns the kind of a line of the minimal runtime: `ubsan: add-overflow by 0x000056389328d85c`,
/// without the address before LLVM 16.
pub(crate) fn minimal(text: &[u8]) -> Option<&'static str> {
    let message = text.trim_ascii().strip_prefix(b"ubsan: ")?.trim_ascii();
    let (word, rest) = message.split_at(
        message
            .iter()
            .position(|b| *b == b' ')
            .unwrap_or(message.len()),
    );
    let (_, kind) = MINIMAL.iter().find(|(name, _)| name.as_bytes() == word)?;
    (rest.is_empty() || rest.starts_with(b" by 0x")).then_some(kind)
}

/// Returns true for the line after which the minimal runtime prints no more errors.
pub(crate) fn is_cap(text: &[u8]) -> bool {
    text.trim_ascii() == b"ubsan: too many errors"
}

/// Returns true for a line that explains the headline: `a.c:3:4: note: …`, `0x7ffe: note: pointer
/// points here`.
pub(crate) fn is_note(text: &[u8]) -> bool {
    before(text, b": note: ").is_some_and(|head| location(head).is_some())
}

/// Returns true for a line after a note: bytes of memory, the marks below them, the name below the
/// marks.
pub(crate) fn is_snippet(text: &[u8]) -> bool {
    let message = text.trim_ascii();
    let all = |set: &[u8]| !message.is_empty() && message.iter().all(|b| set.contains(b));
    let bytes = text.starts_with(b" ")
        && message
            .split(|b| *b == b' ')
            .all(|word| matches!(word.len(), 0 | 2))
        && all(b"0123456789abcdef ");
    bytes
        || all(b"^~ ")
        || message.starts_with(b"vptr for '")
        || message == b"<memory cannot be printed>"
        || message == b"(pc)"
}

/// Returns the kind in `SUMMARY:`, or `None` if it is only `undefined-behavior`.
pub(crate) fn summary_kind(text: &[u8]) -> Option<&str> {
    let word = text
        .split(|b| *b == b' ')
        .next()
        .and_then(|word| core::str::from_utf8(word).ok())?;
    (word != "undefined-behavior" && !word.is_empty()).then_some(word)
}

/// Returns true for a headline that is cut before its message: `a.c:3:4: runt`.
pub(crate) fn is_cut(line: &[u8]) -> bool {
    const SEPARATOR: &[u8] = b": runtime error: ";
    let is_cut_at = |n: &usize| line.ends_with(&SEPARATOR[..*n]);
    let head = (3..SEPARATOR.len())
        .rev()
        .find(is_cut_at)
        .map(|n| &line[..line.len() - n]);
    head.and_then(location).is_some() || (line.starts_with(b"ubsan: ") && minimal(line).is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_recognized() {
        for (head, want) in [
            ("cpp/a.cc:9:39", Some("cpp/a.cc:9:39")),
            ("/src/my dir/a.c:7", Some("/src/my dir/a.c:7")),
            ("[0] a.c:9:3", Some("a.c:9:3")),
            ("[1,0]<stderr>:a.c:9:3", Some("a.c:9:3")),
            ("C:\\src\\a b.cc(3,4)", Some("C:\\src\\a b.cc(3,4)")),
            ("(bin+0x12)", Some("(bin+0x12)")),
            ("0x51ab", Some("0x51ab")),
            ("<unknown>", Some("<unknown>")),
            ("panic", None),
            ("fatal", None),
            (":1", None),
            ("", None),
        ] {
            assert_eq!(location(head.as_bytes()), want.map(str::as_bytes), "{head}");
        }
    }

    #[test]
    fn messages_have_kinds() {
        for (message, want) in [
            (
                "signed integer overflow: 1 + 2 cannot be represented in type 'int'",
                "signed-integer-overflow",
            ),
            (
                "division of -2147483648 by -1 cannot be represented in type 'int'",
                "signed-integer-overflow",
            ),
            (
                "negation of 1 cannot be represented in type 'unsigned int'",
                "unsigned-integer-overflow",
            ),
            (
                "negation of -2147483648 cannot be represented in type 'int'; cast to",
                "signed-integer-overflow",
            ),
            (
                "left shift of 1 by 31 places cannot be represented in type 'int'",
                "invalid-shift-base",
            ),
            (
                "load of value 3, which is not a valid value for type 'bool'",
                "invalid-bool-load",
            ),
            (
                "load of value 3, which is not a valid value for type 'E'",
                "invalid-enum-load",
            ),
            ("load of null pointer of type 'int'", "null-pointer-use"),
            (
                "store to misaligned address 0x1 for type 'int', which requires 4 byte alignment",
                "misaligned-pointer-use",
            ),
            (
                "load of address 0x1 with insufficient space for an object of type 'int'",
                "insufficient-object-size",
            ),
            (
                "member call on address 0x1 which does not point to an object of type 'A'",
                "dynamic-type-mismatch",
            ),
            (
                "3e+10 is outside the range of representable values of type 'int'",
                "float-cast-overflow",
            ),
            (
                "applying non-zero offset 4 to null pointer",
                "nullptr-with-nonzero-offset",
            ),
            (
                "implicit conversion from type 'int' of value 300 (32-bit, signed) to type 'signed \
                 char' changed the value to 44 (8-bit, signed)",
                "implicit-signed-integer-truncation",
            ),
            (
                "implicit conversion from type 'int' of value -1 (32-bit, signed) to type 'unsigned \
                 int' changed the value to 4294967295 (32-bit, unsigned)",
                "implicit-integer-sign-change",
            ),
            ("something new", "undefined-behavior"),
        ] {
            assert_eq!(kind(message).as_str(), want, "{message}");
        }
    }

    #[test]
    fn notes_and_snippets_are_recognized() {
        assert!(
            is_note(b"0x7ffe: note: pointer points here")
                && is_note(b"a.c:3:4: note: nonnull attribute specified here")
        );
        assert!(!is_note(b"gcc: note: see the manual"));
        for line in [
            " 00 00 00  00 0a",
            "              ^~~~",
            "              vptr for 'B'",
        ] {
            assert!(is_snippet(line.as_bytes()), "{line}");
        }
        assert!(!is_snippet(b"00 of it") && !is_snippet(b" "));
    }

    #[test]
    fn minimal_runtime_is_recognized() {
        assert_eq!(
            minimal(b"ubsan: add-overflow by 0x51"),
            Some("add-overflow")
        );
        assert_eq!(minimal(b"ubsan: add-overflow"), Some("add-overflow"));
        assert_eq!(minimal(b"ubsan: enabled for tests"), None);
        assert!(
            is_cut(b"a.c:3:4: runt") && is_cut(b"ubsan: add-ov") && !is_cut(b"a.c:3:4: warning")
        );
    }
}
