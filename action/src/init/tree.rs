//! What lies in a folder: names of files, and the text of those that tell something. Neither git
//! nor a network is needed for it.

use std::fs;
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

/// Folders of other people's code and of what was built. What they hold says nothing of this
/// project.
const PASSED: &[&str] = &[
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

/// More files than this are not looked at: what tells lies near the root.
const MAX_FILES: usize = 20_000;

const MAX_DEPTH: usize = 8;

/// A longer file is no build file, and no source that a person wrote.
const MAX_BYTES: u64 = 1 << 20;

/// A folder and its files.
#[derive(Debug, Default)]
pub(super) struct Tree {
    root: PathBuf,
    /// Paths from the root, with `/`, in order.
    files: Vec<String>,
}

impl Tree {
    /// Looks into a folder. What git would leave out is left out, and links are not followed.
    pub(super) fn of(root: &Path) -> Self {
        // What lies in the root itself is taken before large folders use up the number.
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

    /// All files.
    pub(super) fn files(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(String::as_str)
    }

    /// True when there is a file of this path.
    pub(super) fn has(&self, path: &str) -> bool {
        self.files
            .binary_search_by(|file| file.as_str().cmp(path))
            .is_ok()
    }

    /// The first of these that is there.
    pub(super) fn first(&self, paths: &[&'static str]) -> Option<&'static str> {
        paths.iter().find(|path| self.has(path)).copied()
    }

    /// The files of this name, wherever they lie.
    pub(super) fn named(&self, name: &str) -> impl Iterator<Item = &str> {
        self.files()
            .filter(move |file| file.rsplit('/').next() == Some(name))
    }

    /// The files whose names end so.
    pub(super) fn ending<'a>(&'a self, ends: &'a [&str]) -> impl Iterator<Item = &'a str> {
        self.files()
            .filter(move |file| ends.iter().any(|end| file.ends_with(end)))
    }

    /// The text of a file; nothing where there is none.
    pub(super) fn read(&self, path: &str) -> String {
        if !self.has(path) {
            return String::new();
        }
        text(&self.root.join(path)).unwrap_or_default()
    }
}

/// The files of a folder, always in the same order.
fn walk(root: &Path, depth: usize) -> impl Iterator<Item = String> {
    let mut builder = WalkBuilder::new(root);
    builder
        .hidden(false)
        .require_git(false)
        .git_global(false)
        .max_depth(Some(depth));
    builder.sort_by_file_name(|a, b| a.cmp(b));
    let is_passed = |entry: &ignore::DirEntry| {
        entry
            .file_name()
            .to_str()
            .is_some_and(|name| PASSED.contains(&name))
    };
    builder.filter_entry(move |entry| entry.depth() == 0 || !is_passed(entry));
    builder.build().flatten().filter_map(move |entry| {
        let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
        let path = entry.path().strip_prefix(root).ok()?.to_str()?;
        is_file.then(|| path.replace('\\', "/"))
    })
}

/// The text of a file that is no link and not too long. Bytes that are no UTF-8 matter to nobody
/// here.
pub(super) fn text(path: &Path) -> Option<String> {
    let meta = fs::symlink_metadata(path).ok()?;
    let bytes = (meta.is_file() && meta.len() <= MAX_BYTES).then(|| fs::read(path).ok())??;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// True when a text holds a name, and not only as a part of a longer one.
pub(super) fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + word.len()..]);
        !before.ends_with(is_part) && !after.starts_with(is_part)
    })
}

/// Lines without comments that begin with one of these.
pub(super) fn without_comments(text: &str, mark: &str) -> String {
    text.lines()
        .map(|line| line.split(mark).next().unwrap_or(line))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A folder with these files.
    pub(in crate::init) fn made(files: &[(&str, &str)]) -> (tempfile::TempDir, Tree) {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let tree = Tree::of(dir.path());
        (dir, tree)
    }

    #[test]
    fn what_git_leaves_out_and_what_others_wrote_is_passed_over() {
        let files = [
            (".gitignore", "out/\n"),
            ("out/x.supp", ""),
            ("target/y.supp", ""),
            ("vendor/lib/Makefile", ""),
            (".valgrind.supp", ""),
            ("src/a.c", ""),
        ];
        let (_dir, tree) = made(&files);
        assert_eq!(
            tree.files().collect::<Vec<_>>(),
            [".gitignore", ".valgrind.supp", "src/a.c"]
        );
        assert_eq!(tree.read("target/y.supp"), "");
    }

    #[test]
    fn a_word_stands_for_itself() {
        assert!(has_word("dependency('gtk4')", "gtk4") && has_word("OpenMP", "OpenMP"));
        assert!(!has_word("gtk4mm my_gtk4", "gtk4"));
    }
}
