//! A GitHub API client for check runs with annotations, the pull request comment, the lines that a
//! pull request changes, and artifacts of earlier runs.
//!
//! It guarantees:
//!
//! - **Nothing is created twice.** If a response leaves open whether a request took effect, the
//!   client checks before it sends the request again.
//! - **No step overwrites another.** A success never takes the place of a failure of another job, and
//!   a step removes only comments of earlier runs.
//! - **An invalid annotation affects only itself.** The check run is created without annotations;
//!   they follow in batches of 50.
//! - **The token goes to the API only.** It never appears in a message or in a request to another
//!   host.
//! - **Artifacts are untrusted.** Their size is limited while they are read, and nothing is written
//!   to disk.
//!
//! All functions block and must not be called from an asynchronous runtime. This module knows
//! neither events nor the environment; its callers decide what to report, and where.

mod artifacts;
mod changed_lines;
mod checks;
mod client;
mod comment;
mod error;
mod origin;
mod pulls;
mod request;
mod retry;
mod sanitize;
mod throttle;
mod unpack;

#[cfg(test)]
mod tests;

pub(crate) use artifacts::{BaseQuery, BaseRun, RunArtifact, RunArtifacts};
pub(crate) use changed_lines::ChangedLines;
pub(crate) use checks::{CheckRun, Conclusion};
pub(crate) use client::{Access, Client, Token};
pub(crate) use comment::{CommentOutcome, CommentUpdate};
pub(crate) use error::ApiError;
pub(crate) use origin::Origin;
pub(crate) use pulls::{PullHead, PullRequest};
pub(crate) use request::encode_segment;
pub(crate) use retry::RetryPolicy;
pub(crate) use sanitize::{Annotation, Level};
