//! Miri: cargo runs it; it prints to standard error like a compiler.
//!
//! Source: Miri's README, on flags.

use super::checker::Checker;
use super::launch::{Launch, Machine, absent};
use crate::error::Error;

/// How to start Miri: by cargo, which the harness asks. Only what the user turned off is looked at here.
pub(super) fn launch(machine: &dyn Machine) -> Result<Launch, Error> {
    if machine.program("cargo").is_none() {
        return Err(absent(Checker::Miri, "there is no `cargo` on PATH", "install Rust (https://rustup.rs)"));
    }
    let flags = machine.variable("MIRIFLAGS").unwrap_or_default();
    let mut launch = Launch::default();
    if flags.split_ascii_whitespace().any(|flag| flag == "-Zmiri-ignore-leaks") {
        launch.unsearched = Some("-Zmiri-ignore-leaks in MIRIFLAGS turns the search for leaks off".into());
    }
    Ok(launch)
}

#[cfg(test)]
mod tests {
    use super::super::launch::tests::Made;
    use super::*;

    #[test]
    fn leaks_that_are_ignored_are_told_of() {
        let machine = Made { programs: vec!["cargo"], variables: vec![("MIRIFLAGS", "-Zmiri-ignore-leaks")], ..Made::default() };
        assert!(launch(&machine).unwrap().unsearched.is_some());
        assert!(launch(&Made { programs: vec!["cargo"], ..Made::default() }).unwrap().unsearched.is_none());
        assert!(launch(&Made::default()).unwrap_err().to_string().contains("rustup"));
    }
}
