//! The client of GitHub: check runs with annotations, the one comment on a pull request, artifacts
//! of earlier runs.
//!
//! What it promises:
//!
//! - **Nothing is made twice.** After an answer that leaves open whether a request took effect, the
//!   client looks first.
//! - **One bad annotation loses only itself.** The check run is made without annotations; they
//!   follow in batches of 50.
//! - **The token goes to the API alone.** It is in no message, and in no request to another host.
//! - **What comes from artifacts is hostile.** It is bounded while it is read, and nothing is
//!   written to disk.
//!
//! Every function waits until its work is done. They must not be called from within an asynchronous
//! runtime. What to say, and to whom, others decide: this room knows neither events nor the
//! environment.

mod artifacts;
mod checks;
mod clean;
mod client;
mod comment;
mod pulls;
mod retry;
mod trouble;
mod unpack;

#[cfg(test)]
mod tests;

pub(crate) use artifacts::{BaseRun, Bundle};
pub(crate) use checks::{CheckRun, Conclusion};
pub(crate) use clean::{Annotation, Level};
pub(crate) use client::{Access, Client, Token};
pub(crate) use comment::Comment;
pub(crate) use pulls::{Head, Pull};
pub(crate) use retry::Pace;
pub(crate) use trouble::Trouble;
