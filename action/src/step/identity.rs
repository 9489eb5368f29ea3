//! The name of a step's results, and what distinguishes the step from all others.
//!
//! The artifact, the check run, the comment and the code scanning category have the same name.
//! Unless the user chooses one, it consists of the workflow file, the job and the values of the
//! matrix, so that no step overwrites the results of another.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::github::Origin;
use crate::output;
use crate::runner::{self, Context};

/// First part of every default name.
const PREFIX: &str = "leakgate";

/// Maximum length of a default name, in bytes.
const MAX_DEFAULT_NAME: usize = 100;

/// File in the runner's directory for temporary files with the names that the job uses, one per
/// line. The runner empties this directory before each job.
const NAMES_FILE: &str = "leakgate-names";

/// Name and identity of a step.
#[derive(Clone, Debug)]
pub(crate) struct StepIdentity {
    /// Name of the results.
    pub(crate) name: String,
    /// The job and its matrix values, such as `test gcc 14`, or what else distinguishes this step
    /// from others of the same name.
    pub(crate) label: String,
    /// What identifies the step in check runs and comments.
    pub(crate) origin: Origin,
}

impl StepIdentity {
    /// Determines the identity of the current step. `chosen` is the name that the user chose.
    ///
    /// If an earlier step of the job uses the name, a number is added to it.
    pub(crate) fn of_step(
        chosen: Option<&str>,
        context: &Context,
        temporary: Option<&Path>,
    ) -> Result<Self, Error> {
        let base = chosen.map_or_else(|| default_name(context), str::to_owned);
        let name = match temporary.map_or(1, |folder| count_use(&base, folder)) {
            1 => base,
            count => {
                let name = format!("{base}-{count}");
                output::note(&format!(
                    "an earlier step of this job uses the name {base}, so this step uses {name}"
                ));
                name
            }
        };
        let label: Vec<&str> = job_and_matrix(context).collect();
        Ok(Self {
            name,
            label: label.join(" "),
            origin: Origin {
                run: context.run_id.parse().unwrap_or(0),
                attempt: context.run_attempt.parse().unwrap_or(1),
                leg: hash(context.workflow.as_deref().into_iter().chain(label)),
                nonce: runner::random_hex()?,
            },
        })
    }

    /// Returns the identity for the results of an artifact that another run uploaded.
    pub(crate) fn of_artifact(name: &str, run: &Origin) -> Self {
        Self {
            name: name.to_owned(),
            label: format!("run {}", run.run),
            origin: Origin {
                leg: hash([name]),
                ..run.clone()
            },
        }
    }

    /// Returns the first line of the comment.
    pub(crate) fn comment_marker(&self) -> String {
        format!("<!-- leakgate: {} {} -->", self.name, self.origin.leg)
    }

    /// Returns the name for a check run whose plain name would hide the failure of another step.
    pub(crate) fn distinct_name(&self, name: &str) -> String {
        match self.label.as_str() {
            "" => format!("{name} (2)"),
            label => format!("{name} ({label})"),
        }
    }
}

fn job_and_matrix(context: &Context) -> impl Iterator<Item = &str> {
    let parts = std::iter::once(&context.job).chain(&context.matrix);
    parts.map(String::as_str).filter(|part| !part.is_empty())
}

/// Returns a name such as `leakgate-memory-test-gcc-14`, which is valid as the name of an artifact.
fn default_name(context: &Context) -> String {
    let workflow = context
        .workflow
        .as_deref()
        .and_then(|path| Path::new(path).file_stem()?.to_str());
    let workflow = workflow.filter(|stem| *stem != context.job);
    let words: Vec<String> = workflow
        .into_iter()
        .chain(job_and_matrix(context))
        .map(to_word)
        .filter(|word| !word.is_empty())
        .collect();
    let mut name = [&[PREFIX.to_owned()], &words[..]].concat().join("-");
    if name.len() > MAX_DEFAULT_NAME {
        let digits = &hash([name.as_str()])[..8];
        name.truncate(MAX_DEFAULT_NAME - digits.len() - 1);
        name = format!("{}-{digits}", name.trim_end_matches('-'));
    }
    name
}

/// Reduces text to ASCII letters, digits and `._+`, with single hyphens in place of the rest.
fn to_word(text: &str) -> String {
    let is_kept = |c: char| c.is_ascii_alphanumeric() || "._+".contains(c);
    let parts = text.split(|c| !is_kept(c)).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("-")
}

/// Counts the uses of a name in this job, including this one. If the file can't be read or written,
/// this is the only one.
fn count_use(name: &str, folder: &Path) -> usize {
    let path = folder.join(NAMES_FILE);
    let used = fs::read_to_string(&path).unwrap_or_default();
    let file = OpenOptions::new().append(true).create(true).open(path);
    // If this fails, check runs and comments still don't overwrite each other.
    let _ = file.and_then(|mut file| writeln!(file, "{name}"));
    // Some services and file systems ignore case.
    1 + used
        .lines()
        .filter(|line| line.eq_ignore_ascii_case(name))
        .count()
}

/// Returns 16 hexadecimal digits that identify these texts.
pub(crate) fn hash<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update(text.as_bytes());
        hash.update([0]);
    }
    let digits = hash.finalize();
    digits[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::inputs::validate_artifact_name;

    fn context(workflow: &str, job: &str, matrix: &[&str]) -> Context {
        Context {
            workflow: Some(workflow.to_owned()).filter(|path| !path.is_empty()),
            job: job.into(),
            matrix: matrix.iter().map(|value| (*value).into()).collect(),
            run_id: "7".into(),
            run_attempt: "2".into(),
            ..Context::default()
        }
    }

    #[test]
    fn default_name_is_valid_and_differs_by_workflow_job_and_matrix() {
        let memory = ".github/workflows/memory.yml";
        let long = "-fsanitize=address,undefined ".repeat(9);
        for (workflow, job, matrix, want) in [
            (memory, "test", &[][..], "leakgate-memory-test"),
            (
                memory,
                "test",
                &["gcc", "14"],
                "leakgate-memory-test-gcc-14",
            ),
            (memory, "test", &["g++"], "leakgate-memory-test-g++"),
            (memory, "memory", &[], "leakgate-memory"),
            (
                memory,
                "a--b",
                &["c:\\d/*?", "ü"],
                "leakgate-memory-a-b-c-d",
            ),
            ("", "", &[], "leakgate"),
            (
                memory,
                "test",
                &[&long],
                "leakgate-memory-test-fsanitize-address-undefined",
            ),
        ] {
            let name = default_name(&context(workflow, job, matrix));
            assert!(
                name == want || name.len() > 90 && name.starts_with(want),
                "{name}"
            );
            assert!(name.len() <= MAX_DEFAULT_NAME && validate_artifact_name(&name).is_ok());
        }
        let other = default_name(&context(memory, "test", &[&format!("{long}-O1")]));
        assert_ne!(other, default_name(&context(memory, "test", &[&long])));
    }

    #[test]
    fn name_that_a_job_uses_again_gets_a_number() {
        let dir = tempfile::tempdir().unwrap();
        let context = context(".github/workflows/ci.yml", "test", &[]);
        let name = |chosen: Option<&str>| {
            let identity = StepIdentity::of_step(chosen, &context, Some(dir.path()));
            identity.unwrap().name
        };
        assert_eq!(name(None), "leakgate-ci-test");
        assert_eq!(name(Some("asan")), "asan");
        assert_eq!(name(None), "leakgate-ci-test-2");
        assert_eq!(name(Some("ASan")), "ASan-2");
        assert_eq!(name(None), "leakgate-ci-test-3");
    }

    #[test]
    fn leg_is_the_same_in_every_run_and_differs_between_jobs() {
        let identity =
            |context: &Context| StepIdentity::of_step(Some("leakgate"), context, None).unwrap();
        let first = context(".github/workflows/ci.yml", "test", &["gcc"]);
        let next = Context {
            run_id: "8".into(),
            ..first.clone()
        };
        assert_eq!(identity(&first).origin.leg, identity(&next).origin.leg);
        assert_ne!(identity(&first).origin.nonce, identity(&first).origin.nonce);
        assert_eq!(identity(&first).distinct_name("x"), "x (test gcc)");
        for other in [
            context(".github/workflows/ci.yml", "test", &["clang"]),
            context(".github/workflows/ci.yml", "tests", &["gcc"]),
            context(".github/workflows/memory.yml", "test", &["gcc"]),
        ] {
            assert_ne!(identity(&first).origin.leg, identity(&other).origin.leg);
            assert_ne!(
                identity(&first).comment_marker(),
                identity(&other).comment_marker()
            );
        }
    }
}
