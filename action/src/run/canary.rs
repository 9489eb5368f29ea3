//! The canary check: a small program with known errors runs under the same checker, with the same
//! options and variables as the real program. If the checker doesn't report these errors, a clean
//! report of the real program proves nothing.

mod program;

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use leakgate_core::problem::Code;
use leakgate_core::verdict::Canary;
use leakgate_core::{Finding, Kind, Parsed, Report, Tool};

use self::program::{Defect, LEAK_BYTES};
use super::checker::{Checker, Family};
use super::executable;
use super::launch::Machine;
use super::launcher;
use crate::args::NoLogs;
use crate::ingest::Logs;

/// The canary takes a second, but the machine may be busy.
const TIMEOUT: Duration = Duration::from_secs(120);

const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// Returns the defect that a checker must report; `None` if only a program that was built for the
/// checker can have one.
fn defect_for(checker: Checker) -> Option<Defect> {
    match checker {
        Checker::Memcheck => Some(Defect::LeakAndRead),
        Checker::Helgrind | Checker::Drd => Some(Defect::Unlock),
        Checker::Scudo | Checker::Efence => Some(Defect::DoubleFree),
        Checker::GwpAsan => Some(Defect::ReadFreed),
        _ => None,
    }
}

/// Runs the canary under the checkers of an invocation. Nothing else may use `dir`.
pub(super) fn run(checkers: &[Checker], dir: &Path, machine: &dyn Machine) -> Canary {
    let Some(checker) = checkers.first().copied() else {
        return Canary::None;
    };
    let Some(program) = defect_for(checker).and_then(program::build) else {
        return Canary::None;
    };
    let name = checker.name();
    match run_under(checker, &program, dir, machine) {
        Ok(logs) => match verify(checker, &logs.parsed) {
            Ok(()) => Canary::Seen,
            Err(cause) => Canary::Silent(format!("the canary check failed: {cause}")),
        },
        Err(cause) => Canary::Silent(format!("cannot run the canary under {name}: {cause}")),
    }
}

/// Runs the program of the canary under a checker and parses its logs.
fn run_under(
    checker: Checker,
    program: &[u8],
    dir: &Path,
    machine: &dyn Machine,
) -> Result<Logs, String> {
    let path = dir.join("canary");
    let logs = dir.join("logs");
    fs::create_dir_all(&logs).map_err(|error| error.to_string())?;
    executable::write(&path, program).map_err(|error| error.to_string())?;
    if is_noexec(dir) {
        return Err(format!(
            "{} is mounted with noexec; set TMPDIR to a directory without it",
            std::env::temp_dir().display()
        ));
    }
    let launch = launcher::launch(&[checker], &logs, machine).map_err(|error| error.to_string())?;
    let path = path.to_string_lossy().into_owned();
    let mut argv = launch.wrapper.iter().chain([&path]);
    let mut command = Command::new(argv.next().unwrap_or(&path));
    command
        .args(argv)
        .envs(launch.env.into_iter().chain(launch.child_env))
        .stdin(Stdio::null());
    wait_for(command, &logs)?;
    Ok(Logs::read(
        &[OsString::from(&logs)],
        &[],
        NoLogs::Allowed.into(),
    ))
}

/// Starts a command with its output in `logs`, and waits for it to end.
fn wait_for(mut command: Command, logs: &Path) -> Result<(), String> {
    let create = |name: &str| fs::File::create(logs.join(name)).map_err(|error| error.to_string());
    command
        .stdout(create("stdout.txt")?)
        .stderr(create("stderr.txt")?);
    let mut child = executable::spawn_written(&mut command).map_err(|error| error.to_string())?;
    let deadline = Instant::now() + TIMEOUT;
    while child
        .try_wait()
        .map_err(|error| error.to_string())?
        .is_none()
    {
        if Instant::now() >= deadline {
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("timed out after {} seconds", TIMEOUT.as_secs()));
        }
        std::thread::sleep(POLL_INTERVAL);
    }
    Ok(())
}

/// Returns true if the filesystem of a directory is mounted with `noexec`.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn is_noexec(dir: &Path) -> bool {
    use rustix::fs::{StatVfsMountFlags, statvfs};
    statvfs(dir).is_ok_and(|system| system.f_flag.contains(StatVfsMountFlags::NOEXEC))
}

/// The flag isn't available on other systems, where a program that cannot run fails to start.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn is_noexec(_dir: &Path) -> bool {
    false
}

/// Checks that the errors of the canary are in its report.
///
/// # Errors
/// Returns the first error that is missing, and the probable cause.
fn verify(checker: Checker, parsed: &Parsed) -> Result<(), String> {
    let tool = checker.tool();
    let has = |is_match: fn(&Finding) -> bool| {
        parsed
            .findings
            .iter()
            .any(|f| f.tool == tool && is_match(f))
    };
    let is_leak = |f: &Finding| {
        f.kind == Kind::LEAK_DEFINITE
            && f.leak
                .is_some_and(|leak| leak.bytes == u64::from(LEAK_BYTES))
    };
    let is_invalid_read = |f: &Finding| f.kind.as_str() == "invalid-read";
    let has_any = parsed
        .findings
        .iter()
        .any(|f| f.tool == tool || f.tool == Tool::Scudo);
    let missing = match checker {
        Checker::Memcheck if !has(is_leak) => format!("leak of {LEAK_BYTES} bytes"),
        Checker::Memcheck if !has(is_invalid_read) => "invalid read".into(),
        _ if !has_any => "error".into(),
        _ => return Ok(()),
    };
    let cause = explain_missing(checker, parsed);
    Err(format!(
        "{} did not report its {missing} ({cause})",
        checker.name()
    ))
}

/// Returns the probable cause of a missing error.
fn explain_missing(checker: Checker, parsed: &Parsed) -> String {
    // The reason why a checker cannot start explains more than a truncated report.
    let fatal = || parsed.problems.iter().filter(|p| p.code.reason().is_some());
    if let Some(problem) = fatal()
        .find(|p| p.code == Code::CheckerFailed)
        .or_else(|| fatal().next())
    {
        let message = &problem.message;
        return match leakgate_core::advice::startup_hint(message) {
            Some(hint) => format!("{}; {hint}", message.trim_end_matches(':')),
            None => message.clone(),
        };
    }
    let is_suppressed =
        |r: &Report| r.suppressed().blocks > 0 || r.totals.suppressed_errors.is_some_and(|n| n > 0);
    match parsed.reports.iter().find(|r| r.has_header || r.complete) {
        Some(report) if is_suppressed(report) => "a suppression hides it".into(),
        Some(_) if checker.family() == Family::Valgrind => {
            "an option or a suppression hides it, perhaps in VALGRIND_OPTS or .valgrindrc".into()
        }
        Some(_) => "an option or a suppression hides it".into(),
        None => "no report found".into(),
    }
}
