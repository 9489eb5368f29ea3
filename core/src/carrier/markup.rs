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
    let mut finder = TagFinder::new(line);
    let tags: Vec<(usize, usize)> = memchr_iter(b'<', line)
        .filter_map(|at| Some((at, finder.end_of(at)?)))
        .collect();
    // CTest's own page has bold words alone.
    let is_bold = |at: usize| line[at..].starts_with(b"<b>") || line[at..].starts_with(b"</b>");
    if tags.iter().all(|(at, _)| is_bold(*at)) {
        return None;
    }
    let mut out = Vec::with_capacity(line.len());
    let mut from = 0;
    let mut has_text = false;
    for (at, end) in tags {
        if at < from {
            continue;
        }
        let text = &line[from..at];
        out.extend_from_slice(text);
        has_text |= !text.trim_ascii().is_empty();
        from = end;
        if line[at..].starts_with(b"</td>") && has_text && from < line.len() {
            out.push(b'\t');
        }
    }
    out.extend_from_slice(&line[from..]);
    Some(out)
}

/// Finds the tags of log pages in a line, from left to right. Each text is searched for once, so
/// that the time doesn't grow with the number of tags.
struct TagFinder<'a> {
    line: &'a [u8],
    bracket: NextText,
    attribute: NextText,
    /// For each element, the position of its last end tag, or 0 if the line has none. `None` if it
    /// hasn't been searched for yet.
    last_ends: [Option<usize>; ELEMENTS.len()],
}

impl<'a> TagFinder<'a> {
    fn new(line: &'a [u8]) -> Self {
        Self {
            line,
            bracket: NextText::new(b">"),
            attribute: NextText::new(b"=\""),
            last_ends: [None; ELEMENTS.len()],
        }
    }

    /// Returns the position after the tag that begins at a position. `None` if there is no tag.
    /// Positions must not decrease from call to call.
    fn end_of(&mut self, at: usize) -> Option<usize> {
        let inner = &self.line[at + 1..];
        let is_end = inner.starts_with(b"/");
        let name = &inner[usize::from(is_end)..];
        let element = ELEMENTS.iter().position(|element| {
            let next = name.get(element.len());
            name.starts_with(element) && matches!(next, Some(b'>' | b' '))
        })?;
        let end = self.bracket.next_from(self.line, at + 1)?;
        let attribute = self.attribute.next_from(self.line, at + 1);
        let has_attribute = attribute.is_some_and(|attribute| attribute + 2 <= end);
        (is_end || has_attribute || self.ends_after(element, end)).then_some(end + 1)
    }

    /// Returns true if an end tag of the element comes after a position.
    fn ends_after(&mut self, element: usize, at: usize) -> bool {
        let last = self.last_ends[element].get_or_insert_with(|| {
            let tag = [b"</", ELEMENTS[element], b">"].concat();
            memmem::rfind(self.line, &tag).unwrap_or(0)
        });
        *last > at
    }
}

/// The next occurrence of a text.
struct NextText {
    text: &'static [u8],
    /// The last position that was found, or the length of the line.
    known: Option<usize>,
}

impl NextText {
    fn new(text: &'static [u8]) -> Self {
        Self { text, known: None }
    }

    /// Returns the position of the first occurrence at or after `from`, which must not decrease
    /// from call to call.
    fn next_from(&mut self, line: &[u8], from: usize) -> Option<usize> {
        if self.known.is_none_or(|known| known < from) {
            let found = memmem::find(&line[from..], self.text);
            self.known = Some(found.map_or(line.len(), |found| from + found));
        }
        self.known.filter(|known| *known < line.len())
    }
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
