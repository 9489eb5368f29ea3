//! Documents that are spoiled in one place.

use std::fmt;

use serde_json::{Value, json};

use super::contract::type_of;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// A field or an item is left out.
    Gone,
    /// It is of this type, which it was not.
    Type(&'static str),
    /// A number below zero.
    Negative,
    /// Another text.
    Another,
    /// An object has one more field.
    Added,
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone => f.write_str("is gone"),
            Self::Type(to) => write!(f, "is now of the type {to}"),
            Self::Negative => f.write_str("is below zero"),
            Self::Another => f.write_str("is another text"),
            Self::Added => f.write_str("has one more field"),
        }
    }
}

/// A document with one mistake.
pub(crate) struct Spoiled {
    pub(crate) document: Value,
    /// The place without its indices, such as `findings[].leak`.
    pub(crate) at: String,
    pub(crate) how: How,
}

/// Every mistake in turn.
pub(crate) fn each(document: &Value, mut check: impl FnMut(Spoiled)) {
    let mut pointers = Vec::new();
    places(document, "", "", &mut pointers);
    for (pointer, at) in pointers {
        let mut change = |how, change: &dyn Fn(&mut Value)| {
            let mut document = document.clone();
            change(
                document
                    .pointer_mut(&pointer)
                    .expect("a place that is there"),
            );
            check(Spoiled {
                document,
                at: at.clone(),
                how,
            });
        };
        let value = document.pointer(&pointer).expect("a place that is there");
        for other in [
            Value::Null,
            json!(true),
            json!(7),
            json!("x"),
            json!([]),
            json!({}),
        ] {
            // A list or an object that is empty is another mistake.
            if type_of(&other) != type_of(value)
                && !(value.is_null() && (other.is_object() || other.is_string()))
            {
                change(How::Type(type_of(&other)), &|v| *v = other.clone());
            }
        }
        match value {
            Value::Number(_) => change(How::Negative, &|v| *v = json!(-1)),
            Value::String(_) => change(How::Another, &|v| *v = json!("?")),
            Value::Object(_) => change(How::Added, &|v| v["a-later-field"] = json!(1)),
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
        check(Spoiled {
            document,
            at,
            how: How::Gone,
        });
    }
}

/// The place of each value, as a pointer and without indices. Of a long list the first few stand
/// for all.
fn places(value: &Value, pointer: &str, at: &str, out: &mut Vec<(String, String)>) {
    const FIRST: usize = 3;
    out.push((pointer.to_owned(), at.to_owned()));
    match value {
        Value::Object(fields) => {
            for (key, field) in fields {
                let dot = if at.is_empty() { "" } else { "." };
                places(
                    field,
                    &format!("{pointer}/{key}"),
                    &format!("{at}{dot}{key}"),
                    out,
                );
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate().take(FIRST) {
                places(item, &format!("{pointer}/{index}"), &format!("{at}[]"), out);
            }
        }
        _ => {}
    }
}
