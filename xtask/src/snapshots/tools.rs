//! Which of the tools are installed, and in which version.

use std::collections::BTreeMap;
use std::process::Command;

use super::matrix::{Case, Tool};
use crate::Outcome;

/// The tools of the matrix with the version of those that are here.
pub(crate) struct Tools<'a> {
    known: &'a BTreeMap<String, Tool>,
    versions: BTreeMap<&'a str, String>,
}

impl<'a> Tools<'a> {
    pub(crate) fn look(known: &'a BTreeMap<String, Tool>) -> Tools<'a> {
        let probe =
            |(name, tool): (&'a String, &'a Tool)| Some((name.as_str(), version(&tool.probe)?));
        Tools {
            known,
            versions: known.iter().filter_map(probe).collect(),
        }
    }

    /// The tools that a case takes and this machine lacks.
    pub(crate) fn absent(&self, case: &Case) -> Vec<&'a str> {
        self.named(case)
            .filter(|name| !self.versions.contains_key(name))
            .collect()
    }

    /// The version of what printed the report: of the tool that runs the program if there is
    /// one (valgrind), else of the compiler, whose runtime is part of the program.
    pub(crate) fn version(&self, case: &Case) -> Outcome<String> {
        let checker = |name: &&str| self.known.get(*name).is_some_and(|tool| tool.checker);
        let name = self.named(case).find(checker);
        let name = name.ok_or_else(|| format!("{}: no tool of the matrix in it", case.name))?;
        let tool = self.known.get(name).ok_or("a tool that is in no table")?;
        let printed = self
            .versions
            .get(name)
            .ok_or_else(|| format!("no {name}"))?;
        Ok(format!("{}{printed}", tool.prefix))
    }

    pub(crate) fn advice(&self, name: &str) -> String {
        let install = self
            .known
            .get(name)
            .map_or("?", |tool| tool.install.as_str());
        format!("{name} ({install})")
    }

    /// The tools of a case: those it says it needs, then those that run it and those that build it.
    fn named(&self, case: &Case) -> impl Iterator<Item = &'a str> {
        let needs = case.needs.iter().map(String::as_str);
        let commands = [&case.run, &case.build];
        let words = commands
            .into_iter()
            .flat_map(|line| line.split_whitespace());
        needs.chain(words).filter_map(|word| {
            let (name, _) = self.known.get_key_value(word)?;
            Some(name.as_str())
        })
    }
}

/// The first line that a probe prints, or nothing when it cannot be run.
fn version(probe: &str) -> Option<String> {
    let output = Command::new("sh").arg("-c").arg(probe).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().next()?.trim();
    (output.status.success() && !line.is_empty()).then(|| line.to_owned())
}
