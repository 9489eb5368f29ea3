//! Every escaper, one for each place where text of a log may stand. A log is hostile text.
//!
//! Documents are also printed in the log of a CI system, so that all of them keep GitHub's runner
//! from seeing a command in them: it takes a line that begins with `::`, blanks aside, and `##[`
//! anywhere in a line (<https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs>).

mod markdown;

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use core::fmt::Write as _;

pub(crate) use self::markdown::{code, code_in_table, fenced, plain, summary};

/// The old form of a runner's command, wherever it stands in a line.
const OLD_COMMAND: &str = "##[";

/// What is not seen, or changes what is seen around it: control characters, marks that turn the
/// direction of text (CVE-2021-42574), ends of lines by Unicode, characters without width, and
/// tags.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}')
        || matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{200b}' | '\u{2060}' | '\u{feff}' | '\u{fff9}'
                ..='\u{fffb}'
        )
        || matches!(c, '\u{e0000}'..='\u{e007f}')
}

/// For a terminal, and for every place where plain text is shown: what is not seen becomes visible
/// (`\u{1b}`), and no runner of a CI system finds a command in it.
pub fn terminal(text: &str) -> Cow<'_, str> {
    let blanks = text.len() - text.trim_start().len();
    match text[blanks..].strip_prefix(':') {
        Some(rest) if rest.starts_with(':') => Cow::Owned(format!(
            "{}\\u{{3a}}{}",
            inline(&text[..blanks]),
            inline(rest)
        )),
        _ => inline(text),
    }
}

/// The same behind something else in its line, where `::` begins nothing.
pub(crate) fn inline(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unseen) && !text.contains(OLD_COMMAND) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for (at, c) in text.char_indices() {
        match c {
            '\t' => out.push(' '),
            '#' if text[at..].starts_with(OLD_COMMAND) => out.extend(c.escape_unicode()),
            c if is_unseen(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// For JSON that is written already: the same document, with what is not seen, and what a runner
/// would take for a command, as `\u` sequences (RFC 8259, section 7). Neither can stand outside a
/// string.
pub(crate) fn json(text: String) -> String {
    if !text.contains(is_unseen) && !text.contains(OLD_COMMAND) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 64);
    for (at, c) in text.char_indices() {
        if is_unseen(c) || (c == '#' && text[at..].starts_with(OLD_COMMAND)) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing into a string can't fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// For JSON in a `<script>` of HTML: no `<`, so that neither `</script>` nor `<!--` can stand in it
/// (<https://html.spec.whatwg.org/multipage/scripting.html#restrictions-for-contents-of-script-elements>).
pub(crate) fn script(text: String) -> String {
    json(text)
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
}

/// For text and attributes of XML and HTML (<https://www.w3.org/TR/xml/#syntax>, <https://www.w3.org/TR/xml/#charsets>). What XML can't
/// hold is shown as [`terminal`] shows it; line feeds stay line feeds.
pub(crate) fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for (at, line) in text.split('\n').enumerate() {
        if at > 0 {
            out.push_str("&#10;");
        }
        for c in terminal(line).chars() {
            match c {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '"' => out.push_str("&quot;"),
                '\'' => out.push_str("&apos;"),
                '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
                c => out.push(c),
            }
        }
    }
    out
}

/// For what stands behind `::error …::`
/// (<https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts>, `escapeData`).
pub(crate) fn command_data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// For the value of a property in `::error file=…::` (the same file, `escapeProperty`).
pub(crate) fn command_property(text: &str) -> String {
    command_data(&terminal(text))
        .replace(':', "%3A")
        .replace(',', "%2C")
}

/// For a message of SARIF, where `[text](1)` is a link
/// (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>, section 3.11.6).
pub(crate) fn message(text: &str) -> String {
    terminal(text)
        .replace('\\', "\\\\")
        .replace('[', "\\[")
        .replace(']', "\\]")
}

/// A path as a relative reference, or as a `file:` URI where it is absolute
/// (<https://www.rfc-editor.org/rfc/rfc3986#section-3.3>, <https://www.rfc-editor.org/rfc/rfc8089>).
pub(crate) fn uri(path: &str) -> String {
    let path = path.replace('\\', "/");
    let is_drive =
        path.as_bytes().get(1) == Some(&b':') && path.as_bytes()[0].is_ascii_alphabetic();
    let mut out = String::with_capacity(path.len() + 8);
    if is_drive {
        out.push_str("file:///");
    } else if path.starts_with('/') {
        out.push_str("file://");
    }
    for (at, byte) in path.bytes().enumerate() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte))
            }
            b':' if is_drive && at == 1 => out.push(':'),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// For a frame of a folded stack: `;` ends a frame, a line feed the stack, and the number behind
/// the last blank is its weight (<https://github.com/brendangregg/FlameGraph#2-fold-stacks>). A name that ends in a number would be taken for a weight, and one
/// that begins with `#` for a comment.
pub(crate) fn folded(name: &str) -> String {
    let mut out = terminal(name.trim()).replace(';', ":");
    let weight = out.rsplit_once(' ').filter(|(_, tail)| is_number(tail));
    if let Some((head, tail)) = weight {
        out = format!("{head}_{tail}");
    }
    match out.strip_prefix('#') {
        Some(rest) => format!("\\u{{23}}{rest}"),
        None => out,
    }
}

/// What readers take for a number, as `str::parse` does for an `f64`; its tables would weigh as
/// much as a whole format.
fn is_number(text: &str) -> bool {
    let sign = |text: &str| text.len() - text.strip_prefix(['+', '-']).unwrap_or(text).len();
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let text = &text[sign(text)..];
    let (mantissa, power) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let power = &power[sign(power)..];
    let is_word = ["inf", "infinity", "nan"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word));
    is_word
        || ([whole, fraction, power].into_iter().all(digits)
            && !power.is_empty()
            && whole.len() + fraction.len() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_what_the_library_reads_as_one() {
        for text in [
            "", "1", "+1", "-1.5", "1.", ".5", ".", "+", "1e5", "1e", "1e+", "1E-07", "e5", ".e1",
            "inf", "-NaN", "infinit", "1_0",
        ] {
            assert_eq!(is_number(text), text.parse::<f64>().is_ok(), "{text}");
        }
    }

    #[test]
    fn a_log_cannot_move_the_cursor_or_forge_lines() {
        assert_eq!(terminal("a\x1b[2Jb\rc\nd"), "a\\u{1b}[2Jb\\u{d}c\\u{a}d");
        assert_eq!(terminal("a\u{202e}b\u{2028}"), "a\\u{202e}b\\u{2028}");
        assert_eq!(terminal("caf\u{e9}\tx"), "caf\u{e9} x");
        assert_eq!(terminal("std::f ::g ##x"), "std::f ::g ##x");
    }

    #[test]
    fn a_log_cannot_command_a_runner() {
        assert_eq!(terminal("  ::error::x"), "  \\u{3a}:error::x");
        assert_eq!(inline("::f(x)"), "::f(x)");
        assert_eq!(terminal("a ###[error]x"), "a #\\u{23}#[error]x");
        assert_eq!(
            json("{\"a\":\"##[x\\\\##[\"}".into()),
            "{\"a\":\"\\u0023#[x\\\\\\u0023#[\"}"
        );
    }

    #[test]
    fn json_means_the_same() {
        let text = "\u{202e} \u{7f}\u{9b} ##[ \u{e0041} \\ caf\u{e9}";
        let written = json(serde_json::to_string(text).unwrap());
        assert!(
            !written.contains(is_unseen) && written.contains("\\udb40\\udc41"),
            "{written}"
        );
        assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
    }

    #[test]
    fn xml_holds_no_markup_and_no_character_that_it_must_not() {
        assert_eq!(
            xml("a<b>&\"'\n]]>\0\u{ffff}"),
            "a&lt;b&gt;&amp;&quot;&apos;&#10;]]&gt;\\u{0}\u{fffd}"
        );
    }

    #[test]
    fn commands_keep_their_form() {
        assert_eq!(command_data("50%\r\n::x"), "50%25%0D%0A::x");
        assert_eq!(command_property("a:b,c%\n"), "a%3Ab%2Cc%25\\u{a}");
    }

    #[test]
    fn a_message_holds_no_link_of_a_log() {
        assert_eq!(
            message("operator[](x) \\[y](https://z)"),
            "operator\\[\\](x) \\\\\\[y\\](https://z)"
        );
    }

    #[test]
    fn paths_become_uris() {
        for (path, want) in [
            ("src/a b#c.c", "src/a%20b%23c.c"),
            ("caf\u{e9}:x", "caf%C3%A9%3Ax"),
            ("/abs/a.c", "file:///abs/a.c"),
            ("C:\\x\\a.c", "file:///C:/x/a.c"),
        ] {
            assert_eq!(uri(path), want);
        }
    }

    #[test]
    fn frames_keep_a_folded_stack_in_form() {
        for (name, want) in [
            (" a;b ", "a:b"),
            ("f(int) 5", "f(int)_5"),
            ("f(int, char) const", "f(int, char) const"),
            ("# x\n", "\\u{23} x"),
        ] {
            assert_eq!(folded(name), want);
        }
    }
}
