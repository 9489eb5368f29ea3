//! Unwraps lines that carry a line of a log as data: a JSON string, a value of logfmt, a TeamCity
//! message, text with escaped line feeds, HTML and XML.
//!
//! Log collectors and test reporters store the output of a program this way. A carrier is
//! recognized by the line alone: its first bytes, or a marker of a checker in one of its values.
//! The names of the fields with markers are remembered, because most lines of a report contain
//! none.
//!
//! This module doesn't know checkers; the caller passes the search for markers.

mod escape;
mod json;
mod logfmt;
mod markup;
mod teamcity;
mod yaml;

use alloc::boxed::Box;
use alloc::vec::Vec;

use memchr::memmem;

/// Maximum number of field names that are remembered for an input.
const MAX_FIELDS: usize = 16;

/// Maximum number of texts of a line with which the next ones are compared.
const MAX_COMPARED: usize = 8;

/// A field with text.
#[derive(Debug, PartialEq, Eq)]
struct Field<'a> {
    name: &'a [u8],
    /// The value without its escapes.
    value: Vec<u8>,
}

/// An unwrapped line.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Unwrapped {
    /// The name of the source, such as a Go package; empty if the carrier names none.
    pub(crate) source: Vec<u8>,
    /// One or more lines, separated by line feeds.
    pub(crate) text: Vec<u8>,
}

/// The carriers of an input.
#[derive(Clone, Debug, Default)]
pub(crate) struct Carriers {
    /// Names of the fields in which a marker was found.
    fields: Vec<Box<[u8]>>,
}

/// Fields that name the source of a line: the package in `go test -json`, and the names that log
/// collectors add.
const SOURCES: &[&[u8]] = &[
    b"Package",
    b"pod_name",
    b"pod",
    b"container_name",
    b"container_id",
    b"service",
    b"_SYSTEMD_UNIT",
];

impl Carriers {
    /// Unwraps a line with named fields. Returns `None` if it has none, or none with a log's line.
    /// `is_marked` searches for the markers of checkers.
    pub(crate) fn unwrap_fields(
        &mut self,
        line: &[u8],
        is_marked: &dyn Fn(&[u8]) -> bool,
    ) -> Option<Unwrapped> {
        let text = line.trim_ascii_start();
        let fields = match text.first()? {
            b'{' | b'"' | b'[' if json::is_json(text) => json::fields(text),
            b'#' if text.starts_with(teamcity::START) => teamcity::fields(text),
            first if first.is_ascii_alphabetic() && logfmt::is_logfmt(text) => logfmt::fields(text),
            _ => {
                let at = carrier_start(text)?;
                if self.fields.is_empty() && !is_marked(text) {
                    return None;
                }
                fields_at(&text[at..])
            }
        };
        self.select(fields, is_marked)
    }

    /// Returns the text of the fields that contain a marker, or did in an earlier line.
    fn select(
        &mut self,
        fields: Vec<Field<'_>>,
        is_marked: &dyn Fn(&[u8]) -> bool,
    ) -> Option<Unwrapped> {
        let mut unwrapped = Unwrapped::default();
        let mut selected: Vec<Vec<u8>> = Vec::new();
        let mut last_name: &[u8] = &[];
        for field in fields {
            if unwrapped.source.is_empty() && SOURCES.contains(&field.name) {
                unwrapped.source.clone_from(&field.value);
            }
            let is_known = self.fields.iter().any(|name| **name == *field.name);
            if !is_known && !is_marked(&field.value) {
                continue;
            }
            if !is_known && self.fields.len() < MAX_FIELDS {
                self.fields.push(field.name.into());
            }
            // An array of messages may hold the pieces of one text.
            let goes_on = last_name == field.name;
            last_name = field.name;
            if let Some(last) = selected.last_mut().filter(|last| goes_on && is_piece(last)) {
                last.extend_from_slice(&field.value);
                continue;
            }
            // Some collectors store the same text in several fields.
            let is_copy = |text: &Vec<u8>| memmem::find(text, &field.value).is_some();
            if !selected.iter().take(MAX_COMPARED).any(is_copy) {
                selected.push(field.value);
            }
        }
        let mut texts = selected.iter().map(|text| without_line_end(text));
        unwrapped.text.extend_from_slice(texts.next()?);
        for text in texts {
            unwrapped.text.push(b'\n');
            unwrapped.text.extend_from_slice(text);
        }
        Some(unwrapped)
    }
}

/// Returns true for several lines of which the last one has no line feed.
fn is_piece(text: &[u8]) -> bool {
    memchr::memchr(b'\n', text).is_some() && !text.ends_with(b"\n")
}

/// Returns the position of a carrier after an unknown prefix.
fn carrier_start(text: &[u8]) -> Option<usize> {
    const LOGFMT: [&[u8]; 4] = [b" time=", b" ts=", b" level=", b" msg="];
    let is_object = text.ends_with(b"}");
    let starts = |at: &usize| match text[*at] {
        b'{' => is_object && text[*at..].starts_with(b"{\""),
        b'#' => text[*at..].starts_with(teamcity::START),
        _ => LOGFMT.iter().any(|name| text[*at..].starts_with(name)),
    };
    memchr::memchr3_iter(b'{', b'#', b' ', text).find(starts)
}

/// Returns the fields of a carrier at its position.
fn fields_at(carrier: &[u8]) -> Vec<Field<'_>> {
    match carrier.first() {
        Some(b'{') => json::fields(carrier),
        Some(b'#') => teamcity::fields(carrier),
        _ => logfmt::fields(carrier.trim_ascii_start()),
    }
}

/// Strips one line end.
fn without_line_end(text: &[u8]) -> &[u8] {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    text.strip_suffix(b"\r").unwrap_or(text)
}

/// Replaces the escapes of a line outside of a known format. Returns `None` if it has none. The
/// result may consist of several lines.
pub(crate) fn unescape(line: &[u8], is_marked: &dyn Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
    escape::lines(line, is_marked)
        .or_else(|| yaml::item(line))
        .or_else(|| markup::text(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_marked(text: &[u8]) -> bool {
        memmem::find(text, b"Sanitizer").is_some()
    }

    /// Returns the unwrapped lines, each as `source|text`; `-` for a line without a carrier.
    fn unwrap(lines: &[&str]) -> Vec<alloc::string::String> {
        let mut carriers = Carriers::default();
        let unwrapped = lines.iter().map(|line| {
            let unescaped = || {
                let text = unescape(line.as_bytes(), &is_marked)?;
                Some(Unwrapped {
                    text,
                    source: Vec::new(),
                })
            };
            let fields = carriers.unwrap_fields(line.as_bytes(), &is_marked);
            fields.or_else(unescaped)
        });
        unwrapped
            .map(|unwrapped| {
                unwrapped.map_or_else(
                    || "-".into(),
                    |u| alloc::string::String::from_utf8([u.source, u.text].join(&b'|')).unwrap(),
                )
            })
            .collect()
    }

    #[test]
    fn field_with_marker_is_remembered() {
        assert_eq!(
            unwrap(&[
                r#"{"level":"info","msg":"start"}"#,
                r#"{"level":"error","msg":"ERROR: ASanitizer","time":1}"#,
                r#"{"level":"error","msg":"    #0 0x1 in \u003cf\u003e\n"}"#,
                r#"{"level":"error","text":"x"}"#,
                r#"{"level":"error","msg":""}"#,
            ]),
            ["-", "|ERROR: ASanitizer", "|    #0 0x1 in <f>", "-", "|"]
        );
        assert_eq!(
            unwrap(&[
                "time=1 level=error msg=\"Sanitizer: \\\"x\\\"\"",
                "time=1 msg=Exiting level=error",
            ]),
            ["|Sanitizer: \"x\"", "|Exiting"]
        );
        assert_eq!(
            unwrap(&[
                "##teamcity[testStdErr name='a' out='Sanitizer: it|'s|n  b|]']",
                "##teamcity[testStdErr name='a' out='c']",
            ]),
            ["|Sanitizer: it's\n  b]", "|c"]
        );
    }

    #[test]
    fn messages_of_journald_are_unwrapped() {
        assert_eq!(
            unwrap(&[
                "{\"_PID\":\"1\",\"MESSAGE\":[83,97,110,105,116,105,122,101,114],\"PRIORITY\":\"6\"}",
                "MESSAGE=x Sanitizer: y",
            ]),
            ["|Sanitizer", "|x Sanitizer: y"]
        );
    }

    #[test]
    fn pieces_of_a_text_are_joined() {
        assert_eq!(
            unwrap(&[r#"[{"message":"Sanitizer: a\n  #0 0x","t":1},{"message":"12 in f\n"}]"#]),
            ["|Sanitizer: a\n  #0 0x12 in f"]
        );
    }

    #[test]
    fn source_is_taken_from_known_fields() {
        assert_eq!(
            unwrap(&[r#"{"Action":"output","Package":"a/b","Output":"x Sanitizer\n"}"#]),
            ["a/b|x Sanitizer"]
        );
    }

    #[test]
    fn copied_field_is_read_once() {
        assert_eq!(
            unwrap(&[r#"{"short_message":"Sanitizer: x","full_message":"Sanitizer: x"}"#]),
            ["|Sanitizer: x"]
        );
    }

    #[test]
    fn escaped_report_becomes_lines() {
        assert_eq!(
            unwrap(&[
                r"E  AssertionError: b'==\nx Sanitizer\n    #0 0x1\n'",
                r"SUMMARY: Sanitizer: x C:\src\node.cc:3 in f",
                r"x Sanitizer\\n    #0 0x1",
                "::error::x Sanitizer%0A    #0 0x1%25",
                "Output { stdout: \"\", stderr: \"x Sanitizer\\n  #0 0x1\" }",
                "E  Lists differ: ['Sanitizer: \"a\"', '    #0 0x1'] != []",
            ]),
            [
                "|E  AssertionError: b\n==\nx Sanitizer\n    #0 0x1\n",
                "-",
                "|x Sanitizer\n    #0 0x1",
                "|::error::x Sanitizer\n    #0 0x1%",
                "|Output { stdout: \"\", stderr: \nx Sanitizer\n  #0 0x1\" }",
                "|E  Lists differ: \nSanitizer: \"a\"\n    #0 0x1\n] != []",
            ]
        );
    }

    #[test]
    fn markup_becomes_text() {
        assert_eq!(
            unwrap(&[
                "    #0 0x1 in std::vector&lt;int&gt;::size() const &amp;amp; x",
                "a<br/>b<br>c",
                "f(int const&) &c",
                "<b>bold</b> x",
                "<b>12</b> <span class=\"x\">std::vector<a>::f() &lt;</span>",
                "<td class=\"n\">3</td><td>==1== x</td>",
                "a<br>",
                "<failure message=\"==1== a&#10;==1== b\"/>",
            ]),
            [
                "|    #0 0x1 in std::vector<int>::size() const & x",
                "|a\nb\nc",
                "-",
                "-",
                "|12 std::vector<a>::f() <",
                "|3\t==1== x",
                "|a",
                "|<failure message=\n==1== a\n==1== b\"/>",
            ]
        );
    }
}
