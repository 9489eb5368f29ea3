//! Every report of every case, and of logs with hostile names, is parsed by a reader of its format.

pub(crate) mod hostile;
mod read;
mod services;

use leakgate_core::emit::{Format, RenderOptions};
use leakgate_core::{Outcome, Verdict, advice};
use libtest_mimic::Trial;
use serde_json::Value;

use crate::common::{self, Case, Judged};

/// The checks of a case, which panic with its name.
const CHECKS: &[fn(&str, &Judged)] = &[
    sarif_is_valid_and_within_the_limits_of_github,
    code_quality_has_the_fields_that_gitlab_requires,
    junit_counts_its_elements,
    annotations_are_commands_within_the_limit,
    markdown_is_plain_and_short_enough,
    markdown_links_only_files_of_the_repository,
    folded_stacks_end_with_a_number,
    services::check,
    other_formats_contain_no_workflow_command,
    kinds_have_help,
];

/// Returns one test for each case, and the tests that are not about a case.
pub(crate) fn trials() -> Vec<Trial> {
    let mut trials: Vec<Trial> = common::cases().iter().map(trial).collect();
    let tests = [
        (
            "help_is_markdown_without_links_and_html",
            help_is_markdown_without_links_and_html as fn(),
        ),
        ("text_fits_a_terminal", text_fits_a_terminal),
        ("hostile_names_are_parsed", hostile::names_are_parsed),
        ("hostile_names_are_escaped", hostile::names_are_escaped),
        (
            "single_hostile_names_are_escaped",
            hostile::single_names_are_escaped,
        ),
        (
            "hostile_names_with_line_ends_are_escaped",
            hostile::names_with_line_ends_are_escaped,
        ),
    ];
    trials.extend(tests.map(|(name, test)| {
        Trial::test(format!("formats/{name}"), move || {
            test();
            Ok(())
        })
    }));
    trials
}

fn trial(case: &'static Case) -> Trial {
    Trial::test(format!("formats/{}", case.name), move || {
        let judged = common::judge(&case.files);
        CHECKS.iter().for_each(|check| check(&case.name, &judged));
        Ok(())
    })
}

/// Returns the number of reasons other than findings, which every report must contain.
fn other_reasons(verdict: &Verdict) -> usize {
    verdict
        .reasons
        .iter()
        .filter(|r| !r.code.is_about_findings())
        .count()
}

/// Returns the number of unexpected findings.
fn unexpected_findings(judged: &Judged) -> usize {
    judged
        .verdict
        .reasons
        .iter()
        .find(|r| r.code.as_str() == "unexpected-finding")
        .map_or(0, |r| r.count as usize)
}

fn sarif_is_valid_and_within_the_limits_of_github(name: &str, judged: &Judged) {
    for accepted in [false, true] {
        let style = RenderOptions {
            show_accepted: accepted,
            ..common::style()
        };
        let document: Value =
            serde_json::from_str(&judged.document_in(Format::Sarif, &style)).expect("JSON");
        if let Err(error) = read::sarif_schema().validate(&document) {
            panic!("{name}: {error} at {}", error.instance_path());
        }
        read::check_for_github(name, &document);
        let results = document
            .pointer("/runs/0/results")
            .and_then(Value::as_array)
            .expect("results");
        assert!(
            accepted || results.len() == unexpected_findings(judged),
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
}

fn code_quality_has_the_fields_that_gitlab_requires(name: &str, judged: &Judged) {
    let document: Value = serde_json::from_str(&judged.document(Format::Gitlab)).expect("JSON");
    let issues = read::issues(name, &document);
    assert_eq!(
        issues,
        unexpected_findings(judged) + other_reasons(&judged.verdict),
        "{name}"
    );
}

fn junit_counts_its_elements(name: &str, judged: &Judged) {
    let counts = read::junit(name, &judged.document(Format::Junit));
    assert_eq!(counts.errors, other_reasons(&judged.verdict), "{name}");
    assert_eq!(counts.failures, unexpected_findings(judged), "{name}");
    assert_eq!(
        counts.errors + counts.failures == 0,
        judged.verdict.outcome == Outcome::Pass,
        "{name}"
    );
    assert!(counts.tests > counts.failures, "{name}");
}

fn annotations_are_commands_within_the_limit(name: &str, judged: &Judged) {
    let commands = read::annotations(name, &judged.document(Format::Annotations));
    let all = unexpected_findings(judged) + other_reasons(&judged.verdict);
    assert_eq!(
        commands.iter().filter(|c| c.name == "error").count(),
        all.min(10),
        "{name}"
    );
    if all > 10 {
        assert!(
            commands[9]
                .data
                .starts_with(&format!("{} of {all} leakgate errors", all - 9)),
            "{name}: {}",
            commands[9].data
        );
    }
}

fn markdown_is_plain_and_short_enough(name: &str, judged: &Judged) {
    for budget in [65_000, 4000, 2000, 10] {
        let text = judged.document_in(
            Format::Markdown,
            &RenderOptions {
                max_characters: budget,
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
}

/// The places of all findings in the repository are links, and nothing else changes.
fn markdown_links_only_files_of_the_repository(name: &str, judged: &Judged) {
    const FILES: &str = "https://github.example/o/r/blob/0123abc";
    let style = RenderOptions {
        files_url: Some(FILES),
        max_characters: 10_000_000,
        ..common::style()
    };
    let plain = RenderOptions {
        files_url: None,
        ..style
    };
    let text = judged.document_in(Format::Markdown, &style);
    let links = read::markdown_with_links(name, &text, Some(FILES));
    let is_changed = text != judged.document_in(Format::Markdown, &plain);
    assert_eq!(links > 0, is_changed, "{name}");
}

fn folded_stacks_end_with_a_number(name: &str, judged: &Judged) {
    let style = RenderOptions {
        show_accepted: true,
        ..common::style()
    };
    read::folded(name, &judged.document_in(Format::Folded, &style));
}

fn other_formats_contain_no_workflow_command(name: &str, judged: &Judged) {
    for format in Format::ALL.iter().filter(|f| **f != Format::Annotations) {
        assert_eq!(
            read::commands(&judged.document(*format)),
            [],
            "{name}: {}",
            format.as_str()
        );
    }
}

fn kinds_have_help(name: &str, judged: &Judged) {
    for finding in &judged.parsed.findings {
        assert!(
            advice::find_help(finding.kind.as_str()).is_some(),
            "{name}: no help for {}",
            finding.kind
        );
    }
}

fn help_is_markdown_without_links_and_html() {
    for kind in advice::kinds() {
        let help = advice::find_help(&kind.replace('*', "x")).expect("an entry");
        for text in [Some(help.meaning), Some(help.fix), help.harmless, help.more]
            .into_iter()
            .flatten()
        {
            read::markdown(kind, text);
        }
    }
}

fn text_fits_a_terminal() {
    const WIDTH: usize = 60;
    common::for_each_case(|case| {
        let judged = common::judge(&case.files);
        let text = |width| {
            let style = RenderOptions {
                width,
                ..common::style()
            };
            judged.document_in(Format::Text, &style)
        };
        let (free, narrow) = (text(None), text(Some(WIDTH)));
        assert!(!narrow.contains('\u{1f}'), "{}", case.name);
        // Nothing is shortened.
        let words =
            |text: &str| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
        assert_eq!(words(&free), words(&narrow), "{}", case.name);
        // Names and paths are whole, because terminals make them links, and users copy them.
        let is_frame = |line: &&str| line.starts_with("    ") && !line.starts_with("     ");
        for line in free.lines().filter(is_frame) {
            let mut parts = line.trim().split("  ");
            assert!(
                parts.all(|part| part.starts_with('…') || narrow.contains(part)),
                "{}: {line}\n{narrow}",
                case.name
            );
        }
    });
    let judged = common::judge(&common::case("memcheck/default-options").files);
    let style = RenderOptions {
        width: Some(WIDTH),
        color: true,
        ..common::style()
    };
    let narrow = judged.document_in(Format::Text, &style);
    let reason =
        "fail:\u{1b}[0m 1,500,164 bytes in 4 blocks definitely lost, 64 bytes\n        in 1";
    assert!(narrow.contains(reason), "{narrow}");
}
