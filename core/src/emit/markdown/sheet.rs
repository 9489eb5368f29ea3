//! A text of bounded length.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Kept for the line that says what was left out.
const RESERVE: usize = 400;

/// Whole pieces, as long as they fit. The end is reserved from the beginning.
#[derive(Debug)]
pub(super) struct Sheet {
    text: String,
    budget: usize,
    left: usize,
    end: String,
    missing: Vec<String>,
}

impl Sheet {
    pub(super) fn new(budget: usize, end: &str) -> Self {
        let left = budget.saturating_sub(RESERVE + length(end));
        Self {
            text: String::new(),
            budget,
            left,
            end: end.into(),
            missing: Vec::new(),
        }
    }

    /// Adds the piece if it fits; false where it does not.
    pub(super) fn push(&mut self, piece: &str) -> bool {
        let length = length(piece);
        if length > self.left {
            return false;
        }
        self.left -= length;
        self.text.push_str(piece);
        true
    }

    /// What could not be added, in own words.
    pub(super) fn left_out(&mut self, what: &str) {
        self.missing.push(what.into());
    }

    /// The text, never longer than its budget.
    pub(super) fn finish(self) -> String {
        let mut out = self.text;
        if !self.missing.is_empty() {
            out += &format!(
                "**Left out, to stay below {} characters: {}.** The other documents of leakgate have all of it.\n\n",
                crate::numbers::grouped(self.budget as u64),
                self.missing.join(", ")
            );
        }
        out += &self.end;
        if length(&out) > self.budget {
            String::new()
        } else {
            out
        }
    }
}

/// In UTF-16 code units.
fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_is_never_longer_than_its_budget_and_says_what_it_lacks() {
        let mut sheet = Sheet::new(500, "end\n");
        assert!(sheet.push(&"x".repeat(90)));
        assert!(!sheet.push("0123456789"));
        sheet.left_out("2 things");
        let text = sheet.finish();
        assert!(
            text.len() <= 500 && text.contains("2 things") && text.ends_with("end\n"),
            "{text}"
        );
        assert_eq!(Sheet::new(3, "end\n").finish(), "");
        assert_eq!(length("a\u{1f600}"), 3);
    }
}
