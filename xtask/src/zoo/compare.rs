//! Compares what leakgate reported with the recorded result of a leg.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::manifest::Leg;
use super::workflow::{Entry, Job};
use crate::Outcome;

/// The result of a leg.
pub(super) struct Observed {
    job: String,
    tool: String,
    outcome: String,
    /// Codes of the reasons to fail, sorted, each once.
    reasons: Vec<String>,
    /// Unexpected findings, sorted: kind, function and file name.
    findings: Vec<String>,
}

impl Observed {
    /// Reads the JSON report of a run.
    pub(super) fn read(report: &Path, job: &Job, entry: &Entry) -> Outcome<Self> {
        let text = fs::read_to_string(report)
            .map_err(|error| format!("{} {} wrote no report: {error}", job.id, entry.tool))?;
        let report: Value = serde_json::from_str(&text)?;
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let verdict = &report["verdict"];
        let mut reasons: Vec<String> = list(&verdict["reasons"])
            .iter()
            .map(|reason| string(&reason["code"]))
            .collect();
        reasons.sort();
        reasons.dedup();
        let mut findings: Vec<String> = list(&report["findings"])
            .iter()
            .filter(|finding| finding["disposition"] == "unexpected")
            .map(describe)
            .collect();
        findings.sort();
        Ok(Self {
            job: job.id.clone(),
            tool: entry.tool.clone(),
            outcome: string(&verdict["outcome"]),
            reasons,
            findings,
        })
    }

    /// Returns `pass` or `fail`.
    pub(super) fn outcome(&self) -> &str {
        &self.outcome
    }

    /// Returns an error with the observed result, in the syntax of the manifest, if it isn't the
    /// expected one.
    pub(super) fn check(&self, expected: Option<&Leg>) -> Outcome {
        let is_expected = expected
            .is_some_and(|leg| leg.reasons == self.reasons && leg.findings == self.findings);
        let is_consistent = self.reasons.is_empty() == (self.outcome == "pass");
        if is_expected && is_consistent {
            return Ok(());
        }
        Err(format!("{} with these results:\n{}", self.outcome, self.to_toml()).into())
    }

    fn to_toml(&self) -> String {
        let mut out = format!(
            "[[project.leg]]\njob = {:?}\ntool = {:?}\n",
            self.job, self.tool
        );
        for (name, list) in [("reasons", &self.reasons), ("findings", &self.findings)] {
            if !list.is_empty() {
                let _ = writeln!(out, "{name} = {list:#?}");
            }
        }
        out
    }
}

/// Describes a finding without lines and addresses, which depend on compilers and builds.
fn describe(finding: &Value) -> String {
    let location = &finding["location"];
    let file = string(&location["file"]);
    let file = file.rsplit('/').next().unwrap_or_default();
    format!(
        "{} {} {file}",
        string(&finding["kind"]),
        string(&location["function"])
    )
    .trim_end()
    .to_owned()
}

fn string(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
