//! `xtask/zoo.toml`: the projects and their expected results.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::{Outcome, setup};

/// All projects, in order.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    #[serde(rename = "project")]
    pub(super) projects: Vec<Project>,
}

/// A project of others.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Project {
    pub(super) name: String,
    pub(super) source: Source,
    /// What the project adds to the zoo, for readers of the file.
    #[serde(rename = "about")]
    _about: String,
    /// Debian packages that the build needs, besides those that the workflow installs.
    #[serde(default)]
    pub(super) packages: Vec<String>,
    /// Environment variables of the job: what a maintainer adds to the workflow.
    #[serde(default)]
    pub(super) env: BTreeMap<String, String>,
    /// Shell commands before the commit, such as the removal of a file that only a release has.
    #[serde(default)]
    pub(super) prepare: Vec<String>,
    #[serde(default, rename = "leg")]
    pub(super) legs: Vec<Leg>,
}

/// Where the source is from.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Source {
    pub(super) registry: Registry,
    /// Name of the package; that of the project if it is missing.
    pub(super) package: Option<String>,
    pub(super) version: String,
    /// File name of the archive.
    pub(super) file: String,
    /// SHA-256 of the archive, in hexadecimal digits.
    pub(super) sha256: String,
}

/// A package registry.
#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Registry {
    Debian,
    Crates,
    PyPi,
}

/// The expected result of a job with one checker.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Leg {
    /// Id of the job in the generated workflow.
    pub(super) job: String,
    pub(super) tool: String,
    /// Also tried in the short test command.
    #[serde(default)]
    pub(super) short: bool,
    /// True if the generated workflow doesn't have this checker, but its maintainer adds it.
    #[serde(default)]
    pub(super) added: bool,
    /// Why this leg isn't tried, such as a test suite that fails without leakgate, too.
    pub(super) skip: Option<String>,
    /// Codes of the reasons to fail, sorted. A run without any passes.
    #[serde(default)]
    pub(super) reasons: Vec<String>,
    /// The unexpected findings, sorted, each as its kind, function and file name.
    #[serde(default)]
    pub(super) findings: Vec<String>,
}

impl Manifest {
    /// Reads the file.
    pub(super) fn read() -> Outcome<Self> {
        let path = setup::repository()?.join("xtask/zoo.toml");
        let text = read(&path)?;
        toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()).into())
    }
}

impl Project {
    /// Returns the name of the package in its registry.
    pub(super) fn package(&self) -> &str {
        self.source.package.as_deref().unwrap_or(&self.name)
    }
}

fn read(path: &Path) -> Outcome<String> {
    fs::read_to_string(path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()).into())
}
