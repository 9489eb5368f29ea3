//! `leakgate exec`: what harnesses call in place of a test. It writes down that the test starts,
//! and becomes its checker.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use clap::Args;
use serde::{Deserialize, Serialize};

use super::launch::Launch;
use super::pass::{INTO, for_everybody};
use crate::error::{Error, Status};

/// Where the helper finds how to start a program, and where it writes down what it starts.
const LAUNCH: &str = "launch.json";
const STARTED: &str = "started";

/// Start a program under the checkers of `leakgate run`. For harnesses, which `leakgate run` tells
/// to call it.
#[derive(Debug, Args)]
pub(crate) struct Exec {
    /// The folder of the run.
    folder: PathBuf,
    /// Options of ctest, and the program with its arguments.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    words: Vec<OsString>,
}

/// A program that was started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The process.
    pub(crate) pid: u32,
    /// The program and its arguments.
    pub(crate) words: Vec<String>,
}

/// Makes a folder in which the helper finds what it needs.
pub(super) fn prepare(folder: &Path, launch: &Launch) -> Result<(), Error> {
    let error = |e| Error::Write(folder.to_owned(), e);
    let started = folder.join(STARTED);
    fs::create_dir_all(&started).map_err(error)?;
    for_everybody(&started, INTO)?;
    let text = serde_json::to_string(launch).map_err(|e| error(e.into()))?;
    fs::write(folder.join(LAUNCH), text).map_err(error)
}

/// Writes down that a program starts.
pub(super) fn record(folder: &Path, record: &Record) -> Result<(), Error> {
    let started = folder.join(STARTED);
    let error = |e| Error::Write(started.clone(), e);
    let text = serde_json::to_string(record).map_err(|e| error(e.into()))?;
    // A number is given to another process after a while, and a process may become another program.
    for number in 0.. {
        match fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(started.join(format!("{}.{number}.json", record.pid)))
        {
            Ok(mut file) => return file.write_all(text.as_bytes()).map_err(error),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(error(e)),
        }
    }
    Ok(())
}

/// All that was written down, by process.
pub(super) fn records(folder: &Path) -> Result<Vec<Record>, Error> {
    let path = folder.join(STARTED);
    let error = |e| Error::Read(path.clone(), e);
    let mut records = Vec::new();
    for entry in fs::read_dir(&path).map_err(error)? {
        let text = fs::read_to_string(entry.map_err(error)?.path()).map_err(error)?;
        // A file that is being written is read the next time.
        records.extend(serde_json::from_str::<Record>(&text));
    }
    records.sort_by_key(|record| record.pid);
    Ok(records)
}

/// When the last program was started.
pub(super) fn last_start(folder: &Path) -> SystemTime {
    let times = fs::read_dir(folder.join(STARTED))
        .into_iter()
        .flatten()
        .flatten();
    times
        .filter_map(|entry| entry.metadata().ok()?.modified().ok())
        .max()
        .unwrap_or(SystemTime::UNIX_EPOCH)
}

/// A program that calls the helper, for harnesses that take no words.
pub(super) fn script(folder: &Path, words: &[String]) -> Result<PathBuf, Error> {
    let path = folder.join("helper");
    let error = |e| Error::Write(path.clone(), e);
    let call = super::harness::joined(words)?;
    write_program(&path, format!("#!/bin/sh\nexec {call} \"$@\"\n").as_bytes()).map_err(error)?;
    Ok(path)
}

/// A file that can be run.
pub(super) fn write_program(path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::write(path, bytes)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

/// Runs the command; where the system can, the process becomes the program.
pub(crate) fn run(args: &Exec) -> Result<Status, Error> {
    let at = args
        .words
        .iter()
        .position(|word| !word.as_encoded_bytes().starts_with(b"-"))
        .unwrap_or(args.words.len());
    let (options, words) = args.words.split_at(at);
    let Some((program, arguments)) = words.split_first() else {
        return Err(Error::Usage("there is no program to start".into()));
    };
    // ctest looks for the log of the checker that it believes to call, and fails without it.
    let log = options
        .iter()
        .filter_map(|option| option.to_str()?.strip_prefix("--log-file="))
        .next_back();
    if let Some(log) = log {
        fs::write(log, "").map_err(|e| Error::Write(log.into(), e))?;
    }
    let path = args.folder.join(LAUNCH);
    let text = fs::read_to_string(&path).map_err(|e| Error::Read(path.clone(), e))?;
    let launch: Launch = serde_json::from_str(&text).map_err(|e| Error::Read(path, e.into()))?;
    // nextest asks each program for its tests first, which runs none of them.
    let lists = arguments.first().is_some_and(|word| word == "--list")
        && arguments.get(1).is_some_and(|word| word == "--format")
        && arguments.get(2).is_some_and(|word| word == "terse");
    let mut command = if lists {
        Command::new(program)
    } else {
        under(&launch, program)
    };
    command.args(arguments);
    if !lists {
        let shown = words
            .iter()
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        record(
            &args.folder,
            &Record {
                pid: std::process::id(),
                words: shown,
            },
        )?;
    }
    become_of(command, program)
}

fn under(launch: &Launch, program: &OsStr) -> Command {
    let mut words = launch.prefix.iter().map(OsStr::new).chain([program]);
    let mut command = Command::new(words.next().unwrap_or(program));
    command.args(words);
    command.envs(
        launch
            .variables
            .iter()
            .chain(&launch.inner)
            .map(|(name, value)| (name, value)),
    );
    command
}

#[cfg(unix)]
fn become_of(mut command: Command, program: &OsStr) -> Result<Status, Error> {
    use std::os::unix::process::CommandExt;
    let error = command.exec();
    Err(Error::Usage(format!(
        "{} can't be started: {error}",
        program.to_string_lossy()
    )))
}

#[cfg(not(unix))]
fn become_of(mut command: Command, program: &OsStr) -> Result<Status, Error> {
    let status = command.status().map_err(|e| {
        Error::Usage(format!(
            "{} can't be started: {e}",
            program.to_string_lossy()
        ))
    })?;
    Ok(if status.success() {
        Status::Pass
    } else {
        Status::Fail
    })
}
