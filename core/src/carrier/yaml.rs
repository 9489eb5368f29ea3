//! Items of a YAML list that are quoted strings: `- '…'`.

use alloc::vec::Vec;

use super::escape::{replace, unescape};
use crate::bytes::after;

/// Returns the text of an item, which may follow a prefix that ends with a bracket. Returns `None`
/// for other lines, such as a quotation in a sentence.
pub(super) fn item(text: &[u8]) -> Option<Vec<u8>> {
    // Nearly every line of a log ends here.
    if !text.trim_ascii_end().ends_with(b"'") && !text.trim_ascii_end().ends_with(b"\"") {
        return None;
    }
    let after_prefix = || after(text, b"] - ");
    let string = text.strip_prefix(b"- ").or_else(after_prefix)?.trim_ascii();
    match string {
        [b'\'', inner @ .., b'\''] => Some(replace(inner, b"''", b"'")),
        [b'"', inner @ .., b'"'] => Some(unescape(inner)),
        _ => None,
    }
}
