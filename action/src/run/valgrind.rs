//! Starts programs under valgrind with options that lose no report.
//!
//! Sources: valgrind's manual, core and memcheck options; `coregrind/m_main.c` for the order in
//! which options are read: `~/.valgrindrc`, `VALGRIND_OPTS`, `./.valgrindrc`, the command line. The
//! last one wins.

use super::checker::Checker;
use super::launch::{Launch, Machine, not_found};
use crate::error::Error;

/// Options of all valgrind tools without which reports would be lost or unreadable. Other values
/// from the user are overridden with a note.
const REQUIRED: &[(&str, &str)] = &[
    ("--xml", "yes"),
    ("--trace-children", "yes"),
    // A child that forks without exec writes its own report.
    ("--child-silent-after-fork", "no"),
    // Names as the linker knows them, because entries of suppression files use these.
    ("--demangle", "no"),
    ("--show-below-main", "yes"),
    // Frames of unloaded libraries keep their names.
    ("--keep-debuginfo", "yes"),
    // The exit status must be the program's, to see whether the program failed.
    ("--error-exitcode", "0"),
    ("--exit-on-first-error", "no"),
    ("--error-limit", "no"),
    ("--gen-suppressions", "no"),
    // The gdb server creates files in the temporary directory. If it cannot, the program ends.
    ("--vgdb", "no"),
];

/// Like [`REQUIRED`], for memcheck only.
const REQUIRED_BY_MEMCHECK: &[(&str, &str)] = &[
    ("--leak-check", "full"),
    ("--show-leak-kinds", "all"),
    ("--undef-value-errors", "yes"),
];

/// Defaults that the user may change. valgrind's default of twelve frames does not reach the
/// program through Rust's standard library.
const DEFAULTS: &[(&str, &str)] = &[("--num-callers", "40")];

/// Options that move valgrind's log.
const LOG_OPTIONS: &[&str] = &["--log-file=", "--xml-file=", "--log-fd=", "--xml-fd="];

/// Returns how to start a program under one of valgrind's tools.
///
/// # Errors
/// Fails if valgrind isn't installed.
pub(super) fn launch(
    checker: Checker,
    log_dir: &str,
    machine: &dyn Machine,
) -> Result<Launch, Error> {
    let valgrind = machine.find_program("valgrind").ok_or_else(|| {
        not_found(
            checker,
            "valgrind not found on PATH",
            "install it with `apt-get install valgrind` or `dnf install valgrind`",
        )
    })?;
    let user_text = machine.env_var("VALGRIND_OPTS").unwrap_or_default();
    let user: Vec<&str> = user_text.split_ascii_whitespace().collect();
    let required_by_tool = if checker == Checker::Memcheck {
        REQUIRED_BY_MEMCHECK
    } else {
        &[]
    };
    let required: Vec<(&str, &str)> = REQUIRED.iter().chain(required_by_tool).copied().collect();
    let defaults = DEFAULTS
        .iter()
        .filter(|(name, _)| !user.iter().any(|u| option_name(u) == *name));

    let mut wrapper = vec![valgrind.to_string_lossy().into_owned()];
    wrapper.push(format!("--tool={}", checker.name()));
    wrapper.extend(
        required
            .iter()
            .chain(defaults)
            .map(|(name, value)| format!("{name}={value}")),
    );
    // `--log-file` must not be added. With both options valgrind 3.19 gives a forked child a new
    // log, but leaves its XML in the file of its parent.
    wrapper.push(format!("--xml-file={}/%p.xml", log_dir.replace('%', "%%")));
    Ok(Launch {
        wrapper,
        notes: override_notes(&user, &required),
        disabled_checks: disabled_checks(&user),
        ..Launch::default()
    })
}

/// Returns the part of an option in front of `=`.
fn option_name(option: &str) -> &str {
    option.split('=').next().unwrap_or(option)
}

/// Returns a note for each user option that leakgate overrides.
fn override_notes(user: &[&str], required: &[(&str, &str)]) -> Vec<String> {
    let has_other_value =
        |option: &str, value: &str| option.split_once('=').map_or("yes", |o| o.1) != value;
    let mut notes = Vec::new();
    for (name, value) in required {
        let other = user
            .iter()
            .find(|u| option_name(u) == *name && has_other_value(u, value));
        notes.extend(other.map(|other| format!("VALGRIND_OPTS: {name}={value} overrides {other}")));
    }
    let moves_log = |option: &&&str| LOG_OPTIONS.iter().any(|o| option.starts_with(o));
    notes.extend(user.iter().filter(moves_log).map(|option| {
        format!("VALGRIND_OPTS: {option} is overridden; use --keep-logs DIR to keep the logs")
    }));
    notes
}

/// Returns the user options that exclude programs from checking.
fn disabled_checks(user: &[&str]) -> Vec<String> {
    let skip = user.iter().find(|u| u.starts_with("--trace-children-skip"));
    let message = |skip: &&str| format!("{skip} in VALGRIND_OPTS excludes programs from checking");
    skip.map(message).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::super::launch::tests::FakeMachine;
    use super::*;

    #[test]
    fn required_options_override_the_user_with_a_note() {
        let machine = FakeMachine {
            programs: vec!["valgrind"],
            env: vec![(
                "VALGRIND_OPTS",
                "--leak-check=no --num-callers=7 --error-exitcode=9 --xml-file=x \
                 --trace-children=yes",
            )],
            ..FakeMachine::default()
        };
        let launch = launch(Checker::Memcheck, "/tmp/100%", &machine).unwrap();
        let has = |argument: &str| launch.wrapper.iter().any(|a| a == argument);
        for argument in [
            "/bin/valgrind",
            "--tool=memcheck",
            "--leak-check=full",
            "--demangle=no",
            "--show-below-main=yes",
            "--xml=yes",
        ] {
            assert!(has(argument), "{argument}");
        }
        assert!(
            has("--xml-file=/tmp/100%%/%p.xml")
                && !launch
                    .wrapper
                    .iter()
                    .any(|a| a.starts_with("--num-callers"))
        );
        assert_eq!(launch.notes.len(), 3, "{:?}", launch.notes);
    }

    #[test]
    fn other_tools_get_no_leak_options() {
        let machine = FakeMachine {
            programs: vec!["valgrind"],
            ..FakeMachine::default()
        };
        let launch = launch(Checker::Drd, "/tmp/x", &machine).unwrap();
        assert!(
            launch.wrapper.contains(&"--tool=drd".to_owned())
                && !launch.wrapper.iter().any(|a| a.contains("leak"))
        );
    }

    #[test]
    fn missing_valgrind_error_names_the_package() {
        let error = launch(Checker::Helgrind, "/tmp/x", &FakeMachine::default()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "valgrind not found on PATH (needed for helgrind)\n\
             help: install it with `apt-get install valgrind` or `dnf install valgrind`"
        );
    }
}
