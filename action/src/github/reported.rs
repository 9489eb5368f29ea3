//! Finds out whether a run has reported its results itself.

use serde::Deserialize;

use super::client::Client;
use super::error::ApiError;
use super::origin::Origin;
use super::request::{ApiRequest, encode_segment};

/// Maximum number of pages of check runs to search.
const MAX_PAGES: usize = 10;

const CONTEXT: &str = "cannot read the check runs of the commit";

/// A page of check runs.
#[derive(Debug, Deserialize)]
struct CheckRunPage {
    check_runs: Vec<CheckRunId>,
}

/// A check run in the API, of which only its name and its creator matter.
#[derive(Debug, Deserialize)]
struct CheckRunId {
    #[serde(default)]
    name: String,
    #[serde(default)]
    external_id: Option<String>,
}

impl Client {
    /// Returns true if the commit has a check run that leakgate created and that is wanted, by its
    /// name and its origin.
    pub(crate) fn has_check_run(
        &self,
        sha: &str,
        is_wanted: impl Fn(&str, &Origin) -> bool,
    ) -> Result<bool, ApiError> {
        let is_wanted = |run: &CheckRunId| {
            let origin = run
                .external_id
                .as_deref()
                .and_then(Origin::from_external_id);
            origin.is_some_and(|origin| is_wanted(&run.name, &origin))
        };
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
                if runs.check_runs.iter().any(is_wanted) {
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
