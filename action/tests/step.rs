//! `leakgate action` and `leakgate publish` against a GitHub in memory: what is reported, where,
//! and that no report changes a verdict.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "this is a test"
)]

#[path = "../src/github/tests/fake.rs"]
mod fake;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use fake::{Fake, Fault, REPOSITORY_ID, TOKEN};
use serde_json::{Value, json};

const HEAD: &str = "1111111111111111111111111111111111111111";
const MERGE: &str = "2222222222222222222222222222222222222222";
const BASE: &str = "3333333333333333333333333333333333333333";
const MARKER: &str = "<!-- leakgate: leakgate -->";
const BOT: &str = "github-actions[bot]";

const CLEAN: &str = "==7== Memcheck, a memory error detector\n==7== Command: ./clean\n==7== \n==7== HEAP SUMMARY:\n\
==7==     in use at exit: 0 bytes in 0 blocks\n==7==   total heap usage: 1 allocs, 1 frees, 40 bytes allocated\n==7== \n\
==7== All heap blocks were freed -- no leaks are possible\n==7== \n\
==7== ERROR SUMMARY: 0 errors from 0 contexts (suppressed: 0 from 0)\n";

/// A log with so many different leaks of 4 bytes, in lines of `src/a.c`.
fn leaks(count: usize) -> String {
    let record = |n: usize| {
        format!(
            "Direct leak of 4 byte(s) in 1 object(s) allocated from:\n    #0 0x5{n:x} in make_{n} src/a.c:{}:9\n\n",
            n + 1
        )
    };
    let records: String = (0..count).map(record).collect();
    let bytes = 4 * count;
    format!(
        "==7==ERROR: LeakSanitizer: detected memory leaks\n\n{records}SUMMARY: LeakSanitizer: {bytes} byte(s) leaked in {count} allocation(s).\n"
    )
}

/// A step: a working directory, an event, and a GitHub.
struct Step {
    dir: tempfile::TempDir,
    fake: Fake,
    variables: BTreeMap<&'static str, String>,
}

/// What became of it.
struct Ran {
    status: i32,
    stdout: String,
    stderr: String,
    outputs: BTreeMap<String, String>,
    summary: String,
}

impl Step {
    fn new(event: &str, payload: Value) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let fake = Fake::start("");
        let at = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
        fs::write(at("event.json"), payload.to_string()).unwrap();
        fs::create_dir(at("temp")).unwrap();
        let variables = BTreeMap::from([
            ("GITHUB_ACTIONS", "true".into()),
            ("GITHUB_API_URL", fake.api()),
            ("GITHUB_SERVER_URL", "https://github.example".into()),
            ("GITHUB_REPOSITORY", "octo/leaky".into()),
            ("GITHUB_EVENT_NAME", event.into()),
            ("GITHUB_EVENT_PATH", at("event.json")),
            ("GITHUB_SHA", MERGE.into()),
            ("GITHUB_RUN_ID", "77".into()),
            ("GITHUB_RUN_ATTEMPT", "1".into()),
            ("GITHUB_JOB", "test".into()),
            ("GITHUB_ACTOR", "somebody".into()),
            ("GITHUB_OUTPUT", at("output")),
            ("GITHUB_STEP_SUMMARY", at("summary")),
            ("RUNNER_TEMP", at("temp")),
            ("LEAKGATE_TOKEN", TOKEN.into()),
            ("LEAKGATE_REPORTS", "*.log".into()),
        ]);
        Self {
            dir,
            fake,
            variables,
        }
    }

    /// A run for a pull request whose branch lies in this repository, or in another.
    fn pull_request(head_repository: u64) -> Self {
        let side = |sha: &str, branch: &str, id: u64, owner: &str| json!({ "sha": sha, "ref": branch, "repo": { "id": id, "owner": { "login": owner } } });
        let owner = if head_repository == REPOSITORY_ID {
            "octo"
        } else {
            "stranger"
        };
        let step = Self::new("pull_request", json!({}));
        let number = step
            .fake
            .state()
            .pull(owner, "topic", HEAD, Some(head_repository));
        let payload = json!({
            "repository": { "id": REPOSITORY_ID, "default_branch": "main" },
            "pull_request": {
                "number": number,
                "head": side(HEAD, "topic", head_repository, owner),
                "base": side(BASE, "main", REPOSITORY_ID, "octo"),
            },
        });
        fs::write(step.dir.path().join("event.json"), payload.to_string()).unwrap();
        step
    }

    /// A workflow that follows a run for a pull request of another repository.
    fn after(head_repository: u64, actor: &str, artifact: &[(&str, &str)]) -> Self {
        let owner = if head_repository == REPOSITORY_ID {
            "octo"
        } else {
            "stranger"
        };
        let payload = json!({
            "repository": { "id": REPOSITORY_ID, "default_branch": "main" },
            "workflow_run": {
                "id": 55, "event": "pull_request", "head_sha": HEAD, "head_branch": "topic",
                "head_repository": { "id": head_repository, "owner": { "login": owner } },
                "actor": { "login": actor }, "html_url": "https://github.example/octo/leaky/actions/runs/55",
            },
        });
        let step = Self::new("workflow_run", payload);
        {
            let mut state = step.fake.state();
            state.pull(owner, "topic", HEAD, Some(head_repository));
            let number = state.number();
            state.artifacts.push(json!({
                "id": number, "name": "leakgate", "expired": false, "size_in_bytes": 9, "created_at": "2026-11-01T10:00:00Z",
                "workflow_run": { "id": 55, "repository_id": REPOSITORY_ID, "head_repository_id": head_repository,
                    "head_branch": "topic", "head_sha": HEAD },
            }));
            state.zips.insert(number, zipped(artifact));
        }
        step
    }

    fn log(self, text: &str) -> Self {
        fs::write(self.dir.path().join("run.log"), text).unwrap();
        self
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.variables.insert(name, value.into());
        self
    }

    fn run(&self, command: &str) -> Ran {
        for file in ["output", "summary"] {
            let _ = fs::remove_file(self.dir.path().join(file));
        }
        let mut process = Command::new(env!("CARGO_BIN_EXE_leakgate"));
        process
            .arg(command)
            .current_dir(self.dir.path())
            .env_clear()
            .envs(std::env::vars().filter(|(name, _)| name == "PATH"));
        let done = process.envs(&self.variables).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let read = |name: &str| fs::read_to_string(self.dir.path().join(name)).unwrap_or_default();
        let ran = Ran {
            status: done.status.code().unwrap(),
            stdout: text(done.stdout),
            stderr: text(done.stderr),
            outputs: outputs(&read("output")),
            summary: read("summary"),
        };
        assert!(
            !ran.stdout.contains(TOKEN)
                && !ran.stderr.contains(TOKEN)
                && !ran.summary.contains(TOKEN)
        );
        assert!(
            self.fake
                .state()
                .seen_elsewhere
                .iter()
                .all(|seen| !format!("{seen:?}").contains(TOKEN))
        );
        ran
    }

    fn action(&self) -> Ran {
        self.run("action")
    }

    /// The comments of the bot on any pull request.
    fn comments(&self) -> Vec<String> {
        let state = self.fake.state();
        let ours = state.comments.iter().filter(|c| c["user"]["login"] == BOT);
        ours.map(|c| c["body"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The number of the pull request.
    fn pull(&self) -> Value {
        self.fake.state().pulls[0]["number"].clone()
    }

    /// The pull request of the first comment.
    fn commented_on(&self) -> Value {
        self.fake.state().comments[0]["pull"].clone()
    }

    fn check_runs(&self) -> Vec<Value> {
        self.fake.state().check_runs.clone()
    }
}

impl Ran {
    /// The lines that a runner takes for commands, outside of the bracket.
    fn commands(&self) -> Vec<&str> {
        let mut stopped: Option<String> = None;
        let mut commands = Vec::new();
        for line in self.stdout.lines().chain(self.stderr.lines()) {
            if let Some(word) = line.strip_prefix("::stop-commands::") {
                stopped = Some(format!("::{word}::"));
            } else if stopped.as_deref() == Some(line) {
                stopped = None;
            } else if stopped.is_none()
                && (line.trim_start().starts_with("::") || line.contains("##["))
            {
                commands.push(line);
            }
        }
        assert_eq!(stopped, None, "commands are still stopped");
        commands
    }
}

/// Outputs as the runner reads them.
fn outputs(text: &str) -> BTreeMap<String, String> {
    let mut lines = text.lines();
    let mut all = BTreeMap::new();
    while let Some((name, end)) = lines.next().and_then(|line| line.split_once("<<")) {
        let value: Vec<&str> = lines.by_ref().take_while(|line| *line != end).collect();
        all.insert(name.to_owned(), value.join("\n"));
    }
    all
}

fn zipped(members: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in members {
        zip.start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// The JSON document of a log, as a run elsewhere would have left it.
fn document_of(log: &str) -> String {
    let step = Step::new("push", json!({}))
        .log(log)
        .with("LEAKGATE_TOKEN", "");
    let ran = step.action();
    fs::read_to_string(&ran.outputs["json"]).unwrap()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.sort();
    files
}

#[cfg(target_os = "linux")]
#[test]
fn a_command_is_run_watched_and_reported_without_the_token() {
    let step = Step::pull_request(REPOSITORY_ID)
        .with("LEAKGATE_REPORTS", "")
        .with("LEAKGATE_TOOL", "efence");
    if !Path::new("/usr/lib/libefence.so.0").exists() {
        assert!(std::env::var_os("CI").is_none(), "CI needs electric-fence");
        return;
    }
    let script = step.dir.path().join("tests.sh");
    fs::write(&script, "env > seen; echo done").unwrap();
    let step = step.with("LEAKGATE_RUN", "sh tests.sh");
    let ran = step.run("action");
    assert_eq!(ran.status, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stdout.contains("done\n") && ran.outputs["outcome"] == "pass",
        "{}",
        ran.stdout
    );
    let seen = fs::read_to_string(step.dir.path().join("seen")).unwrap();
    assert!(
        seen.contains("LD_PRELOAD=") && !seen.contains(TOKEN) && !seen.contains("LEAKGATE_TOKEN"),
        "{seen}"
    );
    fs::write(&script, "exit 4").unwrap();
    let ran = step.run("action");
    assert_eq!((ran.status, ran.outputs["outcome"].as_str()), (1, "fail"));
    assert!(
        ran.stdout.contains("failed with status 4")
            && Path::new(&ran.outputs["reports"]).join("logs").exists(),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_finding_is_on_the_pull_request_and_in_every_output() {
    let step = Step::pull_request(REPOSITORY_ID).log(&leaks(2));
    let ran = step.action();
    assert_eq!(ran.status, 1, "{}", ran.stderr);
    let output = |name: &str| ran.outputs[name].as_str();
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
    let logs = files_below(&Path::new(output("reports")).join("logs"));
    assert_eq!(fs::read_to_string(&logs[0]).unwrap(), leaks(2));
    assert!(
        ran.summary.contains("2 unexpected findings"),
        "{}",
        ran.summary
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
    // The check run shows them, so that the log's commands would only show them twice.
    assert_eq!(ran.commands(), Vec::<&str>::new());

    let comments = step.comments();
    assert_eq!(comments.len(), 1);
    assert!(
        comments[0].starts_with(MARKER) && comments[0].contains("2 unexpected findings"),
        "{}",
        comments[0]
    );
}

#[test]
fn the_one_comment_follows_the_pull_request_and_goes_when_nothing_is_left() {
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
    let step = step.log(CLEAN);
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
fn a_token_without_permissions_leaves_annotations_and_summary_and_no_warning() {
    let step = Step::pull_request(REPOSITORY_ID).log(&leaks(1));
    for method in ["GET", "POST", "PATCH"] {
        step.fake.fail_always(method, "/", Fault::Forbidden);
    }
    let ran = step.action();
    assert_eq!((ran.status, ran.outputs["outcome"].as_str()), (1, "fail"));
    let commands = ran.commands();
    assert_eq!(commands.len(), 1);
    assert!(
        commands[0].starts_with("::error file=src/a.c,line=1,col=9,title="),
        "{commands:?}"
    );
    assert!(
        ran.stderr.contains("checks: write") && ran.stderr.contains("pull-requests: write"),
        "{}",
        ran.stderr
    );
    assert!(ran.summary.contains("1 unexpected finding"));
}

#[test]
fn a_report_that_fails_is_a_warning_and_changes_no_verdict() {
    for (log, status) in [(CLEAN.to_owned(), 0), (leaks(1), 1)] {
        let step = Step::pull_request(REPOSITORY_ID)
            .log(&log)
            .with("LEAKGATE_COMMENT", "always");
        step.fake.fail_always("POST", "/", Fault::Unprocessable);
        let ran = step.action();
        assert_eq!(ran.status, status, "{}", ran.stderr);
        let warnings = ran
            .commands()
            .iter()
            .filter(|c| c.starts_with("::warning title=leakgate::"))
            .count();
        assert_eq!(warnings, 2, "{}", ran.stdout);
    }
    let lost = Step::pull_request(REPOSITORY_ID)
        .log(CLEAN)
        .with("GITHUB_STEP_SUMMARY", "/no/such/folder/summary");
    let ran = lost.action();
    assert_eq!(ran.status, 0);
    assert!(
        ran.commands()[0].contains("/no/such/folder/summary"),
        "{:?}",
        ran.commands()
    );
}

#[test]
fn a_run_of_a_fork_writes_nothing_and_leaves_what_publish_needs() {
    for step in [
        Step::pull_request(7),
        Step::pull_request(REPOSITORY_ID).with("GITHUB_ACTOR", "dependabot[bot]"),
    ] {
        let step = step.log(&leaks(1));
        let ran = step.action();
        assert_eq!(ran.status, 1);
        assert!(
            step.fake
                .state()
                .seen
                .iter()
                .all(|seen| seen.method == "GET")
        );
        assert!(ran.stderr.contains("leakgate publish"), "{}", ran.stderr);
        assert_eq!(ran.commands().len(), 1);
        let folder = Path::new(&ran.outputs["reports"]);
        let origin: Value =
            serde_json::from_slice(&fs::read(folder.join("publish.json")).unwrap()).unwrap();
        assert_eq!(origin["head_sha"], HEAD);
        assert_eq!(origin["pull_request"], step.pull());
    }
}

#[test]
fn an_older_run_does_not_write_over_a_newer_ones_comment() {
    let step = Step::pull_request(REPOSITORY_ID).log(&leaks(1));
    step.fake.state().pulls[0]["head"]["sha"] = "9".repeat(40).into();
    assert_eq!(step.action().status, 1);
    assert_eq!(step.comments(), Vec::<String>::new());
    assert_eq!(step.check_runs()[0]["head_sha"], HEAD);
}

#[test]
fn what_is_new_is_told_against_the_last_push_to_the_base_branch() {
    let zip = zipped(&[("leakgate.json", &document_of(&leaks(2)))]);
    let step = Step::pull_request(REPOSITORY_ID).log(&leaks(3));
    step.fake.state().push("leakgate", "main", BASE, zip);
    let ran = step.action();
    assert_eq!(
        (
            ran.outputs["unexpected"].as_str(),
            ran.outputs["new"].as_str()
        ),
        ("3", "1")
    );
    for text in [&ran.summary, &step.comments()[0]] {
        assert!(
            text.contains("Against the base: 1 new finding")
                && text.contains("[3333333](https://github.example/"),
            "{text}"
        );
    }
    // Another leg has an artifact of its own.
    let step = step.with("LEAKGATE_NAME", "leakgate-gcc");
    let ran = step.action();
    assert_eq!(ran.outputs["new"], "3");
    assert_eq!(step.check_runs().last().unwrap()["name"], "leakgate-gcc");
    assert_eq!(step.comments().len(), 2);
}

#[test]
fn a_baseline_tells_what_is_new() {
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
    let ran = step.action();
    assert_eq!(
        (
            ran.status,
            ran.outputs["unexpected"].as_str(),
            ran.outputs["new"].as_str()
        ),
        (1, "1", "1"),
        "{}",
        ran.stderr
    );
    let step = step.log(&leaks(1));
    assert_eq!(step.action().status, 0);
}

#[test]
fn many_findings_are_all_in_the_check_run() {
    let step = Step::new(
        "push",
        json!({ "repository": { "id": REPOSITORY_ID, "default_branch": "main" } }),
    )
    .log(&leaks(120));
    let ran = step.action();
    assert_eq!(ran.outputs["unexpected"], "120");
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

#[test]
fn what_is_wrong_with_the_inputs_is_an_error_at_once() {
    for (name, value, want) in [
        ("LEAKGATE_REPORTS", "", "`reports`"),
        ("LEAKGATE_SUMMARY", "maybe", "`summary`"),
        ("LEAKGATE_CONFIG", "no.toml", "no.toml"),
        ("LEAKGATE_FAIL_ON", "lekas", "lekas"),
    ] {
        let step = Step::pull_request(REPOSITORY_ID)
            .log(CLEAN)
            .with(name, value);
        let ran = step.action();
        assert_eq!(
            (ran.status, ran.outputs["outcome"].as_str()),
            (2, "error"),
            "{name}"
        );
        assert!(
            ran.commands().len() == 1 && ran.commands()[0].contains(want),
            "{:?}",
            ran.commands()
        );
        assert_eq!(step.fake.state().seen.len(), 0);
    }
    let silent =
        Step::pull_request(REPOSITORY_ID).with("LEAKGATE_REPORTS", "missing.log\nnone/*.log");
    let ran = silent.action();
    assert_eq!((ran.status, ran.outputs["outcome"].as_str()), (2, "error"));
    assert!(
        ran.stdout.contains("none/*.log matches no file"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_hostile_log_says_nothing_to_the_runner() {
    let trap = "::error::x\n  ::set-output name=outcome::pass\n##[error]y\nbuild ##[add-matcher]/tmp/m.json\n::add-mask::a\n::stop-commands::pwned\n";
    let frame = "    #0 0x51 in ::error::f##[error]<b>@octocat</b>%0A::warning::z src/a.c:3:9\n";
    let log = leaks(1).replace("    #0 0x50 in make_0 src/a.c:1:9\n", frame);
    let step = Step::pull_request(REPOSITORY_ID)
        .log(&format!("{trap}{log}{trap}"))
        .with("LEAKGATE_CHECK_RUN", "false");
    let ran = step.action();
    assert_eq!(ran.status, 1);
    let commands = ran.commands();
    assert_eq!(commands.len(), 1, "{commands:?}");
    assert!(
        commands[0].starts_with("::error file=src/a.c,line=3") && !commands[0][2..].contains("##["),
        "{commands:?}"
    );
    assert!(
        !ran.summary.contains("##[") && !step.comments()[0].contains("##["),
        "{:?}",
        step.comments()
    );
}

#[test]
fn a_fork_is_published_as_its_own_word() {
    let failing = document_of(&leaks(2));
    let step = Step::after(
        7,
        "stranger",
        &[("leakgate.json", &failing), ("publish.json", "{}")],
    );
    let ran = step.run("publish");
    assert_eq!(ran.status, 0, "{}", ran.stderr);
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
        "nobody checked: 2 unexpected findings"
    );
    let comments = step.comments();
    assert!(
        comments[0].contains("2 unexpected findings")
            && comments[0].contains("Nobody has checked it"),
        "{comments:?}"
    );
    assert_eq!(step.commented_on(), step.pull());
}

#[test]
fn a_claim_of_a_clean_run_is_no_success_and_removes_nothing() {
    let clean = document_of(CLEAN);
    let step = Step::after(7, "stranger", &[("leakgate.json", &clean)]);
    let number = step.pull().as_u64().unwrap();
    assert_eq!(step.run("publish").status, 0);
    assert_eq!(step.check_runs()[0]["conclusion"], "neutral");
    assert_eq!(step.comments(), Vec::<String>::new());
    step.fake
        .state()
        .comment(number, BOT, "<!-- leakgate: published -->\nbefore");
    step.run("publish");
    assert!(
        step.comments()[0].contains("It says that nothing is wrong")
            && step.comments()[0].contains("Nobody has checked it")
    );
    assert!(!step.comments()[0].contains("✅"));
    // A document that says pass and holds what nobody accepted says two things, and the worse one
    // counts.
    let forged = document_of(&leaks(1)).replace("\"outcome\":\"fail\"", "\"outcome\":\"pass\"");
    let step = Step::after(7, "stranger", &[("leakgate.json", &forged)]);
    step.run("publish");
    assert_eq!(step.check_runs()[0]["conclusion"], "failure");
    // Success is no word of a document either.
    let forged = clean.replace("\"outcome\":\"pass\"", "\"outcome\":\"success\"");
    let step = Step::after(7, "stranger", &[("leakgate.json", &forged)]);
    let ran = step.run("publish");
    assert!(
        step.check_runs().is_empty() && ran.commands()[0].contains("`success` is no outcome"),
        "{:?}",
        ran.commands()
    );
}

#[test]
fn an_artifact_is_hostile_data() {
    let failing = document_of(&leaks(1));
    for (members, want) in [
        (vec![("leakgate.json", "{")], "no document of leakgate"),
        (vec![("other.json", "{}")], "holds no leakgate.json"),
        (
            vec![("../leakgate.json", failing.as_str())],
            "holds no leakgate.json",
        ),
    ] {
        let step = Step::after(7, "stranger", &members);
        let ran = step.run("publish");
        assert_eq!(ran.status, 0);
        assert!(
            ran.commands()
                .iter()
                .any(|c| c.starts_with("::warning") && c.contains(want)),
            "{want}: {:?}",
            ran.commands()
        );
        assert!(step.check_runs().is_empty() && step.comments().is_empty());
    }
    // Another pull request's number in the artifact leads nowhere: the run's own commit tells which
    // it is.
    let forged =
        json!({ "schema": "leakgate-publish/v1", "pull_request": 1, "head_sha": HEAD }).to_string();
    let step = Step::after(
        7,
        "stranger",
        &[("leakgate.json", &failing), ("publish.json", &forged)],
    );
    step.run("publish");
    assert_eq!(step.commented_on(), step.pull());
    // A commit that no open pull request has gets a check run and no comment.
    let step = Step::after(7, "stranger", &[("leakgate.json", &failing)]);
    step.fake.state().pulls[0]["head"]["sha"] = "9".repeat(40).into();
    step.run("publish");
    assert!(step.comments().is_empty() && step.check_runs().len() == 1);
    // Places outside of the repository are none.
    let forged = failing.replace(
        "\"file\":\"src/a.c\",\"line\":1,\"column\":9,\"function\"",
        "\"file\":\"../../etc/passwd\",\"line\":1,\"column\":9,\"function\"",
    );
    assert_ne!(forged, failing);
    let step = Step::after(7, "stranger", &[("leakgate.json", &forged)]);
    step.run("publish");
    assert_eq!(step.check_runs()[0]["annotations"][0]["path"], "run.log");
}

#[test]
fn only_runs_that_could_not_report_are_published() {
    let failing = document_of(&leaks(1));
    let own = Step::after(REPOSITORY_ID, "somebody", &[("leakgate.json", &failing)]);
    let ran = own.run("publish");
    assert!(
        ran.status == 0 && own.check_runs().is_empty() && ran.stderr.contains("nothing to publish"),
        "{}",
        ran.stderr
    );
    let bot = Step::after(
        REPOSITORY_ID,
        "dependabot[bot]",
        &[("leakgate.json", &failing)],
    );
    bot.run("publish");
    assert_eq!(bot.check_runs().len(), 1);
    let other = Step::after(7, "stranger", &[("leakgate.json", &failing)])
        .with("LEAKGATE_NAME", "leakgate-gcc\nleakgate-clang*");
    let ran = other.run("publish");
    assert!(
        ran.stderr.contains("leakgate-gcc or leakgate-clang*"),
        "{}",
        ran.stderr
    );
    let no = Step::pull_request(7).run("publish");
    assert!(
        no.status == 2 && no.commands()[0].contains("workflow_run"),
        "{:?}",
        no.commands()
    );
}

#[test]
fn several_artifacts_of_a_fork_are_one_comment_and_a_broken_one_stops_no_other() {
    let failing = document_of(&leaks(1));
    let step = Step::after(7, "stranger", &[("leakgate.json", &failing)])
        .with("LEAKGATE_NAME", "leakgate*");
    for (name, zip) in [
        ("leakgate-b", zipped(&[("leakgate.json", &failing)])),
        ("leakgate-c", b"no archive".to_vec()),
    ] {
        let mut state = step.fake.state();
        let number = state.number();
        let mut artifact = state.artifacts[0].clone();
        (artifact["id"], artifact["name"]) = (number.into(), name.into());
        state.artifacts.push(artifact);
        state.zips.insert(number, zip);
    }
    let ran = step.run("publish");
    assert_eq!((ran.status, step.check_runs().len()), (0, 2));
    assert!(
        ran.commands()
            .iter()
            .any(|c| c.starts_with("::warning") && c.contains("leakgate-c")),
        "{:?}",
        ran.commands()
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
fn a_lost_answer_never_takes_another_legs_check_run_for_ones_own() {
    let step = Step::pull_request(REPOSITORY_ID).log(CLEAN);
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
fn a_marker_within_a_comment_is_text() {
    let step = Step::pull_request(REPOSITORY_ID).log(&leaks(1));
    let number = step.pull().as_u64().unwrap();
    let quoted = format!("A function is called {MARKER}.");
    step.fake.state().comment(number, BOT, &quoted);
    step.action();
    assert_eq!(step.comments().len(), 2);
    assert_eq!(step.comments()[0], quoted);
}

#[test]
fn the_rules_of_a_checkout_without_git_are_found_from_any_folder_of_it() {
    let step = Step::new("push", json!({})).with("LEAKGATE_TOKEN", "");
    let root = step.dir.path();
    fs::create_dir(root.join("build")).unwrap();
    fs::write(
        root.join("leakgate.toml"),
        "[gate]\nrequire = [\"helgrind\"]\n",
    )
    .unwrap();
    fs::write(root.join("build/run.log"), CLEAN).unwrap();
    let workspace = root.to_string_lossy().into_owned();
    let mut process = Command::new(env!("CARGO_BIN_EXE_leakgate"));
    process
        .arg("action")
        .current_dir(root.join("build"))
        .env_clear();
    let done = process
        .envs(&step.variables)
        .env("GITHUB_WORKSPACE", workspace)
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&done.stdout);
    assert!(
        done.status.code() == Some(1) && stdout.contains("missing-report"),
        "{stdout}"
    );
}

#[cfg(unix)]
#[test]
fn links_and_pipes_among_the_logs_are_not_handed_on() {
    let step = Step::new("push", json!({}))
        .with("LEAKGATE_TOKEN", "")
        .with("LEAKGATE_REPORTS", "logs")
        .log("a secret\n");
    let logs = step.dir.path().join("logs");
    fs::create_dir(&logs).unwrap();
    fs::write(logs.join("a.log"), CLEAN).unwrap();
    std::os::unix::fs::symlink("../run.log", logs.join("b.log")).unwrap();
    let ran = step.action();
    assert_eq!(ran.status, 0, "{}", ran.stdout);
    let copied = files_below(&Path::new(&ran.outputs["reports"]).join("logs/logs"));
    assert_eq!(copied.len(), 1, "{copied:?}");
}

#[cfg(unix)]
#[test]
fn a_repository_of_somebody_else_starts_no_command() {
    use std::os::unix::fs::PermissionsExt;
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
    fs::write(root.join("trap.sh"), "#!/bin/sh\ntouch trapped\n").unwrap();
    fs::set_permissions(root.join("trap.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    git(&["config", "core.fsmonitor", "./trap.sh"]);
    fs::write(root.join("a.c"), "int x;\n").unwrap();
    git(&["-c", "core.fsmonitor=false", "add", "a.c"]);
    step.action();
    assert!(!root.join("trapped").exists());
}
