//! Processes under sanitizers: their runtimes say that they run, and that they look for leaks.
//!
//! Source: compiler-rt `lsan/lsan_common.cpp`, what it prints with `verbosity=1` (since LLVM 18)
//! and with `log_threads=1`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use memchr::memmem;

use super::{Traces, process, told};
use crate::run::checker::Checker;
use crate::run::helper::Record;
use crate::run::keep;
use crate::run::launch::Machine;
use crate::run::sanitizer;

/// What was seen of them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) processes: BTreeSet<u32>,
    pub(super) missing: Vec<String>,
}

/// What the log of a process says of its runtime.
#[derive(Clone, Copy, Debug, Default)]
struct Log {
    /// The runtime can look for leaks.
    can_search: bool,
    /// It did.
    searched: bool,
    /// An error ended the process before.
    erred: bool,
    /// There is nothing in it, or no end of a line: the disk was full.
    is_cut: bool,
}

/// Looks at the logs of a pass, and at the programs that were started.
pub(super) fn look(
    traces: &Traces<'_>,
    files: &BTreeMap<String, PathBuf>,
    machine: &dyn Machine,
) -> Seen {
    let Traces {
        checkers,
        folder,
        records,
        searches,
        ..
    } = *traces;
    let logs = logs(files);
    let mut seen = Seen::default();
    for record in records {
        let Some(runtimes) = runtimes(record, machine).filter(|runtimes| is_of(runtimes, checkers))
        else {
            continue;
        };
        seen.processes.insert(record.pid);
        if !logs.keys().any(|(_, pid)| *pid == record.pid) && speaks(&runtimes) {
            seen.missing
                .push(format!("{} left no report", told(record)));
        }
    }
    if could_not_write(folder) {
        seen.missing.push(
            "a process could not open its log: it has changed its user or its root".to_owned(),
        );
    }
    for ((_, pid), log) in logs {
        if log.is_cut {
            seen.missing
                .push(format!("the log of process {pid} could not be written"));
            continue;
        }
        if !(searches && log.can_search) || log.searched || log.erred {
            continue;
        }
        let record = records.iter().find(|record| record.pid == pid);
        let who = record.map_or_else(|| format!("process {pid}"), told);
        seen.missing
            .push(format!("{who} ended without its search for leaks: it was killed, ended by _exit, or became another program"));
    }
    seen
}

/// A runtime that can't open its log says so at standard error.
fn could_not_write(folder: &Path) -> bool {
    let words = format!("Can't open file: {}", folder.display());
    sanitizer::held(&folder.join("stderr.txt"), &[words.as_bytes()])
        .is_ok_and(|held| held == [true])
}

/// The logs of processes, and of those that had their number after them.
fn logs(files: &BTreeMap<String, PathBuf>) -> BTreeMap<(u32, u32), Log> {
    let mut logs: BTreeMap<(u32, u32), Log> = BTreeMap::new();
    for (name, path) in files {
        let (generation, name) = keep::generation(name);
        let Some(pid) = process(name).filter(|_| name.starts_with("san.")) else {
            continue;
        };
        let text = fs::read(path).unwrap_or_default();
        let says = |words: &[u8]| memmem::find(&text, words).is_some();
        let log = logs.entry((generation, pid)).or_default();
        log.can_search |= says(b"egistered root region");
        log.searched |= says(b"LeakSanitizer: checking for leaks") || says(b"Processing thread ");
        log.erred |= says(b"ERROR: ");
        log.is_cut |= !text.ends_with(b"\n");
    }
    logs
}

/// The runtimes of the program that was started.
fn runtimes(record: &Record, machine: &dyn Machine) -> Option<Vec<Checker>> {
    let program = machine.program(record.words.first()?)?;
    sanitizer::runtimes(&program).ok().flatten()
}

/// True when a program was built for one of these. AddressSanitizer is asked for leaks, too.
fn is_of(runtimes: &[Checker], pass: &[Checker]) -> bool {
    let has = |checker: &Checker| {
        pass.contains(checker) || *checker == Checker::Asan && pass.contains(&Checker::Lsan)
    };
    runtimes.iter().any(has)
}

/// True when the runtime writes a log as soon as it runs. ThreadSanitizer writes one at the end,
/// which not every process comes to; what it found it has reported before.
fn speaks(runtimes: &[Checker]) -> bool {
    runtimes
        .iter()
        .any(|checker| !matches!(checker, Checker::Tsan | Checker::Ubsan))
}

#[cfg(test)]
mod tests {
    use super::super::super::keep::Parts;
    use super::super::super::launch::tests::Made;
    use super::*;

    const STARTED: &str = "==5==Registered root region at 0x7f of size 32\n";

    /// What is missing, with these logs and a program with this in it as process 5.
    fn missing(program: &str, files: &[(&str, &str)], searches: bool) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("app");
        fs::write(&path, format!("\x7fELF {program}")).unwrap();
        let path: &'static str = Box::leak(path.to_str().unwrap().to_owned().into_boxed_str());
        let machine = Made {
            programs: vec![path],
            ..Made::default()
        };
        files
            .iter()
            .for_each(|(name, text)| fs::write(dir.path().join(name), text).unwrap());
        let files = files
            .iter()
            .map(|(name, _)| ((*name).to_owned(), dir.path().join(name)))
            .collect();
        let records = [Record {
            pid: 5,
            words: vec![path.to_owned()],
        }];
        let traces = Traces {
            checkers: &[Checker::Asan, Checker::Tsan, Checker::Ubsan],
            folder: dir.path(),
            label: "asan",
            records: &records,
            seen: &BTreeSet::new(),
            parts: &Parts::new(),
            met: &BTreeSet::new(),
            searches,
        };
        look(&traces, &files, &machine).missing
    }

    #[test]
    fn a_runtime_that_speaks_must_be_heard() {
        assert!(missing("__asan_init", &[], true)[0].contains("left no report"));
        assert_eq!(missing("__tsan_init", &[], true), Vec::<String>::new());
        assert_eq!(missing("__ubsan_handle_", &[], true), Vec::<String>::new());
        assert_eq!(missing("", &[], true), Vec::<String>::new());
    }

    #[test]
    fn each_must_look_for_leaks() {
        assert!(
            missing("__asan_init", &[("san.app.5", STARTED)], true)[0]
                .contains("without its search")
        );
        assert_eq!(
            missing("__asan_init", &[("san.app.5", STARTED)], false),
            Vec::<String>::new()
        );
        for ended in [
            "==5==LeakSanitizer: checking for leaks\n",
            "==5==Processing thread 5.\n",
            "==5==ERROR: AddressSanitizer: SEGV\n",
        ] {
            assert_eq!(
                missing(
                    "__asan_init",
                    &[("san.app.5", &format!("{STARTED}{ended}"))],
                    true
                ),
                Vec::<String>::new()
            );
        }
        let files = [("san.app.5", STARTED), ("san.app.7", STARTED)];
        assert!(missing("__asan_init", &files, true)[1].starts_with("process 7 "));
    }

    #[test]
    fn a_log_that_could_not_be_written_is_no_log() {
        for text in ["", "==5==Registered ro"] {
            assert!(
                missing("__tsan_init", &[("san.app.5", text)], true)[0]
                    .contains("could not be written")
            );
        }
    }
}
