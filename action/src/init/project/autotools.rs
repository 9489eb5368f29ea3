//! configure scripts. Their tests are the programs that `make check` or `make test` starts, under a
//! checker that follows child processes.

use super::Step;
use super::make::test_target;
use super::native::NativeProject;
use crate::init::tree::{Tree, has_word};

/// Detects a project with a configure script.
pub(super) fn find(tree: &Tree) -> Option<NativeProject> {
    let source = tree.first_existing(&["configure.ac", "configure.in"]);
    let file = source.or_else(|| tree.first_existing(&["configure"]))?;
    let is_automake = tree.has("Makefile.am");
    let rules = ["Makefile.am", "Makefile.in"]
        .map(|file| tree.read(file))
        .join("\n");
    let target = if is_automake {
        has_tests(tree).then_some("check")
    } else {
        test_target(&rules)
    };
    let mut script = Vec::new();
    script.extend((!tree.has("configure")).then_some("autoreconf --force --install"));
    script.extend([
        // Without shared libraries, everything is compiled once, and programs are no scripts of
        // libtool. A program that loads modules needs them.
        match has_modules(tree) {
            true => "./configure CFLAGS=\"$FLAGS\" CXXFLAGS=\"$FLAGS\"",
            false => "./configure --disable-shared CFLAGS=\"$FLAGS\" CXXFLAGS=\"$FLAGS\"",
        },
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
    let packages: &[&'static str] = if source.is_some() {
        &["autoconf", "automake", "libtool", "valgrind"]
    } else {
        &["valgrind"]
    };
    let note = (is_automake && target.is_none())
        .then(|| "`make check` runs no program: no Makefile.am has TESTS or a rule `check`".into());
    let native = NativeProject::with_make(
        "autotools",
        format!("C with a configure script ({file})"),
        Step::packages(None, packages),
        &script,
        target,
    );
    Some(NativeProject { note, ..native })
}

/// Returns true if the project builds libraries that its programs load by name.
fn has_modules(tree: &Tree) -> bool {
    let mut files = tree.with_name("Makefile.am");
    files.any(|file| has_word(&tree.read(file), "-module"))
}

/// Returns true if a Makefile.am lists tests, or has a rule for them. automake's `check` target
/// exists in every project.
fn has_tests(tree: &Tree) -> bool {
    let is_of_tests = |line: &str| {
        let name = line.trim_start().split([' ', '\t', '=', '+', ':']).next();
        let is_rule = ["check:", "check-local:", "check-am:"]
            .iter()
            .any(|rule| line.starts_with(rule));
        name == Some("TESTS") || is_rule
    };
    let names = tree.with_name("Makefile.am");
    // Files with other names may be included.
    let included = tree.with_extension(&[".am", ".mk", ".inc"]);
    names
        .chain(included)
        .any(|file| tree.read(file).lines().any(is_of_tests))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::init::tree::tests::test_tree;

    #[test]
    fn missing_configure_script_is_generated() {
        let (_dir, tree) = test_tree(&[
            ("configure.ac", "AC_INIT"),
            (
                "Makefile.am",
                "check_PROGRAMS = a\nTESTS = $(check_PROGRAMS)\n",
            ),
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
        assert!(!job.steps[0].packages.contains(&"autoconf"));
    }

    #[test]
    fn automake_without_tests_is_noted() {
        let native = |rules: &str| {
            let files = [
                ("configure.ac", "AC_INIT"),
                ("Makefile.am", "SUBDIRS = tests\n"),
                ("tests/Makefile.am", rules),
            ];
            find(&test_tree(&files).1).unwrap()
        };
        let without = native("noinst_PROGRAMS = tests\n");
        assert!(!without.has_tests && without.note.unwrap().contains("runs no program"));
        for rules in [
            "TESTS=a\n",
            "TESTS += a\n",
            "check-local:\n\t./a\n",
            "if X\n  TESTS = a\n",
        ] {
            let with = native(rules);
            assert!(with.has_tests && with.note.is_none(), "{rules}");
        }
    }

    #[test]
    fn loaded_modules_are_shared_libraries() {
        let configure = |flags: &str| {
            let rules = format!("SUBDIRS = src\nTESTS = t\nLDFLAGS = {flags}\n");
            let files = [
                ("configure", "#!/bin/sh"),
                ("configure.ac", ""),
                ("Makefile.am", &rules),
            ];
            find(&test_tree(&files).1).unwrap().job.steps[1].script[0].clone()
        };
        assert!(configure("-no-undefined").contains("--disable-shared"));
        assert!(!configure("-avoid-version -module").contains("--disable-shared"));
    }
}
