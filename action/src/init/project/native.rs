//! What the build tools of C and C++ share.

use super::{Job, Leg, Step};

/// A build tool of C and C++.
#[derive(Clone, Debug)]
pub(super) struct Native {
    /// Its job.
    pub(super) job: Job,
    /// True when it knows how to run tests.
    pub(super) has_tests: bool,
    /// True for a bare Makefile.
    pub(super) is_make: bool,
}

/// Ends the command and stands for the program where a project names no tests. No such program is
/// ever there, so that the step fails until it is replaced.
pub(in crate::init) const PROGRAM: &str = "/PROGRAM";

pub(super) const PLACEHOLDER: &str =
    "replace this by the command that runs the tests, or by a program and its arguments";

/// Stacks need debug information, and frames that the optimiser has left alone.
pub(super) const FLAGS: &[Leg] = &[
    Leg {
        tool: "memcheck",
        flags: "-g -O1",
    },
    Leg {
        tool: "asan",
        flags: "-g -O1 -fno-omit-frame-pointer -fsanitize=address",
    },
];

/// A step that builds. What the build itself runs, a test of a configure script or a generator, may
/// leak.
pub(super) fn build(script: &[&str], variables: &[(&'static str, &'static str)]) -> Step {
    let variables = variables
        .iter()
        .copied()
        .chain([("ASAN_OPTIONS", "detect_leaks=0")])
        .collect();
    Step {
        name: "Build",
        script: script.iter().map(|line| (*line).to_owned()).collect(),
        variables,
        ..Step::default()
    }
}
