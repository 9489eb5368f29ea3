//! Tests of the real reports under `snapshots/`, with one test for each case and subject.
//!
//! `cargo test -p leakgate-core --test cases -- cuts/asan` runs the tests whose names contain this
//! text.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "this is a test"
)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/contract.rs"]
mod contract;

mod cuts;
mod dump;
mod formats;
mod identity;
mod mutants;
mod prefixes;
mod selected;
mod snapshots;
mod suppress_roundtrip;

use std::process::ExitCode;

use libtest_mimic::Arguments;

/// The longest tests come first, because tests start in this order.
fn main() -> ExitCode {
    let mut trials = Vec::from(mutants::trials());
    trials.extend(identity::trials());
    trials.extend(cuts::trials());
    trials.extend(formats::trials());
    trials.extend(prefixes::trials());
    trials.extend(suppress_roundtrip::trials());
    trials.extend(snapshots::trials());
    trials.extend(selected::trials());
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
