//! A step of a workflow that runs leakgate, with an in-memory fake of GitHub.

#[path = "../../src/github/tests/fake.rs"]
pub(crate) mod fake;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use fake::{Fake, REPOSITORY_ID, TOKEN};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const HEAD: &str = "1111111111111111111111111111111111111111";
pub(crate) const MERGE: &str = "2222222222222222222222222222222222222222";
pub(crate) const BASE: &str = "3333333333333333333333333333333333333333";
/// Default name of the results of a step.
pub(crate) const NAME: &str = "leakgate-test";
/// Start of the comment of a step with the default name.
pub(crate) const MARKER: &str = "<!-- leakgate: leakgate-test ";
pub(crate) const BOT: &str = "github-actions[bot]";

/// A log of memcheck without findings.
pub(crate) const CLEAN_LOG: &str = "==7== Memcheck, a memory error detector\n\
==7== Command: ./clean\n==7== \n\
==7== HEAP SUMMARY:\n==7==     in use at exit: 0 bytes in 0 blocks\n\
==7==   total heap usage: 1 allocs, 1 frees, 40 bytes allocated\n==7== \n\
==7== All heap blocks were freed -- no leaks are possible\n==7== \n\
==7== ERROR SUMMARY: 0 errors from 0 contexts (suppressed: 0 from 0)\n";

/// Returns a log with `count` different leaks of 4 bytes, each at its own line of `src/a.c`.
pub(crate) fn leaks(count: usize) -> String {
    let record = |n: usize| {
        format!(
            "Direct leak of 4 byte(s) in 1 object(s) allocated from:\n    \
             #0 0x5{n:x} in make_{n} src/a.c:{}:9\n\n",
            n + 1
        )
    };
    let records: String = (0..count).map(record).collect();
    let bytes = 4 * count;
    format!(
        "==7==ERROR: LeakSanitizer: detected memory leaks\n\n{records}\
         SUMMARY: LeakSanitizer: {bytes} byte(s) leaked in {count} allocation(s).\n"
    )
}

/// A step of a workflow: working directory, variables, and a fake GitHub.
pub(crate) struct Step {
    pub(crate) dir: TempDir,
    pub(crate) fake: Fake,
    pub(crate) variables: BTreeMap<&'static str, String>,
    /// Id of the current workflow run.
    run: Cell<u64>,
}

/// Result of a step.
pub(crate) struct StepResult {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) outputs: BTreeMap<String, String>,
    pub(crate) summary: String,
}

impl Step {
    pub(crate) fn new(event: &str, payload: Value) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let fake = Fake::start("");
        let path = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
        fs::write(path("event.json"), payload.to_string()).unwrap();
        fs::create_dir(path("temp")).unwrap();
        let variables = BTreeMap::from([
            ("GITHUB_ACTIONS", "true".into()),
            ("GITHUB_API_URL", fake.api()),
            ("GITHUB_SERVER_URL", "https://github.example".into()),
            ("GITHUB_REPOSITORY", "octo/leaky".into()),
            ("GITHUB_EVENT_NAME", event.into()),
            ("GITHUB_EVENT_PATH", path("event.json")),
            ("GITHUB_SHA", MERGE.into()),
            ("GITHUB_RUN_ATTEMPT", "1".into()),
            ("GITHUB_JOB", "test".into()),
            ("GITHUB_ACTOR", "octocat".into()),
            ("GITHUB_OUTPUT", path("output")),
            ("GITHUB_STEP_SUMMARY", path("summary")),
            ("RUNNER_TEMP", path("temp")),
            ("LEAKGATE_TOKEN", TOKEN.into()),
            ("LEAKGATE_REPORTS", "*.log".into()),
        ]);
        Self {
            dir,
            fake,
            variables,
            run: Cell::new(76),
        }
    }

    /// Creates a step of a run for a pull request whose branch is in this repository.
    pub(crate) fn pull_request(head_repository: u64) -> Self {
        let owner = if head_repository == REPOSITORY_ID {
            "octo"
        } else {
            "stranger"
        };
        let step = Self::new("pull_request", json!({}));
        let number = step
            .fake
            .state()
            .add_pull(owner, "topic", HEAD, Some(head_repository));
        let payload = json!({
            "repository": { "id": REPOSITORY_ID, "default_branch": "main" },
            "pull_request": {
                "number": number,
                "head": branch_json(HEAD, "topic", head_repository, owner),
                "base": branch_json(BASE, "main", REPOSITORY_ID, "octo"),
            },
        });
        fs::write(step.dir.path().join("event.json"), payload.to_string()).unwrap();
        step
    }

    /// Creates a step of a workflow that a completed run for a pull request triggered.
    pub(crate) fn workflow_run(
        head_repository: u64,
        actor: &str,
        artifact: &[(&str, &str)],
    ) -> Self {
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
                "actor": { "login": actor },
                "html_url": "https://github.example/octo/leaky/actions/runs/55",
            },
        });
        let step = Self::new("workflow_run", payload);
        {
            let mut state = step.fake.state();
            state.add_pull(owner, "topic", HEAD, Some(head_repository));
            let number = state.next_id();
            state.artifacts.push(json!({
                "id": number, "name": "leakgate", "expired": false, "size_in_bytes": 9,
                "created_at": "2026-11-01T10:00:00Z",
                "workflow_run": {
                    "id": 55, "repository_id": REPOSITORY_ID, "head_repository_id": head_repository,
                    "head_branch": "topic", "head_sha": HEAD,
                },
            }));
            state.zips.insert(number, zip_archive(artifact));
        }
        step
    }

    pub(crate) fn log(self, text: &str) -> Self {
        fs::write(self.dir.path().join("run.log"), text).unwrap();
        self
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.variables.insert(name, value.into());
        self
    }

    /// Changes the event payload.
    pub(crate) fn edit_event(&self, edit: impl FnOnce(&mut Value)) {
        let path = self.dir.path().join("event.json");
        let mut event = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        edit(&mut event);
        fs::write(path, event.to_string()).unwrap();
    }

    /// Runs the step in a new workflow run.
    pub(crate) fn run(&self, command: &str) -> StepResult {
        self.run.set(self.run.get() + 1);
        let _ = fs::remove_file(self.dir.path().join("temp/leakgate-names"));
        self.run_in_same_run(command)
    }

    /// Runs the step in the same workflow run as the last time.
    pub(crate) fn run_in_same_run(&self, command: &str) -> StepResult {
        for file in ["output", "summary"] {
            let _ = fs::remove_file(self.dir.path().join(file));
        }
        let mut process = Command::new(env!("CARGO_BIN_EXE_leakgate"));
        process
            .arg(command)
            .current_dir(self.dir.path())
            .env_clear()
            .envs(std::env::vars().filter(|(name, _)| name == "PATH"))
            .env("GITHUB_RUN_ID", self.run.get().to_string());
        let output = process.envs(&self.variables).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let read = |name: &str| fs::read_to_string(self.dir.path().join(name)).unwrap_or_default();
        let result = StepResult {
            status: output.status.code().unwrap(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
            outputs: parse_outputs(&read("output")),
            summary: read("summary"),
        };
        assert!(
            !result.stdout.contains(TOKEN)
                && !result.stderr.contains(TOKEN)
                && !result.summary.contains(TOKEN)
        );
        assert!(
            self.fake
                .state()
                .other_requests
                .iter()
                .all(|request| !format!("{request:?}").contains(TOKEN))
        );
        result
    }

    pub(crate) fn action(&self) -> StepResult {
        self.run("action")
    }

    /// Returns the bodies of all comments by the bot.
    pub(crate) fn comments(&self) -> Vec<String> {
        let state = self.fake.state();
        let own = state.comments.iter().filter(|c| c["user"]["login"] == BOT);
        own.map(|c| c["body"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Returns the number of the first pull request.
    pub(crate) fn pull_number(&self) -> Value {
        self.fake.state().pulls[0]["number"].clone()
    }

    /// Returns the number of the pull request that has the first comment.
    pub(crate) fn commented_pull(&self) -> Value {
        self.fake.state().comments[0]["pull"].clone()
    }

    pub(crate) fn check_runs(&self) -> Vec<Value> {
        self.fake.state().check_runs.clone()
    }
}

impl StepResult {
    /// Returns the lines that a runner executes as workflow commands.
    pub(crate) fn commands(&self) -> Vec<&str> {
        let mut stopped: Option<String> = None;
        let mut commands = Vec::new();
        for line in self.stdout.lines().chain(self.stderr.lines()) {
            if let Some(end) = line.strip_prefix("::stop-commands::") {
                stopped = Some(format!("::{end}::"));
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

/// Returns the head or the base of a pull request in an event payload.
fn branch_json(sha: &str, name: &str, repository: u64, owner: &str) -> Value {
    let repository = json!({ "id": repository, "owner": { "login": owner } });
    json!({ "sha": sha, "ref": name, "repo": repository })
}

/// Parses an output file like the runner.
fn parse_outputs(text: &str) -> BTreeMap<String, String> {
    let mut lines = text.lines();
    let mut all = BTreeMap::new();
    while let Some((name, end)) = lines.next().and_then(|line| line.split_once("<<")) {
        let value: Vec<&str> = lines.by_ref().take_while(|line| *line != end).collect();
        all.insert(name.to_owned(), value.join("\n"));
    }
    all
}

pub(crate) fn zip_archive(members: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in members {
        zip.start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Returns the JSON report of a log, as another run would have uploaded it.
pub(crate) fn json_report(log: &str) -> String {
    let step = Step::new("push", json!({}))
        .log(log)
        .with("LEAKGATE_TOKEN", "");
    let result = step.action();
    fs::read_to_string(&result.outputs["json"]).unwrap()
}

pub(crate) fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.sort();
    files
}
