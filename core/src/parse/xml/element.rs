//! XML elements: finding their ends, splitting them into parts, and resolving entities.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use memchr::memmem;
use xmlparser::{ElementEnd, Token, Tokenizer};

use crate::bytes::find;

/// The next item of a document, with its length in bytes.
pub(crate) enum XmlItem<'a> {
    /// The text is empty.
    Nothing,
    /// The end of the item is missing.
    Incomplete,
    /// Something without meaning: a comment, a declaration, a lone end tag.
    Skip(usize),
    /// `</valgrindoutput>`.
    End(usize),
    /// A complete element; `text` includes its tags.
    Element {
        name: &'a [u8],
        text: &'a [u8],
        len: usize,
    },
}

/// Returns the item at the start of the text. The first `searched` bytes don't contain its end.
pub(crate) fn next_item(text: &[u8], searched: usize) -> XmlItem<'_> {
    let from = searched.min(text.len());
    let until = |end: &[u8]| {
        find(&text[from..], end).map_or(XmlItem::Incomplete, |at| {
            XmlItem::Skip(from + at + end.len())
        })
    };
    match text {
        [] => XmlItem::Nothing,
        [b'<', b'?', ..] => until(b"?>"),
        [b'<', b'!', b'-', b'-', ..] => until(b"-->"),
        [b'<', b'!', ..] => until(b">"),
        [b'<', b'/', ..] => match memchr::memchr(b'>', text) {
            None => XmlItem::Incomplete,
            Some(end) if text.starts_with(b"</valgrindoutput") => XmlItem::End(end + 1),
            Some(end) => XmlItem::Skip(end + 1),
        },
        [b'<', ..] => {
            let name = name(text);
            let Some(open) = memchr::memchr(b'>', text) else {
                return XmlItem::Incomplete;
            };
            if name == b"valgrindoutput" || text[open - 1] == b'/' || name.is_empty() {
                return XmlItem::Skip(open + 1);
            }
            find_end(text, name, searched.max(open)).map_or(XmlItem::Incomplete, |(at, len)| {
                XmlItem::Element {
                    name,
                    text: &text[..at + len],
                    len: at + len,
                }
            })
        }
        // valgrind writes no text between elements: another process wrote to the file.
        _ => XmlItem::Skip(memchr::memchr(b'<', text).unwrap_or(text.len())),
    }
}

/// Finds `</name>` and returns its position and its length.
pub(crate) fn find_end(text: &[u8], name: &[u8], from: usize) -> Option<(usize, usize)> {
    let tag = [b"</", name, b">"].concat();
    let at = memmem::find(text.get(from..)?, &tag)?;
    Some((from + at, tag.len()))
}

/// Returns the name of the element at the start of the text, or an empty slice.
pub(crate) fn name(text: &[u8]) -> &[u8] {
    let Some(rest) = text.strip_prefix(b"<") else {
        return &[];
    };
    let n = rest
        .iter()
        .position(|b| !is_name_byte(*b))
        .unwrap_or(rest.len());
    &rest[..n]
}

/// Returns true if the text begins with an element that has a name.
pub(crate) fn has_name(text: &[u8]) -> bool {
    matches!(text, [b'<', first, ..] if is_name_byte(*first))
}

#[inline]
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Calls `each` for the parts of an element: its start tags, and each text with the name of the
/// element around it.
///
/// valgrind writes one element per line, so lines are tried first, then the tokenizer. valgrind
/// doesn't escape everything (`<path><unbound> <-> <unbound></path>`): if the tokenizer fails too,
/// lines are read even if their texts contain tags.
///
/// # Errors
///
/// Returns the tokenizer's message if none of the three works.
pub(crate) fn texts<'a>(
    xml: &'a str,
    mut each: impl FnMut(&'a str, XmlPart<'a>),
) -> Result<(), String> {
    if lines(xml, true, &mut |_, _| {}) {
        lines(xml, true, &mut each);
        return Ok(());
    }
    match tokens(xml) {
        Ok(parts) => parts.into_iter().for_each(|(name, part)| each(name, part)),
        Err(_) if lines(xml, false, &mut |_, _| {}) => {
            lines(xml, false, &mut each);
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Splits an element with the tokenizer.
pub(crate) fn tokens(xml: &str) -> Result<Vec<(&str, XmlPart<'_>)>, String> {
    let mut path: Vec<&str> = Vec::new();
    let mut parts = Vec::new();
    for token in Tokenizer::from_fragment(xml, 0..xml.len()) {
        match token.map_err(|e| e.to_string())? {
            Token::ElementStart { local, .. } => {
                path.push(local.as_str());
                parts.push((local.as_str(), XmlPart::Open));
            }
            Token::ElementEnd {
                end: ElementEnd::Close(..) | ElementEnd::Empty,
                ..
            } => {
                path.pop();
            }
            Token::Text { text } => {
                if let Some(name) = path.last().filter(|_| !text.as_str().trim().is_empty()) {
                    parts.push((*name, XmlPart::Text(text.as_str())));
                }
            }
            _ => {}
        }
    }
    Ok(parts)
}

/// Splits an element with one `<name>`, `</name>` or `<name>text</name>` per line. Returns false if
/// a line has another form or, with `strict`, if a text contains a tag.
pub(crate) fn lines<'a>(
    xml: &'a str,
    strict: bool,
    each: &mut dyn FnMut(&'a str, XmlPart<'a>),
) -> bool {
    let mut rest = xml;
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len());
        let line = rest[..end].trim_ascii();
        rest = rest.get(end + 1..).unwrap_or_default();
        if line.is_empty() || line.starts_with("</") {
            continue;
        }
        let Some(open) = line
            .bytes()
            .position(|b| b == b'>')
            .filter(|_| line.starts_with("<"))
        else {
            return false;
        };
        let name = &line[1..open];
        let inner = &line[open + 1..];
        if matches!(name.as_bytes(), [b'!' | b'?', ..] | [.., b'/']) {
            return false;
        }
        each(name, XmlPart::Open);
        if !inner.is_empty() {
            let text = inner
                .strip_suffix(">")
                .and_then(|r| r.strip_suffix(name))
                .and_then(|r| r.strip_suffix("</"));
            let Some(text) = text.filter(|t| !strict || !t.as_bytes().contains(&b'<')) else {
                return false;
            };
            each(name, XmlPart::Text(text));
        }
    }
    true
}

/// A part of an element, see [`texts`].
#[derive(Clone, Copy, Debug)]
pub(crate) enum XmlPart<'a> {
    /// A start tag.
    Open,
    /// The text of an element, with its entities.
    Text(&'a str),
}

/// Resolves the entities of a text. Unknown ones stay as they are.
pub(crate) fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.find(';').filter(|n| *n < 12);
        let resolved = end.and_then(|n| entity(&rest[1..n]));
        match (resolved, end) {
            (Some(c), Some(n)) => {
                out.push(c);
                rest = &rest[n + 1..];
            }
            _ => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Returns the character of an entity.
pub(crate) fn entity(name: &str) -> Option<char> {
    Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let digits = name.strip_prefix('#')?;
            let code = match digits.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => digits.parse().ok()?,
            };
            char::from_u32(code)?
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unescaped_text_is_read() {
        let xml = "<error>\n  <fd>4</fd>\n  <path><unbound> <-> &lt;</path>\n</error>";
        let mut seen = Vec::new();
        texts(xml, |name, part| {
            if let XmlPart::Text(text) = part {
                seen.push((name, text));
            }
        })
        .unwrap();
        assert_eq!(seen, [("fd", "4"), ("path", "<unbound> <-> &lt;")]);
        assert!(texts("<error>\n<path><x y></path> z\n", |_, _| ()).is_err());
    }

    #[test]
    fn unescape_resolves_entities() {
        assert_eq!(
            unescape("a &lt;b&gt; &amp;amp; &#65;&#x42; &bad; &"),
            "a <b> &amp; AB &bad; &"
        );
    }
}
