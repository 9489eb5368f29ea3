//! `leakgate exec`: test harnesses call it instead of a test. It records the start of the test and
//! replaces itself with the test's checker.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use clap::Args;
use serde::{Deserialize, Serialize};

use super::dirs::{MODE_SHARED, make_shared};
use super::executable;
use super::launch::Launch;
use crate::error::{Error, Status};

/// File that describes how to start a program.
const LAUNCH_FILE: &str = "launch.json";

/// Folder with a record of each started program.
const RECORDS_DIR: &str = "started";

/// Start a program under the checkers of `leakgate run`. Test harnesses call this command; it isn't
/// meant to be typed.
#[derive(Debug, Args)]
pub(crate) struct Exec {
    /// Private folder of the run.
    folder: PathBuf,
    /// Options that ctest passes, then the program and its arguments.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    argv: Vec<OsString>,
}

/// A program that was started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) pid: u32,
    /// The program and its arguments.
    pub(crate) argv: Vec<String>,
}

/// Creates the folder that the helper reads from and records to.
pub(super) fn prepare(folder: &Path, launch: &Launch) -> Result<(), Error> {
    let error = |e| Error::Write(folder.to_owned(), e);
    let records = folder.join(RECORDS_DIR);
    fs::create_dir_all(&records).map_err(error)?;
    make_shared(&records, MODE_SHARED)?;
    let text = serde_json::to_string(launch).map_err(|e| error(e.into()))?;
    let path = folder.join(LAUNCH_FILE);
    fs::write(&path, text).map_err(|e| Error::Write(path, e))
}

/// Records the start of a program.
pub(super) fn record(folder: &Path, record: &Record) -> Result<(), Error> {
    let records = folder.join(RECORDS_DIR);
    let error = |e| Error::Write(records.clone(), e);
    let text = serde_json::to_string(record).map_err(|e| error(e.into()))?;
    // A pid may have several records: pids are reused, and a process may call exec.
    for index in 0.. {
        match fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(records.join(format!("{}.{index}.json", record.pid)))
        {
            Ok(mut file) => return file.write_all(text.as_bytes()).map_err(error),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(error(e)),
        }
    }
    Ok(())
}

/// Returns all records, sorted by pid.
pub(super) fn records(folder: &Path) -> Result<Vec<Record>, Error> {
    let path = folder.join(RECORDS_DIR);
    let error = |e| Error::Read(path.clone(), e);
    let mut records = Vec::new();
    for entry in fs::read_dir(&path).map_err(error)? {
        let text = fs::read_to_string(entry.map_err(error)?.path()).map_err(error)?;
        // A record that is still being written doesn't parse; the next call reads it.
        records.extend(serde_json::from_str::<Record>(&text));
    }
    records.sort_by_key(|record| record.pid);
    Ok(records)
}

/// Returns when the last program was started, or the epoch if no record exists.
pub(super) fn last_start(folder: &Path) -> SystemTime {
    let records = fs::read_dir(folder.join(RECORDS_DIR))
        .into_iter()
        .flatten()
        .flatten();
    records
        .filter_map(|entry| entry.metadata().ok()?.modified().ok())
        .max()
        .unwrap_or(SystemTime::UNIX_EPOCH)
}

/// Writes a script that calls the helper, for harnesses that take a program without arguments.
pub(super) fn write_script(folder: &Path, helper: &[String]) -> Result<(), Error> {
    let path = folder.join("helper");
    let call = super::harness::shell_join(helper)?;
    let script = format!("#!/bin/sh\nexec {call} \"$@\"\n");
    executable::write(&path, script.as_bytes()).map_err(|e| Error::Write(path, e))
}

/// Runs `leakgate exec`. On Unix the process execs the program and doesn't return.
///
/// # Errors
/// No program is given, or the program cannot be started or recorded.
pub(crate) fn run(args: &Exec) -> Result<Status, Error> {
    let options_end = args
        .argv
        .iter()
        .position(|argument| !argument.as_encoded_bytes().starts_with(b"-"))
        .unwrap_or(args.argv.len());
    let (options, argv) = args.argv.split_at(options_end);
    let Some((program, arguments)) = argv.split_first() else {
        return Err(Error::Usage("no program given".into()));
    };
    create_ctest_log(options)?;
    let path = args.folder.join(LAUNCH_FILE);
    let text = fs::read_to_string(&path).map_err(|e| Error::Read(path.clone(), e))?;
    let launch: Launch = serde_json::from_str(&text).map_err(|e| Error::Read(path, e.into()))?;
    let is_listing = lists_tests(arguments);
    let mut command = if is_listing {
        Command::new(program)
    } else {
        checked_command(&launch, program)
    };
    command.args(arguments);
    if !is_listing {
        let argv = argv
            .iter()
            .map(|argument| argument.to_string_lossy().into_owned())
            .collect();
        let pid = std::process::id();
        record(&args.folder, &Record { pid, argv })?;
    }
    exec(command, program)
}

/// Creates the empty log that ctest expects from its checker. ctest fails if the log is missing.
fn create_ctest_log(options: &[OsString]) -> Result<(), Error> {
    let log = options
        .iter()
        .filter_map(|option| option.to_str()?.strip_prefix("--log-file="))
        .next_back();
    if let Some(log) = log {
        fs::write(log, "").map_err(|e| Error::Write(log.into(), e))?;
    }
    Ok(())
}

/// Returns true if nextest asks a test program for its tests, which runs none of them.
fn lists_tests(arguments: &[OsString]) -> bool {
    arguments.first().is_some_and(|word| word == "--list")
        && arguments.get(1).is_some_and(|word| word == "--format")
        && arguments.get(2).is_some_and(|word| word == "terse")
}

/// Returns the command that runs a program under the checkers.
fn checked_command(launch: &Launch, program: &OsStr) -> Command {
    let mut words = launch.wrapper.iter().map(OsStr::new).chain([program]);
    let mut command = Command::new(words.next().unwrap_or(program));
    command.args(words);
    command.envs(
        launch
            .env
            .iter()
            .chain(&launch.child_env)
            .map(|(name, value)| (name, value)),
    );
    command
}

#[cfg(unix)]
fn exec(mut command: Command, program: &OsStr) -> Result<Status, Error> {
    use std::os::unix::process::CommandExt;
    let error = command.exec();
    Err(start_error(program, &error))
}

#[cfg(not(unix))]
fn exec(mut command: Command, program: &OsStr) -> Result<Status, Error> {
    let status = command.status().map_err(|e| start_error(program, &e))?;
    Ok(if status.success() {
        Status::Pass
    } else {
        Status::Fail
    })
}

fn start_error(program: &OsStr, error: &io::Error) -> Error {
    Error::Usage(format!(
        "cannot start `{}`: {error}",
        program.to_string_lossy()
    ))
}
