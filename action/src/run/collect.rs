//! Collects the logs of an invocation, and finds processes that left no report.

mod replaced;
pub(super) mod sanitizers;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub(super) use self::replaced::mark_replaced;
use super::checker::{Checker, Family};
use super::exec_hook::Programs;
use super::helper::Record;
use super::launch::Machine;
use super::log_rotation::{LogGenerations, removed_message};
use super::{elf, log_name, valgrind};
use crate::output;

/// The name of a log in reports, and its path.
pub(super) type NamedLog = (String, PathBuf);

/// The logs and processes of an invocation.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Collected {
    /// The logs. Those with a pid in their name come first.
    pub(super) files: Vec<NamedLog>,
    /// Number of processes that ran under the checkers.
    pub(super) processes: u64,
    /// A message for each process without a report and each lost report.
    pub(super) missing: Vec<String>,
    /// A message for each option that hides errors although leakgate overrides such options.
    pub(super) disabled_checks: Vec<String>,
    /// Number of processes under AddressSanitizer whose program never does a leak check.
    pub(super) without_leak_check: u64,
}

impl Collected {
    /// Prints what the checkers can't find in these programs.
    pub(super) fn print_notes(&self) {
        let n = self.without_leak_check;
        if n > 0 {
            let programs = if n == 1 { "Go program" } else { "Go programs" };
            output::note(&format!(
                "note: {n} {programs} ended without a leak check: before Go 1.25, AddressSanitizer \
                 finds errors of C code, but no leaks; `--tool memcheck` finds both"
            ));
        }
    }
}

/// Returns the names of all files in a folder of logs and its subfolders. The names are those that
/// the files will have after the command.
pub(super) fn names(folder: &Path) -> BTreeSet<String> {
    files(folder)
        .keys()
        .map(|name| log_name::without_generations_dir(name).to_owned())
        .collect()
}

/// Returns the paths of all files in a folder of logs and its subfolders by name. Names are
/// relative to the folder, use `/`, and are valid UTF-8.
pub(super) fn files(folder: &Path) -> BTreeMap<String, PathBuf> {
    let walk = ignore::WalkBuilder::new(folder)
        .standard_filters(false)
        .follow_links(false)
        .build();
    let files = walk
        .flatten()
        .filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()));
    files
        .filter_map(|entry| {
            let name = entry
                .path()
                .strip_prefix(folder)
                .ok()?
                .to_string_lossy()
                .replace('\\', "/");
            Some((name, entry.into_path()))
        })
        .collect()
}

/// Facts about an invocation that decide which reports must exist.
#[derive(Clone, Copy)]
pub(super) struct CollectContext<'a> {
    pub(super) checkers: &'a [Checker],
    /// Folder of logs.
    pub(super) folder: &'a Path,
    /// Prefix of log names in reports.
    pub(super) label: &'a str,
    /// Programs that were started, sorted by pid.
    pub(super) records: &'a [Record],
    /// Names of logs that existed while the command ran.
    pub(super) log_names: &'a BTreeSet<String>,
    /// Logs that were renamed while the command ran. Empty on systems other than Linux.
    pub(super) generations: &'a LogGenerations,
    /// Pids of processes that were seen to run under the checkers.
    pub(super) silent_pids: &'a BTreeSet<u32>,
    /// The programs that ran, with or without a checker.
    pub(super) programs: &'a Programs,
    /// True if leakgate itself meets the programs that others start.
    pub(super) follows_children: bool,
    /// False if the user disabled the leak check.
    pub(super) checks_leaks: bool,
}

impl CollectContext<'_> {
    fn has_family(&self, family: Family) -> bool {
        self.checkers
            .iter()
            .any(|checker| checker.family() == family)
    }
}

/// Collects the logs of an invocation after the command has ended.
pub(super) fn collect(context: &CollectContext<'_>, machine: &dyn Machine) -> Collected {
    let label = context.label;
    let files = files(context.folder);
    let removed = context
        .log_names
        .iter()
        .filter(|name| !files.contains_key(*name));
    let mut missing: Vec<String> = removed
        .map(|name| removed_message(&format!("{label}/{name}")))
        .collect();
    missing.extend(overwritten_reports(context));
    let mut without_leak_check = 0;
    let mut processes: BTreeSet<u32> = files
        .keys()
        .filter_map(|name| log_name::pid(name))
        .chain(context.silent_pids.iter().copied())
        .collect();
    match context.checkers.first().map(|checker| checker.family()) {
        Some(Family::Valgrind) => missing.extend(missing_valgrind_reports(context)),
        Some(Family::Sanitizer) => {
            let sanitized = sanitizers::evaluate(context, &files, machine);
            processes.extend(sanitized.processes);
            missing.extend(sanitized.missing);
            without_leak_check = sanitized.without_leak_check;
        }
        _ => processes.extend(context.records.iter().map(|record| record.pid)),
    }
    missing.extend(unchecked_allocations(context, machine));
    let never_checked = context.programs.never_checked();
    processes.retain(|pid| !never_checked.contains(pid));
    let disabled_checks = disabled_valgrind_checks(context, &files);
    Collected {
        disabled_checks,
        without_leak_check,
        files: sorted_logs(label, files),
        processes: processes.len() as u64,
        missing,
    }
}

/// Sorts logs by pid, those without a pid last, and prefixes their names with the label.
fn sorted_logs(label: &str, files: BTreeMap<String, PathBuf>) -> Vec<NamedLog> {
    let mut logs: Vec<NamedLog> = files.into_iter().collect();
    logs.sort_by_key(|(name, _)| log_name::pid(name).unwrap_or(u32::MAX));
    logs.into_iter()
        .map(|(name, path)| (format!("{label}/{name}"), path))
        .collect()
}

/// Returns a message for each started program without a report by valgrind.
fn missing_valgrind_reports(context: &CollectContext<'_>) -> Vec<String> {
    let has_report = |pid: u32| {
        context
            .folder
            .join(format!("{pid}.xml"))
            .metadata()
            .is_ok_and(|meta| meta.len() > 0)
    };
    context
        .records
        .iter()
        .filter(|record| !has_report(record.pid))
        .map(|record| format!("{} left no report", describe(record)))
        .collect()
}

/// Returns a message for each option in a report by valgrind that hides errors.
fn disabled_valgrind_checks(
    context: &CollectContext<'_>,
    files: &BTreeMap<String, PathBuf>,
) -> Vec<String> {
    let valgrind = context
        .checkers
        .first()
        .filter(|checker| checker.family() == Family::Valgrind);
    let Some(checker) = valgrind else {
        return Vec::new();
    };
    let harmful: BTreeSet<String> = files
        .iter()
        .filter(|(name, _)| name.ends_with(".xml"))
        .flat_map(|(_, path)| {
            let xml = std::fs::read(path).unwrap_or_default();
            valgrind::harmful_options(*checker, &xml, context.follows_children)
        })
        .collect();
    harmful
        .into_iter()
        .map(|option| format!("{option}; remove it from VALGRIND_OPTS and .valgrindrc"))
        .collect()
}

/// Returns a message for each program whose pid was reused, unless each program with that pid has a
/// log.
fn overwritten_reports(context: &CollectContext<'_>) -> Vec<String> {
    let log_count = |pid: u32| {
        context
            .generations
            .iter()
            .filter(|(name, _)| log_name::pid(name) == Some(pid))
            .map(|(_, writers)| writers.len())
            .sum::<usize>()
    };
    // A sanitizer may write no log if it has nothing to report, and preloaded libraries never do.
    let min_logs = usize::from(!context.has_family(Family::Valgrind));
    let overwritten = context
        .records
        .chunk_by(|a, b| a.pid == b.pid)
        .filter(|records| {
            let logs = log_count(records[0].pid);
            logs >= min_logs && records.len() > logs.max(1)
        })
        .flat_map(|records| &records[..records.len() - 1]);
    overwritten
        .map(|record| {
            format!(
                "the pid of {} was reused and its report was overwritten",
                describe(record)
            )
        })
        .collect()
}

/// Returns a message for each program whose allocations the checker cannot see.
fn unchecked_allocations(context: &CollectContext<'_>, machine: &dyn Machine) -> Vec<String> {
    let is_preload = context.has_family(Family::Preload);
    if !is_preload && !context.checkers.contains(&Checker::Memcheck) {
        return Vec::new();
    }
    context
        .records
        .iter()
        .filter_map(|record| {
            let problem = allocator_problem(record, is_preload, machine)?;
            Some(format!("{} {problem}", describe(record)))
        })
        .collect()
}

/// Returns why the allocator of a program can neither be replaced nor checked, or `None` if it can.
/// Shells are exempt, because they only start other programs.
fn allocator_problem(record: &Record, is_preload: bool, machine: &dyn Machine) -> Option<String> {
    let name = record.argv.first()?;
    let is_shell = ["sh", "ash", "bash", "dash", "busybox", "env"]
        .contains(&super::harness::program_name(name));
    let program = machine.find_program(name).filter(|_| !is_shell)?;
    if elf::is_statically_linked(&program) {
        return Some("is statically linked, so its allocations are not checked".into());
    }
    if is_preload && elf::defines_malloc(&program) {
        return Some("defines malloc itself, so its allocations are not checked".into());
    }
    elf::hidden_allocator(&program).map(hidden_allocator_problem)
}

/// Returns the end of a message about a program that contains this allocator.
pub(super) fn hidden_allocator_problem(allocator: &str) -> String {
    format!(
        "links {allocator} statically, so its allocations are not checked; build it with the \
         system allocator"
    )
}

/// Returns the command line and pid of a process for messages.
fn describe(record: &Record) -> String {
    format!("`{}` (pid {})", record.argv.join(" "), record.pid)
}

#[cfg(test)]
mod tests {
    use super::super::launch::tests::FakeMachine;
    use super::*;

    fn record(pid: u32) -> Record {
        Record {
            pid,
            argv: vec!["./app".into()],
            runtimes: None,
            ends_without_leak_check: false,
            lost_options: None,
        }
    }

    #[test]
    fn process_without_report_is_missing() {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("7.xml", "<x/>"),
            ("12.xml", "<x/>"),
            ("9.xml", ""),
            ("12.txt", ""),
            ("stderr.txt", ""),
        ] {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        let log_names = ["8.xml".to_owned(), "7.xml".into()].into();
        let records = [record(7), record(7), record(9), record(10), record(10)];
        let generations = LogGenerations::from([
            ("7.xml".into(), vec![None]),
            ("10.xml".into(), vec![None, None]),
        ]);
        let context = CollectContext {
            checkers: &[Checker::Memcheck],
            folder: dir.path(),
            label: "memcheck",
            records: &records,
            log_names: &log_names,
            generations: &generations,
            silent_pids: &BTreeSet::new(),
            programs: &Programs::default(),
            follows_children: false,
            checks_leaks: true,
        };
        let collected = collect(&context, &FakeMachine::default());
        assert_eq!(
            collected.missing,
            [
                "memcheck/8.xml was removed during the run",
                "the pid of `./app` (pid 7) was reused and its report was overwritten",
                "`./app` (pid 9) left no report",
                "`./app` (pid 10) left no report",
                "`./app` (pid 10) left no report",
            ]
        );
        let names: Vec<&str> = collected
            .files
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(
            names,
            [
                "memcheck/7.xml",
                "memcheck/9.xml",
                "memcheck/12.txt",
                "memcheck/12.xml",
                "memcheck/stderr.txt"
            ]
        );
        assert_eq!(collected.processes, 3);
    }
}
