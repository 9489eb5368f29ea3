//! Parts that the C and C++ build tools share.

use super::{Job, MatrixEntry, Step};

/// A project with a C or C++ build tool.
#[derive(Clone, Debug)]
pub(super) struct NativeProject {
    /// The job that builds and tests it.
    pub(super) job: Job,
    /// True if the build tool can run tests.
    pub(super) has_tests: bool,
    /// True for a Makefile without a generator.
    pub(super) is_make: bool,
}

/// End of the command of a project without tests. It is a placeholder for the program. Because the
/// program never exists, the step fails until the user has replaced it.
pub(in crate::init) const PROGRAM: &str = "/PROGRAM";

/// Comment about a placeholder.
pub(super) const PLACEHOLDER: &str =
    "replace this with the command that runs the tests, or with a program and its arguments";

/// Checkers and compiler flags. Stacks need debug information, and frames that the optimizer has
/// not removed.
pub(super) const MATRIX: &[MatrixEntry] = &[
    MatrixEntry {
        tool: "memcheck",
        flags: "-g -O1",
    },
    MatrixEntry {
        tool: "asan",
        flags: "-g -O1 -fno-omit-frame-pointer -fsanitize=address",
    },
];

/// Creates a build step. Leaks are ignored in programs that the build itself runs, such as
/// generators and the tests of a configure script.
pub(super) fn build(script: &[&str], env: &[(&'static str, &'static str)]) -> Step {
    let env = env
        .iter()
        .copied()
        .chain([(
            "ASAN_OPTIONS",
            "detect_leaks=0 # programs that the build itself runs may leak",
        )])
        .collect();
    Step {
        name: "Build",
        script: script.iter().map(|line| (*line).to_owned()).collect(),
        env,
        ..Step::default()
    }
}
