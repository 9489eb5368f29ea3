//! CMake. It takes initial flags from `CFLAGS` and `CXXFLAGS`, and adds those of the project.

use super::native::{MATRIX, NativeProject, PLACEHOLDER, build};
use super::{Job, Platform, Step};
use crate::init::tree::{Tree, without_comments};

const FILE: &str = "CMakeLists.txt";

/// Detects a C or C++ project with CMake.
pub(super) fn find(tree: &Tree) -> Option<NativeProject> {
    if !tree.has(FILE) {
        return None;
    }
    let text = without_comments(&tree.read(FILE), "#");
    let languages = languages(&text)?;
    // Tests that only a subdirectory enables are not run from the root.
    let has_tests = call_arguments(&text, "enable_testing").is_some() || includes_ctest(&text);
    let script = ["cmake -S . -B build", "cmake --build build --parallel"];
    let job = Job {
        id: "cmake",
        description: format!("{languages} with CMake ({FILE})"),
        matrix: MATRIX.to_vec(),
        steps: vec![
            Step::valgrind(),
            build(&script, &[("CFLAGS", "FLAGS"), ("CXXFLAGS", "FLAGS")]),
        ],
        command: if has_tests {
            "ctest --test-dir build --output-on-failure"
        } else {
            "./build/PROGRAM"
        }
        .into(),
        comment: (!has_tests).then_some(PLACEHOLDER),
        platform: Platform::debian(&["cmake"]),
    };
    Some(NativeProject {
        job,
        has_tests,
        is_make: false,
        note: None,
    })
}

/// Returns the languages of the first `project()`. CMake's default is C and C++. `None` if neither
/// of them is used.
fn languages(text: &str) -> Option<&'static str> {
    const OTHERS: &[&str] = &[
        "NONE", "FORTRAN", "CUDA", "HIP", "SWIFT", "CSHARP", "JAVA", "ASM", "OBJC", "OBJCXX",
        "ISPC",
    ];
    let arguments: Vec<String> = call_arguments(text, "project")
        .unwrap_or_default()
        .split_whitespace()
        .skip(1)
        .map(str::to_ascii_uppercase)
        .collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    match (has("C"), has("CXX")) {
        (true, false) => Some("C"),
        (false, true) => Some("C++"),
        (false, false)
            if arguments
                .iter()
                .any(|argument| OTHERS.contains(&argument.as_str())) =>
        {
            None
        }
        _ => Some("C and C++"),
    }
}

/// Returns true if the project contains `include(CTest)`.
fn includes_ctest(text: &str) -> bool {
    let calls = text
        .match_indices("include")
        .chain(text.match_indices("INCLUDE"))
        .map(|(at, _)| &text[at..]);
    calls
        .filter_map(|rest| call_arguments(rest, "include"))
        .any(|arguments| arguments.trim() == "CTest")
}

/// Returns the arguments of the first call of a command. Names of commands are not case-sensitive.
fn call_arguments<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let lower = text.to_ascii_lowercase();
    lower.match_indices(name).find_map(|(at, _)| {
        let is_name = !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let arguments = text[at + name.len()..]
            .trim_start_matches([' ', '\t'])
            .strip_prefix('(')?;
        arguments.split(')').next().filter(|_| is_name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::init::tree::tests::test_tree;

    fn detect(text: &str) -> Option<NativeProject> {
        let (_dir, tree) = test_tree(&[(FILE, text)]);
        find(&tree)
    }

    #[test]
    fn languages_are_read_from_the_project_command() {
        let languages = |text: &str| {
            detect(text).map(|native| {
                native
                    .job
                    .description
                    .split(" with")
                    .next()
                    .unwrap()
                    .to_owned()
            })
        };
        assert_eq!(languages("project(x C)").as_deref(), Some("C"));
        assert_eq!(
            languages("Project( x\n VERSION 1.2 LANGUAGES CXX )").as_deref(),
            Some("C++")
        );
        assert_eq!(
            languages("project(x VERSION 1 LANGUAGES C CXX)").as_deref(),
            Some("C and C++")
        );
        assert_eq!(languages("project(x)").as_deref(), Some("C and C++"));
        assert_eq!(
            languages("project(x VERSION 2)").as_deref(),
            Some("C and C++")
        );
        assert_eq!(languages("# project(x C)\nproject(x NONE)"), None);
        assert_eq!(languages("my_project(x C)\nproject(x Fortran)"), None);
    }

    #[test]
    fn ctest_runs_if_tests_are_enabled() {
        let command = |text: &str| detect(text).unwrap().job.command;
        assert!(command("project(x C)\nEnable_Testing()").starts_with("ctest"));
        assert!(
            command("project(x C)\ninclude(GNUInstallDirs)\ninclude( CTest )").starts_with("ctest")
        );
        for text in [
            "project(x C)",
            "project(x C)\n# enable_testing()",
            "project(x C)\ninclude(CTestUseLaunchers)",
        ] {
            let native = detect(text).unwrap();
            assert!(
                !native.has_tests
                    && native.job.command == "./build/PROGRAM"
                    && native.job.comment.is_some(),
                "{text}"
            );
        }
    }
}
