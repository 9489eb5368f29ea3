//! Evaluates the logs of processes that ran under sanitizers: each runtime must report that it
//! started and that it did a leak check.
//!
//! Source: compiler-rt `lsan/lsan_common.cpp`, for the messages of `verbosity=1` (since LLVM 18)
//! and `log_threads=1`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use memchr::memmem;

use super::{CollectContext, describe};
use crate::run::checker::Checker;
use crate::run::harness::program_name;
use crate::run::helper::Record;
use crate::run::launch::Machine;
use crate::run::sanitizer::lost_options_message;
use crate::run::{go_program, log_name, runtimes};

/// Processes that ran under sanitizers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SanitizedProcesses {
    /// Pids of the processes.
    pub(super) processes: BTreeSet<u32>,
    /// A message for each process without a complete report.
    pub(super) missing: Vec<String>,
    /// Number of processes whose program never does a leak check.
    pub(super) without_leak_check: u64,
}

/// What the log of a process proves about its runtime.
#[derive(Clone, Copy, Debug, Default)]
struct RuntimeLog {
    /// True if the runtime can do a leak check.
    supports_leak_check: bool,
    did_leak_check: bool,
    /// True if an error ended the process, so that no leak check follows.
    has_error: bool,
    /// True if the log is empty or ends in the middle of a line, because the disk was full.
    is_cut: bool,
}

/// Evaluates the logs of an invocation and the programs that were started.
pub(super) fn evaluate(
    context: &CollectContext<'_>,
    files: &BTreeMap<String, PathBuf>,
    machine: &dyn Machine,
) -> SanitizedProcesses {
    let CollectContext {
        checkers,
        folder,
        records,
        checks_leaks,
        ..
    } = *context;
    let logs = read_logs(files);
    let mut result = SanitizedProcesses::default();
    for record in records {
        let Some(runtimes) =
            detect_runtimes(record, machine).filter(|runtimes| has_runtime_of(runtimes, checkers))
        else {
            continue;
        };
        result.processes.insert(record.pid);
        if let Some(difference) = &record.lost_options {
            let message = lost_options_message(&describe(record), difference);
            result.missing.push(message);
        }
        let has_log = logs.keys().any(|(_, pid)| *pid == record.pid);
        if !has_log && logs_at_start(&runtimes) {
            result
                .missing
                .push(format!("{} left no report", describe(record)));
        }
    }
    if has_log_open_error(folder) {
        result.missing.push(
            "a process failed to open its log because it changed its user or root directory"
                .to_owned(),
        );
    }
    for ((_, pid), log) in logs {
        if log.is_cut {
            result.missing.push(format!(
                "the log of process {pid} is incomplete; check free disk space"
            ));
            continue;
        }
        let needs_leak_check = checks_leaks && log.supports_leak_check && !log.has_error;
        if !needs_leak_check || log.did_leak_check {
            continue;
        }
        let record = records.iter().find(|record| record.pid == pid);
        if record.is_some_and(|record| ends_without_leak_check(record, machine)) {
            result.without_leak_check += 1;
            continue;
        }
        let process = record.map_or_else(|| format!("process {pid}"), describe);
        result.missing.push(format!(
            "{process} ended without a leak check: it was killed, called _exit, or called exec"
        ));
    }
    result
}

/// Returns true if standard error contains the message of a runtime that failed to open its log.
fn has_log_open_error(folder: &Path) -> bool {
    let message = format!("Can't open file: {}", folder.display());
    runtimes::contains_each(&folder.join("stderr.txt"), &[message.as_bytes()])
        .is_ok_and(|found| found == [true])
}

/// Reads the logs by generation and pid. Logs of one process are combined.
fn read_logs(files: &BTreeMap<String, PathBuf>) -> BTreeMap<(u32, u32), RuntimeLog> {
    let mut logs: BTreeMap<(u32, u32), RuntimeLog> = BTreeMap::new();
    for (name, path) in files {
        let (generation, name) = log_name::generation(name);
        let Some(pid) = log_name::pid(name).filter(|_| name.starts_with("san.")) else {
            continue;
        };
        let text = fs::read(path).unwrap_or_default();
        let contains = |marker: &[u8]| memmem::find(&text, marker).is_some();
        let log = logs.entry((generation, pid)).or_default();
        log.supports_leak_check |= contains(b"egistered root region");
        log.did_leak_check |=
            contains(b"LeakSanitizer: checking for leaks") || contains(b"Processing thread ");
        log.has_error |= contains(b"ERROR: ");
        log.is_cut |= !text.ends_with(b"\n");
    }
    logs
}

/// Returns the runtimes in a started program, or `None` if it isn't an executable.
fn detect_runtimes(record: &Record, machine: &dyn Machine) -> Option<Vec<Checker>> {
    if record.runtimes.is_some() {
        return record.runtimes.clone();
    }
    let program = machine.find_program(record.argv.first()?)?;
    runtimes::detect(&program).ok().flatten()
}

/// Returns true for a program that never does a leak check. The command itself wasn't inspected
/// when it started.
fn ends_without_leak_check(record: &Record, machine: &dyn Machine) -> bool {
    let program = || machine.find_program(record.argv.first()?);
    record.ends_without_leak_check
        || record.runtimes.is_none()
            && program().is_some_and(|path| go_program::ends_without_leak_check(&path))
}

/// Returns the names of the started programs that contain other sanitizers.
pub(in crate::run) fn other_programs<'a>(
    records: &'a [Record],
    checkers: &'a [Checker],
) -> impl Iterator<Item = String> + 'a {
    let is_other = |record: &&Record| {
        let runtimes = record.runtimes.as_deref();
        runtimes.is_some_and(|runtimes| !has_runtime_of(runtimes, checkers))
    };
    let programs = records.iter().filter(is_other);
    programs.filter_map(|record| Some(program_name(record.argv.first()?).to_owned()))
}

/// Returns true if a program was built for one of these checkers. AddressSanitizer counts as
/// LeakSanitizer, too.
fn has_runtime_of(runtimes: &[Checker], checkers: &[Checker]) -> bool {
    let is_wanted = |runtime: &Checker| {
        checkers.contains(runtime) || *runtime == Checker::Asan && checkers.contains(&Checker::Lsan)
    };
    runtimes.iter().any(is_wanted)
}

/// Returns true if one of the runtimes creates its log when the process starts.
///
/// ThreadSanitizer writes its log at the end, which a process may never reach; it reports errors
/// immediately.
fn logs_at_start(runtimes: &[Checker]) -> bool {
    runtimes
        .iter()
        .any(|checker| !matches!(checker, Checker::Tsan | Checker::Ubsan))
}

#[cfg(test)]
mod tests {
    use super::super::super::exec_hook::Programs;
    use super::super::super::launch::tests::FakeMachine;
    use super::super::super::log_rotation::LogGenerations;
    use super::*;

    const STARTED: &str = "==5==Registered root region at 0x7f of size 32\n";

    /// Returns the messages for these logs and for process 5, whose program contains `symbol`.
    fn missing(symbol: &str, files: &[(&str, &str)], checks_leaks: bool) -> Vec<String> {
        evaluate_logs(symbol, files, checks_leaks, false).missing
    }

    fn evaluate_logs(
        symbol: &str,
        files: &[(&str, &str)],
        checks_leaks: bool,
        ends_without_leak_check: bool,
    ) -> SanitizedProcesses {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("app");
        fs::write(&path, format!("\x7fELF {symbol}")).unwrap();
        let path: &'static str = Box::leak(path.to_str().unwrap().to_owned().into_boxed_str());
        let machine = FakeMachine {
            programs: vec![path],
            ..FakeMachine::default()
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
            argv: vec![path.to_owned()],
            runtimes: None,
            ends_without_leak_check,
            lost_options: None,
        }];
        let context = CollectContext {
            checkers: &[Checker::Asan, Checker::Tsan, Checker::Ubsan],
            folder: dir.path(),
            label: "asan",
            records: &records,
            log_names: &BTreeSet::new(),
            generations: &LogGenerations::new(),
            silent_pids: &BTreeSet::new(),
            programs: &Programs::default(),
            follows_children: false,
            checks_leaks,
        };
        evaluate(&context, &files, &machine)
    }

    #[test]
    fn runtime_that_logs_at_start_must_leave_report() {
        assert!(missing("__asan_init", &[], true)[0].contains("left no report"));
        assert_eq!(missing("__tsan_init", &[], true), Vec::<String>::new());
        assert_eq!(missing("__ubsan_handle_", &[], true), Vec::<String>::new());
        assert_eq!(missing("", &[], true), Vec::<String>::new());
    }

    #[test]
    fn each_process_must_do_leak_check() {
        assert!(
            missing("__asan_init", &[("san.app.5", STARTED)], true)[0]
                .contains("without a leak check")
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
    fn program_of_go_needs_no_leak_check() {
        let files = [("san.app.5", STARTED), ("san.app.7", STARTED)];
        let result = evaluate_logs("__asan_init", &files, true, true);
        assert_eq!(result.without_leak_check, 1);
        assert_eq!(
            result.missing.len(),
            1,
            "the other process is of another program"
        );
    }

    #[test]
    fn cut_log_is_missing() {
        for text in ["", "==5==Registered ro"] {
            assert!(
                missing("__tsan_init", &[("san.app.5", text)], true)[0].contains("is incomplete")
            );
        }
    }
}
