//! Wraps lines at the width of a terminal.

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt::{self, Write};

use unicode_width::UnicodeWidthChar;

/// A blank at which no line is broken. Log text can't contain it, because [`terminal`] escapes
/// control characters.
///
/// [`terminal`]: super::escape::terminal
const GLUE: char = '\u{1f}';

/// What a line may begin with, after its indentation. The text after it is the line's own text, to
/// which continuation lines are indented.
const MARKERS: &[&str] = &["=", ">", "-->", "…", "pass:", "fail:", "error:"];

/// Additional indentation of continuation lines.
const HANG: usize = 2;

/// Returns text in which [`wrap`] breaks no line, such as a path, a symbol or a command. It's for
/// text that is passed to [`wrap`], because it replaces blanks by a control character.
pub fn unbroken(text: &str) -> Cow<'_, str> {
    if text.contains(' ') {
        Cow::Owned(text.replace(' ', GLUE.encode_utf8(&mut [0; 4])))
    } else {
        Cow::Borrowed(text)
    }
}

/// Wraps each line of a text at `width` columns, and indents the continuation lines.
///
/// Lines are broken only at blanks, so a longer word exceeds the width. Color sequences take no
/// columns. Lines of source code, which are recognized by the `|` before them, are not wrapped,
/// because a `^` in the next line refers to a column.
///
/// ```
/// use leakgate_core::emit::{unbroken, wrap};
///
/// assert_eq!(wrap("a long line\n", 8), "a long\n  line\n");
/// let path = unbroken("/my files/a.c:3");
/// assert_eq!(wrap(&format!("in {path}"), 12), "in\n  /my files/a.c:3");
/// ```
pub fn wrap(text: &str, width: usize) -> String {
    let mut out = String::with_capacity(text.len());
    let mut wrapped = Wrapped::new(&mut out, Some(width));
    // Writing into a string can't fail.
    let _ = wrapped.write_str(text);
    let _ = wrapped.finish();
    out
}

/// A writer that wraps lines.
pub(crate) struct Wrapped<'a> {
    out: &'a mut dyn Write,
    /// Width in columns. `None` if lines are not wrapped.
    width: Option<usize>,
    /// The part of the current line that was written so far.
    line: String,
}

impl<'a> Wrapped<'a> {
    pub(crate) fn new(out: &'a mut dyn Write, width: Option<usize>) -> Self {
        Self {
            out,
            width,
            line: String::new(),
        }
    }

    /// Writes the last line if it has no line feed.
    pub(crate) fn finish(mut self) -> fmt::Result {
        self.end_line()
    }

    fn end_line(&mut self) -> fmt::Result {
        let line = core::mem::take(&mut self.line);
        let is_wrapped = self.width.filter(|width| columns(&line) > *width);
        match is_wrapped.filter(|_| !is_source(&line)) {
            Some(width) => wrap_line(&line, width, self.out),
            None => write_glued(&line, self.out),
        }
    }
}

impl Write for Wrapped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.width.is_none() {
            return self.out.write_str(text);
        }
        let mut rest = text;
        while let Some((line, after)) = rest.split_once('\n') {
            self.line += line;
            self.end_line()?;
            self.out.write_char('\n')?;
            rest = after;
        }
        self.line += rest;
        Ok(())
    }
}

/// Writes a line that is too long as several lines.
fn wrap_line(line: &str, width: usize, out: &mut dyn Write) -> fmt::Result {
    let (head, text) = line.split_at(indentation(line));
    let indent = columns(head);
    let marker = marker(text);
    let hang = (indent + marker.map_or(0, |marker| columns(marker) + 1) + HANG).min(width / 2);
    out.write_str(head)?;
    let mut column = indent;
    let mut blanks = 0;
    // The first word stays in the first line, and so does the word after a marker.
    let mut unbreakable: u8 = if marker.is_some() { 2 } else { 1 };
    for word in text.split(' ') {
        if word.is_empty() {
            blanks += 1;
            continue;
        }
        let length = columns(word);
        if unbreakable == 0 && column + blanks + length > width {
            out.write_char('\n')?;
            write_blanks(hang, out)?;
            column = hang;
        } else {
            write_blanks(blanks, out)?;
            column += blanks;
        }
        write_glued(word, out)?;
        column += length;
        blanks = 1;
        unbreakable = unbreakable.saturating_sub(1);
    }
    Ok(())
}

/// Returns the length of the blanks at the start of a line, with the color sequences before and
/// between them, in bytes.
fn indentation(line: &str) -> usize {
    let mut in_sequence = false;
    let first = line.find(|c: char| {
        let is_text = !in_sequence && c != '\u{1b}' && c != ' ';
        in_sequence = (in_sequence && c != 'm') || c == '\u{1b}';
        is_text
    });
    first.unwrap_or(line.len())
}

/// Returns the marker that a text begins with.
fn marker(text: &str) -> Option<&'static str> {
    let first: String = visible(text.split(' ').next()?).collect();
    MARKERS.iter().copied().find(|marker| *marker == first)
}

/// Returns true for a line of source code or the line below it: `12 | code` or `   | ^`.
fn is_source(line: &str) -> bool {
    let text: String = visible(line).collect();
    let text = text.trim_start();
    let text = text.trim_start_matches(|c: char| c.is_ascii_digit());
    text.trim_start().starts_with('|')
}

/// Returns the number of columns that a text takes in a terminal.
fn columns(text: &str) -> usize {
    let width = |c: char| if c == GLUE { 1 } else { c.width().unwrap_or(0) };
    visible(text).map(width).sum()
}

/// Returns the characters of a text without its color sequences, `ESC [ … m`.
fn visible(text: &str) -> impl Iterator<Item = char> {
    let mut in_sequence = false;
    text.chars().filter(move |c| {
        let was_in_sequence = in_sequence;
        in_sequence = (in_sequence && *c != 'm') || *c == '\u{1b}';
        !in_sequence && !was_in_sequence
    })
}

/// Writes a part of a line, with blanks instead of glue.
fn write_glued(text: &str, out: &mut dyn Write) -> fmt::Result {
    let mut parts = text.split(GLUE);
    out.write_str(parts.next().unwrap_or_default())?;
    parts.try_for_each(|part| {
        out.write_char(' ')?;
        out.write_str(part)
    })
}

fn write_blanks(number: usize, out: &mut dyn Write) -> fmt::Result {
    (0..number).try_for_each(|_| out.write_char(' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_blanks() {
        assert_eq!(wrap("one two three\nfour\n", 7), "one two\n  three\nfour\n");
        assert_eq!(wrap("one two", 7), "one two");
        assert_eq!(wrap("one  two", 7), "one\n  two");
        assert_eq!(wrap("", 7), "");
        assert_eq!(wrap("\n\n", 7), "\n\n");
    }

    #[test]
    fn long_words_are_not_cut() {
        assert_eq!(wrap("a /very/long/path b", 6), "a\n  /very/long/path\n  b");
        assert_eq!(wrap("/very/long/path", 6), "/very/long/path");
        assert_eq!(wrap("--> /very/long/path", 6), "--> /very/long/path");
        let symbol = unbroken("f(int, char const*)");
        let line = String::from("    ") + &symbol + "  a.c:3";
        assert_eq!(wrap(&line, 12), "    f(int, char const*)\n      a.c:3");
    }

    #[test]
    fn continuation_lines_are_indented_below_the_text() {
        for (line, indent) in [
            ("word word word word word word", 2),
            ("    word word word word word", 6),
            ("  = word word word word word", 6),
            ("  --> word word word word word", 8),
            ("fail: word word word word word", 8),
            ("\u{1b}[1;31mfail:\u{1b}[0m word word word word", 8),
            ("\u{1b}[2m  word word word word word\u{1b}[0m", 4),
            ("\u{1b}[2m    … word word word word\u{1b}[0m", 8),
        ] {
            let wrapped = wrap(line, 20);
            let second = wrapped.lines().nth(1).unwrap();
            assert_eq!(
                second.len() - second.trim_start().len(),
                indent,
                "{wrapped}"
            );
            assert!(wrapped.lines().all(|line| columns(line) <= 20), "{wrapped}");
        }
    }

    #[test]
    fn colors_take_no_columns() {
        let line = "\u{1b}[1;31mred\u{1b}[0m two";
        assert_eq!(wrap(line, 7), line);
        assert_eq!(wrap(line, 6), "\u{1b}[1;31mred\u{1b}[0m\n  two");
        let dim = "\u{1b}[2mred two\u{1b}[0m";
        assert_eq!(wrap(dim, 6), "\u{1b}[2mred\n  two\u{1b}[0m");
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(wrap("\u{6f22}\u{5b57} a", 6), "\u{6f22}\u{5b57} a");
        assert_eq!(wrap("\u{6f22}\u{5b57} a", 5), "\u{6f22}\u{5b57}\n  a");
    }

    #[test]
    fn source_lines_are_not_wrapped() {
        for line in ["  12 | a b c d e f g", "     |       ^", "     |"] {
            assert_eq!(wrap(line, 8), line);
        }
        let colored = "  \u{1b}[1;36m12\u{1b}[0m \u{1b}[1;36m|\u{1b}[0m a b c d e f g";
        assert_eq!(wrap(colored, 8), colored);
    }

    #[test]
    fn parts_of_a_line_are_wrapped_together() {
        let mut out = String::new();
        let mut wrapped = Wrapped::new(&mut out, Some(7));
        for part in ["one ", "tw", "o three", "\nfo", "ur"] {
            wrapped.write_str(part).unwrap();
        }
        wrapped.finish().unwrap();
        assert_eq!(out, "one two\n  three\nfour");
    }

    #[test]
    fn without_width_nothing_changes() {
        let mut out = String::new();
        let mut wrapped = Wrapped::new(&mut out, None);
        wrapped.write_str("one two").unwrap();
        wrapped.finish().unwrap();
        assert_eq!(out, "one two");
    }
}
