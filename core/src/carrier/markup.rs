//! Text in XML and HTML: entities, and line breaks as elements.

use alloc::vec::Vec;

use memchr::{memchr, memchr_iter, memchr2};

use super::escape::replace;

/// Maximum length of an entity, without `&` and `;`.
const MAX_ENTITY: usize = 8;

/// Maximum number of times that a text may be escaped. CTest's `DynamicAnalysis.xml` escapes twice.
const MAX_DEPTH: usize = 3;

/// Elements that break a line.
const BREAKS: &[&[u8]] = &[b"<br>", b"<br/>", b"<br />", b"<BR>", b"<br></br>"];

/// Returns the text without entities and elements for line breaks. Returns `None` if it contains
/// none of them.
pub(super) fn text(line: &[u8]) -> Option<Vec<u8>> {
    let first = memchr2(b'&', b'<', line)?;
    let mut text = None;
    if has_break(&line[first..]) {
        let replaced = BREAKS.iter().fold(line.to_vec(), |text, element| {
            replace(&text, element, b"\n")
        });
        text = Some(replaced);
    }
    for _ in 0..MAX_DEPTH {
        match without_entities(text.as_deref().unwrap_or(line)) {
            Some(replaced) => text = Some(replaced),
            None => break,
        }
    }
    text
}

/// Returns true if the text contains an element for a line break.
fn has_break(text: &[u8]) -> bool {
    memchr_iter(b'<', text).any(|at| BREAKS.iter().any(|element| text[at..].starts_with(element)))
}

/// Replaces all entities. Returns `None` if there are none.
fn without_entities(text: &[u8]) -> Option<Vec<u8>> {
    memchr_iter(b'&', text).find(|at| entity(&text[at + 1..]).is_some())?;
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr(b'&', rest) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        match entity(rest) {
            Some((c, length)) => {
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                rest = &rest[length..];
            }
            None => out.push(b'&'),
        }
    }
    out.extend_from_slice(rest);
    Some(out)
}

/// Parses an entity, given the bytes after `&`. Returns its character, and its length with `;`.
fn entity(text: &[u8]) -> Option<(char, usize)> {
    let end = memchr(b';', text.get(..=MAX_ENTITY).unwrap_or(text))?;
    let c = match &text[..end] {
        b"lt" => '<',
        b"gt" => '>',
        b"amp" => '&',
        b"quot" => '"',
        b"apos" => '\'',
        b"nbsp" => ' ',
        [b'#', b'x' | b'X', digits @ ..] => code(digits, 16)?,
        [b'#', digits @ ..] => code(digits, 10)?,
        _ => return None,
    };
    Some((c, end + 1))
}

fn code(digits: &[u8], radix: u32) -> Option<char> {
    let digits = core::str::from_utf8(digits).ok()?;
    char::from_u32(u32::from_str_radix(digits, radix).ok()?)
}
