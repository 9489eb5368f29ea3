//! Suppression files that are there already: by their names, and by what workflows and build files
//! name.

use std::path::Path;

use leakgate_core::read_file;

use super::tree::{Tree, text};

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Suppressions {
    /// Files that can be read, from the root of the project.
    pub(super) files: Vec<String>,
    /// Files that can't, each with the first mistake.
    pub(super) broken: Vec<(String, String)>,
}

/// What options of valgrind and variables of the sanitizers have before the name of a file.
const BEFORE: &str = "suppressions=";

/// What stands for the root of the repository where workflows name files.
const ROOTS: &[&str] = &[
    "${{ github.workspace }}/",
    "${{github.workspace}}/",
    "${GITHUB_WORKSPACE}/",
    "$GITHUB_WORKSPACE/",
    "$(pwd)/",
    "${PWD}/",
    "$PWD/",
    "./",
];

/// Looks for them. A file that leakgate can't read would make the configuration an error, so each
/// is read once.
pub(super) fn find(tree: &Tree, workflows: &[String], below: &str) -> Suppressions {
    let build = [
        "CMakeLists.txt",
        "Makefile",
        "Makefile.am",
        "meson.build",
        "justfile",
        ".gitlab-ci.yml",
    ]
    .map(|file| tree.read(file));
    let named: Vec<String> = workflows
        .iter()
        .chain(&build)
        .flat_map(|text| named(text))
        .collect();
    let is_named = |file: &str| {
        named.iter().any(|name| {
            name == file
                || name
                    .strip_prefix(below)
                    .is_some_and(|n| n.trim_start_matches('/') == file)
        })
    };
    let mut found = Suppressions::default();
    for file in tree
        .files()
        .filter(|file| is_by_name(file) || is_named(file))
    {
        match read_file(file, &tree.read(file)) {
            Ok(_) => found.files.push(file.to_owned()),
            Err(mistakes) => found.broken.extend(
                mistakes
                    .first()
                    .map(|mistake| (file.to_owned(), mistake.to_string())),
            ),
        }
    }
    found
}

/// The workflows of a repository.
pub(super) fn workflows(repository: &Path) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(repository.join(".github/workflows"))
        .into_iter()
        .flatten()
        .flatten();
    let mut all: Vec<(String, String)> = entries
        .filter_map(|entry| Some((entry.file_name().into_string().ok()?, text(&entry.path())?)))
        .filter(|(name, _)| name.ends_with(".yml") || name.ends_with(".yaml"))
        .collect();
    all.sort();
    all
}

/// `lsan-suppressions.txt`, `.valgrind.supp`, `tsan_supp.txt`.
fn is_by_name(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let is_text = [".txt", ".conf", ".suppressions", ".cfg"]
        .iter()
        .any(|end| name.ends_with(end));
    let is_of_tool = [
        "asan", "lsan", "tsan", "msan", "valgrind", "memcheck", "helgrind",
    ]
    .iter()
    .any(|tool| name.contains(tool));
    name.ends_with(".supp") || (is_text && is_of_tool && name.contains("supp"))
}

/// The files that a text names as suppressions.
fn named(text: &str) -> Vec<String> {
    let name = |(at, _): (usize, &str)| {
        let rest = text[at + BEFORE.len()..].trim_start_matches(['"', '\'']);
        let rest = ROOTS
            .iter()
            .fold(rest, |rest, root| rest.strip_prefix(root).unwrap_or(rest));
        let end = rest
            .find(|c: char| c.is_whitespace() || "\"':,;)\\".contains(c))
            .unwrap_or(rest.len());
        (end > 0).then(|| rest[..end].to_owned())
    };
    text.match_indices(BEFORE).filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tree::tests::made;
    use super::*;

    #[test]
    fn files_are_found_by_their_names_and_by_who_names_them() {
        let (_dir, tree) = made(&[
            (".valgrind.supp", "{\n  a\n  Memcheck:Leak\n  fun:x\n}\n"),
            ("ci/known.txt", "leak:x\n"),
            ("ci/other.txt", "leak:x\n"),
            ("lsan-suppressions.txt", "leak:y\n"),
            ("tests/bad.supp", "{\n  a\n"),
        ]);
        let workflow =
            "run: LSAN_OPTIONS=\"suppressions=${{ github.workspace }}/ci/known.txt:print=1\" ./t"
                .to_owned();
        let found = find(&tree, &[workflow], "");
        assert_eq!(
            found.files,
            [".valgrind.supp", "ci/known.txt", "lsan-suppressions.txt"]
        );
        assert_eq!(found.broken[0].0, "tests/bad.supp");
    }

    #[test]
    fn a_folder_below_the_repository_has_shorter_paths() {
        let (_dir, tree) = made(&[("ci/known.txt", "leak:x\n")]);
        let find = |text: &str| find(&tree, &[text.to_owned()], "lib/a").files;
        assert_eq!(
            find("valgrind --suppressions=lib/a/ci/known.txt ./t"),
            ["ci/known.txt"]
        );
        assert_eq!(
            find("valgrind --suppressions=lib/b/ci/known.txt ./t"),
            [""; 0]
        );
    }

    #[test]
    fn names_end_where_the_shell_or_the_runtime_ends_them() {
        assert_eq!(named("--suppressions=$PWD/a.supp ./t"), ["a.supp"]);
        assert_eq!(named("suppressions='a b'"), ["a"]);
        assert_eq!(
            named("LSAN_OPTIONS: suppressions=a.txt,verbosity=1"),
            ["a.txt"]
        );
        assert_eq!(named("suppressions="), [""; 0]);
    }
}
