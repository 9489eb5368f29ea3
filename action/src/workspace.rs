//! The repository in which leakgate runs: paths of a log become files of it, and their lines can be
//! shown.
//!
//! Only files that git tracks count. A log is hostile: it may name `.git/config:8`, and nothing but
//! the repository's own sources may come out of it.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::Error;
use crate::own::Own;

/// A larger file is no source to show a line of.
const MAX_SOURCE: u64 = 8 << 20;

/// The tracked files of a repository.
#[derive(Debug, Default)]
pub(crate) struct Repository {
    root: PathBuf,
    /// Roots of the same repository elsewhere, with `/` at the end: where it was checked out when
    /// the log was made.
    roots: Vec<String>,
    files: Vec<String>,
    by_name: HashMap<String, Vec<usize>>,
    /// Which of them are one's own; without it, all.
    own: Option<Own>,
}

impl Repository {
    /// The repository around the working directory; an empty one where there is none, or no git.
    pub(crate) fn find(own: Option<&Own>) -> Result<Self, Error> {
        let around = Self::around_here();
        if let Some(own) = own.filter(|_| !around.files.is_empty()) {
            own.check(&around.files)?;
        }
        Ok(Self {
            own: own.cloned(),
            ..around
        })
    }

    fn around_here() -> Self {
        let Ok(here) = std::env::current_dir() else {
            return Self::default();
        };
        let Some(root) = root_of(&here) else {
            return Self::default();
        };
        // A repository may be somebody else's data, and its configuration names commands that git
        // would start.
        let listed = Command::new("git")
            .args([
                "-c",
                "core.fsmonitor=false",
                "-c",
                "core.hooksPath=/dev/null",
                "-C",
            ])
            .arg(root)
            .args(["ls-files", "-z", "--recurse-submodules"])
            .stderr(Stdio::null())
            .output();
        let Ok(listed) = listed else {
            return Self::default();
        };
        let names = listed
            .stdout
            .split(|b| *b == 0)
            .filter_map(|n| std::str::from_utf8(n).ok())
            .filter(|n| !n.is_empty());
        let mut roots = vec![root.to_string_lossy().replace('\\', "/")];
        roots.extend(std::env::var("GITHUB_WORKSPACE").map(|w| w.replace('\\', "/")));
        Self::new(root.to_owned(), roots, names.map(str::to_owned).collect())
    }

    fn new(root: PathBuf, roots: Vec<String>, files: Vec<String>) -> Self {
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, file) in files.iter().enumerate() {
            by_name.entry(base(file).to_owned()).or_default().push(at);
        }
        let roots = roots
            .into_iter()
            .map(|r| format!("{}/", r.trim_end_matches('/')))
            .collect();
        Self {
            root,
            roots,
            files,
            by_name,
            own: None,
        }
    }

    fn is_tracked(&self, file: &str) -> bool {
        self.by_name
            .get(base(file))
            .is_some_and(|all| all.iter().any(|at| self.files[*at] == file))
    }

    /// The files with the longest common end; only where one is left, a path means it.
    fn by_suffix(&self, path: &str) -> Vec<&str> {
        let Some(candidates) = self.by_name.get(base(path)) else {
            return Vec::new();
        };
        let shared = |file: &str| common_parts(file, path);
        let parts = |p: &str| p.split('/').filter(|p| !p.is_empty()).count();
        // `/usr/include/x/config.h` is not the repository's `src/config.h`.
        let plausible = |file: &&str| {
            shared(file) > 1 || shared(file) == parts(path) || shared(file) == parts(file)
        };
        let files: Vec<&str> = candidates
            .iter()
            .map(|at| self.files[*at].as_str())
            .collect();
        let longest = files.iter().map(|file| shared(file)).max();
        files
            .into_iter()
            .filter(|file| Some(shared(file)) == longest)
            .filter(plausible)
            .collect()
    }

    /// The files that a path of a log may mean.
    fn candidates(&self, file: &str) -> Vec<String> {
        let path = normal(file);
        for root in &self.roots {
            if let Some(inside) = path.strip_prefix(root.as_str()) {
                return self
                    .is_tracked(inside)
                    .then(|| inside.to_owned())
                    .into_iter()
                    .collect();
            }
        }
        self.by_suffix(&path)
            .into_iter()
            .map(str::to_owned)
            .collect()
    }
}

impl leakgate_core::Workspace for Repository {
    fn is_known(&self) -> bool {
        !self.files.is_empty()
    }

    fn resolve(&self, file: &str) -> Option<String> {
        match self.candidates(file).as_slice() {
            [one] => Some(one.clone()),
            _ => None,
        }
    }

    fn may_be_own(&self, file: &str) -> bool {
        self.candidates(file)
            .iter()
            .any(|candidate| self.is_own(candidate))
    }

    fn is_own(&self, file: &str) -> bool {
        self.own.as_ref().is_none_or(|own| own.has(file))
    }
}

impl leakgate_core::emit::Excerpt for Repository {
    fn line(&self, file: &str, line: u32) -> Option<String> {
        let path = self.root.join(file);
        // A tracked link may point anywhere; so may a folder on the way.
        let real = path.canonicalize().ok()?;
        let inside = self.root.canonicalize().ok()?.join(Path::new(file)) == real;
        let meta = fs::symlink_metadata(&path).ok()?;
        if !self.is_tracked(file) || !inside || !meta.is_file() || meta.len() > MAX_SOURCE {
            return None;
        }
        let bytes = fs::read(&path).ok()?;
        let wanted = usize::try_from(line).ok()?.checked_sub(1)?;
        let text = bytes.split(|b| *b == b'\n').nth(wanted)?;
        Some(
            String::from_utf8_lossy(text)
                .trim_end_matches('\r')
                .to_owned(),
        )
    }
}

/// The root of the repository: where a workflow has checked it out, or else the nearest folder that
/// git knows. Within a workflow a repository inside of it is a submodule or a helper, and the
/// sources are those of the whole.
fn root_of(here: &Path) -> Option<&Path> {
    let is_git = |folder: &&Path| folder.join(".git").exists();
    checked_out(here)
        .filter(is_git)
        .or_else(|| here.ancestors().find(is_git))
}

/// The folder above into which a workflow of GitHub has put the repository.
pub(crate) fn checked_out(here: &Path) -> Option<&Path> {
    let workspace = Path::new(&std::env::var_os("GITHUB_WORKSPACE")?)
        .canonicalize()
        .ok()?;
    here.ancestors()
        .find(|folder| folder.canonicalize().is_ok_and(|real| real == workspace))
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A path with `/` only, without drive, `/proc/self/cwd` (Bazel), `.` and `..`.
fn normal(path: &str) -> String {
    let path = path.replace('\\', "/");
    let path = path.strip_prefix("/proc/self/cwd/").unwrap_or(&path);
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." if parts.last().is_some_and(|p| !p.is_empty() && *p != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// How many parts two paths share, from the end.
fn common_parts(a: &str, b: &str) -> usize {
    a.rsplit('/')
        .zip(b.rsplit('/'))
        .take_while(|(a, b)| a == b && !a.is_empty())
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use leakgate_core::Workspace;
    use leakgate_core::emit::Excerpt;

    fn repository(files: &[&str]) -> Repository {
        let files = files.iter().map(|f| (*f).to_owned()).collect();
        Repository::new("/home/me/app".into(), vec!["/home/me/app".into()], files)
    }

    #[test]
    fn paths_of_a_log_become_files_of_the_repository() {
        let repository = repository(&["src/leak.c", "lib/util.c", "tests/util.c", "main.c"]);
        for (path, want) in [
            ("/home/me/app/src/leak.c", Some("src/leak.c")),
            ("leak.c", Some("src/leak.c")),
            ("/github/workspace/src/leak.c", Some("src/leak.c")),
            ("C:\\build\\src\\leak.c", Some("src/leak.c")),
            ("/proc/self/cwd/src/leak.c", Some("src/leak.c")),
            ("./src/../src/leak.c", Some("src/leak.c")),
            ("../src/leak.c", Some("src/leak.c")),
            ("/build/lib/util.c", Some("lib/util.c")),
            ("/x/main.c", Some("main.c")),
            ("util.c", None),
            ("/usr/include/leak.c", None),
            ("/home/me/app/other/leak.c", None),
            ("none.c", None),
        ] {
            assert_eq!(repository.resolve(path).as_deref(), want, "{path}");
            assert_eq!(
                repository.may_be_own(path),
                want.is_some() || path == "util.c",
                "{path}"
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_tracked_files_are_shown_and_never_through_a_link() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("src")).unwrap();
        fs::write(dir.path().join("src/a.c"), "one\r\ntwo\n").unwrap();
        fs::write(dir.path().join("secret"), "secret").unwrap();
        std::os::unix::fs::symlink("../secret", dir.path().join("src/link.c")).unwrap();
        std::os::unix::fs::symlink("src", dir.path().join("folder")).unwrap();
        let files = ["src/a.c", "src/link.c", "folder/a.c"]
            .map(String::from)
            .to_vec();
        let repository = Repository::new(dir.path().to_owned(), Vec::new(), files);
        assert_eq!(repository.line("src/a.c", 1).as_deref(), Some("one"));
        assert_eq!(repository.line("src/a.c", 2).as_deref(), Some("two"));
        for (file, line) in [
            ("src/a.c", 0),
            ("src/a.c", 9),
            ("secret", 1),
            ("src/link.c", 1),
            ("folder/a.c", 1),
            ("../x", 1),
        ] {
            assert_eq!(repository.line(file, line), None, "{file}");
        }
    }
}
