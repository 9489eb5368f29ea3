//! Detects how a project is built and tested, and which checkers suit it. Each kind of project has
//! its own module.

mod autotools;
mod cmake;
mod go;
mod make;
mod meson;
mod native;
mod python;
mod rust;

pub(super) use self::native::PROGRAM;
pub(super) use self::rust::crates;

use super::packs;
use super::tree::Tree;

/// A project, as detected from its files.
#[derive(Debug, Default)]
pub(super) struct Project {
    /// One job for each kind of project; at least one.
    pub(super) jobs: Vec<Job>,
    /// Built-in packs for the libraries of the project.
    pub(super) packs: Vec<&'static str>,
    /// True if the build system is unknown. The only job is then a template for the user.
    pub(super) is_unknown: bool,
    /// Notes for the user about what was chosen and why, one line per entry.
    pub(super) notes: Vec<String>,
}

/// A workflow job that builds and tests the project under each suitable checker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Job {
    /// Id of the job in the workflow.
    pub(super) id: &'static str,
    /// The kind of project, and the file by which it was detected.
    pub(super) description: String,
    /// The checkers, each with its build flags.
    pub(super) matrix: Vec<MatrixEntry>,
    /// Steps before the command.
    pub(super) steps: Vec<Step>,
    /// The command to run under the checkers.
    pub(super) command: String,
    /// A comment about the command.
    pub(super) comment: Option<Comment>,
    /// Where the job can run.
    pub(super) platform: Platform,
}

/// A comment about the command of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Comment {
    pub(super) text: &'static str,
    /// The only checker that it concerns; `None` for all.
    pub(super) only: Option<&'static str>,
}

/// What a job needs besides the packages that its steps install. The machines of GitHub and of
/// Azure Pipelines have all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Platform {
    /// A container image with the toolchain, based on Debian.
    pub(super) image: &'static str,
    /// The toolchain of the image, if it isn't a package of Debian.
    pub(super) toolchain: Option<&'static str>,
    /// Debian packages that the image lacks.
    pub(super) packages: Vec<&'static str>,
}

/// A checker, and how a program is built for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MatrixEntry {
    /// Value of `--tool`.
    pub(super) tool: &'static str,
    /// Compiler flags, or the name of the sanitizer if the build tool has an option for it. Empty
    /// if all checkers use the same build.
    pub(super) flags: &'static str,
}

/// A step of a workflow job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Step {
    /// Displayed name.
    pub(super) name: &'static str,
    /// The only checker that needs this step; `None` if all do.
    pub(super) only: Option<&'static str>,
    /// Debian packages to install; such a step has no script.
    pub(super) packages: Vec<&'static str>,
    /// The lines of the script.
    pub(super) script: Vec<String>,
    /// Environment variables.
    pub(super) env: Vec<Variable>,
}

/// An environment variable of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Variable {
    pub(super) name: &'static str,
    /// The value; `FLAGS` is replaced by the flags of the matrix entry.
    value: &'static str,
    pub(super) comment: Option<&'static str>,
}

impl Variable {
    /// Creates a variable without a comment.
    pub(super) const fn new(name: &'static str, value: &'static str) -> Self {
        Self {
            name,
            value,
            comment: None,
        }
    }

    /// Returns the value, for a matrix entry with these flags.
    pub(super) fn value<'a>(&self, flags: &'a str) -> &'a str {
        if self.value == "FLAGS" {
            flags
        } else {
            self.value
        }
    }
}

impl Platform {
    /// Creates the platform of a project in C or C++.
    pub(super) fn debian(packages: &[&'static str]) -> Self {
        Self {
            image: "debian:13",
            toolchain: None,
            packages: [&["build-essential"], packages].concat(),
        }
    }

    /// Creates the platform of a project with cargo.
    pub(super) fn rust(packages: &[&'static str]) -> Self {
        Self {
            image: "rust:1",
            toolchain: Some("rustup"),
            packages: packages.to_vec(),
        }
    }
}

impl Default for Platform {
    fn default() -> Self {
        Self::debian(&[])
    }
}

impl MatrixEntry {
    /// Creates an entry without flags.
    const fn new(tool: &'static str) -> Self {
        Self { tool, flags: "" }
    }
}

impl Step {
    /// Creates a step that installs packages of the system, such as valgrind.
    fn packages(only: Option<&'static str>, packages: &[&'static str]) -> Self {
        Self {
            name: "Install dependencies",
            only,
            packages: packages.to_vec(),
            ..Self::default()
        }
    }

    /// Returns true if a checker needs this step.
    pub(super) fn is_for(&self, tool: &str) -> bool {
        self.only.is_none_or(|only| only == tool)
    }

    /// Creates a step that installs valgrind for memcheck.
    fn valgrind() -> Self {
        Self {
            name: "Install valgrind",
            ..Self::packages(Some("memcheck"), &["valgrind"])
        }
    }
}

impl Project {
    /// Detects the kinds of a project. If several C build tools are found, the one that defines
    /// tests is used.
    ///
    /// A project of an unknown kind gets a job, too. A new user needs the rest of the workflow, but
    /// it must not succeed without having run anything, so its build fails until the user has
    /// completed it.
    pub(super) fn detect(tree: &Tree) -> Self {
        let mut project = Self::default();
        let python = python::find(tree);
        let is_pure_python = python == python::Detected::Pure;
        let python = python.into_job();
        let natives: Vec<native::NativeProject> =
            [cmake::find, meson::find, autotools::find, make::find]
                .iter()
                .filter_map(|find| find(tree))
                .collect();
        // C code that Python or cargo builds with CMake or make is tested by them, and their
        // Makefile only contains chores.
        let rust = rust::find(tree);
        let go = go::find(tree);
        let is_only_native = python.is_none() && rust.is_none() && go.is_none();
        let native = natives
            .iter()
            .find(|n| n.has_tests && (is_only_native || !n.is_make))
            .or(natives.first().filter(|_| is_only_native));
        project
            .notes
            .extend(native.into_iter().flat_map(|chosen| chosen.notes(&natives)));
        let native = native.map(|native| native.job.clone());
        project
            .jobs
            .extend([rust, native, go, python].into_iter().flatten());
        project.packs = packs::detect(tree, &project.jobs);
        if project.jobs.is_empty() {
            project.is_unknown = true;
            project.notes.extend(is_pure_python.then(|| {
                "Python without an extension module has nothing for memory checkers to check".into()
            }));
            project.jobs.push(Job::template());
        }
        project
    }
}

impl Job {
    /// Creates a job that the user has to complete.
    fn template() -> Self {
        let build = "echo 'Replace this with the build of the program, with -g and at most -O1.'";
        Self {
            id: "memory",
            description: "Program to run under valgrind".into(),
            matrix: vec![MatrixEntry::new("memcheck")],
            steps: vec![
                Step::valgrind(),
                Step {
                    name: "Build",
                    script: vec![build.into(), "exit 1".into()],
                    ..Step::default()
                },
            ],
            command: format!(".{PROGRAM}"),
            comment: Some(native::PLACEHOLDER),
            platform: Platform::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::tests::test_tree;
    use super::*;

    fn kinds(files: &[(&str, &str)]) -> Vec<(&'static str, String)> {
        let (_dir, tree) = test_tree(files);
        let tools = |job: &Job| {
            job.matrix
                .iter()
                .map(|entry| entry.tool)
                .collect::<Vec<_>>()
                .join(" ")
        };
        Project::detect(&tree)
            .jobs
            .iter()
            .map(|job| (job.id, tools(job)))
            .collect()
    }

    fn job(id: &'static str, tools: &str) -> (&'static str, String) {
        (id, tools.to_owned())
    }

    #[test]
    fn several_kinds_get_a_job_each() {
        let cargo = (
            "Cargo.toml",
            "[package]\nname = \"x\"\n[build-dependencies]\ncmake = \"1\"\n",
        );
        let cmake = ("CMakeLists.txt", "project(x C)\nenable_testing()\n");
        assert_eq!(
            kinds(&[cargo, cmake]),
            [job("rust", "memcheck asan"), job("cmake", "memcheck asan")]
        );
        let untested = ("CMakeLists.txt", "project(x C)\n");
        assert_eq!(kinds(&[cargo, untested]), [job("rust", "memcheck asan")]);
    }

    #[test]
    fn makefile_next_to_another_build_tool_is_ignored() {
        let make = ("Makefile", "check:\n\tgo test ./...\n");
        assert_eq!(
            kinds(&[("go.mod", "module x\n"), make]),
            [job("go", "tsan")]
        );
        assert_eq!(
            kinds(&[("setup.py", "setup()\n"), make]),
            [job("memory", "memcheck")]
        );
        let tools = ("pyproject.toml", "[tool.ruff]\nline-length = 100\n");
        assert_eq!(
            kinds(&[("CMakeLists.txt", "project(x C)\n"), tools])[0].0,
            "cmake"
        );
        assert_eq!(kinds(&[("a.c", ""), make]), [job("make", "memcheck asan")]);
    }

    #[test]
    fn c_build_tool_with_tests_is_preferred() {
        let cmake = ("CMakeLists.txt", "project(x C)\n");
        let meson = ("meson.build", "project('x', 'c')\ntest('t', e)\n");
        assert_eq!(kinds(&[cmake, meson])[0].0, "meson");
        assert_eq!(kinds(&[cmake])[0].0, "cmake");
    }

    #[test]
    fn notes_explain_the_choice_of_a_build_tool() {
        let notes = |files: &[(&str, &str)]| Project::detect(&test_tree(files).1).notes;
        let cmake = ("CMakeLists.txt", "project(x C)\nenable_testing()\n");
        let untested = ("CMakeLists.txt", "project(x C)\n");
        let meson = ("meson.build", "project('x', 'c')\ntest('t', e)\n");
        assert!(notes(&[cmake]).is_empty());
        assert_eq!(
            notes(&[cmake, meson]),
            ["not used: C with Meson (meson.build), because one build tool is enough"]
        );
        assert_eq!(
            notes(&[untested, meson]),
            ["not used: C with CMake (CMakeLists.txt), because it defines no tests"]
        );
    }

    #[test]
    fn unknown_build_system_fails_until_completed() {
        let (_dir, tree) = test_tree(&[("BUILD.bazel", "")]);
        let project = Project::detect(&tree);
        assert!(project.is_unknown && project.notes.is_empty());
        assert_eq!(project.jobs[0].steps[1].script[1], "exit 1");
        let (_dir, tree) = test_tree(&[("pyproject.toml", "[project]\nname = \"x\"\n")]);
        let project = Project::detect(&tree);
        assert!(project.is_unknown && project.notes[0].contains("extension module"));
    }
}
