//! The pull request comment, which is updated in place instead of adding further comments.
//!
//! It is identified by a marker in its text and by its author, because anyone can write the marker.
//! A second line names the run, so that a step replaces only comments of earlier runs.

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::Client;
use super::error::ApiError;
use super::origin::{Age, Origin};
use super::request::ApiRequest;
use super::sanitize::truncate_chars;

/// Maximum length of a comment, in characters.
const MAX_BODY_CHARS: usize = 65_536;

/// End of a truncated comment.
const TRUNCATION_NOTE: &str = "\n\n(The rest is too long for a comment.)\n";

/// Maximum number of pages of comments to search.
const MAX_PAGES: usize = 1000;

/// Author of comments that are written with the job's own token. Used if GitHub doesn't say to whom
/// the token belongs.
const BOT: &str = "github-actions[bot]";

const WRITE_CONTEXT: &str = "cannot write the comment";
const LIST_CONTEXT: &str = "cannot read the comments of the pull request";
const REMOVE_CONTEXT: &str = "cannot remove the comment";

/// The comment to write or to remove.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CommentUpdate<'a> {
    /// Number of the pull request.
    pub pull: u64,
    /// First line: a single HTML comment that differs for each name and leg.
    pub marker: &'a str,
    /// Step that writes the comment.
    pub origin: &'a Origin,
    /// Markdown below the marker. `None` removes the comment.
    pub text: Option<&'a str>,
    /// If no comment exists, a new one is created only if this is true.
    pub may_create: bool,
}

/// What happened to the comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CommentOutcome {
    /// The comment was created, at this URL.
    Created(String),
    /// The comment at this URL was updated.
    Updated(String),
    /// The comment was removed.
    Removed,
    /// No comment exists, and none was to be created.
    Absent,
    /// A later run or attempt has written the comment, so it was left alone.
    Superseded,
}

/// A comment in the API.
#[derive(Debug, Deserialize)]
struct ApiComment {
    id: u64,
    html_url: String,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    user: Option<User>,
}

/// The author of a comment in the API.
#[derive(Debug, Deserialize)]
struct User {
    login: String,
    #[serde(default)]
    r#type: String,
}

impl ApiComment {
    /// Returns the step that wrote the comment, whose leg is that of `own`.
    fn origin(&self, own: &Origin) -> Origin {
        own.of_comment(self.body.as_deref().unwrap_or_default())
    }
}

impl CommentUpdate<'_> {
    /// Returns the whole comment. `None` if it is to be removed.
    fn body(&self) -> Option<String> {
        let head = format!("{}\n{}", self.marker, self.origin.comment_tag());
        self.text
            .map(|text| truncate_body(&format!("{head}\n{text}")))
    }
}

impl User {
    /// Returns true if the token belongs to this user. GraphQL may omit the suffix `[bot]` of the
    /// viewer's login.
    fn is_viewer(&self, viewer: &str) -> bool {
        self.login == viewer
            || (self.r#type == "Bot" && self.login.strip_suffix("[bot]") == Some(viewer))
    }
}

impl Client {
    /// Writes or removes the comment of a step.
    ///
    /// A step replaces only comments of earlier runs and attempts. Steps of the same attempt whose
    /// marker is the same by mistake leave each other's comments alone.
    pub(crate) fn update_comment(
        &self,
        update: &CommentUpdate<'_>,
    ) -> Result<CommentOutcome, ApiError> {
        self.block_on(async {
            let mut older = Vec::new();
            let mut has_rival = false;
            for comment in self.own_comments(update.pull, update.marker).await? {
                match update.origin.age_of(&comment.origin(update.origin)) {
                    Age::Older => older.push(comment),
                    Age::Same => has_rival = true,
                    Age::Newer => return Ok(CommentOutcome::Superseded),
                }
            }
            if has_rival {
                // The rivals may be replacing the older comments at this moment.
                older.clear();
            }
            let newest = older.pop();
            let outcome = match (newest, update.body()) {
                (Some(newest), Some(body)) => self.edit_comment(&newest, update, &body).await?,
                (Some(newest), None) => self.remove_comment(&newest).await?,
                (None, Some(body)) if update.may_create => {
                    self.create_comment(update, &body).await?
                }
                (None, _) => CommentOutcome::Absent,
            };
            for comment in &older {
                // The newest comment is up to date. If this fails, the next run tries again.
                let _ = self.remove_comment(comment).await;
            }
            Ok(outcome)
        })
    }

    /// Returns the comments that begin with the marker and were written with this token, oldest
    /// first. Elsewhere in a comment, the marker may be part of a quoted log.
    async fn own_comments(&self, pull: u64, marker: &str) -> Result<Vec<ApiComment>, ApiError> {
        let mut found = Vec::new();
        for page in 1..=MAX_PAGES {
            let path =
                self.repository_path(&format!("/issues/{pull}/comments?per_page=100&page={page}"));
            let response = self
                .send_idempotent(&ApiRequest::get(path, LIST_CONTEXT))
                .await?;
            let comments: Vec<ApiComment> = response.json(LIST_CONTEXT)?;
            found.extend(comments.into_iter().filter(|c| {
                c.body
                    .as_deref()
                    .is_some_and(|body| body.trim_start().starts_with(marker))
            }));
            if !response.has_next_page() {
                break;
            }
        }
        if !found.is_empty() {
            let viewer = self.viewer().await;
            found.retain(|comment| {
                comment
                    .user
                    .as_ref()
                    .is_some_and(|user| user.is_viewer(&viewer))
            });
        }
        found.sort_by_key(|comment| comment.id);
        Ok(found)
    }

    /// Returns the login of the user or bot that the token belongs to.
    async fn viewer(&self) -> String {
        let query = json!({ "query": "query { viewer { login } }" });
        let request =
            ApiRequest::new(Method::POST, self.graphql_path(), LIST_CONTEXT).with_body(query);
        let login = |body: &Value| Some(body.pointer("/data/viewer/login")?.as_str()?.to_owned());
        let body = self
            .send_idempotent(&request)
            .await
            .and_then(|response| response.json(LIST_CONTEXT));
        body.ok()
            .as_ref()
            .and_then(login)
            .unwrap_or_else(|| BOT.to_owned())
    }

    async fn create_comment(
        &self,
        update: &CommentUpdate<'_>,
        body: &str,
    ) -> Result<CommentOutcome, ApiError> {
        let path = self.repository_path(&format!("/issues/{}/comments", update.pull));
        let request =
            ApiRequest::new(Method::POST, path, WRITE_CONTEXT).with_body(json!({ "body": body }));
        let find_created = async || {
            let mut found = self.own_comments(update.pull, update.marker).await?;
            found.retain(|comment| comment.origin(update.origin) == *update.origin);
            Ok(found.pop())
        };
        let created: ApiComment = self
            .send_once(
                &request,
                |response| response.json(WRITE_CONTEXT),
                find_created,
            )
            .await?;
        Ok(CommentOutcome::Created(created.html_url))
    }

    /// Replaces the text of a comment. If another step removed or replaced the comment meanwhile,
    /// creates a new one.
    async fn edit_comment(
        &self,
        comment: &ApiComment,
        update: &CommentUpdate<'_>,
        body: &str,
    ) -> Result<CommentOutcome, ApiError> {
        let path = self.repository_path(&format!("/issues/comments/{}", comment.id));
        let request = ApiRequest::new(Method::PATCH, path.clone(), WRITE_CONTEXT)
            .with_body(json!({ "body": body }))
            .allow_not_found();
        let edited = self.send_idempotent(&request).await?;
        let is_own = edited.status.is_success() && self.is_written_by(path, update.origin).await;
        if !is_own {
            return self.create_comment(update, body).await;
        }
        Ok(CommentOutcome::Updated(comment.html_url.clone()))
    }

    /// Returns false if the comment at this path is gone or another step has written it.
    async fn is_written_by(&self, path: String, origin: &Origin) -> bool {
        let request = ApiRequest::get(path, LIST_CONTEXT).allow_not_found();
        match self.send_idempotent(&request).await {
            Ok(response) if response.status.is_success() => response
                .json::<ApiComment>(LIST_CONTEXT)
                .is_ok_and(|comment| comment.origin(origin) == *origin),
            Ok(_) => false,
            // It was just written.
            Err(_) => true,
        }
    }

    async fn remove_comment(&self, comment: &ApiComment) -> Result<CommentOutcome, ApiError> {
        let path = self.repository_path(&format!("/issues/comments/{}", comment.id));
        // A missing comment is removed already, by this client or another.
        let request = ApiRequest::new(Method::DELETE, path, REMOVE_CONTEXT).allow_not_found();
        self.send_idempotent(&request).await?;
        Ok(CommentOutcome::Removed)
    }
}

/// Truncates a body to the length that GitHub accepts. The marker at its beginning stays.
fn truncate_body(body: &str) -> String {
    if body.chars().nth(MAX_BODY_CHARS).is_none() {
        return body.to_owned();
    }
    let max = MAX_BODY_CHARS.saturating_sub(TRUNCATION_NOTE.chars().count());
    let start = truncate_chars(body, max);
    // At a line end, if possible.
    let start = start.rfind('\n').map_or(start, |at| &start[..at]);
    format!("{start}{TRUNCATION_NOTE}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_body_is_cut_at_a_line_end_and_keeps_its_marker() {
        let marker = "<!-- leakgate -->";
        let long = truncate_body(&format!("{marker}\n{}", "äöü €\n".repeat(20_000)));
        let length = long.chars().count();
        assert!(length <= MAX_BODY_CHARS && length > MAX_BODY_CHARS - 200);
        assert!(long.starts_with(marker) && long.contains("€\n\n(The rest"));
        assert_eq!(
            truncate_body(&"é".repeat(70_000)).chars().count(),
            MAX_BODY_CHARS
        );
        let longest = "é".repeat(MAX_BODY_CHARS);
        assert_eq!(truncate_body(&longest), longest);
    }

    #[test]
    fn bot_login_matches_with_and_without_suffix() {
        let user = |login: &str, kind: &str| User {
            login: login.into(),
            r#type: kind.into(),
        };
        assert!(user(BOT, "Bot").is_viewer(BOT));
        assert!(user(BOT, "Bot").is_viewer("github-actions"));
        assert!(!user("github-actions", "User").is_viewer(BOT));
        assert!(!user("octocat", "User").is_viewer(BOT));
    }
}
