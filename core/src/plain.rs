//! Converts a line to plain text: removes terminal escape sequences, and replaces spaces that
//! aren't ASCII.

use alloc::vec::Vec;
use memchr::{memchr2, memchr2_iter, memchr3};

const ESC: u8 = 0x1B;

/// Forms in which the ESC of an escape sequence survives in text: caret notation, string escapes,
/// U+FFFD, U+241B. An empty form is a lost ESC.
const ESCAPES: &[&[u8]] = &[
    b"^[",
    b"\\x1b",
    b"\\x1B",
    b"\\033",
    b"\\e",
    b"\\u001b",
    b"\\u001B",
    b"\\u{1b}",
    b"#033",
    b"<ESC>",
    b"ESC",
    "\u{fffd}".as_bytes(),
    "\u{241b}".as_bytes(),
    b"",
];

/// Spaces of other widths, and characters without width.
const SPACES: &[(&[u8], &[u8])] = &[
    ("\u{a0}".as_bytes(), b" "),
    ("\u{202f}".as_bytes(), b" "),
    ("\u{2007}".as_bytes(), b" "),
    ("\u{200b}".as_bytes(), b""),
    ("\u{feff}".as_bytes(), b""),
];

/// Removes escape sequences such as colors, and replaces no-break spaces by spaces. Returns the
/// line itself if it has none, else `scratch` with the remaining text.
pub(crate) fn plain<'a>(line: &'a [u8], scratch: &'a mut Vec<u8>) -> &'a [u8] {
    if !needs_work(line) {
        return line;
    }
    scratch.clear();
    let mut rest = line;
    while let Some((&byte, tail)) = rest.split_first() {
        if byte == ESC {
            rest = after_escape(tail);
        } else if let Some(after) = after_lost_escape(rest) {
            // After another backslash, the escape is part of a string that must stay one.
            if scratch.last() == Some(&b'\\') {
                scratch.extend_from_slice(&rest[..rest.len() - after.len()]);
            }
            rest = after;
        } else if let Some((space, replacement)) =
            SPACES.iter().find(|(space, _)| rest.starts_with(space))
        {
            scratch.extend_from_slice(replacement);
            rest = &rest[space.len()..];
        } else {
            scratch.push(byte);
            rest = tail;
        }
    }
    scratch
}

/// Returns true if the line contains an escape sequence or a space that isn't ASCII.
pub(crate) fn needs_work(line: &[u8]) -> bool {
    let is_special = |at: usize| line[at] == ESC || after_color(&line[at..]).is_some();
    memchr2_iter(ESC, b'[', line).any(is_special)
        || (!line.is_ascii() && memchr3(0xC2, 0xE2, 0xEF, line).is_some())
}

/// Returns the bytes after an escape sequence, given the bytes after its ESC (ECMA-48 section 5.4:
/// CSI, OSC, APC and two-byte forms).
fn after_escape(bytes: &[u8]) -> &[u8] {
    match bytes.split_first() {
        Some((b'[', rest)) => {
            let end = rest.iter().position(|b| (0x40..=0x7E).contains(b));
            end.map_or(&[], |n| &rest[n + 1..])
        }
        Some((b']' | b'_' | b'P' | b'^', rest)) => match memchr2(0x07, 0x1B, rest) {
            Some(n) if rest[n] == 0x07 => &rest[n + 1..],
            Some(n) => rest.get(n + 2..).unwrap_or(&[]),
            None => &[],
        },
        Some((_, rest)) => rest,
        None => bytes,
    }
}

/// Returns the bytes after a color whose ESC was replaced or lost.
fn after_lost_escape(bytes: &[u8]) -> Option<&[u8]> {
    ESCAPES
        .iter()
        .find_map(|escape| after_color(bytes.strip_prefix(*escape)?))
}

/// Returns the bytes after `[1m`, `[0;31m` or `[K`, a color or an erased line without its ESC.
fn after_color(bytes: &[u8]) -> Option<&[u8]> {
    let parameters = bytes.strip_prefix(b"[")?;
    let length = parameters
        .iter()
        .take(12)
        .take_while(|b| b.is_ascii_digit() || **b == b';')
        .count();
    match (length, parameters.get(length)?) {
        (1.., b'm') | (0, b'K') => Some(&parameters[length + 1..]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_plain() {
        for (line, want) in [
            ("\x1b[1m\x1b[31m==1==ERROR: x\x1b[0m", "==1==ERROR: x"),
            ("\x1b]8;;http://x\x07link\x1b]8;;\x1b\\ x", "link x"),
            ("\x1b_bk;t=123\x07text", "text"),
            ("\x1b]0;title\x1b\\text", "text"),
            ("cut\x1b[3", "cut"),
            ("end\x1b", "end"),
            ("[1m[31m==1==ERROR: x[0m", "==1==ERROR: x"),
            ("^[[31mx^[[0m \\x1b[1my \\033[0;1mz", "x y z"),
            ("\\\\u001b[1my", "\\\\u001b[1my"),
            ("\u{241b}[31mx\u{fffd}[0m[K", "x"),
            ("#033[31mx#033[0m \\u{1b}[1my ESC[1mz", "x y z"),
            ("\u{a0} \u{a0}#0 0x1\u{200b}", "   #0 0x1"),
            ("[  12.3] a[3] [m] caf\u{e9}", "[  12.3] a[3] [m] caf\u{e9}"),
        ] {
            let mut scratch = Vec::new();
            let got = plain(line.as_bytes(), &mut scratch);
            assert_eq!(core::str::from_utf8(got), Ok(want), "{line:?}");
        }
    }
}
