//! The fields of a JSON file or of leakgate.toml, from its schema.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::Outcome;

/// Returns the page of a schema: a table of the top-level fields, and one for each definition.
pub(super) fn page(path: &Path) -> Outcome<String> {
    let schema: Value = serde_json::from_str(&fs::read_to_string(path)?)?;
    let name = path.file_name().map(|name| name.display().to_string());
    let name = name.ok_or("a schema has no name")?;
    let mut page = format!(
        "{}\n\nThis page is generated from [{name}](../{name}).\n",
        text(&schema, "description").trim()
    );
    section("Top level", &schema, &mut page);
    let definitions = schema.get("$defs").and_then(Value::as_object);
    for (name, definition) in definitions.into_iter().flatten() {
        section(&format!("`{name}`"), definition, &mut page);
    }
    Ok(page)
}

/// Appends a section: the description, and a table of fields or a list of values.
fn section(title: &str, schema: &Value, page: &mut String) {
    *page += &format!("\n## {title}\n");
    let is_root = schema.get("$schema").is_some();
    if !is_root && !text(schema, "description").is_empty() {
        *page += &format!("\n{}\n", text(schema, "description"));
    }
    let values = values(schema);
    if !values.is_empty() {
        *page += &format!("\nValues: {values}\n");
    }
    let mut rows = Vec::new();
    fields(schema, "", &mut rows);
    if !rows.is_empty() {
        *page += "\n| field | type | description |\n|---|---|---|\n";
        *page += &rows.concat();
    }
}

/// Adds a row for each field. Objects without a definition have their fields below their own name.
fn fields(schema: &Value, prefix: &str, rows: &mut Vec<String>) {
    let required = schema.get("required").and_then(Value::as_array);
    let is_required = |name: &str| {
        required.is_some_and(|names| names.iter().any(|required| required.as_str() == Some(name)))
    };
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return;
    };
    for (name, field) in properties {
        let name_in_table = format!("{prefix}{name}");
        let mark = if is_required(name) { "" } else { ", optional" };
        let mut description = text(field, "description")
            .replace('|', "\\|")
            .replace('\n', " ");
        let values = values(field);
        if !values.is_empty() {
            description += &format!(" Values: {}", values.replace('|', "\\|"));
        }
        rows.push(format!(
            "| `{name_in_table}` | {}{mark} | {} |\n",
            type_name(field).replace('|', "\\|"),
            description.trim()
        ));
        let items = field.get("items").unwrap_or(field);
        let suffix = if field.get("items").is_some() {
            "[]"
        } else {
            ""
        };
        fields(items, &format!("{name_in_table}{suffix}."), rows);
    }
}

/// Returns the type of a field, with a link to its definition.
fn type_name(schema: &Value) -> String {
    if let Some(name) = text(schema, "$ref").strip_prefix("#/$defs/") {
        return format!("[`{name}`](#{name})");
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(choices) = schema.get(key).and_then(Value::as_array) {
            let mut names: Vec<String> = choices.iter().map(type_name).collect();
            names.dedup();
            return names.join(" or ");
        }
    }
    if let Some(items) = schema.get("items") {
        return format!("list of {}", type_name(items));
    }
    match schema.get("type") {
        Some(Value::String(name)) => name.clone(),
        Some(Value::Array(names)) => {
            let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
            names.join(" or ")
        }
        _ if schema.get("const").is_some() || schema.get("enum").is_some() => "string".to_owned(),
        _ if schema.get("properties").is_some() => "object".to_owned(),
        _ => "any".to_owned(),
    }
}

/// Returns the values that a field may have, as code.
fn values(schema: &Value) -> String {
    let constant = schema.get("const").into_iter();
    let listed = ["enum", "examples"]
        .into_iter()
        .filter_map(|key| schema.get(key));
    let listed = listed.filter_map(Value::as_array).flatten();
    let values: Vec<String> = constant
        .chain(listed)
        .filter(|value| !value.is_object() && !value.is_array())
        .map(|value| match value.as_str() {
            Some(text) => format!("`{text}`"),
            None => format!("`{value}`"),
        })
        .collect();
    match values.is_empty() {
        true => String::new(),
        false => values.join(", ") + ".",
    }
}

fn text<'a>(schema: &'a Value, key: &str) -> &'a str {
    schema.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_have_a_row_with_their_type_and_values() {
        let schema = serde_json::json!({
            "required": ["a"],
            "properties": {
                "a": { "$ref": "#/$defs/x", "description": "One | two." },
                "b": { "type": "object", "properties": { "c": { "enum": ["d", "e"] } } },
            }
        });
        let mut rows = Vec::new();
        fields(&schema, "", &mut rows);
        assert_eq!(
            rows,
            [
                "| `a` | [`x`](#x) | One \\| two. |\n",
                "| `b` | object, optional |  |\n",
                "| `b.c` | string, optional | Values: `d`, `e`. |\n",
            ]
        );
    }
}
