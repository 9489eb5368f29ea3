//! Tests the effect of inputs of the action with an in-memory fake of GitHub.

use serde_json::{Value, json};

use crate::common::step::fake::{Fault, REPOSITORY_ID};
use crate::common::step::{BASE, CLEAN_LOG, NAME, Step, json_report, leaks, zip_archive};

/// Returns a step for a pull request that adds these lines of `src/a.c`.
fn pull_request_that_adds(lines: &[u32]) -> Step {
    let step = Step::pull_request(REPOSITORY_ID).with("LEAKGATE_ANNOTATIONS", "changed-lines");
    let number = step.pull_number().as_u64().unwrap();
    let patch: String = lines
        .iter()
        .map(|line| format!("@@ -{line},0 +{line} @@\n+new\n"))
        .collect();
    step.fake.state().files.insert(
        number,
        vec![json!({ "filename": "src/a.c", "additions": lines.len(), "patch": patch })],
    );
    step
}

/// Returns the lines of the annotations of the only check run.
fn annotated_lines(step: &Step) -> Vec<u64> {
    let runs = step.check_runs();
    assert_eq!(runs.len(), 1);
    let annotations = runs[0]["annotations"].as_array().unwrap();
    annotations
        .iter()
        .map(|annotation| annotation["start_line"].as_u64().unwrap())
        .collect()
}

#[test]
fn report_only_reports_a_failure_without_failing() {
    let step = Step::pull_request(REPOSITORY_ID).with("LEAKGATE_MODE", "report-only");
    let step = step.log(&leaks(1));
    let result = step.action();
    assert_eq!(
        (result.status, result.outputs["outcome"].as_str()),
        (0, "fail"),
        "{}",
        result.stderr
    );
    assert_eq!(step.check_runs()[0]["conclusion"], "neutral");
    for text in [&result.summary, &step.comments()[0]] {
        assert!(
            text.contains("leakgate: fail") && text.contains("`mode: report-only`"),
            "{text}"
        );
    }
    let result = step.log(CLEAN_LOG).action();
    assert_eq!(
        (result.status, result.outputs["outcome"].as_str()),
        (0, "pass")
    );
    assert!(
        !result.summary.contains("report-only"),
        "{}",
        result.summary
    );
}

#[test]
fn report_only_fails_if_an_input_cannot_be_read() {
    let step = Step::pull_request(REPOSITORY_ID)
        .with("LEAKGATE_MODE", "report-only")
        .with("LEAKGATE_REPORTS", "missing.log");
    let result = step.action();
    assert_eq!(
        (result.status, result.outputs["outcome"].as_str()),
        (2, "error")
    );
    assert_eq!(step.check_runs()[0]["conclusion"], "failure");
}

#[test]
fn report_only_applies_to_published_results() {
    let failing = json_report(&leaks(1));
    let step = Step::workflow_run(7, "stranger", &[("leakgate.json", &failing)]);
    let step = step.with("LEAKGATE_MODE", "report-only");
    assert_eq!(step.run("publish").status, 0);
    assert_eq!(step.check_runs()[0]["conclusion"], "neutral");
}

#[test]
fn comment_on_new_appears_only_while_there_are_new_findings() {
    let zip = zip_archive(&[("leakgate.json", &json_report(&leaks(2)))]);
    let step = Step::pull_request(REPOSITORY_ID)
        .with("LEAKGATE_COMMENT", "on-new")
        .log(&leaks(2));
    step.fake.state().add_push(NAME, "main", BASE, zip);
    let result = step.action();
    assert_eq!((result.status, result.outputs["new"].as_str()), (1, "0"));
    assert_eq!(step.comments(), Vec::<String>::new());

    let step = step.log(&leaks(3));
    assert_eq!(step.action().outputs["new"], "1");
    assert!(step.comments()[0].contains("3 unexpected findings"));
    let step = step.log(&leaks(1));
    step.action();
    assert_eq!(step.comments(), Vec::<String>::new());
}

#[test]
fn published_results_have_no_new_findings_to_comment_on() {
    let failing = json_report(&leaks(1));
    let step = Step::workflow_run(7, "stranger", &[("leakgate.json", &failing)]);
    let result = step.with("LEAKGATE_COMMENT", "on-new").run("publish");
    assert_eq!(result.status, 2);
    assert!(
        result.commands()[0].ends_with("expected one of: on-findings, always, never"),
        "{:?}",
        result.commands()
    );
}

#[test]
fn only_findings_at_changed_lines_are_annotated() {
    let step = pull_request_that_adds(&[2, 4, 9]).log(&leaks(5));
    let result = step.action();
    assert_eq!(result.outputs["unexpected"], "5");
    assert_eq!(annotated_lines(&step), [2, 4]);
    assert!(
        result.stderr.contains("not at changed lines: 3"),
        "{}",
        result.stderr
    );
    assert!(
        result.summary.contains("5 unexpected findings"),
        "{}",
        result.summary
    );

    // The same without a check run.
    let step = step.with("LEAKGATE_CHECK_RUN", "false");
    let result = step.action();
    let commands = result.commands();
    assert_eq!(commands.len(), 2, "{commands:?}");
    assert!(
        commands.iter().all(|command| {
            command.contains("file=src/a.c,line=2,") || command.contains("file=src/a.c,line=4,")
        }),
        "{commands:?}"
    );
}

#[test]
fn reasons_are_annotated_whatever_lines_are_changed() {
    let step = pull_request_that_adds(&[2]).log("no checker output\n");
    step.action();
    let runs = step.check_runs();
    let annotations = runs[0]["annotations"].as_array().unwrap();
    assert_eq!(annotations.len(), 1, "{annotations:?}");
}

#[test]
fn all_findings_are_annotated_if_the_changed_lines_are_unknown() {
    let failing = pull_request_that_adds(&[2]);
    failing
        .fake
        .fail_always("GET", "files", Fault::Unprocessable);
    let large = pull_request_that_adds(&[2]);
    let number = large.pull_number().as_u64().unwrap();
    large.fake.state().files.get_mut(&number).unwrap()[0]["patch"] = Value::Null;
    let push = Step::new("push", json!({})).with("LEAKGATE_ANNOTATIONS", "changed-lines");
    for (step, want) in [
        (failing, "cannot read the changed lines of the pull request"),
        (large, ""),
        (push, "not for a pull request"),
    ] {
        let step = step.log(&leaks(3));
        let result = step.action();
        assert_eq!(annotated_lines(&step), [1, 2, 3], "{want}");
        let warning = result
            .commands()
            .into_iter()
            .find(|command| command.contains("annotating all findings: "));
        assert_eq!(warning.is_some(), !want.is_empty(), "{want}");
        assert!(
            warning.is_none_or(|warning| warning.contains(want)),
            "{warning:?}"
        );
    }
}
