//! A page and its project. The commands of the page are run as they are, and must print the output
//! that the page shows.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use libtest_mimic::Trial;

use crate::common::{self, repository};
use crate::needs::trials;
use crate::test_project::RunResult;

pub(crate) fn trials() -> Vec<Trial> {
    trials!("scenarios", patterns_match_whole_lines(),)
}

/// A command of the page.
struct PageCommand {
    command: String,
    /// Lines of its output that the page shows.
    expected: Vec<String>,
}

/// A page, with a copy of its project in a temporary directory.
pub(super) struct Page {
    /// Its path in the repository.
    file: String,
    dir: TempDir,
    /// The commands that have not run yet.
    commands: VecDeque<PageCommand>,
    /// Directories in front of PATH.
    path: Vec<PathBuf>,
}

impl Page {
    /// Reads a page of docs/run/ and copies its project.
    pub(super) fn open(name: &str) -> Self {
        Self::open_with_project(&format!("docs/run/{name}.md"), name)
    }

    /// Reads a page and copies a project.
    pub(super) fn open_with_project(path: &str, name: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let project = dir.path().join("project");
        let source = repository("snapshots/programs/projects").join(name);
        copy(&source, &project);
        // Files that git does not track do not count as files of the project.
        for arguments in [["init", "--quiet"], ["add", "."]] {
            assert!(
                Command::new("git")
                    .args(arguments)
                    .current_dir(&project)
                    .status()
                    .unwrap()
                    .success()
            );
        }
        let text = fs::read_to_string(repository(path)).unwrap();
        let commands = read(path, &text, &source);
        let bin = dir.path().join("bin");
        fs::create_dir(&bin).unwrap();
        write_leakgate(&bin, &dir.path().join("run.json"));
        Self {
            file: path.to_owned(),
            dir,
            commands,
            path: vec![bin],
        }
    }

    /// Returns the directory of the project.
    pub(super) fn project(&self) -> PathBuf {
        self.dir.path().join("project")
    }

    /// Puts a directory in front of PATH.
    pub(super) fn prepend_path(&mut self, dir: PathBuf) {
        self.path.push(dir);
    }

    /// Runs the next command of the page, which must contain `part`. It must print all lines that
    /// the page shows.
    #[track_caller]
    pub(super) fn run(&mut self, part: &str) -> RunResult {
        let next = self.commands.pop_front().unwrap();
        assert!(
            next.command.contains(part),
            "{}: expected a command with `{part}`, found `{}`",
            self.file,
            next.command
        );
        let json = self.dir.path().join("run.json");
        let _ = fs::remove_file(&json);
        let inherited = std::env::var_os("PATH").unwrap();
        let path = std::env::join_paths(
            self.path
                .iter()
                .cloned()
                .chain(std::env::split_paths(&inherited)),
        )
        .unwrap();
        let mut command = Command::new("sh");
        command
            .args(["-c", &next.command])
            .current_dir(self.project())
            .stdin(Stdio::null())
            .env("PATH", path);
        common::remove_influential_variables(&mut command);
        command.env_remove("CARGO_TARGET_DIR");
        let ran = RunResult::new(command.output().unwrap(), &json);
        for expected in &next.expected {
            let is_printed = ran
                .out
                .lines()
                .chain(ran.err.lines())
                .any(|line| matches_line(line, expected));
            assert!(
                is_printed,
                "{} shows `{expected}`, but {}\nprints\n{}{}",
                self.file, next.command, ran.out, ran.err
            );
        }
        ran
    }

    /// Runs a command that must succeed, such as a compiler.
    #[track_caller]
    pub(super) fn run_successfully(&mut self, part: &str) {
        let ran = self.run(part);
        assert_eq!(ran.status, 0, "{part}: {}{}", ran.out, ran.err);
    }

    /// Checks that all commands of the page have run.
    #[track_caller]
    pub(super) fn assert_finished(self) {
        let left: Vec<&String> = self.commands.iter().map(|next| &next.command).collect();
        assert!(
            left.is_empty(),
            "{}: the test does not run {left:?}",
            self.file
        );
    }
}

/// Writes a script that calls leakgate with a text and a JSON report in addition to its arguments.
fn write_leakgate(dir: &Path, json: &Path) {
    let path = dir.join("leakgate");
    let program = env!("CARGO_BIN_EXE_leakgate");
    let json = json.display();
    let text = format!(
        "name=$1; shift\n\
         case $name in run|merge) set -- --format text --format 'json={json}' \"$@\" ;; esac\n\
         exec '{program}' \"$name\" \"$@\""
    );
    common::write_script(&path, &text);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => {
                fs::copy(entry.path(), to).unwrap();
            }
        }
    }
}

/// Returns the commands of a page. Each line of an `sh` block is a command. A `text` block is the
/// output of the last one. Another test compares the workflow of a page. All other blocks must be
/// excerpts of the project's files.
fn read(path: &str, page: &str, project: &Path) -> VecDeque<PageCommand> {
    let mut commands: VecDeque<PageCommand> = VecDeque::new();
    for block in page.split("\n```").skip(1).step_by(2) {
        let (kind, text) = block.split_once('\n').unwrap();
        match kind {
            "sh" => commands.extend(text.lines().map(|line| PageCommand {
                command: line.to_owned(),
                expected: Vec::new(),
            })),
            "text" => {
                commands.back_mut().unwrap().expected = text.lines().map(str::to_owned).collect()
            }
            "yaml" => {}
            _ => assert!(
                contains_text(project, text),
                "{path}: no file of the project contains\n{text}"
            ),
        }
    }
    commands
}

/// Returns true if a file in this directory contains a text.
fn contains_text(dir: &Path, text: &str) -> bool {
    fs::read_dir(dir).unwrap().map(Result::unwrap).any(|entry| {
        match entry.file_type().unwrap().is_dir() {
            true => contains_text(&entry.path(), text),
            false => fs::read_to_string(entry.path()).is_ok_and(|file| file.contains(text)),
        }
    })
}

/// Returns true if a line matches a pattern, in which `[..]` matches any text.
fn matches_line(line: &str, pattern: &str) -> bool {
    let mut rest = line.trim();
    let mut parts = pattern.trim().split("[..]");
    let first = parts.next().unwrap();
    let Some(after) = rest.strip_prefix(first) else {
        return false;
    };
    rest = after;
    let mut is_complete = rest.is_empty();
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
        is_complete = part.is_empty() || rest.is_empty();
    }
    is_complete
}

fn patterns_match_whole_lines() {
    for (line, pattern, expected) in [
        ("  --> /a/b.c:7 in main", "--> [..]b.c:[..] in main", true),
        ("--> b.c:7 in main", "--> [..]b.c:[..] in", false),
        ("pass: all", "pass: [..]", true),
        ("pass: all", "pass", false),
        ("a pass", "pass", false),
    ] {
        assert_eq!(matches_line(line, pattern), expected, "{line}: {pattern}");
    }
}
