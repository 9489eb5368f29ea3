//! Text in XML and HTML: entities, line breaks as elements, and the elements around the lines of a
//! log page.

use alloc::vec::Vec;

use memchr::{memchr, memchr_iter, memchr2, memmem};

use super::escape::replace;

/// Maximum length of an entity, without `&` and `;`.
const MAX_ENTITY: usize = 8;

/// Maximum number of times that a text may be escaped. CTest's `DynamicAnalysis.xml` escapes twice.
const MAX_DEPTH: usize = 3;

/// Elements that break a line.
const BREAKS: &[&[u8]] = &[b"<br>", b"<br/>", b"<br />", b"<BR>", b"<br></br>"];

/// Elements in which log pages put lines and parts of lines.
const ELEMENTS: &[&[u8]] = &[
    b"span", b"b", b"div", b"td", b"tr", b"th", b"a", b"p", b"pre", b"code", b"font", b"li",
];

/// Line feeds as entities, in the attributes of an element.
const LINE_FEEDS: &[&[u8]] = &[b"&#10;", b"&#xA;", b"&#xa;", b"&#x0A;", b"&#x0a;", b"&#13;"];

/// Returns the text without entities and elements. Returns `None` if it contains none of them.
pub(super) fn text(line: &[u8]) -> Option<Vec<u8>> {
    let first = memchr2(b'&', b'<', line)?;
    let mut text = without_elements(line).or_else(|| attribute(line));
    if has_break(&line[first..]) {
        let replaced = text.take().unwrap_or_else(|| line.to_vec());
        let replaced = BREAKS
            .iter()
            .fold(replaced, |text, element| replace(&text, element, b"\n"));
        text = Some(replaced);
    }
    if let Some([head @ .., b'\n']) = text.as_deref() {
        // The line ends anyway.
        text = Some(head.to_vec());
    }
    for _ in 0..MAX_DEPTH {
        match without_entities(text.as_deref().unwrap_or(line)) {
            Some(replaced) => text = Some(replaced),
            None => break,
        }
    }
    text
}

/// Removes the tags of log pages. Returns `None` if the line has none. An opening tag without
/// attributes may be the argument of a C++ template, unless the element ends in the line.
fn without_elements(line: &[u8]) -> Option<Vec<u8>> {
    // CTest's own page has bold words alone.
    let is_tag = |at: usize| tag_length(line, at).is_some() && !line[at..].starts_with(b"<b>");
    memchr_iter(b'<', line)
        .filter(|at| !line[*at..].starts_with(b"</b>"))
        .find(|at| is_tag(*at))?;
    let mut out = Vec::with_capacity(line.len());
    let mut from = 0;
    for at in memchr_iter(b'<', line) {
        if let Some(length) = tag_length(line, at).filter(|_| at >= from) {
            out.extend_from_slice(&line[from..at]);
            from = at + length;
            if line[at..].starts_with(b"</td>") && !out.trim_ascii().is_empty() && from < line.len()
            {
                out.push(b'\t');
            }
        }
    }
    out.extend_from_slice(&line[from..]);
    Some(out)
}

/// Returns the length of the tag at a position.
fn tag_length(line: &[u8], at: usize) -> Option<usize> {
    let inner = &line[at + 1..];
    let is_end = inner.starts_with(b"/");
    let name = &inner[usize::from(is_end)..];
    let element = ELEMENTS.iter().find(|element| {
        let next = name.get(element.len());
        name.starts_with(element) && matches!(next, Some(b'>' | b' '))
    })?;
    let end = memchr(b'>', inner)?;
    let has_attribute = || memmem::find(&inner[..end], b"=\"").is_some();
    let ends_later = || {
        let mut tag = b"</".to_vec();
        tag.extend_from_slice(element);
        tag.push(b'>');
        memmem::find(&inner[end..], &tag).is_some()
    };
    (is_end || has_attribute() || ends_later()).then_some(end + 2)
}

/// Replaces the quote before a text with line feeds, because the text of an attribute begins there.
fn attribute(line: &[u8]) -> Option<Vec<u8>> {
    let first = memchr_iter(b'&', line).find(|at| {
        LINE_FEEDS
            .iter()
            .any(|entity| line[*at..].starts_with(entity))
    })?;
    let quote = memmem::rfind(&line[..first], b"=\"")?;
    let mut text = line.to_vec();
    text[quote + 1] = b'\n';
    Some(text)
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
