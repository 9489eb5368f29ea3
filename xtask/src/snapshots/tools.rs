//! Installed tools and their versions.

use std::collections::BTreeMap;
use std::process::Command;

use super::matrix::{Case, Tool};
use crate::Outcome;

/// The tools of the matrix, with the versions of the installed ones.
pub(crate) struct Tools<'a> {
    known: &'a BTreeMap<String, Tool>,
    versions: BTreeMap<&'a str, String>,
}

impl<'a> Tools<'a> {
    pub(crate) fn detect(known: &'a BTreeMap<String, Tool>) -> Tools<'a> {
        let probe =
            |(name, tool): (&'a String, &'a Tool)| Some((name.as_str(), version(&tool.probe)?));
        Tools {
            known,
            versions: known.iter().filter_map(probe).collect(),
        }
    }

    /// Returns the tools of a case that aren't installed.
    pub(crate) fn absent(&self, case: &Case) -> Vec<&'a str> {
        self.named(case)
            .filter(|name| !self.versions.contains_key(name))
            .collect()
    }

    /// Returns the version of the checker: of the tool that runs the program (such as valgrind), or
    /// else of the compiler, whose runtime is part of the program.
    pub(crate) fn version(&self, case: &Case) -> Outcome<String> {
        let checker = |name: &&str| self.known.get(*name).is_some_and(|tool| tool.checker);
        let name = self.named(case).find(checker);
        let name = name.ok_or_else(|| {
            format!(
                "{}: its commands contain no checker of the matrix",
                case.name
            )
        })?;
        let tool = self.known.get(name).ok_or("unknown tool")?;
        let printed = self
            .versions
            .get(name)
            .ok_or_else(|| format!("{name} not found"))?;
        Ok(format!("{}{printed}", tool.prefix))
    }

    pub(crate) fn advice(&self, name: &str) -> String {
        let install = self
            .known
            .get(name)
            .map_or("?", |tool| tool.install.as_str());
        format!("{name} ({install})")
    }

    /// Returns the tools of a case: those in `needs`, then those that run it, then those that build
    /// it.
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

/// Returns the first line of a probe's output; `None` if the probe fails.
fn version(probe: &str) -> Option<String> {
    let output = Command::new("sh").arg("-c").arg(probe).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().next()?.trim();
    (output.status.success() && !line.is_empty()).then(|| line.to_owned())
}
