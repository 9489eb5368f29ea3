//! Checkers that are commands of their own: Dr. Memory, `leaks` of macOS, Application Verifier of
//! Windows.
//!
//! Sources: Dr. Memory's manual, on options; `leaks(1)`, `malloc(3)` of macOS.

use super::checker::Checker;
use super::harness::{Harness, program_name};
use super::launch::{Launch, Machine, not_found};
use super::program_filter::{ProgramFilter, is_followed};
use crate::error::Error;

/// Returns how to start a program under one of these checkers.
///
/// # Errors
/// Fails if the checker isn't installed.
pub(super) fn launch(
    checker: Checker,
    log_dir: &str,
    machine: &dyn Machine,
) -> Result<Launch, Error> {
    match checker {
        Checker::Drmemory => drmemory(log_dir, machine),
        Checker::Leaks => leaks(machine),
        _ => appverifier(machine),
    }
}

fn drmemory(log_dir: &str, machine: &dyn Machine) -> Result<Launch, Error> {
    let help = "get it from https://drmemory.org";
    let program = find_program(Checker::Drmemory, "drmemory", help, machine)?;
    // Findings don't change the exit status of the program, no window opens at the end, and the
    // number of reports is unlimited.
    let options = [
        "-batch",
        "-exit_code_if_errors",
        "0",
        "-report_max",
        "-1",
        "-report_leak_max",
        "-1",
        "-logdir",
        log_dir,
        "--",
    ];
    Ok(Launch {
        wrapper: std::iter::once(program)
            .chain(options.map(str::to_owned))
            .collect(),
        ..Launch::default()
    })
}

fn leaks(machine: &dyn Machine) -> Result<Launch, Error> {
    const STACKS: &str = "MallocStackLogging";
    let help = "install the macOS developer tools with `xcode-select --install`";
    let program = find_program(Checker::Leaks, "leaks", help, machine).map_err(|error| {
        if cfg!(target_os = "macos") {
            error
        } else {
            Error::Usage("`leaks` is available only on macOS".to_owned())
        }
    })?;
    // Makes the report contain the allocation stacks of leaked blocks.
    let stacks = machine
        .env_var(STACKS)
        .is_none()
        .then(|| (STACKS.into(), "1".into()));
    Ok(Launch {
        wrapper: vec![program, "--atExit".into(), "--".into()],
        child_env: stacks.into_iter().collect(),
        notes: vec!["`leaks` hides the exit status of the program that it runs".to_owned()],
        ..Launch::default()
    })
}

/// Application Verifier is enabled for the name of the program, and needs no wrapper.
fn appverifier(machine: &dyn Machine) -> Result<Launch, Error> {
    let help = "install the Windows SDK with Application Verifier";
    find_program(Checker::Appverifier, "appverif", help, machine)?;
    Ok(Launch::default())
}

fn find_program(
    checker: Checker,
    program: &str,
    help: &str,
    machine: &dyn Machine,
) -> Result<String, Error> {
    let path = machine
        .find_program(program)
        .ok_or_else(|| not_found(checker, &format!("{program} not found on PATH"), help))?;
    Ok(path.to_string_lossy().into_owned())
}

/// Fails if a command starts the programs to check, and its checker checks only one.
///
/// `leaks` stays with the process that it starts, and Application Verifier with the name that it is
/// enabled for. `leaks` also hides the exit status of a test from its harness.
///
/// # Errors
/// The command is a harness, a shell or a similar program.
pub(super) fn ensure_single_program(
    checkers: &[Checker],
    argv: &[String],
    is_checked: bool,
    filter: &ProgramFilter,
    machine: &dyn Machine,
) -> Result<(), Error> {
    let checks_one = |checker: &&Checker| checks_one_program(**checker);
    let Some(checker) = checkers.iter().find(checks_one) else {
        return Ok(());
    };
    let command = argv.first().map_or("", String::as_str);
    if is_checked && !starts_programs(command, filter, machine) {
        return Ok(());
    }
    let name = checker.name();
    Err(Error::with_help(
        format!("cannot check `{command}` with {name}: it starts the tests as other processes"),
        format!("run a test program itself: leakgate run --tool {name} -- PROGRAM"),
    ))
}

/// Returns true if a checker checks one program, and not those that it starts.
pub(super) fn checks_one_program(checker: Checker) -> bool {
    matches!(checker, Checker::Leaks | Checker::Appverifier)
}

/// Returns true for a command that only starts other programs. The interpreter is the program of a
/// Python script, but on Windows `pytest.exe` starts Python as another process.
pub(super) fn starts_programs(
    command: &str,
    filter: &ProgramFilter,
    machine: &dyn Machine,
) -> bool {
    let is_launcher = || cfg!(windows) && ["pytest", "py.test"].contains(&program_name(command));
    match Harness::detect(&[command.to_owned()]) {
        Harness::Python => is_launcher(),
        _ => is_followed(command, filter, machine),
    }
}

#[cfg(test)]
mod tests {
    use super::super::launch::tests::FakeMachine;
    use super::*;

    #[test]
    fn command_lines_follow_the_manuals() {
        let machine = FakeMachine {
            programs: vec!["drmemory", "leaks", "appverif"],
            ..FakeMachine::default()
        };
        let drmemory = launch(Checker::Drmemory, "/logs", &machine).unwrap();
        assert_eq!(
            drmemory.wrapper.join(" "),
            "/bin/drmemory -batch -exit_code_if_errors 0 -report_max -1 -report_leak_max -1 \
             -logdir /logs --"
        );
        let leaks = launch(Checker::Leaks, "/logs", &machine).unwrap();
        assert_eq!(leaks.wrapper.join(" "), "/bin/leaks --atExit --");
        assert_eq!(
            leaks.child_env,
            [("MallocStackLogging".to_owned(), "1".to_owned())]
        );
        let appverifier = launch(Checker::Appverifier, "/logs", &machine).unwrap();
        assert!(appverifier.wrapper.is_empty());
    }

    #[test]
    fn missing_checker_error_names_its_source() {
        for (checker, source) in [
            (Checker::Drmemory, "drmemory.org"),
            (
                Checker::Leaks,
                if cfg!(target_os = "macos") {
                    "xcode"
                } else {
                    "macOS"
                },
            ),
            (Checker::Appverifier, "Windows SDK"),
        ] {
            let message = launch(checker, "/logs", &FakeMachine::default()).unwrap_err();
            assert!(message.to_string().contains(source), "{message}");
        }
    }
}
