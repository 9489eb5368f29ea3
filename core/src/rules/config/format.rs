//! `[[format]]`: lines of the project's own.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::kind;
use super::reader::Table;
use crate::format::{Condition, Format, Shape};
use crate::model::Kind;
use crate::rules::expression::Expression;
use crate::rules::selector::KindSet;

const KEYS: &[&str] = &[
    "name", "contains", "pattern", "start", "frames", "end", "when", "clean", "kind",
];

/// A text that is shorter is found too often in other output.
const SHORTEST: usize = 3;

/// Reads every `[[format]]` of a document.
pub(super) fn read(root: &Table<'_>) -> Vec<Format> {
    let mut formats: Vec<Format> = Vec::new();
    for table in root.tables("format", "[[format]]") {
        let Some(format) = read_one(&table) else {
            continue;
        };
        if formats.iter().any(|known| known.name == format.name) {
            table.document.mistake(
                table.span_of("name"),
                format!("a second format `{}`", format.name),
                None,
            );
        }
        formats.push(format);
    }
    formats
}

fn read_one(table: &Table<'_>) -> Option<Format> {
    table.only(KEYS);
    let name = name(table);
    let shape = shape(table);
    let clean = expression(table, "clean");
    let kind = one_kind(table);
    let shape = shape?;
    let opening = shape.opening();
    let when = table.string("when").and_then(|text| {
        let condition = Condition::read(&text, &opening.groups());
        condition
            .map_err(|(what, help)| table.document.mistake(table.span_of("when"), what, help))
            .ok()
    });
    let literals = literals(table, opening, clean.as_ref())?;
    Some(Format {
        name: name?,
        kind,
        shape,
        when,
        clean,
        literals,
    })
}

fn name(table: &Table<'_>) -> Option<String> {
    let name = table.string("name").unwrap_or_default();
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || !name.chars().all(fits) {
        let help = String::from(
            "lower-case letters, digits and `-`; findings are of the tool `custom:NAME`",
        );
        table
            .document
            .mistake(table.span_of("name"), "a format has a `name`", Some(help));
        return None;
    }
    Some(name)
}

/// `pattern`, or `start` and `frames`.
fn shape(table: &Table<'_>) -> Option<Shape> {
    let is_line = table.has("pattern");
    let is_block = ["start", "frames", "end"].iter().any(|key| table.has(key));
    match (is_line, is_block) {
        (true, false) => expression(table, "pattern").map(Shape::Line),
        (false, true) => {
            for key in ["start", "frames"]
                .into_iter()
                .filter(|key| !table.has(key))
            {
                let what =
                    format!("a format with `start` has `frames` too, and `{key}` is missing");
                table.document.mistake(table.span.clone(), what, None);
            }
            let (start, frames) = (expression(table, "start"), expression(table, "frames"));
            let end = expression(table, "end");
            Some(Shape::Block {
                start: start?,
                frames: frames?,
                end,
            })
        }
        _ => {
            let help = String::from(
                "`pattern` for a finding in one line; `start`, `frames` and perhaps `end` for one with a stack",
            );
            let what = if is_line {
                "a format has either `pattern` or `start`"
            } else {
                "a format has a `pattern`"
            };
            table.document.mistake(table.span.clone(), what, Some(help));
            None
        }
    }
}

fn expression(table: &Table<'_>, key: &str) -> Option<Expression> {
    let text = table.string(key)?;
    if text.is_empty() {
        table
            .document
            .mistake(table.span_of(key), format!("an empty `{key}`"), None);
        return None;
    }
    let read = Expression::read(&text);
    read.map_err(|why| table.document.mistake(table.span_of(key), why, None))
        .ok()
}

fn one_kind(table: &Table<'_>) -> Kind {
    let Some(word) = table.string("kind") else {
        return Kind::LEAK_DEFINITE;
    };
    match kind(table, &word, table.span_of("kind")) {
        Some(KindSet::One(kind)) => kind,
        Some(_) => {
            table.document.mistake(
                table.span_of("kind"),
                format!("`{word}` stands for several kinds; a finding has one"),
                None,
            );
            Kind::LEAK_DEFINITE
        }
        None => Kind::LEAK_DEFINITE,
    }
}

/// What stands in every line of the format: what `contains` says, else what the patterns themselves
/// tell.
fn literals(
    table: &Table<'_>,
    opening: &Expression,
    clean: Option<&Expression>,
) -> Option<Vec<String>> {
    let said = table.string("contains");
    if let Some(text) = said.as_deref().filter(|text| text.len() < SHORTEST) {
        let help = format!("at least {SHORTEST} letters, and such as are rare in other output");
        table.document.mistake(
            table.span_of("contains"),
            format!("`{text}` is too short"),
            Some(help),
        );
        return None;
    }
    let mut all = Vec::new();
    let key_of_opening = if table.has("start") {
        "start"
    } else {
        "pattern"
    };
    for (key, expression) in [(key_of_opening, Some(opening)), ("clean", clean)] {
        let Some(expression) = expression else {
            continue;
        };
        match &said {
            Some(text) => all.push(text.to_string()),
            None if expression.literals.iter().any(|text| text.len() < SHORTEST)
                || expression.literals.is_empty() =>
            {
                let help = String::from(
                    "say it in `contains`: every line of the log is searched for it first",
                );
                let what = format!("nothing of `{key}` stands in every line that it matches");
                table.document.mistake(table.span_of(key), what, Some(help));
                return None;
            }
            None => all.extend(expression.literals.iter().cloned()),
        }
    }
    all.sort_unstable();
    all.dedup();
    Some(all)
}
