//! Tests the input `merge` of the action.

use serde_json::{Value, json};

use crate::common::step::fake::{Fault, REPOSITORY_ID};
use crate::common::step::{CLEAN_LOG, Step, json_report, leaks, zip_archive};

/// Id of the first workflow run of a step.
const RUN: u64 = 77;

/// Returns the data about the origin of a report.
fn origin(job: &str, index: u32, total: u32) -> Value {
    json!({
        "schema": "leakgate-publish/v1", "pull_request": null, "head_sha": "", "job": job,
        "matrix_leg": { "index": index, "total": total },
    })
}

/// Adds an artifact that another job of the run uploaded.
fn add_artifact(step: &Step, name: &str, members: &[(&str, &str)]) {
    let mut state = step.fake.state();
    let id = state.next_id();
    state.artifacts.push(json!({
        "id": id, "name": name, "expired": false, "size_in_bytes": 9,
        "workflow_run": { "id": RUN },
    }));
    state.zips.insert(id, zip_archive(members));
}

fn add_report(step: &Step, name: &str, log: &str, origin: &Value) {
    let members = [
        ("leakgate.json", json_report(log)),
        ("publish.json", origin.to_string()),
    ];
    let members = members
        .each_ref()
        .map(|(name, text)| (*name, text.as_str()));
    add_artifact(step, name, &members);
}

/// Returns a step that merges the reports of other jobs.
fn merging_step() -> Step {
    Step::pull_request(REPOSITORY_ID)
        .with("LEAKGATE_REPORTS", "")
        .with("LEAKGATE_MERGE", "leakgate-*")
        .with("GITHUB_JOB", "report")
}

fn needs(jobs: &[(&str, &str)]) -> String {
    let job = |(name, result): &(&str, &str)| ((*name).to_owned(), json!({ "result": result }));
    let jobs: serde_json::Map<String, Value> = jobs.iter().map(job).collect();
    Value::from(jobs).to_string()
}

#[test]
fn reports_of_a_matrix_become_one_verdict() {
    let step = merging_step().with("LEAKGATE_NEEDS", &needs(&[("test", "failure")]));
    add_report(&step, "leakgate-gcc", &leaks(2), &origin("test", 0, 2));
    add_report(&step, "leakgate-clang", &leaks(1), &origin("test", 1, 2));
    let result = step.action();
    assert_eq!(result.status, 1, "{}", result.stdout);
    let outputs = ["outcome", "unexpected", "name"].map(|name| result.outputs[name].as_str());
    assert_eq!(outputs, ["fail", "2", "leakgate-report"]);
    assert_eq!(step.comments().len(), 1);
    let runs = step.check_runs();
    assert_eq!((runs.len(), &runs[0]["conclusion"]), (1, &"failure".into()));
    assert_eq!(runs[0]["annotations"].as_array().unwrap().len(), 2);
    let path = std::path::Path::new(&result.outputs["reports"]).join("publish.json");
    let own: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(
        (&own["job"], &own["is_merged"]),
        (&"report".into(), &true.into())
    );
}

#[test]
fn clean_reports_pass() {
    for needs in ["", &needs(&[("test", "success"), ("build", "success")])] {
        let step = merging_step().with("LEAKGATE_NEEDS", needs);
        add_report(&step, "leakgate-gcc", CLEAN_LOG, &origin("test", 0, 2));
        add_report(&step, "leakgate-clang", CLEAN_LOG, &origin("test", 1, 2));
        // The merged report of an earlier attempt is not merged again.
        let mut merged = origin("report", 0, 1);
        merged["is_merged"] = true.into();
        add_report(&step, "leakgate-report", &leaks(1), &merged);
        let result = step.action();
        assert_eq!(result.status, 0, "{}", result.stdout);
        assert_eq!(step.check_runs()[0]["conclusion"], "success");
        assert_eq!(
            result.stderr.contains("set the input `needs`"),
            needs.is_empty()
        );
    }
}

#[test]
fn missing_report_is_an_error() {
    let clean = json_report(CLEAN_LOG);
    let gcc = origin("test", 0, 2);
    for (needs, artifact, want) in [
        // The job succeeds if the leg may fail (`continue-on-error`).
        ("", None, "only 1 of the 2 legs of its matrix"),
        (
            &needs(&[("test", "success")]),
            None,
            "only 1 of the 2 legs of its matrix",
        ),
        (
            &needs(&[("test", "failure")]),
            None,
            "it failed, but not because",
        ),
        (
            &needs(&[("test", "cancelled")]),
            None,
            "`test`: it was cancelled",
        ),
        (
            &needs(&[("asan", "skipped")]),
            None,
            "`asan`: it was skipped",
        ),
        (
            &needs(&[("test", "success")]),
            Some(("leakgate-binaries", vec![("a.out", "ELF")])),
            "cannot merge the artifact leakgate-binaries: it is not from leakgate",
        ),
        (
            &needs(&[("test", "success")]),
            Some(("leakgate-b", vec![("publish.json", &gcc.to_string())])),
            "cannot merge the artifact leakgate-b: leakgate.json not found",
        ),
        (
            &needs(&[("test", "success")]),
            Some((
                "leakgate-b",
                vec![("publish.json", &gcc.to_string()), ("leakgate.json", "{")],
            )),
            "invalid JSON report",
        ),
    ] {
        let step = merging_step().with("LEAKGATE_NEEDS", needs);
        let origin_text = gcc.to_string();
        add_artifact(
            &step,
            "leakgate-gcc",
            &[("leakgate.json", &clean), ("publish.json", &origin_text)],
        );
        if let Some((name, members)) = artifact {
            add_artifact(&step, name, &members);
        }
        let result = step.action();
        assert_eq!(
            (result.status, result.outputs["outcome"].as_str()),
            (2, "error"),
            "{want}: {}",
            result.stdout
        );
        assert!(result.stdout.contains(want), "{want}: {}", result.stdout);
        assert_eq!(step.check_runs()[0]["conclusion"], "failure");
    }
}

#[test]
fn nothing_to_merge_is_an_error() {
    let step = merging_step();
    let result = step.action();
    assert_eq!(
        (result.status, result.outputs["outcome"].as_str()),
        (2, "error")
    );
    let want = "no job of this run has uploaded an artifact named leakgate-*";
    assert!(result.stdout.contains(want), "{}", result.stdout);

    let step = merging_step();
    step.fake.fail_always("GET", "/artifacts", Fault::Forbidden);
    let result = step.action();
    assert_eq!(result.status, 2);
    assert!(
        result.stdout.contains("`actions: read`"),
        "{}",
        result.stdout
    );

    let result = merging_step().with("LEAKGATE_TOKEN", "").action();
    assert_eq!(result.status, 2);
    assert!(
        result.stdout.contains("the input `token` is empty"),
        "{}",
        result.stdout
    );
}
