//! Checkers that are commands of their own: Dr. Memory, `leaks` of macOS, Application Verifier of
//! Windows.
//!
//! Sources: Dr. Memory's manual, on options; `leaks(1)`, `malloc(3)` of macOS; the manual of
//! Application Verifier, on its command line.

use super::checker::Checker;
use super::launch::{Launch, Machine, not_found};
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

/// Application Verifier is switched on per program by [`appverifier_commands`], not by a wrapper.
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

/// The commands that run around a program under Application Verifier.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct AppVerifierCommands {
    /// Enables the checks for the name of the program.
    pub(super) enable: Vec<String>,
    /// Exports the log of the program.
    pub(super) export: Vec<String>,
    /// Disables the checks again.
    pub(super) disable: Vec<String>,
}

/// Returns the commands for a program whose log goes to `log_dir`.
pub(super) fn appverifier_commands(program: &str, log_dir: &str) -> AppVerifierCommands {
    let argv = |text: &[&str]| {
        text.iter()
            .map(|argument| (*argument).to_owned())
            .collect::<Vec<_>>()
    };
    let name = program.rsplit(['/', '\\']).next().unwrap_or(program);
    let target = format!("to={log_dir}\\{name}.xml");
    let checks = ["Heaps", "Handles", "Locks", "Memory", "Leak"];
    AppVerifierCommands {
        enable: argv(&[&["appverif", "/enable"], &checks[..], &["/for", name]].concat()),
        export: argv(&["appverif", "-export", "log", "-for", name, "-with", &target]),
        disable: argv(&["appverif", "/disable", "*", "/for", name]),
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
    fn application_verifier_is_enabled_exported_and_disabled() {
        let commands = appverifier_commands("C:\\build\\app.exe", "C:\\logs");
        assert_eq!(
            commands.enable.join(" "),
            "appverif /enable Heaps Handles Locks Memory Leak /for app.exe"
        );
        assert_eq!(
            commands.export.join(" "),
            "appverif -export log -for app.exe -with to=C:\\logs\\app.exe.xml"
        );
        assert_eq!(
            commands.disable.join(" "),
            "appverif /disable * /for app.exe"
        );
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
