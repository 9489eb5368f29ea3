//! The files of a project: their names, and their text if it is needed. Neither git nor a network
//! is used.

use std::fs;
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

/// Directories with third-party code or build output. Their files don't belong to the project.
const SKIPPED_DIRS: &[&str] = &[
    ".git",
    ".venv",
    "_deps",
    "build",
    "node_modules",
    "target",
    "third_party",
    "vendor",
    "venv",
];

/// Maximum number of files. Build files are near the root.
const MAX_FILES: usize = 20_000;

/// Maximum number of nested directories.
const MAX_DEPTH: usize = 8;

/// Maximum size of a file, in bytes. Larger files are neither build files nor written by hand.
const MAX_BYTES: u64 = 1 << 20;

/// A directory and its files.
#[derive(Debug, Default)]
pub(super) struct Tree {
    root: PathBuf,
    /// Paths relative to the root, with `/`, sorted.
    files: Vec<String>,
}

impl Tree {
    /// Lists the files of a directory. Files that git ignores are skipped, and symbolic links are
    /// not followed.
    pub(super) fn scan(root: &Path) -> Self {
        // The root comes first, so that large directories don't use up the limit.
        let mut files: Vec<String> = walk(root, 1)
            .chain(walk(root, MAX_DEPTH).take(MAX_FILES))
            .collect();
        files.sort_unstable();
        files.dedup();
        Self {
            root: root.to_owned(),
            files,
        }
    }

    /// Returns the paths of all files.
    pub(super) fn files(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(String::as_str)
    }

    /// Returns true if a file exists at this path.
    pub(super) fn has(&self, path: &str) -> bool {
        self.files
            .binary_search_by(|file| file.as_str().cmp(path))
            .is_ok()
    }

    /// Returns the first of these paths that exists.
    pub(super) fn first_existing(&self, paths: &[&'static str]) -> Option<&'static str> {
        paths.iter().find(|path| self.has(path)).copied()
    }

    /// Returns the files with this name, in any directory.
    pub(super) fn with_name(&self, name: &str) -> impl Iterator<Item = &str> {
        self.files()
            .filter(move |file| file.rsplit('/').next() == Some(name))
    }

    /// Returns the files with one of these extensions, such as `.c`.
    pub(super) fn with_extension<'a>(
        &'a self,
        extensions: &'a [&str],
    ) -> impl Iterator<Item = &'a str> {
        self.files()
            .filter(move |file| extensions.iter().any(|extension| file.ends_with(extension)))
    }

    /// Returns the text of a file; empty if it does not exist.
    pub(super) fn read(&self, path: &str) -> String {
        if !self.has(path) {
            return String::new();
        }
        read_text(&self.root.join(path)).unwrap_or_default()
    }
}

/// Returns the files of a directory, sorted by name.
fn walk(root: &Path, depth: usize) -> impl Iterator<Item = String> {
    let mut builder = WalkBuilder::new(root);
    builder
        .hidden(false)
        .require_git(false)
        .git_global(false)
        .max_depth(Some(depth));
    builder.sort_by_file_name(|a, b| a.cmp(b));
    let is_skipped = |entry: &ignore::DirEntry| {
        entry
            .file_name()
            .to_str()
            .is_some_and(|name| SKIPPED_DIRS.contains(&name))
    };
    builder.filter_entry(move |entry| entry.depth() == 0 || !is_skipped(entry));
    builder.build().flatten().filter_map(move |entry| {
        let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
        let path = entry.path().strip_prefix(root).ok()?.to_str()?;
        is_file.then(|| path.replace('\\', "/"))
    })
}

/// Returns the text of a file; `None` if it isn't a regular file, is too large or cannot be read.
/// Invalid UTF-8 is replaced, because names of build files and options are ASCII.
pub(super) fn read_text(path: &Path) -> Option<String> {
    let meta = fs::symlink_metadata(path).ok()?;
    let bytes = (meta.is_file() && meta.len() <= MAX_BYTES).then(|| fs::read(path).ok())??;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Returns true if a text contains a word, and not only as a part of a longer word.
pub(super) fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        !text[..at].ends_with(is_part) && !text[at + word.len()..].starts_with(is_part)
    })
}

/// Removes line comments that begin with this marker.
pub(super) fn without_comments(text: &str, marker: &str) -> String {
    text.lines()
        .map(|line| line.split(marker).next().unwrap_or(line))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Creates a directory with these files.
    pub(in crate::init) fn test_tree(files: &[(&str, &str)]) -> (tempfile::TempDir, Tree) {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let tree = Tree::scan(dir.path());
        (dir, tree)
    }

    #[test]
    fn ignored_files_and_third_party_code_are_skipped() {
        let files = [
            (".gitignore", "out/\n"),
            ("out/x.supp", ""),
            ("target/y.supp", ""),
            ("vendor/lib/Makefile", ""),
            (".valgrind.supp", ""),
            ("src/a.c", ""),
        ];
        let (_dir, tree) = test_tree(&files);
        assert_eq!(
            tree.files().collect::<Vec<_>>(),
            [".gitignore", ".valgrind.supp", "src/a.c"]
        );
        assert_eq!(tree.read("target/y.supp"), "");
    }

    #[test]
    fn words_match_as_a_whole() {
        assert!(has_word("dependency('gtk4')", "gtk4") && has_word("OpenMP", "OpenMP"));
        assert!(!has_word("gtk4mm my_gtk4", "gtk4"));
    }
}
