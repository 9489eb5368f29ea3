//! `leakgate publish`: reports the results of a run whose token was read-only, from its artifacts.
//!
//! It runs in a separate workflow (`on: workflow_run`), with a token that can write. The artifacts
//! are untrusted, because the author of a pull request controls what its run uploads. The reports
//! say so, and never count as a success.

use leakgate_core::document::{Document, UntrustedDocument};
use leakgate_core::emit::{self, RenderOptions, Run};
use leakgate_core::{Disposition, Gate, Outcome, Policy};

use crate::error::{Error, Status};
use crate::github::{
    Access, ApiError, Client, CommentUpdate, Origin, PullHead, PullRequest, RetryPolicy,
    RunArtifact, RunArtifacts,
};
use crate::output;
use crate::report::{self, GithubReport, Links, ReportLog, UNVERIFIED};
use crate::runner::{self, Context, StepOutputs, WorkflowRun};
use crate::settings;
use crate::step::identity::{self, StepIdentity};
use crate::step::inputs::{self, ArtifactNames, CommentMode, ReportSettings};
use crate::step::{JSON_FILE, ORIGIN_FILE, ORIGIN_SCHEMA, RunOrigin};

/// First line of the comment. All artifacts of a workflow share a comment, because their names are
/// untrusted.
fn marker(run: &WorkflowRun) -> String {
    let workflow = run
        .path
        .as_deref()
        .map_or(String::new(), |path| format!(" {}", identity::hash([path])));
    format!("<!-- leakgate: published{workflow} -->")
}

/// Default of the input `name`: all artifacts with a default name of the action.
const DEFAULT_NAMES: &str = "leakgate*";

/// Maximum number of artifacts to publish of a run.
const MAX_ARTIFACTS: usize = 20;

/// Runs the command. It has no verdict of its own, so results that can't be reported only cause
/// warnings. The output `done` proves to the action that the command ran.
pub(crate) fn run() -> Result<Status, Error> {
    let outputs = StepOutputs::from_env(&runner::variable);
    let result = publish().and_then(|()| outputs.set(&[("done", "true".into())]));
    if let Err(error) = &result {
        // If this fails, too, the first error is the one to report.
        let _ = runner::error(&error.to_string());
    }
    result.map(|()| Status::Pass)
}

fn publish() -> Result<(), Error> {
    let names = ArtifactNames::from_env(&runner::variable, "LEAKGATE_NAME")
        .unwrap_or_else(|| ArtifactNames::new(vec![DEFAULT_NAMES.into()]));
    let mut errors = Vec::new();
    let settings = ReportSettings::from_env(
        &runner::variable,
        CommentMode::VALUES_WITHOUT_BASE,
        &mut errors,
    );
    if !errors.is_empty() {
        return Err(Error::Several(errors));
    }
    let context = Context::from_env(&runner::variable);
    let completed_run = context
        .completed_run
        .as_ref()
        .ok_or_else(|| usage_error("must run in a workflow with `on: workflow_run`"))?;
    let access = access(&settings, &context)?;
    if completed_run.event != "pull_request"
        || !completed_run.may_have_had_read_only_token(context.repository_id)
    {
        output::note("nothing to publish: the run was able to report its results itself");
        return Ok(());
    }
    let client = Client::new(&access, RetryPolicy::default())
        .map_err(|error| Error::Usage(error.to_string()))?;
    if has_reported(&client, completed_run)? {
        output::note("nothing to publish: the run has reported its results itself");
        return Ok(());
    }
    let artifacts = download_artifacts(&client, completed_run, &names)?;
    Publisher {
        client: &client,
        completed_run,
        settings: &settings,
        links: Links::new(
            &context,
            &completed_run.head_sha,
            Some(&completed_run.html_url),
            true,
        ),
        origin: Origin {
            run: completed_run.id,
            attempt: completed_run.run_attempt.unwrap_or(1),
            leg: String::new(),
            nonce: runner::random_hex()?,
        },
    }
    .publish(&artifacts)
    .print()
}

/// Returns true if the run has created a check run, because its token could write after all. False
/// if this token may not read check runs; then it may not create them, either.
fn has_reported(client: &Client, run: &WorkflowRun) -> Result<bool, Error> {
    let is_own = |name: &str, origin: &Origin| {
        let is_attempt = run
            .run_attempt
            .is_none_or(|attempt| attempt == origin.attempt);
        // Earlier publications name the run as their origin, too.
        origin.run == run.id && is_attempt && !name.contains(UNVERIFIED)
    };
    match client.has_check_run(&run.head_sha, is_own) {
        Err(ApiError::Forbidden(_)) => Ok(false),
        other => other.map_err(|error| Error::Usage(error.to_string())),
    }
}

fn usage_error(message: &str) -> Error {
    Error::Usage(format!("leakgate publish {message}"))
}

fn access(settings: &ReportSettings, context: &Context) -> Result<Access, Error> {
    let token = settings
        .token
        .clone()
        .ok_or_else(|| usage_error("needs the input `token`"))?;
    let (owner, name) = context
        .repository
        .clone()
        .ok_or_else(|| usage_error("needs GITHUB_REPOSITORY"))?;
    Ok(Access {
        api: context.api.clone(),
        token,
        owner,
        name,
    })
}

/// Downloads the artifacts of the run whose names match. Notes if these are none or too many.
fn download_artifacts(
    client: &Client,
    run: &WorkflowRun,
    names: &ArtifactNames,
) -> Result<Vec<RunArtifact>, Error> {
    let found = client
        .run_artifacts(
            run.id,
            |artifact| names.matches(artifact),
            &[JSON_FILE, ORIGIN_FILE],
            MAX_ARTIFACTS,
        )
        .map_err(|error| Error::Usage(error.to_string()))?;
    let RunArtifacts {
        artifacts,
        matching,
    } = found;
    if artifacts.is_empty() {
        output::note(&format!(
            "nothing to publish: the run has no artifact named {}",
            names.list()
        ));
    } else if matching > artifacts.len() {
        output::note(&format!(
            "publishing {} of {matching} matching artifacts of the run",
            artifacts.len()
        ));
    }
    Ok(artifacts)
}

/// Publishes the artifacts of a completed run.
struct Publisher<'a> {
    client: &'a Client,
    completed_run: &'a WorkflowRun,
    settings: &'a ReportSettings,
    links: Links,
    /// The completed run, as the origin of the results.
    origin: Origin,
}

impl Publisher<'_> {
    fn publish(&self, artifacts: &[RunArtifact]) -> ReportLog {
        let mut log = ReportLog::default();
        let mut documents = Vec::new();
        for artifact in artifacts {
            match parse_document(artifact) {
                Ok(document) => documents.push((artifact, document)),
                Err(cause) => log.warn(format!(
                    "cannot publish the artifact {} of {}: {cause}",
                    artifact.name, self.completed_run.html_url
                )),
            }
        }
        let pull = self.pull_request(artifacts).unwrap_or_else(|error| {
            log.warn(error);
            None
        });
        let mut sections = Vec::new();
        let mut is_clean = true;
        let budget = report::comment_budget() / documents.len().max(1);
        for (artifact, document) in &documents {
            let heading = if documents.len() > 1 {
                format!("### `{}`\n\n", artifact.name.replace('`', "'"))
            } else {
                String::new()
            };
            let budget = budget - heading.chars().count();
            let section = self.publish_artifact(artifact, document, budget, &mut log);
            is_clean &= document.verdict.outcome == Outcome::Pass;
            sections.push(format!("{heading}{section}"));
        }
        if let Some(pull) = pull.filter(|_| !sections.is_empty()) {
            let may_create = !is_clean || self.settings.comment == CommentMode::Always;
            // Untrusted results never remove the comment.
            let update = CommentUpdate {
                pull: pull.number,
                marker: &marker(self.completed_run),
                origin: &self.origin,
                text: Some(&sections.concat()),
                may_create,
            };
            log.update_comment(self.client, self.settings, &update);
        }
        log
    }

    /// Creates the check run of an artifact, and returns its section of the comment.
    fn publish_artifact(
        &self,
        artifact: &RunArtifact,
        document: &Document,
        budget: usize,
        log: &mut ReportLog,
    ) -> String {
        let untrusted = UntrustedDocument::new(document);
        let gate = Gate::new(Policy::default(), settings::today());
        let triage = untrusted.triage(document, &gate);
        // Untrusted results must not quote source code, so the run has no sources.
        let run = Run::new(&document.parsed, &gate, &triage, &document.verdict)
            .with_workspace(&untrusted);
        let identity = StepIdentity::of_artifact(&artifact.name, &self.origin);
        let url = &self.completed_run.html_url;
        let report = GithubReport {
            run: &run,
            settings: self.settings,
            identity: &identity,
            head_sha: &self.completed_run.head_sha,
            mismatch: None,
            links: &self.links,
            url: Some(url.clone()),
            disclaimer: Some(format!(
                "These results come from [a run]({url}) of this pull request and are not verified: \
                 a change to the code can also change the results that its run reports."
            )),
            new_findings: 0,
            annotations: &emit::annotations(&run),
            closing_note: None,
        };
        report.create_check_run(
            self.client,
            &report.markdown(RenderOptions::DEFAULT_MAX_CHARACTERS),
            log,
        );
        report.markdown(budget)
    }

    /// Returns the open pull request whose newest commit the run was for. If there are several, the
    /// artifact selects one of them.
    fn pull_request(&self, artifacts: &[RunArtifact]) -> Result<Option<PullRequest>, String> {
        let run = self.completed_run;
        let (Some(repository), Some(branch)) = (&run.head_repository, &run.head_branch) else {
            return Ok(None);
        };
        let Some(owner) = &repository.owner else {
            return Ok(None);
        };
        let head = PullHead {
            repository: repository.id,
            owner: &owner.login,
            branch,
            sha: &run.head_sha,
        };
        let mut pulls = self
            .client
            .open_pulls(head)
            .map_err(|error| error.to_string())?;
        if pulls.len() > 1 {
            let claimed = artifacts
                .iter()
                .filter_map(|artifact| artifact.members.as_ref().ok()?.get(ORIGIN_FILE))
                .filter_map(|text| serde_json::from_str::<RunOrigin>(text).ok())
                .find(|origin| origin.schema == ORIGIN_SCHEMA)
                .and_then(|origin| origin.pull_request);
            pulls.retain(|pull| Some(pull.number) == claimed);
        }
        Ok(pulls.into_iter().next())
    }
}

/// Parses the JSON report of an artifact. If it claims to pass despite unexpected findings or
/// reasons to fail, the outcome becomes a failure.
fn parse_document(artifact: &RunArtifact) -> Result<Document, String> {
    inputs::validate_artifact_name(&artifact.name).map_err(|error| error.to_string())?;
    let members = artifact.members.as_ref().map_err(ToString::to_string)?;
    let text = members
        .get(JSON_FILE)
        .ok_or_else(|| format!("{JSON_FILE} not found"))?;
    let mut document = Document::read(JSON_FILE, text).map_err(|error| error.to_string())?;
    let is_clean = document
        .findings
        .iter()
        .all(|finding| finding.disposition() != Disposition::Unexpected);
    if document.verdict.outcome == Outcome::Pass
        && !(is_clean && document.verdict.reasons.is_empty())
    {
        document.verdict.outcome = Outcome::Fail;
    }
    Ok(document)
}
