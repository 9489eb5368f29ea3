//! `snapshots/matrix.toml`: the table of all cases.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::Outcome;

/// The table, with groups expanded into cases.
pub(crate) struct Matrix {
    pub(crate) tools: BTreeMap<String, Tool>,
    pub(super) cases: Vec<Case>,
    pub(super) wrapped: Vec<Wrapped>,
}

/// A program that must be installed for the cases whose commands name it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tool {
    /// A command that succeeds if the program is installed; its first line of output is the
    /// version.
    pub(super) probe: String,
    /// The package to install, as a user would type it.
    pub(super) install: String,
    /// True if the reports depend on the version of this program.
    #[serde(default)]
    pub(super) checker: bool,
    /// A text before the version number in `case.toml`.
    #[serde(default)]
    pub(super) prefix: String,
}

/// One run of one program under one checker.
pub(crate) struct Case {
    /// `<dialect>/<case>`, which is also its folder under `snapshots/`.
    pub(crate) name: String,
    pub(crate) checker: String,
    pub(crate) program: String,
    pub(crate) build: String,
    pub(crate) run: String,
    /// Pattern of the files that are its reports; `None` for its output.
    pub(crate) take: Option<String>,
    /// Tools that don't occur as a word in its commands.
    pub(crate) needs: Vec<String>,
    pub(crate) note: Option<String>,
}

/// One or more reports as a CI system would show them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wrapped {
    pub(super) name: String,
    pub(super) of: Vec<String>,
    pub(super) wrapped: String,
    pub(super) note: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    tool: BTreeMap<String, Tool>,
    group: Vec<Group>,
    wrapped: Vec<Wrapped>,
}

/// Cases that share a program, a build and usually the command.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    dialect: String,
    checker: Option<String>,
    program: String,
    build: String,
    /// The command of the plain cases; `{case}` is replaced by the name of the case.
    run: Option<String>,
    #[serde(default)]
    cases: Vec<String>,
    /// Cases with their own command.
    #[serde(default)]
    runs: BTreeMap<String, String>,
    /// The suffix of each folder's name.
    #[serde(default)]
    suffix: String,
    take: Option<String>,
    #[serde(default)]
    needs: Vec<String>,
    #[serde(default)]
    notes: BTreeMap<String, String>,
}

impl Matrix {
    pub(crate) fn read(path: &Path) -> Outcome<Matrix> {
        let with_path = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = fs::read_to_string(path).map_err(|error| with_path(&error))?;
        let file: File = toml::from_str(&text).map_err(|error| with_path(&error))?;
        let mut cases = Vec::new();
        for group in &file.group {
            group.expand(&mut cases)?;
        }
        let matrix = Matrix {
            tools: file.tool,
            cases,
            wrapped: file.wrapped,
        };
        matrix.check_names().map_err(|error| with_path(&error))?;
        Ok(matrix)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let cases = self.cases.iter().map(|case| case.name.as_str());
        cases.chain(self.wrapped.iter().map(|wrapped| wrapped.name.as_str()))
    }

    fn check_names(&self) -> Outcome {
        let mut seen = BTreeSet::new();
        match self.names().find(|name| !seen.insert(*name)) {
            Some(name) => Err(format!("two cases are called {name}").into()),
            None => Ok(()),
        }
    }
}

impl Group {
    fn expand(&self, into: &mut Vec<Case>) -> Outcome {
        for case in &self.cases {
            let run = self
                .run
                .as_ref()
                .ok_or_else(|| format!("{case}: the group has no command"))?;
            into.push(self.case(case, run));
        }
        into.extend(self.runs.iter().map(|(case, run)| self.case(case, run)));
        let known = |name: &String| self.cases.contains(name) || self.runs.contains_key(name);
        match self.notes.keys().find(|name| !known(name)) {
            Some(name) => Err(format!("a note on {name}, which isn't a case of its group").into()),
            None => Ok(()),
        }
    }

    fn case(&self, case: &str, run: &str) -> Case {
        let checker = self.checker.as_deref();
        let dialect = self.dialect.as_str();
        Case {
            name: format!("{dialect}/{case}{}", self.suffix),
            checker: checker
                .unwrap_or(dialect.trim_end_matches("-xml"))
                .to_owned(),
            program: self.program.clone(),
            build: self.build.clone(),
            run: run.replace("{case}", case),
            take: self.take.clone(),
            needs: self.needs.clone(),
            note: self.notes.get(case).cloned(),
        }
    }
}
