//! The workflow that `leakgate init` writes: its jobs, checkers, scripts and command.

use saphyr::{LoadableYamlNode, Yaml};

use crate::Outcome;

/// The workflow, relative to the root of the repository.
pub(super) const FILE: &str = ".github/workflows/leakgate.yml";

/// A workflow.
pub(super) struct Workflow {
    pub(super) jobs: Vec<Job>,
}

/// A job that builds a project, and runs its tests under a checker.
pub(super) struct Job {
    pub(super) id: String,
    /// The input `run` of the action.
    pub(super) command: String,
    /// Folder of the scripts and the command, relative to the root of the repository.
    pub(super) folder: String,
    /// The input `tool`, which may refer to the matrix.
    tool: String,
    entries: Vec<Entry>,
    steps: Vec<Step>,
}

/// A combination of the matrix.
#[derive(Clone, Default)]
pub(super) struct Entry {
    /// Name of the checker.
    pub(super) tool: String,
    flags: String,
}

/// A step with a script.
struct Step {
    script: Script,
    condition: Option<String>,
}

/// The script of a step.
#[derive(Clone)]
pub(super) struct Script {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) env: Vec<(String, String)>,
}

impl Workflow {
    /// Parses a workflow.
    pub(super) fn parse(text: &str) -> Outcome<Self> {
        let documents = Yaml::load_from_str(text)?;
        let document = documents.first().ok_or("empty workflow")?;
        let jobs = document.as_mapping_get("jobs").and_then(Yaml::as_mapping);
        let jobs = jobs.ok_or("no jobs in the workflow")?;
        let jobs = jobs
            .iter()
            .map(|(id, job)| Job::parse(id.as_str().unwrap_or_default(), job))
            .collect::<Outcome<_>>()?;
        Ok(Self { jobs })
    }

    /// Returns the Debian packages that steps install.
    pub(super) fn packages(&self) -> Vec<String> {
        let scripts = self.jobs.iter().flat_map(|job| &job.steps);
        let lines = scripts.flat_map(|step| step.script.text.lines());
        lines
            .filter_map(|line| line.trim().strip_prefix(INSTALL))
            .flat_map(|packages| packages.split_whitespace().map(str::to_owned))
            .collect()
    }
}

/// Command of steps that install Debian packages.
const INSTALL: &str = "sudo apt-get install --yes ";

impl Job {
    fn parse(id: &str, job: &Yaml<'_>) -> Outcome<Self> {
        let steps = job.as_mapping_get("steps").and_then(Yaml::as_sequence);
        let steps = steps.ok_or("a job has no steps")?;
        let is_action = |step: &&Yaml<'_>| {
            text(step, "uses").is_some_and(|action| action.starts_with("leakgate/leakgate@"))
        };
        let action = steps.iter().find(is_action);
        let inputs = action.and_then(|step| step.as_mapping_get("with"));
        let inputs = inputs.ok_or("a job doesn't use the action")?;
        let input = |name: &str| text(inputs, name).ok_or(format!("no input `{name}`"));
        Ok(Self {
            id: id.to_owned(),
            command: input("run")?,
            folder: text(inputs, "working-directory").unwrap_or_default(),
            tool: input("tool")?,
            entries: entries(job),
            steps: steps.iter().filter_map(Step::parse).collect(),
        })
    }

    /// Returns the combinations of the matrix; a job without one has a single checker.
    pub(super) fn matrix(&self) -> Vec<Entry> {
        if !self.entries.is_empty() {
            return self.entries.clone();
        }
        vec![Entry::new(&self.tool)]
    }

    /// Returns the scripts for a combination, with its values. Those that install packages or
    /// toolchains are left out: they are installed before.
    pub(super) fn scripts(&self, entry: &Entry) -> Vec<Script> {
        let condition = format!("${{{{ matrix.tool == '{}' }}}}", entry.tool);
        let is_included = |step: &&Step| {
            let is_set_up = step.script.text.contains(INSTALL)
                || step.script.text.starts_with("rustup toolchain install");
            !is_set_up && step.condition.as_ref().is_none_or(|own| *own == condition)
        };
        let with_values = |step: &Step| {
            let mut script = step.script.clone();
            for (_, value) in &mut script.env {
                *value = value.replace("${{ matrix.flags }}", &entry.flags);
            }
            script
        };
        self.steps
            .iter()
            .filter(is_included)
            .map(with_values)
            .collect()
    }
}

impl Entry {
    /// Creates a combination without compiler flags.
    pub(super) fn new(tool: &str) -> Self {
        Self {
            tool: tool.to_owned(),
            flags: String::new(),
        }
    }
}

impl Step {
    fn parse(step: &Yaml<'_>) -> Option<Self> {
        let env = step.as_mapping_get("env").and_then(Yaml::as_mapping);
        let env = env
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| Some((name.as_str()?.to_owned(), scalar(value)?)));
        let script = Script {
            name: text(step, "name").unwrap_or_default(),
            text: text(step, "run")?,
            env: env.collect(),
        };
        Some(Self {
            script,
            condition: text(step, "if"),
        })
    }
}

/// Returns the combinations of a matrix with `include`, or with a list of checkers.
fn entries(job: &Yaml<'_>) -> Vec<Entry> {
    let matrix = job
        .as_mapping_get("strategy")
        .and_then(|strategy| strategy.as_mapping_get("matrix"));
    let list = |name: &str| {
        matrix
            .and_then(|matrix| matrix.as_mapping_get(name))
            .and_then(Yaml::as_sequence)
            .into_iter()
            .flatten()
    };
    let included = list("include").map(|entry| Entry {
        tool: text(entry, "tool").unwrap_or_default(),
        flags: text(entry, "flags").unwrap_or_default(),
    });
    let plain = list("tool")
        .filter_map(scalar)
        .map(|tool| Entry::new(&tool));
    included.chain(plain).collect()
}

fn text(node: &Yaml<'_>, key: &str) -> Option<String> {
    node.as_mapping_get(key).and_then(scalar)
}

/// Returns a scalar as text.
fn scalar(node: &Yaml<'_>) -> Option<String> {
    let number = || node.as_integer().map(|number| number.to_string());
    node.as_str().map(str::to_owned).or_else(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_workflow_is_understood() {
        let root = crate::setup::repository().unwrap();
        let text = std::fs::read_to_string(root.join("docs/init/cmake.yml")).unwrap();
        let workflow = Workflow::parse(&text).unwrap();
        let job = &workflow.jobs[0];
        assert_eq!(job.id, "cmake");
        assert!(job.command.starts_with("ctest"));
        let entries = job.matrix();
        assert_eq!(entries[0].tool, "memcheck");
        assert!(entries[1].flags.contains("-fsanitize=address"));
        let scripts = job.scripts(&entries[1]);
        assert_eq!(scripts.len(), 1, "packages are installed before");
        let flags = scripts[0].env.iter().find(|(name, _)| name == "CFLAGS");
        assert!(flags.unwrap().1.contains("-fsanitize=address"));
        assert!(workflow.packages().contains(&"valgrind".to_owned()));
    }
}
