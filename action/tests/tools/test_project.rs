//! A temporary project for tests: builds its programs and runs leakgate on them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use crate::common;

/// A program whose first argument selects the error that it makes.
pub(crate) const PROGRAM: &str = r#"
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int shared;
static char *lost;

__attribute__((noinline)) static void forget(void) { lost = malloc(100); lost[0] = 1; lost = NULL; }
static void *count(void *unused) { for (int i = 0; i < 1000; i++) shared++; return unused; }

int main(int argc, char **argv) {
    const char *mode = argc > 1 ? argv[1] : "";
    if (!strcmp(mode, "leak")) forget();
    if (!strcmp(mode, "read")) {
        char *p = malloc(10); volatile char c = p[argc + 14]; (void)c; free(p);
    }
    if (!strcmp(mode, "free-twice")) { char *p = malloc(10); free(p); free(p); }
    if (!strcmp(mode, "read-freed")) {
        char *p = malloc(10); free(p); volatile char c = p[1]; (void)c;
    }
    if (!strcmp(mode, "uninit")) { char *p = malloc(10); if (p[argc]) puts("set"); free(p); }
    if (!strcmp(mode, "overflow")) { int big = 2147483647; big += argc; printf("%d\n", big); }
    if (!strcmp(mode, "race")) {
        pthread_t one, two;
        pthread_create(&one, NULL, count, NULL); pthread_create(&two, NULL, count, NULL);
        pthread_join(one, NULL); pthread_join(two, NULL);
    }
    if (!strcmp(mode, "fork")) { if (fork() == 0) { forget(); return 0; } wait(NULL); }
    if (!strcmp(mode, "exec")) {
        if (fork() == 0) { execl(argv[0], argv[0], "leak", NULL); return 9; }
        wait(NULL);
    }
    if (!strcmp(mode, "read-then-exec")) {
        char *p = malloc(10); volatile char c = p[argc + 14]; (void)c;
        execl(argv[0], argv[0], "leak", NULL);
    }
    if (!strcmp(mode, "overflow-then-exec")) {
        int big = 2147483647; big += argc; printf("%d\n", big);
        execl(argv[0], argv[0], "overflow", NULL);
    }
    if (!strcmp(mode, "close-then-overflow")) {
        for (int fd = 3; fd < 64; fd++) close(fd);
        int big = 2147483647; big += argc; printf("%d\n", big);
    }
    if (!strcmp(mode, "nap")) usleep(400000);
    if (!strcmp(mode, "daemon")) { if (fork() == 0) { setsid(); sleep(1); forget(); return 0; } }
    if (!strcmp(mode, "killed")) { forget(); kill(getpid(), 9); }
    if (!strcmp(mode, "close")) { forget(); for (int fd = 3; fd < 64; fd++) close(fd); }
    if (!strcmp(mode, "_exit")) { forget(); _exit(0); }
    if (!strcmp(mode, "kill-child")) {
        int child = fork();
        if (child == 0) { forget(); pause(); }
        sleep(1); kill(child, 9); waitpid(child, NULL, 0);
    }
    if (!strcmp(mode, "fail")) return 3;
    puts("done");
    return 0;
}
"#;

/// A temporary folder with the files of a project.
pub(crate) struct TestProject {
    pub(crate) dir: TempDir,
}

/// The result of running leakgate.
pub(crate) struct RunResult {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
    /// The JSON report, or `null` if leakgate wrote none.
    pub(crate) json: Value,
}

impl RunResult {
    /// Takes the output of a command, and the JSON report if the file exists.
    pub(crate) fn new(output: Output, json: &Path) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            status: output.status.code().unwrap(),
            out: text(&output.stdout),
            err: text(&output.stderr),
            json: fs::read_to_string(json)
                .map_or(Value::Null, |text| serde_json::from_str(&text).unwrap()),
        }
    }

    /// Returns the codes of the reasons for the verdict. Without a report, there are none.
    pub(crate) fn reason_codes(&self) -> Vec<&str> {
        if self.json.is_null() {
            return Vec::new();
        }
        common::reason_codes(&self.json)
    }

    /// Returns the tool and kind of each finding.
    pub(crate) fn findings(&self) -> Vec<(&str, &str)> {
        let findings = self.json["findings"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        findings
            .iter()
            .map(|finding| {
                (
                    finding["tool"].as_str().unwrap(),
                    finding["kind"].as_str().unwrap(),
                )
            })
            .collect()
    }

    #[track_caller]
    pub(crate) fn assert_passes(&self) {
        assert_eq!(self.status, 0, "{}{}", self.out, self.err);
    }

    #[track_caller]
    pub(crate) fn assert_fails_for(&self, code: &str) {
        assert_eq!(self.status, 1, "{}{}", self.out, self.err);
        assert!(
            self.reason_codes().contains(&code),
            "{:?}\n{}",
            self.reason_codes(),
            self.out
        );
    }
}

impl TestProject {
    pub(crate) fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    /// Creates a project with [`PROGRAM`], compiled to `app` by a compiler and its options.
    pub(crate) fn with_app(compiler: &str) -> Self {
        let project = Self::new();
        project.write("app.c", PROGRAM);
        project.build(compiler, "app");
        project
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Writes an executable shell script.
    pub(crate) fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        common::write_script(&path, text);
        path
    }

    pub(crate) fn build(&self, compiler: &str, name: &str) {
        let mut words = compiler.split(' ');
        let mut command = Command::new(words.next().unwrap());
        command
            .args(words)
            .args(["-g", "-pthread", "-w", "-o", name, &format!("{name}.c")])
            .current_dir(self.path());
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "{compiler}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// Runs `leakgate run` with these arguments, and with a text and a JSON report.
    pub(crate) fn run(&self, args: &[&str]) -> RunResult {
        self.run_with(args, &[])
    }

    /// Runs `leakgate run` with additional environment variables.
    pub(crate) fn run_with(&self, args: &[&str], env: &[(&str, &str)]) -> RunResult {
        let mut command = self.command(args);
        command.envs(env.iter().copied());
        self.run_command(command)
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = common::leakgate(self.path());
        command
            .args(["run", "--format", "text", "--format"])
            .arg(format!("json={}", self.json().display()))
            .args(args);
        command
    }

    pub(crate) fn run_command(&self, mut command: Command) -> RunResult {
        let _ = fs::remove_file(self.json());
        let output = command.output().unwrap();
        RunResult::new(output, &self.json())
    }

    fn json(&self) -> PathBuf {
        self.path().join("run.json")
    }
}
