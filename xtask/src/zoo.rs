//! `cargo xtask zoo [--short|--list] [FILTER]`: tries `leakgate init` and the workflow that it
//! writes on real projects, and compares the verdicts with recorded ones.
//!
//! `xtask/zoo.toml` lists the projects: released sources from package registries, by version and
//! checksum. Nothing of them is in this repository. Downloads and builds go to `target/zoo/`.

mod compare;
mod fetch;
mod manifest;
mod packages;
mod workflow;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use xshell::{Shell, cmd};

use crate::Outcome;
use crate::setup::{self, Need};
use compare::Observed;
use manifest::{Leg, Manifest, Project};
use workflow::{Entry, Job, Script, Workflow};

/// Tools that build the projects. What else a project needs is installed with the packages that its
/// workflow names.
pub(crate) const NEEDS: &[Need] = &[
    Need::Program("git", "git"),
    Need::Program("gcc", "gcc"),
    Need::Program("c++", "g++"),
    Need::Program("make", "make"),
    Need::Program("cmake", "cmake"),
    Need::Program("meson", "meson"),
    Need::Program("python3", "python3"),
    Need::Program("valgrind", "valgrind"),
    Need::Nightly,
    Need::Miri,
];

/// Tools of the legs with `short = true`.
pub(crate) const SHORT_NEEDS: &[Need] = &[
    Need::Program("gcc", "gcc"),
    Need::Program("valgrind", "valgrind"),
    Need::Program("git", "git"),
    Need::Nightly,
];

/// Environment variable with the absolute path of the program to try.
const PROGRAM: &str = "LEAKGATE_PROGRAM";

/// Which projects to try.
struct Selection<'a> {
    is_short: bool,
    filter: Option<&'a str>,
}

/// Runs `cargo xtask zoo` with the arguments after its name.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let sh = setup::shell()?;
    match arguments {
        [option] if option == "--list" => list(),
        [option] if option == "--short" => short(&sh),
        [] => all(&sh, None),
        [filter] if !filter.starts_with('-') => all(&sh, Some(filter)),
        _ => Err("usage: cargo xtask zoo [--short|--list] [FILTER]".into()),
    }
}

/// Tries the legs with `short = true`.
pub(crate) fn short(sh: &Shell) -> Outcome {
    let selection = Selection {
        is_short: true,
        filter: None,
    };
    try_projects(sh, &selection)
}

/// Tries all projects, or those whose name contains the filter.
pub(crate) fn all(sh: &Shell, filter: Option<&str>) -> Outcome {
    let selection = Selection {
        is_short: false,
        filter,
    };
    try_projects(sh, &selection)
}

/// Returns the program to try: the one that the variable names, or else the debug build, which the
/// tests use, too.
fn program(sh: &Shell) -> Outcome<PathBuf> {
    if let Some(path) = std::env::var_os(PROGRAM) {
        return Ok(path.into());
    }
    cmd!(sh, "cargo test --workspace --no-run --quiet").run()?;
    Ok(setup::repository()?.join("target/debug/leakgate"))
}

fn list() -> Outcome {
    for project in Manifest::read()?.projects {
        println!("{} {}", project.name, project.source.version);
    }
    Ok(())
}

/// Tries each selected project. A failing project doesn't stop the others.
fn try_projects(sh: &Shell, selection: &Selection<'_>) -> Outcome {
    let repository = setup::repository()?;
    let leakgate = program(sh)?;
    let manifest = Manifest::read()?;
    let is_selected = |project: &&Project| {
        (!selection.is_short || project.legs.iter().any(|leg| leg.short))
            && selection
                .filter
                .is_none_or(|part| project.name.contains(part))
    };
    let mut failures = Vec::new();
    for project in manifest.projects.iter().filter(is_selected) {
        let visit = Visit {
            sh,
            project,
            is_short: selection.is_short,
            leakgate: &leakgate,
            home: repository.join("target/zoo"),
        };
        if let Err(error) = visit.all_legs() {
            println!("{}: {error}", project.name);
            failures.push(project.name.as_str());
        }
    }
    match failures.as_slice() {
        [] => Ok(()),
        names => Err(format!("unexpected results of {}", names.join(", ")).into()),
    }
}

/// One project, and where to try it.
struct Visit<'a> {
    sh: &'a Shell,
    project: &'a Project,
    /// True if only the legs with `short = true` are tried.
    is_short: bool,
    leakgate: &'a Path,
    /// The folder for downloads and builds.
    home: PathBuf,
}

impl Visit<'_> {
    /// Tries each leg of the workflow that `leakgate init` writes. Legs without a recorded result
    /// are failures, as are recorded ones that the workflow doesn't have.
    fn all_legs(&self) -> Outcome {
        let archive = fetch::fetch(self.sh, self.project, &self.home.join("downloads"))?;
        let workflow = self.workflow(&archive)?;
        packages::install(self.sh, self.project, &workflow)?;
        let mut problems = Vec::new();
        for (job, entry) in self.combinations(&workflow) {
            let is_entry = |leg: &&Leg| leg.job == job.id && leg.tool == entry.tool;
            let expected = self.project.legs.iter().find(is_entry);
            let is_wanted = |leg: &Leg| leg.skip.is_none() && (leg.short || !self.is_short);
            if !expected.map_or(!self.is_short, is_wanted) {
                continue;
            }
            let observed = self.leg(&archive, job, &entry);
            let result = observed.and_then(|observed| observed.check(expected));
            problems.extend(result.err().map(|error| error.to_string()));
        }
        problems.extend(self.unknown_legs(&workflow));
        match problems.is_empty() {
            true => Ok(()),
            false => Err(problems.join("\n").into()),
        }
    }

    /// Returns the jobs of the workflow with their checkers, and with those that a maintainer adds.
    fn combinations<'w>(&self, workflow: &'w Workflow) -> Vec<(&'w Job, Entry)> {
        let mut all = Vec::new();
        for job in &workflow.jobs {
            let added = self.project.legs.iter();
            let added = added.filter(|leg| leg.added && leg.job == job.id);
            all.extend(job.matrix().into_iter().map(|entry| (job, entry)));
            all.extend(added.map(|leg| (job, Entry::new(&leg.tool))));
        }
        all
    }

    /// Returns a message for each recorded leg that the workflow doesn't have.
    fn unknown_legs(&self, workflow: &Workflow) -> Vec<String> {
        let all = self.combinations(workflow);
        let is_known = |leg: &&Leg| {
            all.iter()
                .any(|(job, entry)| leg.job == job.id && leg.tool == entry.tool)
        };
        let unknown = self.project.legs.iter().filter(|leg| !is_known(leg));
        unknown
            .map(|leg| format!("the workflow has no job {} with {}", leg.job, leg.tool))
            .collect()
    }

    /// Runs `leakgate init` as a new user does, and returns the workflow.
    fn workflow(&self, archive: &Path) -> Outcome<Workflow> {
        let root = self.unpack(archive)?;
        for line in self.init(&root)?.lines() {
            println!("{}: {line}", self.project.name);
        }
        Workflow::parse(&fs::read_to_string(root.join(workflow::FILE))?)
    }

    /// Unpacks the source and makes it a repository with one commit, as a checkout would be. Returns
    /// its root.
    fn unpack(&self, archive: &Path) -> Outcome<PathBuf> {
        let root = self.home.join("projects").join(&self.project.name);
        self.sh.remove_path(&root)?;
        self.sh.create_dir(&root)?;
        let _folder = self.sh.push_dir(&root);
        let options = ["--extract", "--strip-components=1", "--file"];
        cmd!(self.sh, "tar {options...} {archive}").quiet().run()?;
        for line in &self.project.prepare {
            cmd!(self.sh, "sh -e -c {line}").quiet().run()?;
        }
        let author = ["-c", "user.name=zoo", "-c", "user.email=zoo@example.com"];
        cmd!(self.sh, "git init --quiet").quiet().run()?;
        // Projects with other line endings cause warnings.
        cmd!(self.sh, "git add --all")
            .quiet()
            .ignore_stderr()
            .run()?;
        cmd!(self.sh, "git {author...} commit --quiet --message source")
            .quiet()
            .run()?;
        Ok(root)
    }

    /// Runs `leakgate init` in a repository, and returns its notes.
    fn init(&self, root: &Path) -> Outcome<String> {
        let leakgate = self.leakgate;
        let _folder = self.sh.push_dir(root);
        let command = cmd!(self.sh, "{leakgate} init --yes").quiet();
        Ok(command.ignore_stdout().read_stderr()?)
    }

    /// Runs the steps of a job in a new copy of the project, and returns what leakgate reported.
    fn leg(&self, archive: &Path, job: &Job, entry: &Entry) -> Outcome<Observed> {
        let root = self.unpack(archive)?;
        self.init(&root)?;
        let folder = root.join(&job.folder);
        let start = Instant::now();
        for step in job.scripts(entry) {
            self.step(&folder, &step)?;
        }
        let built = start.elapsed();
        let report = self.home.join("report.json");
        self.sh.remove_path(&report)?;
        let output = self.gate(&folder, job, entry, &report)?;
        let observed = Observed::read(&report, job, entry)
            .map_err(|error| format!("{error}\n{}", String::from_utf8_lossy(&output)))?;
        println!(
            "{}: {} {} {}, build {}, run {}",
            self.project.name,
            job.id,
            entry.tool,
            observed.outcome(),
            seconds(built),
            seconds(start.elapsed() - built)
        );
        Ok(observed)
    }

    /// Runs the script of a step as GitHub does.
    fn step(&self, folder: &Path, step: &Script) -> Outcome {
        let output = Command::new("bash")
            .args(["-e", "-c", &step.text])
            .current_dir(folder)
            .env("CARGO_TARGET_DIR", "target")
            .envs(&self.project.env)
            .envs(step.env.iter().map(|(name, value)| (name, value)))
            .output()?;
        if output.status.success() {
            return Ok(());
        }
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        let mut tail: Vec<&str> = text.lines().rev().take(15).collect();
        tail.reverse();
        Err(format!("the step `{}` failed:\n{}", step.name, tail.join("\n")).into())
    }

    /// Runs the command of the job under its checker, as the action does. Returns the output, which
    /// is also written to a file. The toolchain with Miri, which also has the sources that
    /// ThreadSanitizer needs, has a home to itself, and cargo must not share the target folder of
    /// this repository.
    fn gate(&self, folder: &Path, job: &Job, entry: &Entry, report: &Path) -> Outcome<Vec<u8>> {
        let mut command = Command::new(self.leakgate);
        if job.id == "rust" && ["miri", "tsan"].contains(&entry.tool.as_str()) {
            command.env("RUSTUP_HOME", setup::repository()?.join(setup::MIRI_HOME));
        }
        let output = command
            .args(["run", "--tool", &entry.tool, "--format"])
            .arg(format!("json={}", report.display()))
            .args(["--format", "text", "--"])
            .args(job.command.split_whitespace())
            .current_dir(folder)
            .env("CARGO_TARGET_DIR", "target")
            .envs(&self.project.env)
            .output()?;
        let name = format!("{}-{}-{}.log", self.project.name, job.id, entry.tool);
        let text = [output.stdout, output.stderr].concat();
        fs::write(self.home.join(name), &text)?;
        Ok(text)
    }
}

/// Formats a time in seconds.
fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
