//! The pages of docs/run/: each project from its sources to its verdict, with the command lines of
//! its page, in their order.
//!
//! Tests whose tools aren't installed are skipped. In CI, that is a failure.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::use_debug,
    reason = "this is a test"
)]

mod scenarios {
    mod page;
    mod pages;
    mod python;
    #[allow(dead_code, reason = "the tests of `run` need all of it")]
    #[path = "../run/test_project.rs"]
    mod test_project;
}
