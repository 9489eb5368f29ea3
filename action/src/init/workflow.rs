//! The text of a new workflow.

use super::place::Place;
use super::project::{Job, Leg, Project, Step};

/// Other people's actions are pinned by commit. A test holds it to the one of this repository's own
/// workflows.
const CHECKOUT: &str = "actions/checkout@9c091bb21b7c1c1d1991bb908d89e4e9dddfe3e0 # v7.0.0";

/// Ours, by its release.
const ACTION: &str = concat!("leakgate/leakgate@v", env!("CARGO_PKG_VERSION"));

const HEAD: &str = "\
name: Memory
# Runs the tests under memory checkers, and fails for what leakgate.toml does not accept.
# What the action takes: https://github.com/leakgate/leakgate/blob/main/docs/action.md
on:
  push:
    branches: [main, master] # what pull requests are compared with
  pull_request:
permissions: {}

jobs:
";

const PERMISSIONS: &str = "    permissions:
      contents: read
      actions: read # what is new since the last run of the base branch
      checks: write # a report beside the commit
      pull-requests: write # a comment, as long as something is wrong
";

/// The workflow of a project, which may lie below the root of its repository.
pub(super) fn text(project: &Project, place: &Place) -> String {
    let jobs = project
        .jobs
        .iter()
        .map(|job| self::job(job, project, place))
        .collect::<Vec<_>>();
    format!("{HEAD}{}", jobs.join("\n"))
}

fn job(job: &Job, project: &Project, place: &Place) -> String {
    let below = place.below.as_str();
    let has_matrix = job.legs.len() > 1;
    let mut out = format!("  # {}\n  {}:\n", job.what, job.id);
    if has_matrix {
        out += "    strategy:\n      fail-fast: false\n      matrix:\n";
        out += &matrix(&job.legs);
    }
    out += "    runs-on: ubuntu-latest\n    timeout-minutes: 60\n";
    out += PERMISSIONS;
    if !below.is_empty() {
        out += &format!(
            "    defaults:\n      run:\n        working-directory: {}\n",
            quoted(below)
        );
    }
    out += &format!(
        "    steps:\n      - uses: {CHECKOUT}\n        with:\n          persist-credentials: false\n"
    );
    if place.repository.join(".gitmodules").is_file() {
        out += "          submodules: recursive\n";
    }
    for step in &job.steps {
        out += &self::step(step, &job.legs);
    }
    out + &run(job, project.jobs.len() > 1, below)
}

fn matrix(legs: &[Leg]) -> String {
    if legs.iter().all(|leg| leg.flags.is_empty()) {
        let tools: Vec<&str> = legs.iter().map(|leg| leg.tool).collect();
        return format!("        tool: [{}]\n", tools.join(", "));
    }
    let leg = |leg: &Leg| {
        format!(
            "          - {{ tool: {}, flags: {} }}\n",
            leg.tool, leg.flags
        )
    };
    format!(
        "        include:\n{}",
        legs.iter().map(leg).collect::<String>()
    )
}

/// A step; nothing where no leg needs it.
fn step(step: &Step, legs: &[Leg]) -> String {
    if step
        .only
        .is_some_and(|tool| legs.iter().all(|leg| leg.tool != tool))
    {
        return String::new();
    }
    let mut out = format!("      - name: {}\n", step.name);
    if let Some(tool) = step.only.filter(|_| legs.len() > 1) {
        out += &format!("        if: ${{{{ matrix.tool == '{tool}' }}}}\n");
    }
    match step.script.as_slice() {
        [line] => out += &format!("        run: {line}\n"),
        lines => {
            out += "        run: |\n";
            out.extend(lines.iter().map(|line| format!("          {line}\n")));
        }
    }
    if !step.variables.is_empty() {
        let flags = if legs.len() > 1 {
            "${{ matrix.flags }}"
        } else {
            legs.first().map_or("", |leg| leg.flags)
        };
        let value = |value: &&'static str| if *value == "FLAGS" { flags } else { value };
        out += "        env:\n";
        out.extend(
            step.variables
                .iter()
                .map(|(name, text)| format!("          {name}: {}\n", value(text))),
        );
    }
    out
}

/// The step that runs the command. Each leg has a name of its own, by which its report is known.
fn run(job: &Job, has_others: bool, below: &str) -> String {
    let has_matrix = job.legs.len() > 1;
    let tool = if has_matrix {
        "${{ matrix.tool }}"
    } else {
        job.legs.first().map_or("memcheck", |leg| leg.tool)
    };
    let mut out = format!("      - uses: {ACTION}\n        with:\n");
    if let Some(remark) = job.remark {
        out += &format!("          # {remark}\n");
    }
    out += &format!("          run: {}\n          tool: {tool}\n", job.command);
    if !below.is_empty() {
        out += &format!("          working-directory: {}\n", quoted(below));
    }
    let name = match (has_others, has_matrix) {
        (false, false) => return out,
        (false, true) => "leakgate-${{ matrix.tool }}".to_owned(),
        (true, false) => format!("leakgate-{}", job.id),
        (true, true) => format!("leakgate-{}-${{{{ matrix.tool }}}}", job.id),
    };
    out + &format!("          artifact-name: {name}\n")
}

/// A string of YAML: its quoted strings take all that JSON's do.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here() -> Place {
        Place {
            project: "none".into(),
            repository: "none".into(),
            below: String::new(),
        }
    }

    fn leg(tool: &'static str) -> Leg {
        Leg { tool, flags: "" }
    }

    #[test]
    fn the_checkout_is_the_one_that_is_used_here() {
        let ours = std::fs::read_to_string(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../.github/workflows/ci.yml"
        ))
        .unwrap();
        assert!(ours.contains(&format!("- uses: {CHECKOUT}\n")));
    }

    #[test]
    fn a_single_leg_needs_no_matrix() {
        let steps = vec![Step {
            name: "A",
            only: Some("memcheck"),
            script: vec!["a".into()],
            ..Step::default()
        }];
        let one = Job {
            id: "x",
            legs: vec![leg("memcheck")],
            steps: steps.clone(),
            command: "t".into(),
            ..Job::default()
        };
        let text = text(
            &Project {
                jobs: vec![one.clone()],
                ..Project::default()
            },
            &here(),
        );
        assert!(
            text.contains("      - name: A\n        run: a\n")
                && !text.contains("matrix")
                && !text.contains("artifact-name")
        );
        assert!(text.contains("          run: t\n          tool: memcheck\n"));
        let two = Job {
            legs: vec![leg("asan"), leg("tsan")],
            ..one.clone()
        };
        let text = self::text(
            &Project {
                jobs: vec![one, two],
                ..Project::default()
            },
            &here(),
        );
        assert!(
            text.contains("tool: [asan, tsan]\n")
                && text.contains("artifact-name: leakgate-x-${{ matrix.tool }}\n")
        );
        assert!(
            text.contains("artifact-name: leakgate-x\n")
                && text.matches("- name: A\n").count() == 1
        );
    }

    #[test]
    fn a_folder_below_is_where_all_is_done() {
        let one = Job {
            id: "x",
            legs: vec![leg("memcheck")],
            command: "t".into(),
            ..Job::default()
        };
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(".gitmodules"), "").unwrap();
        let place = Place {
            project: "x".into(),
            repository: dir.path().to_owned(),
            below: "lib/a: \"b".into(),
        };
        let text = text(
            &Project {
                jobs: vec![one],
                ..Project::default()
            },
            &place,
        );
        assert_eq!(
            text.matches("working-directory: \"lib/a: \\\"b\"\n")
                .count(),
            2
        );
        assert!(text.contains("submodules: recursive\n"));
    }
}
