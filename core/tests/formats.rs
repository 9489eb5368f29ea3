//! Every document of every real report, and of hostile ones, is read back by a parser of its
//! format.

#![allow(clippy::expect_used, clippy::panic, reason = "this is a test")]

mod common;
#[path = "schema/contract.rs"]
mod contract;
#[path = "formats/hostile.rs"]
mod hostile;
#[path = "formats/read.rs"]
mod read;

use leakgate_core::emit::{Format, Style};
use leakgate_core::{Outcome, Verdict, advice};
use serde_json::Value;

use common::Judged;

/// Judges each case and hands it to a check, in a few threads.
fn for_each_case(check: impl Fn(&str, &Judged) + Sync) {
    let cases = common::cases();
    let part = cases.len().div_ceil(4);
    std::thread::scope(|scope| {
        for cases in cases.chunks(part) {
            scope.spawn(|| {
                cases
                    .iter()
                    .for_each(|case| check(&case.name, &common::judge(&case.files)))
            });
        }
    });
}

/// Reasons that are no findings: each document has to tell them.
fn other_reasons(verdict: &Verdict) -> usize {
    verdict
        .reasons
        .iter()
        .filter(|r| !r.code.is_about_findings())
        .count()
}

fn open_findings(judged: &Judged) -> usize {
    judged
        .verdict
        .reasons
        .iter()
        .find(|r| r.code.as_str() == "unexpected-finding")
        .map_or(0, |r| r.count as usize)
}

#[test]
fn sarif_is_valid_and_within_the_rules_of_github() {
    let schema = read::sarif_schema();
    for_each_case(|name, judged| {
        for accepted in [false, true] {
            let style = Style {
                accepted,
                ..common::style()
            };
            let document: Value =
                serde_json::from_str(&judged.document_in(Format::Sarif, &style)).expect("JSON");
            if let Err(error) = schema.validate(&document) {
                panic!("{name}: {error} at {}", error.instance_path());
            }
            read::check_for_github(name, &document);
            let results = document
                .pointer("/runs/0/results")
                .and_then(Value::as_array)
                .expect("results");
            assert!(
                accepted || results.len() == open_findings(judged),
                "{name}: {} results",
                results.len()
            );
            let whole = &document["runs"][0]["invocations"][0]["executionSuccessful"];
            assert_eq!(
                whole,
                &Value::Bool(other_reasons(&judged.verdict) == 0),
                "{name}"
            );
        }
    });
}

#[test]
fn code_quality_has_what_gitlab_needs() {
    for_each_case(|name, judged| {
        let document: Value = serde_json::from_str(&judged.document(Format::Gitlab)).expect("JSON");
        let issues = read::issues(name, &document);
        assert_eq!(
            issues,
            open_findings(judged) + other_reasons(&judged.verdict),
            "{name}"
        );
    });
}

#[test]
fn junit_counts_what_it_holds() {
    for_each_case(|name, judged| {
        let counts = read::junit(name, &judged.document(Format::Junit));
        assert_eq!(counts.errors, other_reasons(&judged.verdict), "{name}");
        assert_eq!(counts.failures, open_findings(judged), "{name}");
        assert_eq!(
            counts.errors + counts.failures == 0,
            judged.verdict.outcome == Outcome::Pass,
            "{name}"
        );
        assert!(counts.tests > counts.failures, "{name}");
    });
}

#[test]
fn annotations_are_commands_and_within_the_limit() {
    for_each_case(|name, judged| {
        let commands = read::annotations(name, &judged.document(Format::Annotations));
        let all = open_findings(judged) + other_reasons(&judged.verdict);
        assert_eq!(
            commands.iter().filter(|c| c.name == "error").count(),
            all.min(10),
            "{name}"
        );
        if all > 10 {
            assert!(
                commands[9]
                    .data
                    .starts_with(&format!("{} of the {all} errors", all - 9)),
                "{name}: {}",
                commands[9].data
            );
        }
    });
}

#[test]
fn markdown_is_plain_and_short_enough() {
    for_each_case(|name, judged| {
        for budget in [65_000, 4000, 2000, 10] {
            let text = judged.document_in(
                Format::Markdown,
                &Style {
                    budget,
                    ..common::style()
                },
            );
            assert!(
                text.encode_utf16().count() <= budget,
                "{name}: too long for {budget}"
            );
            assert!(
                budget < 2000 || text.contains("leakgate: "),
                "{name}: no verdict in {budget}"
            );
            read::markdown(name, &text);
        }
    });
}

#[test]
fn folded_stacks_have_a_number_each() {
    for_each_case(|name, judged| {
        let style = Style {
            accepted: true,
            ..common::style()
        };
        read::folded(name, &judged.document_in(Format::Folded, &style));
    });
}

#[test]
fn no_runner_finds_a_command_in_another_document() {
    for_each_case(|name, judged| {
        for format in Format::ALL.iter().filter(|f| **f != Format::Annotations) {
            assert_eq!(
                read::commands(&judged.document(*format)),
                [],
                "{name}: {}",
                format.as_str()
            );
        }
    });
}

#[test]
fn every_kind_that_was_ever_seen_is_explained() {
    for_each_case(|name, judged| {
        for finding in &judged.parsed.findings {
            assert!(
                advice::named(finding.kind.as_str()).is_some(),
                "{name}: nothing is said about {}",
                finding.kind
            );
        }
    });
}

#[test]
fn help_is_markdown_without_links_and_html() {
    for kind in advice::kinds() {
        let help = advice::named(&kind.replace('*', "x")).expect("an entry");
        for text in [Some(help.meaning), Some(help.fix), help.harmless, help.more]
            .into_iter()
            .flatten()
        {
            read::markdown(kind, text);
        }
    }
}

#[test]
fn text_fits_a_terminal() {
    let case = common::cases()
        .into_iter()
        .find(|case| case.name == "memcheck/all-leaks-rust")
        .expect("a case");
    let judged = common::judge(&case.files);
    let text = |width| {
        judged.document_in(
            Format::Text,
            &Style {
                width,
                ..common::style()
            },
        )
    };
    let longest = |text: &str| {
        text.lines()
            .filter(|l| l.starts_with("    ") || l.contains("> "))
            .map(|l| l.chars().count())
            .max()
            .unwrap_or(0)
    };
    let (free, narrow) = (text(None), text(Some(80)));
    assert!(
        longest(&free) > 150 && longest(&narrow) <= 80,
        "{} {}\n{narrow}",
        longest(&free),
        longest(&narrow)
    );
    // Places are what a person clicks on: none is cut.
    let places = |text: &str| {
        text.split_whitespace()
            .filter(|w| w.contains(".rs:"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(places(&free), places(&narrow));
}
