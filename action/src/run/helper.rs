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

use super::checker::Checker;
use super::dirs::{MODE_SHARED, make_shared};
use super::launch::{Launch, LocalMachine, Machine};
use super::program_filter::{ProgramFilter, canonical, read_start};
use super::{elf, exec_hook, executable, go_program, runtimes, sanitizer, valgrind};
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
    /// Options that ctest passes, or `--as` and the first argument of the program; then the program
    /// and its arguments.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    argv: Vec<OsString>,
}

/// A program that was started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) pid: u32,
    /// The program and its arguments.
    pub(crate) argv: Vec<String>,
    /// The sanitizers in the program, if they are known. The file may be gone when the command has
    /// ended.
    #[serde(default)]
    pub(crate) runtimes: Option<Vec<Checker>>,
    /// True if the program contains AddressSanitizer, but ends without a leak check.
    #[serde(default)]
    pub(crate) ends_without_leak_check: bool,
    /// How the options of the sanitizers in the program differ from leakgate's, so that reports may
    /// be lost.
    #[serde(default)]
    pub(crate) lost_options: Option<String>,
}

impl Record {
    /// Returns a record of this process.
    fn new(argv: Vec<String>, runtimes: Option<Vec<Checker>>) -> Self {
        Self {
            pid: std::process::id(),
            argv,
            runtimes,
            ends_without_leak_check: false,
            lost_options: None,
        }
    }
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
    let call = Call::parse(&args.argv)?;
    create_ctest_log(call.options)?;
    let path = args.folder.join(LAUNCH_FILE);
    let text = fs::read_to_string(&path).map_err(|e| Error::Read(path.clone(), e))?;
    let launch: Launch = serde_json::from_str(&text).map_err(|e| Error::Read(path, e.into()))?;
    let mut command = if lists_tests(call.arguments) {
        Command::new(call.program)
    } else {
        recorded_command(&args.folder, &launch, &call)?
    };
    command.args(call.arguments);
    exec(command, call.program)
}

/// The arguments of the helper after its folder.
struct Call<'a> {
    /// Options that ctest passes.
    options: &'a [OsString],
    /// The first argument of the program, if it differs from the path.
    name: Option<&'a OsString>,
    program: &'a OsString,
    arguments: &'a [OsString],
}

impl<'a> Call<'a> {
    fn parse(argv: &'a [OsString]) -> Result<Self, Error> {
        let no_program = || Error::Usage("no program given".into());
        if let [option, name, program, arguments @ ..] = argv
            && option == "--as"
        {
            return Ok(Self {
                options: &[],
                name: Some(name),
                program,
                arguments,
            });
        }
        let is_option = |argument: &OsString| argument.as_encoded_bytes().starts_with(b"-");
        let options_end = argv.iter().position(|argument| !is_option(argument));
        let (options, argv) = argv.split_at(options_end.ok_or_else(no_program)?);
        let (program, arguments) = argv.split_first().ok_or_else(no_program)?;
        Ok(Self {
            options,
            name: None,
            program,
            arguments,
        })
    }

    /// Returns the program and its arguments.
    fn argv(&self) -> Vec<String> {
        std::iter::once(self.program)
            .chain(self.arguments)
            .map(|argument| argument.to_string_lossy().into_owned())
            .collect()
    }
}

/// Returns the command that runs a program, under the checkers if it is to be checked. Records the
/// start.
fn recorded_command(folder: &Path, launch: &Launch, call: &Call<'_>) -> Result<Command, Error> {
    let Some(following) = &launch.following else {
        record(folder, &Record::new(call.argv(), None))?;
        return Ok(checked_command(launch, call.program));
    };
    let target = Target::of(call.program, &following.filter, launch);
    let path = canonical(&target.path);
    let error = |e| Error::Write(folder.to_owned(), e);
    exec_hook::record(folder, target.is_checked, &path).map_err(error)?;
    if target.is_checked {
        let runtimes = target.runtimes.clone();
        let has_asan = runtimes
            .as_ref()
            .is_some_and(|all| all.contains(&Checker::Asan));
        let ends_without_leak_check = has_asan && go_program::ends_without_leak_check(&target.path);
        let started = Record {
            ends_without_leak_check,
            lost_options: lost_options(launch, runtimes.as_deref().unwrap_or_default()),
            ..Record::new(call.argv(), runtimes)
        };
        record(folder, &started)?;
    }
    let mut command = if target.is_checked && !launch.wrapper.is_empty() {
        let mut command = checked_command(&target.launch(launch), call.program);
        command.env(exec_hook::PASSED, exec_hook::CHECKER_STARTS);
        command
    } else {
        let mut command = Command::new(call.program);
        set_first_argument(&mut command, call.name.unwrap_or(call.program));
        let passed = format!("{} {}", std::process::id(), path.display());
        command.env(exec_hook::PASSED, passed);
        // The caller may have emptied the environment. Its own options stay: see `lost_options`.
        let is_absent = |(name, _): &(&String, _)| std::env::var_os(name).is_none();
        command.envs(owned(&launch.env).filter(is_absent));
        command
    };
    command.envs(owned(&following.env));
    exec_hook::restore_preload(&mut command);
    let has_runtime = target.runtimes.is_some_and(|runtimes| !runtimes.is_empty());
    if has_runtime || target.is_of_other_class {
        exec_hook::remove(&mut command);
    }
    Ok(command)
}

/// Returns how the environment of a program with these runtimes will differ from the variables that
/// leakgate sets. Those that the caller removed are added again.
fn lost_options(launch: &Launch, runtimes: &[Checker]) -> Option<String> {
    let mut environ = Vec::new();
    for (name, ours) in &launch.env {
        let value = std::env::var_os(name).unwrap_or_else(|| ours.into());
        environ.extend([name.as_bytes(), b"=", value.as_encoded_bytes(), b"\0"].concat());
    }
    sanitizer::environment_problem(runtimes, &launch.env, &environ)
}

/// A program that the helper starts.
struct Target {
    path: PathBuf,
    is_checked: bool,
    /// True if the program loads no library.
    is_static: bool,
    /// True if the program can't load the preloaded library: it has 32 bits, and leakgate 64.
    is_of_other_class: bool,
    /// The sanitizers in the program; `None` if they don't matter.
    runtimes: Option<Vec<Checker>>,
}

impl Target {
    fn of(program: &OsStr, filter: &ProgramFilter, launch: &Launch) -> Self {
        let name = program.to_string_lossy();
        let path = LocalMachine
            .find_program(&name)
            .unwrap_or_else(|| PathBuf::from(program));
        let start = read_start(&path).unwrap_or_default();
        let is_elf = start.starts_with(b"\x7fELF");
        let is_wanted = is_elf && filter.is_checked(&canonical(&path));
        // A sanitizer is a part of the program.
        let needs_runtime = launch.wrapper.is_empty() && launch.child_env.is_empty();
        let runtimes = needs_runtime
            .then(|| runtimes::detect_symbols(&path).ok().flatten())
            .flatten();
        let is_checked = match &runtimes {
            Some(runtimes) => !runtimes.is_empty(),
            None => is_wanted,
        };
        Self {
            is_static: is_wanted && elf::is_statically_linked(&path),
            is_of_other_class: is_elf && start.get(4) != Some(&elf::OWN_CLASS),
            path,
            is_checked,
            runtimes,
        }
    }

    /// Returns how the program is started. Its children are met by the preloaded library, or by
    /// valgrind if the library doesn't reach the program.
    fn launch(&self, launch: &Launch) -> Launch {
        let mut launch = launch.clone();
        if !self.is_static && !self.is_of_other_class {
            launch.wrapper = valgrind::without_children(&launch.wrapper);
        }
        launch
    }
}

fn owned(variables: &[(String, String)]) -> impl Iterator<Item = (&String, &String)> {
    variables.iter().map(|(name, value)| (name, value))
}

#[cfg(unix)]
fn set_first_argument(command: &mut Command, name: &OsStr) {
    use std::os::unix::process::CommandExt;
    command.arg0(name);
}

#[cfg(not(unix))]
fn set_first_argument(_: &mut Command, _: &OsStr) {}

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
