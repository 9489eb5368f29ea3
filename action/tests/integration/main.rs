//! Tests of the whole program, under the standard test harness.
//!
//! Tests that run real checkers, compilers or workflows are in the binary `tools`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "this is a test"
)]

#[path = "../common/mod.rs"]
mod common;

mod action_yml;
mod check;
#[cfg(unix)]
mod completions;
#[cfg(unix)]
mod custom_formats;
mod dependencies;
mod docs;
mod formats;
mod grow;
mod init;
mod inputs;
mod merge;
mod names;
mod rules;
mod schema;
#[cfg(unix)]
mod setup;
mod step;
