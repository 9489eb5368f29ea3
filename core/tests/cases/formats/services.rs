//! Readers of the formats for CI systems and review services.

use leakgate_core::emit::{Format, RenderOptions};
use serde_json::Value;

use super::{other_reasons, read, unexpected_findings};
use crate::common::Judged;

/// Checks all these formats of a run.
pub(crate) fn check(name: &str, judged: &Judged) {
    let issues = unexpected_findings(judged) + other_reasons(&judged.verdict);
    let json = |format| -> Value { serde_json::from_str(&judged.document(format)).expect("JSON") };
    azure(name, &judged.document(Format::Azure), issues);
    teamcity(name, &judged.document(Format::Teamcity), judged);
    bitbucket(name, &json(Format::Bitbucket), issues);
    warnings_ng(name, &json(Format::WarningsNg), issues);
    rdjson(name, &json(Format::Rdjson), issues);
    cdash(name, &judged.document(Format::Cdash), issues);
    let buildkite = judged.document_in(Format::Buildkite, &RenderOptions::default());
    read::markdown(name, &buildkite);
    assert!(buildkite.len() <= 1 << 20, "{name}");
}

/// Returns the lines before the last one, which states the verdict.
fn before_verdict<'a>(name: &str, document: &'a str) -> Vec<&'a str> {
    let mut lines: Vec<&str> = document.lines().collect();
    let last = lines.pop().expect("a line");
    assert!(last.starts_with("leakgate: "), "{name}: {last}");
    lines
}

/// Reads `##vso[task.logissue key=value;…]message`, as the agent does: the command ends at the
/// first `]`.
fn azure(name: &str, document: &str, issues: usize) {
    let unescaped = |text: &str, pairs: &[(&str, &str)]| {
        let pairs = pairs.iter().chain(&[("%0A", "\n"), ("%0D", "\r")]);
        let text = pairs.fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
        text.replace("%AZP25", "%")
    };
    let mut errors = 0;
    for line in before_verdict(name, document) {
        let rest = line
            .strip_prefix("##vso[task.logissue ")
            .expect("a command");
        let (properties, message) = rest.split_once(']').expect("an end");
        assert_eq!(line.matches("##vso[").count(), 1, "{name}: {line}");
        for property in properties.split_terminator(';') {
            let (key, value) = property.split_once('=').expect("a property");
            let known = ["type", "sourcepath", "linenumber", "columnnumber", "code"];
            assert!(known.contains(&key), "{name}: {key}");
            errors += usize::from(property == "type=error");
            read::assert_visible(name, &unescaped(value, &[("%3B", ";"), ("%5D", "]")]));
        }
        let message = unescaped(message, &[]);
        assert!(!message.is_empty() && message.encode_utf16().count() <= 4096);
        message
            .lines()
            .for_each(|line| read::assert_visible(name, line));
    }
    assert_eq!(errors, issues.min(10), "{name}");
}

/// Reads `##teamcity[name key='value' …]`.
fn teamcity(name: &str, document: &str, judged: &Judged) {
    let mut names = Vec::new();
    for line in before_verdict(name, document) {
        let inner = line
            .strip_prefix("##teamcity[")
            .and_then(|rest| rest.strip_suffix(']'));
        let (message, mut rest) = inner
            .expect("a message")
            .split_once(' ')
            .expect("attributes");
        names.push(message);
        loop {
            let (key, after) = rest.split_once("='").expect("an attribute");
            assert!(
                key.bytes().all(|b| b.is_ascii_alphabetic()),
                "{name}: {key}"
            );
            let (value, after) = teamcity_value(after);
            value
                .lines()
                .for_each(|line| read::assert_visible(name, line));
            match after.strip_prefix(' ') {
                Some(next) => rest = next,
                None => {
                    assert_eq!(after, "", "{name}");
                    break;
                }
            }
        }
    }
    let count = |message| names.iter().filter(|found| **found == message).count();
    let findings = unexpected_findings(judged);
    assert_eq!(count("inspection"), findings, "{name}");
    let problems = other_reasons(&judged.verdict) + usize::from(findings > 0);
    assert_eq!(count("buildProblem"), problems, "{name}");
}

/// Reads a value up to its quote. Returns it unescaped, and what follows the quote.
fn teamcity_value(text: &str) -> (String, &str) {
    let mut units = Vec::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\'' => return (String::from_utf16(&units).expect("text"), &text[at + 1..]),
            '[' | ']' => panic!("not escaped: {text}"),
            '|' => match chars.next().map(|(_, c)| c) {
                Some('n') => units.push(u16::from(b'\n')),
                Some('0') => {
                    let hex = &text[at + 3..at + 7];
                    units.push(u16::from_str_radix(hex, 16).expect("a code"));
                    chars.nth(4);
                }
                Some(c) if "|'[]".contains(c) => units.push(c as u16),
                other => panic!("unknown escape {other:?}"),
            },
            c => {
                assert!(c.is_ascii(), "not escaped: {text}");
                units.push(c as u16);
            }
        }
    }
    panic!("no end: {text}");
}

/// Returns a text, which must not be empty.
fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    let text = value.pointer(pointer).and_then(Value::as_str);
    text.filter(|text| !text.is_empty())
        .unwrap_or_else(|| panic!("no {pointer} in {value}"))
}

/// Checks a path and a line.
fn assert_place(name: &str, path: &str, line: Option<&Value>) {
    assert!(!path.starts_with("./"), "{name}: {path}");
    assert!(
        line.is_none_or(|line| line.as_u64().is_some_and(|line| line > 0)),
        "{name}: {line:?}"
    );
}

fn bitbucket(name: &str, document: &Value, issues: usize) {
    let report = &document["report"];
    let result = text(report, "/result");
    assert_eq!(result == "PASSED", issues == 0, "{name}");
    assert!(text(report, "/details").chars().count() <= 2000, "{name}");
    let requests = document["annotations"].as_array().expect("requests");
    let mut ids = std::collections::BTreeSet::new();
    for request in requests {
        let annotations = request.as_array().expect("annotations");
        assert!((1..=100).contains(&annotations.len()), "{name}");
        for annotation in annotations {
            assert!(ids.insert(text(annotation, "/external_id")), "{name}");
            assert!(
                text(annotation, "/summary").chars().count() <= 450,
                "{name}"
            );
            assert!(
                text(annotation, "/details").chars().count() <= 2000,
                "{name}"
            );
            let types = ["BUG", "VULNERABILITY"];
            assert!(
                types.contains(&text(annotation, "/annotation_type")),
                "{name}"
            );
            let severities = ["CRITICAL", "HIGH", "MEDIUM", "LOW"];
            assert!(
                severities.contains(&text(annotation, "/severity")),
                "{name}"
            );
            assert_place(name, text(annotation, "/path"), annotation.get("line"));
        }
    }
    assert_eq!(ids.len(), issues.min(1000), "{name}");
}

fn warnings_ng(name: &str, document: &Value, issues: usize) {
    let all = document["issues"].as_array().expect("issues");
    assert_eq!(all.len(), issues, "{name}");
    for issue in all {
        let severities = ["ERROR", "HIGH", "NORMAL", "LOW"];
        assert!(severities.contains(&text(issue, "/severity")), "{name}");
        assert_place(name, text(issue, "/fileName"), issue.get("lineStart"));
        read::assert_visible(name, text(issue, "/message"));
        for key in ["/category", "/type", "/fingerprint"] {
            text(issue, key);
        }
        // The description is HTML, which is also well-formed XML.
        let html = format!("<div>{}</div>", text(issue, "/description"));
        let html = roxmltree::Document::parse(&html).expect("well-formed HTML");
        for element in html
            .root_element()
            .descendants()
            .filter(|node| node.is_element())
        {
            assert!(
                ["div", "p", "pre"].contains(&element.tag_name().name()),
                "{name}"
            );
            assert_eq!(element.attributes().len(), 0, "{name}");
        }
    }
}

fn rdjson(name: &str, document: &Value, issues: usize) {
    assert_eq!(text(document, "/source/name"), "leakgate");
    let all = document["diagnostics"].as_array().expect("diagnostics");
    assert_eq!(all.len(), issues, "{name}");
    for diagnostic in all {
        assert_eq!(text(diagnostic, "/severity"), "ERROR");
        text(diagnostic, "/code/value");
        text(diagnostic, "/message")
            .lines()
            .for_each(|line| read::assert_visible(name, line));
        let line = diagnostic.pointer("/location/range/start/line");
        assert_place(name, text(diagnostic, "/location/path"), line);
    }
}

fn cdash(name: &str, document: &str, issues: usize) {
    let document = roxmltree::Document::parse(document).expect("XML");
    let root = document.root_element();
    assert_eq!(root.tag_name().name(), "Site", "{name}");
    let named = |element: &'static str| {
        root.descendants()
            .filter(move |node| node.has_tag_name(element))
    };
    let tests: Vec<_> = named("Test")
        .filter(|test| test.has_attribute("Status"))
        .collect();
    let listed = named("TestList").flat_map(|list| list.children()).count();
    assert!(!tests.is_empty() && listed == tests.len(), "{name}");
    for test in &tests {
        let defects = test
            .descendants()
            .filter(|node| node.attribute("type").is_some())
            .count();
        let is_failed = test.attribute("Status") == Some("failed");
        assert_eq!(is_failed, defects > 0, "{name}");
    }
    let is_failed = tests
        .iter()
        .any(|test| test.attribute("Status") == Some("failed"));
    assert_eq!(is_failed, issues > 0, "{name}");
}
