//! Documents with one error each.

use std::fmt;

use serde_json::{Value, json};

use crate::contract::type_of;

/// The kind of error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Corruption {
    /// A field or an item is missing.
    Removed,
    /// A value has this type instead of its own.
    Type(&'static str),
    /// A number is negative.
    Negative,
    /// A text is another one.
    OtherText,
    /// An object has an unknown field.
    Added,
}

impl fmt::Display for Corruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Removed => f.write_str("is missing"),
            Self::Type(to) => write!(f, "has the type {to}"),
            Self::Negative => f.write_str("is negative"),
            Self::OtherText => f.write_str("is another text"),
            Self::Added => f.write_str("has an unknown field"),
        }
    }
}

/// A document with one error.
pub(crate) struct Corrupted {
    pub(crate) document: Value,
    /// The path of the changed value without indices, such as `findings[].leak`.
    pub(crate) path: String,
    pub(crate) change: Corruption,
}

/// Calls `check` with a copy of the document for each possible error.
pub(crate) fn each(document: &Value, mut check: impl FnMut(Corrupted)) {
    let mut pointers = Vec::new();
    collect_paths(document, "", "", &mut pointers);
    for (pointer, path) in pointers {
        let mut apply = |change, edit: &dyn Fn(&mut Value)| {
            let mut document = document.clone();
            edit(document.pointer_mut(&pointer).expect("a value"));
            check(Corrupted {
                document,
                path: path.clone(),
                change,
            });
        };
        let value = document.pointer(&pointer).expect("a value");
        for other in [
            Value::Null,
            json!(true),
            json!(7),
            json!("x"),
            json!([]),
            json!({}),
        ] {
            // In place of null, an object or a string is invalid for its content, not its type.
            if type_of(&other) != type_of(value)
                && !(value.is_null() && (other.is_object() || other.is_string()))
            {
                apply(Corruption::Type(type_of(&other)), &|v| *v = other.clone());
            }
        }
        match value {
            Value::Number(_) => apply(Corruption::Negative, &|v| *v = json!(-1)),
            Value::String(_) => apply(Corruption::OtherText, &|v| *v = json!("?")),
            Value::Object(_) => apply(Corruption::Added, &|v| v["a-later-field"] = json!(1)),
            _ => {}
        }
        let Some((parent, key)) = pointer.rsplit_once('/') else {
            continue;
        };
        let mut document = document.clone();
        match document.pointer_mut(parent).expect("a parent") {
            Value::Object(fields) => drop(fields.remove(key)),
            Value::Array(items) => drop(items.remove(key.parse().expect("an index"))),
            _ => continue,
        }
        check(Corrupted {
            document,
            path,
            change: Corruption::Removed,
        });
    }
}

/// Appends the JSON pointer of each value and its path without indices. Of a list, only the first
/// items are visited.
fn collect_paths(value: &Value, pointer: &str, path: &str, out: &mut Vec<(String, String)>) {
    const FIRST: usize = 3;
    out.push((pointer.to_owned(), path.to_owned()));
    match value {
        Value::Object(fields) => {
            for (key, field) in fields {
                let dot = if path.is_empty() { "" } else { "." };
                collect_paths(
                    field,
                    &format!("{pointer}/{key}"),
                    &format!("{path}{dot}{key}"),
                    out,
                );
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate().take(FIRST) {
                collect_paths(
                    item,
                    &format!("{pointer}/{index}"),
                    &format!("{path}[]"),
                    out,
                );
            }
        }
        _ => {}
    }
}
