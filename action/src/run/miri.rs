//! Miri: cargo runs it; it prints to standard error like a compiler.
//!
//! Source: Miri's README, on flags.

use leakgate_core::{Finding, Parsed, Tool};
use memchr::memmem;

use super::checker::Checker;
use super::launch::{Launch, Machine, absent};
use crate::error::Error;

/// How to start Miri: by cargo, which the harness asks. Only what the user turned off is looked at
/// here.
pub(super) fn launch(machine: &dyn Machine) -> Result<Launch, Error> {
    if machine.program("cargo").is_none() {
        return Err(absent(
            Checker::Miri,
            "there is no `cargo` on PATH",
            "install Rust (https://rustup.rs)",
        ));
    }
    let flags = machine.variable("MIRIFLAGS").unwrap_or_default();
    let mut launch = Launch::default();
    if flags
        .split_ascii_whitespace()
        .any(|flag| flag == "-Zmiri-ignore-leaks")
    {
        launch.unsearched =
            Some("-Zmiri-ignore-leaks in MIRIFLAGS turns the search for leaks off".into());
    }
    Ok(launch)
}

/// True when cargo failed for nothing but leaks: Miri can't be told to leave the status to the
/// program, and whether leaks fail is the gate's to decide. Every process that failed must have a
/// report of leaks alone, and no test may have failed.
pub(super) fn failed_for_leaks_alone(parsed: &Parsed, stdout: &[u8], stderr: &[u8]) -> bool {
    const FAILED: &[u8] = b"process didn't exit successfully";
    let has = |text: &[u8], words: &[u8]| memmem::find(text, words).is_some();
    let of_miri = |finding: &&Finding| finding.tool == Tool::Miri;
    let only_leaks = parsed
        .findings
        .iter()
        .filter(of_miri)
        .all(|finding| finding.kind.is_leak());
    let is_whole = parsed
        .problems
        .iter()
        .all(|problem| problem.code.reason().is_none());
    let failed = memmem::find_iter(stderr, FAILED).count();
    let leaking = parsed
        .reports
        .iter()
        .filter(|report| report.tool == Tool::Miri && !report.entries.is_empty())
        .count();
    let broke = has(stdout, b"test result: FAILED")
        || has(stderr, b"error: could not compile")
        || has(stderr, b"panicked at ");
    only_leaks && is_whole && !broke && leaking > 0 && failed.max(1) == leaking
}

#[cfg(test)]
mod tests {
    use super::super::launch::tests::Made;
    use super::*;

    #[test]
    fn a_failure_is_excused_by_leaks_and_by_nothing_else() {
        let leak = "error: memory leaked: alloc1 (Rust heap, size: 19, align: 1), allocated here:\n  --> src/lib.rs:7:65\n   |\n\
                    7 | x\n   | ^\n   |\n\nnote: set `MIRIFLAGS=-Zmiri-ignore-leaks` to disable this check\n\nerror: aborting due to 1 previous error\n\n\
                    error: test failed, to rerun pass `--lib`\n\nCaused by:\n  process didn't exit successfully: `x` (exit status: 1)\n";
        let failed = "Caused by:\n  process didn't exit successfully: `y` (exit status: 101)\n";
        let of = |stdout: &str, stderr: &str| {
            let mut parser = leakgate_core::Parser::new(leakgate_core::Options::default());
            parser.begin("stderr");
            parser.feed(stderr.as_bytes());
            failed_for_leaks_alone(&parser.finish(), stdout.as_bytes(), stderr.as_bytes())
        };
        assert!(of("test result: ok. 1 passed", leak));
        for (stdout, stderr) in [
            ("", String::new()),
            ("test result: FAILED. 0 passed", leak.to_owned()),
            ("", format!("{leak}{failed}")),
            ("", format!("{leak}error: could not compile `x`\n")),
            (
                "",
                format!("{leak}thread 'main' panicked at src/lib.rs:1:1\n"),
            ),
        ] {
            assert!(!of(stdout, &stderr), "{stderr}");
        }
    }

    #[test]
    fn leaks_that_are_ignored_are_told_of() {
        let machine = Made {
            programs: vec!["cargo"],
            variables: vec![("MIRIFLAGS", "-Zmiri-ignore-leaks")],
            ..Made::default()
        };
        assert!(launch(&machine).unwrap().unsearched.is_some());
        assert!(
            launch(&Made {
                programs: vec!["cargo"],
                ..Made::default()
            })
            .unwrap()
            .unsearched
            .is_none()
        );
        assert!(
            launch(&Made::default())
                .unwrap_err()
                .to_string()
                .contains("rustup")
        );
    }
}
