//! The input `merge`: one verdict from the reports that other jobs of the workflow run uploaded.
//!
//! A job without a report must not pass unnoticed. The legs of each matrix are counted, and the
//! results of the needed jobs show whether one has failed before it could upload a report.

use std::collections::{BTreeMap, BTreeSet};

use leakgate_core::Outcome;
use leakgate_core::document::{self, Document, DocumentReader};

use super::inputs::{ArtifactNames, NeededJob, NeededJobs};
use super::report_dir::{JSON_FILE, ORIGIN_FILE, RunOrigin};
use crate::error::Error;
use crate::evaluate::Evaluation;
use crate::github::{ApiError, Client, RunArtifact};
use crate::output;
use crate::runner::Context;
use crate::settings::Settings;

/// Maximum number of reports to merge. GitHub allows 256 jobs per matrix.
const MAX_REPORTS: usize = 1000;

/// The reports to merge.
pub(super) struct MergeRequest<'a> {
    pub(super) names: &'a ArtifactNames,
    pub(super) needs: Option<&'a NeededJobs>,
    pub(super) context: &'a Context,
    pub(super) client: Option<&'a Client>,
}

/// A report with the job that uploaded it.
struct Leg {
    name: String,
    origin: RunOrigin,
    document: Document,
}

impl MergeRequest<'_> {
    /// Downloads and evaluates the reports. A missing or unreadable report makes the outcome an
    /// error.
    pub(super) fn evaluate(&self, settings: Settings) -> Result<Evaluation, Error> {
        let mut errors = Vec::new();
        let legs = read_legs(self.download()?, &mut errors);
        if legs.is_empty() && errors.is_empty() {
            return Err(Error::with_help(
                format!(
                    "cannot merge reports: no job of this run has uploaded an artifact named {}",
                    self.names.list()
                ),
                "let this job run after those that upload the reports, with `needs`",
            ));
        }
        let states: Vec<LegState<'_>> = legs.iter().map(LegState::from).collect();
        errors.extend(missing_legs(&states));
        match self.needs {
            Some(needs) => errors.extend(missing_jobs(needs, &states)),
            None => output::note(
                "cannot notice a job that uploads no report; set the input `needs` to \
                 `${{ toJSON(needs) }}`",
            ),
        }
        let merged = document::merge(legs.into_iter().map(|leg| (leg.name, leg.document)));
        Evaluation::merged(settings, merged, errors)
    }

    fn download(&self) -> Result<Vec<RunArtifact>, Error> {
        let client = self.client.ok_or_else(|| {
            Error::Usage("cannot merge reports: the input `token` is empty".into())
        })?;
        let run = self.context.run_id.parse().map_err(|_| {
            Error::Usage("cannot merge reports: the run is unknown without GITHUB_RUN_ID".into())
        })?;
        let is_wanted = |name: &str| self.names.matches(name);
        let found = client.run_artifacts(run, is_wanted, &[JSON_FILE, ORIGIN_FILE], MAX_REPORTS);
        let found = found.map_err(|error| match error {
            ApiError::Forbidden(message) => {
                Error::with_help(message, "give the job the permission `actions: read`")
            }
            other => Error::Usage(other.to_string()),
        })?;
        if found.matching > found.artifacts.len() {
            return Err(Error::Usage(format!(
                "cannot merge {} reports: the limit is {MAX_REPORTS}",
                found.matching
            )));
        }
        Ok(found.artifacts)
    }
}

/// Parses the reports. Ignores those that were merged from others, such as the result of an earlier
/// attempt.
fn read_legs(artifacts: Vec<RunArtifact>, errors: &mut Vec<Error>) -> Vec<Leg> {
    let mut reader = DocumentReader::default();
    let mut legs = Vec::new();
    for artifact in artifacts {
        let name = &artifact.name;
        let fail =
            |cause: String| Error::Usage(format!("cannot merge the artifact {name}: {cause}"));
        let members = match &artifact.members {
            Ok(members) => members,
            Err(error) => {
                errors.push(fail(error.to_string()));
                continue;
            }
        };
        let origin = members
            .get(ORIGIN_FILE)
            .map(|text| serde_json::from_str(text));
        let origin: RunOrigin = match origin {
            Some(Ok(origin)) => origin,
            _ => {
                errors.push(fail("it is not from leakgate".into()));
                continue;
            }
        };
        if origin.is_merged {
            continue;
        }
        let Some(text) = members.get(JSON_FILE) else {
            errors.push(fail(format!("{JSON_FILE} not found")));
            continue;
        };
        match reader.read(&format!("{name}/{JSON_FILE}"), text) {
            Ok(document) => legs.push(Leg {
                name: artifact.name,
                origin,
                document,
            }),
            Err(diagnostic) => errors.push(Error::Diagnostic(diagnostic)),
        }
    }
    legs
}

/// What is known of a leg without its report.
struct LegState<'a> {
    origin: &'a RunOrigin,
    outcome: Outcome,
}

impl<'a> From<&'a Leg> for LegState<'a> {
    fn from(leg: &'a Leg) -> Self {
        Self {
            origin: &leg.origin,
            outcome: leg.document.verdict.outcome,
        }
    }
}

/// Returns an error for each needed job that may lack a report.
fn missing_jobs(needs: &NeededJobs, legs: &[LegState<'_>]) -> Vec<Error> {
    let error = |(job, needed): (&String, &NeededJob)| {
        let cause = match needed.result.as_str() {
            "success" => return None,
            "failure" => {
                let has_failed =
                    |leg: &LegState<'_>| leg.origin.job == *job && leg.outcome != Outcome::Pass;
                if legs.iter().any(has_failed) {
                    return None;
                }
                "it failed, but not because of one of its reports".to_owned()
            }
            "cancelled" => "it was cancelled".to_owned(),
            "skipped" => "it was skipped".to_owned(),
            other => format!("it has the unknown result `{other}`"),
        };
        Some(Error::Usage(format!(
            "cannot merge all reports of the job `{job}`: {cause}"
        )))
    };
    needs.iter().filter_map(error).collect()
}

/// Returns an error for each job that lacks the report of a leg of its matrix.
fn missing_legs(legs: &[LegState<'_>]) -> Vec<Error> {
    let mut jobs: BTreeMap<&str, (u32, BTreeSet<u32>)> = BTreeMap::new();
    for leg in legs {
        if let Some(matrix_leg) = leg.origin.matrix_leg {
            let (total, found) = jobs.entry(&leg.origin.job).or_default();
            *total = matrix_leg.total.max(*total);
            found.insert(matrix_leg.index);
        }
    }
    let error = |(job, (total, found)): (&str, (u32, BTreeSet<u32>))| {
        let found = found.len();
        (found < total as usize).then(|| {
            Error::Usage(format!(
                "cannot merge all reports of the job `{job}`: only {found} of the {total} legs of \
                 its matrix have uploaded one"
            ))
        })
    };
    jobs.into_iter().filter_map(error).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runner::MatrixLeg;

    fn origin(job: &str, index: u32, total: u32) -> RunOrigin {
        RunOrigin {
            schema: String::new(),
            pull_request: None,
            head_sha: String::new(),
            job: job.into(),
            matrix_leg: Some(MatrixLeg { index, total }),
            is_merged: false,
        }
    }

    #[test]
    fn job_that_may_lack_a_report_is_an_error() {
        let origin = origin("asan", 0, 1);
        let legs = |outcome| {
            [LegState {
                origin: &origin,
                outcome,
            }]
        };
        for (job, result, outcome, want) in [
            ("asan", "success", Outcome::Pass, ""),
            ("asan", "failure", Outcome::Fail, ""),
            ("asan", "failure", Outcome::Error, ""),
            (
                "asan",
                "failure",
                Outcome::Pass,
                "it failed, but not because",
            ),
            (
                "valgrind",
                "failure",
                Outcome::Fail,
                "it failed, but not because",
            ),
            ("valgrind", "cancelled", Outcome::Pass, "it was cancelled"),
            ("valgrind", "skipped", Outcome::Pass, "it was skipped"),
            ("valgrind", "lost", Outcome::Pass, "unknown result `lost`"),
        ] {
            let result = NeededJob {
                result: result.into(),
            };
            let needs = NeededJobs::from([(job.into(), result)]);
            let errors = missing_jobs(&needs, &legs(outcome));
            let text: String = errors.iter().map(ToString::to_string).collect();
            let is_right = if want.is_empty() {
                text.is_empty()
            } else {
                text.contains(want) && text.contains(&format!("`{job}`"))
            };
            assert!(is_right, "{job} {want}: {text}");
        }
    }

    #[test]
    fn missing_leg_of_a_matrix_is_an_error() {
        let origins = [
            origin("asan", 0, 1),
            origin("test", 0, 3),
            origin("test", 2, 3),
            origin("test", 2, 3),
        ];
        let legs = origins.each_ref().map(|origin| LegState {
            origin,
            outcome: Outcome::Pass,
        });
        let errors = missing_legs(&legs);
        assert_eq!(errors.len(), 1);
        let text = errors[0].to_string();
        assert!(text.contains("`test`: only 2 of the 3 legs"), "{text}");
    }
}
