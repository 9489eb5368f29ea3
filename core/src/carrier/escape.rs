//! Text with escaped line feeds: a string literal in the output of a test (`b'…\n…'`), a JSON
//! string in other text, GitHub's commands (`%0A`), and syslog (`#012`).

use alloc::vec::Vec;

use memchr::{memchr, memchr2, memchr2_iter, memmem};

/// Maximum number of times that a text may be escaped.
const MAX_DEPTH: usize = 3;

/// Returns the lines of a text with escaped line feeds. Returns `None` if it has none, or no
/// marker.
pub(super) fn lines(text: &[u8], is_marked: &dyn Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
    if let Some(lines) = list(text).filter(|lines| is_marked(lines)) {
        return Some(lines);
    }
    let mut lines = if has_escaped_lines(text) {
        is_marked(text).then(|| unescape(&without_quote(text)))?
    } else {
        let separator = separator(text).filter(|_| is_marked(text))?;
        if separator[0] == b'%' {
            unescape_percent(text)
        } else {
            replace(text, separator, b"\n")
        }
    };
    for _ in 1..MAX_DEPTH {
        if !has_escaped_lines(&lines) {
            break;
        }
        lines = unescape(&lines);
    }
    if let [head @ .., b'\'' | b'"'] = lines.as_slice() {
        lines.truncate(head.len());
    }
    Some(lines)
}

/// Returns the strings of a list, each as a line: `['…', '…']`, as test runners print the lines of
/// a program's output. Returns `None` for fewer than two strings.
fn list(text: &[u8]) -> Option<Vec<u8>> {
    let starts = |at: &usize| matches!(text.get(at + 1), Some(b'\'' | b'"'));
    let start = memchr::memchr_iter(b'[', text).find(starts)?;
    let mut lines = text[..start].to_vec();
    let mut count = 0;
    let mut rest = &text[start + 1..];
    while let [quote @ (b'\'' | b'"'), string @ ..] = rest {
        let end = quoted_end(string, *quote);
        let line = unescape(&string[..end]);
        lines.push(b'\n');
        lines.extend_from_slice(line.strip_suffix(b"\n").unwrap_or(&line));
        count += 1;
        rest = string.get(end + 1..).unwrap_or_default();
        match rest.trim_ascii_start().strip_prefix(b",") {
            Some(next) => rest = next.trim_ascii_start(),
            None => break,
        }
    }
    lines.push(b'\n');
    lines.extend_from_slice(rest);
    (count > 1).then_some(lines)
}

/// Returns the escaped line feed that the text contains: in a command of GitHub, `%0A`; in a line
/// of syslog, `#012`.
fn separator(text: &[u8]) -> Option<&'static [u8]> {
    let is_command = text.trim_ascii_start().starts_with(b"::");
    let starts = |at: usize| {
        let separators: [&[u8]; 3] = [b"%0A", b"%0a", b"#012"];
        separators
            .into_iter()
            .find(|separator| text[at..].starts_with(separator))
    };
    memchr2_iter(b'%', b'#', text)
        .find_map(starts)
        .filter(|separator| is_command == (separator[0] == b'%'))
}

/// Replaces the quote before the first line by a line feed, because the text of a string literal
/// begins there. Strings that end before that line are passed over.
fn without_quote(text: &[u8]) -> Vec<u8> {
    let mut text = text.to_vec();
    let first_line = memmem::find(&text, b"\\n").unwrap_or(text.len());
    let mut from = 0;
    while let Some(at) = memchr2(b'"', b'\'', &text[from..first_line]) {
        let at = from + at;
        let string = &text[at + 1..first_line];
        match memchr(text[at], string).filter(|_| !is_apostrophe(&text, at)) {
            Some(end) if is_value(&text[..at]) => from = at + 1 + end + 1,
            _ => {
                text[at] = b'\n';
                break;
            }
        }
    }
    text
}

/// Returns true if the text ends with a member's name and a colon: `stdout: `.
fn is_value(before: &[u8]) -> bool {
    before.ends_with(b": ") || before.ends_with(b"=")
}

/// Returns true for a quote within a word.
fn is_apostrophe(text: &[u8], at: usize) -> bool {
    let is_letter = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphabetic);
    text[at] == b'\'' && at > 0 && is_letter(text.get(at - 1)) && is_letter(text.get(at + 1))
}

/// Returns true if the text contains `\n` at the end of a line of a report. In a Windows path, a
/// name follows.
fn has_escaped_lines(text: &[u8]) -> bool {
    let Some(first) = memchr(b'\\', text) else {
        return false;
    };
    let starts_line = |rest: &[u8]| {
        let rest = rest.strip_prefix(b"\\r").unwrap_or(rest);
        matches!(
            rest,
            [] | [b' ' | b'=' | b'#' | b'\\' | b'\'' | b'"' | b'-' | b'*', ..]
        ) || rest.starts_with(b"SUMMARY: ")
            || rest.starts_with(b"WARNING: ")
            || rest.starts_with(b"ERROR: ")
    };
    memmem::find_iter(&text[first..], b"\\n").any(|at| starts_line(&text[first + at + 2..]))
}

/// Replaces the escapes of JSON, C, Python and Rust string literals.
pub(super) fn unescape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        rest = unescape_one(&rest[at + 1..], &mut out);
    }
    out.extend_from_slice(rest);
    out
}

/// Replaces one escape, given the bytes after its backslash. Returns the remaining bytes.
fn unescape_one<'a>(escape: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    let Some((&kind, rest)) = escape.split_first() else {
        out.push(b'\\');
        return escape;
    };
    let byte = match kind {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'e' => 0x1B,
        b'a' | b'b' | b'f' | b'v' => b' ',
        b'\\' | b'"' | b'\'' | b'/' => kind,
        b'u' => return unescape_unicode(rest, out),
        b'x' => match number(rest, 2, 16) {
            Some(byte) => {
                out.push(byte as u8);
                return &rest[2..];
            }
            None => b'x',
        },
        b'0'..=b'3' => match number(escape, 3, 8) {
            Some(byte) => {
                out.push(byte as u8);
                return &escape[3..];
            }
            None => kind,
        },
        _ => {
            out.push(b'\\');
            kind
        }
    };
    out.push(byte);
    rest
}

/// Replaces `\uXXXX` or `\u{X}`, given the bytes after `\u`.
fn unescape_unicode<'a>(rest: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    let mut push = |code: u32| {
        let c = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    };
    if let Some(inner) = rest.strip_prefix(b"{")
        && let Some(end) = memchr(b'}', inner).filter(|end| (1..=6).contains(end))
        && let Some(code) = number(inner, end, 16)
    {
        push(code);
        return &inner[end + 1..];
    }
    let Some(high) = number(rest, 4, 16) else {
        out.extend_from_slice(b"\\u");
        return rest;
    };
    let low = rest[4..].strip_prefix(b"\\u");
    let low = low.and_then(|low| number(low, 4, 16));
    match low.filter(|low| (0xD800..0xDC00).contains(&high) && (0xDC00..0xE000).contains(low)) {
        Some(low) => {
            push(0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00));
            &rest[10..]
        }
        None => {
            push(high);
            &rest[4..]
        }
    }
}

/// Parses exactly `digits` digits.
fn number(text: &[u8], digits: usize, radix: u32) -> Option<u32> {
    let mut value = 0;
    for digit in text.get(..digits)? {
        value = value * radix + char::from(*digit).to_digit(radix)?;
    }
    Some(value)
}

/// Replaces `%0A`, `%0D` and `%25`, the escapes of GitHub's workflow commands.
fn unescape_percent(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr(b'%', rest) {
        out.extend_from_slice(&rest[..at]);
        let byte = number(&rest[at + 1..], 2, 16).filter(|byte| matches!(byte, 0x0A | 0x0D | 0x25));
        out.push(byte.map_or(b'%', |byte| byte as u8));
        rest = &rest[at + 1 + usize::from(byte.is_some()) * 2..];
    }
    out.extend_from_slice(rest);
    out
}

/// Returns the position of the quote that ends a string, or the length of an incomplete string.
pub(super) fn string_end(string: &[u8]) -> usize {
    quoted_end(string, b'"')
}

/// Returns the position of the given quote that ends a string, or the length of an incomplete
/// string.
fn quoted_end(string: &[u8], quote: u8) -> usize {
    let mut at = 0;
    while let Some(next) = string
        .get(at..)
        .and_then(|rest| memchr2(quote, b'\\', rest))
    {
        at += next;
        if string[at] == quote {
            return at;
        }
        at += 2;
    }
    string.len()
}

/// Replaces each `from` by `to`.
pub(super) fn replace(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut last = 0;
    for at in memmem::find_iter(text, from) {
        out.extend_from_slice(&text[last..at]);
        out.extend_from_slice(to);
        last = at + from.len();
    }
    out.extend_from_slice(&text[last..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_replaced() {
        for (text, want) in [
            (r"a\n\tb", "a\n\tb"),
            (
                r"\u001b[1m\x1b[0m\033[1m\u{1b}[m",
                "\x1b[1m\x1b[0m\x1b[1m\x1b[m",
            ),
            (r"\ud83d\ude00 \u00e9 \ud83d", "\u{1f600} \u{e9} \u{fffd}"),
            (r"\u12 \q \", r"\u12 \q \"),
            (r#"\"\\n"#, r#""\n"#),
        ] {
            assert_eq!(core::str::from_utf8(&unescape(text.as_bytes())), Ok(want));
        }
    }
}
