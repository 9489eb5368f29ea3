//! Tests `leakgate action` and `leakgate publish` with an in-memory fake of GitHub: their reports,
//! and that a failed report never changes the verdict.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::step::fake::{Fault, REPOSITORY_ID};
use crate::common::step::{
    BASE, BOT, CLEAN_LOG, HEAD, MARKER, MERGE, NAME, Step, files_in, json_report, leaks,
    zip_archive,
};

#[test]
fn finding_is_reported_on_the_pull_request_and_in_all_outputs() {
    let step = Step::pull_request(REPOSITORY_ID).log(&leaks(2));
    let result = step.action();
    assert_eq!(result.status, 1, "{}", result.stderr);
    let output = |name: &str| result.outputs[name].as_str();
    let numbers = ["outcome", "unexpected", "new", "allowed", "bytes"].map(output);
    assert_eq!(numbers, ["fail", "2", "2", "0", "8"]);
    for (name, start) in [
        ("json", "{\"schema\":\"leakgate/v1\""),
        ("sarif", "{\"$schema\""),
        ("html", "<!DOCTYPE html>"),
    ] {
        let text = fs::read_to_string(output(name)).unwrap();
        assert!(
            text.to_lowercase().starts_with(&start.to_lowercase()),
            "{name}: {}",
            &text[..60]
        );
    }
    let logs = files_in(&Path::new(output("reports")).join("logs"));
    assert_eq!(fs::read_to_string(&logs[0]).unwrap(), leaks(2));
    assert!(
        result.summary.contains("2 unexpected findings"),
        "{}",
        result.summary
    );

    let runs = step.check_runs();
    assert_eq!(runs.len(), 1);
    assert_eq!(
        (runs[0]["head_sha"].as_str(), runs[0]["conclusion"].as_str()),
        (Some(HEAD), Some("failure"))
    );
    let annotations = runs[0]["annotations"].as_array().unwrap();
    assert_eq!(annotations.len(), 2);
    assert_eq!(
        (
            annotations[0]["path"].as_str(),
            annotations[0]["start_line"].as_u64()
        ),
        (Some("src/a.c"), Some(1))
    );
    assert!(
        annotations[0]["raw_details"]
            .as_str()
            .unwrap()
            .contains("make_0")
    );
    // The check run shows the annotations, so none are printed.
    assert_eq!(result.commands(), Vec::<&str>::new());

    let comments = step.comments();
    assert_eq!(comments.len(), 1);
    assert!(
        comments[0].starts_with(MARKER) && comments[0].contains("2 unexpected findings"),
        "{}",
        comments[0]
    );
}

#[test]
fn comment_is_updated_and_removed_when_the_gate_passes() {
    let step = Step::pull_request(REPOSITORY_ID).log(&leaks(2));
    step.action();
    let step = step.log(&leaks(1));
    assert_eq!(step.action().status, 1);
    assert_eq!(step.comments().len(), 1);
    assert!(
        step.comments()[0].contains("1 unexpected finding"),
        "{:?}",
        step.comments()
    );
    let step = step.log(CLEAN_LOG);
    assert_eq!(step.action().status, 0);
    assert_eq!(step.comments(), Vec::<String>::new());
    let step = step.with("LEAKGATE_COMMENT", "always");
    step.action();
    assert!(
        step.comments()[0].contains("leakgate: pass"),
        "{:?}",
        step.comments()
    );
    let step = step.with("LEAKGATE_COMMENT", "never").log(&leaks(1));
    let before = step.fake.count("PATCH", "comments");
    step.action();
    assert_eq!(step.fake.count("PATCH", "comments"), before);
}

#[test]
fn token_without_permissions_falls_back_to_annotations_and_summary() {
    let step = Step::pull_request(REPOSITORY_ID).log(&leaks(1));
    for method in ["GET", "POST", "PATCH"] {
        step.fake.fail_always(method, "/", Fault::Forbidden);
    }
    let result = step.action();
    assert_eq!(
        (result.status, result.outputs["outcome"].as_str()),
        (1, "fail")
    );
    let commands = result.commands();
    assert_eq!(commands.len(), 1);
    assert!(
        commands[0].starts_with("::error file=src/a.c,line=1,col=9,title="),
        "{commands:?}"
    );
    assert!(
        result.stderr.contains("checks: write") && result.stderr.contains("pull-requests: write"),
        "{}",
        result.stderr
    );
    assert!(result.summary.contains("1 unexpected finding"));
}

#[test]
fn failed_report_is_a_warning_and_does_not_change_the_verdict() {
    for (log, status) in [(CLEAN_LOG.to_owned(), 0), (leaks(1), 1)] {
        let step = Step::pull_request(REPOSITORY_ID)
            .log(&log)
            .with("LEAKGATE_COMMENT", "always");
        step.fake.fail_always("POST", "/", Fault::Unprocessable);
        let result = step.action();
        assert_eq!(result.status, status, "{}", result.stderr);
        let warnings = result
            .commands()
            .iter()
            .filter(|c| c.starts_with("::warning title=leakgate::"))
            .count();
        assert_eq!(warnings, 2, "{}", result.stdout);
    }
    let unwritable = Step::pull_request(REPOSITORY_ID)
        .log(CLEAN_LOG)
        .with("GITHUB_STEP_SUMMARY", "/no/such/folder/summary");
    let result = unwritable.action();
    assert_eq!(result.status, 0);
    assert!(
        result.commands()[0].contains("/no/such/folder/summary"),
        "{:?}",
        result.commands()
    );
}

#[test]
fn read_only_token_is_tried_once_and_leaves_the_rest_to_publish() {
    for step in [
        Step::pull_request(7),
        Step::pull_request(REPOSITORY_ID).with("GITHUB_ACTOR", "dependabot[bot]"),
    ] {
        let step = step.log(&leaks(1));
        for method in ["POST", "PATCH", "DELETE"] {
            step.fake.fail_always(method, "/", Fault::Forbidden);
        }
        let result = step.action();
        assert_eq!(result.status, 1);
        let requests = step.fake.state().requests.clone();
        let writes = requests.iter().filter(|request| request.method != "GET");
        assert_eq!(writes.count(), 1);
        assert!(
            result.stderr.contains("leakgate publish"),
            "{}",
            result.stderr
        );
        assert_eq!(result.commands().len(), 1);
        let folder = Path::new(&result.outputs["reports"]);
        let origin: Value =
            serde_json::from_slice(&fs::read(folder.join("publish.json")).unwrap()).unwrap();
        assert_eq!(origin["head_sha"], HEAD);
        assert_eq!(origin["pull_request"], step.pull_number());
    }
}

/// `leakgate publish` would not write the comment, either.
#[test]
fn token_that_can_only_create_check_runs_is_no_case_for_publish() {
    let step = Step::pull_request(7).log(&leaks(1));
    step.fake.fail_always("POST", "/comments", Fault::Forbidden);
    let result = step.action();
    assert_eq!((step.check_runs().len(), step.comments().len()), (1, 0));
    assert!(
        result.stderr.contains("pull-requests: write")
            && !result.stderr.contains("leakgate publish"),
        "{}",
        result.stderr
    );
}

/// The workflow can permit Dependabot's runs to write, and a private repository those of forks.
#[test]
fn run_of_a_fork_reports_itself_if_its_token_can_write() {
    for step in [
        Step::pull_request(7),
        Step::pull_request(REPOSITORY_ID).with("GITHUB_ACTOR", "dependabot[bot]"),
    ] {
        let step = step.log(&leaks(1));
        let result = step.action();
        assert_eq!((step.check_runs().len(), step.comments().len()), (1, 1));
        assert!(
            !result.stderr.contains("leakgate publish"),
            "{}",
            result.stderr
        );
    }
}

#[test]
fn older_run_does_not_overwrite_the_comment_of_a_newer_one() {
    let step = Step::pull_request(REPOSITORY_ID).log(&leaks(1));
    step.fake.state().pulls[0]["head"]["sha"] = "9".repeat(40).into();
    assert_eq!(step.action().status, 1);
    assert_eq!(step.comments(), Vec::<String>::new());
    assert_eq!(step.check_runs()[0]["head_sha"], HEAD);
}

#[test]
fn new_findings_are_relative_to_the_last_push_to_the_base_branch() {
    let zip = zip_archive(&[("leakgate.json", &json_report(&leaks(2)))]);
    let step = Step::pull_request(REPOSITORY_ID).log(&leaks(3));
    step.fake.state().add_push(NAME, "main", BASE, zip);
    let result = step.action();
    assert_eq!(
        (
            result.outputs["unexpected"].as_str(),
            result.outputs["new"].as_str()
        ),
        ("3", "1")
    );
    for text in [&result.summary, &step.comments()[0]] {
        assert!(
            text.contains("Compared with the base run: 1 new finding")
                && text.contains("[3333333](https://github.example/"),
            "{text}"
        );
    }
    // Another job of the matrix has its own artifact.
    let step = step.with("LEAKGATE_NAME", "leakgate-gcc");
    let result = step.action();
    assert_eq!(result.outputs["new"], "3");
    assert_eq!(step.check_runs().last().unwrap()["name"], "leakgate-gcc");
    assert_eq!(step.comments().len(), 2);
}

#[test]
fn new_findings_are_relative_to_the_baseline() {
    let step = Step::pull_request(REPOSITORY_ID).log(&leaks(1));
    let mut write = Command::new(env!("CARGO_BIN_EXE_leakgate"));
    assert!(
        write
            .args(["baseline", "write", "run.log"])
            .current_dir(step.dir.path())
            .output()
            .unwrap()
            .status
            .success()
    );
    let step = step
        .log(&leaks(2))
        .with("LEAKGATE_BASELINE", "leakgate-baseline.json");
    let result = step.action();
    assert_eq!(
        (
            result.status,
            result.outputs["unexpected"].as_str(),
            result.outputs["new"].as_str()
        ),
        (1, "1", "1"),
        "{}",
        result.stderr
    );
    let step = step.log(&leaks(1));
    assert_eq!(step.action().status, 0);
}

#[test]
fn check_run_contains_many_findings() {
    let step = Step::new(
        "push",
        json!({ "repository": { "id": REPOSITORY_ID, "default_branch": "main" } }),
    )
    .log(&leaks(120));
    let result = step.action();
    assert_eq!(result.outputs["unexpected"], "120");
    let run = &step.check_runs()[0];
    assert_eq!(
        (
            run["head_sha"].as_str(),
            run["annotations"].as_array().unwrap().len()
        ),
        (Some(MERGE), 120)
    );
    assert_eq!(step.fake.count("PATCH", "check-runs"), 3);
}

/// GitHub accepts no annotation outside of the repository, so the log shows only these.
#[test]
fn annotations_that_the_check_run_omits_are_printed() {
    let log = leaks(3).replace("make_1 src/a.c", "make_1 /usr/src/a.c");
    let step = Step::pull_request(REPOSITORY_ID).log(&log);
    let result = step.action();
    let annotations = step.check_runs()[0]["annotations"].clone();
    assert_eq!(annotations.as_array().unwrap().len(), 2);
    assert!(
        result
            .stderr
            .contains("the check run omits 1 of 3 annotations"),
        "{}",
        result.stderr
    );
    let commands = result.commands();
    assert!(
        commands.len() == 1 && commands[0].contains("make_1"),
        "{commands:?}"
    );
}

#[test]
fn summary_shows_more_findings_than_a_comment_can() {
    let step = Step::pull_request(REPOSITORY_ID)
        .with("LEAKGATE_CHECK_RUN", "false")
        .log(&leaks(300));
    let result = step.action();
    assert!(result.summary.len() < 1 << 20);
    let rows = (1..=300).filter(|row| result.summary.contains(&format!("\n| {row} | ")));
    let details = result.summary.matches("<details><summary>").count();
    assert_eq!((rows.count(), details), (300, 300));
    assert!(!result.summary.contains("Omitted"));
    let comment = &step.comments()[0];
    assert!(
        comment.contains("250 of 300 findings in the table (the limit is 50)"),
        "{comment}"
    );
}

#[test]
fn invalid_inputs_are_reported_before_any_request() {
    for (name, value, want) in [
        ("LEAKGATE_REPORTS", "", "`reports`"),
        ("LEAKGATE_SUMMARY", "maybe", "`summary`"),
        ("LEAKGATE_CONFIG", "no.toml", "no.toml"),
        ("LEAKGATE_FAIL_ON", "lekas", "lekas"),
        (
            "LEAKGATE_MODE",
            "gated",
            "expected one of: gate, report-only",
        ),
        (
            "LEAKGATE_TIMEOUT",
            "10m",
            "`timeout` requires the input `run`",
        ),
        ("LEAKGATE_RETENTION_DAYS", "0", "from 1 to 400"),
        (
            "LEAKGATE_ANNOTATIONS",
            "lines",
            "expected one of: true, changed-lines, false",
        ),
        (
            "LEAKGATE_COMMENT",
            "new",
            "expected one of: on-findings, always, on-new, never",
        ),
    ] {
        let step = Step::pull_request(REPOSITORY_ID)
            .log(CLEAN_LOG)
            .with(name, value);
        let result = step.action();
        assert_eq!(
            (result.status, result.outputs["outcome"].as_str()),
            (2, "error"),
            "{name}"
        );
        assert!(
            result.commands().len() == 1 && result.commands()[0].contains(want),
            "{:?}",
            result.commands()
        );
        assert_eq!(step.fake.state().requests.len(), 0);
    }
    let missing =
        Step::pull_request(REPOSITORY_ID).with("LEAKGATE_REPORTS", "missing.log\nnone/*.log");
    let result = missing.action();
    assert_eq!(
        (result.status, result.outputs["outcome"].as_str()),
        (2, "error")
    );
    assert!(
        result.stdout.contains("none/*.log matches no file"),
        "{}",
        result.stdout
    );
}

#[test]
fn hostile_log_executes_no_command() {
    let trap = "::error::x\n  ::set-output name=outcome::pass\n##[error]y\n\
                build ##[add-matcher]/tmp/m.json\n::add-mask::a\n::stop-commands::pwned\n";
    let frame = "    #0 0x51 in ::error::f##[error]<b>@octocat</b>%0A::warning::z src/a.c:3:9\n";
    let log = leaks(1).replace("    #0 0x50 in make_0 src/a.c:1:9\n", frame);
    let step = Step::pull_request(REPOSITORY_ID)
        .log(&format!("{trap}{log}{trap}"))
        .with("LEAKGATE_CHECK_RUN", "false");
    let result = step.action();
    assert_eq!(result.status, 1);
    let commands = result.commands();
    assert_eq!(commands.len(), 1, "{commands:?}");
    assert!(
        commands[0].starts_with("::error file=src/a.c,line=3") && !commands[0][2..].contains("##["),
        "{commands:?}"
    );
    assert!(
        !result.summary.contains("##[") && !step.comments()[0].contains("##["),
        "{:?}",
        step.comments()
    );
}

#[test]
fn results_of_a_fork_are_published_as_unverified() {
    let failing = json_report(&leaks(2));
    let step = Step::workflow_run(
        7,
        "stranger",
        &[("leakgate.json", &failing), ("publish.json", "{}")],
    );
    let result = step.run("publish");
    assert_eq!(result.status, 0, "{}", result.stderr);
    assert_eq!(result.outputs["done"], "true");
    let runs = step.check_runs();
    assert_eq!(
        (runs[0]["head_sha"].as_str(), runs[0]["conclusion"].as_str()),
        (Some(HEAD), Some("failure"))
    );
    assert_eq!(runs[0]["annotations"].as_array().unwrap().len(), 2);
    assert_eq!(runs[0]["annotations"][0]["path"], "src/a.c");
    assert_eq!(runs[0]["name"], "leakgate (unverified)");
    assert_eq!(
        runs[0]["output"]["title"],
        "unverified: 2 unexpected findings"
    );
    let comments = step.comments();
    assert!(
        comments[0].contains("2 unexpected findings") && comments[0].contains("are not verified"),
        "{comments:?}"
    );
    assert_eq!(step.commented_pull(), step.pull_number());
}

#[test]
fn unverified_pass_is_not_a_success_and_removes_no_comment() {
    let clean = json_report(CLEAN_LOG);
    let step = Step::workflow_run(7, "stranger", &[("leakgate.json", &clean)]);
    let number = step.pull_number().as_u64().unwrap();
    assert_eq!(step.run("publish").status, 0);
    assert_eq!(step.check_runs()[0]["conclusion"], "neutral");
    assert_eq!(step.comments(), Vec::<String>::new());
    step.fake
        .state()
        .add_comment(number, BOT, "<!-- leakgate: published -->\nbefore");
    step.run("publish");
    assert!(
        step.comments()[0].contains("The run reported no problems.")
            && step.comments()[0].contains("are not verified")
    );
    assert!(!step.comments()[0].contains("✅"));
    // A report that claims to pass despite unexpected findings counts as a failure.
    let forged = json_report(&leaks(1)).replace("\"outcome\":\"fail\"", "\"outcome\":\"pass\"");
    let step = Step::workflow_run(7, "stranger", &[("leakgate.json", &forged)]);
    step.run("publish");
    assert_eq!(step.check_runs()[0]["conclusion"], "failure");
    // `success` is not a valid outcome.
    let forged = clean.replace("\"outcome\":\"pass\"", "\"outcome\":\"success\"");
    let step = Step::workflow_run(7, "stranger", &[("leakgate.json", &forged)]);
    let result = step.run("publish");
    assert!(
        step.check_runs().is_empty() && result.commands()[0].contains("unknown outcome `success`"),
        "{:?}",
        result.commands()
    );
}

#[test]
fn artifacts_are_untrusted() {
    let failing = json_report(&leaks(1));
    for (members, want) in [
        (vec![("leakgate.json", "{")], "invalid JSON report"),
        (vec![("other.json", "{}")], "leakgate.json not found"),
        (
            vec![("../leakgate.json", failing.as_str())],
            "leakgate.json not found",
        ),
    ] {
        let step = Step::workflow_run(7, "stranger", &members);
        let result = step.run("publish");
        assert_eq!(result.status, 0);
        assert!(
            result
                .commands()
                .iter()
                .any(|c| c.starts_with("::warning") && c.contains(want)),
            "{want}: {:?}",
            result.commands()
        );
        assert!(step.check_runs().is_empty() && step.comments().is_empty());
    }
    // A forged pull request number in the artifact has no effect, because the commit of the run
    // identifies the pull request.
    let forged =
        json!({ "schema": "leakgate-publish/v1", "pull_request": 1, "head_sha": HEAD }).to_string();
    let step = Step::workflow_run(
        7,
        "stranger",
        &[("leakgate.json", &failing), ("publish.json", &forged)],
    );
    step.run("publish");
    assert_eq!(step.commented_pull(), step.pull_number());
    // Without an open pull request for the commit, only a check run is created.
    let step = Step::workflow_run(7, "stranger", &[("leakgate.json", &failing)]);
    step.fake.state().pulls[0]["head"]["sha"] = "9".repeat(40).into();
    step.run("publish");
    assert!(step.comments().is_empty() && step.check_runs().len() == 1);
    // Locations outside of the repository are ignored.
    let forged = failing.replace(
        "\"file\":\"src/a.c\",\"line\":1,\"column\":9,\"function\"",
        "\"file\":\"../../etc/passwd\",\"line\":1,\"column\":9,\"function\"",
    );
    assert_ne!(forged, failing);
    let step = Step::workflow_run(7, "stranger", &[("leakgate.json", &forged)]);
    step.run("publish");
    assert_eq!(step.check_runs()[0]["annotations"][0]["path"], "run.log");
}

#[test]
fn only_runs_with_a_read_only_token_are_published() {
    let failing = json_report(&leaks(1));
    let same_repository =
        Step::workflow_run(REPOSITORY_ID, "octocat", &[("leakgate.json", &failing)]);
    let result = same_repository.run("publish");
    assert!(
        result.status == 0
            && same_repository.check_runs().is_empty()
            && result.outputs["done"] == "true"
            && result.stderr.contains("nothing to publish"),
        "{}",
        result.stderr
    );
    let bot = Step::workflow_run(
        REPOSITORY_ID,
        "dependabot[bot]",
        &[("leakgate.json", &failing)],
    );
    bot.run("publish");
    assert_eq!(bot.check_runs().len(), 1);
    let other = Step::workflow_run(7, "stranger", &[("leakgate.json", &failing)])
        .with("LEAKGATE_NAME", "leakgate-gcc\nleakgate-clang*");
    let result = other.run("publish");
    assert!(
        result.stderr.contains("leakgate-gcc or leakgate-clang*"),
        "{}",
        result.stderr
    );
    let wrong_event = Step::pull_request(7).run("publish");
    assert!(
        wrong_event.status == 2
            && wrong_event.outputs.is_empty()
            && wrong_event.commands()[0].contains("workflow_run"),
        "{:?}",
        wrong_event.commands()
    );
}

#[test]
fn run_that_reported_itself_is_not_published() {
    let failing = json_report(&leaks(1));
    for (name, external_id, published) in [
        ("leakgate (a)", "leakgate-v1/55/2/a/b", 0),
        ("leakgate (a)", "leakgate-v1/55/1/a/b", 1),
        ("leakgate (a)", "leakgate-v1/56/2/a/b", 1),
        ("leakgate (a)", "something else", 1),
        ("leakgate (a) (unverified)", "leakgate-v1/55/2/a/b", 1),
    ] {
        let step = Step::workflow_run(7, "stranger", &[("leakgate.json", &failing)]);
        step.edit_event(|event| event["workflow_run"]["run_attempt"] = 2.into());
        step.fake.state().check_runs.push(json!({
            "id": 1, "name": name, "head_sha": HEAD, "external_id": external_id,
            "output": {},
        }));
        let result = step.run("publish");
        assert_eq!(
            (result.status, result.outputs["done"].as_str()),
            (0, "true")
        );
        assert_eq!(step.check_runs().len(), 1 + published, "{external_id}");
        assert_eq!(step.comments().len(), published, "{external_id}");
    }
}

#[test]
fn several_artifacts_of_a_fork_share_a_comment_despite_a_broken_one() {
    let failing = json_report(&leaks(1));
    let step = Step::workflow_run(7, "stranger", &[("leakgate.json", &failing)])
        .with("LEAKGATE_NAME", "leakgate*");
    for (name, zip) in [
        ("leakgate-b", zip_archive(&[("leakgate.json", &failing)])),
        ("leakgate-c", b"not an archive".to_vec()),
    ] {
        let mut state = step.fake.state();
        let number = state.next_id();
        let mut artifact = state.artifacts[0].clone();
        (artifact["id"], artifact["name"]) = (number.into(), name.into());
        state.artifacts.push(artifact);
        state.zips.insert(number, zip);
    }
    let result = step.run("publish");
    assert_eq!((result.status, step.check_runs().len()), (0, 2));
    assert!(
        result
            .commands()
            .iter()
            .any(|c| c.starts_with("::warning") && c.contains("leakgate-c")),
        "{:?}",
        result.commands()
    );
    let comments = step.comments();
    assert_eq!(comments.len(), 1);
    assert!(
        comments[0].contains("### `leakgate`") && comments[0].contains("### `leakgate-b`"),
        "{}",
        comments[0]
    );
}

#[test]
fn check_run_of_another_matrix_job_is_not_mistaken_for_this_one() {
    let step = Step::pull_request(REPOSITORY_ID).log(CLEAN_LOG);
    step.action();
    let step = step.log(&leaks(1));
    step.fake.fail("POST", "check-runs", 1, Fault::BadGateway);
    assert_eq!(step.action().status, 1);
    let conclusions: Vec<Value> = step
        .check_runs()
        .iter()
        .map(|run| run["conclusion"].clone())
        .collect();
    assert_eq!(conclusions, ["success", "failure"]);
    assert_eq!(
        step.check_runs()[0]["annotations"]
            .as_array()
            .map_or(0, Vec::len),
        0
    );
}

#[test]
fn marker_inside_a_comment_is_ignored() {
    let step = Step::pull_request(REPOSITORY_ID).log(&leaks(1));
    let number = step.pull_number().as_u64().unwrap();
    let quoted = format!("A function is called {MARKER}0 -->.");
    step.fake.state().add_comment(number, BOT, &quoted);
    step.action();
    assert_eq!(step.comments().len(), 2);
    assert_eq!(step.comments()[0], quoted);
}

#[test]
fn rules_of_a_checkout_without_git_are_found_from_subdirectories() {
    let step = Step::new("push", json!({})).with("LEAKGATE_TOKEN", "");
    let root = step.dir.path();
    fs::create_dir(root.join("build")).unwrap();
    fs::write(
        root.join("leakgate.toml"),
        "[gate]\nrequire = [\"helgrind\"]\n",
    )
    .unwrap();
    fs::write(root.join("build/run.log"), CLEAN_LOG).unwrap();
    let workspace = root.to_string_lossy().into_owned();
    let mut process = Command::new(env!("CARGO_BIN_EXE_leakgate"));
    process
        .arg("action")
        .current_dir(root.join("build"))
        .env_clear();
    let output = process
        .envs(&step.variables)
        .env("GITHUB_WORKSPACE", workspace)
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.code() == Some(1) && stdout.contains("missing-report"),
        "{stdout}"
    );
}

#[cfg(unix)]
#[test]
fn links_and_pipes_among_the_logs_are_not_copied() {
    let step = Step::new("push", json!({}))
        .with("LEAKGATE_TOKEN", "")
        .with("LEAKGATE_REPORTS", "logs")
        .log("a secret\n");
    let logs = step.dir.path().join("logs");
    fs::create_dir(&logs).unwrap();
    fs::write(logs.join("a.log"), CLEAN_LOG).unwrap();
    std::os::unix::fs::symlink("../run.log", logs.join("b.log")).unwrap();
    let result = step.action();
    assert_eq!(result.status, 0, "{}", result.stdout);
    let copied = files_in(&Path::new(&result.outputs["reports"]).join("logs/logs"));
    assert_eq!(copied.len(), 1, "{copied:?}");
}

#[cfg(unix)]
#[test]
fn untrusted_git_configuration_starts_no_command() {
    use crate::common::write_script;
    let step = Step::new("push", json!({}))
        .with("LEAKGATE_TOKEN", "")
        .log(&leaks(1));
    let root = step.dir.path();
    let git = |arguments: &[&str]| {
        assert!(
            Command::new("git")
                .args(arguments)
                .current_dir(root)
                .output()
                .unwrap()
                .status
                .success()
        )
    };
    git(&["init", "--quiet"]);
    write_script(&root.join("trap.sh"), "touch trapped");
    git(&["config", "core.fsmonitor", "./trap.sh"]);
    fs::write(root.join("a.c"), "int x;\n").unwrap();
    git(&["-c", "core.fsmonitor=false", "add", "a.c"]);
    step.action();
    assert!(!root.join("trapped").exists());
}

#[test]
fn reports_link_the_commit_the_run_and_the_places() {
    let log = leaks(2).replace("src/a.c:2", "/usr/src/b.c:2");
    let step = Step::pull_request(REPOSITORY_ID).log(&log);
    let result = step.action();
    let web = "https://github.example/octo/leaky";
    let origin =
        format!("\n\nCommit [`1111111`]({web}/commit/{HEAD}) · [run]({web}/actions/runs/77)\n\n");
    let place = format!("| [`src/a.c:1:9`]({web}/blob/{HEAD}/src/a.c#L1) |");
    let runs = step.check_runs();
    let check_run = runs[0]["output"]["summary"].as_str().unwrap();
    for text in [&result.summary, &step.comments()[0], check_run] {
        assert!(text.contains(&origin) && text.contains(&place), "{text}");
        assert!(text.contains("| `/usr/src/b.c:2:9` |"), "{text}");
    }
}

#[test]
fn file_that_cannot_be_read_is_named() {
    let step = Step::pull_request(REPOSITORY_ID).with("LEAKGATE_REPORTS", "missing.log");
    let result = step.action();
    assert_eq!(result.status, 2);
    let runs = step.check_runs();
    let check_run = runs[0]["output"]["summary"].as_str().unwrap();
    for text in [&result.summary, &step.comments()[0], check_run] {
        assert!(
            text.contains("\n- cannot read missing.log: file not found\n"),
            "{text}"
        );
    }
    let html = fs::read_to_string(&result.outputs["html"]).unwrap();
    assert!(html.contains("<li>cannot read missing.log: file not found</li>"));
}

#[test]
fn error_after_a_failed_step_is_not_commented_on() {
    for (status, log, comments) in [
        ("failure", "missing.log", 0),
        ("success", "missing.log", 1),
        ("failure", "run.log", 1),
    ] {
        let step = Step::pull_request(REPOSITORY_ID)
            .log(&leaks(1))
            .with("LEAKGATE_JOB_STATUS", status)
            .with("LEAKGATE_REPORTS", log);
        step.action();
        assert_eq!(step.check_runs().len(), 1);
        assert_eq!(step.comments().len(), comments, "{status}, {log}");
    }
}

#[test]
fn step_without_a_network_ends_soon_with_a_single_warning() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let api = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let step = Step::pull_request(REPOSITORY_ID)
        .log(&leaks(1))
        .with("GITHUB_API_URL", &api);
    let start = Instant::now();
    let result = step.action();
    assert!(start.elapsed() < Duration::from_secs(5));
    assert_eq!((result.status, result.outputs["new"].as_str()), (1, "1"));
    let warning = "::warning title=leakgate::cannot read the results of the base branch: \
                   connection failed: ";
    let commands = result.commands();
    assert_eq!(commands.len(), 2, "{commands:?}");
    assert!(commands[0].starts_with(warning), "{commands:?}");
    assert!(
        commands[1].starts_with("::error file=src/a.c"),
        "{commands:?}"
    );
    assert!(result.summary.contains("1 unexpected finding"));
}

#[test]
fn report_and_outputs_do_not_wait_for_a_request() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let api = format!("http://{}", listener.local_addr().unwrap());
    let step = Step::pull_request(REPOSITORY_ID)
        .log(&leaks(1))
        .with("GITHUB_API_URL", &api);
    let outputs = step.dir.path().join("output");
    let (sender, at_requests) = mpsc::channel();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = sender.send(fs::read_to_string(&outputs).unwrap_or_default());
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(
                b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            );
        }
    });
    assert_eq!(step.action().status, 1);
    let outputs = at_requests.recv().unwrap();
    for name in ["outcome", "unexpected", "new", "json"] {
        assert!(outputs.contains(&format!("{name}<<")), "{outputs}");
    }
}

/// By default, this event checks out the base of a pull request.
#[cfg(unix)]
#[test]
fn base_is_not_reported_as_the_head_of_a_pull_request() {
    let step = Step::pull_request(7)
        .with("GITHUB_EVENT_NAME", "pull_request_target")
        .with("LEAKGATE_COMMENT", "always")
        .log(CLEAN_LOG);
    let root = step.dir.path();
    let git = |arguments: &[&str]| {
        let author = ["-c", "user.name=a", "-c", "user.email=a@example.org"];
        let output = Command::new("git")
            .args(author)
            .args(arguments)
            .current_dir(root)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    git(&["init", "--quiet"]);
    git(&["commit", "--quiet", "--allow-empty", "--message=base"]);
    let base = git(&["rev-parse", "HEAD"]);
    let result = step.action();
    assert_eq!(result.status, 0);
    let short = &base[..7];
    let run = step.check_runs().pop().unwrap();
    assert_eq!(
        (&run["head_sha"], &run["conclusion"]),
        (&json!(HEAD), &json!("neutral"))
    );
    assert_eq!(run["name"], format!("{NAME} (another commit)"));
    assert_eq!(
        run["output"]["title"],
        format!("tested {short}, not the head of the pull request: no problems found")
    );
    assert!(
        result.commands()[0].contains(&format!("tested {short}, not the head")),
        "{:?}",
        result.commands()
    );
    assert!(step.comments()[0].contains(&format!("Commit [`{short}`]")));

    // The same checkout, if it is the head.
    step.edit_event(|event| event["pull_request"]["head"]["sha"] = base.clone().into());
    let result = step.action();
    assert_eq!(step.check_runs().pop().unwrap()["conclusion"], "success");
    assert_eq!(result.commands(), Vec::<&str>::new());
}
