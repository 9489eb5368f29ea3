//! Several findings of a function or of a source line: one rule that accepts them, and one block in
//! the text report.

use leakgate_core::emit::Format;
use leakgate_core::rules::{RuleMetadata, read_file};
use leakgate_core::suppress::{
    RuleOptions, SharedPlace, SharedRule, SharedRuleError, suppress_shared,
};
use leakgate_core::{Config, Gate, NoWorkspace, Outcome};

use crate::common::{self, Judged};

/// A leak: its bytes, and its stack below `malloc`, as `function file:line`.
type Leak<'a> = (u32, &'a [&'a str]);

/// Returns LeakSanitizer's report of leaks in one process.
fn log(leaks: &[Leak<'_>]) -> String {
    let mut out = String::from("==7==ERROR: LeakSanitizer: detected memory leaks\n\n");
    for (bytes, stack) in leaks {
        out += &format!(
            "Direct leak of {bytes} byte(s) in 1 object(s) allocated from:\n    \
             #0 0x51 in malloc (/app/t+0x51)\n"
        );
        for (at, frame) in stack.iter().enumerate() {
            out += &format!("    #{} 0x6{at} in {frame}\n", at + 1);
        }
        out += "\n";
    }
    let total: u32 = leaks.iter().map(|(bytes, _)| bytes).sum();
    out + &format!(
        "SUMMARY: LeakSanitizer: {total} byte(s) leaked in {} allocation(s).\n",
        leaks.len()
    )
}

fn function(name: &str) -> SharedPlace {
    SharedPlace::Function(name.into())
}

fn site(text: &str) -> SharedPlace {
    SharedPlace::Site(text.parse().unwrap())
}

fn shared(
    judged: &Judged,
    place: &SharedPlace,
    kind: Option<&str>,
    is_limited: bool,
) -> Result<SharedRule, SharedRuleError> {
    let options = RuleOptions {
        metadata: RuleMetadata::new("known"),
        taken: judged.gate.rules.iter().map(|r| r.id.clone()).collect(),
        limits: is_limited.then(|| judged.gate.policy.clone()),
        ..RuleOptions::default()
    };
    let kind = kind.map(|kind| kind.parse().unwrap());
    let Judged {
        gate,
        parsed,
        triage,
        ..
    } = judged;
    let kind = kind.as_ref();
    suppress_shared(parsed, gate, triage, &NoWorkspace, place, kind, &options)
}

/// Returns the text of the rule for a place of a log.
fn rule(log: &str, place: &SharedPlace) -> String {
    let judged = common::judge_text(log.as_bytes());
    shared(&judged, place, None, true).unwrap().text
}

/// Returns whether a log passes with the rules.
fn passes(rules: &str, log: &str) -> bool {
    let config = Config::read("leakgate.toml", rules).unwrap();
    let gate = common::gate().with_rules(config.rules);
    let judged = common::judge_by(gate, &[("log".to_owned(), log.as_bytes())]);
    judged.verdict.outcome == Outcome::Pass
}

const FROM_A: Leak<'_> = (
    8,
    &["make /src/m.c:3:9", "a /src/m.c:10:2", "main /src/m.c:40:2"],
);
const FROM_B: Leak<'_> = (
    16,
    &["make /src/m.c:5:9", "b /src/m.c:20:2", "main /src/m.c:41:2"],
);

#[test]
fn function_is_accepted_up_to_its_size_at_any_line() {
    let both = log(&[FROM_A, FROM_B]);
    let rule = rule(&both, &function("make"));
    assert!(
        rule.contains("stack = [\"runtime...\", \"fun:make\"]\n")
            && rule.contains("limit = { bytes = 24, blocks = 2 }\n")
            && rule.contains("kinds = [\"leak-definite\", \"leak-possible\"]\n"),
        "{rule}"
    );
    assert!(passes(&rule, &both));
    let moved = both.replace("m.c:3:9", "m.c:300:9");
    assert!(passes(&rule, &moved));
    // Neither more blocks nor other functions.
    let more = (1, &["make /src/m.c:5:9", "c /src/m.c:30:2"][..]);
    assert!(!passes(&rule, &log(&[FROM_A, FROM_B, more])));
    let other = (1, &["other /src/m.c:5:9", "make /src/m.c:5:9"][..]);
    assert!(!passes(&rule, &log(&[FROM_A, other])));
}

#[test]
fn line_is_accepted_for_all_callers() {
    let from_b = (16, &["make /src/m.c:3:9", "b /src/m.c:20:2"][..]);
    let both = log(&[FROM_A, from_b]);
    for place in ["/src/m.c:3", "src/m.c:3", "m.c:3", "./m.c:3:9"] {
        let rule = rule(&both, &site(place));
        let path = place.trim_start_matches("./").trim_end_matches(":9");
        assert!(rule.contains(&format!("\"src:{path}\"")), "{rule}");
        assert!(passes(&rule, &both));
        assert!(!passes(&rule, &both.replace("m.c:3:9", "m.c:4:9")));
    }
    let judged = common::judge_text(both.as_bytes());
    for place in ["n.c:3", "m.c:4", "m.c:3:8", "xm.c:3"] {
        let error = shared(&judged, &site(place), None, true).unwrap_err();
        let known = vec!["/src/m.c:3".to_owned()];
        assert_eq!(error, SharedRuleError::NotFound { known }, "{place}");
    }
}

#[test]
fn line_with_another_path_in_the_log_keeps_only_the_shared_end() {
    let short = log(&[FROM_A, FROM_B]).replace("/src/m.c", "m.c");
    assert!(rule(&short, &site("m.c:3")).contains("\"src:m.c:3\""));
}

#[test]
fn different_functions_before_the_place_need_a_limit() {
    let json = (
        8,
        &["json_new /usr/include/j.h:3:9", "load /src/m.c:9:2"][..],
    );
    let xml = (
        9,
        &["xml_new /usr/include/x.h:4:9", "load /src/m.c:8:2"][..],
    );
    let both = log(&[json, xml]);
    let rule = rule(&both, &function("load"));
    assert!(
        rule.contains("stack = [\"...\", \"runtime...\", \"fun:load\"]"),
        "{rule}"
    );
    assert!(passes(&rule, &both));
    let larger = (
        10,
        &["xml_new /usr/include/x.h:4:9", "load /src/m.c:8:2"][..],
    );
    assert!(!passes(&rule, &log(&[json, larger])));
    let judged = common::judge_text(both.as_bytes());
    let error = shared(&judged, &function("load"), None, false).unwrap_err();
    assert!(error.to_string().contains("without a limit"), "{error}");
}

#[test]
fn a_rule_that_would_accept_another_finding_is_discarded() {
    // The function is called below another one of the project, which has a leak of its own.
    let json = (
        8,
        &["json_new /usr/include/j.h:3:9", "load /src/m.c:9:2"][..],
    );
    let xml = (
        9,
        &["xml_new /usr/include/x.h:4:9", "load /src/m.c:8:2"][..],
    );
    let inner = (4, &["inner /src/m.c:2:2", "load /src/m.c:7:2"][..]);
    let judged = common::judge_text(log(&[json, xml, inner]).as_bytes());
    let error = shared(&judged, &function("load"), None, true).unwrap_err();
    let SharedRuleError::Unsupported {
        cause,
        fingerprints,
    } = error
    else {
        panic!("{error:?}");
    };
    assert_eq!(cause.to_string(), "it would also accept 1 other finding");
    assert_eq!(fingerprints.len(), 2);
}

#[test]
fn ambiguous_places_and_mixed_kinds_are_errors() {
    let in_n = (4, &["make /src/n.c:3:9", "main /src/m.c:40:2"][..]);
    let scoped = (4, &["x::run /src/n.c:3:9"][..]);
    let other = (4, &["y::run /src/n.c:5:9"][..]);
    let judged = common::judge_text(log(&[FROM_A, in_n, scoped, other]).as_bytes());
    let names = |place: SharedPlace| match shared(&judged, &place, None, true) {
        Err(SharedRuleError::Ambiguous { names }) => names,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        names(function("make")),
        ["make in /src/m.c", "make in /src/n.c"]
    );
    assert_eq!(
        names(function("run")),
        ["x::run in /src/n.c", "y::run in /src/n.c"]
    );
    assert!(shared(&judged, &function("x::run"), None, true).is_ok());

    let error = "==7==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x60\n\
        READ of size 4 at 0x60 thread T0\n    #0 0x51 in make /src/m.c:7:2\n\n\
        SUMMARY: AddressSanitizer: heap-buffer-overflow /src/m.c:7:2 in make\n\n";
    let both = log(&[FROM_A, FROM_B]);
    let files = [
        ("a".to_owned(), error.as_bytes()),
        ("b".to_owned(), both.as_bytes()),
    ];
    let judged = common::judge(&files);
    let kinds = vec!["heap-buffer-overflow".to_owned(), "leaks".to_owned()];
    let error = shared(&judged, &function("make"), None, true).unwrap_err();
    assert_eq!(error, SharedRuleError::SeveralKinds { kinds });
    for (kind, findings) in [("leaks", 2), ("heap-buffer-overflow", 1)] {
        let rule = shared(&judged, &function("make"), Some(kind), true).unwrap();
        assert_eq!(rule.findings.len(), findings, "{}", rule.text);
    }
    let rule = shared(
        &judged,
        &function("make"),
        Some("heap-buffer-overflow"),
        true,
    )
    .unwrap();
    assert!(
        rule.text.contains("limit = { per-process = 1 }"),
        "{}",
        rule.text
    );
}

#[test]
fn findings_of_other_rules_are_left_to_them() {
    let text = log(&[FROM_A, FROM_B]);
    let files = [("log".to_owned(), text.as_bytes())];
    let first = "[[allow]]\nid = \"first\"\nstack = [\"...\", \"fun:b\"]\nreason = \"x\"\n";
    let config = Config::read("leakgate.toml", first).unwrap();
    let judged = common::judge_by(common::gate().with_rules(config.rules), &files);
    let rule = shared(&judged, &function("make"), None, true).unwrap();
    assert_eq!(rule.findings.len(), 1);
    assert!(
        rule.text.contains("limit = { bytes = 8, blocks = 1 }"),
        "{}",
        rule.text
    );
    assert!(passes(&(first.to_owned() + &rule.text), &text));

    // The rule would come before this suppression.
    let (_, rules) = read_file("s.supp", "leak:^b$\n").unwrap();
    let gate: Gate = common::gate().with_rules(rules);
    let judged = common::judge_by(gate, &files);
    let error = shared(&judged, &function("make"), None, true).unwrap_err();
    assert_eq!(error.to_string(), "it would also accept 1 other finding");
}

#[test]
fn text_report_shows_findings_of_a_function_together() {
    let other = (100, &["other /src/m.c:3:9", "a /src/m.c:10:2"][..]);
    let judged = common::judge_text(log(&[FROM_A, other, FROM_B]).as_bytes());
    let text = judged.document(Format::Text);
    let all: Vec<String> = judged.fingerprints().map(|(text, _)| text).collect();
    let blocks: Vec<&str> = text
        .split("\n\n")
        .filter(|block| block.contains("lg2-"))
        .collect();
    let [first, second] = blocks.as_slice() else {
        panic!("{text}");
    };
    assert!(first.starts_with("leak-definite 100 bytes in 1 block\n  --> /src/m.c:3:9 in other\n"));
    assert!(
        second.starts_with(
            "leak-definite 24 bytes in 2 blocks\n  --> /src/m.c in make: 2 findings at 2 sites\n"
        ),
        "{second}"
    );
    for (at, bytes, line, caller) in [(2, 16, 5, "b /src/m.c:20:2"), (0, 8, 3, "a /src/m.c:10:2")] {
        let line = format!(
            "\n  {} leak-definite {bytes} bytes in 1 block at /src/m.c:{line}:9, from {caller} (lsan ",
            all[at]
        );
        assert!(second.contains(&line), "{line}\n{second}");
    }
    assert!(text.contains("3 unexpected findings; "), "{text}");

    let style = leakgate_core::emit::RenderOptions {
        max_findings: Some(2),
        ..common::style()
    };
    let short = judged.document_in(Format::Text, &style);
    assert!(
        short.contains(&all[2]) && !short.contains(&all[0]) && short.contains("1 more finding"),
        "{short}"
    );
}

#[test]
fn full_stacks_show_each_finding_with_every_frame() {
    let rust = |name: &'static str| (8, [name, "<a::V<u8>>::new /src/a.rs:3:9"]);
    let (one, two) = (
        rust("alloc::alloc::alloc::h0123456789abcdef /rustc/1/library/alloc/src/alloc.rs:1:1"),
        rust("std::f::h0123456789abcdef /rustc/1/library/std/src/f.rs:2:2"),
    );
    let stack = [one.1[0], two.1[0], one.1[1], "main /src/a.rs:9:9"];
    let other = [one.1[0], two.1[0], one.1[1], "b::run /src/b.rs:9:9"];
    let judged = common::judge_text(log(&[(8, &stack), (9, &other)]).as_bytes());
    let text = |full_stacks| {
        let style = leakgate_core::emit::RenderOptions {
            full_stacks,
            ..common::style()
        };
        let text = judged.document_in(Format::Text, &style);
        (text, judged.document_in(Format::Markdown, &style))
    };
    let (short, short_markdown) = text(false);
    let (full, full_markdown) = text(true);
    for short in [&short, &short_markdown] {
        assert!(
            short.contains("… 2 frames of the Rust standard library\n"),
            "{short}"
        );
        assert!(short.contains("> a::V::new  /src/a.rs:3:9\n"), "{short}");
    }
    for full in [&full, &full_markdown] {
        assert!(
            full.contains("alloc::alloc::alloc::h0123456789abcdef  /rustc/1/"),
            "{full}"
        );
        assert!(
            full.contains("> <a::V<u8>>::new  /src/a.rs:3:9\n"),
            "{full}"
        );
    }
    assert_eq!(short.matches("\n  --> ").count(), 1);
    assert_eq!(full.matches("\n  --> ").count(), 2);
    let all: Vec<String> = judged.fingerprints().map(|(text, _)| text).collect();
    assert!(
        all.iter()
            .all(|text| short.contains(text) && full.contains(text))
    );
}
