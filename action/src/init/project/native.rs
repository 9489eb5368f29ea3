//! Parts that the C and C++ build tools share.

use super::{Comment, Job, MatrixEntry, Platform, Step, Variable};

/// A project with a C or C++ build tool.
#[derive(Clone, Debug)]
pub(super) struct NativeProject {
    /// The job that builds and tests it.
    pub(super) job: Job,
    /// True if the build tool can run tests.
    pub(super) has_tests: bool,
    /// True for a Makefile without a generator.
    pub(super) is_make: bool,
    /// What the user should know about the tests.
    pub(super) note: Option<String>,
}

impl NativeProject {
    /// Creates a project that `make TARGET` tests; without a target, one without tests.
    pub(super) fn with_make(
        id: &'static str,
        description: String,
        packages: Step,
        script: &[&str],
        target: Option<&str>,
    ) -> Self {
        let job = Job {
            id,
            description,
            matrix: MATRIX.to_vec(),
            steps: vec![packages, build(script, &[("FLAGS", "FLAGS")])],
            command: target
                .map_or_else(|| format!(".{PROGRAM}"), |target| format!("make {target}")),
            comment: target.is_none().then_some(PLACEHOLDER),
            platform: Platform::default(),
        };
        Self {
            job,
            has_tests: target.is_some(),
            is_make: false,
            note: None,
        }
    }

    /// Returns notes for the user if this project is chosen among others.
    pub(super) fn notes(&self, all: &[Self]) -> Vec<String> {
        let others = all.iter().filter(|other| other.job.id != self.job.id);
        let note = |other: &Self| {
            let reason = match self.has_tests && !other.has_tests {
                true => "it defines no tests",
                false => "one build tool is enough",
            };
            format!("not used: {}, because {reason}", other.job.description)
        };
        self.note
            .clone()
            .into_iter()
            .chain(others.map(note))
            .collect()
    }
}

/// End of the command of a project without tests. It is a placeholder for the program. Because the
/// program never exists, the step fails until the user has replaced it.
pub(in crate::init) const PROGRAM: &str = "/PROGRAM";

/// Comment about a placeholder.
pub(super) const PLACEHOLDER: Comment = Comment {
    text: "replace this with the command that runs the tests, or with a program and its arguments",
    only: None,
};

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
        .map(|(name, value)| Variable::new(name, value))
        .chain([Variable {
            comment: Some("programs that the build itself runs may leak"),
            ..Variable::new("ASAN_OPTIONS", "detect_leaks=0")
        }])
        .collect();
    Step {
        name: "Build",
        script: script.iter().map(|line| (*line).to_owned()).collect(),
        env,
        ..Step::default()
    }
}
