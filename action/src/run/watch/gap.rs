//! Finds programs of the project that run without a checker, although they should have one: the
//! preloaded library reaches neither a program that a statically linked one starts, nor one that
//! gets an empty environment by a system call.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::proc_file;
use crate::run::program_filter::ProgramFilter;

/// Time after which a program counts as one that goes on without a checker. Until the library has
/// replaced it, each program runs for a moment.
const GRACE: Duration = Duration::from_secs(1);

/// The programs that were seen without a checker.
#[derive(Debug)]
pub(in super::super) struct GapWatch<'a> {
    filter: &'a ProgramFilter,
    /// When each program was seen first.
    seen: HashMap<(u32, PathBuf), Instant>,
    /// A message for each of them, by pid.
    gaps: BTreeMap<u32, String>,
}

impl<'a> GapWatch<'a> {
    pub(in super::super) fn new(filter: &'a ProgramFilter) -> Self {
        Self {
            filter,
            seen: HashMap::new(),
            gaps: BTreeMap::new(),
        }
    }

    /// Looks at the programs of these processes. A process under valgrind runs valgrind's program.
    pub(super) fn check(&mut self, pids: &[u32]) {
        let programs: Vec<(u32, PathBuf)> = pids
            .iter()
            .filter_map(|pid| Some((*pid, std::fs::read_link(proc_file(*pid, "exe")).ok()?)))
            .filter(|(_, program)| self.is_missed(program))
            .collect();
        self.seen.retain(|key, _| programs.contains(key));
        for (pid, program) in programs {
            let message = format!(
                "`{}` (pid {pid}) ran without a checker; its parent is statically linked, or \
                 starts it with an empty environment",
                program.display()
            );
            let since = *self.seen.entry((pid, program)).or_insert_with(Instant::now);
            if since.elapsed() >= GRACE {
                self.gaps.entry(pid).or_insert(message);
            }
        }
    }

    fn is_missed(&self, program: &Path) -> bool {
        let is_leakgate = || std::env::current_exe().is_ok_and(|own| own == *program);
        // An interpreter would be searched for on every look.
        !self.filter.is_of_system(program) && !is_leakgate() && self.filter.is_checked(program)
    }

    /// Returns a message for each program.
    pub(in super::super) fn messages(&self) -> impl Iterator<Item = String> {
        self.gaps.values().cloned()
    }
}
