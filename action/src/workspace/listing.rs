//! Lists the files of a project: those of its git repository, or those in its folder.

use std::io;
use std::path::Path;
#[cfg(not(target_os = "wasi"))]
use std::process::{Child, Command, Stdio};

use leakgate_core::emit::terminal;

use crate::output;
#[cfg(target_os = "wasi")]
use crate::wasi::GitOutput;

/// A process of git.
#[cfg(not(target_os = "wasi"))]
type StartedGit = Child;

/// The result of git, which WebAssembly can only wait for.
#[cfg(target_os = "wasi")]
type StartedGit = GitOutput;

/// Maximum number of files in a folder without git.
const MAX_FILES: usize = 200_000;

/// Folders with other people's code.
const VENDORED: &[&str] = &[
    ".cargo",
    ".nox",
    ".tox",
    ".venv",
    "3rdparty",
    "_deps",
    "bower_components",
    "node_modules",
    "site-packages",
    "third-party",
    "third_party",
    "thirdparty",
    "vendor",
    "venv",
];

/// The files of a project. Paths are relative to its root, with `/`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Listing {
    /// Files that git tracks. Only these are shown in reports.
    pub(super) tracked: Vec<String>,
    /// Other files, except those that git ignores.
    pub(super) untracked: Vec<String>,
}

impl Listing {
    /// Lists the files of a git repository. If git can't list them, prints a note and lists those
    /// in the folder.
    pub(super) fn of_repository(root: &Path) -> Self {
        Self::by_git(root).unwrap_or_else(|cause| {
            output::note(&format!(
                "note: cannot list the files of {} with git: {cause}; source lines are not shown",
                root.display()
            ));
            Self::of_folder(root)
        })
    }

    /// Lists the files with git. Returns the cause if that fails.
    fn by_git(root: &Path) -> Result<Self, String> {
        // Both run at the same time.
        let tracked = start_git(root, &["--recurse-submodules"]);
        let untracked = start_git(root, &["--others", "--exclude-standard"]);
        let (tracked, untracked) = (listed_files(tracked), listed_files(untracked));
        Ok(Self {
            tracked: tracked?,
            untracked: untracked?,
        })
    }

    /// Lists the files of a folder that isn't in a repository, such as an unpacked archive.
    pub(super) fn of_folder(root: &Path) -> Self {
        let walk = ignore::WalkBuilder::new(root).require_git(false).build();
        let files = walk
            .flatten()
            .filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()));
        let names = files.filter_map(|entry| {
            let name = entry.path().strip_prefix(root).ok()?;
            Some(name.to_str()?.replace('\\', "/"))
        });
        Self {
            tracked: Vec::new(),
            untracked: names.take(MAX_FILES).collect(),
        }
    }
}

/// Returns true for a file of the project that contains other people's code.
pub(super) fn is_vendored(file: &str) -> bool {
    let mut folders: Vec<&str> = file.split('/').collect();
    folders.pop();
    folders.iter().any(|folder| VENDORED.contains(folder))
}

/// Options of git for every command.
///
/// The repository may be untrusted, and its git configuration may name commands that git would
/// start. In the container of a job, it belongs to another user, which git refuses by default.
const GIT_OPTIONS: &[&str] = &[
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "safe.directory=*",
    "-C",
];

/// Arguments of git that list files.
const LIST: &[&str] = &["ls-files", "-z"];

/// Starts `git ls-files` with these options.
#[cfg(not(target_os = "wasi"))]
fn start_git(root: &Path, options: &[&str]) -> io::Result<Child> {
    git(root).args(LIST).args(options).spawn()
}

/// Runs `git ls-files` with these options.
#[cfg(target_os = "wasi")]
fn start_git(root: &Path, options: &[&str]) -> io::Result<GitOutput> {
    let root = root.to_str().ok_or(io::ErrorKind::InvalidFilename)?;
    let arguments = [GIT_OPTIONS, &[root], LIST, options];
    crate::wasi::git(&arguments.concat())
}

/// Returns a command for git in a repository.
#[cfg(not(target_os = "wasi"))]
pub(super) fn git(root: &Path) -> Command {
    let mut git = Command::new("git");
    git.args(GIT_OPTIONS)
        .arg(root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    git
}

/// Waits for git. Returns what it printed to standard output or, if it failed, to standard error.
#[cfg(not(target_os = "wasi"))]
fn wait(git: Child) -> io::Result<Result<Vec<u8>, Vec<u8>>> {
    let output = git.wait_with_output()?;
    Ok(match output.status.success() {
        true => Ok(output.stdout),
        false => Err(output.stderr),
    })
}

/// Returns what git printed to standard output or, if it failed, to standard error.
#[cfg(target_os = "wasi")]
fn wait(git: GitOutput) -> io::Result<GitOutput> {
    Ok(git)
}

/// Returns the files that git lists, or why it lists none.
fn listed_files(git: io::Result<StartedGit>) -> Result<Vec<String>, String> {
    let output = git.and_then(wait).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => String::from("git is not installed"),
        _ => error.to_string(),
    })?;
    let names = output.map_err(|message| {
        let message = String::from_utf8_lossy(&message);
        let first = message.lines().next().unwrap_or("it failed");
        terminal(first).into_owned()
    })?;
    Ok(names
        .split(|byte| *byte == 0)
        .filter_map(|name| std::str::from_utf8(name).ok())
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_with_other_code_are_recognized() {
        for (file, want) in [
            ("src/a.c", false),
            ("vendor/zlib/inflate.c", true),
            ("src/third_party/b.c", true),
            ("build/_deps/googletest-src/gtest.cc", true),
            (".venv/lib/python3.11/site-packages/x.c", true),
            ("vendor.c", false),
            ("src/vendors/a.c", false),
        ] {
            assert_eq!(is_vendored(file), want, "{file}");
        }
    }

    #[test]
    fn files_of_a_folder_without_git_are_listed() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["src/a.c", ".hidden/b.c", "build/c.c", ".gitignore"] {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, if name == ".gitignore" { "build" } else { "" }).unwrap();
        }
        let listing = Listing::of_folder(dir.path());
        assert_eq!(listing.untracked, ["src/a.c"]);
        assert!(listing.tracked.is_empty());
    }
}
