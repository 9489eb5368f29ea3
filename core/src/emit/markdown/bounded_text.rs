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
    /// What was omitted because it doesn't fit.
    omissions: Vec<String>,
    /// What was omitted because of another limit.
    limited: Vec<String>,
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
            limited: Vec::new(),
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

    /// Records that something was omitted because it doesn't fit, to be listed at the end.
    pub(super) fn note_omitted(&mut self, description: &str) {
        self.omissions.push(description.into());
    }

    /// Records that of several pieces only `shown` were added: because of their maximum number, or
    /// because the others don't fit.
    pub(super) fn note_limited(&mut self, description: &str, max: usize, shown: usize) {
        match shown < max {
            true => self.note_omitted(description),
            false => self.limited.push(format!(
                "{description} (the limit is {})",
                grouped(max as u64)
            )),
        }
    }

    /// Returns the text. It's empty if not even the end fits.
    pub(super) fn finish(self) -> String {
        let mut out = self.text;
        let mut sentences = Vec::new();
        if !self.omissions.is_empty() {
            sentences.push(format!(
                "Omitted to stay within {} characters: {}.",
                grouped(self.max_characters as u64),
                self.omissions.join(", ")
            ));
        }
        if !self.limited.is_empty() {
            sentences.push(format!("Omitted: {}.", self.limited.join(", ")));
        }
        if !sentences.is_empty() {
            out += &format!(
                "**{}** Other report formats contain everything.\n\n",
                sentences.join(" ")
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
        let mut text = BoundedText::new(500, "end\n");
        text.note_limited("5 rows", 50, 50);
        text.note_limited("3 details", 30, 20);
        assert_eq!(
            text.finish(),
            "**Omitted to stay within 500 characters: 3 details. Omitted: 5 rows (the limit is \
             50).** Other report formats contain everything.\n\nend\n"
        );
        assert_eq!(BoundedText::new(3, "end\n").finish(), "");
        assert_eq!(length("a\u{1f600}"), 3);
    }
}
