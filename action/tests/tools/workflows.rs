//! Tests the action as a GitHub runner executes it: runs whole workflows under `act`.
//!
//! `LEAKGATE_ACT` is the path of `act`. By default, the one on PATH is used.

mod act;
mod commands;
mod hostile;
mod names;
mod rejecting_api;

use std::fs;

use libtest_mimic::Trial;
use serde_json::json;

use crate::common::{self, repository};
use crate::needs::{GIT, GXX, MAKE, Need, trials};
use act::{Project, Run};

const ACT: Need = Need::Tool("act", act::is_installed);

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = trials!(
        "workflows",
        readme_example_passes_without_bugs_and_fails_with_one(ACT, GIT, GXX, MAKE),
        clean_log_passes(ACT, GIT),
        failing_log_fails_the_job_and_is_uploaded(ACT, GIT),
        disabled_features_are_skipped(ACT, GIT),
        inputs_are_passed_to_the_program(ACT, GIT),
        report_only_passes_unless_there_is_an_error(ACT, GIT),
        missing_log_is_an_error(ACT, GIT),
        failed_installation_is_reported(ACT, GIT),
        program_that_does_nothing_fails_the_job(ACT, GIT),
        fork_gets_the_same_verdict_without_permissions(ACT, GIT),
        second_workflow_publishes_for_pull_requests(ACT, GIT),
        enterprise_server_gets_no_artifact(ACT, GIT),
        hostile_log_executes_no_command(ACT, GIT),
        windows_paths_are_recognized(ACT, GIT),
        step_duration_is_printed(ACT, GIT),
        other_actions_get_supported_inputs(),
    );
    trials.extend(commands::trials());
    trials.extend(names::trials());
    trials
}

/// Returns a workflow that uses the action once, with these inputs (lines of YAML).
fn workflow(inputs: &str) -> String {
    let inputs: String = inputs
        .lines()
        .map(|line| format!("          {line}\n"))
        .collect();
    format!(
        "on: [push, pull_request]\njobs:\n  one:\n    runs-on: ubuntu-24.04\n    steps:\n      \
         - uses: actions/checkout@v7\n      \
         - uses: leakgate/leakgate@v{}\n        id: gate\n        with:\n          \
         version: installed\n{inputs}",
        env!("CARGO_PKG_VERSION")
    )
}

/// Returns the report of a case.
fn report(case: &str) -> Vec<u8> {
    fs::read(common::report(case)).unwrap()
}

/// Runs the action on a log, which becomes `run.log` in the project.
fn run_with_log(log: &[u8], inputs: &str) -> Run {
    Project::new()
        .installed()
        .file("run.log", log)
        .run(&workflow(&format!("reports: run.log\n{inputs}")))
}

/// Returns the example workflow of this name in a document.
fn example(document: &str, name: &str) -> String {
    let text = fs::read_to_string(repository(document)).unwrap();
    let start = format!("name: {name}\n");
    let block = text
        .split("```yaml\n")
        .find(|block| block.starts_with(&start))
        .unwrap();
    block.split("```").next().unwrap().to_owned()
}

const CLEAN: &str = "int main() { return 0; }\n";
const USE_AFTER_FREE: &str =
    "int main() {\n    int* number = new int(3);\n    delete number;\n    return *number;\n}\n";

fn readme_example_passes_without_bugs_and_fails_with_one() {
    let example = example("README.md", "Memory");
    let clean = Project::new()
        .released()
        .file("tests.cc", CLEAN)
        .run(&example);
    assert!(clean.passed, "{}", clean.log);
    assert_eq!(
        (
            clean.result("1"),
            clean.result("2"),
            clean.output("2", "outcome")
        ),
        ("success", "success", "pass")
    );

    let failing = Project::new()
        .released()
        .file("tests.cc", USE_AFTER_FREE)
        .run(&example);
    assert!(!failing.passed, "{}", failing.log);
    assert_eq!(
        (
            failing.result("1"),
            failing.result("2"),
            failing.output("2", "outcome")
        ),
        ("success", "failure", "fail")
    );
    assert_eq!(failing.output("2", "unexpected"), "1");
    assert!(
        failing.summary.contains("heap-use-after-free") && failing.summary.contains("tests.cc:4"),
        "{}",
        failing.summary
    );
    assert_eq!(failing.calls("upload-artifact").len(), 1);
}

fn clean_log_passes() {
    let run = run_with_log(&report("memcheck/clean"), "");
    assert!(run.passed, "{}", run.log);
    for (name, value) in [
        ("outcome", "pass"),
        ("unexpected", "0"),
        ("new", "0"),
        ("allowed", "0"),
        ("bytes", "0"),
    ] {
        assert_eq!(run.output("gate", name), value, "{name}");
    }
    assert!(run.summary.contains("leakgate: pass"), "{}", run.summary);
    assert!(
        run.commands().iter().all(|command| command.name != "error"),
        "{:?}",
        run.commands()
    );
    let [upload] = run.calls("upload-artifact")[..] else {
        panic!("{}", run.log)
    };
    assert_eq!(upload["name"], run.output("gate", "name"));
    assert!(run.calls("upload-sarif").is_empty());
}

fn failing_log_fails_the_job_and_is_uploaded() {
    let run = run_with_log(&report("memcheck/definite"), "sarif: true\nname: leg-1");
    assert!(
        !run.passed && run.result("gate") == "failure",
        "{}",
        run.log
    );
    for (name, value) in [
        ("outcome", "fail"),
        ("unexpected", "1"),
        ("new", "1"),
        ("allowed", "0"),
        ("bytes", "100"),
    ] {
        assert_eq!(run.output("gate", name), value, "{name}");
    }
    for (name, end) in [
        ("json", "leakgate.json"),
        ("sarif", "leakgate.sarif"),
        ("html", "leakgate.html"),
    ] {
        assert!(
            run.output("gate", name).ends_with(end),
            "{name}: {}",
            run.output("gate", name)
        );
    }
    assert!(run.summary.contains("leak-definite"), "{}", run.summary);
    let commands = run.commands();
    assert!(
        commands
            .iter()
            .any(|command| command.is_annotation() && command.data.contains("definite")),
        "{commands:?}"
    );
    assert!(
        run.writes > 0,
        "the check run is attempted, and its failure changes nothing"
    );

    let [upload] = run.calls("upload-artifact")[..] else {
        panic!("{}", run.log)
    };
    let folder = upload["path"].as_str().unwrap();
    assert!(run.output("gate", "json").starts_with(folder), "{folder}");
    assert_eq!(
        (&upload["name"], &upload["if-no-files-found"]),
        (&json!("leg-1"), &json!("ignore"))
    );
    let [scan] = run.calls("upload-sarif")[..] else {
        panic!("{}", run.log)
    };
    assert_eq!(
        (&scan["sarif_file"], &scan["category"]),
        (&json!(run.output("gate", "sarif")), &json!("leg-1"))
    );
}

fn disabled_features_are_skipped() {
    let run = run_with_log(
        &report("memcheck/definite"),
        "annotations: false\nsummary: false\nupload-reports: false\n\
         check-run: false\ncomment: never",
    );
    assert!(!run.passed, "{}", run.log);
    assert_eq!(run.output("gate", "outcome"), "fail");
    assert_eq!(run.summary, "");
    assert!(run.calls("upload-artifact").is_empty());
    assert!(
        !run.commands()
            .iter()
            .any(|command| command.property("file").is_some()),
        "{:?}",
        run.commands()
    );
}

fn inputs_are_passed_to_the_program() {
    let allow = "[[allow]]\nid = \"known\"\nkinds = [\"leak-definite\"]\nreason = \"A test.\"\n\
                 stack = [\"...\", \"fun:definite\"]\n";
    let project = Project::new()
        .installed()
        .file("sub/a.log", report("memcheck/definite"))
        .file("sub/b.log", report("memcheck/clean"));
    let inputs = "working-directory: sub\nconfig: rules.toml\nreports: |\n  a.log\n  b*.log";
    let run = project.file("sub/rules.toml", allow).run(&workflow(inputs));
    assert!(run.passed, "{}", run.log);
    assert_eq!(
        (
            run.output("gate", "unexpected"),
            run.output("gate", "allowed")
        ),
        ("0", "1")
    );

    let silent = run_with_log(b"all is well\n", "");
    assert_eq!(
        (silent.passed, silent.output("gate", "outcome")),
        (false, "fail")
    );
    assert!(run_with_log(b"all is well\n", "silence: pass").passed);
}

fn report_only_passes_unless_there_is_an_error() {
    let inputs = "mode: report-only\nretention-days: 5";
    let failing = run_with_log(&report("memcheck/definite"), inputs);
    assert_eq!(
        (failing.passed, failing.output("gate", "outcome")),
        (true, "fail"),
        "{}",
        failing.log
    );
    let [upload] = failing.calls("upload-artifact")[..] else {
        panic!("{}", failing.log)
    };
    assert_eq!(
        (&upload["retention-days"], &upload["include-hidden-files"]),
        (&json!("5"), &json!("true"))
    );
    for (reports, mode) in [("run.log", "report"), ("nowhere.log", "report-only")] {
        let project = Project::new().installed().file("run.log", "");
        let run = project.run(&workflow(&format!("reports: {reports}\nmode: {mode}")));
        assert_eq!(
            (run.passed, run.output("gate", "outcome")),
            (false, "error"),
            "{}",
            run.log
        );
    }
}

fn missing_log_is_an_error() {
    let run = Project::new()
        .installed()
        .run(&workflow("reports: nowhere.log"));
    assert!(!run.passed, "{}", run.log);
    assert_eq!(run.output("gate", "outcome"), "error");
    let commands = run.commands();
    assert!(
        commands
            .iter()
            .any(|command| command.name == "error" && command.data.contains("nowhere.log")),
        "{commands:?}"
    );
}

fn failed_installation_is_reported() {
    let run = Project::new().file("run.log", "").run(
        &workflow("reports: run.log\nversion: ../1").replace("version: installed\n          ", ""),
    );
    assert!(
        !run.passed && run.calls("upload-artifact").is_empty(),
        "{}",
        run.log
    );
    assert_eq!(run.output("gate", "outcome"), "error");
    assert!(
        run.log
            .contains("invalid 'version', expected one such as 0.1.0: ../1"),
        "{}",
        run.log
    );
}

/// A shell that doesn't start its script has the same effect. act may lose the last output of a step,
/// so the log is searched for the step.
fn program_that_does_nothing_fails_the_job() {
    for script in ["exit 0", "echo 'outcome=fail' >>\"$GITHUB_OUTPUT\""] {
        let project = Project::new().released_script(script).file("run.log", "");
        let run = project
            .run(&workflow("reports: run.log").replace("          version: installed\n", ""));
        assert!(
            !run.passed && run.result("gate") == "failure",
            "{script}: {}",
            run.log
        );
        assert!(
            run.log.contains("Failure - Main Confirm the verdict"),
            "{script}: {}",
            run.log
        );
    }
}

fn fork_gets_the_same_verdict_without_permissions() {
    let commit = "0123456789012345678901234567890123456789";
    let fork = json!({
        "action": "synchronize", "number": 7,
        "repository": {
            "id": 1, "full_name": "octo/project", "name": "project", "owner": { "login": "octo" },
            "default_branch": "main",
        },
        "pull_request": {
            "number": 7, "state": "open",
            "head": {
                "ref": "topic", "sha": commit,
                "repo": { "id": 2, "full_name": "stranger/project", "fork": true },
            },
            "base": {
                "ref": "main", "sha": commit, "repo": { "id": 1, "full_name": "octo/project" },
            },
        },
    });
    for (case, outcome) in [("memcheck/clean", "pass"), ("memcheck/definite", "fail")] {
        let project = Project::new()
            .installed()
            .file("run.log", report(case))
            .event("pull_request", &fork);
        let run = project.run(&workflow("reports: run.log"));
        assert_eq!(
            (run.passed, run.output("gate", "outcome")),
            (outcome == "pass", outcome),
            "{}",
            run.log
        );
        assert!(
            run.summary.contains(&format!("leakgate: {outcome}")),
            "{}",
            run.summary
        );
        assert_eq!(
            (run.writes, run.calls("upload-artifact").len()),
            (1, 1),
            "a fork's token is tried once"
        );
    }
}

/// Tests only when and how the program is called. Its behavior is tested in `step.rs`.
fn second_workflow_publishes_for_pull_requests() {
    // The repository has the id 1.
    let completed = |event: &str, head_repository: u64, actor: &str| {
        json!({
            "action": "completed",
            "repository": {
                "id": 1, "full_name": "octo/project", "name": "project",
                "owner": { "login": "octo" }, "default_branch": "main",
            },
            "workflow_run": {
                "id": 5, "event": event, "conclusion": "failure",
                "head_repository": { "id": head_repository }, "actor": { "login": actor },
            },
        })
    };
    let publish = |event: &str, head_repository: u64, actor: &str| {
        let project = Project::new().released_script(
            "echo \"::notice::$* $LEAKGATE_NAME ${LEAKGATE_TOKEN:+with a token}\"\n\
             echo done=true >>\"$GITHUB_OUTPUT\"",
        );
        project
            .event("workflow_run", &completed(event, head_repository, actor))
            .run(&example("docs/action.md", "Publish leakgate"))
    };
    for (head_repository, actor) in [(2, "stranger"), (1, "dependabot[bot]")] {
        let run = publish("pull_request", head_repository, actor);
        assert!(run.passed && run.result("0") == "success", "{}", run.log);
        assert!(
            run.log.contains("::notice::publish leakgate* with a token"),
            "{}",
            run.log
        );
    }

    // These runs had a token that can write.
    for (event, head_repository) in [("pull_request", 1), ("push", 1), ("push", 2)] {
        let run = publish(event, head_repository, "owner");
        assert_eq!(
            run.result("0"),
            "",
            "{event} {head_repository}: {}",
            run.log
        );
    }

    let run = Project::new()
        .released_script("exit 0")
        .event("workflow_run", &completed("pull_request", 2, "stranger"))
        .run(&example("docs/action.md", "Publish leakgate"));
    assert!(
        !run.passed && run.log.contains("Failure - Main Confirm the publication"),
        "{}",
        run.log
    );
}

fn enterprise_server_gets_no_artifact() {
    for (server, count) in [
        ("https://github.example.org", 0),
        ("https://octo.ghe.com", 1),
    ] {
        let project = Project::new()
            .installed()
            .file("run.log", report("memcheck/clean"));
        let run = project
            .variable("GITHUB_SERVER_URL", server)
            .run(&workflow("reports: run.log"));
        assert!(run.passed, "{}", run.log);
        assert_eq!(run.calls("upload-artifact").len(), count, "{server}");
    }
}

fn hostile_log_executes_no_command() {
    let run = run_with_log(&hostile::log(), "sarif: true");
    assert!(
        !run.passed && run.output("gate", "outcome") == "fail",
        "{}",
        run.log
    );
    hostile::assert_harmless(&run);
}

fn windows_paths_are_recognized() {
    let log = "==12==ERROR: AddressSanitizer: heap-use-after-free on address 0x1200 \
               at pc 0x7ff6 bp 0x5 sp 0x6\r\nREAD of size 4 at 0x1200 thread T0\r\n    \
               #0 0x7ff6 in late D:\\a\\project\\project\\src\\late.cc:47\r\n    \
               #1 0x7ff7 in main D:\\a\\project\\project\\src\\main.cc:3\r\n\r\n\
               SUMMARY: AddressSanitizer: heap-use-after-free \
               D:\\a\\project\\project\\src\\late.cc:47 in late\r\n==12==ABORTING\r\n";
    let run = run_with_log(log.as_bytes(), "");
    assert_eq!(
        (run.passed, run.output("gate", "unexpected")),
        (false, "1"),
        "{}",
        run.log
    );
    let commands = run.commands();
    let annotation = commands
        .iter()
        .find(|command| command.is_annotation() && command.data.contains("late.cc"))
        .unwrap();
    assert!(
        annotation
            .property("file")
            .is_none_or(|file| !file.contains("D:") || file.ends_with("late.cc")),
        "{annotation:?}"
    );
    assert!(run.summary.contains("late.cc:47"), "{}", run.summary);
}

/// Prints the time without limiting it, because times on a shared machine vary.
fn step_duration_is_printed() {
    let one = String::from_utf8(report("memcheck/definite")).unwrap();
    let one = one.replace("==4201==", "==PID==");
    let log: String = (1000..)
        .map(|pid| one.replace("PID", &pid.to_string()))
        .take(5_000_000 / one.len())
        .collect();
    let step = format!(
        "      - uses: leakgate/leakgate@v{}\n        continue-on-error: true\n        \
         with:\n          reports: run.log\n",
        env!("CARGO_PKG_VERSION")
    );
    let twice = format!(
        "on: push\njobs:\n  one:\n    runs-on: ubuntu-24.04\n    steps:\n      \
         - uses: actions/checkout@v7\n{step}{step}"
    );
    let run = Project::new().released().file("run.log", &log).run(&twice);
    assert_eq!(
        (
            run.passed,
            run.output("1", "outcome"),
            run.output("2", "outcome")
        ),
        (true, "fail", "fail"),
        "{}",
        run.log
    );
    println!(
        "the whole step on a log of {:.1} MB, with the program in the tool cache: {} ms",
        log.len() as f64 / 1e6,
        run.milliseconds
    );
}

/// upload-artifact v7 and upload-sarif v4 support these inputs, and the stubs accept no others.
fn other_actions_get_supported_inputs() {
    let action = fs::read_to_string(repository("action.yml")).unwrap();
    let inputs_of = |name: &str| -> Vec<String> {
        let with = action
            .split_once(&format!("uses: {name}@"))
            .unwrap()
            .1
            .split_once("with:\n")
            .unwrap()
            .1;
        let lines = with.lines().take_while(|line| line.starts_with("        "));
        lines
            .map(|line| line.trim().split(':').next().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        inputs_of("actions/upload-artifact"),
        [
            "name",
            "path",
            "if-no-files-found",
            "include-hidden-files",
            "overwrite",
            "retention-days"
        ]
    );
    assert_eq!(
        inputs_of("github/codeql-action/upload-sarif"),
        ["sarif_file", "category", "token"]
    );
}
