//! Finds existing suppression files by their names, and by references in workflows and build files.

use std::path::Path;

use leakgate_core::rules::read_file;

use super::tree::{Tree, read_text};

/// The suppression files of a project.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Suppressions {
    /// Valid files, as paths relative to the project.
    pub(super) files: Vec<String>,
    /// Invalid files, each with its first error.
    pub(super) unreadable: Vec<(String, String)>,
}

/// A GitHub Actions workflow of a repository.
#[derive(Debug)]
pub(super) struct Workflow {
    /// File name.
    pub(super) name: String,
    /// Content of the file.
    pub(super) text: String,
}

/// Text in front of a file name, in valgrind's options and in the variables of sanitizers.
const MARKER: &str = "suppressions=";

/// Expressions for the root of the repository in workflows.
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

/// Finds the suppression files of a project whose path in the repository is `subdir`. Each file is
/// parsed, because the configuration must not refer to a file that leakgate cannot read.
pub(super) fn find(tree: &Tree, workflows: &[Workflow], subdir: &str) -> Suppressions {
    let build_files = [
        "CMakeLists.txt",
        "Makefile",
        "Makefile.am",
        "meson.build",
        "justfile",
        ".gitlab-ci.yml",
        "azure-pipelines.yml",
        "Jenkinsfile",
    ]
    .map(|file| tree.read(file));
    let referenced: Vec<String> = workflows
        .iter()
        .map(|workflow| &workflow.text)
        .chain(&build_files)
        .flat_map(|text| referenced_files(text))
        .collect();
    let is_same = |reference: &String, file: &str| {
        let in_project = reference
            .strip_prefix(subdir)
            .map(|path| path.trim_start_matches('/'));
        reference == file || in_project == Some(file)
    };
    let is_referenced = |file: &str| referenced.iter().any(|reference| is_same(reference, file));
    let mut found = Suppressions::default();
    for file in tree
        .files()
        .filter(|file| has_typical_name(file) || is_referenced(file))
    {
        match read_file(file, &tree.read(file)) {
            Ok(_) => found.files.push(file.to_owned()),
            Err(errors) => found.unreadable.extend(
                errors
                    .first()
                    .map(|error| (file.to_owned(), error.to_string())),
            ),
        }
    }
    found
}

/// Returns the workflows of a repository, sorted by name.
pub(super) fn workflows(repository: &Path) -> Vec<Workflow> {
    let entries = std::fs::read_dir(repository.join(".github/workflows"))
        .into_iter()
        .flatten()
        .flatten();
    let mut workflows: Vec<Workflow> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let text = read_text(&entry.path())?;
            Some(Workflow { name, text })
        })
        .filter(|workflow| workflow.name.ends_with(".yml") || workflow.name.ends_with(".yaml"))
        .collect();
    workflows.sort_by(|a, b| a.name.cmp(&b.name));
    workflows
}

/// Returns true for names such as `lsan-suppressions.txt`, `.valgrind.supp` and `tsan_supp.txt`.
fn has_typical_name(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let is_text = [".txt", ".conf", ".suppressions", ".cfg"]
        .iter()
        .any(|end| name.ends_with(end));
    let names_tool = [
        "asan", "lsan", "tsan", "msan", "valgrind", "memcheck", "helgrind",
    ]
    .iter()
    .any(|tool| name.contains(tool));
    name.ends_with(".supp") || (is_text && names_tool && name.contains("supp"))
}

/// Returns the suppression files that a text refers to.
fn referenced_files(text: &str) -> Vec<String> {
    let name = |(at, _): (usize, &str)| {
        let rest = text[at + MARKER.len()..].trim_start_matches(['"', '\'']);
        let rest = ROOTS
            .iter()
            .fold(rest, |rest, root| rest.strip_prefix(root).unwrap_or(rest));
        let end = rest
            .find(|c: char| c.is_whitespace() || "\"':,;)\\".contains(c))
            .unwrap_or(rest.len());
        (end > 0).then(|| rest[..end].to_owned())
    };
    text.match_indices(MARKER).filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tree::tests::test_tree;
    use super::*;

    fn workflow(text: &str) -> Workflow {
        Workflow {
            name: "ci.yml".into(),
            text: text.into(),
        }
    }

    #[test]
    fn files_are_found_by_name_and_by_reference() {
        let (_dir, tree) = test_tree(&[
            (".valgrind.supp", "{\n  a\n  Memcheck:Leak\n  fun:x\n}\n"),
            ("ci/known.txt", "leak:x\n"),
            ("ci/other.txt", "leak:x\n"),
            ("lsan-suppressions.txt", "leak:y\n"),
            ("tests/bad.supp", "{\n  a\n"),
        ]);
        let workflow = workflow(
            "run: LSAN_OPTIONS=\"suppressions=${{ github.workspace }}/ci/known.txt:print=1\" ./t",
        );
        let found = find(&tree, &[workflow], "");
        assert_eq!(
            found.files,
            [".valgrind.supp", "ci/known.txt", "lsan-suppressions.txt"]
        );
        assert_eq!(found.unreadable[0].0, "tests/bad.supp");
    }

    #[test]
    fn references_are_relative_to_the_repository() {
        let (_dir, tree) = test_tree(&[("ci/known.txt", "leak:x\n")]);
        let find = |text: &str| find(&tree, &[workflow(text)], "lib/a").files;
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
    fn references_end_at_separators_of_the_shell_and_the_runtimes() {
        assert_eq!(
            referenced_files("--suppressions=$PWD/a.supp ./t"),
            ["a.supp"]
        );
        assert_eq!(referenced_files("suppressions='a b'"), ["a"]);
        assert_eq!(
            referenced_files("LSAN_OPTIONS: suppressions=a.txt,verbosity=1"),
            ["a.txt"]
        );
        assert_eq!(referenced_files("suppressions="), [""; 0]);
    }
}
