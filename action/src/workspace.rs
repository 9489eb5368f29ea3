//! The project that leakgate runs in: resolves paths in logs to its files and reads source lines.
//!
//! The files are those of the git repository, whether they are committed or not, or those of the
//! folder with `leakgate.toml`. A log is untrusted: it may name `.git/config:8`, and reports must
//! not show anything but sources that git tracks.

#[cfg(not(target_os = "wasi"))]
mod commit;
mod listing;

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

#[cfg(not(target_os = "wasi"))]
pub(crate) use self::commit::Commit;
use self::listing::{Listing, is_vendored};
use crate::error::Error;
use crate::source_filter::OwnSources;

/// Maximum size in bytes of a source file to show lines from.
const MAX_SOURCE: u64 = 8 << 20;

/// The files of a project.
#[derive(Debug, Default)]
pub(crate) struct Repository {
    root: PathBuf,
    /// Other paths of the repository root, with a trailing `/`, such as that of the checkout in
    /// which the log was written.
    roots: Vec<String>,
    /// The tracked files, then the others.
    files: Vec<String>,
    /// Number of tracked files.
    tracked: usize,
    /// Indices into `files` by file name.
    by_name: HashMap<String, Vec<usize>>,
    /// Filter for the project's own files; `None` means all files but those of others that the
    /// project contains.
    own_sources: Option<OwnSources>,
    /// The files that each path may refer to. Many frames have the same path.
    candidates: RefCell<HashMap<String, Rc<[String]>>>,
}

impl Repository {
    /// Finds the repository of the working directory, or the files of the project's folder without
    /// git. Returns an empty one if there is neither.
    ///
    /// # Errors
    /// Returns an error if a glob of `own_sources` matches no file.
    pub(crate) fn find(
        own_sources: Option<&OwnSources>,
        project: Option<&Path>,
    ) -> Result<Self, Error> {
        let mut repository = Self::of_working_directory(project);
        if let Some(own_sources) = own_sources
            && !repository.files.is_empty()
        {
            own_sources.ensure_all_match(&repository.files)?;
        }
        repository.own_sources = own_sources.cloned();
        Ok(repository)
    }

    fn of_working_directory(project: Option<&Path>) -> Self {
        let Ok(working_dir) = std::env::current_dir() else {
            return Self::default();
        };
        let folder = || {
            let root = working_dir.join(project?);
            Some(root.canonicalize().unwrap_or(root))
        };
        let (root, listing) = if let Some(root) = root_of(&working_dir) {
            (root.to_owned(), Listing::of_repository(root))
        } else if let Some(root) = folder().or_else(|| checkout(&working_dir)) {
            let listing = Listing::of_folder(&root);
            (root, listing)
        } else {
            return Self::default();
        };
        let mut roots = vec![root.to_string_lossy().replace('\\', "/")];
        roots.extend(std::env::var("GITHUB_WORKSPACE").map(|w| w.replace('\\', "/")));
        Self::new(root, roots, listing)
    }

    fn new(root: PathBuf, roots: Vec<String>, listing: Listing) -> Self {
        let tracked = listing.tracked.len();
        let mut files = listing.tracked;
        files.extend(listing.untracked);
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, file) in files.iter().enumerate() {
            by_name
                .entry(file_name(file).to_owned())
                .or_default()
                .push(at);
        }
        let roots = roots
            .into_iter()
            .map(|r| format!("{}/", r.trim_end_matches('/')))
            .collect();
        Self {
            root,
            roots,
            files,
            tracked,
            by_name,
            own_sources: None,
            candidates: RefCell::default(),
        }
    }

    /// Returns the index of a file of the project.
    fn index_of(&self, file: &str) -> Option<usize> {
        let same_name = self.by_name.get(file_name(file))?;
        same_name.iter().copied().find(|at| self.files[*at] == file)
    }

    fn is_tracked(&self, file: &str) -> bool {
        self.index_of(file).is_some_and(|at| at < self.tracked)
    }

    /// Returns the files that share the most trailing path components with `path`. Files that git
    /// doesn't track count only if no other does: copies of sources may be among them.
    fn by_suffix(&self, path: &str) -> Vec<&str> {
        let Some(same_name) = self.by_name.get(file_name(path)) else {
            return Vec::new();
        };
        let (tracked, untracked): (Vec<usize>, Vec<usize>) =
            same_name.iter().partition(|at| **at < self.tracked);
        let found = self.longest_suffixes(&tracked, path);
        if found.is_empty() {
            return self.longest_suffixes(&untracked, path);
        }
        found
    }

    fn longest_suffixes(&self, candidates: &[usize], path: &str) -> Vec<&str> {
        let shared = |file: &str| common_suffix_len(file, path);
        let parts = |p: &str| p.split('/').filter(|p| !p.is_empty()).count();
        // `/usr/include/x/config.h` doesn't refer to the repository's `src/config.h`.
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

    /// Returns the files that a path in a log may refer to.
    fn candidates(&self, file: &str) -> Rc<[String]> {
        if let Some(known) = self.candidates.borrow().get(file) {
            return Rc::clone(known);
        }
        let found: Rc<[String]> = self.find_candidates(file).into();
        let mut candidates = self.candidates.borrow_mut();
        candidates.insert(file.to_owned(), Rc::clone(&found));
        found
    }

    fn find_candidates(&self, file: &str) -> Vec<String> {
        if self.files.is_empty() {
            return Vec::new();
        }
        let path = normalize(file);
        for root in &self.roots {
            if let Some(inside) = path.strip_prefix(root.as_str()) {
                let is_file = self.index_of(inside).is_some();
                return is_file.then(|| inside.to_owned()).into_iter().collect();
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
        match &*self.candidates(file) {
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
        match &self.own_sources {
            Some(own_sources) => own_sources.contains(file),
            None => !is_vendored(file),
        }
    }
}

impl leakgate_core::emit::Excerpt for Repository {
    fn line(&self, file: &str, line: u32) -> Option<String> {
        let path = self.root.join(file);
        // A tracked symbolic link may point anywhere, and so may a directory on the path.
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

/// Returns the root of the repository: the checkout of the GitHub Actions workflow, or else the
/// nearest directory with `.git`. In a workflow, a repository inside the checkout is a submodule or
/// a helper, and the sources are those of the whole checkout.
fn root_of(working_dir: &Path) -> Option<&Path> {
    let is_git = |folder: &&Path| folder.join(".git").exists();
    github_workspace(working_dir)
        .filter(is_git)
        .or_else(|| working_dir.ancestors().find(is_git))
}

/// Returns the parent directory that is the workspace of the GitHub Actions workflow.
pub(crate) fn github_workspace(working_dir: &Path) -> Option<&Path> {
    let workspace = Path::new(&std::env::var_os("GITHUB_WORKSPACE")?)
        .canonicalize()
        .ok()?;
    working_dir
        .ancestors()
        .find(|folder| folder.canonicalize().is_ok_and(|real| real == workspace))
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Normalizes a path: replaces `\` with `/` and removes `/proc/self/cwd` (Bazel), `.` and `..`.
fn normalize(path: &str) -> String {
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

/// Returns the folder into which a workflow of GitHub Actions checked out the project, if it
/// contains the working directory. Without git, `actions/checkout` makes no repository.
fn checkout(working_dir: &Path) -> Option<PathBuf> {
    let workspace = PathBuf::from(std::env::var_os("GITHUB_WORKSPACE")?);
    let workspace = workspace.canonicalize().ok()?;
    working_dir.starts_with(&workspace).then_some(workspace)
}

/// Returns the number of trailing components that two paths share.
fn common_suffix_len(a: &str, b: &str) -> usize {
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
        repository_with(files, &[])
    }

    fn repository_with(tracked: &[&str], untracked: &[&str]) -> Repository {
        let owned = |files: &[&str]| files.iter().map(|f| (*f).to_owned()).collect();
        let listing = Listing {
            tracked: owned(tracked),
            untracked: owned(untracked),
        };
        Repository::new("/home/me/app".into(), vec!["/home/me/app".into()], listing)
    }

    #[test]
    fn files_that_are_not_committed_are_own_but_not_shown() {
        let repository = repository_with(&["src/a.c", "vendor/z.c"], &["src/b.c", "copy/a.c"]);
        for (path, want) in [
            ("/home/me/app/src/b.c", Some("src/b.c")),
            ("/build/src/b.c", Some("src/b.c")),
            ("a.c", Some("src/a.c")),
            ("/home/me/app/copy/a.c", Some("copy/a.c")),
        ] {
            assert_eq!(repository.resolve(path).as_deref(), want, "{path}");
            assert!(repository.may_be_own(path), "{path}");
        }
        assert!(!repository.may_be_own("/home/me/app/vendor/z.c"));
        assert!(!repository.is_tracked("src/b.c") && repository.is_tracked("src/a.c"));
    }

    #[test]
    fn paths_in_logs_resolve_to_tracked_files() {
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
    fn only_tracked_files_are_shown_and_links_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("src")).unwrap();
        fs::write(dir.path().join("src/a.c"), "one\r\ntwo\n").unwrap();
        fs::write(dir.path().join("secret"), "secret").unwrap();
        std::os::unix::fs::symlink("../secret", dir.path().join("src/link.c")).unwrap();
        std::os::unix::fs::symlink("src", dir.path().join("folder")).unwrap();
        let files = ["src/a.c", "src/link.c", "folder/a.c"];
        let listing = Listing {
            tracked: files.map(String::from).to_vec(),
            untracked: vec!["secret".to_owned()],
        };
        let repository = Repository::new(dir.path().to_owned(), Vec::new(), listing);
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
