//! Markdown as GitHub reads it (<https://github.github.com/gfm/>).
//!
//! What a log says stands in code: there nothing is a mark, a link, a mention or a reference. A
//! backslash would not do, for GitHub looks for `@name` and `#1` in the text that comes out.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;

use super::terminal;

/// A code span (<https://github.github.com/gfm/#code-spans>).
pub(crate) fn code(text: &str) -> String {
    span(&terminal(text))
}

/// A code span in a cell of a table, where `\|` is the only escape
/// (<https://github.github.com/gfm/#tables-extension->). A backslash before it would escape itself.
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

fn span(text: &str) -> String {
    let text = if text.trim().is_empty() { "?" } else { text };
    let ticks = "`".repeat(longest_run(text) + 1);
    let edge = text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']);
    let pad = if edge { " " } else { "" };
    format!("{ticks}{pad}{text}{pad}{ticks}")
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// A fenced block (<https://github.github.com/gfm/#fenced-code-blocks>) of lines.
pub(crate) fn fenced(language: &str, lines: &str) -> String {
    let lines: String = lines
        .lines()
        .map(|line| format!("{}\n", terminal(line).trim_end()))
        .collect();
    let ticks = "`".repeat(longest_run(&lines).max(2) + 1);
    format!("{ticks}{language}\n{lines}{ticks}\n")
}

/// For `<summary>`, which is HTML (<https://github.github.com/gfm/#html-blocks>).
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

/// For a sentence in which text of a log may stand: words that could mean anything to a reader of
/// markdown become code, and so does what stands between backticks.
pub(crate) fn plain(text: &str) -> String {
    let parts: alloc::vec::Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return words(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for (at, part) in parts.into_iter().enumerate() {
        let part = if at % 2 == 0 { words(part) } else { code(part) };
        // Two spans side by side would be one.
        if out.ends_with('`') && part.starts_with('`') {
            out.push(' ');
        }
        out.push_str(&part);
    }
    out
}

/// The same for words without backticks between them; blanks at the ends stay.
fn words(text: &str) -> String {
    let blank = |yes: bool| if yes { " " } else { "" };
    let words: alloc::vec::Vec<Cow<'_, str>> = text.split_whitespace().map(word).collect();
    let (before, after) = (
        text.starts_with(char::is_whitespace),
        text.ends_with(char::is_whitespace),
    );
    format!(
        "{}{}{}",
        blank(before),
        words.join(" "),
        blank(after && !words.is_empty())
    )
}

fn word(word: &str) -> Cow<'_, str> {
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
    if is_plain(head) && is_plain(word.trim_end_matches([',', ';', ':'])) {
        return Cow::Borrowed(word);
    }
    Cow::Owned(format!("{}{tail}", code(head)))
}

/// Letters, digits and marks that mean nothing here; no number that begins a list, no `GH-1`, no
/// hash of a commit, no `:emoji:`.
fn is_plain(word: &str) -> bool {
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
    fn code_ends_where_it_is_meant_to_end() {
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
    fn only_plain_words_stand_outside_code() {
        for (text, want) in [
            (
                "a finding that nobody accepted",
                "a finding that nobody accepted",
            ),
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
            assert_eq!(plain(text), want);
        }
    }
}
