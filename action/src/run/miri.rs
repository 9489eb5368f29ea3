//! Miri. cargo runs it, and it prints to standard error like a compiler.
//!
//! Source: Miri's README, on flags.

use leakgate_core::{Finding, Parsed, Tool};
use memchr::memmem;

use super::checker::Checker;
use super::launch::{Launch, Machine, not_found};
use crate::error::Error;

/// Returns how to start Miri. cargo runs it, so the harness rewrites the command. This only checks
/// what the user has turned off.
///
/// # Errors
/// Fails if cargo isn't installed.
pub(super) fn launch(machine: &dyn Machine) -> Result<Launch, Error> {
    if machine.find_program("cargo").is_none() {
        return Err(not_found(
            Checker::Miri,
            "cargo not found on PATH",
            "install Rust (https://rustup.rs)",
        ));
    }
    let flags = machine.env_var("MIRIFLAGS").unwrap_or_default();
    let ignores_leaks = flags
        .split_ascii_whitespace()
        .any(|flag| flag == "-Zmiri-ignore-leaks");
    let message = "-Zmiri-ignore-leaks in MIRIFLAGS turns the leak check off";
    Ok(Launch {
        leak_check_disabled: ignores_leaks.then(|| message.to_owned()),
        ..Launch::default()
    })
}

/// Returns true if cargo failed only because of leaks. Miri cannot leave the exit status to the
/// program, and the gate decides whether leaks fail. Every process that failed must have a report
/// with nothing but leaks, and no test may have failed.
pub(super) fn failed_only_for_leaks(parsed: &Parsed, stdout: &[u8], stderr: &[u8]) -> bool {
    const FAILED: &[u8] = b"process didn't exit successfully";
    let contains = |text: &[u8], needle: &[u8]| memmem::find(text, needle).is_some();
    let is_miri = |finding: &&Finding| finding.tool == Tool::Miri;
    let only_leaks = parsed
        .findings
        .iter()
        .filter(is_miri)
        .all(|finding| finding.kind.is_leak());
    let is_complete = parsed
        .problems
        .iter()
        .all(|problem| problem.code.reason().is_none());
    let failed = memmem::find_iter(stderr, FAILED).count();
    let leaking = parsed
        .reports
        .iter()
        .filter(|report| report.tool == Tool::Miri && !report.records.is_empty())
        .count();
    let other_failure = contains(stdout, b"test result: FAILED")
        || contains(stderr, b"error: could not compile")
        || contains(stderr, b"panicked at ");
    only_leaks && is_complete && !other_failure && leaking > 0 && failed.max(1) == leaking
}

#[cfg(test)]
mod tests {
    use super::super::launch::tests::FakeMachine;
    use super::*;

    #[test]
    fn failure_is_excused_only_by_leaks() {
        let leak = "\
error: memory leaked: alloc1 (Rust heap, size: 19, align: 1), allocated here:
  --> src/lib.rs:7:65
   |
7 | x
   | ^
   |

note: set `MIRIFLAGS=-Zmiri-ignore-leaks` to disable this check

error: aborting due to 1 previous error

error: test failed, to rerun pass `--lib`

Caused by:
  process didn't exit successfully: `x` (exit status: 1)
";
        let failed = "Caused by:\n  process didn't exit successfully: `y` (exit status: 101)\n";
        let is_excused = |stdout: &str, stderr: &str| {
            let mut parser = leakgate_core::Parser::new(leakgate_core::Options::default());
            parser.begin("stderr");
            parser.feed(stderr.as_bytes());
            failed_only_for_leaks(&parser.finish(), stdout.as_bytes(), stderr.as_bytes())
        };
        assert!(is_excused("test result: ok. 1 passed", leak));
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
            assert!(!is_excused(stdout, &stderr), "{stderr}");
        }
    }

    #[test]
    fn ignored_leaks_are_reported() {
        let machine = FakeMachine {
            programs: vec!["cargo"],
            env: vec![("MIRIFLAGS", "-Zmiri-ignore-leaks")],
            ..FakeMachine::default()
        };
        assert!(launch(&machine).unwrap().leak_check_disabled.is_some());
        assert!(
            launch(&FakeMachine {
                programs: vec!["cargo"],
                ..FakeMachine::default()
            })
            .unwrap()
            .leak_check_disabled
            .is_none()
        );
        assert!(
            launch(&FakeMachine::default())
                .unwrap_err()
                .to_string()
                .contains("rustup")
        );
    }
}
