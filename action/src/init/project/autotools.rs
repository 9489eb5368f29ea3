//! configure scripts. Their tests are the programs that `make check` or `make test` starts, under a
//! checker that follows child processes.

use super::Step;
use super::make::test_target;
use super::native::NativeProject;
use crate::init::tree::Tree;

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
    Some(NativeProject::with_make(
        "autotools",
        format!("C with a configure script ({file})"),
        Step::packages(None, packages),
        &script,
        target,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::init::tree::tests::test_tree;

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
