//! Errors in files that users write: configuration, suppression files, baselines. All errors of a
//! file are reported at once.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Maximum length of a shown line, in characters. Of a longer line, the part around the error is
/// shown.
const MAX_EXCERPT: usize = 120;

/// An error in a file, with its location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file, as given by the user.
    pub file: String,
    /// The line, from 1; 0 if the error is about the whole file.
    pub line: u32,
    /// The column in characters, from 1; 0 if the error is about the whole line.
    pub column: u32,
    /// The number of characters from `column` on that the error is about; 0 if it is about the
    /// whole line.
    pub length: u32,
    /// The text of the line.
    pub source: String,
    /// The error message.
    pub message: String,
    /// A suggestion; `None` if there isn't one.
    pub help: Option<String>,
}

impl Diagnostic {
    /// Creates an error about a whole line, or about the whole file if `line` is 0.
    pub(crate) fn at_line(file: &str, text: &str, line: u32, message: impl Into<String>) -> Self {
        let source = line
            .checked_sub(1)
            .and_then(|at| text.lines().nth(at as usize))
            .unwrap_or_default();
        Self {
            file: file.into(),
            line,
            column: 0,
            length: 0,
            source: source.into(),
            message: message.into(),
            help: None,
        }
    }

    /// Creates the diagnostic for malformed JSON: `invalid NOUN: …` at the position of the error.
    pub(crate) fn from_json(file: &str, text: &str, noun: &str, error: &serde_json::Error) -> Self {
        let message = alloc::format!("{error}");
        // The position has fields of its own.
        let message = message
            .rsplit_once(" at line ")
            .map_or(message.as_str(), |(head, _)| head);
        let line = u32::try_from(error.line()).unwrap_or(0);
        let mut diagnostic = Self::at_line(
            file,
            text,
            line,
            alloc::format!("invalid {noun}: {message}"),
        );
        diagnostic.column = u32::try_from(error.column()).unwrap_or(0);
        diagnostic
    }

    /// Creates an error about a range of bytes of `text`.
    pub(crate) fn at_span(
        file: &str,
        text: &str,
        span: core::ops::Range<usize>,
        message: impl Into<String>,
    ) -> Self {
        let mut start = span.start.min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let line_start = text[..start].rfind('\n').map_or(0, |n| n + 1);
        let source = text[line_start..].lines().next().unwrap_or_default();
        let end = span
            .end
            .clamp(start, line_start + source.len().max(start - line_start));
        let length = text.get(start..end).map_or(1, |t| t.chars().count().max(1));
        let saturate = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self {
            file: file.into(),
            line: saturate(text[..line_start].matches('\n').count() + 1),
            column: saturate(text[line_start..start].chars().count() + 1),
            length: saturate(length),
            source: source.into(),
            message: message.into(),
            help: None,
        }
    }

    /// Returns the part of the line around the column, and the number of characters in front of the
    /// column. The part is the whole line, unless that is very long.
    fn excerpt(&self) -> (String, usize) {
        let clean = |c: char| if c.is_control() { ' ' } else { c };
        let source: Vec<char> = self.source.trim_end().chars().map(clean).collect();
        let at = (self.column as usize).saturating_sub(1);
        if source.len() <= MAX_EXCERPT {
            return (source.into_iter().collect(), at);
        }
        let start = at.min(source.len()).saturating_sub(MAX_EXCERPT / 2);
        let end = (start + MAX_EXCERPT).min(source.len());
        let mark = |is_cut| if is_cut { "…" } else { "" };
        let (before, after) = (mark(start > 0), mark(end < source.len()));
        let part: String = source[start..end].iter().collect();
        let indent = at.saturating_sub(start) + before.chars().count();
        (alloc::format!("{before}{part}{after}"), indent)
    }

    /// Sets the suggestion.
    #[must_use]
    pub(crate) fn with_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }
}

/// Writes `file:line:column: message`, the line with a marker below it, and the suggestion.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if self.column > 0 {
            write!(f, ":{}", self.column)?;
        }
        write!(f, ": {}", self.message)?;
        if self.line > 0 && !self.source.trim().is_empty() {
            let (excerpt, indent) = self.excerpt();
            write!(f, "\n  |\n  | {excerpt}")?;
            if self.column > 0 {
                let rest = MAX_EXCERPT.saturating_sub(indent).max(1);
                let marker = (self.length.max(1) as usize).min(rest);
                write!(f, "\n  | {:indent$}{:^<marker$}", "", "")?;
            }
        }
        if let Some(help) = &self.help {
            write!(f, "\n  = {help}")?;
        }
        Ok(())
    }
}

impl core::error::Error for Diagnostic {}

/// Returns the known word that is most similar to `word`, or `None` if all differ too much.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).max(1) + 1;
    let scored = known.into_iter().map(|k| (distance(word, k), k));
    scored
        .filter(|(d, _)| *d < limit)
        .min_by_key(|(d, _)| *d)
        .map(|(_, k)| k)
}

/// Returns the Levenshtein distance of two words. The crates for this need the standard library.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let cost = if x == *y {
                diagonal
            } else {
                diagonal.min(row[j]).min(row[j + 1]) + 1
            };
            diagonal = core::mem::replace(&mut row[j + 1], cost);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn diagnostic_marks_its_location() {
        let text = "a = 1\nreasn = \"x\"\n";
        let diagnostic = Diagnostic::at_span("f.toml", text, 6..11, "unknown key")
            .with_help(Some("did you mean `reason`?".into()));
        assert_eq!(
            diagnostic.to_string(),
            "f.toml:2:1: unknown key\n  |\n  | reasn = \"x\"\n  | ^^^^^\n  = did you mean `reason`?"
        );
        assert_eq!(
            Diagnostic::at_line("f", text, 2, "no").to_string(),
            "f:2: no\n  |\n  | reasn = \"x\""
        );
        assert_eq!(
            Diagnostic::at_span("f", "", 0..9, "no").to_string(),
            "f:1:1: no"
        );
        assert_eq!(Diagnostic::at_span("f", "ä", 1..2, "no").column, 1);
    }

    #[test]
    fn long_line_is_shown_in_part() {
        let text = alloc::format!("{}!{}", "a".repeat(500), "b".repeat(500));
        let shown = Diagnostic::at_span("f", &text, 500..501, "no").to_string();
        let lines: Vec<&str> = shown.lines().skip(2).collect();
        assert!(lines[0].chars().count() <= MAX_EXCERPT + 6, "{shown}");
        let position = |line: &str, c| line.chars().position(|other| other == c);
        assert_eq!(position(lines[0], '!'), position(lines[1], '^'));
    }

    #[test]
    fn only_similar_words_are_suggested() {
        let known = ["reason", "references", "stack"];
        assert_eq!(nearest("reasn", known), Some("reason"));
        assert_eq!(nearest("stak", known), Some("stack"));
        assert_eq!(nearest("pattern", known), None);
    }
}
