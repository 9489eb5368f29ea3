//! Finds out whether a run has reported its results itself.

use serde::Deserialize;

use super::client::Client;
use super::error::ApiError;
use super::request::{ApiRequest, encode_segment};

/// Maximum number of pages of check runs to search.
const MAX_PAGES: usize = 10;

const CONTEXT: &str = "cannot read the check runs of the commit";

/// A page of check runs.
#[derive(Debug, Deserialize)]
struct CheckRunPage {
    check_runs: Vec<CheckRunId>,
}

/// A check run in the API, of which only its creator's identifier matters.
#[derive(Debug, Deserialize)]
struct CheckRunId {
    #[serde(default)]
    external_id: Option<String>,
}

impl Client {
    /// Returns true if a check run of the commit has an external id that begins with this text.
    pub(crate) fn has_check_run(&self, sha: &str, external_id: &str) -> Result<bool, ApiError> {
        self.block_on(async {
            for page in 1..=MAX_PAGES {
                let path = self.repository_path(&format!(
                    "/commits/{}/check-runs?filter=all&per_page=100&page={page}",
                    encode_segment(sha)
                ));
                let response = self
                    .send_idempotent(&ApiRequest::get(path, CONTEXT))
                    .await?;
                let runs: CheckRunPage = response.json(CONTEXT)?;
                let mut ids = runs
                    .check_runs
                    .iter()
                    .filter_map(|run| run.external_id.as_ref());
                if ids.any(|id| id.starts_with(external_id)) {
                    return Ok(true);
                }
                if !response.has_next_page() {
                    break;
                }
            }
            Ok(false)
        })
    }
}
