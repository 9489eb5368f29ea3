//! Reads `[[format]]`: a log format of the project's own checker.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::read_kind;
use super::reader::Table;
use crate::custom_format::{Condition, CustomFormat, Shape};
use crate::expression::Expression;
use crate::model::Kind;
use crate::policy::KindSet;

const KEYS: &[&str] = &[
    "name", "contains", "pattern", "start", "frames", "end", "when", "clean", "kind",
];

/// Minimum length of a literal, in bytes. Shorter texts occur too often in other output.
const MIN_LITERAL_LENGTH: usize = 3;

/// Reads every `[[format]]` of a document.
pub(super) fn read(root: &Table<'_>) -> Vec<CustomFormat> {
    let mut formats: Vec<CustomFormat> = Vec::new();
    for table in root.tables("format", "[[format]]") {
        let Some(format) = read_one(&table) else {
            continue;
        };
        if formats.iter().any(|known| known.name == format.name) {
            table.document.error(
                table.span_of("name"),
                format!("duplicate format name `{}`", format.name),
                None,
            );
        }
        formats.push(format);
    }
    formats
}

fn read_one(table: &Table<'_>) -> Option<CustomFormat> {
    table.reject_unknown_keys(KEYS);
    let name = read_name(table);
    let shape = read_shape(table);
    let clean = read_expression(table, "clean");
    let kind = read_single_kind(table);
    let shape = shape?;
    let opening = shape.opening();
    let when = table.string("when").and_then(|text| {
        let condition = Condition::parse(&text, &opening.group_names());
        condition
            .map_err(|error| {
                let span = table.span_of("when");
                table.document.error(span, error.message, error.help);
            })
            .ok()
    });
    let literals = read_literals(table, opening, clean.as_ref())?;
    Some(CustomFormat {
        name: name?,
        kind,
        shape,
        when,
        clean,
        literals,
    })
}

fn read_name(table: &Table<'_>) -> Option<String> {
    let name = table.string("name").unwrap_or_default();
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || !name.chars().all(fits) {
        let help = String::from(
            "use lower-case letters, digits and `-`; findings get the tool name `custom:NAME`",
        );
        let message = match name.as_str() {
            _ if !table.has("name") => String::from("missing `name`"),
            "" => String::from("`name` is empty"),
            name => format!("invalid name `{name}`"),
        };
        table
            .document
            .error(table.span_of("name"), message, Some(help));
        return None;
    }
    Some(name)
}

/// Reads `pattern`, or `start`, `frames` and `end`.
fn read_shape(table: &Table<'_>) -> Option<Shape> {
    let is_line = table.has("pattern");
    let is_block = ["start", "frames", "end"].iter().any(|key| table.has(key));
    match (is_line, is_block) {
        (true, false) => read_expression(table, "pattern").map(Shape::Line),
        (false, true) => {
            for key in ["start", "frames"]
                .into_iter()
                .filter(|key| !table.has(key))
            {
                let message =
                    format!("missing `{key}`: a format with a stack needs `start` and `frames`");
                table.document.error(table.span.clone(), message, None);
            }
            let start = read_expression(table, "start");
            let frames = read_expression(table, "frames");
            let end = read_expression(table, "end");
            Some(Shape::Block {
                start: start?,
                frames: frames?,
                end,
            })
        }
        _ => {
            let help = String::from(
                "use `pattern` for findings in one line, or `start`, `frames` and optionally \
                 `end` for findings with a stack",
            );
            let message = if is_line {
                "`pattern` cannot be combined with `start`, `frames` or `end`"
            } else {
                "missing `pattern`"
            };
            table
                .document
                .error(table.span.clone(), message, Some(help));
            None
        }
    }
}

fn read_expression(table: &Table<'_>, key: &str) -> Option<Expression> {
    let text = table.string(key)?;
    if text.is_empty() {
        table
            .document
            .error(table.span_of(key), format!("`{key}` is empty"), None);
        return None;
    }
    let read = Expression::new(&text);
    read.map_err(|message| table.document.error(table.span_of(key), message, None))
        .ok()
}

fn read_single_kind(table: &Table<'_>) -> Kind {
    let Some(name) = table.string("kind") else {
        return Kind::LEAK_DEFINITE;
    };
    match read_kind(table, &name, table.span_of("kind")) {
        Some(KindSet::One(kind)) => kind,
        Some(_) => {
            table.document.error(
                table.span_of("kind"),
                format!("`{name}` is a group of kinds; expected a single kind"),
                None,
            );
            Kind::LEAK_DEFINITE
        }
        None => Kind::LEAK_DEFINITE,
    }
}

/// Returns texts one of which every line of the format contains: the value of `contains`, or else
/// literals derived from the patterns.
fn read_literals(
    table: &Table<'_>,
    opening: &Expression,
    clean: Option<&Expression>,
) -> Option<Vec<String>> {
    let contains = table.string("contains");
    if let Some(text) = contains
        .as_deref()
        .filter(|text| text.len() < MIN_LITERAL_LENGTH)
    {
        let help =
            format!("use at least {MIN_LITERAL_LENGTH} characters that are rare in other output");
        table.document.error(
            table.span_of("contains"),
            format!("`contains` is too short: `{text}`"),
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
        match &contains {
            Some(text) => all.push(text.to_string()),
            None if expression
                .literals
                .iter()
                .any(|text| text.len() < MIN_LITERAL_LENGTH)
                || expression.literals.is_empty() =>
            {
                let help = String::from(
                    "set `contains` to a text that every such line contains; the log is searched \
                     for it first",
                );
                let message =
                    format!("`{key}` has no fixed text that every matching line contains");
                table
                    .document
                    .error(table.span_of(key), message, Some(help));
                return None;
            }
            None => all.extend(expression.literals.iter().cloned()),
        }
    }
    all.sort_unstable();
    all.dedup();
    Some(all)
}
