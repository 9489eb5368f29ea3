//! Observes a command while it runs: its logs, its processes, and the canary.

mod gap;
mod runtime;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use leakgate_core::verdict::{Canary, Termination};

pub(super) use self::gap::GapWatch;
pub(super) use self::runtime::RuntimeWatch;
#[cfg(target_os = "linux")]
pub(super) use self::runtime::effective_user;
use super::checker::{Checker, Family};
use super::child::{self, Observer, Survivors};
use super::collect::{self, NamedLog};
use super::helper::{self, Record};
use super::launch::Launch;
use super::log_name;
use super::log_space::LogSpace;
use super::status::{Progress, ProgressReporter};
use crate::error::Error;
use crate::ingest::Logs;

/// Total size of logs, in bytes, above which findings are not counted while the command runs.
const MAX_PREVIEW_BYTES: u64 = 8 << 20;

/// The observer of an invocation.
pub(super) struct Watch<'a> {
    pub(super) checkers: &'a [Checker],
    /// The command, or `None` if only the programs that it starts are checked.
    pub(super) argv: Option<&'a [String]>,
    pub(super) launch: &'a Launch,
    /// Folder for logs.
    pub(super) logs: &'a Path,
    /// Folder in which the helper keeps its records.
    pub(super) private: &'a Path,
    pub(super) canary: CanaryTask,
    /// Names of all logs that existed at some time.
    pub(super) log_names: BTreeSet<String>,
    /// Pids of processes that were seen to run under a checker that may write no log.
    pub(super) silent_pids: BTreeSet<u32>,
    pub(super) runtimes: RuntimeWatch<'a>,
    /// `None` if the harness may start programs of the project that aren't tests.
    pub(super) gaps: Option<GapWatch<'a>>,
    pub(super) log_space: LogSpace,
    /// Why logs could not be written.
    pub(super) log_obstacle: Option<String>,
    pub(super) reporter: ProgressReporter,
}

/// The canary, which runs at the same time as the command.
pub(super) enum CanaryTask {
    Running(JoinHandle<Canary>),
    Done(Canary),
}

impl CanaryTask {
    /// Waits for the canary and returns its result.
    pub(super) fn join(&mut self) -> Canary {
        let task = std::mem::replace(self, Self::Done(Canary::None));
        let canary = match task {
            Self::Done(canary) => canary,
            Self::Running(thread) => thread
                .join()
                .unwrap_or_else(|_| Canary::Silent("cannot run the canary".into())),
        };
        *self = Self::Done(canary.clone());
        canary
    }
}

impl Watch<'_> {
    /// Returns true if a process that has no record runs under the checkers: its program contains
    /// the runtime, or it was started with the library in `LD_PRELOAD`.
    fn is_checked(&mut self, pid: u32) -> bool {
        match self.checkers.first().map(|checker| checker.family()) {
            Some(Family::Sanitizer) => self.runtimes.has_runtime(pid),
            Some(Family::Preload) => self.has_preload(pid),
            _ => false,
        }
    }

    fn has_preload(&self, pid: u32) -> bool {
        let environ = fs::read(proc_file(pid, "environ")).unwrap_or_default();
        let is_set = |(name, value): &(String, String)| {
            environ
                .split(|byte| *byte == 0)
                .any(|variable| variable == format!("{name}={value}").as_bytes())
        };
        self.launch
            .child_env
            .iter()
            .filter(|(name, _)| name == "LD_PRELOAD")
            .any(is_set)
    }

    /// Records the logs and processes that exist now.
    pub(super) fn update(&mut self) {
        self.log_names.extend(collect::names(self.logs));
        if let Some(gaps) = &mut self.gaps {
            gaps.check(&child::descendants().unwrap_or_default());
        }
        let is_sanitizer = |checker: &Checker| checker.family() == Family::Sanitizer;
        if !self.checkers.iter().any(is_sanitizer) {
            return;
        }
        let running = child::descendants().unwrap_or_default();
        let with_log: BTreeSet<u32> = self.log_pids().collect();
        self.runtimes.check(&running, |pid| with_log.contains(&pid));
        if self.checkers.contains(&Checker::Ubsan) {
            for pid in running {
                if !self.silent_pids.contains(&pid) && self.is_checked(pid) {
                    self.silent_pids.insert(pid);
                }
            }
        }
    }

    /// Returns a message for each process that was seen to run without leakgate's options. The
    /// helper has recorded those of the programs that it started, however short they ran.
    pub(super) fn seen_problems(&self, records: &[Record]) -> Vec<String> {
        let is_recorded = |pid: u32| {
            let mut started = records.iter().filter(|record| record.pid == pid);
            started.any(|record| record.lost_options.is_some())
        };
        let seen = self.runtimes.problems();
        seen.filter(|(pid, _)| !is_recorded(*pid))
            .map(|(_, message)| message.clone())
            .collect()
    }

    /// Returns the pids in the names of all logs.
    fn log_pids(&self) -> impl Iterator<Item = u32> {
        self.log_names.iter().filter_map(|name| log_name::pid(name))
    }
}

impl Observer for Watch<'_> {
    fn poll(&mut self) -> Option<Termination> {
        self.update();
        if self.reporter.is_due() {
            let pids: BTreeSet<u32> = self
                .log_pids()
                .chain(self.silent_pids.iter().copied())
                .collect();
            self.reporter.report(Progress {
                processes: pids.len() as u64,
                findings: findings_so_far(self.logs),
            });
        }
        if matches!(&self.canary, CanaryTask::Running(thread) if thread.is_finished()) {
            self.canary.join();
        }
        if matches!(self.canary, CanaryTask::Done(Canary::Silent(_))) {
            return Some(Termination::GivenUp);
        }
        if self.log_obstacle.is_none() {
            self.log_obstacle = self.log_space.poll(self.logs);
        }
        self.log_obstacle
            .is_some()
            .then_some(Termination::CannotWriteLog)
    }

    fn running(&mut self) -> Vec<u32> {
        self.update();
        let recorded = helper::records(self.private)
            .unwrap_or_default()
            .into_iter()
            .map(|record| record.pid);
        let pids: BTreeSet<u32> = self.log_pids().chain(recorded).collect();
        // The pid in the name of a log may come from another pid namespace, or may have been reused
        // by an unrelated process.
        let descendants = child::descendants();
        pids.into_iter()
            .filter(|pid| match &descendants {
                Some(descendants) => descendants.contains(pid),
                None => child::is_running(*pid),
            })
            .collect()
    }

    fn survivors(&mut self) -> Survivors {
        // The canary is a descendant, too.
        self.canary.join();
        let mut checked = self.running();
        let unknown: Vec<u32> = child::descendants()
            .unwrap_or_default()
            .into_iter()
            .filter(|pid| !checked.contains(pid))
            .collect();
        let mut has_others = false;
        let mut has_busy = false;
        for pid in unknown {
            if self.is_checked(pid) {
                checked.push(pid);
            } else {
                has_others = true;
                has_busy |= child::is_busy(pid);
            }
        }
        Survivors {
            checked,
            has_others,
            has_busy,
        }
    }

    fn ended(&mut self, pid: u32, user: Option<u32>) {
        self.update();
        let has_log = self.log_pids().any(|other| other == pid);
        if let Some(argv) = self.argv
            && user.is_some_and(is_other_user)
            && self.checkers.contains(&Checker::Ubsan)
            && !has_log
        {
            self.runtimes.command_changed_user(pid, argv);
        }
    }

    fn started(&mut self, pid: u32) -> Result<(), Error> {
        let Some(argv) = self.argv else {
            return Ok(());
        };
        let argv = argv.to_vec();
        let record = Record {
            pid,
            argv,
            runtimes: None,
            ends_without_leak_check: false,
            lost_options: None,
        };
        helper::record(self.private, &record)
    }
}

/// Returns true for a user that may read less than leakgate.
#[cfg(unix)]
fn is_other_user(user: u32) -> bool {
    user != 0 && user != rustix::process::geteuid().as_raw()
}

#[cfg(not(unix))]
fn is_other_user(_: u32) -> bool {
    false
}

/// Returns a file of a process in `/proc`.
fn proc_file(pid: u32, name: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/{name}"))
}

/// Counts findings in all logs. Returns 0 if the logs exceed [`MAX_PREVIEW_BYTES`].
fn findings_so_far(logs: &Path) -> u64 {
    let files: Vec<NamedLog> = collect::files(logs).into_iter().collect();
    let size: u64 = files
        .iter()
        .filter_map(|(_, path)| path.metadata().ok())
        .map(|meta| meta.len())
        .sum();
    if size > MAX_PREVIEW_BYTES {
        return 0;
    }
    Logs::from_run(&files, &[])
        .parsed
        .findings
        .iter()
        .map(|finding| finding.occurrences)
        .sum()
}
