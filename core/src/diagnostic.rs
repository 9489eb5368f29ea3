//! Mistakes in what people write: configuration, suppression files, baselines. All of a file are
//! told at once.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// One mistake and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1; 0 where the file as a whole is meant.
    pub line: u32,
    /// The column in characters, from 1; 0 where the line as a whole is meant.
    pub column: u32,
    /// How many characters are meant, from `column` on.
    pub length: u32,
    /// The text of the line.
    pub source: String,
    /// What is wrong.
    pub message: String,
    /// What to write instead, where that can be guessed.
    pub help: Option<String>,
}

impl Mistake {
    /// A mistake about a line as a whole.
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

    /// A mistake about some bytes of a text.
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
        let short = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self {
            file: file.into(),
            line: short(text[..line_start].matches('\n').count() + 1),
            column: short(text[line_start..start].chars().count() + 1),
            length: short(length),
            source: source.into(),
            message: message.into(),
            help: None,
        }
    }

    /// The same with a suggestion.
    #[must_use]
    pub(crate) fn with_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }
}

/// `file:line:column: message`, the line with the place marked, and the suggestion.
impl fmt::Display for Mistake {
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
            let shown: String = self
                .source
                .chars()
                .map(|c| if c.is_control() { ' ' } else { c })
                .collect();
            write!(f, "\n  |\n  | {}", shown.trim_end())?;
            if self.column > 0 {
                let (before, marks) = (self.column as usize - 1, self.length.max(1) as usize);
                write!(f, "\n  | {:before$}{:^<marks$}", "", "")?;
            }
        }
        if let Some(help) = &self.help {
            write!(f, "\n  = {help}")?;
        }
        Ok(())
    }
}

impl core::error::Error for Mistake {}

/// The known word that was probably meant: it differs by little.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let far = (word.chars().count() / 3).max(1) + 1;
    let scored = known.into_iter().map(|k| (distance(word, k), k));
    scored
        .filter(|(d, _)| *d < far)
        .min_by_key(|(d, _)| *d)
        .map(|(_, k)| k)
}

/// How many letters differ (Levenshtein). The libraries for this need the standard library.
fn distance(a: &str, b: &str) -> usize {
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
    fn a_mistake_shows_its_place() {
        let text = "a = 1\nreasn = \"x\"\n";
        let mistake = Mistake::at_span("f.toml", text, 6..11, "unknown key")
            .with_help(Some("did you mean `reason`?".into()));
        assert_eq!(
            mistake.to_string(),
            "f.toml:2:1: unknown key\n  |\n  | reasn = \"x\"\n  | ^^^^^\n  = did you mean `reason`?"
        );
        assert_eq!(
            Mistake::at_line("f", text, 2, "no").to_string(),
            "f:2: no\n  |\n  | reasn = \"x\""
        );
        assert_eq!(
            Mistake::at_span("f", "", 0..9, "no").to_string(),
            "f:1:1: no"
        );
        assert_eq!(Mistake::at_span("f", "ä", 1..2, "no").column, 1);
    }

    #[test]
    fn what_was_meant_is_guessed_only_when_it_is_near() {
        let known = ["reason", "references", "stack"];
        assert_eq!(nearest("reasn", known), Some("reason"));
        assert_eq!(nearest("stak", known), Some("stack"));
        assert_eq!(nearest("pattern", known), None);
    }
}
