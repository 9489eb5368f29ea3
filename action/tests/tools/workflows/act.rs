//! Runs a workflow under `act`, on the host and without a network, and collects its results.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::commands::{self, ExecutedCommand};
use super::rejecting_api::RejectingApi;
use crate::common::{repository, write_script};
use crate::needs;

/// A project for a test, with the actions and programs that it needs.
pub(crate) struct Project {
    home: TempDir,
    variables: Vec<(String, String)>,
    event: &'static str,
    github: RejectingApi,
}

/// Results of a workflow run.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) passed: bool,
    /// Outputs of each step of the workflow, by its id or number.
    outputs: BTreeMap<String, BTreeMap<String, String>>,
    /// Result of each step of the workflow, by its id or number.
    results: BTreeMap<String, String>,
    /// Job summaries of all steps.
    pub(crate) summary: String,
    /// Calls of stub actions: the name of the action and its inputs.
    calls: Vec<(String, Value)>,
    /// Output of the command (standard output and standard error), as the runner gets it.
    pub(crate) raw: Vec<u8>,
    /// Number of attempts to write through the GitHub API, which rejects them.
    pub(crate) writes: usize,
    /// Duration of the last step that used the action, in milliseconds.
    pub(crate) milliseconds: u64,
    /// Log of the steps, for messages of failed assertions.
    pub(crate) log: String,
}

impl Project {
    pub(crate) fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let github = RejectingApi::start();
        let variables = vec![("GITHUB_API_URL".to_owned(), github.address.clone())];
        let project = Self {
            home,
            variables,
            event: "push",
            github,
        };
        for folder in ["project/.github/workflows", "bin", "home"] {
            fs::create_dir_all(project.at(folder)).unwrap();
        }
        copy_action(&project.at("action"));
        create_stub(
            &project.at("upload-artifact"),
            "upload-artifact",
            &[
                "name",
                "path",
                "if-no-files-found",
                "include-hidden-files",
                "overwrite",
                "retention-days",
            ],
        );
        create_stub(
            &project.at("codeql-action/upload-sarif"),
            "upload-sarif",
            &["sarif_file", "category", "token"],
        );
        project
    }

    /// Returns a path in the temporary directory of the test.
    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Writes a file of the project.
    pub(crate) fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.at("project").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    /// Sets a variable for the whole run.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the event, with its payload. The default is a push.
    pub(crate) fn event(mut self, name: &'static str, payload: &Value) -> Self {
        fs::write(self.at("event.json"), payload.to_string()).unwrap();
        self.event = name;
        self
    }

    /// Installs the program on PATH, for `version: installed`. Its output is recorded.
    pub(crate) fn installed(self) -> Self {
        let raw = self.at("raw").display().to_string();
        let program = program().display().to_string();
        write_script(
            &self.at("bin/leakgate"),
            &format!("'{program}' \"$@\" >'{raw}' 2>&1\nstatus=$?\ncat '{raw}'\nexit $status"),
        );
        self
    }

    /// Releases the program, with its checksum in the manifest.
    pub(crate) fn released(self) -> Self {
        self.released_as(&program())
    }

    /// Releases a script in place of the program.
    pub(crate) fn released_script(self, script: &str) -> Self {
        let path = self.at("script");
        write_script(&path, script);
        self.released_as(&path)
    }

    fn released_as(self, program: &Path) -> Self {
        let version = env!("CARGO_PKG_VERSION");
        let name = format!(
            "leakgate-{version}-{}-unknown-linux-musl",
            std::env::consts::ARCH
        );
        let folder = self.at(&format!("releases/v{version}"));
        fs::create_dir_all(folder.join(&name)).unwrap();
        fs::copy(program, folder.join(&name).join("leakgate")).unwrap();
        let packed =
            format!("tar -czf {name}.tar.gz {name} && rm -r {name} && sha256sum {name}.tar.gz");
        let sum = Command::new("sh")
            .args(["-c", &packed])
            .current_dir(folder)
            .output()
            .unwrap();
        fs::write(self.at("action/action/setup/checksums.txt"), sum.stdout).unwrap();
        let releases = format!("file://{}", self.at("releases").display());
        self.variable("LEAKGATE_RELEASES", &releases)
    }

    /// Commits the project and runs this workflow.
    pub(crate) fn run(self, workflow: &str) -> Run {
        let project = self.file(".github/workflows/workflow.yml", workflow);
        let commit = "git init -q && \
                      git remote add origin https://github.com/octo/project && git add -A && \
                      git -c user.name=a -c user.email=a@example.org commit -qm all";
        assert!(
            Command::new("sh")
                .args(["-c", commit])
                .current_dir(project.at("project"))
                .status()
                .unwrap()
                .success()
        );
        let output = project.act().output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout);
        let lines = printed
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect::<Vec<Value>>();
        let messages = lines
            .iter()
            .filter(|line| line["stage"] == "Main")
            .filter_map(|line| line["msg"].as_str());
        let log = messages
            .map(str::trim_end)
            .chain([&*String::from_utf8_lossy(&output.stderr)])
            .collect::<Vec<_>>()
            .join("\n");
        let calls = fs::read_to_string(project.at("calls")).unwrap_or_default();
        let calls = serde_json::Deserializer::from_str(&calls)
            .into_iter()
            .map(Result::unwrap)
            .collect();
        let raw = fs::read(project.at("raw")).unwrap_or_default();
        let passed = output.status.success();
        let mut run = Run {
            passed,
            calls,
            raw,
            log,
            writes: project.github.writes(),
            ..Run::empty()
        };
        lines.iter().for_each(|line| run.add_line(line));
        run
    }

    fn act(&self) -> Command {
        let mut command = Command::new(path().unwrap());
        let path = format!(
            "{}:{}",
            self.at("bin").display(),
            std::env::var("PATH").unwrap()
        );
        command
            .current_dir(self.at("project"))
            .env("PATH", path)
            .env_remove("GITHUB_TOKEN");
        for name in ["HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"] {
            command.env(name, self.at("home"));
        }
        command.args([
            self.event,
            "--json",
            "--no-cache-server",
            "-s",
            "GITHUB_TOKEN=ghs_not_a_token_at_all",
        ]);
        for system in ["ubuntu-latest", "ubuntu-24.04"] {
            command.args(["-P", &format!("{system}=-self-hosted")]);
        }
        if self.at("event.json").exists() {
            command.arg("-e").arg(self.at("event.json"));
        }
        for (name, value) in &self.variables {
            command.args(["--env", &format!("{name}={value}")]);
        }
        command.args(["--env", &format!("CALLS={}", self.at("calls").display())]);
        for (action, folder) in self.actions() {
            command.args([
                "--local-repository",
                &format!("{action}={}", self.at(folder).display()),
            ]);
        }
        command
    }

    /// Returns the actions that the workflow uses, by name and version as in action.yml and README,
    /// and their directories.
    fn actions(&self) -> Vec<(String, &'static str)> {
        let action = fs::read_to_string(self.at("action/action.yml")).unwrap();
        let pinned =
            |name: &str| action.split_once(&format!("uses: {name}@")).unwrap().1[..40].to_owned();
        let readme = fs::read_to_string(repository("README.md")).unwrap();
        let (_, newest) = readme.split_once("uses: leakgate/leakgate@").unwrap();
        vec![
            (
                format!("leakgate/leakgate@v{}", env!("CARGO_PKG_VERSION")),
                "action",
            ),
            // Between two releases, examples use the newest release.
            (
                format!("leakgate/leakgate@{}", newest.lines().next().unwrap()),
                "action",
            ),
            (
                format!(
                    "actions/upload-artifact@{}",
                    pinned("actions/upload-artifact")
                ),
                "upload-artifact",
            ),
            (
                format!(
                    "github/codeql-action@{}",
                    pinned("github/codeql-action/upload-sarif")
                ),
                "codeql-action",
            ),
        ]
    }
}

impl Run {
    fn empty() -> Self {
        Self {
            passed: false,
            outputs: BTreeMap::new(),
            results: BTreeMap::new(),
            summary: String::new(),
            calls: Vec::new(),
            raw: Vec::new(),
            writes: 0,
            milliseconds: 0,
            log: String::new(),
        }
    }

    /// Adds the information of a line of act's log.
    fn add_line(&mut self, line: &Value) {
        let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
        let Some([id]) = line["stepID"].as_array().map(Vec::as_slice) else {
            if line["command"] == "summary" {
                self.summary += &text("content");
            }
            return;
        };
        let id = id.as_str().unwrap().to_owned();
        if line["command"] == "set-output" {
            self.outputs
                .entry(id)
                .or_default()
                .insert(text("name"), text("arg"));
        } else if line["stage"] == "Main" && line["stepResult"].is_string() {
            if text("step").starts_with("leakgate/") {
                self.milliseconds = line["executionTime"].as_u64().unwrap() / 1_000_000;
            }
            self.results.insert(id, text("stepResult"));
        }
    }

    /// Returns an output of a step; empty if it was not set.
    pub(crate) fn output(&self, step: &str, name: &str) -> &str {
        self.outputs
            .get(step)
            .and_then(|outputs| outputs.get(name))
            .map_or("", String::as_str)
    }

    /// Returns the result of a step; empty if it did not run.
    pub(crate) fn result(&self, step: &str) -> &str {
        self.results.get(step).map_or("", String::as_str)
    }

    /// Returns the inputs of each call of a stub action.
    pub(crate) fn calls(&self, action: &str) -> Vec<&Value> {
        self.calls
            .iter()
            .filter(|(name, _)| name == action)
            .map(|(_, inputs)| inputs)
            .collect()
    }

    /// Returns the workflow commands in the output of the program.
    pub(crate) fn commands(&self) -> Vec<ExecutedCommand> {
        commands::executed(&self.raw)
    }
}

/// Returns the path of act.
fn path() -> Option<PathBuf> {
    match std::env::var_os("LEAKGATE_ACT") {
        Some(path) => Some(path.into()).filter(|path: &PathBuf| path.exists()),
        None => needs::find("act"),
    }
}

pub(super) fn is_installed() -> bool {
    path().is_some()
}

/// Returns the program to test: the one that cargo built, or `LEAKGATE_PROGRAM`, such as a release
/// build to measure the time of a step.
fn program() -> PathBuf {
    std::env::var_os("LEAKGATE_PROGRAM")
        .map_or_else(|| env!("CARGO_BIN_EXE_leakgate").into(), PathBuf::from)
}

/// Copies the files of this repository that git knows, which a runner would download.
fn copy_action(to: &Path) {
    fs::create_dir(to).unwrap();
    let copy = format!(
        "git ls-files -z --cached --others --exclude-standard -- . ':!snapshots' | \
         xargs -0 cp --parents -t '{}'",
        to.display()
    );
    assert!(
        Command::new("sh")
            .args(["-c", &copy])
            .current_dir(repository(""))
            .status()
            .unwrap()
            .success()
    );
}

/// Creates a stub action that only records its inputs.
fn create_stub(folder: &Path, name: &str, inputs: &[&str]) {
    let inputs: String = inputs
        .iter()
        .map(|input| format!("  {input}: {{}}\n"))
        .collect();
    let action = format!(
        "name: {name}\ninputs:\n{inputs}runs:\n  using: composite\n  steps:\n    - \
         shell: bash\n      env:\n        INPUTS: ${{{{ toJSON(inputs) }}}}\n      \
         run: printf '[\"{name}\", %s]\\n' \"$INPUTS\" >>\"$CALLS\"\n"
    );
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("action.yml"), action).unwrap();
}
