//! The one comment on a pull request, which is written anew instead of followed by others.
//!
//! It is known by a marker in its text and by its author: anybody can write the marker.

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::clean::characters;
use super::client::{Call, Client};
use super::trouble::Trouble;

/// Longest comment, in characters.
const BODY: usize = 65_536;

/// What stands at the end of a comment that was too long.
const CUT: &str = "\n\n(The rest does not fit into a comment.)\n";

/// Most pages of comments that are looked through.
const PAGES: usize = 1000;

/// Who asks, where GitHub does not say: the token that every job has.
const BOT: &str = "github-actions[bot]";

const TRIED: &str = "the comment could not be written";
const TRIED_LIST: &str = "the comments of the pull request could not be read";
const TRIED_REMOVE: &str = "the comment could not be removed";

/// What became of the comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Comment {
    /// It is new, at this address.
    Created(String),
    /// It was written anew.
    Updated(String),
    /// It said the same already.
    Unchanged,
    /// It was removed.
    Removed,
    /// There is none, and none was wanted.
    Nothing,
}

/// A comment as GitHub shows it.
#[derive(Debug, Deserialize)]
struct Found {
    id: u64,
    html_url: String,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    user: Option<User>,
}

/// Who wrote it.
#[derive(Debug, Deserialize)]
struct User {
    login: String,
    #[serde(default)]
    r#type: String,
}

impl User {
    /// True if this is who the token belongs to. GraphQL may leave out the mark of a bot.
    fn is(&self, viewer: &str) -> bool {
        self.login == viewer
            || (self.r#type == "Bot" && self.login.strip_suffix("[bot]") == Some(viewer))
    }
}

impl Client {
    /// Writes the comment that carries `marker`, or removes it where there is no body.
    ///
    /// `body` begins with the marker. Where there is no comment yet, one is written only if
    /// `may_create` says so.
    pub(crate) fn comment(
        &self,
        pull: u64,
        marker: &str,
        body: Option<&str>,
        may_create: bool,
    ) -> Result<Comment, Trouble> {
        self.block(async {
            let mut ours = self.ours(pull, marker).await?;
            let newest = ours.pop();
            let result = match (newest, body.map(cut)) {
                (Some(newest), Some(body)) => self.update(&newest, &body).await?,
                (Some(newest), None) => self.remove(&newest).await?,
                (None, Some(body)) if may_create => {
                    self.create_comment(pull, marker, &body).await?
                }
                (None, _) => Comment::Nothing,
            };
            for older in &ours {
                // The comment stands. If this fails, the next run tries again.
                let _ = self.remove(older).await;
            }
            Ok(result)
        })
    }

    /// The comments that begin with the marker (it may stand in a log that a comment shows) and are
    /// by whom the token belongs to, oldest first.
    async fn ours(&self, pull: u64, marker: &str) -> Result<Vec<Found>, Trouble> {
        let mut found = Vec::new();
        for page in 1..=PAGES {
            let path = self.path(&format!("/issues/{pull}/comments?per_page=100&page={page}"));
            let answer = self.ask(&Call::get(path, TRIED_LIST)).await?;
            let comments: Vec<Found> = answer.read(TRIED_LIST)?;
            found.extend(comments.into_iter().filter(|c| {
                c.body
                    .as_deref()
                    .is_some_and(|body| body.trim_start().starts_with(marker))
            }));
            if !answer.has_more() {
                break;
            }
        }
        if !found.is_empty() {
            let viewer = self.viewer().await;
            found.retain(|comment| comment.user.as_ref().is_some_and(|user| user.is(&viewer)));
        }
        found.sort_by_key(|comment| comment.id);
        Ok(found)
    }

    /// Who the token belongs to.
    async fn viewer(&self) -> String {
        let query = json!({ "query": "query { viewer { login } }" });
        let call = Call::new(Method::POST, self.graphql(), TRIED_LIST).with(query);
        let login =
            |answer: &Value| Some(answer.pointer("/data/viewer/login")?.as_str()?.to_owned());
        let answer = self
            .ask(&call)
            .await
            .and_then(|answer| answer.read(TRIED_LIST));
        answer
            .ok()
            .as_ref()
            .and_then(login)
            .unwrap_or_else(|| BOT.to_owned())
    }

    async fn create_comment(
        &self,
        pull: u64,
        marker: &str,
        body: &str,
    ) -> Result<Comment, Trouble> {
        let call = Call::new(
            Method::POST,
            self.path(&format!("/issues/{pull}/comments")),
            TRIED,
        )
        .with(json!({ "body": body }));
        // There was none before, so one that is there now is this.
        let look = async || Ok(self.ours(pull, marker).await?.pop());
        let made: Found = self.once(&call, |answer| answer.read(TRIED), look).await?;
        Ok(Comment::Created(made.html_url))
    }

    async fn update(&self, comment: &Found, body: &str) -> Result<Comment, Trouble> {
        if comment
            .body
            .as_deref()
            .is_some_and(|old| is_same(old, body))
        {
            return Ok(Comment::Unchanged);
        }
        let path = self.path(&format!("/issues/comments/{}", comment.id));
        self.ask(&Call::new(Method::PATCH, path, TRIED).with(json!({ "body": body })))
            .await?;
        Ok(Comment::Updated(comment.html_url.clone()))
    }

    async fn remove(&self, comment: &Found) -> Result<Comment, Trouble> {
        let path = self.path(&format!("/issues/comments/{}", comment.id));
        // Gone is gone, whoever did it.
        self.ask(&Call::new(Method::DELETE, path, TRIED_REMOVE).that_may_lack())
            .await?;
        Ok(Comment::Removed)
    }
}

/// True if two bodies are the same but for line ends, which GitHub may have changed.
fn is_same(old: &str, new: &str) -> bool {
    old.replace("\r\n", "\n").trim_end() == new.replace("\r\n", "\n").trim_end()
}

/// A body that GitHub takes. Its marker stands at the beginning.
fn cut(body: &str) -> String {
    if body.chars().nth(BODY).is_none() {
        return body.to_owned();
    }
    let begin = characters(body, BODY.saturating_sub(CUT.chars().count()));
    // Whole lines, where there are any.
    format!(
        "{}{CUT}",
        begin.rfind('\n').map_or(begin, |at| &begin[..at])
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_is_too_long_is_cut_at_a_line_and_keeps_its_marker() {
        let marker = "<!-- leakgate -->";
        let long = cut(&format!("{marker}\n{}", "äöü €\n".repeat(20_000)));
        assert!(long.chars().count() <= BODY && long.chars().count() > BODY - 200);
        assert!(long.starts_with(marker) && long.contains("€\n\n(The rest"));
        assert_eq!(cut(&"é".repeat(70_000)).chars().count(), BODY);
        assert_eq!(cut(&"é".repeat(BODY)), "é".repeat(BODY));
    }

    #[test]
    fn a_bot_is_known_with_and_without_its_mark_and_a_person_is_not() {
        let user = |login: &str, kind: &str| User {
            login: login.into(),
            r#type: kind.into(),
        };
        assert!(user(BOT, "Bot").is(BOT));
        assert!(user(BOT, "Bot").is("github-actions"));
        assert!(!user("github-actions", "User").is(BOT));
        assert!(!user("octocat", "User").is(BOT));
    }
}
