//! CMake. It takes the first flags from `CFLAGS` and `CXXFLAGS`, whatever the project's own are.

use super::native::{FLAGS, Native, PLACEHOLDER, build};
use super::{Job, Step};
use crate::init::tree::{Tree, without_comments};

const FILE: &str = "CMakeLists.txt";

/// The job of a project that CMake builds from C or C++.
pub(super) fn find(tree: &Tree) -> Option<Native> {
    if !tree.has(FILE) {
        return None;
    }
    let text = without_comments(&tree.read(FILE), "#");
    let languages = languages(&text)?;
    // Tests that a folder below turns on are not run from the root.
    let has_tests = call(&text, "enable_testing").is_some() || includes_ctest(&text);
    let script = ["cmake -S . -B build", "cmake --build build --parallel"];
    let job = Job {
        id: "cmake",
        what: format!("{languages} by CMake ({FILE})"),
        legs: FLAGS.to_vec(),
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
        remark: (!has_tests).then_some(PLACEHOLDER),
    };
    Some(Native {
        job,
        has_tests,
        is_make: false,
    })
}

/// The languages of the first `project()`; C and C++ where it names none. Nothing where neither of
/// the two is among them.
fn languages(text: &str) -> Option<&'static str> {
    const OTHERS: &[&str] = &[
        "NONE", "FORTRAN", "CUDA", "HIP", "SWIFT", "CSHARP", "JAVA", "ASM", "OBJC", "OBJCXX",
        "ISPC",
    ];
    let words: Vec<String> = call(text, "project")
        .unwrap_or_default()
        .split_whitespace()
        .skip(1)
        .map(str::to_ascii_uppercase)
        .collect();
    let has = |name: &str| words.iter().any(|word| word == name);
    match (has("C"), has("CXX")) {
        (true, false) => Some("C"),
        (false, true) => Some("C++"),
        (false, false) if words.iter().any(|word| OTHERS.contains(&word.as_str())) => None,
        _ => Some("C and C++"),
    }
}

fn includes_ctest(text: &str) -> bool {
    let calls = text
        .match_indices("include")
        .chain(text.match_indices("INCLUDE"))
        .map(|(at, _)| &text[at..]);
    calls
        .filter_map(|rest| call(rest, "include"))
        .any(|arguments| arguments.trim() == "CTest")
}

/// The arguments of the first call of a command, whose name may be written in any case.
fn call<'a>(text: &'a str, name: &str) -> Option<&'a str> {
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
    use crate::init::tree::tests::made;

    fn of(text: &str) -> Option<Native> {
        let (_dir, tree) = made(&[(FILE, text)]);
        find(&tree)
    }

    #[test]
    fn languages_are_those_of_the_project() {
        let what = |text: &str| {
            of(text).map(|native| native.job.what.split(" by").next().unwrap().to_owned())
        };
        assert_eq!(what("project(x C)").as_deref(), Some("C"));
        assert_eq!(
            what("Project( x\n VERSION 1.2 LANGUAGES CXX )").as_deref(),
            Some("C++")
        );
        assert_eq!(
            what("project(x VERSION 1 LANGUAGES C CXX)").as_deref(),
            Some("C and C++")
        );
        assert_eq!(what("project(x)").as_deref(), Some("C and C++"));
        assert_eq!(what("project(x VERSION 2)").as_deref(), Some("C and C++"));
        assert_eq!(what("# project(x C)\nproject(x NONE)"), None);
        assert_eq!(what("my_project(x C)\nproject(x Fortran)"), None);
    }

    #[test]
    fn tests_are_run_where_the_project_knows_of_them() {
        let command = |text: &str| of(text).unwrap().job.command;
        assert!(command("project(x C)\nEnable_Testing()").starts_with("ctest"));
        assert!(
            command("project(x C)\ninclude(GNUInstallDirs)\ninclude( CTest )").starts_with("ctest")
        );
        for text in [
            "project(x C)",
            "project(x C)\n# enable_testing()",
            "project(x C)\ninclude(CTestUseLaunchers)",
        ] {
            let native = of(text).unwrap();
            assert!(
                !native.has_tests
                    && native.job.command == "./build/PROGRAM"
                    && native.job.remark.is_some(),
                "{text}"
            );
        }
    }
}
