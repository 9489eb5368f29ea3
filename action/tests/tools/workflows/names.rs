//! Workflows with several uses of the action, and workflows for events other than a push.

use std::collections::BTreeSet;

use libtest_mimic::Trial;
use serde_json::json;

use super::act::{Project, Run};
use super::{ACT, report, workflow};
use crate::needs::{GIT, trials};

const USES: &str = concat!("leakgate/leakgate@v", env!("CARGO_PKG_VERSION"));

pub(super) fn trials() -> Vec<Trial> {
    trials!(
        "workflows",
        two_steps_of_a_job_have_their_own_artifacts(ACT, GIT),
        legs_of_a_matrix_have_their_own_artifacts(ACT, GIT),
        jobs_of_a_workflow_have_their_own_artifacts(ACT, GIT),
        called_workflow_uses_the_action(ACT, GIT),
        earlier_name_of_the_input_name_works(ACT, GIT),
        later_attempt_replaces_its_artifact(ACT, GIT),
        merge_without_artifacts_fails(ACT, GIT),
        merge_queue_is_checked(ACT, GIT),
        scheduled_run_is_checked(ACT, GIT),
        directory_of_a_monorepo_has_its_own_rules(ACT, GIT),
        outputs_are_passed_to_later_steps(ACT, GIT),
        command_that_hangs_is_stopped_and_reported(ACT, GIT),
    )
}

/// Returns a step that uses the action, with an id and inputs (lines of YAML).
fn step(id: &str, inputs: &str) -> String {
    let inputs: String = inputs
        .lines()
        .map(|line| format!("          {line}\n"))
        .collect();
    format!(
        "      - uses: {USES}\n        id: {id}\n        continue-on-error: true\n        \
         with:\n          version: installed\n{inputs}"
    )
}

/// Returns a job with these steps. `head` has further lines of the job.
fn job(id: &str, head: &str, steps: &str) -> String {
    let head: String = head.lines().map(|line| format!("    {line}\n")).collect();
    format!(
        "  {id}:\n    runs-on: ubuntu-24.04\n{head}    steps:\n      \
         - uses: actions/checkout@v7\n{steps}"
    )
}

/// Returns a project with a clean log and one with a leak.
fn project() -> Project {
    Project::new()
        .installed()
        .file("clean.log", report("memcheck/clean"))
        .file("leak.log", report("memcheck/definite"))
}

/// Returns the names of all uploaded artifacts.
fn artifacts(run: &Run) -> BTreeSet<String> {
    let calls = run.calls("upload-artifact");
    let names = calls
        .iter()
        .map(|call| call["name"].as_str().unwrap().to_owned());
    let names: BTreeSet<String> = names.collect();
    assert_eq!(names.len(), calls.len(), "{}", run.log);
    names
}

fn two_steps_of_a_job_have_their_own_artifacts() {
    let steps = step("first", "reports: leak.log") + &step("second", "reports: clean.log");
    let run = project().run(&format!("on: push\njobs:\n{}", job("test", "", &steps)));
    let outcomes = ["first", "second"].map(|id| run.output(id, "outcome").to_owned());
    assert_eq!(outcomes, ["fail", "pass"], "{}", run.log);
    let names = ["first", "second"].map(|id| run.output(id, "name").to_owned());
    assert!(
        names[0].ends_with("-test") && names[1] == format!("{}-2", names[0]),
        "{names:?}"
    );
    assert_eq!(artifacts(&run), BTreeSet::from(names));
}

fn legs_of_a_matrix_have_their_own_artifacts() {
    let matrix = "strategy:\n  matrix:\n    compiler: [gcc, g++]\n    version: [14]";
    let steps = step("gate", "reports: clean.log");
    let run = project().run(&format!("on: push\njobs:\n{}", job("test", matrix, &steps)));
    let artifacts = artifacts(&run);
    let ends = ["-test-g++-14", "-test-gcc-14"];
    assert!(
        artifacts.len() == 2
            && artifacts
                .iter()
                .zip(ends)
                .all(|(name, end)| name.ends_with(end)),
        "{artifacts:?}: {}",
        run.log
    );
}

fn jobs_of_a_workflow_have_their_own_artifacts() {
    let steps = step("gate", "reports: clean.log");
    let jobs = job("asan", "", &steps) + &job("valgrind", "", &steps);
    let run = project().run(&format!("on: push\njobs:\n{jobs}"));
    let artifacts = artifacts(&run);
    assert!(
        artifacts.len() == 2 && artifacts.iter().any(|name| name.ends_with("-valgrind")),
        "{artifacts:?}"
    );
}

fn called_workflow_uses_the_action() {
    let called = format!(
        "on: workflow_call\njobs:\n{}",
        job("test", "", &step("gate", "reports: clean.log"))
    );
    let run = project()
        .file(".github/workflows/called.yml", called)
        .run("on: push\njobs:\n  memory:\n    uses: ./.github/workflows/called.yml\n");
    assert!(run.passed && artifacts(&run).len() == 1, "{}", run.log);
}

fn earlier_name_of_the_input_name_works() {
    let run = project().run(&workflow("reports: clean.log\nartifact-name: memory"));
    assert_eq!(artifacts(&run), BTreeSet::from(["memory".to_owned()]));
}

fn later_attempt_replaces_its_artifact() {
    for (attempt, want) in [("1", "false"), ("2", "true")] {
        let run = project()
            .variable("GITHUB_RUN_ATTEMPT", attempt)
            .run(&workflow("reports: clean.log"));
        let calls = run.calls("upload-artifact");
        assert_eq!(calls[0]["overwrite"], want, "{}", run.log);
    }
}

fn merge_without_artifacts_fails() {
    let run = project().run(&workflow("merge: leakgate-*"));
    assert!(!run.passed, "{}", run.log);
    assert_eq!(run.output("gate", "outcome"), "error");
    let commands = run.commands();
    assert!(
        commands.iter().any(|command| command.name == "error"),
        "{commands:?}"
    );
}

fn merge_queue_is_checked() {
    let event = json!({
        "action": "checks_requested",
        "merge_group": {
            "head_sha": "0123456789012345678901234567890123456789",
            "head_ref": "refs/heads/gh-readonly-queue/main/pr-1",
            "base_ref": "refs/heads/main",
        },
        "repository": { "id": 1, "full_name": "octo/project", "default_branch": "main" },
    });
    for (log, passes) in [("clean.log", true), ("leak.log", false)] {
        let workflow = workflow(&format!("reports: {log}"));
        let workflow = workflow.replace("[push, pull_request]", "[merge_group]");
        let run = project().event("merge_group", &event).run(&workflow);
        assert_eq!(run.passed, passes, "{}", run.log);
    }
}

fn scheduled_run_is_checked() {
    let event = json!({ "schedule": "0 3 * * *" });
    let workflow = workflow("reports: leak.log");
    let workflow = workflow.replace("[push, pull_request]", "{schedule: [{cron: 0 3 * * *}]}");
    let run = project().event("schedule", &event).run(&workflow);
    assert!(
        !run.passed && run.output("gate", "outcome") == "fail",
        "{}",
        run.log
    );
}

fn directory_of_a_monorepo_has_its_own_rules() {
    let inputs = |directory| format!("reports: leak.log\nworking-directory: {directory}");
    let steps = step("strict", &inputs("a")) + &step("lenient", &inputs("b"));
    let leak = report("memcheck/definite");
    let run = Project::new()
        .installed()
        .file("a/leak.log", &leak)
        .file("a/leakgate.toml", "")
        .file("b/leak.log", &leak)
        .file("b/leakgate.toml", "[gate]\nfail-on = [\"errors\"]\n")
        .run(&format!("on: push\njobs:\n{}", job("test", "", &steps)));
    let outcomes = ["strict", "lenient"].map(|id| run.output(id, "outcome").to_owned());
    assert_eq!(outcomes, ["fail", "pass"], "{}", run.log);
}

fn outputs_are_passed_to_later_steps() {
    let check = "      - if: ${{ steps.gate.outputs.outcome == 'fail' && \
                 steps.gate.outputs.unexpected > 0 }}\n        id: later\n        \
                 run: echo \"found=${{ steps.gate.outputs.unexpected }}\" >>\"$GITHUB_OUTPUT\"\n";
    let steps = step("gate", "reports: leak.log") + check;
    let run = project().run(&format!("on: push\njobs:\n{}", job("test", "", &steps)));
    assert!(
        run.passed && run.output("later", "found") == "1",
        "{}",
        run.log
    );
}

fn command_that_hangs_is_stopped_and_reported() {
    let run = Project::new()
        .installed()
        .file("README", "")
        .run(&workflow("run: sleep 300\ntool: asan\ntimeout: 1s"));
    assert!(
        !run.passed && run.output("gate", "outcome") == "fail",
        "{}",
        run.log
    );
    assert!(run.summary.contains("leakgate: fail"), "{}", run.summary);
    assert_eq!(artifacts(&run).len(), 1);
}
