//! Strings of a JSON object in one line, or of a line of an indented object. An object that is cut
//! or damaged is read as far as possible, so this isn't a complete parser.

use alloc::vec::Vec;

use memchr::memchr;

use super::Field;
use super::escape::{string_end, unescape};

/// Returns true if the text may be an object, an array of objects, or a member of an object.
pub(super) fn is_json(text: &[u8]) -> bool {
    let inner = text
        .strip_prefix(b"[")
        .map_or(text, <[u8]>::trim_ascii_start);
    match inner {
        [b'{', rest @ ..] => rest.trim_ascii_start().starts_with(b"\""),
        [b'"', rest @ ..] => {
            let end = string_end(rest);
            rest.get(end + 1..)
                .is_some_and(|rest| rest.trim_ascii_start().starts_with(b":"))
        }
        _ => false,
    }
}

/// Returns the members whose values are strings, at any depth. The strings of an array have the
/// name of the array.
pub(super) fn fields(text: &[u8]) -> Vec<Field<'_>> {
    let mut fields = Vec::new();
    let mut name = &[][..];
    let mut rest = text;
    while let Some(start) = memchr(b'"', rest) {
        if let Some(value) = bytes(&rest[..start]) {
            fields.push(Field { name, value });
        }
        let string = &rest[start + 1..];
        let end = string_end(string);
        let after = string.get(end + 1..).unwrap_or_default();
        if after.trim_ascii_start().starts_with(b":") {
            name = &string[..end];
        } else {
            fields.push(Field {
                name,
                value: unescape(&string[..end]),
            });
        }
        rest = after;
    }
    fields.extend(bytes(rest).map(|value| Field { name, value }));
    fields
}

/// Returns the bytes of the array with which the text begins after a colon, or `None` for other
/// text. journald writes a message with control characters this way.
fn bytes(text: &[u8]) -> Option<Vec<u8>> {
    let array = text.trim_ascii_start().strip_prefix(b":")?;
    let array = array.trim_ascii_start().strip_prefix(b"[")?;
    let array = &array[..memchr(b']', array)?];
    array
        .split(|byte| *byte == b',')
        .map(|byte| core::str::from_utf8(byte).ok()?.trim().parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_of_an_object_are_found() {
        let line = br#"{"a": 1, "b" : "x\"y", "c": {"d": ["e", "f\n"]}, "cut": "g"#;
        assert!(is_json(line) && is_json(br#""log": "x","#) && is_json(br#"[ {"a":1}]"#));
        assert!(!is_json(b"{") && !is_json(b"\"a\" b") && !is_json(b"[INFO] x"));
        let found: Vec<_> = fields(line)
            .into_iter()
            .map(|field| (field.name, field.value))
            .collect();
        assert_eq!(
            found,
            [
                (&b"b"[..], b"x\"y".to_vec()),
                (b"d", b"e".to_vec()),
                (b"d", b"f\n".to_vec()),
                (b"cut", b"g".to_vec()),
            ]
        );
    }
}
