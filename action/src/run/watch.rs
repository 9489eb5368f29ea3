//! Observes a command while it runs: its logs, its processes, and the canary.

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File, Metadata};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::SystemTime;

use leakgate_core::verdict::{Canary, Termination};

use super::checker::{Checker, Family};
use super::child::{self, Observer, Survivors};
use super::collect::{self, NamedLog};
use super::helper::{self, Record};
use super::launch::Launch;
use super::log_space::LogSpace;
use super::status::{Progress, ProgressReporter};
use super::{log_name, runtimes};
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
    /// Programs that were searched for a runtime, and whether they contain one of these checkers.
    pub(super) programs: HashMap<FileIdentity, bool>,
    pub(super) log_space: LogSpace,
    /// Why logs could not be written.
    pub(super) log_obstacle: Option<String>,
    pub(super) reporter: ProgressReporter,
}

/// Identifies a file and its contents: device, inode, size in bytes, and modification time.
pub(super) type FileIdentity = (u64, u64, u64, SystemTime);

fn file_identity(file: &File) -> Option<FileIdentity> {
    let meta = file.metadata().ok()?;
    let (device, inode) = device_and_inode(&meta);
    Some((device, inode, meta.len(), meta.modified().ok()?))
}

#[cfg(unix)]
fn device_and_inode(meta: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (meta.dev(), meta.ino())
}

/// Other systems have no inodes in the standard library; size and time identify the file there.
#[cfg(not(unix))]
fn device_and_inode(_: &Metadata) -> (u64, u64) {
    (0, 0)
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
            Some(Family::Sanitizer) => self.has_runtime(pid),
            Some(Family::Preload) => self.has_preload(pid),
            _ => false,
        }
    }

    fn has_runtime(&mut self, pid: u32) -> bool {
        // Keep the program open: the process may call exec, and the program may be rebuilt.
        let Ok(program) = File::open(proc_file(pid, "exe")) else {
            return false;
        };
        let Some(identity) = file_identity(&program) else {
            return false;
        };
        if let Some(is_checked) = self.programs.get(&identity) {
            return *is_checked;
        }
        let Ok(detected) = runtimes::detect_in(program) else {
            return false;
        };
        let is_checked = detected
            .unwrap_or_default()
            .iter()
            .any(|checker| self.checkers.contains(checker));
        self.programs.insert(identity, is_checked);
        is_checked
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

    /// Records the logs and silent processes that exist now.
    pub(super) fn update(&mut self) {
        self.log_names.extend(collect::names(self.logs));
        if self.checkers.contains(&Checker::Ubsan) {
            let unknown: Vec<u32> = child::descendants()
                .unwrap_or_default()
                .into_iter()
                .filter(|pid| !self.silent_pids.contains(pid))
                .collect();
            for pid in unknown {
                if self.is_checked(pid) {
                    self.silent_pids.insert(pid);
                }
            }
        }
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
        for pid in unknown {
            if self.is_checked(pid) {
                checked.push(pid);
            } else {
                has_others = true;
            }
        }
        Survivors {
            checked,
            has_others,
        }
    }

    fn started(&mut self, pid: u32) -> Result<(), Error> {
        let Some(argv) = self.argv else {
            return Ok(());
        };
        let argv = argv.to_vec();
        helper::record(self.private, &Record { pid, argv })
    }
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
