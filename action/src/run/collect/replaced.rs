//! Marks the logs of processes that went on as programs without a checker, and so wrote only the
//! beginning of a report.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use leakgate_core::parse::XML_GOES_ON_UNCHECKED;

use crate::run::exec_hook::ProcessPrograms;
use crate::run::log_name;
use crate::run::log_rotation::RestoredLogs;

/// By pid and start time.
type Processes = BTreeMap<(u32, u64), ProcessPrograms>;

/// Marks the incomplete log of each process that went on as a program without a checker.
pub(in super::super) fn mark_replaced(
    folder: &Path,
    restored: &RestoredLogs,
    processes: &Processes,
) {
    for path in replaced_logs(&logs(folder, restored, processes), processes) {
        // A log that can't be marked counts as incomplete.
        let _ = OpenOptions::new()
            .append(true)
            .open(path)
            .and_then(|mut log| writeln!(log, "\n{XML_GOES_ON_UNCHECKED}"));
    }
}

/// A log of valgrind.
struct Log {
    /// The pid in the namespace of the process.
    pid: u32,
    /// When the process started, or `None` if that is unknown.
    start: Option<u64>,
    is_complete: bool,
    path: PathBuf,
}

/// Reads the logs of pids with a process whose last program had no checker. No other log can be
/// marked.
fn logs(folder: &Path, restored: &RestoredLogs, processes: &Processes) -> Vec<Log> {
    let unchecked = processes
        .iter()
        .filter(|(_, programs)| !programs.ends_checked);
    let pids: BTreeSet<u32> = unchecked.map(|((pid, _), _)| *pid).collect();
    let files = super::files(folder).into_iter();
    let logs = files.filter(|(name, _)| name.ends_with(".xml"));
    let read = |(name, path): (String, PathBuf)| {
        Some(Log {
            pid: log_name::pid(&name).filter(|pid| pids.contains(pid))?,
            start: restored.writer(&name).map(|(_, start)| start),
            is_complete: is_complete(&path),
            path,
        })
    };
    logs.filter_map(read).collect()
}

fn is_complete(path: &Path) -> bool {
    let text = fs::read(path).unwrap_or_default();
    text.trim_ascii_end().ends_with(b"</valgrindoutput>")
}

/// Returns the incomplete logs of processes whose last program had no checker.
fn replaced_logs<'a>(logs: &'a [Log], processes: &Processes) -> Vec<&'a Path> {
    let mut replaced = Vec::new();
    for (pid, logs) in by_pid(logs) {
        let mut others: Processes = processes
            .range((pid, 0)..=(pid, u64::MAX))
            .filter(|(_, programs)| programs.has_report)
            .map(|(process, programs)| (*process, *programs))
            .collect();
        let mut unknown = Vec::new();
        for log in logs {
            let process = log.start.and_then(|start| processes.get(&(pid, start)));
            match process {
                Some(programs) if !programs.ends_checked => replaced.push(log),
                Some(_) => {}
                None => unknown.push(log),
            }
            if let Some(start) = log.start {
                others.remove(&(pid, start));
            }
        }
        replaced.extend(replaced_among(&unknown, &others));
    }
    replaced
        .into_iter()
        .filter(|log| !log.is_complete)
        .map(|log| log.path.as_path())
        .collect()
}

fn by_pid(logs: &[Log]) -> BTreeMap<u32, Vec<&Log>> {
    let mut by_pid: BTreeMap<u32, Vec<&Log>> = BTreeMap::new();
    for log in logs {
        by_pid.entry(log.pid).or_default().push(log);
    }
    by_pid
}

/// Returns the incomplete ones of these logs if all of them belong to processes whose last program
/// had no checker. Which log belongs to which process is unknown. If a process was killed, there is
/// one incomplete log more than such processes.
fn replaced_among<'a>(logs: &[&'a Log], processes: &Processes) -> Vec<&'a Log> {
    let (complete, incomplete): (Vec<&Log>, Vec<&Log>) =
        logs.iter().partition(|log| log.is_complete);
    let ends_checked = |programs: &&ProcessPrograms| programs.ends_checked;
    let checked = processes.values().filter(ends_checked).count();
    let replaced = processes.len() - checked;
    if incomplete.len() <= replaced && checked <= complete.len() {
        incomplete
    } else {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHECKED: ProcessPrograms = ProcessPrograms::CHECKED;
    const REPLACED: ProcessPrograms = ProcessPrograms::REPLACED;
    const UNCHECKED: ProcessPrograms = ProcessPrograms::UNCHECKED;

    fn log(name: &str, start: Option<u64>, is_complete: bool) -> Log {
        Log {
            pid: 2,
            start,
            is_complete,
            path: name.into(),
        }
    }

    /// Checks which logs of processes with pid 2 are marked.
    #[track_caller]
    fn assert_marked(logs: &[Log], processes: &[(u64, ProcessPrograms)], expected: &[&str]) {
        let processes = processes
            .iter()
            .map(|(start, programs)| ((2, *start), *programs))
            .chain([((1, 10), REPLACED), ((3, 10), REPLACED)])
            .collect();
        let mut marked = replaced_logs(logs, &processes);
        marked.sort();
        let expected: Vec<&Path> = expected.iter().map(Path::new).collect();
        assert_eq!(marked, expected);
    }

    #[test]
    fn log_of_a_known_process_is_judged_by_its_last_program() {
        let logs = [
            log("a", Some(10), false),
            log("b", Some(20), false),
            log("c", Some(30), true),
        ];
        let processes = [(10, CHECKED), (20, REPLACED), (30, REPLACED)];
        assert_marked(&logs, &processes, &["b"]);
    }

    #[test]
    fn process_without_a_report_excuses_no_log() {
        for start in [Some(10), None] {
            let logs = [log("a", start, false)];
            assert_marked(&logs, &[(10, CHECKED), (20, UNCHECKED)], &[]);
            assert_marked(&logs, &[(20, UNCHECKED)], &[]);
        }
    }

    #[test]
    fn logs_of_unknown_processes_are_counted() {
        let replaced = [(10, REPLACED), (20, REPLACED)];
        let both = [log("a", None, false), log("b", None, false)];
        assert_marked(&both, &replaced, &["a", "b"]);
        assert_marked(&both, &replaced[..1], &[]);
        let with_complete = [log("a", None, true), log("b", None, false)];
        assert_marked(&with_complete, &[(10, CHECKED), (20, REPLACED)], &["b"]);
        assert_marked(&with_complete[1..], &[(10, CHECKED), (20, REPLACED)], &[]);
        // A copy of a checked program, which was killed, has no record.
        assert_marked(&both, &[(10, REPLACED), (20, CHECKED)], &[]);
    }

    #[test]
    fn known_processes_excuse_no_other_log() {
        let logs = [log("a", Some(10), false), log("b", None, false)];
        assert_marked(&logs, &[(10, REPLACED)], &["a"]);
        assert_marked(&logs, &[(10, REPLACED), (0, REPLACED)], &["a", "b"]);
    }
}
