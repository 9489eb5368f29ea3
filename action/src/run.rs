//! `leakgate run`: runs a command under memory checkers and judges every report they produce.

mod canary;
mod checker;
mod child;
mod choose;
mod collect;
mod dirs;
mod elf;
mod exec_hook;
mod executable;
mod extensions;
mod foreign;
mod go_program;
mod harness;
mod helper;
mod invocation;
mod launch;
mod launcher;
mod log_name;
mod log_rotation;
mod log_space;
mod miri;
mod preload;
mod program_filter;
mod reconcile;
mod runtimes;
mod sanitizer;
mod status;
mod valgrind;
mod watch;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use clap::{Args, ValueHint};
use leakgate_core::emit;
use leakgate_core::rules::RunPatterns;
use leakgate_core::verdict::{Canary, ObservedRuns, Termination};

pub(crate) use self::checker::Checker;
use self::choose::Selection;
use self::dirs::RunDirs;
use self::harness::Harness;
pub(crate) use self::helper::{Exec, run as exec};
use self::invocation::Invocation;
use self::launch::LocalMachine;
use self::program_filter::ProgramFilter;
use crate::args::{GateArgs, ReportArgs};
use crate::error::{Error, Status};
use crate::evaluate::{Evaluation, exit_status, write_reports};
use crate::ingest::{self, Logs};
use crate::init;
use crate::output;
use crate::settings::Settings;

/// Options of `leakgate run`.
#[derive(Debug, Args)]
#[command(override_usage = "leakgate run [OPTIONS] [--] [COMMAND]...")]
pub(crate) struct RunArgs {
    /// Run the command under this checker. Defaults to the sanitizers that the program was built
    /// with, or else memcheck. May be repeated.
    #[arg(long, value_name = "TOOL", value_delimiter = ',')]
    tool: Vec<Checker>,
    /// Run the command under every installed checker that supports it, one after the other.
    #[arg(long, conflicts_with = "tool")]
    all: bool,
    /// Check only programs that fit this pattern, such as `test-*`, even those of the system. By
    /// default all programs of the project are checked, and none of the system. May be repeated.
    #[arg(long, value_name = "PATTERN")]
    only: Vec<String>,
    /// Never check programs that fit this pattern, such as `tools/gen-*`. May be repeated.
    #[arg(long, value_name = "PATTERN")]
    skip: Vec<String>,
    /// Keep the checkers' logs and the command's output in this directory, which must be empty.
    /// By default they are deleted.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    keep_logs: Option<PathBuf>,
    /// Stop the command after this time, such as 90s or 10m, and fail the gate. By default the time
    /// is unlimited.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    timeout: Option<Duration>,
    /// Report as usual, but exit with status 0 instead of 1 if the gate fails.
    #[arg(long)]
    warn_only: bool,
    /// Print what would be run without running it.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    pub(crate) reports: ReportArgs,
    /// Compare with the JSON report of an earlier run: Markdown and HTML reports then show new,
    /// grown and fixed findings, and the text report counts them.
    #[arg(long, value_name = "RUN.json")]
    base: Option<PathBuf>,
    /// Command to run. Defaults to the tests of the project in the working directory. With cargo,
    /// nextest, ctest, Meson or Go, the test binaries are checked, not the harness. Options of
    /// leakgate must precede the command.
    #[arg(
        value_name = "COMMAND",
        trailing_var_arg = true,
        value_hint = ValueHint::CommandWithArguments
    )]
    command: Vec<OsString>,
    #[command(flatten)]
    gate: GateArgs,
}

/// Runs `leakgate run`.
pub(crate) fn run(args: &RunArgs) -> Result<Status, Error> {
    let settings = Settings::load(&args.gate)?;
    // Each option replaces the list in the configuration.
    let chosen = |given: &[String], configured: &[String]| match given {
        [] => configured.to_vec(),
        given => given.to_vec(),
    };
    let patterns = RunPatterns {
        only: chosen(&args.only, &settings.programs.only),
        skip: chosen(&args.skip, &settings.programs.skip),
    };
    let request = RunRequest {
        argv: &command_argv(&args.command)?,
        tools: &args.tool,
        all: args.all,
        root: settings.folder(),
        patterns: &patterns,
        timeout: args.timeout,
        tracks_descriptors: false,
    };
    let base = args
        .base
        .as_deref()
        .map(ingest::read_json_report)
        .transpose()?;
    let session = Session::new(&request, args.keep_logs.as_deref(), args.dry_run)?;
    if args.dry_run {
        return session
            .invocations
            .iter()
            .try_for_each(|invocation| output::stdout(&invocation.describe()?))
            .map(|()| Status::Pass);
    }
    let (observed, logs) = session.run(&settings)?;
    output::ensure_inputs_not_overwritten(
        settings.files.iter().chain(&args.base).chain(&logs.files),
        &args.reports.targets(),
    )?;
    let evaluation = Evaluation::observed(settings, logs, &observed)?;
    let changes = base.map(|base| emit::changes_since(&base, &evaluation.as_run(None)));
    write_reports(&evaluation.as_run(changes.as_deref()), &args.reports)?;
    Ok(final_status(
        exit_status(&evaluation.verdict),
        args.warn_only,
    ))
}

/// A command to run and the checkers to run it under.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunRequest<'a> {
    /// The command and its arguments.
    pub(crate) argv: &'a [String],
    /// The checkers. If empty, they are chosen by the program.
    pub(crate) tools: &'a [Checker],
    /// True to use every installed checker that supports the command.
    pub(crate) all: bool,
    /// Folder of the project.
    pub(crate) root: &'a Path,
    /// The programs to check, and those not to check.
    pub(crate) patterns: &'a RunPatterns,
    /// Time after which the command is stopped. `None` means no limit.
    pub(crate) timeout: Option<Duration>,
    /// True to also report open descriptors, with checkers that can.
    pub(crate) tracks_descriptors: bool,
}

impl RunRequest<'_> {
    /// Returns the option with which memcheck lists open descriptors, if they are asked for.
    fn descriptor_option(&self, checkers: &[Checker]) -> Option<String> {
        let is_used = self.tracks_descriptors && checkers.contains(&Checker::Memcheck);
        is_used.then(|| "--track-fds=yes".into())
    }
}

/// The invocations of a command. Owns the folders of their logs.
#[derive(Debug)]
pub(crate) struct Session {
    invocations: Vec<Invocation>,
    timeout: Option<Duration>,
    _dirs: RunDirs,
}

impl Session {
    /// Chooses checkers and prepares an invocation for each group of them.
    ///
    /// # Errors
    /// A checker or the command isn't installed, or the folder for logs isn't empty.
    pub(crate) fn new(
        request: &RunRequest<'_>,
        keep_logs: Option<&Path>,
        is_dry_run: bool,
    ) -> Result<Self, Error> {
        child::survive_file_size_limit();
        let harness = Harness::detect(request.argv);
        let selection = Selection {
            tools: request.tools,
            all: request.all,
        };
        let mut filter = ProgramFilter::new(request.root, request.patterns, &LocalMachine)?;
        if let Some(command) = request.argv.first() {
            filter.add_interpreter_of(command, &LocalMachine);
        }
        let groups =
            choose::checker_groups(selection, request.argv, harness, &filter, &LocalMachine)?;
        let dirs = RunDirs::new(keep_logs, is_dry_run)?;
        let invocations = groups
            .iter()
            .map(|checkers| Invocation::new(checkers, request, harness, &filter, &dirs))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            invocations,
            timeout: request.timeout,
            _dirs: dirs,
        })
    }

    /// Runs the command once per invocation and parses all logs.
    ///
    /// # Errors
    /// The command cannot be started, or a file cannot be written.
    pub(crate) fn run(&self, settings: &Settings) -> Result<(ObservedRuns, Logs), Error> {
        let mut observed = ObservedRuns::default();
        let mut files = Vec::new();
        let mut records = Vec::new();
        let mut started: Vec<Vec<u32>> = Vec::new();
        let mut last_start = SystemTime::UNIX_EPOCH;
        for invocation in &self.invocations {
            let output = invocation.run(self.timeout)?;
            files.extend(output.logs);
            started.push(output.records.iter().map(|record| record.pid).collect());
            records.extend(output.records);
            last_start = last_start.max(output.last_start);
            let is_over = matches!(
                output.run.termination,
                Termination::Interrupted | Termination::GivenUp | Termination::CannotWriteLog
            );
            if let Canary::Silent(why) = &output.run.canary {
                output::note(why);
            }
            observed.runs.push(output.run);
            if is_over {
                break;
            }
        }
        let mut logs = Logs::from_run(&files, &settings.formats);
        reconcile::excuse_miri(&mut observed, &logs, &files);
        reconcile::excuse_leaks(&mut observed, &logs);
        reconcile::require_reports(&mut observed, &logs, &started);
        reconcile::symbolize_frames(&mut logs, &records, last_start);
        reconcile::warn_about_compilers(&logs);
        reconcile::add_hidden_allocators(&mut observed, &logs, &records);
        reconcile::add_commands(&mut logs, &records);
        Ok((observed, logs))
    }
}

/// Returns the command that the user gave, or else the project's test command.
fn command_argv(command: &[OsString]) -> Result<Vec<String>, Error> {
    if command.is_empty() {
        return project_test_command();
    }
    let utf8 = |argument: &OsString| {
        argument.clone().into_string().map_err(|argument| {
            Error::Usage(format!(
                "invalid argument `{}`: not UTF-8",
                argument.to_string_lossy()
            ))
        })
    };
    command.iter().map(utf8).collect()
}

/// Returns the command that runs the tests of the project in the working directory.
fn project_test_command() -> Result<Vec<String>, Error> {
    let commands = init::test_commands(Path::new("."));
    match commands.as_slice() {
        [command] => {
            output::note(&format!(
                "note: no command given; running the tests of this project: {command}"
            ));
            Ok(shlex::split(command).unwrap_or_default())
        }
        [] => Err(Error::Usage(
            "no command given, and no tests found in this directory; run `leakgate run -- COMMAND`"
                .into(),
        )),
        several => Err(Error::Usage(format!(
            "no command given, and several kinds of tests found; run one of: leakgate run -- {}",
            several.join(", leakgate run -- ")
        ))),
    }
}

/// Returns the exit status, which is never [`Status::Fail`] if the user only wants warnings.
fn final_status(status: Status, warn_only: bool) -> Status {
    if warn_only && status == Status::Fail {
        output::note("warning: the gate failed; exiting with status 0 because of --warn-only");
        return Status::Pass;
    }
    status
}

/// Parses a duration in seconds or in a form such as `1h 30m`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map(Duration::from_secs).ok();
    let friendly = || {
        text.parse::<jiff::SignedDuration>()
            .ok()
            .and_then(|duration| Duration::try_from(duration).ok())
    };
    let duration = seconds
        .or_else(friendly)
        .filter(|duration| !duration.is_zero());
    duration.ok_or_else(|| "expected a duration such as 90s or 10m".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duration_accepts_seconds_and_units() {
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("10m"), Ok(Duration::from_secs(600)));
        assert_eq!(duration("1h 30m"), Ok(Duration::from_secs(5400)));
        for invalid in ["", "0", "-5s", "soon"] {
            assert!(duration(invalid).is_err(), "{invalid}");
        }
    }

    #[test]
    fn warn_only_changes_failure_but_not_error() {
        assert_eq!(final_status(Status::Fail, true), Status::Pass);
        assert_eq!(final_status(Status::Error, true), Status::Error);
        assert_eq!(final_status(Status::Fail, false), Status::Fail);
    }
}
