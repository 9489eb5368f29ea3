//! Text of bounded length.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::numbers::grouped;

/// Number of characters reserved for the line that lists omissions.
const RESERVE: usize = 400;

/// Text to which whole pieces are added as long as they fit. Space for the end is reserved.
#[derive(Debug)]
pub(super) struct BoundedText {
    text: String,
    max_characters: usize,
    remaining: usize,
    end: String,
    omissions: Vec<String>,
}

impl BoundedText {
    /// Creates a text of at most `max_characters` UTF-16 code units that ends with `end`.
    pub(super) fn new(max_characters: usize, end: &str) -> Self {
        let remaining = max_characters.saturating_sub(RESERVE + length(end));
        Self {
            text: String::new(),
            max_characters,
            remaining,
            end: end.into(),
            omissions: Vec::new(),
        }
    }

    /// Adds the piece if it fits. Returns false if it doesn't.
    pub(super) fn push(&mut self, piece: &str) -> bool {
        let length = length(piece);
        if length > self.remaining {
            return false;
        }
        self.remaining -= length;
        self.text.push_str(piece);
        true
    }

    /// Records that something was omitted, to be listed at the end.
    pub(super) fn note_omitted(&mut self, description: &str) {
        self.omissions.push(description.into());
    }

    /// Returns the text. It's empty if not even the end fits.
    pub(super) fn finish(self) -> String {
        let mut out = self.text;
        if !self.omissions.is_empty() {
            out += &format!(
                "**Omitted to stay within {} characters: {}.** \
                 Other report formats contain everything.\n\n",
                grouped(self.max_characters as u64),
                self.omissions.join(", ")
            );
        }
        out += &self.end;
        if length(&out) > self.max_characters {
            String::new()
        } else {
            out
        }
    }
}

/// Returns the length of text in UTF-16 code units.
fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_within_its_limit_and_lists_omissions() {
        let mut text = BoundedText::new(500, "end\n");
        assert!(text.push(&"x".repeat(90)));
        assert!(!text.push("0123456789"));
        text.note_omitted("2 things");
        let text = text.finish();
        assert!(
            text.len() <= 500 && text.contains("2 things") && text.ends_with("end\n"),
            "{text}"
        );
        assert_eq!(BoundedText::new(3, "end\n").finish(), "");
        assert_eq!(length("a\u{1f600}"), 3);
    }
}
