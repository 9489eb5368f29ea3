//! `leakgate run` with the real checkers: a program that errs fails, a sound one passes, and what
//! was lost on the way is never a pass.
//!
//! Where a tool is not installed a test is passed over; in CI that is a failure.

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
    pub(crate) mod shop;
    mod tools;
}
