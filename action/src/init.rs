//! `leakgate init`: look at a project, and write a configuration and a workflow for it.

mod config;
mod packs;
mod place;
mod project;
mod suppressions;
mod tree;
mod workflow;

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use self::place::{New, Place};
use self::project::Project;
use self::tree::Tree;
use crate::error::{Error, Status};
use crate::output;
use crate::settings::CONFIG;

const WORKFLOW: &str = ".github/workflows/leakgate.yml";

/// Write leakgate.toml and a workflow of GitHub that suit this project. Both are shown first, and
/// no file is ever replaced.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The project; without it, the repository around the working directory.
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Write without asking.
    #[arg(long, short)]
    yes: bool,
    /// Only show what would be written, also in place of a file that is there.
    #[arg(long, conflicts_with = "yes")]
    print: bool,
}

/// The commands that run the tests of a project in this folder; none where nobody can tell.
pub(crate) fn commands(folder: &Path) -> Vec<String> {
    let project = Project::of(&Tree::of(folder));
    let known = project.jobs.into_iter().filter(|_| !project.is_unknown);
    known.map(|job| job.command).collect()
}

/// Runs the command.
pub(crate) fn run(args: &Init) -> Result<Status, Error> {
    let place = Place::of(args.dir.as_deref())?;
    let workflows = suppressions::workflows(&place.repository);
    let files = files(&place, &workflows);
    if args.print {
        show(&files)?;
        return Ok(Status::Pass);
    }
    let mut wanted = Vec::new();
    for file in files {
        let other = workflows
            .iter()
            .find(|(_, text)| file.name == WORKFLOW && text.contains("leakgate/leakgate@"));
        if !file.is_free(&place.repository)? {
            output::note(&format!(
                "{} is there already, and stays as it is",
                file.name
            ));
        } else if let Some((name, _)) = other {
            output::note(&format!(
                ".github/workflows/{name} runs leakgate already; no other workflow is written"
            ));
        } else {
            wanted.push(file);
        }
    }
    if wanted.is_empty() {
        output::note("nothing is left to write");
        return Ok(Status::Pass);
    }
    show(&wanted)?;
    if !args.yes && !agreed()? {
        return Ok(Status::Pass);
    }
    for file in &wanted {
        file.write()?;
        output::note(&format!("wrote {}", file.name));
    }
    Ok(Status::Pass)
}

/// Looks at the project, says what was found, and makes both files: the configuration, then the
/// workflow.
fn files(place: &Place, workflows: &[(String, String)]) -> Vec<New> {
    let tree = Tree::of(&place.project);
    let project = Project::of(&tree);
    let texts: Vec<String> = workflows.iter().map(|(_, text)| text.clone()).collect();
    let suppressions = suppressions::find(&tree, &texts, &place.below);
    if project.is_unknown {
        project.notes.iter().for_each(|note| output::note(note));
        let known = "Cargo, CMake, Meson, configure, make with C, Go, and Python extensions are";
        output::note(&format!(
            "how to build and test this is not known ({known}): the workflow fails until you say it there"
        ));
    } else {
        let kinds: Vec<&str> = project.jobs.iter().map(|job| job.what.as_str()).collect();
        output::note(&format!("found {}", kinds.join("; ")));
        if let Some(job) = project
            .jobs
            .iter()
            .find(|job| job.command.ends_with(project::PROGRAM))
        {
            output::note(&format!(
                "{} names no tests: say in the workflow what to run",
                job.what
            ));
        }
    }
    for file in &suppressions.files {
        output::note(&format!("found suppressions in {file}"));
    }
    for (file, mistake) in &suppressions.broken {
        output::note(&format!("left out {file}, which can't be read: {mistake}"));
    }
    let new = |name: String, text| New {
        path: place.repository.join(&name),
        name,
        text,
    };
    vec![
        new(place.inside(CONFIG), config::text(&project, &suppressions)),
        new(WORKFLOW.to_owned(), workflow::text(&project, place)),
    ]
}

/// Shows files as `head` does with more than one.
fn show(files: &[New]) -> Result<(), Error> {
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

/// Asks. Where nobody is there to answer, nothing is written, and that is said.
fn agreed() -> Result<bool, Error> {
    if !io::stdin().is_terminal() {
        output::note("nothing was written; say --yes to write without being asked");
        return Ok(false);
    }
    let mut err = anstream::stderr();
    let asked = write!(err, "Write these files? [y/N] ").and_then(|()| err.flush());
    asked.map_err(|error| Error::Write("standard error".into(), error))?;
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
    fn only_yes_is_yes() {
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
