//! Check runs.
//!
//! A check run is created without annotations, which follow in batches that GitHub appends. An
//! invalid annotation therefore can't prevent the verdict from being reported. If the response to a
//! batch is lost, the number of annotations that GitHub has shows where to resume.
//!
//! Branch protection looks at the newest check run of a name. A failure is therefore complete as
//! soon as it is created. A success is created as in progress, and completed only after a look at
//! the other check runs: see [`collision`].

mod collision;

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::Client;
use super::error::ApiError;
use super::origin::Origin;
use super::request::{ApiRequest, encode_segment};
use super::sanitize::{self, Annotation};

/// Maximum number of annotations in a request.
const BATCH_SIZE: usize = 50;

/// Maximum number of rejected batches that the client splits to find the invalid annotations.
const MAX_SPLITS: usize = 64;

/// Maximum number of pages of check runs to search.
const MAX_PAGES: usize = 10;

const CREATE_CONTEXT: &str = "cannot create the check run";
const LIST_CONTEXT: &str = "cannot read the check runs of the commit";
const ANNOTATE_CONTEXT: &str = "cannot add annotations to the check run";

/// A completed check run.
#[derive(Clone, Debug)]
pub(crate) struct CheckRun {
    /// Name, which branch protection rules refer to.
    pub name: String,
    /// Commit that was checked.
    pub head_sha: String,
    /// Name to use instead if a success with the plain name would hide the failure of another step.
    pub fallback_name: String,
    /// Step that creates the check run. It must be unique among the check runs of this name and
    /// commit.
    pub origin: Origin,
    /// URL with more details.
    pub details_url: Option<String>,
    /// Result of the check.
    pub conclusion: Conclusion,
    /// Title of the report.
    pub title: String,
    /// Summary, in Markdown.
    pub summary: String,
    /// Details below the summary, in Markdown.
    pub text: Option<String>,
    /// Annotations, in the order in which GitHub shows them.
    pub annotations: Vec<Annotation>,
}

/// Result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conclusion {
    /// The check passed.
    Success,
    /// The check failed.
    Failure,
    /// The check doesn't count. Branch protection accepts it like a success.
    Neutral,
}

impl Conclusion {
    /// Returns the value in the API.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Neutral => "neutral",
        }
    }
}

/// A check run that was created on GitHub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PostedCheckRun {
    /// URL of the check run for people.
    pub url: Option<String>,
    /// True if another step failed under the same name, or if the client could not find out, so the
    /// check run has its fallback name.
    pub is_renamed: bool,
    /// Number of annotations that GitHub accepted.
    pub annotations: usize,
    /// Number of annotations that were not sent, because their paths are not in the repository.
    pub unsent: usize,
    /// Number of annotations that GitHub rejected.
    pub rejected: usize,
    /// Indices of all annotations that the check run doesn't show.
    pub missing: Vec<usize>,
    /// Why the remaining annotations, if any, were not added.
    pub error: Option<ApiError>,
}

/// An annotation to send, with its index in the check run.
#[derive(Debug)]
struct IndexedAnnotation {
    index: usize,
    json: Value,
}

/// A check run in the API.
#[derive(Debug, Deserialize)]
struct ApiCheckRun {
    id: u64,
    #[serde(default)]
    html_url: Option<String>,
    #[serde(default)]
    external_id: Option<String>,
    #[serde(default)]
    name: String,
    /// `None` while the check run is in progress.
    #[serde(default)]
    conclusion: Option<String>,
    #[serde(default)]
    output: ApiOutput,
}

impl ApiCheckRun {
    /// Returns the step that created the check run. `None` if another program did.
    fn origin(&self) -> Option<Origin> {
        Origin::from_external_id(self.external_id.as_deref()?)
    }
}

/// The output of a check run in the API.
#[derive(Debug, Default, Deserialize)]
struct ApiOutput {
    #[serde(default)]
    annotations_count: usize,
}

/// A page of check runs.
#[derive(Debug, Deserialize)]
struct CheckRunPage {
    check_runs: Vec<ApiCheckRun>,
}

impl Client {
    /// Creates a check run and adds its annotations.
    pub(crate) fn create_check_run(&self, run: &CheckRun) -> Result<PostedCheckRun, ApiError> {
        self.block_on(self.post_check_run(run))
    }

    async fn post_check_run(&self, run: &CheckRun) -> Result<PostedCheckRun, ApiError> {
        let output = sanitize::output(&run.title, &run.summary, run.text.as_deref());
        let created = self.post_without_annotations(run, &output).await?;
        let is_renamed = run.conclusion != Conclusion::Failure
            && self.complete(run, created.id, &output).await?;
        let mut annotations = Vec::new();
        let mut missing = Vec::new();
        for (index, annotation) in run.annotations.iter().enumerate() {
            match sanitize::annotation(annotation) {
                Some(json) => annotations.push(IndexedAnnotation { index, json }),
                None => missing.push(index),
            }
        }
        let posted = PostedCheckRun {
            url: created.html_url,
            is_renamed,
            annotations: created.output.annotations_count,
            unsent: missing.len(),
            rejected: 0,
            missing,
            error: None,
        };
        let posted =
            Box::pin(self.add_annotations(created.id, &output, &annotations, posted)).await;
        Ok(PostedCheckRun {
            error: posted.error.map(|error| self.redact_token(error)),
            ..posted
        })
    }

    async fn post_without_annotations(
        &self,
        run: &CheckRun,
        output: &Value,
    ) -> Result<ApiCheckRun, ApiError> {
        let mut body = json!({
            "name": run.name,
            "head_sha": run.head_sha,
            "external_id": run.origin.external_id(),
            "status": "in_progress",
            "output": output,
        });
        if run.conclusion == Conclusion::Failure {
            body["status"] = "completed".into();
            body["conclusion"] = run.conclusion.as_str().into();
        }
        if let Some(url) = &run.details_url {
            body["details_url"] = url.as_str().into();
        }
        let path = self.repository_path("/check-runs");
        let request = ApiRequest::new(Method::POST, path, CREATE_CONTEXT).with_body(body);
        self.send_once(
            &request,
            |response| response.json(CREATE_CONTEXT),
            async || self.find_check_run(run).await,
        )
        .await
    }

    /// Returns true if the commit has a check run that leakgate created and that is wanted, by its
    /// name and its origin.
    pub(crate) fn has_check_run(
        &self,
        sha: &str,
        is_wanted: impl Fn(&str, &Origin) -> bool,
    ) -> Result<bool, ApiError> {
        let found = self.block_on(self.list_check_runs(sha, None))?;
        Ok(found.iter().any(|run| {
            run.origin()
                .is_some_and(|origin| is_wanted(&run.name, &origin))
        }))
    }

    /// Returns the check run if an attempt that seemed to fail has created it.
    async fn find_check_run(&self, run: &CheckRun) -> Result<Option<ApiCheckRun>, ApiError> {
        let found = self.list_check_runs(&run.head_sha, Some(&run.name)).await?;
        Ok(found
            .into_iter()
            .find(|found| found.origin().as_ref() == Some(&run.origin)))
    }

    /// Returns the check runs of a commit, or only those with this name.
    async fn list_check_runs(
        &self,
        sha: &str,
        name: Option<&str>,
    ) -> Result<Vec<ApiCheckRun>, ApiError> {
        let filter = name.map_or(String::new(), |name| {
            format!("check_name={}&", encode_segment(name))
        });
        let mut all = Vec::new();
        for page in 1..=MAX_PAGES {
            let path = self.repository_path(&format!(
                "/commits/{}/check-runs?{filter}filter=all&per_page=100&page={page}",
                encode_segment(sha)
            ));
            let response = self
                .send_idempotent(&ApiRequest::get(path, LIST_CONTEXT))
                .await?;
            let found: CheckRunPage = response.json(LIST_CONTEXT)?;
            let is_wanted = |found: &ApiCheckRun| name.is_none_or(|name| found.name == name);
            all.extend(found.check_runs.into_iter().filter(is_wanted));
            if !response.has_next_page() {
                break;
            }
        }
        Ok(all)
    }

    /// Adds annotations, in order. A batch that GitHub rejects is halved until only its invalid
    /// annotations are left.
    async fn add_annotations(
        &self,
        id: u64,
        output: &Value,
        annotations: &[IndexedAnnotation],
        mut posted: PostedCheckRun,
    ) -> PostedCheckRun {
        let mut batches: Vec<_> = annotations.chunks(BATCH_SIZE).rev().collect();
        let mut splits = 0;
        while let Some(batch) = batches.pop() {
            match self.add_batch(id, output, batch, posted.annotations).await {
                Ok(added) => {
                    posted.annotations += added;
                    batches.extend(Some(&batch[added..]).filter(|rest| !rest.is_empty()));
                }
                Err(ApiError::Invalid(_)) if batch.len() == 1 || splits == MAX_SPLITS => {
                    posted.rejected += batch.len();
                    posted.missing.extend(batch.iter().map(|i| i.index));
                }
                Err(ApiError::Invalid(_)) => {
                    splits += 1;
                    let (first, second) = batch.split_at(batch.len() / 2);
                    batches.extend([second, first]);
                }
                Err(error) => {
                    let unsent = batches.iter().copied().chain([batch]).flatten();
                    posted.missing.extend(unsent.map(|i| i.index));
                    return PostedCheckRun {
                        error: Some(error),
                        ..posted
                    };
                }
            }
        }
        posted
    }

    /// Appends a batch to the `previous` annotations that GitHub has, and returns how many of the
    /// batch were added.
    async fn add_batch(
        &self,
        id: u64,
        output: &Value,
        batch: &[IndexedAnnotation],
        previous: usize,
    ) -> Result<usize, ApiError> {
        let path = self.repository_path(&format!("/check-runs/{id}"));
        // Title and summary are sent again, because GitHub removes omitted fields of an output.
        let mut output = output.clone();
        output["annotations"] = batch.iter().map(|i| i.json.clone()).collect();
        let request = ApiRequest::new(Method::PATCH, path.clone(), ANNOTATE_CONTEXT)
            .with_body(json!({ "output": output }));
        let find_added = async || {
            let run: ApiCheckRun = self
                .send_idempotent(&ApiRequest::get(path.clone(), ANNOTATE_CONTEXT))
                .await?
                .json(ANNOTATE_CONTEXT)?;
            let added = run
                .output
                .annotations_count
                .saturating_sub(previous)
                .min(batch.len());
            Ok(Some(added).filter(|added| *added > 0))
        };
        self.send_once(&request, |_| Ok(batch.len()), find_added)
            .await
    }
}
