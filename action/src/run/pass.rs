//! The command, run once under checkers that go together.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use leakgate_core::{Canary, Ran};
use tempfile::TempDir;

use super::checker::{Checker, Family};
use super::child::{self, Call, Ended};
use super::collect::{self, File, Traces};
use super::harness::{Context, Harness, Started, cargo, joined};
use super::helper::{self, Record};
use super::keep::{Keeper, Parts};
use super::launch::{Here, Launch};
use super::status::{Speaker, StatusLine};
use super::watch::{Flight, Watch};
use super::{canary, preload};
use crate::error::Error;
use crate::output;

/// Where a run keeps its things.
#[derive(Debug)]
pub(super) struct Rooms {
    private: TempDir,
    logs: PathBuf,
}

/// What root starts may go on as somebody else (a database does), who must still be able to leave a
/// report: then the folders are like /tmp, where everybody writes and nobody touches what is
/// another's.
pub(super) fn for_everybody(folder: &Path, mode: u32) -> Result<(), Error> {
    #[cfg(unix)]
    if rustix::process::geteuid().is_root() {
        use std::os::unix::fs::PermissionsExt;
        return fs::set_permissions(folder, fs::Permissions::from_mode(mode))
            .map_err(|e| Error::Write(folder.to_owned(), e));
    }
    let _ = (folder, mode);
    Ok(())
}

/// A folder that others may go through, and one that they may write into.
pub(super) const THROUGH: u32 = 0o711;
pub(super) const INTO: u32 = 0o1733;

impl Rooms {
    /// Logs go to the folder that was named, else they are private, too.
    pub(super) fn new(keep: Option<&Path>, dry: bool) -> Result<Self, Error> {
        let error = |e| Error::Write(std::env::temp_dir(), e);
        let private = tempfile::Builder::new()
            .prefix("leakgate-")
            .tempdir()
            .map_err(error)?;
        for_everybody(private.path(), THROUGH)?;
        let Some(keep) = keep else {
            let logs = private.path().join("logs");
            return Ok(Self { private, logs });
        };
        if !is_empty(keep)? {
            return Err(Error::Usage(format!(
                "{}: the folder holds files, and logs of another run would count as those of this one",
                keep.display()
            )));
        }
        if !dry {
            fs::create_dir_all(keep).map_err(|e| Error::Write(keep.to_owned(), e))?;
        }
        let logs = std::path::absolute(keep).map_err(|e| Error::Write(keep.to_owned(), e))?;
        Ok(Self { private, logs })
    }
}

/// One run of the command.
#[derive(Debug)]
pub(super) struct Pass {
    checkers: Vec<Checker>,
    /// The names of its checkers.
    label: String,
    /// The command as it was given.
    words: Vec<String>,
    harness: Harness,
    launch: Launch,
    started: Started,
    /// Where its logs go, and where its helper and its canary are.
    logs: PathBuf,
    private: PathBuf,
}

/// What it left.
#[derive(Debug)]
pub(super) struct Left {
    pub(super) ran: Ran,
    pub(super) files: Vec<File>,
    pub(super) records: Vec<Record>,
    /// When the last program was started.
    pub(super) last_start: SystemTime,
}

impl Pass {
    /// Finds out how to start the command under these checkers.
    pub(super) fn new(
        checkers: &[Checker],
        words: &[String],
        harness: Harness,
        rooms: &Rooms,
    ) -> Result<Self, Error> {
        let label = checkers
            .iter()
            .map(|checker| checker.name())
            .collect::<Vec<_>>()
            .join("+");
        let (logs, private) = (rooms.logs.join(&label), rooms.private.path().join(&label));
        let launch = Launch::of(checkers, &logs, &Here)?;
        let own = std::env::current_exe().map_err(|e| Error::Read("leakgate".into(), e))?;
        let utf8 = |path: &Path| path.to_string_lossy().into_owned();
        let helper = [utf8(&own), "exec".to_owned(), utf8(&private)];
        let script = utf8(&private.join("helper"));
        let context = Context {
            pass: checkers,
            helper: &helper,
            script: &script,
            machine: &Here,
            ask: &ask,
        };
        let started = harness.start(words, &launch, context)?;
        fs::create_dir_all(&private).map_err(|e| Error::Write(private.clone(), e))?;
        helper::prepare(&private, &launch)?;
        helper::script(&private, &helper)?;
        Ok(Self {
            checkers: checkers.to_vec(),
            label,
            words: words.to_vec(),
            harness,
            launch,
            started,
            logs,
            private,
        })
    }

    /// The variables of the command itself.
    fn variables(&self) -> Vec<(String, String)> {
        let inner = self.launch.inner.iter().filter(|_| self.started.is_checked);
        self.launch
            .variables
            .iter()
            .chain(&self.started.variables)
            .chain(inner)
            .cloned()
            .collect()
    }

    /// What would be run, as a shell would take it.
    pub(super) fn told(&self) -> Result<String, Error> {
        let mut out = format!("# {}\n", self.label);
        for note in self.notes() {
            out += &format!("# {note}\n");
        }
        let mut words = Vec::new();
        for (name, value) in self.variables() {
            words.push(format!("{name}={}", joined(&[value])?));
        }
        words.push(joined(&self.started.words)?);
        out += &words.join(" ");
        if !(self.started.is_checked
            || self.launch.prefix.is_empty() && self.launch.inner.is_empty())
        {
            let inner = self
                .launch
                .inner
                .iter()
                .map(|(name, value)| format!("{name}={value}"));
            let each: Vec<String> = inner.chain(self.launch.prefix.iter().cloned()).collect();
            out += &format!("\n# and each test by: {} TEST", joined(&each)?);
        }
        Ok(out + "\n")
    }

    fn notes(&self) -> impl Iterator<Item = &String> {
        self.launch.notes.iter().chain(&self.started.notes)
    }

    /// Runs it.
    ///
    /// # Errors
    /// It can't be started, or nothing can be written.
    pub(super) fn run(&self, timeout: Option<Duration>) -> Result<Left, Error> {
        self.notes()
            .for_each(|note| output::note(&format!("note: {note}")));
        fs::create_dir_all(&self.logs).map_err(|e| Error::Write(self.logs.clone(), e))?;
        for_everybody(&self.logs, INTO)?;
        let line = StatusLine::new();
        self.around(true)?;
        let (checkers, nest) = (self.checkers.clone(), self.private.join("canary"));
        let canary = std::thread::spawn(move || canary::send(&checkers, &nest, &Here));
        let mut watch = Watch {
            checkers: &self.checkers,
            words: self.started.is_checked.then_some(&self.words),
            launch: &self.launch,
            logs: &self.logs,
            private: &self.private,
            canary: Flight::Under(canary),
            seen: BTreeSet::new(),
            met: BTreeSet::new(),
            programs: HashMap::new(),
            speaker: Speaker::new(self.label.clone(), line.clone()),
        };
        let variables = self.variables();
        let keeper = Keeper::of(&self.logs);
        let call = Call {
            words: &self.started.words,
            variables: &variables,
            folder: &self.logs,
            timeout,
            line: &line,
        };
        let ended = child::run(call, &mut watch);
        line.finish();
        // It writes into a folder that is about to go where there was an error.
        let canary = watch.canary.land();
        self.around(false)?;
        let ended = ended?;
        watch.notice();
        let (parts, lost) = keeper.finish()?;
        self.look(ended, (canary, watch), (&parts, lost))
    }

    /// Looks at what it left.
    fn look(
        &self,
        ended: Ended,
        (canary, watch): (Canary, Watch<'_>),
        (parts, lost): (&Parts, Vec<String>),
    ) -> Result<Left, Error> {
        // A command may empty the folder for temporary files.
        let (records, unread) = match helper::records(&self.private) {
            Ok(records) => (records, None),
            Err(error) => (
                Vec::new(),
                Some(format!("nobody knows which processes ran: {error}")),
            ),
        };
        let traces = Traces {
            checkers: &self.checkers,
            folder: &self.logs,
            label: &self.label,
            records: &records,
            seen: &watch.seen,
            parts,
            met: &watch.met,
            searches: self.launch.unsearched.is_none(),
        };
        let mut found = collect::collect(&traces, &Here);
        for lost in lost
            .into_iter()
            .map(|lost| format!("{}/{lost}", self.label))
        {
            if !found.missing.contains(&lost) {
                found.missing.push(lost);
            }
        }
        let printed = |name: &str| fs::read(self.logs.join(name)).unwrap_or_default();
        let is_cargo = matches!(self.harness, Harness::Cargo | Harness::Nextest);
        let tests = if is_cargo {
            cargo::tests(&printed("stdout.txt"), &printed("stderr.txt"))
        } else {
            None
        };
        let is_preload = self
            .checkers
            .iter()
            .any(|checker| checker.family() == Family::Preload);
        let crash = if is_preload {
            preload::crash(&printed("stderr.txt"))
        } else {
            None
        };
        let crash =
            crash.map(|line| format!("a process of `{}` crashed: `{line}`", self.words.join(" ")));
        if self.checkers.contains(&Checker::Miri) {
            found.processes = tests.unwrap_or(1).min(1);
        }
        let ran = Ran {
            tools: self.checkers.iter().map(|checker| checker.tool()).collect(),
            command: self.words.join(" "),
            end: ended.end,
            processes: found.processes,
            canary,
            missing: found.missing,
            unproved: crash
                .into_iter()
                .chain(unread)
                .chain(self.unproved(ended, tests))
                .collect(),
            unsearched: self.launch.unsearched.clone(),
        };
        Ok(Left {
            ran,
            files: found.files,
            records,
            last_start: helper::last_start(&self.private),
        })
    }

    /// Application Verifier is told of a program before it starts, and asked afterwards.
    fn around(&self, before: bool) -> Result<(), Error> {
        if !self.checkers.contains(&Checker::Appverifier) {
            return Ok(());
        }
        let program = self.words.first().map_or("", String::as_str);
        let (on, off) = super::foreign::around(program, &self.logs.to_string_lossy());
        let calls = if before { vec![on] } else { off.to_vec() };
        for call in calls {
            let status = Command::new(&call[0]).args(&call[1..]).status();
            if !status.is_ok_and(|status| status.success()) {
                return Err(Error::Usage(format!("`{}` failed", call.join(" "))));
            }
        }
        Ok(())
    }

    fn unproved(&self, ended: Ended, tests: Option<u64>) -> Vec<String> {
        let mut unproved: Vec<String> = ended
            .lost
            .into_iter()
            .map(|lost| format!("{}/{lost}", self.label))
            .collect();
        unproved.extend(self.launch.blinded.iter().cloned());
        if tests == Some(0) {
            unproved.push(format!("`{}` ran no test", self.words.join(" ")));
        }
        // valgrind writes its whole report when it is told to end.
        let reports_anyway = self
            .checkers
            .iter()
            .any(|checker| checker.family() == Family::Valgrind);
        for (pid, was_killed) in ended
            .stopped
            .into_iter()
            .filter(|(_, killed)| *killed || !reports_anyway)
        {
            let how = if was_killed { "killed" } else { "stopped" };
            unproved.push(format!(
                "process {pid} outlived `{}`, and was {how} before it could report",
                self.words.join(" ")
            ));
        }
        for (pid, signal) in ended.died {
            unproved.push(format!(
                "process {pid} of `{}` crashed by signal {signal}, and nobody waited for it",
                self.words.join(" ")
            ));
        }
        unproved
    }
}

/// True when there is nothing in a folder, or no folder.
fn is_empty(folder: &Path) -> Result<bool, Error> {
    match fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(Error::Read(folder.to_owned(), error)),
    }
}

/// What a program prints.
fn ask(words: &[&str]) -> Option<String> {
    let (program, arguments) = words.split_first()?;
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
