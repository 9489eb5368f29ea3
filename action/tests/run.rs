//! `leakgate run` with real checkers: a program with an error fails, a correct program passes, and
//! a run with lost reports never passes.
//!
//! A test is skipped if a tool that it needs isn't installed. In CI it fails instead.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::use_debug,
    reason = "this is a test"
)]

mod run {
    mod harnesses;
    mod losses;
    pub(crate) mod test_project;
    mod tools;
}
