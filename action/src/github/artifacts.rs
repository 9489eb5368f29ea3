//! Artifacts of other runs: those of the base branch of a pull request, and those of a completed
//! run whose results are to be published.
//!
//! A fork can choose any name for its branch and its artifact, so a name alone proves nothing.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::client::Client;
use super::error::ApiError;
use super::request::{ApiRequest, Response, encode_segment};
use super::unpack::{self, extract_members};

/// Maximum number of pages of artifacts to search.
const MAX_PAGES: usize = 10;

/// Maximum number of artifacts whose run is looked up to find the base run.
const MAX_CANDIDATES: usize = 20;

/// Maximum size of the text in all artifacts of a run, in bytes.
const MAX_TOTAL_BYTES: usize = 256 << 20;

const BASE_CONTEXT: &str = "cannot read the results of the base branch";
const RUN_CONTEXT: &str = "cannot read the results of the run";

/// Result of an earlier run on the base branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BaseRun {
    /// Commit of the run.
    pub sha: String,
    /// URL of the run for people.
    pub url: String,
    /// Content of the requested file in the artifact.
    pub text: String,
}

/// The run to compare with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BaseQuery<'a> {
    /// Name of the artifact.
    pub artifact: &'a str,
    /// Name of the file in the artifact.
    pub member: &'a str,
    /// Branch of the repository.
    pub branch: &'a str,
    /// The current run, which is skipped.
    pub current_run: Option<u64>,
    /// Path of the current run's workflow file. Another workflow may use the same name for another
    /// checker. `None` if it is unknown.
    pub workflow: Option<&'a str>,
}

/// An artifact of a run. Its content is untrusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RunArtifact {
    /// Name of the artifact.
    pub name: String,
    /// Content of the requested files that exist, by file name, or the error that kept the artifact
    /// from being read.
    pub members: Result<BTreeMap<String, String>, ApiError>,
}

/// Artifacts of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RunArtifacts {
    /// The artifacts that were read, sorted by name.
    pub artifacts: Vec<RunArtifact>,
    /// Number of artifacts with a wanted name.
    pub matching: usize,
}

/// A page of artifacts.
#[derive(Debug, Deserialize)]
struct ArtifactPage {
    artifacts: Vec<Artifact>,
}

/// An artifact in the API.
#[derive(Debug, Deserialize)]
struct Artifact {
    id: u64,
    name: String,
    expired: bool,
    #[serde(default)]
    created_at: Option<String>,
    #[serde(default)]
    workflow_run: Option<ArtifactRun>,
}

/// The run of an artifact in the API. GitHub may omit any field.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ArtifactRun {
    id: Option<u64>,
    repository_id: Option<u64>,
    head_repository_id: Option<u64>,
    head_branch: Option<String>,
    head_sha: Option<String>,
}

/// A workflow run in the API.
#[derive(Debug, Deserialize)]
struct WorkflowRun {
    html_url: String,
    event: String,
    head_sha: String,
    #[serde(default)]
    head_branch: Option<String>,
    /// Path of the workflow file, which GitHub may follow with `@` and a branch.
    #[serde(default)]
    path: Option<String>,
    repository: Repository,
    #[serde(default)]
    head_repository: Option<Repository>,
}

/// A repository in the API, identified by its id, which never changes.
#[derive(Debug, Deserialize)]
struct Repository {
    id: u64,
}

/// A comparison of two commits in the API.
#[derive(Debug, Deserialize)]
struct Comparison {
    status: String,
}

/// An artifact that claims to be from the base branch.
struct Candidate {
    artifact: u64,
    run: u64,
    repository: u64,
    sha: String,
}

impl Candidate {
    /// Creates a candidate. `None` unless the artifact claims to be from a branch of this name in
    /// the repository itself.
    fn new(artifact: Artifact, branch: &str) -> Option<Self> {
        let run = artifact.workflow_run?;
        let repository = run.repository_id?;
        let is_from_branch = run.head_branch? == branch && run.head_repository_id? == repository;
        (is_from_branch && !artifact.expired).then_some(Self {
            artifact: artifact.id,
            run: run.id?,
            repository,
            sha: run.head_sha?,
        })
    }

    /// Returns true if the run tested this commit of the branch of the repository itself, with the
    /// same workflow: after a push, by a schedule, or started by a person.
    fn is_base(&self, run: &WorkflowRun, query: &BaseQuery<'_>) -> bool {
        const EVENTS: [&str; 3] = ["push", "schedule", "workflow_dispatch"];
        let path = run.path.as_deref().and_then(|path| path.split('@').next());
        let is_same_workflow = path
            .zip(query.workflow)
            .is_none_or(|(path, current)| path == current);
        EVENTS.contains(&run.event.as_str())
            && is_same_workflow
            && run.head_sha == self.sha
            && run.head_branch.as_deref() == Some(query.branch)
            && run.repository.id == self.repository
            && run
                .head_repository
                .as_ref()
                .is_some_and(|head| head.id == self.repository)
    }
}

impl Client {
    /// Returns the file of the newest artifact of this name on the branch.
    ///
    /// The artifact must be from a run of the same workflow on the branch of this repository: after
    /// a push, by a schedule, or started by a person. The branch must still contain the tested
    /// commit.
    pub(crate) fn base_run(&self, query: &BaseQuery<'_>) -> Result<Option<BaseRun>, ApiError> {
        let BaseQuery {
            artifact,
            member,
            branch,
            current_run,
            ..
        } = *query;
        self.block_on(async {
            let name = encode_segment(artifact);
            let path = self.repository_path(&format!("/actions/artifacts?name={name}"));
            let mut artifacts = self.list_artifacts(&path, BASE_CONTEXT).await?;
            artifacts.retain(|found| found.name == artifact);
            artifacts.sort_by(|a, b| (&b.created_at, b.id).cmp(&(&a.created_at, a.id)));
            let candidates = artifacts
                .into_iter()
                .filter_map(|artifact| Candidate::new(artifact, branch))
                .filter(|candidate| Some(candidate.run) != current_run)
                .take(MAX_CANDIDATES);
            for candidate in candidates {
                let Some(url) = self.verify_candidate(&candidate, query).await? else {
                    continue;
                };
                let Some(mut members) = self
                    .download_members(candidate.artifact, &[member], BASE_CONTEXT)
                    .await?
                else {
                    continue;
                };
                let Some(text) = members.remove(member) else {
                    continue;
                };
                return Ok(Some(BaseRun {
                    sha: candidate.sha,
                    url,
                    text,
                }));
            }
            Ok(None)
        })
    }

    /// Returns the URL of the candidate's run. `None` unless the run can be compared with, and the
    /// branch still contains the commit.
    async fn verify_candidate(
        &self,
        candidate: &Candidate,
        query: &BaseQuery<'_>,
    ) -> Result<Option<String>, ApiError> {
        let path = self.repository_path(&format!("/actions/runs/{}", candidate.run));
        let Some(response) = self.get_if_exists(path).await? else {
            return Ok(None);
        };
        let run: WorkflowRun = response.json(BASE_CONTEXT)?;
        if !candidate.is_base(&run, query) {
            return Ok(None);
        }
        let range = format!(
            "{}...{}",
            encode_segment(&candidate.sha),
            encode_segment(query.branch)
        );
        let path = self.repository_path(&format!("/compare/{range}?per_page=1"));
        let Some(response) = self.get_if_exists(path).await? else {
            return Ok(None);
        };
        let comparison: Comparison = response.json(BASE_CONTEXT)?;
        Ok(matches!(comparison.status.as_str(), "ahead" | "identical").then_some(run.html_url))
    }

    async fn get_if_exists(&self, path: String) -> Result<Option<Response>, ApiError> {
        let response = self
            .send_idempotent(&ApiRequest::get(path, BASE_CONTEXT).allow_not_found())
            .await?;
        Ok(response.status.is_success().then_some(response))
    }

    /// Reads files of those artifacts of a run whose name `is_wanted` accepts, at most `max` of
    /// them. If artifacts share a name, the newest counts.
    ///
    /// Any contributor may have started the run, so the content is untrusted.
    pub(crate) fn run_artifacts(
        &self,
        run: u64,
        is_wanted: impl Fn(&str) -> bool,
        wanted_members: &[&str],
        max: usize,
    ) -> Result<RunArtifacts, ApiError> {
        self.block_on(async {
            let path = self.repository_path(&format!("/actions/runs/{run}/artifacts?"));
            let found = self.list_artifacts(&path, RUN_CONTEXT).await?;
            let is_from_run = |artifact: &Artifact| {
                artifact
                    .workflow_run
                    .as_ref()
                    .is_none_or(|origin| origin.id == Some(run))
            };
            let mut newest = BTreeMap::new();
            for artifact in found
                .into_iter()
                .filter(|a| !a.expired && is_wanted(&a.name) && is_from_run(a))
            {
                let id = newest.entry(artifact.name).or_insert(artifact.id);
                *id = artifact.id.max(*id);
            }
            let matching = newest.len();
            let mut artifacts = Vec::new();
            let mut total = 0;
            for (name, id) in newest.into_iter().take(max) {
                // An artifact that can't be read doesn't affect the rest.
                let members = match self.download_members(id, wanted_members, RUN_CONTEXT).await {
                    Ok(Some(members)) => {
                        total += members.values().map(String::len).sum::<usize>();
                        if total > MAX_TOTAL_BYTES {
                            Err(total_size_error())
                        } else {
                            Ok(members)
                        }
                    }
                    Ok(None) => continue,
                    Err(error) => Err(error),
                };
                artifacts.push(RunArtifact { name, members });
            }
            Ok(RunArtifacts {
                artifacts,
                matching,
            })
        })
    }

    /// Returns the artifacts on all pages of a list, whose path has a query or ends with `?`.
    async fn list_artifacts(&self, path: &str, context: &str) -> Result<Vec<Artifact>, ApiError> {
        let mut artifacts = Vec::new();
        for page in 1..=MAX_PAGES {
            let separator = if path.ends_with('?') { "" } else { "&" };
            let page_path = format!("{path}{separator}per_page=100&page={page}");
            let response = self
                .send_idempotent(&ApiRequest::get(page_path, context))
                .await?;
            let found: ArtifactPage = response.json(context)?;
            artifacts.extend(found.artifacts);
            if !response.has_next_page() {
                break;
            }
        }
        Ok(artifacts)
    }

    /// Returns files of an artifact, or `None` if the artifact no longer exists.
    async fn download_members(
        &self,
        id: u64,
        wanted: &[&str],
        context: &str,
    ) -> Result<Option<BTreeMap<String, String>>, ApiError> {
        let path = self.repository_path(&format!("/actions/artifacts/{id}/zip"));
        let request = ApiRequest {
            max_file_bytes: Some(unpack::MAX_ARCHIVE_BYTES),
            ..ApiRequest::get(path, context).allow_not_found()
        };
        let response = self.send_idempotent(&request).await?;
        if !response.status.is_success() {
            return Ok(None);
        }
        extract_members(&response.body, wanted)
            .map(Some)
            .map_err(|cause| ApiError::Other(format!("{context}: artifact {id}: {cause}")))
    }
}

fn total_size_error() -> ApiError {
    let limit = MAX_TOTAL_BYTES >> 20;
    ApiError::Other(format!(
        "{RUN_CONTEXT}: its artifacts contain more than {limit} MiB of text"
    ))
}
