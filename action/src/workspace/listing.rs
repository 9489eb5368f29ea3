//! Lists the files of a project: those of its git repository, or those in its folder.

use std::io;
use std::path::Path;
#[cfg(not(target_os = "wasi"))]
use std::process::{Command, Stdio};

use leakgate_core::emit::terminal;

use crate::output;
#[cfg(target_os = "wasi")]
use crate::wasi::GitOutput;

/// What git printed to standard output or, if it failed, to standard error.
#[cfg(not(target_os = "wasi"))]
type GitOutput = Result<Vec<u8>, Vec<u8>>;

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
        let output = listed(root, &["-t", "--stage", "--others", "--exclude-standard"])?;
        let (mut listing, has_submodules) = Self::from_entries(&output);
        if has_submodules {
            // git can't list files of submodules together with untracked ones.
            let output = listed(root, &["--recurse-submodules"])?;
            listing.tracked = entries(&output).filter_map(owned_path).collect();
        }
        Ok(listing)
    }

    /// Parses entries of git: `? PATH` for an untracked file, and `TAG MODE OBJECT STAGE<TAB>PATH`
    /// for a tracked one. Also returns true if one of them is a submodule.
    fn from_entries(output: &[u8]) -> (Self, bool) {
        const SUBMODULE: &[u8] = b"160000 ";
        let mut listing = Self::default();
        let mut has_submodules = false;
        for entry in entries(output) {
            if let Some(path) = entry.strip_prefix(b"? ") {
                listing.untracked.extend(owned_path(path));
            } else if let Some(tab) = memchr::memchr(b'\t', entry) {
                let (head, path) = entry.split_at(tab);
                has_submodules |= head.get(2..).is_some_and(|h| h.starts_with(SUBMODULE));
                listing.tracked.extend(owned_path(&path[1..]));
            }
        }
        (listing, has_submodules)
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

/// Runs `git ls-files` with these options.
#[cfg(not(target_os = "wasi"))]
fn list(root: &Path, options: &[&str]) -> io::Result<GitOutput> {
    let output = git(root).args(LIST).args(options).output()?;
    Ok(match output.status.success() {
        true => Ok(output.stdout),
        false => Err(output.stderr),
    })
}

/// Runs `git ls-files` with these options.
#[cfg(target_os = "wasi")]
fn list(root: &Path, options: &[&str]) -> io::Result<GitOutput> {
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

/// Returns what `git ls-files` prints with these options, or why it fails.
fn listed(root: &Path, options: &[&str]) -> Result<Vec<u8>, String> {
    let output = list(root, options).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => String::from("git is not installed"),
        _ => error.to_string(),
    })?;
    output.map_err(|message| {
        let message = String::from_utf8_lossy(&message);
        let first = message.lines().next().unwrap_or("it failed");
        terminal(first).into_owned()
    })
}

/// Returns the entries of a list that git printed.
fn entries(output: &[u8]) -> impl Iterator<Item = &[u8]> {
    output.split(|byte| *byte == 0)
}

/// Returns a path that git printed. `None` if it is empty or isn't UTF-8.
fn owned_path(path: &[u8]) -> Option<String> {
    let path = std::str::from_utf8(path).ok()?;
    (!path.is_empty()).then(|| path.to_owned())
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

    #[test]
    fn files_of_a_repository_are_listed() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        let sub = root.join("sub");
        let git = |folder: &Path, arguments: &[&str]| {
            let settings = [
                "user.name=a",
                "user.email=a@b",
                "protocol.file.allow=always",
            ];
            let mut git = git(folder);
            settings.iter().for_each(|setting| {
                git.args(["-c", setting]);
            });
            assert!(git.args(arguments).output().unwrap().status.success());
        };
        let write = |name: &str| {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "build\n").unwrap();
        };
        for name in [
            "src/a b.c",
            "gone.c",
            "sub/lib/z.c",
            ".gitignore",
            "build/c.c",
        ] {
            write(name);
        }
        git(&sub, &["init", "-q"]);
        git(&sub, &["add", "."]);
        git(&sub, &["commit", "-q", "-m", "x"]);
        git(root, &["init", "-q"]);
        git(root, &["add", "src", "gone.c", ".gitignore"]);
        std::fs::remove_file(root.join("gone.c")).unwrap();
        ["src/new.c", "other/b.c"].into_iter().for_each(write);
        let mut expected = Listing {
            tracked: [".gitignore", "gone.c", "src/a b.c"]
                .map(String::from)
                .into(),
            untracked: ["other/b.c", "src/new.c", "sub/"].map(String::from).into(),
        };
        assert_eq!(Listing::of_repository(root), expected);
        git(root, &["submodule", "--quiet", "add", "./sub", "sub"]);
        expected.tracked.insert(1, ".gitmodules".into());
        expected.tracked.push("sub/lib/z.c".into());
        expected.untracked.pop();
        assert_eq!(Listing::of_repository(root), expected);
    }
}
