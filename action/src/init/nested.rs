//! Finds the project of a repository whose root has no build system.

use std::collections::BTreeSet;
use std::path::Path;

use super::project::Project;
use super::tree::Tree;

/// Files of the supported build systems.
const BUILD_FILES: &[&str] = &[
    "CMakeLists.txt",
    "Cargo.toml",
    "GNUmakefile",
    "Makefile",
    "configure",
    "configure.ac",
    "configure.in",
    "go.mod",
    "makefile",
    "meson.build",
    "pyproject.toml",
    "setup.py",
];

/// Directories that belong to a project, or that only demonstrate or package it.
const NO_PROJECTS: &[&str] = &[
    "bench",
    "benchmarks",
    "ci",
    "cmake",
    "contrib",
    "debian",
    "demo",
    "doc",
    "docs",
    "example",
    "examples",
    "fuzz",
    "fuzzing",
    "packaging",
    "samples",
    "scripts",
    "test",
    "tests",
    "tools",
];

const SOURCES: &[&str] = &[".c", ".cc", ".cpp", ".cxx", ".go", ".py", ".rs"];

/// Maximum number of directories above a project.
const MAX_DEPTH: usize = 2;

/// Returns the directories of the projects in a repository, relative to its root. The one with the
/// most source files is the first.
pub(super) fn find(root: &Path, tree: &Tree) -> Vec<String> {
    let directory = |file: &str| {
        let (directory, name) = file.rsplit_once('/')?;
        let is_project = BUILD_FILES.contains(&name)
            && directory.split('/').count() <= MAX_DEPTH
            && !directory.split('/').any(|part| NO_PROJECTS.contains(&part));
        is_project.then(|| directory.to_owned())
    };
    let directories: BTreeSet<String> = tree.files().filter_map(directory).collect();
    let has_parent = |directory: &&String| {
        let parent = directory.rsplit_once('/').map(|(parent, _)| parent);
        parent.is_some_and(|parent| directories.contains(parent))
    };
    let is_known = |directory: &&String| {
        !Project::detect(&Tree::scan(&root.join(directory.as_str()))).is_unknown
    };
    let mut found: Vec<&String> = directories
        .iter()
        .filter(|directory| !has_parent(directory))
        .filter(is_known)
        .collect();
    found.sort_by_key(|directory| std::cmp::Reverse(count_sources(tree, directory)));
    found.into_iter().cloned().collect()
}

fn count_sources(tree: &Tree, directory: &str) -> usize {
    let is_below = |file: &&str| {
        file.strip_prefix(directory)
            .is_some_and(|rest| rest.starts_with('/'))
    };
    tree.with_extension(SOURCES).filter(is_below).count()
}

#[cfg(test)]
mod tests {
    use super::super::tree::tests::test_tree;
    use super::*;

    #[test]
    fn largest_project_below_the_root_is_the_first() {
        let project = "project(x C)\n";
        let (dir, tree) = test_tree(&[
            ("README.md", ""),
            ("small/CMakeLists.txt", project),
            ("small/a.c", ""),
            ("libs/big/CMakeLists.txt", project),
            ("libs/big/a.c", ""),
            ("libs/big/b.c", ""),
            // Neither parts of a project, nor examples, nor directories without a project count.
            ("libs/big/lib/CMakeLists.txt", project),
            ("examples/CMakeLists.txt", project),
            ("site/Makefile", "all:\n"),
            ("a/b/c/CMakeLists.txt", project),
        ]);
        assert_eq!(find(dir.path(), &tree), ["libs/big", "small"]);
    }
}
