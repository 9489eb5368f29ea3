//! Tests that no step overwrites the results of another: two steps of a job, two jobs, two
//! workflows, the legs of a matrix, and attempts of the same run.

use std::fs;

use serde_json::Value;

use crate::common::step::fake::REPOSITORY_ID;
use crate::common::step::{CLEAN_LOG, Step, StepResult, leaks};

/// Results of a step with a clean log or a leak.
const BOTH_ORDERS: [[bool; 2]; 2] = [[false, true], [true, false]];

fn log(passes: bool) -> String {
    if passes {
        CLEAN_LOG.to_owned()
    } else {
        leaks(1)
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Returns names and conclusions of all check runs, oldest first.
fn check_runs(step: &Step) -> Vec<(String, String)> {
    let runs = step.check_runs();
    runs.iter()
        .map(|run| (text(&run["name"]), text(&run["conclusion"])))
        .collect()
}

/// Asserts that the newest check run of each name fails if any of that name failed.
fn assert_no_hidden_failure(step: &Step) {
    let runs = check_runs(step);
    for (at, (name, conclusion)) in runs.iter().enumerate() {
        let is_later_pass = |run: &&(String, String)| run.0 == *name && run.1 != "failure";
        let hiding = runs[at..].iter().find(is_later_pass);
        assert!(conclusion != "failure" || hiding.is_none(), "{runs:?}");
    }
}

/// Runs a step as the first of another job of the same run.
fn run_in_next_job(step: &Step) -> StepResult {
    let _ = fs::remove_file(step.dir.path().join("temp/leakgate-names"));
    step.run_in_same_run("action")
}

#[test]
fn second_step_of_a_job_gets_its_own_name() {
    for name in ["", "memory"] {
        for [first, second] in BOTH_ORDERS {
            let step = Step::pull_request(REPOSITORY_ID).with("LEAKGATE_NAME", name);
            let step = step.log(&log(first));
            let plain = step.action().outputs["name"].clone();
            let step = step.log(&log(second));
            let result = step.run_in_same_run("action");
            assert_eq!(result.outputs["name"], format!("{plain}-2"));
            assert!(result.stderr.contains("an earlier step of this job uses"));
            assert_no_hidden_failure(&step);
            assert_eq!(check_runs(&step).len(), 2);
            // The comment of the failing step stays.
            assert_eq!(step.comments().len(), 1);
        }
    }
}

#[test]
fn two_jobs_with_one_name_keep_both_results() {
    for [first, second] in BOTH_ORDERS {
        let step = Step::pull_request(REPOSITORY_ID).with("LEAKGATE_NAME", "memory");
        let step = step.log(&log(first));
        step.action();
        let step = step.log(&log(second)).with("GITHUB_JOB", "other");
        let result = run_in_next_job(&step);
        assert_no_hidden_failure(&step);
        assert_eq!(step.comments().len(), 1);
        let is_renamed = second && !first;
        assert_eq!(
            result
                .stdout
                .contains("give each job and workflow its own `name`"),
            is_renamed,
            "{}",
            result.stdout
        );
        let (name, _) = check_runs(&step).pop().unwrap();
        assert_eq!(name == "memory (other)", is_renamed, "{name}");
    }
}

#[test]
fn two_workflows_with_one_name_keep_both_results() {
    for [first, second] in BOTH_ORDERS {
        let step = Step::pull_request(REPOSITORY_ID).with("LEAKGATE_NAME", "memory");
        let reference = "octo/leaky/.github/workflows/asan.yml@refs/pull/1/merge";
        let step = step.with("GITHUB_WORKFLOW_REF", reference).log(&log(first));
        step.action();
        let reference = "octo/leaky/.github/workflows/valgrind.yml@refs/pull/1/merge";
        let step = step
            .with("GITHUB_WORKFLOW_REF", reference)
            .log(&log(second));
        step.action();
        assert_no_hidden_failure(&step);
        assert_eq!(step.comments().len(), 1);
    }
}

#[test]
fn default_names_differ_between_workflows_jobs_and_matrix_legs() {
    let step = Step::pull_request(REPOSITORY_ID).log(&leaks(1));
    let mut names = Vec::new();
    let mut step = step;
    for (workflow, job, matrix) in [
        ("asan.yml", "test", "null"),
        ("asan.yml", "test", r#"{"compiler":"gcc","version":14}"#),
        ("asan.yml", "test", r#"{"compiler":"clang","version":14}"#),
        ("asan.yml", "fuzz", "null"),
        ("valgrind.yml", "test", "null"),
    ] {
        let reference = format!("octo/leaky/.github/workflows/{workflow}@refs/heads/main");
        step = step
            .with("GITHUB_WORKFLOW_REF", &reference)
            .with("GITHUB_JOB", job)
            .with("LEAKGATE_MATRIX", matrix);
        names.push(run_in_next_job(&step).outputs["name"].clone());
    }
    assert_eq!(
        names,
        [
            "leakgate-asan-test",
            "leakgate-asan-test-gcc-14",
            "leakgate-asan-test-clang-14",
            "leakgate-asan-fuzz",
            "leakgate-valgrind-test",
        ]
    );
    assert_eq!((step.comments().len(), check_runs(&step).len()), (5, 5));
}

#[test]
fn later_attempt_replaces_the_results_of_an_earlier_one() {
    let step = Step::pull_request(REPOSITORY_ID).log(&leaks(1));
    step.action();
    let step = step.log(CLEAN_LOG).with("GITHUB_RUN_ATTEMPT", "2");
    run_in_next_job(&step);
    assert_eq!(step.comments(), Vec::<String>::new());
    let name = "leakgate-test".to_owned();
    let results = [
        (name.clone(), "failure".to_owned()),
        (name, "success".to_owned()),
    ];
    assert_eq!(check_runs(&step), results);
}

/// The matrix is unknown if another program than action.yml starts the step.
#[test]
fn legs_without_a_known_matrix_keep_both_results() {
    for [first, second] in BOTH_ORDERS {
        let step = Step::pull_request(REPOSITORY_ID).log(&log(first));
        step.action();
        let step = step.log(&log(second));
        run_in_next_job(&step);
        assert_no_hidden_failure(&step);
        assert_eq!(step.comments().len(), 1);
    }
}

#[test]
fn results_of_two_workflows_of_a_fork_have_their_own_comments() {
    let failing = crate::common::step::json_report(&leaks(1));
    let step = Step::workflow_run(7, "stranger", &[("leakgate.json", &failing)]);
    let path = step.dir.path().join("event.json");
    for workflow in ["asan.yml", "valgrind.yml", "asan.yml"] {
        let mut event: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        event["workflow_run"]["path"] = format!(".github/workflows/{workflow}").into();
        event["workflow_run"]["run_attempt"] = 1.into();
        fs::write(&path, event.to_string()).unwrap();
        step.run("publish");
        // The next run of the same workflow is a later one.
        let next = event["workflow_run"]["id"].as_u64().unwrap() + 1;
        event["workflow_run"]["id"] = next.into();
        step.fake.state().artifacts[0]["workflow_run"]["id"] = next.into();
        fs::write(&path, event.to_string()).unwrap();
    }
    assert_eq!(step.comments().len(), 2);
}
