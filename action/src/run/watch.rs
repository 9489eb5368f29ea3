//! Who looks on while a command runs: at its logs, its processes, the canary, and the clock.

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File as Opened};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::SystemTime;

use leakgate_core::Canary;

use super::checker::{Checker, Family};
use super::child::{self, Onlooker};
use super::collect::{self, File};
use super::helper::{self, Record};
use super::launch::Launch;
use super::sanitizer;
use super::status::{Speaker, State};
use crate::error::Error;
use crate::logs::Logs;

/// So many bytes of logs are read to tell how many findings there are while the command runs.
const READ_ON_THE_WAY: u64 = 8 << 20;

/// Looks on while the command runs.
pub(super) struct Watch<'a> {
    pub(super) checkers: &'a [Checker],
    /// The command, where it is checked itself.
    pub(super) words: Option<&'a [String]>,
    pub(super) launch: &'a Launch,
    /// Where logs go, and where the helper keeps its records.
    pub(super) logs: &'a Path,
    pub(super) private: &'a Path,
    pub(super) canary: Flight,
    /// Logs that were there at some time.
    pub(super) seen: BTreeSet<String>,
    /// Processes that were met while they ran under a checker that may say nothing.
    pub(super) met: BTreeSet<u32>,
    /// Programs that were looked into, and whether these checkers are in them.
    pub(super) programs: HashMap<Identity, bool>,
    pub(super) speaker: Speaker,
}

/// What tells one file from every other, and from itself after it was written anew.
pub(super) type Identity = (u64, u64, u64, SystemTime);

fn identity(file: &Opened) -> Option<Identity> {
    let meta = file.metadata().ok()?;
    #[cfg(unix)]
    let place = (
        std::os::unix::fs::MetadataExt::dev(&meta),
        std::os::unix::fs::MetadataExt::ino(&meta),
    );
    #[cfg(not(unix))]
    let place = (0, 0);
    Some((place.0, place.1, meta.len(), meta.modified().ok()?))
}

/// A canary on its way.
pub(super) enum Flight {
    Under(JoinHandle<Canary>),
    Landed(Canary),
}

impl Flight {
    /// Waits for it.
    pub(super) fn land(&mut self) -> Canary {
        let flight = std::mem::replace(self, Self::Landed(Canary::None));
        let canary = match flight {
            Self::Landed(canary) => canary,
            Self::Under(thread) => thread
                .join()
                .unwrap_or_else(|_| Canary::Silent("the canary could not be sent".into())),
        };
        *self = Self::Landed(canary.clone());
        canary
    }
}

impl Watch<'_> {
    /// True when a process that nobody told of runs under the checkers: the runtime is in its
    /// program, or the library was loaded into it.
    fn is_checked(&mut self, pid: u32) -> bool {
        let of = |name: &str| PathBuf::from(format!("/proc/{pid}/{name}"));
        match self.checkers.first().map(|checker| checker.family()) {
            Some(Family::Sanitizer) => {
                // It may become another program at any moment, and a program may be built anew.
                let Ok(program) = Opened::open(of("exe")) else {
                    return false;
                };
                let Some(identity) = identity(&program) else {
                    return false;
                };
                if let Some(known) = self.programs.get(&identity) {
                    return *known;
                }
                let Ok(built) = sanitizer::runtimes_in(program) else {
                    return false;
                };
                let is_checked = built
                    .unwrap_or_default()
                    .iter()
                    .any(|checker| self.checkers.contains(checker));
                self.programs.insert(identity, is_checked);
                is_checked
            }
            Some(Family::Preload) => {
                let variables = fs::read(of("environ")).unwrap_or_default();
                let has = |(name, value): &(String, String)| {
                    variables
                        .split(|byte| *byte == 0)
                        .any(|variable| variable == format!("{name}={value}").as_bytes())
                };
                self.launch
                    .inner
                    .iter()
                    .filter(|(name, _)| name == "LD_PRELOAD")
                    .any(has)
            }
            _ => false,
        }
    }

    pub(super) fn notice(&mut self) {
        self.seen.extend(collect::names(self.logs));
        if self.checkers.contains(&Checker::Ubsan) {
            let unmet = child::descendants()
                .unwrap_or_default()
                .into_iter()
                .filter(|pid| !self.met.contains(pid));
            for pid in unmet.collect::<Vec<_>>() {
                if self.is_checked(pid) {
                    self.met.insert(pid);
                }
            }
        }
    }
}

impl Onlooker for Watch<'_> {
    fn look(&mut self) -> bool {
        self.notice();
        if self.speaker.is_due() {
            let processes: BTreeSet<u32> = self
                .seen
                .iter()
                .filter_map(|name| collect::process(name))
                .chain(self.met.iter().copied())
                .collect();
            self.speaker.say(State {
                processes: processes.len() as u64,
                findings: findings_so_far(self.logs),
            });
        }
        if matches!(&self.canary, Flight::Under(thread) if thread.is_finished()) {
            self.canary.land();
        }
        !matches!(self.canary, Flight::Landed(Canary::Silent(_)))
    }

    fn running(&mut self) -> Vec<u32> {
        self.notice();
        let recorded = helper::records(self.private)
            .unwrap_or_default()
            .into_iter()
            .map(|record| record.pid);
        let all: BTreeSet<u32> = self
            .seen
            .iter()
            .filter_map(|name| collect::process(name))
            .chain(recorded)
            .collect();
        // A number in the name of a log may be that of a process in another namespace, or of one
        // that has it by now.
        let ours = child::descendants();
        all.into_iter()
            .filter(|pid| {
                ours.as_ref()
                    .map_or_else(|| child::is_running(*pid), |ours| ours.contains(pid))
            })
            .collect()
    }

    fn left(&mut self) -> (Vec<u32>, bool) {
        // The canary is a child, too.
        self.canary.land();
        let mut left = self.running();
        let unknown: Vec<u32> = child::descendants()
            .unwrap_or_default()
            .into_iter()
            .filter(|pid| !left.contains(pid))
            .collect();
        let (checked, others): (Vec<u32>, Vec<u32>) =
            unknown.into_iter().partition(|pid| self.is_checked(*pid));
        left.extend(checked);
        (left, !others.is_empty())
    }

    fn begins(&mut self, pid: u32) -> Result<(), Error> {
        match self.words {
            Some(words) => helper::record(
                self.private,
                &Record {
                    pid,
                    words: words.to_vec(),
                },
            ),
            None => Ok(()),
        }
    }
}

/// Findings in all logs, unless these are large.
fn findings_so_far(logs: &Path) -> u64 {
    let files: Vec<File> = collect::files(logs).into_iter().collect();
    let size: u64 = files
        .iter()
        .filter_map(|(_, path)| path.metadata().ok())
        .map(|meta| meta.len())
        .sum();
    if size > READ_ON_THE_WAY {
        return 0;
    }
    Logs::of_run(&files, &[])
        .parsed
        .findings
        .iter()
        .map(|finding| finding.occurrences)
        .sum()
}
