//! Renders a pipeline for a CI system that has no action: a job for each kind of project and
//! checker. The jobs are the same for all systems, each of which has its own module.

mod azure;
mod buildkite;
mod gitlab;
mod jenkins;

use super::location::ProjectLocation;
use super::project::{Job, MatrixEntry, Project, Step};
use super::system::{System, Target};
use super::workflow::{self, RELEASE};

/// The first lines of each pipeline, without the characters of a comment.
const HEAD: [&str; 2] = [
    "Runs the tests under memory checkers, and fails on findings that leakgate.toml does not accept.",
    "More about this pipeline: https://github.com/leakgate/leakgate/blob/main/docs/ci.md",
];

/// The installed program. Its name begins with a dot so that build tools skip the directory.
const PROGRAM: &str = ".leakgate/bin/leakgate";

/// Maximum duration of a job, in minutes.
const TIMEOUT: u32 = 60;

/// Packages that install leakgate, and that list the files of the project.
const PACKAGES: [&str; 2] = ["git", "python3-venv"];

/// What the pipeline of every system contains.
struct Pipeline<'a> {
    head: Vec<String>,
    legs: Vec<Leg<'a>>,
    location: &'a ProjectLocation,
    /// True if another file includes this one.
    is_included: bool,
    has_submodules: bool,
}

/// A job of the project under one of its checkers.
struct Leg<'a> {
    /// Id in the pipeline, in lower case with hyphens.
    id: String,
    job: &'a Job,
    entry: MatrixEntry,
}

/// A line of a shell script.
#[derive(Debug)]
struct Line {
    text: String,
    comment: Option<&'static str>,
}

/// Returns the workflow or pipeline of a project.
pub(super) fn render(
    system: System,
    project: &Project,
    location: &ProjectLocation,
    target: &Target,
) -> String {
    let pipeline = Pipeline::new(system, project, location, target);
    match system {
        System::Github => workflow::render(project, location),
        System::Gitlab => gitlab::render(&pipeline),
        System::Azure => azure::render(&pipeline),
        System::Jenkins => jenkins::render(&pipeline),
        System::Buildkite => buildkite::render(&pipeline),
    }
}

impl<'a> Pipeline<'a> {
    fn new(
        system: System,
        project: &'a Project,
        location: &'a ProjectLocation,
        target: &Target,
    ) -> Self {
        let mut head: Vec<String> = HEAD.iter().map(|line| (*line).to_owned()).collect();
        head.extend(
            system
                .inclusion(target)
                .map(|how| format!("To use this file, {how}")),
        );
        let has_other_jobs = project.jobs.len() > 1;
        let legs = project.jobs.iter().flat_map(|job| {
            job.matrix.iter().map(move |entry| Leg {
                id: match has_other_jobs {
                    true => format!("memory-{}-{}", job.id, entry.tool),
                    false => format!("memory-{}", entry.tool),
                },
                job,
                entry: *entry,
            })
        });
        Self {
            head,
            legs: legs.collect(),
            location,
            is_included: target.main.is_some(),
            has_submodules: location.repository.join(".gitmodules").is_file(),
        }
    }

    /// Returns the first lines as a comment that begins with these characters.
    fn head(&self, comment: &str) -> String {
        let lines = self.head.iter();
        lines.map(|line| format!("{comment} {line}\n")).collect()
    }

    /// Returns the lines that a shell executes before the command of a leg.
    fn script(&self, leg: &Leg<'_>) -> Vec<Line> {
        let mut lines = Vec::new();
        if let Some(directory) = self.directory() {
            lines.push(Line::new(format!("cd {directory}")));
        }
        lines.extend(install());
        lines.extend(leg.steps().flat_map(|step| script(step, leg.entry.flags)));
        lines
    }

    /// Returns the directory of the project, quoted for a shell; `None` for the repository.
    fn directory(&self) -> Option<String> {
        let subdir = self.location.subdir.as_str();
        let quoted = shlex::try_quote(subdir).ok()?;
        (!subdir.is_empty()).then(|| quoted.into_owned())
    }

    /// Returns what the machine needs that runs the legs; a container would have it.
    fn requirements(&self) -> String {
        let mut toolchains: Vec<&str> = self
            .legs
            .iter()
            .filter_map(|leg| leg.job.platform.toolchain)
            .collect();
        toolchains.dedup();
        let mut packages: Vec<&str> = self.legs.iter().flat_map(Leg::packages).collect();
        packages.sort_unstable();
        packages.dedup();
        let others: String = toolchains
            .iter()
            .map(|name| format!("{name}, and "))
            .collect();
        format!(
            "The agent needs {others}these packages: {}",
            packages.join(" ")
        )
    }
}

impl Leg<'_> {
    /// Returns the packages that a container with the leg's image needs.
    fn packages(&self) -> Vec<&'static str> {
        let steps = self
            .job
            .steps
            .iter()
            .filter(|step| step.is_for(self.entry.tool));
        let mut packages: Vec<&str> = PACKAGES.to_vec();
        packages.extend(&self.job.platform.packages);
        packages.extend(steps.flat_map(|step| &step.packages));
        packages.sort_unstable();
        packages.dedup();
        packages
    }

    /// Returns the steps with a script.
    fn steps(&self) -> impl Iterator<Item = &Step> {
        let is_needed = |step: &&Step| step.is_for(self.entry.tool) && !step.script.is_empty();
        self.job.steps.iter().filter(is_needed)
    }

    /// Returns the line that runs the command under the checker, and writes these reports.
    fn command(&self, formats: &[&str]) -> String {
        let formats: String = formats
            .iter()
            .map(|format| format!(" --format {format}"))
            .collect();
        let (tool, command) = (self.entry.tool, &self.job.command);
        format!("{PROGRAM} run --tool {tool}{formats} -- {command}")
    }

    /// Returns the comment about the command.
    fn comment(&self) -> Option<&'static str> {
        let comment = self.job.comment?;
        let is_for = comment.only.is_none_or(|only| only == self.entry.tool);
        is_for.then_some(comment.text)
    }
}

impl Line {
    const fn new(text: String) -> Self {
        Self {
            text,
            comment: None,
        }
    }

    /// Returns the line as a part of a script.
    fn in_script(&self) -> String {
        match self.comment {
            Some(comment) => format!("{} # {comment}", self.text),
            None => self.text.clone(),
        }
    }
}

/// Returns the lines that install the newest release.
fn install() -> [Line; 2] {
    let version = RELEASE.map(|version| format!("=={version}"));
    [
        Line::new("python3 -m venv .leakgate".to_owned()),
        Line {
            text: format!(
                ".leakgate/bin/pip install leakgate{}",
                version.unwrap_or_default()
            ),
            comment: RELEASE.is_none().then_some("needs the first release"),
        },
    ]
}

/// Returns the lines of a step. Its variables must not influence the command.
fn script(step: &Step, flags: &str) -> Vec<Line> {
    let export = |variable: &super::project::Variable| Line {
        text: format!("export {}='{}'", variable.name, variable.value(flags)),
        comment: variable.comment,
    };
    let mut lines: Vec<Line> = step.env.iter().map(export).collect();
    lines.extend(step.script.iter().cloned().map(Line::new));
    let names: Vec<&str> = step.env.iter().map(|variable| variable.name).collect();
    if !names.is_empty() {
        lines.push(Line::new(format!("unset {}", names.join(" "))));
    }
    lines
}

/// Returns the path of a file of the project, relative to the repository.
fn path(location: &ProjectLocation, name: &str) -> String {
    workflow::yaml_string(&location.repository_path(name))
}
