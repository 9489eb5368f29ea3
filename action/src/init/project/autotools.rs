//! configure scripts and Makefiles. Their tests are the programs that `make check` or `make test`
//! starts, under a checker that follows child processes.

use super::native::{MATRIX, NativeProject, PLACEHOLDER, PROGRAM, build};
use super::{Job, Step};
use crate::init::tree::Tree;

const MAKEFILES: &[&str] = &["GNUmakefile", "Makefile", "makefile"];

/// Detects a project with a configure script.
pub(super) fn find(tree: &Tree) -> Option<NativeProject> {
    let source = tree.first_existing(&["configure.ac", "configure.in"]);
    let file = source.or_else(|| tree.first_existing(&["configure"]))?;
    let is_automake = tree.has("Makefile.am");
    let rules = ["Makefile.am", "Makefile.in"]
        .map(|file| tree.read(file))
        .join("\n");
    let target = if is_automake {
        Some("check")
    } else {
        test_target(&rules)
    };
    let mut script = Vec::new();
    script.extend((!tree.has("configure")).then_some("autoreconf --force --install"));
    script.extend([
        "./configure --disable-shared CFLAGS=\"$FLAGS\" CXXFLAGS=\"$FLAGS\"",
        "make -j\"$(nproc)\"",
    ]);
    // Build the tests now, because otherwise the compiler would run under the checker. With
    // automake only `check` builds the test programs.
    script.extend(match target {
        Some("check") if is_automake => Some("make -j\"$(nproc)\" check TESTS="),
        Some("check") => Some("make check"),
        Some(_) => Some("make test"),
        None => None,
    });
    let packages: &[&str] = if source.is_some() {
        &["autoconf", "automake", "libtool", "valgrind"]
    } else {
        &["valgrind"]
    };
    Some(native(
        "autotools",
        format!("C with a configure script ({file})"),
        Step::packages(None, packages),
        &script,
        target,
    ))
}

/// Detects a project with a Makefile and C or C++ source files.
pub(super) fn make(tree: &Tree) -> Option<NativeProject> {
    let file = tree.first_existing(MAKEFILES)?;
    tree.with_extension(&[".c", ".cc", ".cpp", ".cxx"]).next()?;
    let target = test_target(&tree.read(file));
    // With the flags in the name of the compiler they are used in every call, also if the Makefile
    // sets CFLAGS itself, and when linking.
    let mut script = vec!["make CC=\"cc $FLAGS\" CXX=\"c++ $FLAGS\""];
    script.extend(target.map(|target| match target {
        "check" => "make CC=\"cc $FLAGS\" CXX=\"c++ $FLAGS\" check",
        _ => "make CC=\"cc $FLAGS\" CXX=\"c++ $FLAGS\" test",
    }));
    let native = native(
        "make",
        format!("C with make ({file})"),
        Step::valgrind(),
        &script,
        target,
    );
    Some(NativeProject {
        is_make: true,
        ..native
    })
}

fn native(
    id: &'static str,
    description: String,
    packages: Step,
    script: &[&str],
    target: Option<&str>,
) -> NativeProject {
    let job = Job {
        id,
        description,
        matrix: MATRIX.to_vec(),
        steps: vec![packages, build(script, &[("FLAGS", "FLAGS")])],
        command: target.map_or_else(|| format!(".{PROGRAM}"), |target| format!("make {target}")),
        comment: target.is_none().then_some(PLACEHOLDER),
    };
    NativeProject {
        job,
        has_tests: target.is_some(),
        is_make: false,
    }
}

/// Returns the Makefile target that runs tests.
fn test_target(text: &str) -> Option<&'static str> {
    let has = |target: &str| {
        text.lines().any(|line| {
            let names = line
                .split_once(':')
                .filter(|(_, rest)| !rest.starts_with('=') && !rest.starts_with(":="))
                .map(|(names, _)| names);
            !line.starts_with(['\t', '.', '#'])
                && names.is_some_and(|names| names.split_whitespace().any(|name| name == target))
        })
    };
    ["check", "test"].into_iter().find(|name| has(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::init::tree::tests::test_tree;

    #[test]
    fn test_targets_are_rules_not_variables() {
        assert_eq!(test_target("all: x\ntest check: x\n"), Some("check"));
        assert_eq!(test_target("test: all\n"), Some("test"));
        for text in [
            "test := 1\n",
            ".PHONY: test\n",
            "\ttest: x\n",
            "tests: x\n",
            "# test: x\n",
            "test ::= 1\n",
        ] {
            assert_eq!(test_target(text), None, "{text}");
        }
    }

    #[test]
    fn makefile_needs_source_files() {
        let (_dir, tree) = test_tree(&[("Makefile", "all:\n\tdocker build .\n")]);
        assert!(make(&tree).is_none());
        let (_dir, tree) = test_tree(&[("Makefile", "all: a\n"), ("src/a.cc", "")]);
        let native = make(&tree).unwrap();
        assert!(
            native.job.comment.is_some() && native.job.command == "./PROGRAM" && native.is_make
        );
    }

    #[test]
    fn missing_configure_script_is_generated() {
        let (_dir, tree) = test_tree(&[
            ("configure.ac", "AC_INIT"),
            ("Makefile.am", "check_PROGRAMS = a"),
        ]);
        let job = find(&tree).unwrap().job;
        assert_eq!(job.command, "make check");
        assert!(
            job.steps[1].script[0].starts_with("autoreconf")
                && job.steps[1].script[3].ends_with("TESTS=")
        );
        let (_dir, tree) = test_tree(&[("configure", "#!/bin/sh"), ("Makefile.in", "test: x\n")]);
        let job = find(&tree).unwrap().job;
        assert!(job.command == "make test" && job.steps[1].script[0].starts_with("./configure"));
        assert!(!job.steps[0].script[1].contains("autoconf"));
    }
}
