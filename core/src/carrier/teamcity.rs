//! TeamCity's service messages: `##teamcity[testStdErr name='…' out='…']`.
//!
//! Source: <https://www.jetbrains.com/help/teamcity/service-messages.html> (escaped values).

use alloc::vec::Vec;

use memchr::memchr;

use super::Field;

/// The start of each message.
pub(super) const START: &[u8] = b"##teamcity[";

/// Returns all attributes.
pub(super) fn fields(text: &[u8]) -> Vec<Field<'_>> {
    let mut fields = Vec::new();
    let mut rest = text;
    while let Some(quote) = memchr(b'\'', rest) {
        let head = &rest[..quote];
        let name = head.strip_suffix(b"=").unwrap_or_default();
        let start = name.iter().rposition(|b| *b == b' ').map_or(0, |at| at + 1);
        let (value, after) = value(&rest[quote + 1..]);
        fields.push(Field {
            name: &name[start..],
            value,
        });
        rest = after;
    }
    fields
}

/// Returns the value up to the next quote, and the bytes after the quote.
fn value(text: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut value = Vec::new();
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match (byte, tail.split_first()) {
            (b'\'', _) => break,
            (b'|', Some((escaped, tail))) => {
                rest = tail;
                match escaped {
                    b'n' => value.push(b'\n'),
                    b'r' => value.push(b'\r'),
                    b'0' => rest = unescape_unicode(tail, &mut value),
                    _ => value.push(*escaped),
                }
            }
            _ => value.push(byte),
        }
    }
    (value, rest)
}

/// Replaces `|0xXXXX`, given the bytes after `|0`.
fn unescape_unicode<'a>(rest: &'a [u8], value: &mut Vec<u8>) -> &'a [u8] {
    let digits = rest.strip_prefix(b"x").and_then(|rest| rest.get(..4));
    let code = digits
        .and_then(|digits| core::str::from_utf8(digits).ok())
        .and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let Some(code) = code else {
        value.push(b'0');
        return rest;
    };
    let c = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    value.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    &rest[5..]
}
