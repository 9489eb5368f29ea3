//! Meson, which has an option for sanitizers.

use super::native::{NativeProject, PLACEHOLDER, build};
use super::{Job, MatrixEntry, Platform, Step};
use crate::init::tree::{Tree, has_word, without_comments};

const FILE: &str = "meson.build";

const MATRIX: &[MatrixEntry] = &[
    MatrixEntry {
        tool: "memcheck",
        flags: "none",
    },
    MatrixEntry {
        tool: "asan",
        flags: "address",
    },
];

/// Detects a C or C++ project with Meson.
pub(super) fn find(tree: &Tree) -> Option<NativeProject> {
    let text = without_comments(&tree.read(FILE), "#");
    let project = text.split_once("project(")?.1.split_once(')')?.0;
    let has = |name: &str| project.contains(&format!("'{name}'"));
    let languages = match (has("c"), has("cpp")) {
        (true, true) => "C and C++",
        (true, false) => "C",
        (false, true) => "C++",
        (false, false) => return None,
    };
    let is_test = |text: &str| {
        text.match_indices("test(")
            .any(|(at, _)| has_word(&text[at..], "test") && !text[..at].ends_with(['_', '.', 'k']))
    };
    let has_tests = tree
        .with_name(FILE)
        .any(|file| is_test(&without_comments(&tree.read(file), "#")));
    // clang's runtime is only in the program, so libraries must be linked with undefined symbols.
    let script = [
        "meson setup build --buildtype=debug -Db_sanitize=\"$SANITIZER\" -Db_lundef=false",
        "meson compile -C build",
    ];
    let job = Job {
        id: "meson",
        description: format!("{languages} with Meson ({FILE})"),
        matrix: MATRIX.to_vec(),
        steps: vec![
            Step::packages(None, &["meson", "valgrind"]),
            build(&script, &[("SANITIZER", "FLAGS")]),
        ],
        command: if has_tests {
            "meson test -C build"
        } else {
            "./build/PROGRAM"
        }
        .into(),
        comment: (!has_tests).then_some(PLACEHOLDER),
        platform: Platform::default(),
    };
    Some(NativeProject {
        job,
        has_tests,
        is_make: false,
        note: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::init::tree::tests::test_tree;

    #[test]
    fn languages_and_tests_are_read_from_meson_files() {
        let (_dir, tree) = test_tree(&[
            (
                FILE,
                "project('x', ['c', 'cpp'],\n  version: '1')\nsubdir('t')",
            ),
            ("t/meson.build", "test('a', e)"),
        ]);
        let native = find(&tree).unwrap();
        assert!(
            native.has_tests
                && native.job.description.starts_with("C and C++")
                && native.job.command == "meson test -C build"
        );
        let (_dir, tree) = test_tree(&[(
            FILE,
            "project('x', 'c')\n# test('a', e)\nbuild_tests = my_test(1)",
        )]);
        assert!(!find(&tree).unwrap().has_tests);
        let (_dir, tree) = test_tree(&[(FILE, "project('x', 'rust')")]);
        assert!(find(&tree).is_none());
    }
}
