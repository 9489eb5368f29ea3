//! `leakgate run`: start a command under memory checkers, and decide as `check` does.

mod canary;
mod checker;
mod child;
mod choose;
mod collect;
mod elf;
mod foreign;
mod harness;
mod helper;
mod keep;
mod launch;
mod miri;
mod pass;
mod preload;
mod sanitizer;
mod status;
mod valgrind;
mod watch;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use clap::Args;
use leakgate_core::{Canary, End, Tool, Watched, emit};

pub(crate) use self::checker::Checker;
use self::harness::Harness;
use self::helper::Record;
pub(crate) use self::helper::{Exec, run as exec};
use self::launch::{Here, Machine};
use self::pass::{Pass, Rooms};
use crate::args::{DocumentArgs, GateArgs};
use crate::check::{Checked, status, write_all};
use crate::diff;
use crate::error::{Error, Status};
use crate::init;
use crate::logs::Logs;
use crate::output;
use crate::settings::Settings;
use crate::symbolize::{self, Places, Trust};

/// `run`
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// A checker; may be given often. Without one: the sanitizers that the program was built with,
    /// else memcheck.
    #[arg(long, value_name = "TOOL", value_delimiter = ',')]
    tool: Vec<Checker>,
    /// Every checker that this machine has and that suits the command, one after the other.
    #[arg(long, conflicts_with = "tool")]
    all: bool,
    /// Keep the logs of the checkers, and what the command printed, in this folder, which must be
    /// empty.
    #[arg(long, value_name = "DIR")]
    keep_logs: Option<PathBuf>,
    /// Stop the command after so long, such as 90s or 10m; the gate fails then.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    timeout: Option<Duration>,
    /// Report, and end with status 0 where the gate would fail.
    #[arg(long)]
    warn_only: bool,
    /// Show what would be run, and run nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    pub(crate) documents: DocumentArgs,
    #[command(flatten)]
    gate: GateArgs,
    /// The JSON document of an earlier run: text, markdown and HTML tell what is new, grown and
    /// fixed since then.
    #[arg(long, value_name = "RUN.json")]
    base: Option<PathBuf>,
    /// The command; without one, the tests of the project in this folder. Of cargo, nextest,
    /// ctest, Meson and Go the tests are checked, and not they themselves.
    #[arg(value_name = "COMMAND", trailing_var_arg = true)]
    command: Vec<OsString>,
}

/// Runs the command.
pub(crate) fn run(args: &RunArgs) -> Result<Status, Error> {
    let asked = Asked {
        words: &words(&args.command)?,
        tools: &args.tool,
        all: args.all,
        timeout: args.timeout,
    };
    let settings = Settings::load(&args.gate)?;
    let base = args.base.as_deref().map(diff::read).transpose()?;
    let session = Session::new(&asked, args.keep_logs.as_deref(), args.dry_run)?;
    if args.dry_run {
        return session
            .passes
            .iter()
            .try_for_each(|pass| output::stdout(&pass.told()?))
            .map(|()| Status::Pass);
    }
    let (watched, logs) = session.watch(&settings)?;
    output::spare(
        settings.files.iter().chain(&args.base).chain(&logs.files),
        &args.documents.resolve(),
    )?;
    let checked = Checked::watched(settings, logs, &watched)?;
    let changes = base.map(|base| emit::changes_since(&base, &checked.run(None)));
    write_all(&checked.run(changes.as_deref()), &args.documents)?;
    Ok(end(status(&checked.verdict), args.warn_only))
}

/// What somebody asked to be run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    /// The command.
    pub(crate) words: &'a [String],
    /// The checkers; without any, those that suit.
    pub(crate) tools: &'a [Checker],
    /// All that the machine has.
    pub(crate) all: bool,
    /// How long it may take.
    pub(crate) timeout: Option<Duration>,
}

/// The runs of a command, and the folder of their logs, which lives as long.
#[derive(Debug)]
pub(crate) struct Session {
    passes: Vec<Pass>,
    timeout: Option<Duration>,
    _rooms: Rooms,
}

impl Session {
    /// Finds out what is to be run.
    ///
    /// # Errors
    /// A checker or the command is not here; the folder for logs is not empty.
    pub(crate) fn new(asked: &Asked<'_>, keep: Option<&Path>, dry: bool) -> Result<Self, Error> {
        let harness = Harness::of(asked.words);
        let passes = choose::passes(asked.tools, asked.all, asked.words, harness, &Here)?;
        let rooms = Rooms::new(keep, dry)?;
        let passes = passes
            .iter()
            .map(|checkers| Pass::new(checkers, asked.words, harness, &rooms))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            passes,
            timeout: asked.timeout,
            _rooms: rooms,
        })
    }

    /// Runs the command once for each pass, and reads all that it left.
    ///
    /// # Errors
    /// The command can't be started, or nothing can be written.
    pub(crate) fn watch(&self, settings: &Settings) -> Result<(Watched, Logs), Error> {
        let (mut watched, mut files, mut commands) = (Watched::default(), Vec::new(), Vec::new());
        let mut last_start = SystemTime::UNIX_EPOCH;
        for pass in &self.passes {
            let left = pass.run(self.timeout)?;
            files.extend(left.files);
            last_start = last_start.max(left.last_start);
            commands.extend(left.records);
            let is_over = matches!(left.ran.end, End::Interrupted | End::GivenUp);
            if let Canary::Silent(why) = &left.ran.canary {
                output::note(why);
            }
            watched.runs.push(left.ran);
            if is_over {
                break;
            }
        }
        let mut logs = Logs::of_run(&files, &settings.formats);
        excuse_miri(&mut watched, &logs, &files);
        name_frames(&mut logs, &commands, last_start);
        tell_of_compilers(&logs);
        miss_hidden_allocators(&mut watched, &logs, &commands);
        // Most sanitizers do not say what they ran in.
        for report in logs
            .parsed
            .reports
            .iter_mut()
            .filter(|report| report.command.is_none())
        {
            let record = commands
                .iter()
                .find(|record| report.pid == Some(u64::from(record.pid)));
            report.command = record.map(|record| record.words.join(" ").into());
        }
        Ok((watched, logs))
    }
}

/// Leaks that Miri found are for the gate, and no failure of the command.
fn excuse_miri(watched: &mut Watched, logs: &Logs, files: &[collect::File]) {
    for ran in watched
        .runs
        .iter_mut()
        .filter(|ran| ran.tools == [Tool::Miri] && matches!(ran.end, End::Status(1 | 101)))
    {
        let text = |name: &str| {
            let path = files
                .iter()
                .find(|(label, _)| label == &format!("miri/{name}"))
                .map(|(_, path)| path);
            path.and_then(|path| std::fs::read(path).ok())
                .unwrap_or_default()
        };
        if miri::failed_for_leaks_alone(&logs.parsed, &text("stdout.txt"), &text("stderr.txt")) {
            ran.end = End::Status(0);
        }
    }
}

/// Programs that another one started, and of whose blocks memcheck saw none. Those that were
/// started first are known already.
fn miss_hidden_allocators(watched: &mut Watched, logs: &Logs, records: &[Record]) {
    let Some(ran) = watched
        .runs
        .iter_mut()
        .find(|ran| ran.tools.contains(&Tool::Memcheck))
    else {
        return;
    };
    let of_memcheck = logs
        .parsed
        .reports
        .iter()
        .filter(|report| report.tool == Tool::Memcheck);
    let programs: BTreeSet<&str> = of_memcheck
        .filter_map(|report| report.command.as_deref()?.split(' ').next())
        .collect();
    let is_known = |program: &str| {
        records
            .iter()
            .any(|record| record.words.first().is_some_and(|word| word == program))
    };
    for program in programs
        .into_iter()
        .filter(|program| !program.starts_with("/usr/") && !is_known(program))
    {
        if let Some(name) = Here
            .program(program)
            .and_then(|path| elf::hidden_allocator(&path))
        {
            ran.missing.push(format!(
                "`{program}` {}: nobody sees what it allocates",
                collect::holds(name)
            ));
        }
    }
}

/// A command that builds before it tests has compilers among what is checked: that takes long, and
/// they leak.
fn tell_of_compilers(logs: &Logs) {
    const COMPILERS: &[&str] = &[
        "as", "cc1", "cc1plus", "clang", "collect2", "ld", "ld.bfd", "ld.gold", "ld.lld", "lto1",
        "rustc",
    ];
    let programs = logs
        .parsed
        .reports
        .iter()
        .filter_map(|report| report.command.as_deref()?.split(' ').next());
    let of_system = programs
        .filter(|program| program.starts_with("/usr/"))
        .map(harness::name);
    if let Some(name) = of_system.into_iter().find(|name| COMPILERS.contains(name)) {
        output::note(&format!(
            "note: `{name}` was checked, too: build first, then run the tests alone (docs/run.md)"
        ));
    }
}

/// Names the frames that have none. A module that was there before the last process started is the
/// one that ran.
fn name_frames(logs: &mut Logs, records: &[Record], last_start: SystemTime) {
    let programs = records
        .iter()
        .filter_map(|record| Here.program(record.words.first()?))
        .collect();
    let places = Places {
        debug: Vec::new(),
        programs,
    };
    for note in symbolize::apply(&mut logs.parsed, Trust::Unchanged(last_start), places) {
        output::note(&format!("note: {note}"));
    }
}

fn words(command: &[OsString]) -> Result<Vec<String>, Error> {
    if command.is_empty() {
        return of_project();
    }
    let word = |word: &OsString| {
        word.clone()
            .into_string()
            .map_err(|word| Error::Usage(format!("{} is not UTF-8", word.to_string_lossy())))
    };
    command.iter().map(word).collect()
}

/// The command that runs the tests of the project in the working directory.
fn of_project() -> Result<Vec<String>, Error> {
    let commands = init::commands(Path::new("."));
    match commands.as_slice() {
        [command] => {
            output::note(&format!(
                "note: no command was named, so the tests of this project are run: {command}"
            ));
            Ok(shlex::split(command).unwrap_or_default())
        }
        [] => Err(Error::Usage(
            "there is no command to run: leakgate run -- COMMAND".into(),
        )),
        several => Err(Error::Usage(format!(
            "which command? leakgate run -- {}",
            several.join(", or -- ")
        ))),
    }
}

fn end(status: Status, warn_only: bool) -> Status {
    if warn_only && status == Status::Fail {
        output::note("warning: the gate fails; --warn-only makes that status 0");
        return Status::Pass;
    }
    status
}

/// A time as people write it.
fn duration(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map(Duration::from_secs).ok();
    let friendly = || {
        text.parse::<jiff::SignedDuration>()
            .ok()
            .and_then(|time| Duration::try_from(time).ok())
    };
    let time = seconds.or_else(friendly).filter(|time| !time.is_zero());
    time.ok_or_else(|| format!("`{text}` is no time, such as 90s or 10m"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_people_do() {
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("10m"), Ok(Duration::from_secs(600)));
        assert_eq!(duration("1h 30m"), Ok(Duration::from_secs(5400)));
        for wrong in ["", "0", "-5s", "soon"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_a_failing_gate_is_a_warning() {
        assert_eq!(end(Status::Fail, true), Status::Pass);
        assert_eq!(end(Status::Error, true), Status::Error);
        assert_eq!(end(Status::Fail, false), Status::Fail);
    }
}
