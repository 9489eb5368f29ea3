//! Escaping of log text, with a function for each context in which reports contain it. Logs are
//! untrusted input.
//!
//! Reports may also be printed to the log of a CI job, so every format keeps the CI system from
//! finding commands in log text. GitHub's runner recognizes `::` at the start of a line, after
//! optional blanks, and `##[` anywhere in a line
//! (<https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs>). Azure
//! Pipelines recognizes `##vso[`
//! (<https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands>), and TeamCity
//! `##teamcity[` (<https://www.jetbrains.com/help/teamcity/service-messages.html>). Buildkite opens a
//! group at a line that begins with `---`, `+++`, `~~~` or `^^^`, and a blank
//! (<https://buildkite.com/docs/pipelines/configure/managing-log-output>). GitLab's sections need an
//! escape sequence (<https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections>).

mod markdown;

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write as _};

use serde::Serialize;

pub(crate) use self::markdown::{code, code_in_table, fenced, prose, summary};

/// Returns true if the text begins with a command that CI systems recognize anywhere in a line:
/// `##[`, `##vso[` or `##teamcity[`. Any other word counts, too.
fn is_command(text: &str) -> bool {
    text.strip_prefix("##").is_some_and(|name| {
        name.trim_start_matches(|c: char| c.is_ascii_alphabetic())
            .starts_with('[')
    })
}

/// Returns true if the text is the beginning of a group's heading in Buildkite.
fn is_heading(text: &str) -> bool {
    const MARKS: [&str; 4] = ["---", "+++", "~~~", "^^^"];
    let rest = MARKS.iter().find_map(|mark| text.strip_prefix(mark));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
}

/// Returns true if the text contains such a command.
fn contains_command(text: &str) -> bool {
    memchr::memchr_iter(b'#', text.as_bytes()).any(|at| is_command(&text[at..]))
}

/// Returns true if the text contains an invisible character.
fn contains_invisible(text: &str) -> bool {
    /// Number of bytes that are compared at once.
    const CHUNK: usize = 32;
    let is_printable = |byte: &u8| (b' '..=b'~').contains(byte);
    let is_plain = |chunk: &[u8]| chunk.iter().fold(true, |all, b| all & is_printable(b));
    let is_ascii = text.as_bytes().chunks(CHUNK).all(is_plain);
    !is_ascii && text.contains(is_invisible)
}

/// Returns true for characters that are invisible or change how the text around them is displayed:
/// control characters, bidirectional formatting characters (CVE-2021-42574), Unicode line
/// separators, zero-width characters and tag characters.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}')
        || matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{200b}' | '\u{2060}' | '\u{feff}' | '\u{fff9}'
                ..='\u{fffb}'
        )
        || matches!(c, '\u{e0000}'..='\u{e007f}')
}

/// Escapes text for terminals and other plain text: invisible characters become escape sequences
/// such as `\u{1b}`, and commands of CI systems are broken up.
///
/// ```
/// use leakgate_core::emit::terminal;
///
/// assert_eq!(terminal("plain"), "plain");
/// assert!(!terminal("\u{1b}[2Jgone").contains('\u{1b}'));
/// ```
pub fn terminal(text: &str) -> Cow<'_, str> {
    if is_heading(text) {
        let first = text[..1].chars().flat_map(char::escape_unicode);
        return Cow::Owned(first.collect::<String>() + &inline(&text[1..]));
    }
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

/// Like [`terminal`], for text that follows other text in its line, where `::` starts no command.
pub(crate) fn inline(text: &str) -> Cow<'_, str> {
    if !contains_invisible(text) && !contains_command(text) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for (at, c) in text.char_indices() {
        match c {
            '\t' => out.push(' '),
            '#' if is_command(&text[at..]) => out.extend(c.escape_unicode()),
            c if is_invisible(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Escapes serialized JSON without changing its meaning: invisible characters and commands of CI
/// systems become `\u` sequences (RFC 8259, section 7). Both can occur only within JSON strings.
pub(crate) fn json(text: String) -> String {
    if !contains_invisible(&text) && !contains_command(&text) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 64);
    for (at, c) in text.char_indices() {
        if is_invisible(c) || (c == '#' && is_command(&text[at..])) {
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

/// Writes a value as JSON that is escaped as by [`json`], and a line feed.
pub(crate) fn write_json(value: &impl Serialize, out: &mut dyn fmt::Write) -> fmt::Result {
    let text = serde_json::to_string(value).map_err(|_| fmt::Error)?;
    writeln!(out, "{}", json(text))
}

/// Escapes serialized JSON for an HTML `<script>` element. Without any `<`, it can contain neither
/// `</script>` nor `<!--`
/// (<https://html.spec.whatwg.org/multipage/scripting.html#restrictions-for-contents-of-script-elements>).
pub(crate) fn script(text: String) -> String {
    json(text)
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
}

/// Escapes text for XML and HTML content and attributes (<https://www.w3.org/TR/xml/#syntax>).
/// Characters that XML doesn't allow (<https://www.w3.org/TR/xml/#charsets>) are escaped as by
/// [`terminal`]. Line feeds are kept.
pub(crate) fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for (at, line) in text.split('\n').enumerate() {
        if at > 0 {
            out.push_str("&#10;");
        }
        let line = terminal(line);
        let mut rest = &*line;
        while let Some(at) = rest.bytes().position(|b| XML[usize::from(b)]) {
            out.push_str(&rest[..at]);
            let c = rest[at..].chars().next().unwrap_or_default();
            match c {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '"' => out.push_str("&quot;"),
                '\'' => out.push_str("&apos;"),
                '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
                c => out.push(c),
            }
            rest = &rest[at + c.len_utf8()..];
        }
        out.push_str(rest);
    }
    out
}

/// For each byte, whether a character that [`xml`] replaces may begin with it.
const XML: [bool; 256] = {
    let mut table = [false; 256];
    let bytes = *b"&<>\"'\xef";
    let mut at = 0;
    while at < bytes.len() {
        table[bytes[at] as usize] = true;
        at += 1;
    }
    table
};

/// Escapes the message of a workflow command, which follows `::error …::`
/// (<https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts>, `escapeData`).
pub(crate) fn command_data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Escapes the value of a property in `::error file=…::` (same file, `escapeProperty`).
pub(crate) fn command_property(text: &str) -> String {
    command_data(&terminal(text))
        .replace(':', "%3A")
        .replace(',', "%2C")
}

/// Escapes the message of a logging command of Azure Pipelines, `##vso[…]…`
/// (<https://github.com/microsoft/azure-pipelines-task-lib/blob/master/node/taskcommand.ts>,
/// `escapedata`).
pub(crate) fn vso_data(text: &str) -> String {
    let line = |line: &str| terminal(line).replace('%', "%AZP25");
    let lines: Vec<String> = text.split('\n').map(line).collect();
    lines.join("%0A")
}

/// Escapes the value of a property of a logging command, which is one line (same file, `escape`).
pub(crate) fn vso_property(text: &str) -> String {
    let line = terminal(text).replace('%', "%AZP25");
    line.replace(']', "%5D").replace(';', "%3B")
}

/// Escapes the value of an attribute in a service message of TeamCity, `##teamcity[… key='value']`
/// (<https://www.jetbrains.com/help/teamcity/service-messages.html#Escaped+Values>).
pub(crate) fn teamcity(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(terminal).collect();
    let mut out = String::with_capacity(text.len() + 16);
    for c in lines.join("\n").chars() {
        match c {
            '|' | '\'' | '[' | ']' => out.extend(['|', c]),
            '\n' => out.push_str("|n"),
            c if c.is_ascii() => out.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing into a string can't fail.
                    let _ = write!(out, "|0x{unit:04X}");
                }
            }
        }
    }
    out
}

/// Escapes text for a SARIF message, in which `[text](1)` is a link
/// (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>, section 3.11.6).
pub(crate) fn message(text: &str) -> String {
    let text = terminal(text);
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = &*text;
    while let Some(at) = rest.find(['\\', '[', ']']) {
        out.push_str(&rest[..at]);
        out.push('\\');
        out.push_str(&rest[at..=at]);
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out
}

/// Converts a path to a URI: a `file:` URI if it's absolute, otherwise a relative reference
/// (<https://www.rfc-editor.org/rfc/rfc3986#section-3.3>,
/// <https://www.rfc-editor.org/rfc/rfc8089>). Each run of slashes becomes one, because
/// `file:////host/share` names a host, from which a reader on Windows would request the file.
pub(crate) fn uri(path: &str) -> String {
    let mut path = path.replace('\\', "/");
    let mut before = '\0';
    path.retain(|c| {
        let is_repeated = c == '/' && before == '/';
        before = c;
        !is_repeated
    });
    let is_drive =
        path.as_bytes().get(1) == Some(&b':') && path.as_bytes()[0].is_ascii_alphabetic();
    let mut out = String::with_capacity(path.len() + 8);
    let mut rest = path.as_str();
    if is_drive {
        let (drive, after) = path.split_at(2);
        out.push_str("file:///");
        out.push_str(drive);
        rest = after;
    } else if path.starts_with('/') {
        out.push_str("file://");
    }
    push_percent_encoded(rest, &mut out);
    out
}

/// Appends a path, with everything percent-encoded that isn't unreserved
/// (<https://www.rfc-editor.org/rfc/rfc3986#section-2.3>).
pub(crate) fn push_percent_encoded(path: &str, out: &mut String) {
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte))
            }
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
}

/// Escapes the name of a frame for a folded stack
/// (<https://github.com/brendangregg/FlameGraph#2-fold-stacks>).
///
/// In this format, `;` ends a frame, a line feed ends the stack, and the number after the last
/// blank is the stack's weight. A name that ends in a number could be mistaken for the weight, and
/// a name that starts with `#` for a comment.
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

/// Returns true if text is a number as parsed by `str::parse::<f64>`, which isn't used because its
/// tables would add as much code as a whole report format.
fn is_number(text: &str) -> bool {
    let sign = |text: &str| text.len() - text.strip_prefix(['+', '-']).unwrap_or(text).len();
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let text = &text[sign(text)..];
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent = &exponent[sign(exponent)..];
    let is_special = ["inf", "infinity", "nan"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word));
    is_special
        || ([whole, fraction, exponent].into_iter().all(digits)
            && !exponent.is_empty()
            && whole.len() + fraction.len() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_check_agrees_with_the_standard_library() {
        for text in [
            "", "1", "+1", "-1.5", "1.", ".5", ".", "+", "1e5", "1e", "1e+", "1E-07", "e5", ".e1",
            "inf", "-NaN", "infinit", "1_0",
        ] {
            assert_eq!(is_number(text), text.parse::<f64>().is_ok(), "{text}");
        }
    }

    #[test]
    fn terminal_text_contains_no_control_sequences_or_line_breaks() {
        assert_eq!(terminal("a\x1b[2Jb\rc\nd"), "a\\u{1b}[2Jb\\u{d}c\\u{a}d");
        assert_eq!(terminal("a\u{202e}b\u{2028}"), "a\\u{202e}b\\u{2028}");
        assert_eq!(terminal("caf\u{e9}\tx"), "caf\u{e9} x");
        assert_eq!(terminal("std::f ::g ##x"), "std::f ::g ##x");
    }

    #[test]
    fn headings_of_groups_are_broken_up() {
        assert_eq!(terminal("--- x"), "\\u{2d}-- x");
        assert_eq!(terminal("+++\tx"), "\\u{2b}++ x");
        assert_eq!(terminal("~~~"), "\\u{7e}~~");
        for text in ["----- x", "---x", " --- x", "a --- x"] {
            assert_eq!(terminal(text), text);
        }
    }

    #[test]
    fn workflow_commands_are_broken_up() {
        assert_eq!(terminal("  ::error::x"), "  \\u{3a}:error::x");
        assert_eq!(inline("::f(x)"), "::f(x)");
        assert_eq!(terminal("a ###[error]x"), "a #\\u{23}#[error]x");
        assert_eq!(inline("x##vso[task.y]"), "x\\u{23}#vso[task.y]");
        assert_eq!(inline("###teamcity[y"), "#\\u{23}#teamcity[y");
        assert_eq!(json("\"##VSO[x\"".into()), "\"\\u0023#VSO[x\"");
        assert_eq!(
            json("{\"a\":\"##[x\\\\##[\"}".into()),
            "{\"a\":\"\\u0023#[x\\\\\\u0023#[\"}"
        );
    }

    #[test]
    fn escaped_json_decodes_to_the_same_text() {
        let text = "\u{202e} \u{7f}\u{9b} ##[ \u{e0041} \\ caf\u{e9}";
        let written = json(serde_json::to_string(text).unwrap());
        assert!(
            !written.contains(is_invisible) && written.contains("\\udb40\\udc41"),
            "{written}"
        );
        assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
    }

    #[test]
    fn xml_contains_no_markup_or_forbidden_characters() {
        assert_eq!(
            xml("a<b>&\"'\n]]>\0\u{ffff}"),
            "a&lt;b&gt;&amp;&quot;&apos;&#10;]]&gt;\\u{0}\u{fffd}"
        );
    }

    #[test]
    fn workflow_commands_are_escaped() {
        assert_eq!(command_data("50%\r\n::x"), "50%25%0D%0A::x");
        assert_eq!(command_property("a:b,c%\n"), "a%3Ab%2Cc%25\\u{a}");
    }

    #[test]
    fn logging_commands_of_azure_are_escaped() {
        let text = "50%;]\n##vso[x]\r%0A";
        assert_eq!(vso_data(text), "50%AZP25;]%0A\\u{23}#vso[x]\\u{d}%AZP250A");
        assert_eq!(
            vso_property(text),
            "50%AZP25%3B%5D\\u{a}\\u{23}#vso[x%5D\\u{d}%AZP250A"
        );
    }

    #[test]
    fn service_messages_of_teamcity_are_escaped() {
        assert_eq!(
            teamcity("a|b'[x]\ncaf\u{e9} \u{1f600}\r"),
            "a||b|'|[x|]|ncaf|0x00E9 |0xD83D|0xDE00\\u{d}"
        );
    }

    #[test]
    fn sarif_messages_contain_no_links_from_logs() {
        assert_eq!(
            message("operator[](x) \\[y](https://z)"),
            "operator\\[\\](x) \\\\\\[y\\](https://z)"
        );
    }

    #[test]
    fn paths_are_converted_to_uris() {
        for (path, want) in [
            ("src/a b#c.c", "src/a%20b%23c.c"),
            ("caf\u{e9}:x", "caf%C3%A9%3Ax"),
            ("/abs/a.c", "file:///abs/a.c"),
            ("C:\\x\\a.c", "file:///C:/x/a.c"),
            ("//host/share/a.c", "file:///host/share/a.c"),
            ("\\\\host\\share\\a.c", "file:///host/share/a.c"),
            ("/.//host/a.c", "file:///./host/a.c"),
            ("\\\\?\\C:\\a.c", "file:///%3F/C%3A/a.c"),
            ("C:\\\\x", "file:///C:/x"),
            ("a//b/", "a/b/"),
        ] {
            assert_eq!(uri(path), want);
        }
    }

    #[test]
    fn frame_names_keep_folded_stacks_parseable() {
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
