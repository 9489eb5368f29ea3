//! `leakgate init`: detects the kind of a project, and generates a configuration and a workflow or
//! pipeline for it.

mod allocators;
mod config;
mod location;
mod nested;
mod new_file;
mod packs;
mod pipeline;
mod project;
mod suppressions;
mod system;
mod tree;
mod workflow;

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};

use self::location::ProjectLocation;
use self::new_file::NewFile;
use self::project::Project;
use self::suppressions::{Suppressions, Workflow};
use self::system::{System, Target};
use self::tree::Tree;
use crate::error::{Error, Status};
use crate::output;
use crate::settings::CONFIG;

pub(crate) const WORKFLOW: &str = ".github/workflows/leakgate.yml";

/// Generate a leakgate.toml and a workflow or pipeline for this project. Both are previewed first.
/// Existing files are never changed.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Directory of the project. Defaults to the repository that contains the working directory, or
    /// to the largest project in it if its root has no build system.
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    dir: Option<PathBuf>,
    /// CI system that runs the tests. Defaults to the one whose files are in the repository, or
    /// that belongs to the host of the remote `origin`, or else to GitHub Actions.
    #[arg(long, value_name = "SYSTEM")]
    ci: Option<System>,
    /// Write the files without confirmation.
    #[arg(long, short)]
    yes: bool,
    /// Only print what would be generated, even if the files exist.
    #[arg(long, conflicts_with = "yes")]
    print: bool,
}

/// Returns the commands that run the tests of the project in a directory; none if its build system
/// is unknown.
pub(crate) fn test_commands(dir: &Path) -> Vec<String> {
    let project = Project::detect(&Tree::scan(dir));
    if project.is_unknown {
        return Vec::new();
    }
    project.jobs.into_iter().map(|job| job.command).collect()
}

/// Runs `leakgate init`.
pub(crate) fn run(args: &Init) -> Result<Status, Error> {
    let location = match args.dir.as_deref() {
        Some(dir) => ProjectLocation::find(Some(dir))?,
        None => project_of_repository()?,
    };
    let workflows = suppressions::workflows(&location.repository);
    let (system, notes) = match args.ci {
        Some(system) => (system, Vec::new()),
        None => System::detect(&location.repository),
    };
    notes.iter().for_each(|note| output::note(note));
    let target = system.target(&location.repository, &workflows);
    let files = generate(&location, &workflows, system, &target);
    if args.print {
        print_files(&files)?;
        return Ok(Status::Pass);
    }
    let files = creatable(files, &location, system, &target)?;
    if files.is_empty() {
        output::note("nothing to write");
        return Ok(Status::Pass);
    }
    print_files(&files)?;
    if !args.yes && !confirm()? {
        return Ok(Status::Pass);
    }
    for file in &files {
        file.write()?;
        output::note(&format!("wrote {}", file.name));
    }
    if files.iter().any(|file| file.name == target.path)
        && let Some(how) = system.inclusion(&target)
    {
        output::note(&format!("to use {}, {how}", target.path));
    }
    Ok(Status::Pass)
}

/// Returns the repository that contains the working directory; or, if its root has no build system,
/// the largest project below.
fn project_of_repository() -> Result<ProjectLocation, Error> {
    let location = ProjectLocation::find(None)?;
    let root = &location.project;
    let tree = Tree::scan(root);
    if !Project::detect(&tree).is_unknown {
        return Ok(location);
    }
    let nested = nested::find(root, &tree);
    let Some((chosen, others)) = nested.split_first() else {
        return Ok(location);
    };
    output::note(&format!(
        "the repository has no build system at its root; using the project in {chosen}"
    ));
    for other in others {
        output::note(&format!(
            "not used: the project in {other}; `leakgate init --print {other}` shows its workflow"
        ));
    }
    ProjectLocation::find(Some(&root.join(chosen)))
}

/// Detects the project, prints what was found, and generates the configuration and the workflow or
/// pipeline.
fn generate(
    location: &ProjectLocation,
    workflows: &[Workflow],
    system: System,
    target: &Target,
) -> Vec<NewFile> {
    let tree = Tree::scan(&location.project);
    let project = Project::detect(&tree);
    let suppressions = suppressions::find(&tree, workflows, &location.subdir);
    print_project(&project, system);
    print_suppressions(&suppressions);
    let allocators = allocators::find(&tree);
    if !allocators.is_empty() {
        output::note(&format!(
            "found functions that allocate for their callers: {}",
            allocators.join(", ")
        ));
    }
    let new_file = |name: String, text| NewFile {
        path: location.repository.join(&name),
        name,
        text,
    };
    let config = config::render(&project, &suppressions, &allocators);
    let pipeline = pipeline::render(system, &project, location, target);
    vec![
        new_file(location.repository_path(CONFIG), config),
        new_file(target.path.to_owned(), pipeline),
    ]
}

fn print_project(project: &Project, system: System) {
    let noun = system.noun();
    if project.is_unknown {
        print_notes(project);
        output::note(&format!(
            "no supported build system found (supported: Cargo, CMake, Meson, configure, make \
             with C, Go, Python extension): the {noun} fails until you add the build and test \
             commands"
        ));
        return;
    }
    let kinds: Vec<&str> = project
        .jobs
        .iter()
        .map(|job| job.description.as_str())
        .collect();
    output::note(&format!("found {}", kinds.join("; ")));
    for job in &project.jobs {
        if !job.command.ends_with(project::PROGRAM) {
            let tools: Vec<&str> = job.matrix.iter().map(|entry| entry.tool).collect();
            let (command, tools) = (&job.command, tools.join(" and "));
            output::note(&format!("tests run with `{command}` under {tools}"));
        }
    }
    print_notes(project);
    if let Some(job) = project
        .jobs
        .iter()
        .find(|job| job.command.ends_with(project::PROGRAM))
    {
        let description = &job.description;
        output::note(&format!(
            "{description} defines no tests: add a command to the {noun}"
        ));
    }
}

fn print_notes(project: &Project) {
    project.notes.iter().for_each(|note| output::note(note));
}

fn print_suppressions(suppressions: &Suppressions) {
    for file in &suppressions.files {
        output::note(&format!("found suppressions in {file}"));
    }
    for (file, error) in &suppressions.unreadable {
        output::note(&format!("skipped {file}: {error}"));
    }
}

/// Returns the files that do not exist yet, and prints a note for each of the others. Another
/// workflow or pipeline that runs leakgate counts as the generated one.
fn creatable(
    files: Vec<NewFile>,
    location: &ProjectLocation,
    system: System,
    target: &Target,
) -> Result<Vec<NewFile>, Error> {
    let mut creatable = Vec::new();
    for file in files {
        let already = target.already.as_ref().filter(|_| file.name == target.path);
        if !file.can_create(&location.repository)? {
            output::note(&format!(
                "{} already exists and is left unchanged",
                file.name
            ));
        } else if let Some(name) = already {
            output::note(&format!(
                "{name} already runs leakgate; no {} is generated",
                system.noun()
            ));
        } else {
            creatable.push(file);
        }
    }
    Ok(creatable)
}

/// Prints files in the format of `head` with several files.
fn print_files(files: &[NewFile]) -> Result<(), Error> {
    let mut out = String::new();
    for file in files {
        out += &format!("==> {} <==\n", file.name);
        out.extend(
            file.text
                .lines()
                .map(|line| format!("{}\n", leakgate_core::emit::terminal(line))),
        );
        out.push('\n');
    }
    output::stdout(&out)
}

/// Asks the user whether to write the files. Returns false with a note if standard input isn't a
/// terminal.
fn confirm() -> Result<bool, Error> {
    if !io::stdin().is_terminal() {
        output::note("nothing was written; use --yes to write without confirmation");
        return Ok(false);
    }
    let mut err = anstream::stderr();
    let prompt = write!(err, "Write these files? [y/N] ").and_then(|()| err.flush());
    prompt.map_err(|error| Error::Write("standard error".into(), error))?;
    let mut answer = String::new();
    io::stdin()
        .lock()
        .read_line(&mut answer)
        .map_err(|error| Error::Read("standard input".into(), error))?;
    let is_yes = is_yes(&answer);
    if !is_yes {
        output::note("nothing was written");
    }
    Ok(is_yes)
}

fn is_yes(answer: &str) -> bool {
    ["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_confirms() {
        assert!(
            ["y\n", "Yes\r\n", " Y "]
                .iter()
                .all(|answer| is_yes(answer))
        );
        assert!(
            ["", "\n", "n\n", "yep\n", "why"]
                .iter()
                .all(|answer| !is_yes(answer))
        );
    }
}
