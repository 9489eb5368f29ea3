//! Which pull requests a commit belongs to. An event that a fork caused does not say.

use serde::Deserialize;

use super::client::{Call, Client, segment};
use super::trouble::Trouble;

/// Most pages of pull requests that are looked through.
const PAGES: usize = 10;

const TRIED: &str = "the pull requests of the commit could not be read";

/// The end of a branch, wherever the branch is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head<'a> {
    /// The repository of the branch.
    pub repository: u64,
    /// The owner of that repository.
    pub owner: &'a str,
    /// The branch.
    pub branch: &'a str,
    /// Its commit.
    pub sha: &'a str,
}

/// An open pull request of this repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pull {
    /// Its number.
    pub number: u64,
    /// Its newest commit.
    pub head_sha: String,
    /// The branch that it goes to.
    pub base_ref: String,
    /// The commit of that branch.
    pub base_sha: String,
    /// Where people see it.
    pub url: String,
}

/// A pull request as GitHub shows it.
#[derive(Debug, Deserialize)]
struct Found {
    number: u64,
    html_url: String,
    state: String,
    head: End,
    base: End,
}

/// One end of it.
#[derive(Debug, Deserialize)]
struct End {
    r#ref: String,
    sha: String,
    /// None if the fork was deleted.
    #[serde(default)]
    repo: Option<Repository>,
}

/// A repository, by what never changes of it.
#[derive(Debug, Deserialize)]
struct Repository {
    id: u64,
}

impl Client {
    /// The open pull requests of this repository whose newest commit this is, in this very branch
    /// of this very repository.
    pub(crate) fn pulls_of(&self, head: Head<'_>) -> Result<Vec<Pull>, Trouble> {
        self.block(async {
            let mut pulls = Vec::new();
            for page in 1..=PAGES {
                let query = format!(
                    "state=open&head={}:{}&per_page=100&page={page}",
                    segment(head.owner),
                    segment(head.branch)
                );
                let answer = self
                    .ask(&Call::get(self.path(&format!("/pulls?{query}")), TRIED))
                    .await?;
                let found: Vec<Found> = answer.read(TRIED)?;
                pulls.extend(
                    found
                        .into_iter()
                        .filter(|pull| is_of(pull, head))
                        .map(Pull::from),
                );
                if !answer.has_more() {
                    break;
                }
            }
            Ok(pulls)
        })
    }
}

/// GitHub overlooks a filter that it can't read, so that each is held against it again.
fn is_of(pull: &Found, head: Head<'_>) -> bool {
    pull.state == "open"
        && pull.head.sha == head.sha
        && pull.head.r#ref == head.branch
        && pull
            .head
            .repo
            .as_ref()
            .is_some_and(|repository| repository.id == head.repository)
}

impl From<Found> for Pull {
    fn from(found: Found) -> Self {
        Self {
            number: found.number,
            head_sha: found.head.sha,
            base_ref: found.base.r#ref,
            base_sha: found.base.sha,
            url: found.html_url,
        }
    }
}
