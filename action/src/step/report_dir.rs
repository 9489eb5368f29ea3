//! The directory with the reports of a step and copies of its logs, uploaded as one artifact.

use std::collections::HashSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use leakgate_core::emit::{self, Format, RenderOptions, Run};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::output;
use crate::runner::MatrixLeg;

/// File name of the JSON report.
pub(crate) const JSON_FILE: &str = "leakgate.json";

/// File name of the [`RunOrigin`].
pub(crate) const ORIGIN_FILE: &str = "publish.json";

/// Data for `leakgate publish`, which treats it as untrusted, and for the input `merge`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct RunOrigin {
    /// [`ORIGIN_SCHEMA`]
    pub(crate) schema: String,
    /// Number of the pull request of the run.
    pub(crate) pull_request: Option<u64>,
    /// Commit of the run.
    pub(crate) head_sha: String,
    /// Id of the job. Empty if it is unknown.
    #[serde(default)]
    pub(crate) job: String,
    /// Leg of the job's matrix. `None` if it is unknown.
    #[serde(default)]
    pub(crate) matrix_leg: Option<MatrixLeg>,
    /// True if the report was merged from those of other jobs.
    #[serde(default)]
    pub(crate) is_merged: bool,
}

/// Schema of [`RunOrigin`].
pub(crate) const ORIGIN_SCHEMA: &str = "leakgate-publish/v1";

/// A new directory with reports, which no other process writes to.
#[derive(Debug)]
pub(crate) struct ReportDir {
    path: PathBuf,
}

impl ReportDir {
    /// Creates a directory in the runner's directory for temporary files. It stays after leakgate
    /// exits.
    pub(crate) fn new(temporary: Option<&Path>) -> Result<Self, Error> {
        let parent = temporary.map_or_else(std::env::temp_dir, Path::to_owned);
        let dir = tempfile::Builder::new()
            .prefix("leakgate-")
            .tempdir_in(&parent)
            .map_err(|e| Error::Write(parent, e))?;
        Ok(Self { path: dir.keep() })
    }

    /// Returns the path of a file, for an output.
    pub(crate) fn file_path(&self, name: &str) -> String {
        self.path.join(name).display().to_string()
    }

    /// Returns the path of the directory, for an output.
    pub(crate) fn path(&self) -> String {
        self.path.display().to_string()
    }

    /// Writes a report of the run.
    pub(crate) fn write(
        &self,
        name: &str,
        run: &Run<'_>,
        format: Format,
        options: &RenderOptions<'_>,
    ) -> Result<(), Error> {
        output::file(&self.path.join(name), &emit::render(run, format, options))
    }

    /// Writes the data for `leakgate publish`.
    pub(crate) fn write_origin(&self, origin: &RunOrigin) -> Result<(), Error> {
        let text = serde_json::to_string(origin).unwrap_or_default();
        output::file(&self.path.join(ORIGIN_FILE), &format!("{text}\n"))
    }

    /// Copies logs under names that are valid in an artifact. Returns the errors.
    ///
    /// Copies regular files only. A link may lead to a secret, and everyone can read an artifact. A
    /// pipe has been read already.
    pub(crate) fn copy_logs(&self, logs: &[PathBuf]) -> Vec<Error> {
        let mut taken = HashSet::new();
        let is_regular =
            |log: &&PathBuf| fs::symlink_metadata(log).is_ok_and(|meta| meta.is_file());
        logs.iter()
            .filter(is_regular)
            .filter_map(|log| self.copy_log(log, &name_for(log, &mut taken)).err())
            .collect()
    }

    fn copy_log(&self, log: &Path, name: &str) -> Result<(), Error> {
        let to = self.path.join("logs").join(name);
        let error = |e| Error::Write(to.clone(), e);
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent).map_err(error)?;
        }
        fs::copy(log, &to).map(|_| ()).map_err(error)
    }
}

/// Returns a relative path for the copy of a log. It is unique even on file systems that ignore
/// case.
fn name_for(log: &Path, taken: &mut HashSet<String>) -> String {
    const FORBIDDEN: &[char] = &['"', ':', '<', '>', '|', '*', '?', '\\'];
    let replace_forbidden = |c: char| {
        if FORBIDDEN.contains(&c) || c.is_control() {
            '_'
        } else {
            c
        }
    };
    let component = |component: Component<'_>| match component {
        Component::Normal(name) => Some(
            name.to_string_lossy()
                .chars()
                .map(replace_forbidden)
                .collect::<String>(),
        ),
        _ => None,
    };
    let base = log
        .components()
        .filter_map(component)
        .collect::<Vec<_>>()
        .join("/");
    let mut name = base.clone();
    for number in 2.. {
        if taken.insert(name.to_lowercase()) {
            break;
        }
        name = format!("{base}.{number}");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_names_are_valid_in_an_artifact() {
        let mut taken = HashSet::new();
        let mut name = |log: &str| name_for(Path::new(log), &mut taken);
        assert_eq!(name("/home/me/a:b.log"), "home/me/a_b.log");
        assert_eq!(name("../logs/./x.log"), "logs/x.log");
        assert_eq!(name("logs/x.log"), "logs/x.log.2");
        assert_eq!(name("logs/X.log"), "logs/X.log.3");
        assert_eq!(name("we\nird?.log"), "we_ird_.log");
    }
}
