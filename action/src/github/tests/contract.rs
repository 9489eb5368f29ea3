//! Validates requests against GitHub's OpenAPI description.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

use super::fake::ReceivedRequest;

/// Part of the description that covers the operations used by leakgate.
static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../tests/openapi/github.json"))
        .expect("the description is valid JSON")
});

/// Returns the violations of a request to the API at this path.
pub(super) fn violations(request: &ReceivedRequest, prefix: &str) -> Vec<String> {
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    if path == format!("{}/graphql", prefix.trim_end_matches("/v3")) {
        let is_query = request
            .body
            .as_ref()
            .is_some_and(|body| body["query"].is_string());
        return if request.method == "POST" && is_query {
            Vec::new()
        } else {
            vec!["not a GraphQL query".to_owned()]
        };
    }
    let Some(path) = path.strip_prefix(prefix) else {
        return vec!["not below the API path".to_owned()];
    };
    let Some(operation) = operation(&request.method, path) else {
        return vec!["unknown operation".to_owned()];
    };
    let mut violations: Vec<_> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .filter_map(|pair| check_parameter(operation, pair))
        .collect();
    let schema = operation.pointer("/requestBody/content/application~1json/schema");
    match (schema, &request.body) {
        (Some(schema), Some(body)) => {
            let validator = validator(schema);
            violations.extend(
                validator
                    .iter_errors(body)
                    .map(|error| format!("{error} at {}", error.instance_path())),
            );
            violations.extend(unknown_fields(schema, body));
        }
        (None, Some(_)) => violations.push("unexpected body".to_owned()),
        (Some(_), None) => violations.push("missing body".to_owned()),
        (None, None) => {}
    }
    violations
}

/// Compiles a schema. OpenAPI 3.0 is based on an early draft of JSON Schema. Its `nullable` doesn't
/// matter because leakgate never sends null.
fn validator(schema: &Value) -> Validator {
    jsonschema::draft4::options()
        .should_validate_formats(true)
        .build(schema)
        .expect("the schema is valid")
}

/// Finds the operation whose path matches. A segment in braces matches any text.
fn operation<'a>(method: &str, path: &str) -> Option<&'a Value> {
    let matches = |template: &str| {
        template.split('/').count() == path.split('/').count()
            && template
                .split('/')
                .zip(path.split('/'))
                .all(|(expected, actual)| {
                    (expected.starts_with('{') && !actual.is_empty()) || expected == actual
                })
    };
    let paths = DESCRIPTION["paths"].as_object()?;
    paths
        .iter()
        .filter(|(template, _)| matches(template))
        .find_map(|(_, methods)| methods.get(method.to_lowercase()))
}

/// Returns the violation of a query parameter, if any.
fn check_parameter(operation: &Value, pair: &str) -> Option<String> {
    let (name, value) = pair.split_once('=')?;
    let known = operation["parameters"]
        .as_array()?
        .iter()
        .find(|p| p["in"] == "query" && p["name"] == name);
    let Some(known) = known else {
        return Some(format!("unknown parameter {name}"));
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

/// Returns the fields of a body that the description doesn't contain, at any depth.
fn unknown_fields(schema: &Value, body: &Value) -> Vec<String> {
    match body {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, value)| match schema["properties"].get(name) {
                Some(schema) => unknown_fields(schema, value),
                None => vec![format!("unknown field {name}")],
            })
            .collect(),
        Value::Array(items) => items
            .iter()
            .flat_map(|item| unknown_fields(&schema["items"], item))
            .collect(),
        _ => Vec::new(),
    }
}

#[test]
fn contract_violations_are_found() {
    let request = |method: &str, path: &str, body: &str| ReceivedRequest {
        method: method.to_owned(),
        path: path.to_owned(),
        body: serde_json::from_str(body).ok(),
        headers: std::collections::BTreeMap::new(),
    };
    let run = r#"{"name": "n", "head_sha": "s", "output": {"title": "t", "summary": "s"}}"#;
    assert_eq!(
        violations(&request("POST", "/repos/o/r/check-runs", run), ""),
        Vec::<String>::new()
    );
    assert_eq!(
        violations(
            &request("POST", "/api/v3/repos/o/r/check-runs", run),
            "/api/v3"
        ),
        Vec::<String>::new()
    );
    for (method, path, body) in [
        ("POST", "/repos/o/r/check-runs", r#"{"name": "n"}"#),
        (
            "POST",
            "/repos/o/r/check-runs",
            r#"{"name": "n", "head_sha": "s",
                "output": {"title": "t", "summary": "s", "more": 1}}"#,
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
            !violations(&request(method, path, body), "").is_empty(),
            "{method} {path} {body}"
        );
    }
}
