//! Renders a new GitHub Actions workflow.

use super::location::ProjectLocation;
use super::project::{Job, MatrixEntry, Project, Step, Variable};

/// Third-party actions are pinned by commit. A test compares it with this repository's workflows.
const CHECKOUT: &str = "actions/checkout@9c091bb21b7c1c1d1991bb908d89e4e9dddfe3e0 # v7.0.0";

/// The newest release: this version, or the one before if this version ends with `-dev`. `None`
/// before the first release.
pub(super) const RELEASE: Option<&str> = None;

const HEAD: &str = "\
name: Memory
# Runs the tests under memory checkers, and fails on findings that leakgate.toml does not accept.
# Inputs of the action: https://github.com/leakgate/leakgate/blob/main/docs/action.md
on:
  push:
    branches: [main, master] # pull requests are compared with these branches
  pull_request:
  merge_group:
permissions: {}

jobs:
";

const PERMISSIONS: &str = "    permissions:
      contents: read
      actions: read # to compare with the last run of the base branch
      checks: write # to add a check run to the commit
      pull-requests: write # to comment while the gate fails
";

/// Returns the workflow of a project.
pub(super) fn render(project: &Project, location: &ProjectLocation) -> String {
    let jobs = project
        .jobs
        .iter()
        .map(|job| render_job(job, project, location))
        .collect::<Vec<_>>();
    format!("{HEAD}{}", jobs.join("\n"))
}

fn render_job(job: &Job, project: &Project, location: &ProjectLocation) -> String {
    let subdir = location.subdir.as_str();
    let has_matrix = job.matrix.len() > 1;
    let mut out = format!("  # {}\n  {}:\n", job.description, job.id);
    if has_matrix {
        out += "    strategy:\n      fail-fast: false\n      matrix:\n";
        out += &render_matrix(&job.matrix);
    }
    out += "    runs-on: ubuntu-latest\n    timeout-minutes: 60\n";
    out += PERMISSIONS;
    if !subdir.is_empty() {
        out += &format!(
            "    defaults:\n      run:\n        working-directory: {}\n",
            yaml_string(subdir)
        );
    }
    out += &format!(
        "    steps:\n      - uses: {CHECKOUT}\n        with:\n          persist-credentials: false\n"
    );
    if location.repository.join(".gitmodules").is_file() {
        out += "          submodules: recursive\n";
    }
    for step in &job.steps {
        out += &render_step(step, &job.matrix);
    }
    out + &render_run(job, project.jobs.len() > 1, subdir)
}

fn render_matrix(matrix: &[MatrixEntry]) -> String {
    if matrix.iter().all(|entry| entry.flags.is_empty()) {
        let tools: Vec<&str> = matrix.iter().map(|entry| entry.tool).collect();
        return format!("        tool: [{}]\n", tools.join(", "));
    }
    let mut out = "        include:\n".to_owned();
    for MatrixEntry { tool, flags } in matrix {
        out += &format!("          - {{ tool: {tool}, flags: {flags} }}\n");
    }
    out
}

/// Returns a step; empty if no checker needs it.
fn render_step(step: &Step, matrix: &[MatrixEntry]) -> String {
    if !matrix.iter().any(|entry| step.is_for(entry.tool)) {
        return String::new();
    }
    let mut out = format!("      - name: {}\n", step.name);
    if let Some(tool) = step.only.filter(|_| matrix.len() > 1) {
        out += &format!("        if: ${{{{ matrix.tool == '{tool}' }}}}\n");
    }
    let script = match step.packages.as_slice() {
        [] => step.script.clone(),
        packages => packages_script(packages),
    };
    match script.as_slice() {
        [line] => out += &format!("        run: {line}\n"),
        lines => {
            out += "        run: |\n";
            out.extend(lines.iter().map(|line| format!("          {line}\n")));
        }
    }
    if !step.env.is_empty() {
        let flags = if matrix.len() > 1 {
            "${{ matrix.flags }}"
        } else {
            matrix.first().map_or("", |entry| entry.flags)
        };
        out += &env(&step.env, flags, "        ");
    }
    out
}

/// Returns the lines of a script that installs Debian packages on a machine with sudo.
pub(super) fn packages_script(packages: &[&str]) -> Vec<String> {
    vec![
        "sudo apt-get update".to_owned(),
        format!("sudo apt-get install --yes {}", packages.join(" ")),
    ]
}

/// Returns the variables of a step, for a checker with these flags.
pub(super) fn env(variables: &[Variable], flags: &str, indent: &str) -> String {
    let mut out = format!("{indent}env:\n");
    for variable in variables {
        out += &format!("{indent}  {}: {}", variable.name, variable.value(flags));
        let comment = variable.comment.map(|comment| format!(" # {comment}"));
        out += &(comment.unwrap_or_default() + "\n");
    }
    out
}

/// Returns the step that runs the command. Each combination of job and checker gets a short name.
/// `has_other_jobs` is true if the workflow has several jobs.
fn render_run(job: &Job, has_other_jobs: bool, subdir: &str) -> String {
    let has_matrix = job.matrix.len() > 1;
    let tool = if has_matrix {
        "${{ matrix.tool }}"
    } else {
        job.matrix.first().map_or("memcheck", |entry| entry.tool)
    };
    let mut out = format!("      - uses: {}\n        with:\n", action());
    if let Some(comment) = job.comment {
        out += &format!("          # {}\n", comment.text);
    }
    out += &format!("          run: {}\n          tool: {tool}\n", job.command);
    if !subdir.is_empty() {
        out += &format!("          working-directory: {}\n", yaml_string(subdir));
    }
    let name = match (has_other_jobs, has_matrix) {
        (false, false) => return out,
        (false, true) => "leakgate-${{ matrix.tool }}".to_owned(),
        (true, false) => format!("leakgate-{}", job.id),
        (true, true) => format!("leakgate-{}-${{{{ matrix.tool }}}}", job.id),
    };
    out + &format!("          name: {name}\n")
}

/// Returns the action of the newest release. A tag that doesn't exist would fail every job.
fn action() -> String {
    RELEASE.map_or_else(
        || "leakgate/leakgate@main # replace main with the first release".to_owned(),
        |version| format!("leakgate/leakgate@v{version}"),
    )
}

/// Returns a quoted YAML string, which has the same escapes as a JSON string.
pub(super) fn yaml_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nowhere() -> ProjectLocation {
        ProjectLocation {
            project: "none".into(),
            repository: "none".into(),
            subdir: String::new(),
        }
    }

    fn entry(tool: &'static str) -> MatrixEntry {
        MatrixEntry { tool, flags: "" }
    }

    #[test]
    fn checkout_is_pinned_as_in_this_repository() {
        let ours = std::fs::read_to_string(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../.github/workflows/ci.yml"
        ))
        .unwrap();
        assert!(ours.contains(&format!("- uses: {CHECKOUT}\n")));
    }

    #[test]
    fn action_is_that_of_the_newest_release() {
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/setup/checksums.txt");
        let manifest = std::fs::read_to_string(manifest).unwrap();
        let released = manifest
            .lines()
            .filter_map(|line| line.split_once("  leakgate-"))
            .filter_map(|(_, name)| name.strip_suffix("-x86_64-unknown-linux-musl.tar.gz"))
            .next_back();
        let current = env!("CARGO_PKG_VERSION");
        let is_between_releases = current.ends_with("-dev");
        let expected = if is_between_releases {
            released
        } else {
            Some(current)
        };
        assert_eq!(RELEASE, expected);
    }

    #[test]
    fn single_checker_needs_no_matrix() {
        let steps = vec![Step {
            name: "A",
            only: Some("memcheck"),
            script: vec!["a".into()],
            ..Step::default()
        }];
        let one = Job {
            id: "x",
            matrix: vec![entry("memcheck")],
            steps: steps.clone(),
            command: "t".into(),
            ..Job::default()
        };
        let text = render(
            &Project {
                jobs: vec![one.clone()],
                ..Project::default()
            },
            &nowhere(),
        );
        assert!(
            text.contains("      - name: A\n        run: a\n")
                && !text.contains("matrix")
                && !text.contains("          name:")
        );
        assert!(text.contains("          run: t\n          tool: memcheck\n"));
        let two = Job {
            matrix: vec![entry("asan"), entry("tsan")],
            ..one.clone()
        };
        let text = render(
            &Project {
                jobs: vec![one, two],
                ..Project::default()
            },
            &nowhere(),
        );
        assert!(
            text.contains("tool: [asan, tsan]\n")
                && text.contains("name: leakgate-x-${{ matrix.tool }}\n")
        );
        assert!(text.contains("name: leakgate-x\n") && text.matches("- name: A\n").count() == 1);
    }

    #[test]
    fn subdirectory_is_the_working_directory() {
        let one = Job {
            id: "x",
            matrix: vec![entry("memcheck")],
            command: "t".into(),
            ..Job::default()
        };
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(".gitmodules"), "").unwrap();
        let location = ProjectLocation {
            project: "x".into(),
            repository: dir.path().to_owned(),
            subdir: "lib/a: \"b".into(),
        };
        let text = render(
            &Project {
                jobs: vec![one],
                ..Project::default()
            },
            &location,
        );
        assert_eq!(
            text.matches("working-directory: \"lib/a: \\\"b\"\n")
                .count(),
            2
        );
        assert!(text.contains("submodules: recursive\n"));
    }
}
