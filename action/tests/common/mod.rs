//! Helpers shared by both test binaries: paths in the repository, and how to run leakgate.

#![allow(dead_code, reason = "each test binary uses only a part of this")]

pub(crate) mod step;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// Environment variables that change what leakgate, a checker or a compiler does.
const INFLUENTIAL_VARIABLES: &[&str] = &[
    "GITHUB_ACTIONS",
    "GITHUB_WORKSPACE",
    "BUILDKITE",
    "GITLAB_CI",
    "TEAMCITY_VERSION",
    "TF_BUILD",
    "ASAN_OPTIONS",
    "LSAN_OPTIONS",
    "TSAN_OPTIONS",
    "UBSAN_OPTIONS",
    "VALGRIND_OPTS",
    "RUSTFLAGS",
];

/// Returns a path in the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// Returns the path of the text report of a case, such as `asan/goes-on`.
pub(crate) fn report(case: &str) -> PathBuf {
    repository("snapshots").join(case).join("report.txt")
}

/// The result of a run of leakgate.
pub(crate) struct RunResult {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for RunResult {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self {
            status: output.status.code().unwrap(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }
}

impl RunResult {
    /// Parses standard output as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap()
    }
}

/// Returns a command for leakgate in a directory.
pub(crate) fn leakgate(dir: impl AsRef<Path>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_leakgate"));
    command.current_dir(dir).stdin(Stdio::null());
    remove_influential_variables(&mut command);
    command
}

/// Removes the variables that change what leakgate, a checker or a compiler does.
pub(crate) fn remove_influential_variables(command: &mut Command) {
    for name in INFLUENTIAL_VARIABLES {
        command.env_remove(name);
    }
}

/// Writes an executable shell script.
///
/// Linux doesn't execute a file that a process has open for writing, and the processes that other
/// tests start inherit all descriptors of this one for a moment. So another process writes it.
#[cfg(unix)]
pub(crate) fn write_script(path: &Path, script: &str) {
    let status = Command::new("sh")
        .args([
            "-c",
            "printf '#!/bin/sh\\n%s\\n' \"$2\" > \"$1\" && chmod 755 \"$1\"",
            "sh",
        ])
        .arg(path)
        .arg(script)
        .status()
        .unwrap();
    assert!(status.success(), "cannot write {}", path.display());
}

/// Runs leakgate with these arguments in a directory.
pub(crate) fn run(dir: impl AsRef<Path>, args: &[&str]) -> RunResult {
    leakgate(dir).args(args).output().unwrap().into()
}

/// Does the same as [`run`], with standard input.
pub(crate) fn run_with_input(dir: impl AsRef<Path>, args: &[&str], input: &[u8]) -> RunResult {
    let mut command = assert_cmd::Command::from_std(leakgate(dir));
    command.args(args).write_stdin(input);
    command.output().unwrap().into()
}

/// Returns the codes of the reasons for the verdict in a JSON report.
pub(crate) fn reason_codes(document: &Value) -> Vec<&str> {
    let reasons = document["verdict"]["reasons"].as_array().unwrap();
    reasons
        .iter()
        .map(|reason| reason["code"].as_str().unwrap())
        .collect()
}
