//! The action as a runner of GitHub carries it out: whole workflows under `act`, and what they
//! leave behind.
//!
//! They need `act`, git and a C++ compiler, so `cargo xtask test` runs them, which brings `act`
//! along.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "this is a test")]

#[path = "runner/act.rs"]
mod act;
#[path = "runner/commands.rs"]
mod commands;
#[path = "runner/hostile.rs"]
mod hostile;
#[path = "runner/refuser.rs"]
mod refuser;

use std::fs;
use std::path::Path;

use act::{Project, Run};
use serde_json::json;

/// A workflow that uses the action once, with these inputs (lines of YAML), and then tells nothing
/// more.
fn workflow(inputs: &str) -> String {
    let inputs: String = inputs
        .lines()
        .map(|line| format!("          {line}\n"))
        .collect();
    format!(
        "on: [push, pull_request]\njobs:\n  one:\n    runs-on: ubuntu-24.04\n    steps:\n      \
         - uses: actions/checkout@v7\n      - uses: leakgate/leakgate@v{}\n        id: gate\n        with:\n          \
         version: installed\n{inputs}",
        env!("CARGO_PKG_VERSION")
    )
}

fn report(case: &str) -> Vec<u8> {
    fs::read(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../snapshots")
            .join(case)
            .join("report.txt"),
    )
    .unwrap()
}

/// A run over one log that lies in the project as `run.log`.
fn run_of(log: &[u8], inputs: &str) -> Run {
    Project::new()
        .installed()
        .file("run.log", log)
        .run(&workflow(&format!("reports: run.log\n{inputs}")))
}

/// The example with this name in a document, as it stands.
fn example(document: &str, name: &str) -> String {
    let text = fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .join(document),
    )
    .unwrap();
    let start = format!("name: {name}\n");
    let block = text
        .split("```yaml\n")
        .find(|block| block.starts_with(&start))
        .unwrap();
    block.split("```").next().unwrap().to_owned()
}

const CLEAN: &str = "int main() { return 0; }\n";
const LATE: &str =
    "int main() {\n    int* number = new int(3);\n    delete number;\n    return *number;\n}\n";

#[test]
#[ignore = "needs act; run by cargo xtask test"]
fn the_example_of_the_readme_passes_what_is_clean_and_fails_what_is_not() {
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

    let late = Project::new()
        .released()
        .file("tests.cc", LATE)
        .run(&example);
    assert!(!late.passed, "{}", late.log);
    assert_eq!(
        (
            late.result("1"),
            late.result("2"),
            late.output("2", "outcome")
        ),
        ("failure", "failure", "fail")
    );
    assert_eq!(late.output("2", "unexpected"), "1");
    assert!(
        late.summary.contains("heap-use-after-free") && late.summary.contains("tests.cc:4"),
        "{}",
        late.summary
    );
    assert_eq!(late.calls("upload-artifact").len(), 1);
}

#[test]
#[ignore = "needs act; run by cargo xtask test"]
fn a_good_log_passes() {
    let run = run_of(&report("memcheck/clean"), "");
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
    assert_eq!(upload["name"], "leakgate");
    assert!(run.calls("upload-sarif").is_empty());
}

#[test]
#[ignore = "needs act; run by cargo xtask test"]
fn a_bad_log_fails_the_job_and_is_handed_on_all_the_same() {
    let run = run_of(
        &report("memcheck/definite"),
        "sarif: true\nartifact-name: leg-1",
    );
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
        "a check run was tried, and that it was forbidden changed nothing"
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

#[test]
#[ignore = "needs act; run by cargo xtask test"]
fn what_is_switched_off_is_left_out() {
    let run = run_of(
        &report("memcheck/definite"),
        "annotations: false\nsummary: false\nupload-reports: false\ncheck-run: false\ncomment: never",
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

#[test]
#[ignore = "needs act; run by cargo xtask test"]
fn inputs_reach_the_program() {
    let allow = "[[allow]]\nid = \"known\"\nkinds = [\"leak-definite\"]\nreason = \"A test.\"\nstack = [\"...\", \"fun:definite\"]\n";
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

    let silent = run_of(b"all is well\n", "");
    assert_eq!(
        (silent.passed, silent.output("gate", "outcome")),
        (false, "fail")
    );
    assert!(run_of(b"all is well\n", "silence: pass").passed);
}

#[test]
#[ignore = "needs act; run by cargo xtask test"]
fn a_report_that_is_missing_is_an_error() {
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

#[test]
#[ignore = "needs act; run by cargo xtask test"]
fn an_action_that_gets_no_program_says_so() {
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
            .contains("'version' is no version such as 0.1.0: ../1"),
        "{}",
        run.log
    );
}

#[test]
#[ignore = "needs act; run by cargo xtask test"]
fn a_fork_gets_the_same_verdict_without_permissions() {
    let commit = "0123456789012345678901234567890123456789";
    let fork = json!({
        "action": "synchronize", "number": 7,
        "repository": { "id": 1, "full_name": "octo/project", "name": "project", "owner": { "login": "octo" }, "default_branch": "main" },
        "pull_request": {
            "number": 7, "state": "open",
            "head": { "ref": "topic", "sha": commit, "repo": { "id": 2, "full_name": "stranger/project", "fork": true } },
            "base": { "ref": "main", "sha": commit, "repo": { "id": 1, "full_name": "octo/project" } },
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
            (0, 1),
            "a fork's token can only read"
        );
    }
}

/// How the program is called; what it does there is tested with the program.
#[test]
#[ignore = "needs act; run by cargo xtask test"]
fn the_second_workflow_publishes_for_forks() {
    let of_fork = json!({ "action": "completed", "workflow_run": { "id": 5, "event": "pull_request", "conclusion": "failure" } });
    let publish = |payload| {
        let project = Project::new().released_script(
            "echo \"::notice::$* $LEAKGATE_NAME ${LEAKGATE_TOKEN:+with a token}\"",
        );
        project
            .event("workflow_run", payload)
            .run(&example("docs/action.md", "Publish leakgate"))
    };
    let run = publish(&of_fork);
    assert!(run.passed && run.result("0") == "success", "{}", run.log);
    assert!(
        run.log.contains("::notice::publish leakgate with a token"),
        "{}",
        run.log
    );

    let of_push = json!({ "action": "completed", "workflow_run": { "id": 5, "event": "push", "conclusion": "failure" } });
    assert_eq!(publish(&of_push).result("0"), "");
}

#[test]
#[ignore = "needs act; run by cargo xtask test"]
fn a_server_without_the_service_gets_no_artifact() {
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

#[test]
#[ignore = "needs act; run by cargo xtask test"]
fn a_hostile_log_makes_the_runner_do_nothing() {
    let run = run_of(&hostile::log(), "sarif: true");
    assert!(
        !run.passed && run.output("gate", "outcome") == "fail",
        "{}",
        run.log
    );
    hostile::assert_harmless(&run);
}

#[test]
#[ignore = "needs act; run by cargo xtask test"]
fn paths_of_windows_are_paths() {
    let log = "==12==ERROR: AddressSanitizer: heap-use-after-free on address 0x1200 at pc 0x7ff6 bp 0x5 sp 0x6\r\n\
               READ of size 4 at 0x1200 thread T0\r\n    #0 0x7ff6 in late D:\\a\\project\\project\\src\\late.cc:47\r\n    \
               #1 0x7ff7 in main D:\\a\\project\\project\\src\\main.cc:3\r\n\r\n\
               SUMMARY: AddressSanitizer: heap-use-after-free D:\\a\\project\\project\\src\\late.cc:47 in late\r\n==12==ABORTING\r\n";
    let run = run_of(log.as_bytes(), "");
    assert_eq!(
        (run.passed, run.output("gate", "unexpected")),
        (false, "1"),
        "{}",
        run.log
    );
    let commands = run.commands();
    let shown = commands
        .iter()
        .find(|command| command.is_annotation() && command.data.contains("late.cc"))
        .unwrap();
    assert!(
        shown
            .property("file")
            .is_none_or(|file| !file.contains("D:") || file.ends_with("late.cc")),
        "{shown:?}"
    );
    assert!(run.summary.contains("late.cc:47"), "{}", run.summary);
}

/// Figures of a shared machine prove nothing, so the time is printed and never a failure.
#[test]
#[ignore = "needs act; run by cargo xtask test"]
fn the_step_takes_little_time() {
    let one = String::from_utf8(report("memcheck/definite")).unwrap();
    let one = one.replace("==4201==", "==PID==");
    let log: String = (1000..)
        .map(|pid| one.replace("PID", &pid.to_string()))
        .take(5_000_000 / one.len())
        .collect();
    let using = format!(
        "      - uses: leakgate/leakgate@v{}\n        continue-on-error: true\n        with:\n          reports: run.log\n",
        env!("CARGO_PKG_VERSION")
    );
    let twice = format!(
        "on: push\njobs:\n  one:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: actions/checkout@v7\n{using}{using}"
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

/// Inputs that upload-artifact v7 and upload-sarif v4 have; the stand-ins know no others.
#[test]
fn the_action_gives_others_what_they_know() {
    let action = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../action.yml")).unwrap();
    let given = |name: &str| -> Vec<String> {
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
        given("actions/upload-artifact"),
        ["name", "path", "if-no-files-found", "overwrite"]
    );
    assert_eq!(
        given("github/codeql-action/upload-sarif"),
        ["sarif_file", "category", "token"]
    );
}
