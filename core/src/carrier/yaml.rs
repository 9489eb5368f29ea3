//! Items of a YAML list that are quoted strings: `- '…'`.

use alloc::vec::Vec;

use super::escape::{replace, unescape};

/// Returns the text of an item. Returns `None` for other lines, such as a quotation in a sentence.
pub(super) fn item(text: &[u8]) -> Option<Vec<u8>> {
    let string = text.strip_prefix(b"- ")?.trim_ascii();
    match string {
        [b'\'', inner @ .., b'\''] => Some(replace(inner, b"''", b"'")),
        [b'"', inner @ .., b'"'] => Some(unescape(inner)),
        _ => None,
    }
}
