//! Finds the pull requests of a commit, because the event of a fork's run doesn't name them.

use serde::Deserialize;

use super::client::Client;
use super::error::ApiError;
use super::request::{ApiRequest, encode_segment};

/// Maximum number of pages of pull requests to search.
const MAX_PAGES: usize = 10;

const CONTEXT: &str = "cannot read the pull requests of the commit";

/// The head of a pull request, in this repository or in a fork.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PullHead<'a> {
    /// Id of the repository that contains the branch.
    pub repository: u64,
    /// Owner of that repository.
    pub owner: &'a str,
    /// Name of the branch.
    pub branch: &'a str,
    /// Newest commit of the branch.
    pub sha: &'a str,
}

/// An open pull request of this repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PullRequest {
    /// Number of the pull request.
    pub number: u64,
    /// Newest commit of its branch.
    pub head_sha: String,
    /// Name of the branch that it is to be merged into.
    pub base_ref: String,
    /// Newest commit of that branch.
    pub base_sha: String,
    /// URL of the pull request for people.
    pub url: String,
}

/// A pull request in the API.
#[derive(Debug, Deserialize)]
struct ApiPullRequest {
    number: u64,
    html_url: String,
    state: String,
    head: ApiBranch,
    base: ApiBranch,
}

/// The head or the base of a pull request in the API.
#[derive(Debug, Deserialize)]
struct ApiBranch {
    r#ref: String,
    sha: String,
    /// `None` if the fork was deleted.
    #[serde(default)]
    repo: Option<Repository>,
}

/// A repository in the API, identified by its id, which never changes.
#[derive(Debug, Deserialize)]
struct Repository {
    id: u64,
}

impl Client {
    /// Returns the open pull requests of this repository with exactly this head: repository, branch
    /// and newest commit.
    pub(crate) fn open_pulls(&self, head: PullHead<'_>) -> Result<Vec<PullRequest>, ApiError> {
        self.block_on(async {
            let mut pulls = Vec::new();
            for page in 1..=MAX_PAGES {
                let query = format!(
                    "state=open&head={}:{}&per_page=100&page={page}",
                    encode_segment(head.owner),
                    encode_segment(head.branch)
                );
                let path = self.repository_path(&format!("/pulls?{query}"));
                let response = self
                    .send_idempotent(&ApiRequest::get(path, CONTEXT))
                    .await?;
                let found: Vec<ApiPullRequest> = response.json(CONTEXT)?;
                pulls.extend(
                    found
                        .into_iter()
                        .filter(|pull| has_head(pull, head))
                        .map(PullRequest::from),
                );
                if !response.has_next_page() {
                    break;
                }
            }
            Ok(pulls)
        })
    }
}

/// Returns true if the pull request is open and has this head. GitHub ignores filters that it can't
/// parse, so the client checks all of them again.
fn has_head(pull: &ApiPullRequest, head: PullHead<'_>) -> bool {
    pull.state == "open"
        && pull.head.sha == head.sha
        && pull.head.r#ref == head.branch
        && pull
            .head
            .repo
            .as_ref()
            .is_some_and(|repository| repository.id == head.repository)
}

impl From<ApiPullRequest> for PullRequest {
    fn from(pull: ApiPullRequest) -> Self {
        Self {
            number: pull.number,
            head_sha: pull.head.sha,
            base_ref: pull.base.r#ref,
            base_sha: pull.base.sha,
            url: pull.html_url,
        }
    }
}
