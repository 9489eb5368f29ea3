//! The file with a line for each program that started, with or without a checker.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use super::{CHECKED, PASSED};
use crate::run::child;

/// Name of the file. Each line has the pid of the process in its own namespace, its start time in
/// clock ticks since boot, the state of the program, and its path.
pub(super) const EVENTS: &str = "events";

/// Records that this process goes on as another program.
///
/// # Errors
/// The file of events cannot be written.
pub(in super::super) fn record(private: &Path, is_checked: bool, program: &Path) -> io::Result<()> {
    let replaces_checked = || std::env::var_os(PASSED).is_some_and(|passed| passed == *CHECKED);
    let state = match is_checked {
        true => "checked",
        false if replaces_checked() => "replaced",
        false => "unchecked",
    };
    let pid = std::process::id();
    let start = child::own_start_time().unwrap_or_default();
    let line = format!("{pid} {start} {state} {}\n", program.display());
    let mut file = OpenOptions::new().append(true).open(private.join(EVENTS))?;
    file.write_all(line.as_bytes())
}

/// The programs that ran in one process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct ProcessPrograms {
    /// True if the last program was checked.
    pub(in super::super) ends_checked: bool,
    /// True if one of the programs was checked.
    pub(in super::super) has_checked: bool,
    /// True if a checker has begun a report: for a program of this process, or for its copy of the
    /// parent's program.
    pub(in super::super) has_report: bool,
}

#[cfg(test)]
impl ProcessPrograms {
    pub(in super::super) const CHECKED: Self = Self {
        ends_checked: true,
        has_checked: true,
        has_report: true,
    };
    pub(in super::super) const REPLACED: Self = Self {
        ends_checked: false,
        ..Self::CHECKED
    };
    pub(in super::super) const UNCHECKED: Self = Self {
        ends_checked: false,
        has_checked: false,
        has_report: false,
    };
}

/// The programs that ran, by process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Programs {
    /// By pid in the namespace of the process, and start time in clock ticks since boot. The time
    /// is 0 if it is unknown.
    pub(in super::super) processes: BTreeMap<(u32, u64), ProcessPrograms>,
    /// Names of the programs that weren't checked, without their folders.
    pub(in super::super) unchecked: BTreeSet<String>,
}

impl Programs {
    /// Reads the events of a run. Without the library, there are none.
    pub(in super::super) fn read(private: &Path) -> Self {
        let text = fs::read(private.join(EVENTS)).unwrap_or_default();
        Self::parse(&String::from_utf8_lossy(&text))
    }

    fn parse(text: &str) -> Self {
        let mut programs = Self::default();
        let mut spawned = Vec::new();
        for line in text.lines() {
            let words: Vec<&str> = line.splitn(4, ' ').collect();
            let &[pid, start, state, program] = words.as_slice() else {
                continue;
            };
            let (Ok(pid), Ok(start)) = (pid.parse(), start.parse()) else {
                continue;
            };
            let is_checked = state == "checked";
            if !is_checked {
                let name = program.rsplit('/').next().unwrap_or(program);
                programs.unchecked.insert(name.to_owned());
            }
            let begins_report = matches!(state, "checked" | "replaced" | "spawned-by-checked");
            if state.starts_with("spawned") {
                spawned.push(((pid, start), begins_report));
                continue;
            }
            let process = programs.processes.entry((pid, start)).or_default();
            process.ends_checked = is_checked;
            process.has_checked |= is_checked;
            process.has_report |= begins_report;
        }
        // The parent writes this event, maybe after those that the new process itself writes. What
        // it records was the first program.
        for (process, begins_report) in spawned {
            let process = programs.processes.entry(process).or_default();
            process.has_report |= begins_report;
        }
        programs
    }

    /// Returns the pids of processes in which no program was checked.
    pub(in super::super) fn never_checked(&self) -> BTreeSet<u32> {
        let checked: BTreeSet<u32> = self
            .processes
            .iter()
            .filter(|(_, programs)| programs.has_checked)
            .map(|((pid, _), _)| *pid)
            .collect();
        let pids = self.processes.keys().map(|(pid, _)| *pid);
        pids.filter(|pid| !checked.contains(pid)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHECKED: ProcessPrograms = ProcessPrograms::CHECKED;
    const REPLACED: ProcessPrograms = ProcessPrograms::REPLACED;
    const UNCHECKED: ProcessPrograms = ProcessPrograms::UNCHECKED;

    #[track_caller]
    fn assert_processes(text: &str, expected: &[((u32, u64), ProcessPrograms)]) {
        let programs = Programs::parse(text);
        let processes: Vec<_> = programs.processes.into_iter().collect();
        assert_eq!(processes, expected);
    }

    #[test]
    fn last_program_of_a_process_counts() {
        let text = "7 1 unchecked /bin/sh\n7 1 checked ./a\n8 1 checked ./a\n\
                    8 1 unchecked /usr/bin/sed\n9 1 unchecked /usr/bin/sed\nx\n9 1 unche";
        assert_processes(
            text,
            &[((7, 1), CHECKED), ((8, 1), REPLACED), ((9, 1), UNCHECKED)],
        );
        let programs = Programs::parse(text);
        assert_eq!(programs.never_checked(), [9].into());
        let names = ["sed".to_owned(), "sh".to_owned()];
        assert_eq!(programs.unchecked, names.into());
    }

    #[test]
    fn processes_with_the_same_pid_are_kept_apart() {
        let text = "2 50 checked ./a\n2 70 unchecked /bin/true\n";
        assert_processes(text, &[((2, 50), CHECKED), ((2, 70), UNCHECKED)]);
        assert_eq!(Programs::parse(text).never_checked(), BTreeSet::new());
    }

    #[test]
    fn event_of_the_parent_counts_as_the_first_one() {
        assert_processes(
            "7 1 checked ./a\n7 1 spawned /bin/sh\n",
            &[((7, 1), CHECKED)],
        );
        assert_processes("7 1 spawned /bin/sh\n", &[((7, 1), UNCHECKED)]);
        let copy = ProcessPrograms {
            has_report: true,
            ..UNCHECKED
        };
        let text = "7 1 unchecked /bin/sh\n7 1 spawned-by-checked /bin/sh\n";
        assert_processes(text, &[((7, 1), copy)]);
    }
}
