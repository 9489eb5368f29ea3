//! Checks that docs/leakgate.schema.json, which editors use, and the parser accept the same
//! leakgate.toml files.

use std::fs;

use leakgate_core::Config;
use leakgate_core::rules::packs;
use serde_json::{Map, Value};

use crate::common::repository;

fn schema() -> Value {
    let text = fs::read_to_string(repository("docs/leakgate.schema.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Converts TOML to JSON as editors do for schema validation: dates become strings.
fn json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(yes) => yes.into(),
        toml::Value::Datetime(at) => Value::String(at.to_string()),
        toml::Value::Array(items) => items.into_iter().map(json).collect(),
        toml::Value::Table(table) => Value::Object(
            table
                .into_iter()
                .map(|(k, v)| (k, json(v)))
                .collect::<Map<_, _>>(),
        ),
    }
}

const ENTRY: &str = "[[allow]]\nreason = \"x\"\nstack = [\"fun:f\"]\n";

#[test]
fn schema_and_parser_accept_the_same_files() {
    let schema = jsonschema::validator_for(&schema()).unwrap();
    let full = r#"
        [gate]
        fail-on = ["errors", "leak-definite", "heap-use-after-free"]
        require = ["memcheck", "custom:ours"]
        silence = "pass"
        unused-rules = "fail"
        third-party = "warn"
        tool-suppressed = "fail"
        expiry-warning-days = 30
        [files]
        suppressions = ["a.supp"]
        packs = ["python"]
        own = ["src/**"]
        allocators = ["fun:zmalloc*", "sym:pool::get(int)", "re:^x"]
        baseline = "known.json"
        [[allow]]
        id = "a"
        tools = ["lsan", "valgrind"]
        kinds = ["leaks"]
        bytes = 4096
        blocks = { min = 1, max = 2 }
        stack = ["...", "runtime...", "fun:a::*", "sym:b(int)", "obj:libx.so", "src:a.c:3", "re:^b"]
        fingerprint = "lg2-00000000000000000000000000000000"
        title = "*"
        reason = "why"
        investigation = "docs/x.md"
        status = "to-fix"
        references = ["https://example.org"]
        owner = "@me"
        added = 2026-01-09
        expires = 2027-01-09
        while = { package = "pyo3", version = "0.27", file = "sub/Cargo.lock" }
        limit = { findings = 1, bytes = 2, blocks = 3 }
        growth = { blocks = 1, bytes = 64 }
        expect = 1
        witness = ["fun:malloc", "obj:x"]
        [[format]]
        name = "trace"
        contains = "LEAK"
        pattern = 'LEAK (?<bytes>\d+)'
        when = "bytes > 0"
        clean = "LEAKS: none"
        kind = "leak-possible"
        [[format]]
        name = "pool"
        start = 'POOL (?<blocks>\d+)'
        frames = 'by (?<function>\w+)'
        end = "end"
    "#;
    for (text, good) in [
        (String::new(), true),
        (full.to_owned(), true),
        (ENTRY.to_owned(), true),
        ("[gat]\n".to_owned(), false),
        ("[gate]\nsilence = \"maybe\"\n".to_owned(), false),
        ("[gate]\nfail-on = [\"Leaks\"]\n".to_owned(), false),
        ("[gate]\nrequire = [\"gdb\"]\n".to_owned(), false),
        ("[gate]\nexpiry-warning-days = -1\n".to_owned(), false),
        ("[files]\npacks = [\"pyton\"]\n".to_owned(), false),
        ("[files]\nsuppressions = \"a\"\n".to_owned(), false),
        ("[files]\nallocators = [\"obj:a\"]\n".to_owned(), false),
        ("[[allow]]\nreason = \"x\"\n".to_owned(), false),
        ("[[allow]]\nstack = [\"fun:f\"]\n".to_owned(), false),
        (
            "[[allow]]\nstack = [\"f\"]\nreason = \"x\"\n".to_owned(),
            false,
        ),
        (
            "[[allow]]\nstack = [\"fun:f\"]\nreason = \" \"\n".to_owned(),
            false,
        ),
        (format!("{ENTRY}kinds = []\n"), false),
        (format!("{ENTRY}bytes = \"4\"\n"), false),
        (format!("{ENTRY}bytes = {{ least = 4 }}\n"), false),
        (format!("{ENTRY}status = \"done\"\n"), false),
        (format!("{ENTRY}expires = \"soon\"\n"), false),
        (
            format!("{ENTRY}while = {{ package = \"a\", version = \"1.2\" }}\n"),
            true,
        ),
        (format!("{ENTRY}while = {{ package = \"a\" }}\n"), false),
        (
            format!("{ENTRY}while = {{ package = \"a\", version = \"^1\" }}\n"),
            false,
        ),
        (
            format!(
                "{ENTRY}while = {{ package = \"a\", version = \"1\", file = \"yarn.lock\" }}\n"
            ),
            false,
        ),
        (format!("{ENTRY}while = \"a 1.2\"\n"), false),
        (format!("{ENTRY}fingerprint = \"lg2-12\"\n"), false),
        (format!("{ENTRY}witness = [\"malloc\"]\n"), false),
        (format!("{ENTRY}limit = 3\n"), false),
        (format!("{ENTRY}growth = {{ bytes = 1 }}\n"), true),
        (format!("{ENTRY}growth = {{ }}\n"), false),
        (format!("{ENTRY}growth = {{ bytes = -1 }}\n"), false),
        (format!("{ENTRY}growth = {{ findings = 1 }}\n"), false),
        (format!("{ENTRY}growth = \"1 block\"\n"), false),
        ("[[format]]\nname = \"a\"\n".to_owned(), false),
        ("[[format]]\npattern = \"LEAK\"\n".to_owned(), false),
        (
            "[[format]]\nname = \"A b\"\npattern = \"LEAK\"\n".to_owned(),
            false,
        ),
        (
            "[[format]]\nname = \"a\"\npattern = \"LEAK\"\nstart = \"LEAK\"\n".to_owned(),
            false,
        ),
        (
            "[[format]]\nname = \"a\"\nstart = \"LEAK\"\n".to_owned(),
            false,
        ),
        (
            "[[format]]\nname = \"a\"\ncontains = \"[\"\npattern = \"LEAK\"\n".to_owned(),
            false,
        ),
    ] {
        let parsed = Config::read("leakgate.toml", &text);
        assert_eq!(
            parsed.is_ok(),
            good,
            "the parser on {text}: {:?}",
            parsed.err()
        );
        let document = json(toml::Value::Table(text.parse().unwrap()));
        assert_eq!(schema.is_valid(&document), good, "the schema on {text}");
    }
}

/// The schema has exactly the keys and values that the parser accepts. The parser's error messages
/// list them.
#[test]
fn schema_lists_the_keys_that_the_parser_accepts() {
    let schema = schema();
    let offered = |pointer: &str| -> Vec<String> {
        let mut keys: Vec<String> = schema
            .pointer(pointer)
            .unwrap()
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        keys.sort();
        keys
    };
    let known = |text: &str| -> Vec<String> {
        let diagnostics = Config::read("f", text).unwrap_err();
        let help = diagnostics
            .iter()
            .find_map(|m| {
                m.help
                    .as_deref()?
                    .strip_prefix("expected one of: ")
                    .map(str::to_owned)
            })
            .unwrap();
        let mut keys: Vec<String> = help.split(", ").map(str::to_owned).collect();
        keys.sort();
        keys
    };
    assert_eq!(offered("/properties"), known("zzzzzzzzzzzz = 1\n"));
    assert_eq!(
        offered("/properties/gate/properties"),
        known("[gate]\nzzzzzzzzzzzzzzzzzzzz = 1\n")
    );
    assert_eq!(
        offered("/properties/files/properties"),
        known("[files]\nzzzzzzzzzzzzzz = 1\n")
    );
    assert_eq!(
        offered("/properties/allow/items/properties"),
        known(&format!("{ENTRY}zzzzzzzzzzzzzz = 1\n"))
    );
    let format = "[[format]]\nname = \"a\"\npattern = \"LEAK\"\nzzzzzzzzzzzzzz = 1\n";
    assert_eq!(
        offered("/properties/format/items/properties"),
        known(format)
    );
    let mut tools: Vec<String> = schema
        .pointer("/$defs/tool/anyOf/0/enum")
        .unwrap()
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool.as_str().unwrap().to_owned())
        .collect();
    tools.sort();
    assert_eq!(tools, known("[gate]\nrequire = [\"zzzzzzzzzzzzzz\"]\n"));
    let pack_names: Vec<&str> = packs().iter().map(|p| p.name).collect();
    assert_eq!(
        schema
            .pointer("/properties/files/properties/packs/items/enum")
            .unwrap(),
        &Value::from(pack_names)
    );
}
