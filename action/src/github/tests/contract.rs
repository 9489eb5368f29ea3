//! GitHub's own description of its API, and whether a request keeps to it.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

use super::fake::Seen;

/// The part of the description that leakgate needs.
static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../tests/openapi/github.json"))
        .expect("the description is JSON")
});

/// What is wrong with a request to the API at this path; empty if nothing is.
pub(super) fn faults(seen: &Seen, prefix: &str) -> Vec<String> {
    let (path, query) = seen.path.split_once('?').unwrap_or((&seen.path, ""));
    if path == format!("{}/graphql", prefix.trim_end_matches("/v3")) {
        let is_query = seen
            .body
            .as_ref()
            .is_some_and(|body| body["query"].is_string());
        return if seen.method == "POST" && is_query {
            Vec::new()
        } else {
            vec!["no query of GraphQL".to_owned()]
        };
    }
    let Some(path) = path.strip_prefix(prefix) else {
        return vec!["not below the path of the API".to_owned()];
    };
    let Some(operation) = operation(&seen.method, path) else {
        return vec!["GitHub knows no such request".to_owned()];
    };
    let mut faults: Vec<_> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .filter_map(|pair| parameter(operation, pair))
        .collect();
    let schema = operation.pointer("/requestBody/content/application~1json/schema");
    match (schema, &seen.body) {
        (Some(schema), Some(body)) => {
            let validator = validator(schema);
            faults.extend(
                validator
                    .iter_errors(body)
                    .map(|error| format!("{error} at {}", error.instance_path())),
            );
            faults.extend(unknown(schema, body));
        }
        (None, Some(_)) => faults.push("a body that nobody asked for".to_owned()),
        (Some(_), None) => faults.push("no body".to_owned()),
        (None, None) => {}
    }
    faults
}

/// OpenAPI 3.0 follows an early draft of JSON Schema. Nothing that leakgate sends is null, so
/// `nullable` means nothing.
fn validator(schema: &Value) -> Validator {
    jsonschema::draft4::options()
        .should_validate_formats(true)
        .build(schema)
        .expect("a schema")
}

/// The operation whose path has the same steps; a step in braces stands for any.
fn operation<'a>(method: &str, path: &str) -> Option<&'a Value> {
    let is_same = |known: &str| {
        let (known, asked): (Vec<_>, Vec<_>) =
            (known.split('/').collect(), path.split('/').collect());
        let fits = |(known, asked): (&&str, &&str)| {
            (known.starts_with('{') && !asked.is_empty()) || known == asked
        };
        known.len() == asked.len() && known.iter().zip(&asked).all(fits)
    };
    let paths = DESCRIPTION["paths"].as_object()?;
    paths
        .iter()
        .filter(|(known, _)| is_same(known))
        .find_map(|(_, methods)| methods.get(method.to_lowercase()))
}

/// What is wrong with one parameter of a query.
fn parameter(operation: &Value, pair: &str) -> Option<String> {
    let (name, value) = pair.split_once('=')?;
    let known = operation["parameters"]
        .as_array()?
        .iter()
        .find(|p| p["in"] == "query" && p["name"] == name);
    let Some(known) = known else {
        return Some(format!("no parameter is called {name}"));
    };
    let value = match known["schema"]["type"].as_str() {
        Some("integer") => value.parse::<u64>().map_or(Value::Null, Value::from),
        _ => Value::from(value),
    };
    validator(&known["schema"])
        .validate(&value)
        .err()
        .map(|error| format!("{name}: {error}"))
}

/// Fields of a body that the description does not name, at any depth.
fn unknown(schema: &Value, body: &Value) -> Vec<String> {
    match body {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, value)| match schema["properties"].get(name) {
                Some(schema) => unknown(schema, value),
                None => vec![format!("no field is called {name}")],
            })
            .collect(),
        Value::Array(items) => items
            .iter()
            .flat_map(|item| unknown(&schema["items"], item))
            .collect(),
        _ => Vec::new(),
    }
}

#[test]
fn a_request_that_breaks_the_contract_is_seen() {
    let seen = |method: &str, path: &str, body: &str| Seen {
        method: method.to_owned(),
        path: path.to_owned(),
        body: serde_json::from_str(body).ok(),
        headers: std::collections::BTreeMap::new(),
    };
    let run = r#"{"name": "n", "head_sha": "s", "output": {"title": "t", "summary": "s"}}"#;
    assert_eq!(
        faults(&seen("POST", "/repos/o/r/check-runs", run), ""),
        Vec::<String>::new()
    );
    assert_eq!(
        faults(
            &seen("POST", "/api/v3/repos/o/r/check-runs", run),
            "/api/v3"
        ),
        Vec::<String>::new()
    );
    for (method, path, body) in [
        ("POST", "/repos/o/r/check-runs", r#"{"name": "n"}"#),
        (
            "POST",
            "/repos/o/r/check-runs",
            r#"{"name": "n", "head_sha": "s", "output": {"title": "t", "summary": "s", "more": 1}}"#,
        ),
        (
            "POST",
            "/repos/o/r/check-runs",
            r#"{"name": "n", "head_sha": "s", "conclusion": "bad"}"#,
        ),
        ("POST", "/repos/o/r/check-runs", ""),
        ("PUT", "/repos/o/r/check-runs", run),
        ("GET", "/repos/o/r/pulls?status=open", ""),
        ("GET", "/repos/o/r/pulls?state=opened", ""),
        ("GET", "/repos/o/r/pulls?per_page=many", ""),
        ("GET", "/repos/o/r/compare/a...feature/x", ""),
        ("POST", "/graphql", "{}"),
    ] {
        assert!(
            !faults(&seen(method, path, body), "").is_empty(),
            "{method} {path} {body}"
        );
    }
}
