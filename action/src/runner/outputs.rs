//! Files that the runner reads after a step: outputs and the job summary.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::random_delimiter;
use crate::error::Error;

/// Writes the outputs of a step.
#[derive(Debug, Default)]
pub(crate) struct StepOutputs {
    path: Option<PathBuf>,
}

impl StepOutputs {
    /// Finds the output file of the step. Outside of a workflow, outputs are discarded.
    pub(crate) fn from_env(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            path: variable("GITHUB_OUTPUT").map(PathBuf::from),
        }
    }

    /// Sets outputs. An unguessable delimiter ends each value, so a value can't set further outputs
    /// (CVE-2022-35954).
    pub(crate) fn set(&self, outputs: &[(&str, String)]) -> Result<(), Error> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let mut text = String::new();
        for (name, value) in outputs {
            let end = random_delimiter()?;
            text += &format!("{name}<<{end}\n{value}\n{end}\n");
        }
        append(path, &text)
    }
}

/// Writes the job summary, of which each step has its own file.
#[derive(Debug)]
pub(crate) struct JobSummary {
    path: PathBuf,
    /// Number of bytes that can still be written.
    pub(crate) remaining: usize,
}

impl JobSummary {
    /// The runner discards the summary of a step that writes more than 1 MiB.
    const MAX_BYTES: u64 = 1 << 20;

    /// Finds the summary file of the step. `None` outside of a workflow.
    pub(crate) fn from_env(variable: &dyn Fn(&str) -> Option<String>) -> Option<Self> {
        let path = PathBuf::from(variable("GITHUB_STEP_SUMMARY")?);
        let written = path.metadata().map_or(0, |meta| meta.len());
        Some(Self {
            path,
            remaining: usize::try_from(Self::MAX_BYTES.saturating_sub(written + 1)).unwrap_or(0),
        })
    }

    /// Appends Markdown.
    pub(crate) fn append(&self, text: &str) -> Result<(), Error> {
        append(&self.path, text)
    }
}

fn append(path: &Path, text: &str) -> Result<(), Error> {
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .map_err(|e| Error::Write(path.to_owned(), e))?;
    file.write_all(text.as_bytes())
        .map_err(|e| Error::Write(path.to_owned(), e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_value_cannot_set_another_output() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("output");
        std::fs::write(&path, "before=1\n").unwrap();
        let outputs = StepOutputs {
            path: Some(path.clone()),
        };
        outputs
            .set(&[
                ("outcome", "pass".into()),
                ("json", "a\nEOF\noutcome=fail".into()),
            ])
            .unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "before=1");
        let end = lines[1].strip_prefix("outcome<<").unwrap();
        assert_eq!((lines[2], lines[3]), ("pass", end));
        let end = lines[4].strip_prefix("json<<").unwrap();
        assert_eq!(lines.iter().filter(|l| **l == end).count(), 1);
        assert_eq!(lines.last(), Some(&end));
    }

    #[test]
    fn summary_counts_remaining_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("summary");
        std::fs::write(&path, vec![b'x'; 1_048_000]).unwrap();
        let path_text = path.to_string_lossy().into_owned();
        let summary = JobSummary::from_env(&|_| Some(path_text.clone())).unwrap();
        assert_eq!(summary.remaining, 575);
        summary.append("y").unwrap();
        assert_eq!(path.metadata().unwrap().len(), 1_048_001);
    }
}
