//! Snapshots in every format of a few selected reports: `snapshots/formats/<report>/<format>.snap`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use leakgate_core::document::{Document, merge};
use leakgate_core::emit::Format;
use leakgate_core::verdict::judge_merged;
use leakgate_core::{Baseline, Config};
use libtest_mimic::Trial;
use serde_json::Value;

use crate::common::{self, Judged};
use crate::formats::hostile;
use crate::snapshots::{assert_snapshot, without_fingerprints};

type Report = fn() -> Judged;

/// The name of each report and the function that makes it.
const REPORTS: &[(&str, Report)] = &[
    ("allowed", allowed),
    ("baseline", || with_baseline(false)),
    ("clean", || case("memcheck/clean")),
    ("error", || case("asan/heap-use-after-free-gcc12")),
    ("grown", || with_baseline(true)),
    ("hostile-names", hostile_names),
    ("leak", || case("memcheck/definite")),
    ("many-findings", || case("ubsan/all-clang14")),
    ("merged", merged),
    ("no-location", || case("glibc/double-free")),
    ("problems", || case("ci/cut-memcheck")),
    ("several-processes", || {
        case("memcheck/fork-log-per-process")
    }),
    ("weak-fingerprint", || case("asan/unsymbolized-clang19")),
];

/// A case with several leaks, on which the reports with a baseline or rules are based.
const LEAKS: &str = "asan/leak-gcc12";

/// Returns one test for each report and format.
pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for (name, report) in REPORTS {
        for format in Format::ALL {
            trials.push(Trial::test(
                format!("snapshots/formats/{name}/{}", format.as_str()),
                || {
                    let text = readable(&report().document(*format), *format);
                    let folder = folder(&common::home(), name);
                    assert_snapshot(&folder, format.as_str(), &without_fingerprints(&text));
                    Ok(())
                },
            ));
        }
    }
    trials
}

/// Returns the paths of all these snapshots.
pub(crate) fn files(home: &Path) -> BTreeSet<PathBuf> {
    let mut files = BTreeSet::new();
    for (name, _) in REPORTS {
        let snapshot = |f: &Format| folder(home, name).join(format!("{}.snap", f.as_str()));
        files.extend(Format::ALL.iter().map(snapshot));
    }
    files
}

fn folder(home: &Path, name: &str) -> PathBuf {
    home.join("formats").join(name)
}

fn case(name: &str) -> Judged {
    common::judge(&common::case(name).files)
}

/// A rule that accepts a finding, one that has expired, and one that matches nothing.
fn allowed() -> Judged {
    let rules = r#"
[[allow]]
id = "known-leak"
kinds = ["leak-indirect"]
stack = ["...", "fun:leak"]
limit = { findings = 1 }
reason = "The buffer is reused."
investigation = "https://example.org/issues/1"
owner = "@example"
expires = 2026-06-05
[[allow]]
id = "expired"
kinds = ["leak-definite"]
stack = ["...", "fun:main"]
expires = 2026-05-31
reason = "It was fixed in May."
[[allow]]
id = "unused"
stack = ["...", "fun:no_such_function"]
reason = "It matches nothing."
"#;
    let rules = Config::read("leakgate.toml", rules)
        .expect("valid rules")
        .rules;
    common::judge_by(common::gate().with_rules(rules), &common::case(LEAKS).files)
}

/// A baseline with all findings and one that is fixed; with `grown`, all were smaller before.
fn with_baseline(grown: bool) -> Judged {
    let files = &common::case(LEAKS).files;
    let before = common::judge(files);
    let mut baseline = Baseline::from_run(&before.parsed, &before.triage);
    let mut fixed = baseline.entries[0].clone();
    fixed.fingerprint = format!("lg2-{}", "0".repeat(32));
    for known in baseline.entries.iter_mut().filter(|_| grown) {
        known.bytes /= 2;
    }
    baseline.entries.push(fixed);
    let gate = common::gate().with_baseline(Some(baseline));
    common::judge_by(gate, files)
}

/// A few names with markup, workflow commands and invisible characters.
fn hostile_names() -> Judged {
    let is_selected = |name: &&&[u8]| {
        let starts: [&[u8]; 3] = [b"::error", b"</script", b"\x1b[31m"];
        starts.iter().any(|start| name.starts_with(start))
    };
    let names: Vec<&[u8]> = hostile::NAMES.iter().filter(is_selected).copied().collect();
    assert_eq!(names.len(), 3);
    hostile::judged(&names)
}

/// The reports of three jobs, of which two have the same finding.
fn merged() -> Judged {
    let job = |name: &str, case: &str| {
        let json = self::case(case).document(Format::Json);
        (
            name.to_owned(),
            Document::read("report.json", &json).expect("a report"),
        )
    };
    let (all, sources) = merge(vec![
        job("linux", "memcheck/definite"),
        job("linux-asan", "asan/heap-use-after-free-gcc12"),
        job("nightly", "memcheck/definite"),
    ]);
    let unexpected = all.unexpected();
    let mut judged = common::decide(common::gate(), all.parsed, &sources);
    judged.verdict = judge_merged(
        &judged.parsed,
        &judged.triage,
        &sources,
        &all.verdict,
        &unexpected,
        &judged.gate,
    );
    judged
}

/// Indents JSON, and removes everything that doesn't depend on the log.
fn readable(text: &str, format: Format) -> String {
    match format {
        Format::Json
        | Format::Sarif
        | Format::Gitlab
        | Format::Bitbucket
        | Format::WarningsNg
        | Format::Rdjson => readable_json(text),
        Format::Cdash => {
            let version = concat!("leakgate-", env!("CARGO_PKG_VERSION"));
            text.replace(version, "leakgate-[version]")
        }
        Format::Html => readable_html(text),
        _ => text.to_owned(),
    }
}

/// Removes the style and the script, which are the same in all pages, and indents the data.
fn readable_html(page: &str) -> String {
    const DATA: &str = "<script type=\"application/json\" id=\"data\">";
    let (head, body) = page.split_once("<body>").expect("a body");
    let (_, head) = head.split_once("<title>").expect("a title");
    let (title, _) = head.split_once("<style>").expect("a style");
    let (body, rest) = body.split_once(DATA).expect("data that is not compressed");
    let (data, _) = rest.split_once("</script>").expect("the end of the data");
    let data = readable_json(data);
    let version = concat!("leakgate ", env!("CARGO_PKG_VERSION"));
    let body = body.replace(version, "leakgate [version]");
    format!("<title>{title}{body}{data}\n")
}

/// Indents JSON, and removes leakgate's version, which changes with each release, and the help
/// texts of SARIF rules, which are in the tables of `core/src/advice/`.
fn readable_json(json: &str) -> String {
    let mut value: Value = serde_json::from_str(json).expect("JSON");
    for pointer in ["/version", "/runs/0/tool/driver/semanticVersion"] {
        let version = value.pointer_mut(pointer);
        if let Some(version) = version.filter(|v| *v == env!("CARGO_PKG_VERSION")) {
            *version = "[version]".into();
        }
    }
    let rules = value.pointer_mut("/runs/0/tool/driver/rules");
    for rule in rules.and_then(Value::as_array_mut).into_iter().flatten() {
        *rule = rule["id"].take();
    }
    unkeyed(&mut value);
    let mut out = String::new();
    indented(&value, "\n", &mut out);
    out
}

/// Writes every value that fits into a line as one line. `newline` is a line feed and the
/// indentation.
fn indented(value: &Value, newline: &str, out: &mut String) {
    const WIDTH: usize = 100;
    let line = value.to_string();
    if line.chars().count() + newline.len() <= WIDTH {
        *out += &line;
        return;
    }
    let inner = format!("{newline}  ");
    let separator = |index: usize| if index == 0 { "" } else { "," };
    match value {
        Value::Object(fields) => {
            out.push('{');
            for (index, (key, field)) in fields.iter().enumerate() {
                *out += &format!("{}{inner}{}: ", separator(index), Value::from(key.as_str()));
                indented(field, &inner, out);
            }
            *out += &format!("{newline}}}");
        }
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                *out += &format!("{}{inner}", separator(index));
                indented(item, &inner, out);
            }
            *out += &format!("{newline}]");
        }
        _ => *out += &line,
    }
}

/// Replaces objects whose keys are fingerprints with lists of their values, because the order of
/// the keys would change with the fingerprints.
fn unkeyed(value: &mut Value) {
    match value {
        Value::Object(fields)
            if !fields.is_empty() && fields.keys().all(|k| k.starts_with("lg2-")) =>
        {
            let mut values: Vec<Value> = fields.values().cloned().collect();
            values.sort_by_cached_key(|value| without_fingerprints(&value.to_string()));
            *value = values.into();
        }
        Value::Object(fields) => fields.values_mut().for_each(unkeyed),
        Value::Array(items) => items.iter_mut().for_each(unkeyed),
        _ => {}
    }
}
