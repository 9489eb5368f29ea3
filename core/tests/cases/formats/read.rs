//! Readers of the formats, each by the rules of the program that reads the format.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use jsonschema::Validator;
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use serde_json::Value;

/// A workflow command of GitHub Actions.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) name: String,
    pub(crate) properties: Vec<(String, String)>,
    pub(crate) data: String,
}

/// Returns the commands in a log: `::name k=v,k=v::data` at the start of a line after optional
/// blanks, and `##[name k=v;]data` anywhere. An incomplete command counts, too.
pub(crate) fn commands(log: &str) -> Vec<Command> {
    let mut found = Vec::new();
    for line in log.split(['\n', '\r']) {
        if let Some(rest) = line.trim_start().strip_prefix("::") {
            let (head, data) = rest.split_once("::").unwrap_or((rest, ""));
            let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
            let pairs = properties.split(',').filter_map(|p| p.split_once('='));
            let properties = pairs
                .map(|(k, v)| (k.trim().to_owned(), unescaped(v)))
                .collect();
            found.push(Command {
                name: name.to_lowercase(),
                properties,
                data: unescaped(data),
            });
        } else if let Some((_, rest)) = line.split_once("##[") {
            found.push(Command {
                name: rest.into(),
                properties: Vec::new(),
                data: String::new(),
            });
        }
    }
    found
}

fn unescaped(text: &str) -> String {
    [
        ("%2C", ","),
        ("%3A", ":"),
        ("%0A", "\n"),
        ("%0D", "\r"),
        ("%25", "%"),
    ]
    .iter()
    .fold(text.to_owned(), |t, (a, b)| t.replace(a, b))
}

/// Checks annotations: no other command, at most ten of a level, no invisible characters.
pub(crate) fn annotations(name: &str, document: &str) -> Vec<Command> {
    let commands = commands(document);
    assert_eq!(
        document.lines().count(),
        commands.len() + 1,
        "{name}: a line is neither a command nor the verdict"
    );
    assert!(
        document
            .lines()
            .next_back()
            .is_some_and(|line| line.starts_with("leakgate: ")),
        "{name}"
    );
    for level in ["error", "warning", "notice"] {
        assert!(
            commands.iter().filter(|c| c.name == level).count() <= 10,
            "{name}"
        );
    }
    for command in &commands {
        assert!(
            ["error", "warning", "notice"].contains(&command.name.as_str()),
            "{name}: {command:?}"
        );
        assert!(
            command.data.encode_utf16().count() <= 4096,
            "{name}: {command:?}"
        );
        let keys: Vec<&str> = command.properties.iter().map(|(k, _)| k.as_str()).collect();
        assert!(
            keys.iter()
                .all(|k| ["file", "line", "col", "title"].contains(k))
                && keys.contains(&"title"),
            "{name}: {keys:?}"
        );
        assert_eq!(
            keys.iter().collect::<BTreeSet<_>>().len(),
            keys.len(),
            "{name}: {keys:?}"
        );
        let texts = command
            .properties
            .iter()
            .map(|(_, v)| v.as_str())
            .chain(command.data.lines());
        texts.for_each(|text| assert_visible(name, text));
    }
    commands
}

/// Asserts that no character moves the cursor, changes the direction of the text, or is invisible.
pub(crate) fn assert_visible(name: &str, text: &str) {
    let hidden = |c: char| {
        c.is_control()
            || "\u{202e}\u{202a}\u{2066}\u{2069}\u{200f}\u{200b}\u{2028}\u{2029}\u{feff}"
                .contains(c)
    };
    assert!(!text.contains(hidden), "{name}: {text:?}");
}

/// Returns the validator of SARIF's own schema.
pub(crate) fn sarif_schema() -> &'static Validator {
    static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
        let text = include_str!("../../sarif/sarif-schema-2.1.0.json");
        let schema: Value = serde_json::from_str(text).expect("JSON");
        jsonschema::validator_for(&schema).expect("a schema")
    });
    &SCHEMA
}

/// Checks GitHub's requirements on SARIF beyond the schema.
pub(crate) fn check_for_github(name: &str, document: &Value) {
    let run = &document["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    for rule in rules {
        let texts = [
            "/id",
            "/name",
            "/shortDescription/text",
            "/fullDescription/text",
            "/help/text",
            "/help/markdown",
        ];
        for (pointer, most) in texts
            .into_iter()
            .zip([255, 255, 1024, 1024, 10_000, 10_000])
        {
            let text = rule
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default();
            assert!(
                !text.is_empty() && text.chars().count() <= most,
                "{name}: {pointer} of {rule}"
            );
        }
        assert!(
            rule["properties"]["tags"]
                .as_array()
                .is_some_and(|t| t.len() <= 10),
            "{name}: {rule}"
        );
    }
    let results = run["results"].as_array().expect("results");
    assert!(results.len() <= 25_000);
    for result in results {
        let rule = result["ruleIndex"]
            .as_u64()
            .and_then(|at| rules.get(at as usize))
            .expect("a rule");
        assert_eq!(result["ruleId"], rule["id"], "{name}");
        assert!(
            result["partialFingerprints"]["primaryLocationLineHash"]
                .as_str()
                .is_some_and(|f| f.starts_with("lg2-")),
            "{name}"
        );
        check_locations(name, result);
        let ids: Vec<u64> = result["relatedLocations"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|l| l["id"].as_u64())
            .collect();
        let text = result["message"]["text"].as_str().expect("a message");
        assert_eq!(links(text), ids, "{name}: {text}");
        let steps = result["codeFlows"].as_array().into_iter().flatten();
        for flow in steps {
            assert!(
                flow["threadFlows"][0]["locations"]
                    .as_array()
                    .is_some_and(|l| (1..=1000).contains(&l.len())),
                "{name}"
            );
        }
    }
}

/// Checks that each location has a path, relative to the root or absolute, and a line from 1.
fn check_locations(name: &str, value: &Value) {
    if let Some(place) = value.get("physicalLocation") {
        let uri = place["artifactLocation"]["uri"].as_str().expect("a URI");
        let relative = place["artifactLocation"]["uriBaseId"] == "%SRCROOT%";
        assert!(
            relative != uri.starts_with("file:///") && !uri.starts_with('.') && !uri.is_empty(),
            "{name}: {uri}"
        );
        assert!(
            uri.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-._~/%:".contains(&b)),
            "{name}: {uri}"
        );
        assert!(
            place["region"]["startLine"]
                .as_u64()
                .is_some_and(|line| line > 0),
            "{name}: {place}"
        );
    }
    match value {
        Value::Object(object) => object.values().for_each(|v| check_locations(name, v)),
        Value::Array(items) => items.iter().for_each(|v| check_locations(name, v)),
        _ => {}
    }
}

/// Returns the targets of the links in a SARIF message, which must be the numbers of locations.
fn links(text: &str) -> Vec<u64> {
    let (mut found, mut rest) = (
        Vec::new(),
        text.replace("\\\\", "")
            .replace("\\[", "")
            .replace("\\]", ""),
    );
    while let Some((_, link)) = rest.split_once("](") {
        let (target, tail) = link.split_once(')').expect("the end of a link");
        found.push(target.parse().expect("the number of a location"));
        rest = tail.to_owned();
    }
    found
}

/// Checks the issues of a Code Quality report, and counts them.
pub(crate) fn issues(name: &str, document: &Value) -> usize {
    let issues = document.as_array().expect("an array");
    let mut fingerprints = BTreeSet::new();
    for issue in issues {
        let text = |pointer: &str| {
            issue
                .pointer(pointer)
                .and_then(Value::as_str)
                .filter(|t| !t.is_empty())
                .expect("a text")
                .to_owned()
        };
        text("/description");
        text("/check_name");
        assert!(
            ["info", "minor", "major", "critical", "blocker"].contains(&text("/severity").as_str()),
            "{name}: {issue}"
        );
        assert!(!text("/location/path").starts_with("./"), "{name}: {issue}");
        assert!(
            issue
                .pointer("/location/lines/begin")
                .and_then(Value::as_u64)
                .is_some_and(|line| line > 0),
            "{name}: {issue}"
        );
        assert!(fingerprints.insert(text("/fingerprint")), "{name}: {issue}");
    }
    issues.len()
}

/// The numbers of elements in a JUnit report.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) tests: usize,
    pub(crate) failures: usize,
    pub(crate) errors: usize,
    pub(crate) skipped: usize,
}

/// Checks JUnit by the elements and attributes of Jenkins' schema, and compares its sums with its
/// elements.
pub(crate) fn junit(name: &str, document: &str) -> Counts {
    let xml = roxmltree::Document::parse(document).unwrap_or_else(|e| panic!("{name}: {e}"));
    let (root, mut all, mut names) = (xml.root_element(), Counts::default(), BTreeSet::new());
    assert_eq!(root.tag_name().name(), "testsuites");
    for suite in root.children().filter(roxmltree::Node::is_element) {
        assert_eq!(suite.tag_name().name(), "testsuite", "{name}");
        let mut counts = Counts::default();
        for case in suite.children().filter(roxmltree::Node::is_element) {
            assert_eq!(case.tag_name().name(), "testcase", "{name}");
            let key = (
                case.attribute("classname").expect("a class"),
                case.attribute("name").expect("a name"),
            );
            assert!(
                names.insert((key.0.to_owned(), key.1.to_owned())),
                "{name}: {key:?} twice"
            );
            counts.tests += 1;
            for inner in case.children().filter(roxmltree::Node::is_element) {
                match inner.tag_name().name() {
                    "failure" => counts.failures += 1,
                    "error" => counts.errors += 1,
                    "skipped" => counts.skipped += 1,
                    "system-out" => continue,
                    other => panic!("{name}: <{other}>"),
                }
                assert!(
                    inner.attribute("message").is_some_and(|m| !m.is_empty()),
                    "{name}"
                );
                inner
                    .text()
                    .unwrap_or_default()
                    .lines()
                    .for_each(|line| assert_visible(name, line));
            }
        }
        assert_eq!(counts, totals(suite), "{name}");
        all.tests += counts.tests;
        all.failures += counts.failures;
        all.errors += counts.errors;
    }
    assert_eq!(all, totals(root), "{name}");
    all
}

/// Returns the sums in the attributes of a node.
fn totals(node: roxmltree::Node<'_, '_>) -> Counts {
    let number = |key: &str| {
        node.attribute(key)
            .map_or(0, |n| n.parse().expect("a number"))
    };
    Counts {
        tests: number("tests"),
        failures: number("failures"),
        errors: number("errors"),
        skipped: number("skipped"),
    }
}

/// Checks Markdown: no HTML except collapsed sections, no link, no image, and no text outside code
/// that GitHub turns into a link.
pub(crate) fn markdown(name: &str, document: &str) {
    let links = markdown_with_links(name, document, None);
    assert_eq!(links, 0, "{name}");
}

/// Does the same, but permits links from code to files below this URL. Returns their number.
pub(crate) fn markdown_with_links(name: &str, document: &str, files_url: Option<&str>) -> usize {
    let mut in_code = false;
    let mut in_link = false;
    let mut links = 0;
    for event in Parser::new_ext(
        document,
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_GFM,
    ) {
        match event {
            Event::Start(Tag::Link {
                dest_url, title, ..
            }) if files_url.is_some() => {
                let file = dest_url.strip_prefix(files_url.unwrap_or_default());
                let is_file = file.is_some_and(|file| {
                    let encoded = |c: char| c.is_ascii_alphanumeric() || "-._~/%#".contains(c);
                    file.starts_with('/') && file.chars().all(encoded)
                });
                assert!(is_file && title.is_empty(), "{name}: {dest_url}");
                (in_link, links) = (true, links + 1);
            }
            Event::End(TagEnd::Link) => in_link = false,
            Event::Code(text) if in_link => assert_visible(name, &text),
            other if in_link => panic!("{name}: {other:?} in a link"),
            Event::Start(
                tag @ (Tag::Link { .. } | Tag::Image { .. } | Tag::Strikethrough | Tag::Emphasis),
            ) => {
                panic!("{name}: {tag:?}")
            }
            Event::Start(Tag::CodeBlock(kind)) => {
                in_code = true;
                let CodeBlockKind::Fenced(language) = kind else {
                    panic!("{name}: an indented block")
                };
                assert!(["text", "toml"].contains(&&*language), "{name}: {language}");
            }
            Event::End(TagEnd::CodeBlock) => in_code = false,
            Event::Html(html) | Event::InlineHtml(html) => assert_collapsed_section(name, &html),
            Event::Text(text) if !in_code => assert_plain(name, &text),
            Event::Text(text) | Event::Code(text) => {
                text.lines().for_each(|line| assert_visible(name, line))
            }
            _ => {}
        }
    }
    links
}

/// Asserts that the only tags are `<details>`, `<summary>` and `<code>`.
fn assert_collapsed_section(name: &str, html: &str) {
    let mut text = html.to_owned();
    for tag in [
        "<details>",
        "</details>",
        "<summary>",
        "</summary>",
        "<code>",
        "</code>",
    ] {
        text = text.replace(tag, "");
    }
    assert!(!text.contains(['<', '>']), "{name}: {html:?}");
    let outside = html.find("<code>").map_or(html, |at| &html[..at]);
    assert!(!outside.contains(['@', '#']), "{name}: {html:?}");
    text.lines().for_each(|line| assert_visible(name, line));
}

/// Asserts that GitHub finds no mention, reference, address or emoji in the text.
fn assert_plain(name: &str, text: &str) {
    let lower = text.to_lowercase();
    for mark in ["@", "#", "://", "www.", "gh-", "<", "::"] {
        assert!(!lower.contains(mark), "{name}: {mark:?} in {text:?}");
    }
    assert_visible(name, text);
}

/// Checks folded stacks as inferno parses them: the number follows the last blank, and no frame is
/// empty or ends in a number.
pub(crate) fn folded(name: &str, document: &str) {
    for line in document.lines() {
        let (stack, number) = line
            .rsplit_once(' ')
            .unwrap_or_else(|| panic!("{name}: {line:?}"));
        number
            .parse::<u64>()
            .unwrap_or_else(|e| panic!("{name}: {e} in {line:?}"));
        assert!(
            !line.starts_with('#')
                && stack
                    .rsplit(' ')
                    .next()
                    .is_some_and(|last| last.parse::<f64>().is_err()),
            "{name}: {line:?}"
        );
        for frame in stack.split(';') {
            assert!(
                !frame.trim().is_empty() && frame.trim() == frame,
                "{name}: {line:?}"
            );
        }
        assert_visible(name, line);
    }
}
