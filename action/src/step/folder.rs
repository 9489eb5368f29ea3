//! The folder of a step: its documents, and the logs that they tell of, to be uploaded together.

use std::collections::HashSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use leakgate_core::emit::{self, Format, Run, Style};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::output;

/// The JSON document's name in it.
pub(crate) const JSON: &str = "leakgate.json";

/// The name of what `leakgate publish` needs to know beside the document.
pub(crate) const PUBLISH: &str = "publish.json";

/// What `leakgate publish` needs to know; whoever reads it can't trust it.
#[derive(Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Origin {
    /// `leakgate-publish/v1`
    pub(crate) schema: String,
    /// The pull request that the run was for.
    pub(crate) pull_request: Option<u64>,
    /// The commit that the run was for.
    pub(crate) head_sha: String,
}

/// The schema of [`Origin`].
pub(crate) const SCHEMA: &str = "leakgate-publish/v1";

/// Documents in a folder that nothing else writes to.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// A new one where the runner keeps what is temporary; it stays when leakgate ends.
    pub(crate) fn new(temporary: Option<&str>) -> Result<Self, Error> {
        let place = temporary.map_or_else(std::env::temp_dir, PathBuf::from);
        let made = tempfile::Builder::new()
            .prefix("leakgate-")
            .tempdir_in(&place)
            .map_err(|e| Error::Write(place, e))?;
        Ok(Self { path: made.keep() })
    }

    /// A path in it, for an output.
    pub(crate) fn at(&self, name: &str) -> String {
        self.path.join(name).display().to_string()
    }

    /// Itself, for an output.
    pub(crate) fn path(&self) -> String {
        self.path.display().to_string()
    }

    /// Writes a document of the run.
    pub(crate) fn write(
        &self,
        name: &str,
        run: &Run<'_>,
        format: Format,
        style: &Style<'_>,
    ) -> Result<(), Error> {
        output::file(&self.path.join(name), &emit::document(run, format, style))
    }

    /// Writes what `leakgate publish` needs.
    pub(crate) fn write_origin(&self, origin: &Origin) -> Result<(), Error> {
        let text = serde_json::to_string(origin).unwrap_or_default();
        output::file(&self.path.join(PUBLISH), &format!("{text}\n"))
    }

    /// Copies logs into it, by names that an artifact can have; tells what could not be copied.
    ///
    /// Only files themselves are: a link among the logs may lead to a secret, and an artifact is
    /// for everybody to read. A pipe has given all that it had.
    pub(crate) fn copy(&self, logs: &[PathBuf]) -> Vec<Error> {
        let mut taken = HashSet::new();
        let regular = |log: &&PathBuf| fs::symlink_metadata(log).is_ok_and(|meta| meta.is_file());
        logs.iter()
            .filter(regular)
            .filter_map(|log| self.copy_one(log, &name_for(log, &mut taken)).err())
            .collect()
    }

    fn copy_one(&self, log: &Path, name: &str) -> Result<(), Error> {
        let to = self.path.join("logs").join(name);
        let error = |e| Error::Write(to.clone(), e);
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).map_err(error)?;
        }
        fs::copy(log, &to).map(|_| ()).map_err(error)
    }
}

/// A path below the folder, none of which was given before.
fn name_for(log: &Path, taken: &mut HashSet<String>) -> String {
    const FORBIDDEN: &[char] = &['"', ':', '<', '>', '|', '*', '?', '\\'];
    let fine = |c: char| {
        if FORBIDDEN.contains(&c) || c.is_control() {
            '_'
        } else {
            c
        }
    };
    let part = |part: Component<'_>| match part {
        Component::Normal(name) => {
            Some(name.to_string_lossy().chars().map(fine).collect::<String>())
        }
        _ => None,
    };
    let plain = log
        .components()
        .filter_map(part)
        .collect::<Vec<_>>()
        .join("/");
    let mut name = plain.clone();
    // File systems without upper and lower case have the one or the other.
    for number in 2.. {
        if taken.insert(name.to_lowercase()) {
            break;
        }
        name = format!("{plain}.{number}");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_have_names_that_an_artifact_can_have() {
        let mut taken = HashSet::new();
        let mut name = |log: &str| name_for(Path::new(log), &mut taken);
        assert_eq!(name("/home/me/a:b.log"), "home/me/a_b.log");
        assert_eq!(name("../logs/./x.log"), "logs/x.log");
        assert_eq!(name("logs/x.log"), "logs/x.log.2");
        assert_eq!(name("logs/X.log"), "logs/X.log.3");
        assert_eq!(name("we\nird?.log"), "we_ird_.log");
    }
}
