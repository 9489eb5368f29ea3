//! Annotations as the Checks API takes them.
//!
//! GitHub refuses a whole batch for one annotation that it does not like, so whatever can be put
//! right is put right here.

use std::borrow::Cow;
use std::fmt::Write;

use serde_json::{Value, json};

/// Longest message and longest details, in bytes. The limit is 64 KB, and nobody says which.
const MESSAGE: usize = 64_000;

/// Longest title of an annotation, in characters.
const TITLE: usize = 255;

/// Longest summary and longest text of a check run, in characters.
const PROSE: usize = 65_535;

/// One remark at lines of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Annotation {
    /// The file, from the root of the repository.
    pub path: String,
    /// First line, from 1.
    pub start_line: u32,
    /// Last line.
    pub end_line: u32,
    /// First column, from 1; only taken where both lines are the same.
    pub start_column: Option<u32>,
    /// Last column.
    pub end_column: Option<u32>,
    /// How bad it is.
    pub level: Level,
    /// A few words.
    pub title: String,
    /// What there is to say.
    pub message: String,
    /// More of it, which GitHub shows on demand.
    pub raw_details: Option<String>,
}

/// How bad what an annotation tells is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// It fails the gate.
    Failure,
    /// It should be looked at.
    Warning,
}

/// An annotation as GitHub takes it; none if there is no file that it can be at.
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
        "message": bytes(&plain(message), MESSAGE),
    });
    if start == end {
        let first = annotation.start_column.map(|column| column.max(1));
        // A last column alone would belong to nothing.
        let last = first
            .and(annotation.end_column)
            .map(|column| column.max(first.unwrap_or(1)));
        set(&mut value, "start_column", first);
        set(&mut value, "end_column", last);
    }
    let title = plain(&annotation.title);
    set(
        &mut value,
        "title",
        Some(characters(&title, TITLE)).filter(|title| !title.trim().is_empty()),
    );
    set(
        &mut value,
        "raw_details",
        annotation
            .raw_details
            .as_deref()
            .map(|details| bytes(&plain(details), MESSAGE).to_owned()),
    );
    Some(value)
}

/// What a check run says of itself, without annotations.
pub(super) fn output(title: &str, summary: &str, text: Option<&str>) -> Value {
    let mut value = json!({
        "title": characters(&plain(title), TITLE),
        "summary": characters(&plain(summary), PROSE),
    });
    set(
        &mut value,
        "text",
        text.map(|text| characters(&plain(text), PROSE).to_owned()),
    );
    value
}

fn set(value: &mut Value, key: &str, field: Option<impl Into<Value>>) {
    if let Some(field) = field {
        value[key] = field.into();
    }
}

/// A path as git has it; none for what leads out of the repository.
fn path(path: &str) -> Option<String> {
    let path = path.replace('\\', "/");
    let has_drive = path.as_bytes().get(1) == Some(&b':');
    if path.starts_with('/') || has_drive || path.contains('\0') {
        return None;
    }
    let steps: Vec<_> = path
        .split('/')
        .filter(|step| !matches!(*step, "" | "."))
        .collect();
    let is_within =
        !steps.is_empty() && !steps.contains(&"..") && leakgate_core::emit::terminal(&path) == path;
    is_within.then(|| plain(&steps.join("/")).into_owned())
}

/// Text without what GitHub's database does not take: NUL, and all beyond U+FFFF.
fn plain(text: &str) -> Cow<'_, str> {
    let is_refused = |c: char| c == '\0' || c > '\u{ffff}';
    if !text.contains(is_refused) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        // Writing into a string can't fail.
        let _ = match c {
            '\0' => out.write_char('\u{fffd}'),
            c if is_refused(c) => write!(out, "\\U{:08x}", u32::from(c)),
            c => out.write_char(c),
        };
    }
    Cow::Owned(out)
}

/// The first `most` bytes of a text, or a little less where a character stands across.
fn bytes(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

/// The first `most` characters of a text.
pub(super) fn characters(text: &str, most: usize) -> &str {
    text.char_indices()
        .nth(most)
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
    fn a_good_annotation_stays_as_it_is() {
        let expected = json!({
            "path": "src/a.c", "start_line": 3, "end_line": 3, "start_column": 5, "end_column": 7,
            "annotation_level": "failure", "title": "t", "message": "m",
        });
        assert_eq!(annotation(&sample()), Some(expected));
    }

    #[test]
    fn lines_begin_at_one_and_never_end_before_they_begin() {
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
    fn columns_belong_to_one_line() {
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
    fn a_path_that_leads_out_is_none() {
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
    fn limits_hold_in_their_own_units_and_cut_no_character() {
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
        // What a character becomes counts, not what it was.
        let value = output("t", &"\u{1f600}".repeat(10_000), Some(&"ü".repeat(70_000)));
        assert_eq!(value["summary"].as_str().unwrap().chars().count(), 65_535);
        assert_eq!(value["text"].as_str().unwrap().chars().count(), 65_535);
    }

    #[test]
    fn what_the_database_does_not_take_is_written_out() {
        assert_eq!(plain("a\u{1f600}b\0"), "a\\U0001f600b\u{fffd}");
        assert!(matches!(plain("ä€"), Cow::Borrowed(_)));
    }
}
