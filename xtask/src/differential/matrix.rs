//! `snapshots/differential/matrix.toml`: the table of all logs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::Outcome;
use crate::snapshots::matrix::Case;

/// The output file of runs with `--xml=yes`.
pub(super) const XML: &str = "out.xml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Matrix {
    /// The command that builds the shared library; it runs first.
    pub(super) library: String,
    program: BTreeMap<String, String>,
    #[serde(rename = "log")]
    pub(super) logs: Vec<Log>,
}

/// One command, run without suppressions and then with each of many files.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Log {
    pub(super) name: String,
    program: String,
    run: String,
    /// True if the log contains all frames, and the same names as the tool compares.
    #[serde(default)]
    pub(super) exact: bool,
    /// Prefixes of the paths of its suppression files under `supp/`.
    pub(super) supp: Vec<String>,
    /// The group of files that are extracted from the suppressions in this log.
    pub(super) cut: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Checker {
    Memcheck,
    Helgrind,
    Drd,
    Lsan,
}

impl Matrix {
    pub(super) fn read(path: &Path) -> Outcome<Matrix> {
        let text = fs::read_to_string(path)?;
        let matrix: Matrix =
            toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut seen = BTreeSet::new();
        match matrix.logs.iter().find(|log| !seen.insert(&log.name)) {
            Some(log) => Err(format!("two logs are called {}", log.name).into()),
            None => Ok(matrix),
        }
    }

    /// Returns the run without suppressions as a case for `cargo xtask snapshots`.
    pub(super) fn case(&self, log: &Log) -> Outcome<Case> {
        let build = self
            .program
            .get(&log.program)
            .ok_or_else(|| format!("{}: no program {}", log.name, log.program))?;
        Ok(Case {
            name: log.name.clone(),
            checker: log.checker().name().to_owned(),
            program: log.program.clone(),
            build: build.clone(),
            run: log.run.replace("{with} ", "").replace("{with}", ""),
            take: None,
            needs: Vec::new(),
            note: None,
        })
    }
}

impl Log {
    pub(super) fn checker(&self) -> Checker {
        match self.run.as_str() {
            run if run.contains("--tool=helgrind") => Checker::Helgrind,
            run if run.contains("--tool=drd") => Checker::Drd,
            run if run.contains("valgrind") => Checker::Memcheck,
            _ => Checker::Lsan,
        }
    }

    pub(super) fn is_xml(&self) -> bool {
        self.run.contains("--xml=yes")
    }

    pub(super) fn file(&self) -> String {
        format!(
            "logs/{}.{}",
            self.name,
            if self.is_xml() { "xml" } else { "txt" }
        )
    }

    /// Returns the command with a suppression file. `-s` makes valgrind list the used entries.
    pub(super) fn with(&self, file: &str) -> String {
        let with = match self.checker() {
            Checker::Lsan => format!("suppressions=supp/{file}:"),
            _ if self.is_xml() => format!("--suppressions=supp/{file}"),
            _ => format!("--suppressions=supp/{file} -s"),
        };
        self.run.replace("{with}", &with)
    }
}

impl Checker {
    pub(super) fn name(self) -> &'static str {
        match self {
            Checker::Memcheck => "memcheck",
            Checker::Helgrind => "helgrind",
            Checker::Drd => "drd",
            Checker::Lsan => "lsan",
        }
    }
}

/// Returns the files `group/name.supp` that start with one of the prefixes, sorted.
pub(super) fn suppression_files(supp: &Path, prefixes: &[String]) -> Outcome<BTreeSet<String>> {
    let mut files = BTreeSet::new();
    for group in fs::read_dir(supp)? {
        for file in fs::read_dir(group?.path())? {
            let path = file?.path();
            files.insert(path.strip_prefix(supp)?.to_string_lossy().into_owned());
        }
    }
    match prefixes
        .iter()
        .find(|prefix| !files.iter().any(|file| file.starts_with(prefix.as_str())))
    {
        Some(prefix) => Err(format!("no suppression file starts with {prefix}").into()),
        None => Ok(files
            .into_iter()
            .filter(|file| {
                prefixes
                    .iter()
                    .any(|prefix| file.starts_with(prefix.as_str()))
            })
            .collect()),
    }
}
