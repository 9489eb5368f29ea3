//! What a project is: how it is built and tested, and which checkers suit that. One file for each
//! kind.

mod autotools;
mod cmake;
mod go;
mod meson;
mod native;
mod python;
mod rust;

pub(super) use self::native::PROGRAM;
pub(super) use self::rust::crates;

use super::packs;
use super::tree::Tree;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Project {
    /// One job for each kind of project; never none.
    pub(super) jobs: Vec<Job>,
    /// Built-in packs that suit.
    pub(super) packs: Vec<&'static str>,
    /// True when nothing that is known was found, so that the job is for a person to fill in.
    pub(super) is_unknown: bool,
    /// What a person should know, a line each.
    pub(super) notes: Vec<&'static str>,
}

/// A way to build and test the project, under each checker that suits it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Job {
    /// Its name in the workflow.
    pub(super) id: &'static str,
    /// What it is for, in words, and the file that told so.
    pub(super) what: String,
    /// The checkers, each with the flags of its build.
    pub(super) legs: Vec<Leg>,
    /// What is done before the command.
    pub(super) steps: Vec<Step>,
    /// The command to check.
    pub(super) command: String,
    /// What a person should know of the command.
    pub(super) remark: Option<&'static str>,
}

/// A checker, and how a program is built for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Leg {
    /// As in `--tool`.
    pub(super) tool: &'static str,
    /// Flags of the compiler, or the sanitizer's name where the build tool has an option; empty
    /// where it makes no difference.
    pub(super) flags: &'static str,
}

/// A step of a workflow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Step {
    /// What it does.
    pub(super) name: &'static str,
    /// The only checker that needs it; none where all do.
    pub(super) only: Option<&'static str>,
    /// The lines of its script.
    pub(super) script: Vec<String>,
    /// Its variables; `FLAGS` in a value stands for the flags of the leg.
    pub(super) variables: Vec<(&'static str, &'static str)>,
}

impl Leg {
    const fn of(tool: &'static str) -> Self {
        Self { tool, flags: "" }
    }
}

impl Step {
    /// valgrind, and what else the build needs of the system.
    fn packages(only: Option<&'static str>, packages: &[&str]) -> Self {
        let script = vec![
            "sudo apt-get update".into(),
            format!("sudo apt-get install --yes {}", packages.join(" ")),
        ];
        Self {
            name: "Install what is needed",
            only,
            script,
            ..Self::default()
        }
    }

    fn valgrind() -> Self {
        Self {
            name: "Install valgrind",
            ..Self::packages(Some("memcheck"), &["valgrind"])
        }
    }
}

impl Project {
    /// Looks at a project. Where several build tools for C could do the work, the one that knows
    /// tests does.
    ///
    /// A project of an unknown kind gets a job all the same, whose build fails until somebody has
    /// filled it in. A new user wants the rest of the workflow, and must not be given one that
    /// is green without having run anything.
    pub(super) fn of(tree: &Tree) -> Self {
        let mut project = Self::default();
        let (python, is_pure) = match python::find(tree) {
            python::Found::Extension(job) => (Some(job), false),
            python::Found::Pure => (None, true),
            python::Found::Nothing => (None, false),
        };
        let natives: Vec<native::Native> =
            [cmake::find, meson::find, autotools::find, autotools::make]
                .iter()
                .filter_map(|f| f(tree))
                .collect();
        // What Python or cargo builds by CMake or make is tested by them, and a Makefile beside
        // them is a list of chores.
        let rust = rust::find(tree);
        let go = go::find(tree);
        let is_alone = python.is_none() && rust.is_none() && go.is_none();
        let native = natives
            .iter()
            .find(|n| n.has_tests && (is_alone || !n.is_make))
            .or(natives.first().filter(|_| is_alone));
        let native = native.map(|native| native.job.clone());
        project
            .jobs
            .extend([rust, native, go, python].into_iter().flatten());
        project.packs = packs::of(tree, &project.jobs);
        if project.jobs.is_empty() {
            project.is_unknown = true;
            project.notes.extend(is_pure.then_some(
                "Python without an extension module has nothing that memory checkers look at",
            ));
            project.jobs.push(Job::unknown());
        }
        project
    }
}

impl Job {
    /// For a person to fill in.
    fn unknown() -> Self {
        let build =
            "echo 'Say here how the program is built, with -g and without much optimisation.'";
        Self {
            id: "memory",
            what: "a program that valgrind can run".into(),
            legs: vec![Leg::of("memcheck")],
            steps: vec![
                Step::valgrind(),
                Step {
                    name: "Build",
                    script: vec![build.into(), "exit 1".into()],
                    ..Step::default()
                },
            ],
            command: format!(".{PROGRAM}"),
            remark: Some(native::PLACEHOLDER),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::tests::made;
    use super::*;

    fn kinds(files: &[(&str, &str)]) -> Vec<(&'static str, String)> {
        let (_dir, tree) = made(files);
        let tools = |job: &Job| {
            job.legs
                .iter()
                .map(|leg| leg.tool)
                .collect::<Vec<_>>()
                .join(" ")
        };
        Project::of(&tree)
            .jobs
            .iter()
            .map(|job| (job.id, tools(job)))
            .collect()
    }

    fn job(id: &'static str, tools: &str) -> (&'static str, String) {
        (id, tools.to_owned())
    }

    #[test]
    fn several_kinds_stand_side_by_side() {
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
    fn a_makefile_beside_another_tool_is_a_list_of_chores() {
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
    fn of_several_tools_for_c_the_one_with_tests_is_taken() {
        let cmake = ("CMakeLists.txt", "project(x C)\n");
        let meson = ("meson.build", "project('x', 'c')\ntest('t', e)\n");
        assert_eq!(kinds(&[cmake, meson])[0].0, "meson");
        assert_eq!(kinds(&[cmake])[0].0, "cmake");
    }

    #[test]
    fn what_is_not_known_is_said_to_be_so() {
        let (_dir, tree) = made(&[("BUILD.bazel", "")]);
        let project = Project::of(&tree);
        assert!(project.is_unknown && project.notes.is_empty());
        assert_eq!(project.jobs[0].steps[1].script[1], "exit 1");
        let (_dir, tree) = made(&[("pyproject.toml", "[project]\nname = \"x\"\n")]);
        let project = Project::of(&tree);
        assert!(project.is_unknown && project.notes[0].contains("extension module"));
    }
}
