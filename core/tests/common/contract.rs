//! Validates documents against the schemas in `docs/`, more strictly than readers have to: a field
//! or a word that the schema doesn't list is an error.

#![allow(dead_code, reason = "each test binary uses only a part of this")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use jsonschema::Validator;
use serde_json::{Map, Value};

/// The types of the values at each path of a document, such as `findings[].leak.bytes`.
pub(crate) type Types = BTreeMap<String, BTreeSet<&'static str>>;

/// A schema from `docs/` with its validators.
pub(crate) struct Contract {
    /// The published schema.
    pub(crate) schema: Value,
    /// Validates by the published schema, which accepts unknown fields.
    pub(crate) lenient: Validator,
    /// Rejects unknown fields and unknown words.
    pub(crate) strict: Validator,
}

impl Contract {
    /// Reads `docs/<name>.schema.json`.
    pub(crate) fn read(name: &str) -> Self {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../docs/{name}.schema.json"));
        let schema: Value =
            serde_json::from_str(&fs::read_to_string(path).expect("a schema")).expect("JSON");
        let validator =
            |schema: &Value| jsonschema::draft202012::new(schema).expect("a schema of 2020-12");
        Self {
            lenient: validator(&schema),
            strict: validator(&strict(&schema)),
            schema,
        }
    }

    /// Parses a document and panics unless both validators accept it.
    pub(crate) fn check(&self, name: &str, text: &str) -> Value {
        let document: Value = serde_json::from_str(text).expect("JSON");
        for schema in [&self.strict, &self.lenient] {
            if let Some(error) = schema.iter_errors(&document).next() {
                panic!("{name}: {error} at {}", error.instance_path());
            }
        }
        document
    }

    /// Returns the types that the schema allows at each path.
    pub(crate) fn types(&self) -> Types {
        let mut types = Types::new();
        self.allowed("", &self.schema, &mut types);
        types
    }

    fn allowed(&self, at: &str, schema: &Value, types: &mut Types) {
        if let Some(name) = schema["$ref"].as_str() {
            let target = self
                .schema
                .pointer(name.trim_start_matches('#'))
                .expect("the target of a $ref");
            self.allowed(at, target, types);
        }
        let list = |key: &str| schema[key].as_array().into_iter().flatten();
        list("anyOf").for_each(|one| self.allowed(at, one, types));
        list("prefixItems").for_each(|one| self.allowed(&format!("{at}[]"), one, types));
        let words = [&schema["const"]]
            .into_iter()
            .chain(list("enum"))
            .filter(|word| !word.is_null())
            .map(type_of);
        let named = list("type")
            .chain([&schema["type"]])
            .filter_map(Value::as_str)
            .map(|name| {
                *["object", "array", "string", "integer", "boolean", "null"]
                    .iter()
                    .find(|t| **t == name)
                    .expect("a type")
            });
        let all: Vec<&str> = words.chain(named).collect();
        types.entry(at.to_owned()).or_default().extend(all);
        for (key, field) in schema["properties"].as_object().into_iter().flatten() {
            self.allowed(&join(at, key), field, types);
        }
        if schema["items"].is_object() {
            self.allowed(&format!("{at}[]"), &schema["items"], types);
        }
    }
}

/// Returns the schema with unknown fields forbidden, and with each open set of words closed to its
/// examples.
fn strict(schema: &Value) -> Value {
    match schema {
        Value::Array(items) => items.iter().map(strict).collect(),
        Value::Object(fields) => {
            let mut out: Map<String, Value> = fields
                .iter()
                .map(|(key, value)| (key.clone(), strict(value)))
                .collect();
            if fields.get("properties").is_some_and(Value::is_object)
                && fields.contains_key("required")
            {
                out.insert("additionalProperties".into(), false.into());
            }
            if is_open_set(schema) {
                out.insert("enum".into(), schema["examples"].clone());
            }
            Value::Object(out)
        }
        other => other.clone(),
    }
}

/// Returns true for a set of words that a later version may extend.
pub(crate) fn is_open_set(schema: &Value) -> bool {
    schema["$comment"]
        .as_str()
        .is_some_and(|comment| comment.starts_with("An open set"))
}

fn join(at: &str, key: &str) -> String {
    if at.is_empty() {
        key.to_owned()
    } else {
        format!("{at}.{key}")
    }
}

/// Adds the types of all values in a document.
pub(crate) fn collect(at: &str, value: &Value, types: &mut Types) {
    if !types
        .get(at)
        .is_some_and(|known| known.contains(type_of(value)))
    {
        types
            .entry(at.to_owned())
            .or_default()
            .insert(type_of(value));
    }
    match value {
        Value::Array(items) => items
            .iter()
            .for_each(|item| collect(&format!("{at}[]"), item, types)),
        Value::Object(fields) => fields
            .iter()
            .for_each(|(key, field)| collect(&join(at, key), field, types)),
        _ => {}
    }
}

pub(crate) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
