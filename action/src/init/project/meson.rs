//! Meson, which has an option of its own for sanitizers.

use super::native::{Native, PLACEHOLDER, build};
use super::{Job, Leg, Step};
use crate::init::tree::{Tree, has_word, without_comments};

const FILE: &str = "meson.build";

const LEGS: &[Leg] = &[
    Leg {
        tool: "memcheck",
        flags: "none",
    },
    Leg {
        tool: "asan",
        flags: "address",
    },
];

/// The job of a project that Meson builds from C or C++.
pub(super) fn find(tree: &Tree) -> Option<Native> {
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
        .named(FILE)
        .any(|file| is_test(&without_comments(&tree.read(file), "#")));
    // clang's runtime is in the program alone, and a library must be linked without it.
    let script = [
        "meson setup build --buildtype=debug -Db_sanitize=\"$SANITIZER\" -Db_lundef=false",
        "meson compile -C build",
    ];
    let job = Job {
        id: "meson",
        what: format!("{languages} by Meson ({FILE})"),
        legs: LEGS.to_vec(),
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
        remark: (!has_tests).then_some(PLACEHOLDER),
    };
    Some(Native {
        job,
        has_tests,
        is_make: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::init::tree::tests::made;

    #[test]
    fn languages_and_tests_are_those_of_the_project() {
        let (_dir, tree) = made(&[
            (
                FILE,
                "project('x', ['c', 'cpp'],\n  version: '1')\nsubdir('t')",
            ),
            ("t/meson.build", "test('a', e)"),
        ]);
        let native = find(&tree).unwrap();
        assert!(
            native.has_tests
                && native.job.what.starts_with("C and C++")
                && native.job.command == "meson test -C build"
        );
        let (_dir, tree) = made(&[(
            FILE,
            "project('x', 'c')\n# test('a', e)\nbuild_tests = my_test(1)",
        )]);
        assert!(!find(&tree).unwrap().has_tests);
        let (_dir, tree) = made(&[(FILE, "project('x', 'rust')")]);
        assert!(find(&tree).is_none());
    }
}
