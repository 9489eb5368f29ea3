//! Every escaper, one for each place where text of a log may stand. A log is hostile text.

use alloc::borrow::Cow;
use alloc::string::String;

/// For a terminal: control characters, which could move the cursor or forge lines, become visible (`\u{1b}`), and so do the
/// marks that turn the direction of text (CVE-2021-42574).
pub fn terminal(text: &str) -> Cow<'_, str> {
    let hostile =
        |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
    if !text.contains(hostile) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\t' => out.push(' '),
            c if hostile(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::terminal;

    #[test]
    fn a_log_cannot_move_the_cursor_or_forge_lines() {
        assert_eq!(terminal("a\x1b[2Jb\rc\nd"), "a\\u{1b}[2Jb\\u{d}c\\u{a}d");
        assert_eq!(terminal("a\u{202e}b"), "a\\u{202e}b");
        assert_eq!(terminal("caf\u{e9}\tx"), "caf\u{e9} x");
    }
}
