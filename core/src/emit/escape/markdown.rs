//! Escaping for GitHub Flavored Markdown (<https://github.github.com/gfm/>).
//!
//! Log text is written as code, which contains no formatting, links, mentions or references.
//! Backslash escapes would not be enough, because GitHub searches the rendered text for `@name` and
//! `#1`.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;

use super::terminal;

/// Returns a code span (<https://github.github.com/gfm/#code-spans>).
pub(crate) fn code(text: &str) -> String {
    span(&terminal(text))
}

/// Returns a code span for a table cell, in which `\|` is the only escape sequence
/// (<https://github.github.com/gfm/#tables-extension->). Backslashes before a `|` are replaced,
/// because they would escape the backslash of that sequence.
pub(crate) fn code_in_table(text: &str) -> String {
    let text = terminal(text);
    let mut out = String::with_capacity(text.len() + 4);
    for part in text.split_inclusive('|') {
        let Some(before) = part.strip_suffix('|') else {
            out.push_str(part);
            continue;
        };
        let plain = before.trim_end_matches('\\');
        out.push_str(plain);
        (plain.len()..before.len()).for_each(|_| out.push_str("\\u{5c}"));
        out.push_str("\\|");
    }
    span(&out)
}

/// Encloses escaped text in backticks.
fn span(text: &str) -> String {
    let text = if text.trim().is_empty() { "?" } else { text };
    let ticks = "`".repeat(longest_run(text) + 1);
    let edge = text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']);
    let pad = if edge { " " } else { "" };
    format!("{ticks}{pad}{text}{pad}{ticks}")
}

/// Returns the length of the longest run of backticks.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// Returns a fenced code block (<https://github.github.com/gfm/#fenced-code-blocks>).
pub(crate) fn fenced(language: &str, lines: &str) -> String {
    let lines: String = lines
        .lines()
        .map(|line| format!("{}\n", terminal(line).trim_end()))
        .collect();
    let ticks = "`".repeat(longest_run(&lines).max(2) + 1);
    format!("{ticks}{language}\n{lines}{ticks}\n")
}

/// Escapes text for a `<summary>` element, which is HTML
/// (<https://github.github.com/gfm/#html-blocks>).
pub(crate) fn summary(text: &str) -> String {
    let mut out = String::from("<code>");
    for c in terminal(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }
    }
    out.push_str("</code>");
    out
}

/// Escapes a sentence that may contain log text. Words that could have a meaning in Markdown become
/// code, as does text between backticks.
pub(crate) fn prose(text: &str) -> String {
    let parts: alloc::vec::Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return escape_words(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for (at, part) in parts.into_iter().enumerate() {
        let part = if at % 2 == 0 {
            escape_words(part)
        } else {
            code(part)
        };
        // Two adjacent spans would be parsed as one.
        if out.ends_with('`') && part.starts_with('`') {
            out.push(' ');
        }
        out.push_str(&part);
    }
    out
}

/// Escapes each word of text without backticks. Keeps a blank at either end.
fn escape_words(text: &str) -> String {
    let blank = |present: bool| if present { " " } else { "" };
    let words: alloc::vec::Vec<Cow<'_, str>> = text.split_whitespace().map(escape_word).collect();
    let before = text.starts_with(char::is_whitespace);
    let after = text.ends_with(char::is_whitespace);
    format!(
        "{}{}{}",
        blank(before),
        words.join(" "),
        blank(after && !words.is_empty())
    )
}

/// Returns a word as is if it has no meaning in Markdown, otherwise as code.
fn escape_word(word: &str) -> Cow<'_, str> {
    if word
        .chars()
        .all(|c| matches!(c, '(' | ')' | ',' | ';' | '.' | '?' | ':'))
        && !word.contains("::")
    {
        return Cow::Borrowed(word);
    }
    let (head, tail) = word.split_at(word.trim_end_matches([',', ';', ':', '.']).len());
    if head.is_empty() {
        return Cow::Owned(code(word));
    }
    if is_safe(head) && is_safe(word.trim_end_matches([',', ';', ':'])) {
        return Cow::Borrowed(word);
    }
    Cow::Owned(format!("{}{tail}", code(head)))
}

/// Returns true if a word has no meaning in Markdown on GitHub. It must not be a list marker, a
/// reference such as `GH-1`, a commit hash, a URL or an `:emoji:`.
fn is_safe(word: &str) -> bool {
    let harmless = |c: char| {
        c.is_alphanumeric()
            || matches!(
                c,
                '\'' | '"' | ',' | ';' | '.' | '(' | ')' | '%' | '/' | '-' | '?'
            )
    };
    let letters = word.trim_matches(|c: char| !c.is_alphanumeric());
    let is_hash = letters.len() >= 7
        && letters.bytes().all(|b| b.is_ascii_hexdigit())
        && letters.bytes().any(|b| b.is_ascii_digit());
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let is_mark = letters.is_empty()
        || word.starts_with('-')
        || word.strip_suffix([')', '.']).is_some_and(is_number);
    let lower = letters.to_ascii_lowercase();
    word.chars().all(harmless)
        && !is_hash
        && !is_mark
        && !lower.starts_with("www.")
        && !lower.starts_with("gh-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_cannot_be_closed_by_its_content() {
        for (text, want) in [
            ("f", "`f`"),
            ("a`b``c", "```a`b``c```"),
            ("`a", "`` `a ``"),
            ("", "`?`"),
            ("a|b", "`a|b`"),
            ("@x\n#1", "`@x\\u{a}#1`"),
        ] {
            assert_eq!(code(text), want);
        }
        assert_eq!(code_in_table("operator||(A, B)"), "`operator\\|\\|(A, B)`");
        assert_eq!(code_in_table("C:\\x\\\\|b"), "`C:\\x\\u{5c}\\u{5c}\\|b`");
        assert_eq!(fenced("", "a\n````\n"), "`````\na\n````\n`````\n");
        assert_eq!(summary("a<b>&c"), "<code>a&lt;b&gt;&amp;c</code>");
    }

    #[test]
    fn only_safe_words_are_outside_of_code() {
        for (text, want) in [
            ("1 unexpected finding", "1 unexpected finding"),
            ("logs/a_b.log: cut, at 50%", "`logs/a_b.log`: cut, at 50%"),
            (
                "the rule `a b` (`leakgate.toml:3`): expired",
                "the rule `a b` (`leakgate.toml:3`): expired",
            ),
            ("x_y`f` `", "`` x_y`f` `` `` ` ``"),
            ("x_y`f`.", "`x_y` `f`."),
            ("::error::x ::", "`\\u{3a}:error::x` `\\u{3a}:`"),
            (
                "@everyone #1 GH-12 www.x.org https://x.org",
                "`@everyone` `#1` `GH-12` `www.x.org` `https://x.org`",
            ),
            (
                "1) - :tada: 1234567 deadbeef1",
                "`1)` `-` `:tada`: `1234567` `deadbeef1`",
            ),
            ("4,136 bytes (and 2 more)", "4,136 bytes (and 2 more)"),
        ] {
            assert_eq!(prose(text), want);
        }
    }
}
