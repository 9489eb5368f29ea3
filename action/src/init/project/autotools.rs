//! configure scripts and Makefiles. Their tests are what `make check` or `make test` starts, under
//! a checker that follows children.

use super::native::{FLAGS, Native, PLACEHOLDER, PROGRAM, build};
use super::{Job, Step};
use crate::init::tree::Tree;

const MAKEFILES: &[&str] = &["GNUmakefile", "Makefile", "makefile"];

/// The job of a project with a configure script.
pub(super) fn find(tree: &Tree) -> Option<Native> {
    let source = tree.first(&["configure.ac", "configure.in"]);
    let file = source.or_else(|| tree.first(&["configure"]))?;
    let is_automake = tree.has("Makefile.am");
    let rules = ["Makefile.am", "Makefile.in"]
        .map(|file| tree.read(file))
        .join("\n");
    let target = if is_automake {
        Some("check")
    } else {
        target(&rules)
    };
    let mut script = Vec::new();
    script.extend((!tree.has("configure")).then_some("autoreconf --force --install"));
    script.extend([
        "./configure --disable-shared CFLAGS=\"$FLAGS\" CXXFLAGS=\"$FLAGS\"",
        "make -j\"$(nproc)\"",
    ]);
    // What is compiled later would be compiled under the checker. automake's programs for tests are
    // built by `check` alone.
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
        format!("C by a configure script ({file})"),
        Step::packages(None, packages),
        &script,
        target,
    ))
}

/// The job of a project with a Makefile and sources of C or C++.
pub(super) fn make(tree: &Tree) -> Option<Native> {
    let file = tree.first(MAKEFILES)?;
    tree.ending(&[".c", ".cc", ".cpp", ".cxx"]).next()?;
    let target = target(&tree.read(file));
    // The compiler takes the flags with it wherever it is called, also where a Makefile sets CFLAGS
    // itself, and where it links.
    let mut script = vec!["make CC=\"cc $FLAGS\" CXX=\"c++ $FLAGS\""];
    script.extend(target.map(|target| match target {
        "check" => "make CC=\"cc $FLAGS\" CXX=\"c++ $FLAGS\" check",
        _ => "make CC=\"cc $FLAGS\" CXX=\"c++ $FLAGS\" test",
    }));
    let native = native(
        "make",
        format!("C by make ({file})"),
        Step::valgrind(),
        &script,
        target,
    );
    Some(Native {
        is_make: true,
        ..native
    })
}

fn native(
    id: &'static str,
    what: String,
    packages: Step,
    script: &[&str],
    target: Option<&str>,
) -> Native {
    let job = Job {
        id,
        what,
        legs: FLAGS.to_vec(),
        steps: vec![packages, build(script, &[("FLAGS", "FLAGS")])],
        command: target.map_or_else(|| format!(".{PROGRAM}"), |target| format!("make {target}")),
        remark: target.is_none().then_some(PLACEHOLDER),
    };
    Native {
        job,
        has_tests: target.is_some(),
        is_make: false,
    }
}

/// The target that runs tests.
fn target(text: &str) -> Option<&'static str> {
    let has = |target: &str| {
        text.lines().any(|line| {
            let names = line
                .split_once(':')
                .filter(|(_, rest)| !rest.starts_with('=') && !rest.starts_with(":="))
                .map(|l| l.0);
            !line.starts_with(['\t', '.', '#'])
                && names.is_some_and(|names| names.split_whitespace().any(|name| name == target))
        })
    };
    ["check", "test"].into_iter().find(|name| has(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::init::tree::tests::made;

    #[test]
    fn targets_are_rules_and_no_variables() {
        assert_eq!(target("all: x\ntest check: x\n"), Some("check"));
        assert_eq!(target("test: all\n"), Some("test"));
        for text in [
            "test := 1\n",
            ".PHONY: test\n",
            "\ttest: x\n",
            "tests: x\n",
            "# test: x\n",
            "test ::= 1\n",
        ] {
            assert_eq!(target(text), None, "{text}");
        }
    }

    #[test]
    fn a_makefile_needs_sources() {
        let (_dir, tree) = made(&[("Makefile", "all:\n\tdocker build .\n")]);
        assert!(make(&tree).is_none());
        let (_dir, tree) = made(&[("Makefile", "all: a\n"), ("src/a.cc", "")]);
        let native = make(&tree).unwrap();
        assert!(native.job.remark.is_some() && native.job.command == "./PROGRAM" && native.is_make);
    }

    #[test]
    fn a_configure_script_is_made_where_it_is_not_there() {
        let (_dir, tree) = made(&[
            ("configure.ac", "AC_INIT"),
            ("Makefile.am", "check_PROGRAMS = a"),
        ]);
        let job = find(&tree).unwrap().job;
        assert_eq!(job.command, "make check");
        assert!(
            job.steps[1].script[0].starts_with("autoreconf")
                && job.steps[1].script[3].ends_with("TESTS=")
        );
        let (_dir, tree) = made(&[("configure", "#!/bin/sh"), ("Makefile.in", "test: x\n")]);
        let job = find(&tree).unwrap().job;
        assert!(job.command == "make test" && job.steps[1].script[0].starts_with("./configure"));
        assert!(!job.steps[0].script[1].contains("autoconf"));
    }
}
