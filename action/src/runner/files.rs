//! Files that the runner reads when a step has ended: outputs, and the job's summary.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::random_word;
use crate::error::Error;

/// The outputs of a step.
#[derive(Debug, Default)]
pub(crate) struct Files {
    output: Option<PathBuf>,
}

impl Files {
    /// Where the runner wants them; nowhere outside of a workflow.
    pub(crate) fn read(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            output: variable("GITHUB_OUTPUT").map(PathBuf::from),
        }
    }

    /// Sets outputs. Each stands between two lines that its value can't hold (CVE-2022-35954).
    pub(crate) fn set(&self, outputs: &[(&str, String)]) -> Result<(), Error> {
        let Some(path) = &self.output else {
            return Ok(());
        };
        let mut text = String::new();
        for (name, value) in outputs {
            let end = random_word()?;
            text += &format!("{name}<<{end}\n{value}\n{end}\n");
        }
        append(path, &text)
    }
}

/// The summary of the job, a file for each step.
#[derive(Debug)]
pub(crate) struct Summary {
    path: PathBuf,
    /// Bytes that may still be written.
    pub(crate) room: usize,
}

impl Summary {
    /// The runner uploads nothing at all of a step that writes more than 1 MiB.
    const MOST: u64 = 1 << 20;

    /// Where the runner wants it; nothing outside of a workflow.
    pub(crate) fn read(variable: &dyn Fn(&str) -> Option<String>) -> Option<Self> {
        let path = PathBuf::from(variable("GITHUB_STEP_SUMMARY")?);
        let written = path.metadata().map_or(0, |meta| meta.len());
        Some(Self {
            path,
            room: usize::try_from(Self::MOST.saturating_sub(written + 1)).unwrap_or(0),
        })
    }

    /// Adds markdown behind what is there already.
    pub(crate) fn add(&self, text: &str) -> Result<(), Error> {
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
    fn an_output_can_not_forge_another() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("output");
        std::fs::write(&path, "before=1\n").unwrap();
        let files = Files {
            output: Some(path.clone()),
        };
        files
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
    fn a_summary_knows_what_room_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("summary");
        std::fs::write(&path, vec![b'x'; 1_048_000]).unwrap();
        let at = path.to_string_lossy().into_owned();
        let summary = Summary::read(&|_| Some(at.clone())).unwrap();
        assert_eq!(summary.room, 575);
        summary.add("y").unwrap();
        assert_eq!(path.metadata().unwrap().len(), 1_048_001);
    }
}
