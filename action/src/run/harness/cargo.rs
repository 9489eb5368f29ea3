//! `cargo test`, `run`, `bench`, and `cargo nextest run`. A runner is set that cargo calls with
//! each program that it has built for the target.
//!
//! Sources: the Cargo Book on `target.<triple>.runner` and on `--config`; the rustc book on
//! `-Zsanitizer`; nextest's book on target runners.

mod command;

use self::command::CargoCommand;
use super::{CheckedCommand, Context, has_family};
use crate::error::Error;
use crate::run::checker::{Checker, Family};

/// Adds the runner to a command; for sanitizers also the flags that build everything with it.
pub(super) fn rewrite(argv: &[String], context: Context<'_>) -> Result<CheckedCommand, Error> {
    let mut command = CargoCommand::parse(argv);
    if context.checkers.contains(&Checker::Miri) {
        return rewrite_for_miri(command, context);
    }
    if command.is_miri() {
        return Err(Error::with_help(
            "`cargo miri` needs --tool miri",
            "use `leakgate run --tool miri -- cargo test`",
        ));
    }
    let sanitizer = if has_family(context, Family::Sanitizer) {
        Some(sanitizer_flag(context.checkers)?)
    } else {
        None
    };
    // The user may build with the sanitizer already.
    let sanitizer = sanitizer.filter(|_| !user_sets_sanitizer(context));
    if sanitizer.is_some() {
        command.require_nightly(context)?;
    }
    let host = command.host_triple(context)?;
    let target = command
        .target()
        .or_else(|| context.machine.env_var("CARGO_BUILD_TARGET"));
    let triple = target.clone().unwrap_or_else(|| host.clone());
    if let Some(sanitizer) = sanitizer {
        if target.is_none() {
            // Otherwise build scripts and macros would be built with the sanitizer, too.
            command.set_target(&host);
        }
        command.build_with(sanitizer, &triple, context);
    }
    command.set_runner(&triple, context.helper);
    command.disable_fail_fast();
    Ok(command.into_checked())
}

fn rewrite_for_miri(
    mut command: CargoCommand,
    context: Context<'_>,
) -> Result<CheckedCommand, Error> {
    command.require_nightly(context)?;
    if command.capture(&["miri", "--version"], context).is_none() {
        return Err(Error::with_help(
            "miri not found",
            "install it with `rustup +nightly component add miri`",
        ));
    }
    command.insert_miri();
    command.disable_fail_fast();
    Ok(command.into_checked())
}

/// Returns true if the user's flags already contain a sanitizer.
fn user_sets_sanitizer(context: Context<'_>) -> bool {
    ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"].iter().any(|name| {
        context
            .machine
            .env_var(name)
            .is_some_and(|flags| flags.contains("sanitizer="))
    })
}

/// Returns the value of rustc's `-Zsanitizer`.
fn sanitizer_flag(checkers: &[Checker]) -> Result<&'static str, Error> {
    let name = |checker: &Checker| match checker {
        Checker::Asan => Some("address"),
        Checker::Lsan => Some("leak"),
        Checker::Tsan => Some("thread"),
        Checker::Msan => Some("memory"),
        Checker::Hwasan => Some("hwaddress"),
        _ => None,
    };
    // AddressSanitizer checks for leaks, too.
    let asan = checkers.iter().find(|checker| **checker == Checker::Asan);
    asan.or_else(|| checkers.first())
        .and_then(name)
        .ok_or_else(|| {
            Error::with_help(
                "Rust has no UndefinedBehaviorSanitizer",
                "use --tool miri to find undefined behavior",
            )
        })
}

/// Returns how many tests `cargo test` or nextest ran; `None` if the output has no number. Test
/// programs with a custom harness print none.
pub(crate) fn count_tests(stdout: &[u8], stderr: &[u8]) -> Option<u64> {
    let cargo = stdout
        .split(|b| *b == b'\n')
        .filter_map(|line| test_count(line, "running "));
    let nextest = stderr
        .split(|b| *b == b'\n')
        .filter_map(|line| test_count(line, "Starting "));
    cargo.chain(nextest).reduce(u64::saturating_add)
}

/// Returns the number in front of `test` or `tests` in a line with this prefix.
fn test_count(line: &[u8], prefix: &str) -> Option<u64> {
    let line = std::str::from_utf8(line).ok()?.trim();
    let (number, rest) = line.strip_prefix(prefix)?.split_once(' ')?;
    if rest.starts_with("test") {
        number.parse().ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::launch::tests::FakeMachine;
    use super::super::tests::{rewrite, rewrite_on};
    use super::count_tests;
    use crate::run::checker::Checker;

    const RUNNER: &str =
        r#"target.x86_64-unknown-linux-gnu.runner=["/opt/leakgate", "exec", "/tmp/f"]"#;

    #[test]
    fn runner_is_set_and_fail_fast_disabled() {
        let command = rewrite("cargo test -p x -- --nocapture", &[Checker::Memcheck]).unwrap();
        assert!(!command.is_checked && command.env.is_empty());
        assert_eq!(
            command.argv,
            [
                "cargo",
                "test",
                "-p",
                "x",
                "--config",
                RUNNER,
                "--no-fail-fast",
                "--",
                "--nocapture"
            ]
        );
    }

    #[test]
    fn only_the_target_is_built_with_a_sanitizer() {
        let machine = FakeMachine {
            env: vec![("RUSTFLAGS", "-Dwarnings")],
            ..FakeMachine::default()
        };
        let asan = rewrite_on("cargo test", &[Checker::Asan, Checker::Lsan], &machine).unwrap();
        assert_eq!(
            asan.argv[..5],
            [
                "cargo",
                "+nightly",
                "test",
                "--target",
                "x86_64-unknown-linux-gnu"
            ]
        );
        assert_eq!(
            asan.env[0],
            (
                "RUSTFLAGS".into(),
                "-Dwarnings -Zsanitizer=address -Cforce-frame-pointers=yes".into()
            )
        );
        assert_eq!(asan.env[1].0, "CARGO_ENCODED_RUSTDOCFLAGS");
        let tsan = rewrite("cargo +nightly nextest run", &[Checker::Tsan]).unwrap();
        assert!(
            tsan.argv.contains(&"-Zbuild-std".to_owned())
                && tsan.argv[..4] == ["cargo", "+nightly", "nextest", "run"]
        );
    }

    #[test]
    fn tests_are_counted_in_the_output_of_cargo_and_nextest() {
        let count = |stdout: &str, stderr: &str| count_tests(stdout.as_bytes(), stderr.as_bytes());
        assert_eq!(
            count("\nrunning 2 tests\n..\n\nrunning 0 tests\n", ""),
            Some(2)
        );
        assert_eq!(count("running 0 tests\n", ""), Some(0));
        assert_eq!(
            count("", "    Starting 3 tests across 2 binaries\n"),
            Some(3)
        );
        assert_eq!(count("my own harness\n", ""), None);
    }

    #[test]
    fn options_are_moved_after_the_subcommand_with_their_values() {
        let argv = |text| rewrite(text, &[Checker::Memcheck]).unwrap().argv;
        assert_eq!(
            argv("cargo --color never test")[..4],
            ["cargo", "test", "--color", "never"]
        );
        assert_eq!(
            argv("cargo nextest --color always run -p x")[..7],
            ["cargo", "nextest", "run", "--color", "always", "-p", "x"]
        );
    }

    #[test]
    fn sanitizer_flags_of_the_user_are_kept() {
        let machine = FakeMachine {
            env: vec![("RUSTFLAGS", "-Zsanitizer=address")],
            ..FakeMachine::default()
        };
        let command = rewrite_on(
            "cargo test --target x86_64-unknown-linux-gnu",
            &[Checker::Asan],
            &machine,
        )
        .unwrap();
        assert!(command.env.is_empty() && command.argv[0] == "cargo" && command.argv[1] == "test");
    }

    #[test]
    fn miri_is_inserted_before_the_subcommand() {
        let argv = |text| rewrite(text, &[Checker::Miri]).unwrap().argv.join(" ");
        assert_eq!(
            argv("cargo test"),
            "cargo +nightly miri test --no-fail-fast"
        );
        assert_eq!(
            argv("cargo +nightly miri nextest run"),
            "cargo +nightly miri nextest run --no-fail-fast"
        );
        assert_eq!(argv("cargo run -- x"), "cargo +nightly miri run -- x");
    }

    #[test]
    fn impossible_combinations_are_errors() {
        for (text, checker, expected) in [
            ("cargo +stable test", Checker::Asan, "not +stable"),
            ("cargo test", Checker::Ubsan, "--tool miri"),
            ("cargo miri test", Checker::Memcheck, "--tool miri"),
        ] {
            let message = rewrite(text, &[checker]).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }
}
