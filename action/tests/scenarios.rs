//! The pages of docs/run/: each project from its sources to its verdict, by the command lines that
//! stand on the page, in their order.
//!
//! Where a tool is not installed a test is passed over; in CI that is a failure.

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
    #[path = "../run/shop.rs"]
    mod shop;
}
