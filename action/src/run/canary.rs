//! The canary: a small program with known errors goes through the same checker, with the same
//! options and variables. If they do not come back, a clean report of the real program would prove
//! nothing.

mod program;

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use leakgate_core::{Canary, Code, Kind, Parsed, Tool};

use self::program::{BYTES, Deed};
use super::checker::{Checker, Family};
use super::helper::write_program;
use super::launch::{Launch, Machine};
use crate::logs::Logs;

/// It runs for a second; a machine may be busy.
const PATIENCE: Duration = Duration::from_secs(120);

/// What it does for this checker; nothing where the program itself must be built for the checker.
fn deed(checker: Checker) -> Option<Deed> {
    match checker {
        Checker::Memcheck => Some(Deed::LeakAndRead),
        Checker::Helgrind | Checker::Drd => Some(Deed::Unlock),
        Checker::Scudo | Checker::Efence => Some(Deed::FreeTwice),
        Checker::GwpAsan => Some(Deed::ReadFreed),
        _ => None,
    }
}

/// Sends the canary through the checkers of a pass. The folder is its own.
pub(super) fn send(pass: &[Checker], folder: &Path, machine: &dyn Machine) -> Canary {
    let Some((checker, deed)) = pass
        .first()
        .and_then(|checker| Some((*checker, deed(*checker)?)))
    else {
        return Canary::None;
    };
    let Some(program) = program::build(deed) else {
        return Canary::None;
    };
    let name = checker.name();
    match fly(checker, &program, folder, machine) {
        Ok(logs) => came_back(checker, &logs.parsed).map_or_else(
            |why| Canary::Silent(format!("the canary is dead: {why}")),
            |()| Canary::Seen,
        ),
        Err(error) => Canary::Silent(format!(
            "the canary could not be sent through {name}: {error}"
        )),
    }
}

fn fly(
    checker: Checker,
    program: &[u8],
    folder: &Path,
    machine: &dyn Machine,
) -> Result<Logs, String> {
    let told = |error: std::io::Error| error.to_string();
    let (path, logs) = (folder.join("canary"), folder.join("logs"));
    fs::create_dir_all(&logs).map_err(told)?;
    write_program(&path, program).map_err(told)?;
    if runs_nothing(folder) {
        return Err(format!(
            "no program may run in {}: set TMPDIR to a folder where one may",
            std::env::temp_dir().display()
        ));
    }
    let launch = Launch::of(&[checker], &logs, machine).map_err(|error| error.to_string())?;
    let path = path.to_string_lossy().into_owned();
    let mut words = launch.prefix.iter().chain([&path]);
    let mut command = Command::new(words.next().unwrap_or(&path));
    command
        .args(words)
        .envs(launch.variables.into_iter().chain(launch.inner))
        .stdin(Stdio::null());
    let file = |name: &str| fs::File::create(logs.join(name)).map_err(told);
    let mut child = command
        .stdout(file("stdout.txt")?)
        .stderr(file("stderr.txt")?)
        .spawn()
        .map_err(told)?;
    let until = Instant::now() + PATIENCE;
    while child.try_wait().map_err(told)?.is_none() {
        if Instant::now() >= until {
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!(
                "it took longer than {} seconds",
                PATIENCE.as_secs()
            ));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(Logs::read(&[OsString::from(&logs)], &[]))
}

/// True on a filesystem that is mounted with `noexec`.
fn runs_nothing(folder: &Path) -> bool {
    #[cfg(unix)]
    return rustix::fs::statvfs(folder).is_ok_and(|system| {
        system
            .f_flag
            .contains(rustix::fs::StatVfsMountFlags::NOEXEC)
    });
    #[cfg(not(unix))]
    {
        let _ = folder;
        false
    }
}

/// What must be in its report.
fn came_back(checker: Checker, parsed: &Parsed) -> Result<(), String> {
    let name = checker.name();
    let found = |wanted: fn(&leakgate_core::Finding) -> bool| {
        parsed
            .findings
            .iter()
            .any(|f| f.tool == checker.tool() && wanted(f))
    };
    let is_leak = |f: &leakgate_core::Finding| {
        f.kind == Kind::LEAK_DEFINITE && f.leak.is_some_and(|leak| leak.bytes == u64::from(BYTES))
    };
    let missing = match checker {
        Checker::Memcheck if !found(is_leak) => format!("its leak of {BYTES} bytes"),
        Checker::Memcheck if !found(|f| f.kind.as_str() == "invalid-read") => {
            "its invalid read".into()
        }
        _ if parsed
            .findings
            .iter()
            .all(|f| f.tool != checker.tool() && f.tool != Tool::Scudo) =>
        {
            "its error".into()
        }
        _ => return Ok(()),
    };
    let why = why(checker, parsed).map_or_else(String::new, |why| format!(" ({why})"));
    Err(format!("{name} did not report {missing}{why}"))
}

/// What its report says instead.
fn why(checker: Checker, parsed: &Parsed) -> Option<String> {
    // A checker that says why it can't start says more than a report that has no end.
    let fatal = || parsed.problems.iter().filter(|p| p.code.reason().is_some());
    if let Some(problem) = fatal()
        .find(|p| p.code == Code::CheckerFailed)
        .or_else(|| fatal().next())
    {
        let help = leakgate_core::advice::refusal(&problem.message);
        return Some(help.map_or_else(
            || problem.message.clone(),
            |help| format!("{}; {help}", problem.message.trim_end_matches(':')),
        ));
    }
    let hidden = |r: &leakgate_core::Report| {
        r.suppressed().blocks > 0 || r.stated.suppressed_errors.is_some_and(|n| n > 0)
    };
    match parsed.reports.iter().find(|r| r.has_header || r.complete) {
        Some(report) if hidden(report) => Some("a suppression hides it".into()),
        Some(_) => {
            let places = if checker.family() == Family::Valgrind {
                ", perhaps in VALGRIND_OPTS or .valgrindrc"
            } else {
                ""
            };
            Some(format!(
                "its report has nothing of it: an option or a suppression hides it{places}"
            ))
        }
        None => Some("it left no report".into()),
    }
}
