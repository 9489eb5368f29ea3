//! Tests with real checkers, compilers, test harnesses and workflows.
//!
//! Such a test needs tools (see [`needs`]) and runs only with `--include-ignored` or `--ignored`.
//! `cargo test -p leakgate --test tools -- --include-ignored run/losses` runs the tests whose names
//! contain this text.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "this is a test"
)]

#[cfg(target_os = "linux")]
#[path = "../common/mod.rs"]
mod common;
#[cfg(target_os = "linux")]
mod needs;
#[cfg(target_os = "linux")]
mod run;
#[cfg(target_os = "linux")]
mod scenarios;
#[cfg(target_os = "linux")]
mod symbolize;
#[cfg(target_os = "linux")]
mod test_project;
#[cfg(target_os = "linux")]
mod workflows;

/// The longest tests come first, because tests start in this order.
#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    let mut trials = scenarios::trials();
    trials.extend(run::trials());
    trials.extend(symbolize::trials());
    trials.extend(workflows::trials());
    let conclusion = libtest_mimic::run(&libtest_mimic::Arguments::from_args(), trials);
    needs::print_missing();
    conclusion.exit_code()
}

#[cfg(not(target_os = "linux"))]
fn main() {}
