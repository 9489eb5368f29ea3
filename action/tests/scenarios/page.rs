//! A page and its project: what stands on the page is run as it stands, and what it shows must be
//! printed.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use assert_cmd::cargo::cargo_bin;
use serde_json::Value;
use tempfile::TempDir;

use super::shop::Ran;

/// A command of the page, with what is shown of its output.
struct Step {
    command: String,
    shown: Vec<String>,
}

/// A page whose project lies in a folder of its own.
pub(super) struct Page {
    name: String,
    folder: TempDir,
    steps: VecDeque<Step>,
    /// Folders that commands look in first.
    path: Vec<PathBuf>,
}

fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .unwrap()
}

impl Page {
    /// The page, its project copied.
    pub(super) fn open(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let project = folder.path().join("project");
        let source = home().join("snapshots/programs/projects").join(name);
        copy(&source, &project);
        // What git does not know is not the project's own.
        for words in [["init", "--quiet"], ["add", "."]] {
            assert!(
                Command::new("git")
                    .args(words)
                    .current_dir(&project)
                    .status()
                    .unwrap()
                    .success()
            );
        }
        let text = fs::read_to_string(home().join(format!("docs/run/{name}.md"))).unwrap();
        let steps = read(name, &text, &source);
        let bin = folder.path().join("bin");
        fs::create_dir(&bin).unwrap();
        write_leakgate(&bin, &folder.path().join("run.json"));
        Self {
            name: name.to_owned(),
            folder,
            steps,
            path: vec![bin],
        }
    }

    /// Where the project is.
    pub(super) fn project(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    /// Programs of this folder go before others.
    pub(super) fn look_in(&mut self, folder: PathBuf) {
        self.path.push(folder);
    }

    /// Runs the next command of the page, in which this stands. All that the page shows of its
    /// output must be there.
    #[track_caller]
    pub(super) fn run(&mut self, part: &str) -> Ran {
        let step = self.steps.pop_front().unwrap();
        assert!(
            step.command.contains(part),
            "docs/run/{}.md: `{}` comes before `{part}`",
            self.name,
            step.command
        );
        let json = self.folder.path().join("run.json");
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
            .args(["-c", &step.command])
            .current_dir(self.project())
            .stdin(Stdio::null())
            .env("PATH", path);
        for name in [
            "GITHUB_WORKSPACE",
            "ASAN_OPTIONS",
            "LSAN_OPTIONS",
            "VALGRIND_OPTS",
            "RUSTFLAGS",
            "CARGO_TARGET_DIR",
        ] {
            command.env_remove(name);
        }
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let json = fs::read_to_string(json)
            .map_or(Value::Null, |text| serde_json::from_str(&text).unwrap());
        let ran = Ran {
            status: output.status.code().unwrap(),
            out: text(&output.stdout),
            err: text(&output.stderr),
            json,
        };
        for shown in &step.shown {
            let is_there = ran
                .out
                .lines()
                .chain(ran.err.lines())
                .any(|line| is_like(line, shown));
            assert!(
                is_there,
                "docs/run/{}.md shows `{shown}`, and {}\nprints\n{}{}",
                self.name, step.command, ran.out, ran.err
            );
        }
        ran
    }

    /// Runs a command that only makes something.
    #[track_caller]
    pub(super) fn make(&mut self, part: &str) {
        let ran = self.run(part);
        assert_eq!(ran.status, 0, "{part}: {}{}", ran.out, ran.err);
    }

    /// Nothing of the page is left.
    #[track_caller]
    pub(super) fn ends(self) {
        let left: Vec<&String> = self.steps.iter().map(|step| &step.command).collect();
        assert!(
            left.is_empty(),
            "docs/run/{}.md: nobody has run {left:?}",
            self.name
        );
    }
}

/// A `leakgate` that also writes its text and a document, whatever else it is told.
fn write_leakgate(folder: &Path, json: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join("leakgate");
    let (own, json) = (cargo_bin!("leakgate").display(), json.display());
    let text = format!(
        "#!/bin/sh\nname=$1; shift\ncase $name in run|merge) set -- --format text --format 'json={json}' \"$@\" ;; esac\n\
         exec '{own}' \"$name\" \"$@\"\n"
    );
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
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

/// The commands of a page: blocks of `sh`, each line a command; a block of `text` is what the last
/// one prints. Other blocks are parts of the project's files.
fn read(name: &str, page: &str, project: &Path) -> VecDeque<Step> {
    let mut steps: VecDeque<Step> = VecDeque::new();
    for block in page.split("\n```").skip(1).step_by(2) {
        let (kind, text) = block.split_once('\n').unwrap();
        match kind {
            "sh" => steps.extend(text.lines().map(|line| Step {
                command: line.to_owned(),
                shown: Vec::new(),
            })),
            "text" => steps.back_mut().unwrap().shown = text.lines().map(str::to_owned).collect(),
            _ => assert!(
                stands_in(project, text),
                "docs/run/{name}.md: no file of the project holds\n{text}"
            ),
        }
    }
    steps
}

fn stands_in(folder: &Path, text: &str) -> bool {
    fs::read_dir(folder)
        .unwrap()
        .map(Result::unwrap)
        .any(|entry| match entry.file_type().unwrap().is_dir() {
            true => stands_in(&entry.path(), text),
            false => fs::read_to_string(entry.path()).is_ok_and(|file| file.contains(text)),
        })
}

/// True when a line is as shown, where `[..]` stands for anything.
fn is_like(line: &str, shown: &str) -> bool {
    let (mut rest, mut parts) = (line.trim(), shown.trim().split("[..]"));
    let first = parts.next().unwrap();
    let Some(after) = rest.strip_prefix(first) else {
        return false;
    };
    rest = after;
    let mut is_whole = rest.is_empty();
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
        is_whole = part.is_empty() || rest.is_empty();
    }
    is_whole
}

#[test]
fn what_is_shown_is_a_whole_line() {
    for (line, shown, expected) in [
        ("  --> /a/b.c:7 in main", "--> [..]b.c:[..] in main", true),
        ("--> b.c:7 in main", "--> [..]b.c:[..] in", false),
        ("pass: all", "pass: [..]", true),
        ("pass: all", "pass", false),
        ("a pass", "pass", false),
    ] {
        assert_eq!(is_like(line, shown), expected, "{line}: {shown}");
    }
}
