//! logfmt: `time=… level=error msg="…"`, the text format of log libraries for Go.

use alloc::vec::Vec;

use memchr::memchr;

use super::Field;
use super::escape::{string_end, unescape};

/// Returns true if the text begins with a name and `=`, but not with `==`.
pub(super) fn is_logfmt(text: &[u8]) -> bool {
    name(text).is_some()
}

/// Returns all pairs.
pub(super) fn fields(text: &[u8]) -> Vec<Field<'_>> {
    let mut fields = Vec::new();
    let mut rest = text;
    while let Some(name) = name(rest) {
        let value = &rest[name.len() + 1..];
        let (value, after) = match value.strip_prefix(b"\"") {
            Some(string) => {
                let end = string_end(string);
                (&string[..end], string.get(end + 1..).unwrap_or_default())
            }
            // journald's export format has one field a line, and no quotes.
            None if name == b"MESSAGE" => (value, &[][..]),
            None => value.split_at(memchr(b' ', value).unwrap_or(value.len())),
        };
        fields.push(Field {
            name,
            value: unescape(value),
        });
        rest = after.trim_ascii_start();
    }
    fields
}

/// Returns the name at the start of the text.
fn name(text: &[u8]) -> Option<&[u8]> {
    let end = memchr(b'=', text.get(..64).unwrap_or(text))?;
    let is_allowed = |b: &u8| b.is_ascii_alphanumeric() || b"._-@/".contains(b);
    let is_name = end > 0 && text[..end].iter().all(is_allowed);
    (is_name && text.get(end + 1) != Some(&b'=')).then_some(&text[..end])
}
