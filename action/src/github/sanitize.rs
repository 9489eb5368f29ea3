//! Makes annotations and output valid for the Checks API.
//!
//! A single invalid annotation makes GitHub reject its whole batch, so this module corrects as much
//! as possible.

use std::borrow::Cow;
use std::fmt::Write;

use serde_json::{Value, json};

/// Maximum length of a message and of details, in bytes. The documented limit is 64 KB, which may
/// mean 64,000 or 65,536 bytes.
const MAX_MESSAGE_BYTES: usize = 64_000;

/// Maximum length of a title, in characters.
const MAX_TITLE_CHARS: usize = 255;

/// Maximum length of the summary and of the text of a check run, in characters.
const MAX_OUTPUT_CHARS: usize = 65_535;

/// An annotation at lines of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Annotation {
    /// Path of the file, relative to the root of the repository.
    pub path: String,
    /// First line, from 1.
    pub start_line: u32,
    /// Last line.
    pub end_line: u32,
    /// First column, from 1. Ignored unless both lines are the same.
    pub start_column: Option<u32>,
    /// Last column.
    pub end_column: Option<u32>,
    /// Severity.
    pub level: Level,
    /// Title.
    pub title: String,
    /// Message.
    pub message: String,
    /// Details, which GitHub shows on demand.
    pub raw_details: Option<String>,
}

/// Severity of an annotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// The finding fails the gate.
    Failure,
    /// The finding is only reported.
    Warning,
}

/// Converts an annotation to JSON that GitHub accepts. `None` if its path isn't in the repository.
pub(super) fn annotation(annotation: &Annotation) -> Option<Value> {
    let start = annotation.start_line.max(1);
    let end = annotation.end_line.max(start);
    let message = if annotation.message.trim().is_empty() {
        "(no message)"
    } else {
        &annotation.message
    };
    let mut value = json!({
        "path": path(&annotation.path)?,
        "start_line": start,
        "end_line": end,
        "annotation_level": match annotation.level {
            Level::Failure => "failure",
            Level::Warning => "warning",
        },
        "message": truncate_bytes(&replace_unsupported(message), MAX_MESSAGE_BYTES),
    });
    if start == end {
        let first = annotation.start_column.map(|column| column.max(1));
        // A last column without a first one is meaningless.
        let last = first
            .and(annotation.end_column)
            .map(|column| column.max(first.unwrap_or(1)));
        set(&mut value, "start_column", first);
        set(&mut value, "end_column", last);
    }
    let title = replace_unsupported(&annotation.title);
    set(
        &mut value,
        "title",
        Some(truncate_chars(&title, MAX_TITLE_CHARS)).filter(|title| !title.trim().is_empty()),
    );
    set(
        &mut value,
        "raw_details",
        annotation.raw_details.as_deref().map(|details| {
            truncate_bytes(&replace_unsupported(details), MAX_MESSAGE_BYTES).to_owned()
        }),
    );
    Some(value)
}

/// Converts the output of a check run to JSON that GitHub accepts, without annotations.
pub(super) fn output(title: &str, summary: &str, text: Option<&str>) -> Value {
    let mut value = json!({
        "title": truncate_chars(&replace_unsupported(title), MAX_TITLE_CHARS),
        "summary": truncate_chars(&replace_unsupported(summary), MAX_OUTPUT_CHARS),
    });
    set(
        &mut value,
        "text",
        text.map(|text| truncate_chars(&replace_unsupported(text), MAX_OUTPUT_CHARS).to_owned()),
    );
    value
}

fn set(value: &mut Value, key: &str, field: Option<impl Into<Value>>) {
    if let Some(field) = field {
        value[key] = field.into();
    }
}

/// Normalizes a path to the form that git uses. `None` if it leads out of the repository.
fn path(path: &str) -> Option<String> {
    let path = path.replace('\\', "/");
    let has_drive = path.as_bytes().get(1) == Some(&b':');
    if path.starts_with('/') || has_drive || path.contains('\0') {
        return None;
    }
    let components: Vec<_> = path
        .split('/')
        .filter(|component| !matches!(*component, "" | "."))
        .collect();
    let is_within = !components.is_empty()
        && !components.contains(&"..")
        && leakgate_core::emit::terminal(&path) == path;
    is_within.then(|| replace_unsupported(&components.join("/")).into_owned())
}

/// Replaces characters that GitHub's database rejects: NUL and all beyond U+FFFF.
fn replace_unsupported(text: &str) -> Cow<'_, str> {
    let is_unsupported = |c: char| c == '\0' || c > '\u{ffff}';
    if !text.contains(is_unsupported) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        // Writing to a string can't fail.
        let _ = match c {
            '\0' => out.write_char('\u{fffd}'),
            c if is_unsupported(c) => write!(out, "\\U{:08x}", u32::from(c)),
            c => out.write_char(c),
        };
    }
    Cow::Owned(out)
}

/// Truncates text to at most `max` bytes without splitting a character.
fn truncate_bytes(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

/// Truncates text to at most `max` characters.
pub(super) fn truncate_chars(text: &str, max: usize) -> &str {
    text.char_indices()
        .nth(max)
        .map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Annotation {
        Annotation {
            path: "src/a.c".into(),
            start_line: 3,
            end_line: 3,
            start_column: Some(5),
            end_column: Some(7),
            level: Level::Failure,
            title: "t".into(),
            message: "m".into(),
            raw_details: None,
        }
    }

    #[test]
    fn valid_annotation_is_unchanged() {
        let expected = json!({
            "path": "src/a.c", "start_line": 3, "end_line": 3, "start_column": 5, "end_column": 7,
            "annotation_level": "failure", "title": "t", "message": "m",
        });
        assert_eq!(annotation(&sample()), Some(expected));
    }

    #[test]
    fn line_numbers_are_corrected() {
        let value = annotation(&Annotation {
            start_line: 0,
            end_line: 0,
            ..sample()
        })
        .unwrap();
        assert_eq!(
            (&value["start_line"], &value["end_line"]),
            (&json!(1), &json!(1))
        );
        let value = annotation(&Annotation {
            start_line: 9,
            end_line: 2,
            ..sample()
        })
        .unwrap();
        assert_eq!(
            (&value["start_line"], &value["end_line"]),
            (&json!(9), &json!(9))
        );
    }

    #[test]
    fn columns_need_a_single_line() {
        let value = annotation(&Annotation {
            end_line: 4,
            ..sample()
        })
        .unwrap();
        assert!(value.get("start_column").is_none() && value.get("end_column").is_none());
        let value = annotation(&Annotation {
            start_column: Some(0),
            end_column: Some(0),
            ..sample()
        })
        .unwrap();
        assert_eq!(
            (&value["start_column"], &value["end_column"]),
            (&json!(1), &json!(1))
        );
        let value = annotation(&Annotation {
            start_column: None,
            ..sample()
        })
        .unwrap();
        assert!(value.get("end_column").is_none());
    }

    #[test]
    fn path_outside_of_the_repository_is_rejected() {
        for bad in [
            "",
            "/etc/passwd",
            "../x",
            "a/../../x",
            "C:\\x",
            "c:x",
            ".",
            "a\0b",
        ] {
            assert_eq!(path(bad), None, "{bad:?}");
        }
        assert_eq!(path("./a//b\\c").as_deref(), Some("a/b/c"));
        assert_eq!(path("a/..b/c").as_deref(), Some("a/..b/c"));
    }

    #[test]
    fn limits_apply_in_bytes_or_characters_without_splitting_characters() {
        let long = Annotation {
            title: "é".repeat(300),
            message: "€".repeat(40_000),
            ..sample()
        };
        let value = annotation(&Annotation {
            raw_details: Some("ä".repeat(50_000)),
            ..long
        })
        .unwrap();
        assert_eq!(value["title"].as_str().unwrap().chars().count(), 255);
        assert_eq!(value["message"].as_str().unwrap().len(), 63_999);
        assert_eq!(value["raw_details"].as_str().unwrap().len(), 64_000);
        // The limit applies to the replaced text.
        let value = output("t", &"\u{1f600}".repeat(10_000), Some(&"ü".repeat(70_000)));
        assert_eq!(value["summary"].as_str().unwrap().chars().count(), 65_535);
        assert_eq!(value["text"].as_str().unwrap().chars().count(), 65_535);
    }

    #[test]
    fn unsupported_characters_are_escaped() {
        assert_eq!(
            replace_unsupported("a\u{1f600}b\0"),
            "a\\U0001f600b\u{fffd}"
        );
        assert!(matches!(replace_unsupported("ä€"), Cow::Borrowed(_)));
    }
}
