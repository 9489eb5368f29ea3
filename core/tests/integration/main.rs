//! Tests of the library as a whole, under the standard test harness.
//!
//! The tests that run once for each case under `snapshots/` are in the binary `cases`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "this is a test"
)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/contract.rs"]
mod contract;
mod logs;

mod allocators;
mod carried;
mod claims;
mod converted;
mod differential;
mod doctor;
mod glibc;
mod hostile;
mod layers;
mod packs;
mod properties;
mod read_back;
mod schema;
mod shared;
mod truncation;
mod valgrind;
mod weak;
mod wrapped;
