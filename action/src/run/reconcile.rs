//! Reconciles the reports of a run with the records of its processes.

use std::collections::BTreeSet;
use std::time::SystemTime;

use leakgate_core::Tool;
use leakgate_core::verdict::{ObservedRuns, Termination};

use super::collect::{self, NamedLog};
use super::helper::Record;
use super::launch::{LocalMachine, Machine};
use super::{elf, harness, miri};
use crate::ingest::Logs;
use crate::output;
use crate::symbolize::{self, SearchPaths, Trust};

/// Adds the command line to reports without one, because most sanitizers don't print it.
pub(super) fn add_commands(logs: &mut Logs, records: &[Record]) {
    for report in logs
        .parsed
        .reports
        .iter_mut()
        .filter(|report| report.command.is_none())
    {
        let record = records
            .iter()
            .find(|record| report.pid == Some(u64::from(record.pid)));
        report.command = record.map(|record| record.argv.join(" ").into());
    }
}

/// Resets the status of commands that failed only because Miri found leaks. The gate decides
/// whether leaks fail.
pub(super) fn excuse_miri(observed: &mut ObservedRuns, logs: &Logs, files: &[NamedLog]) {
    for run in observed.runs.iter_mut().filter(|run| {
        run.tools == [Tool::Miri] && matches!(run.termination, Termination::Status(1 | 101))
    }) {
        let text = |name: &str| {
            let path = files
                .iter()
                .find(|(label, _)| label == &format!("miri/{name}"))
                .map(|(_, path)| path);
            path.and_then(|path| std::fs::read(path).ok())
                .unwrap_or_default()
        };
        if miri::failed_only_for_leaks(&logs.parsed, &text("stdout.txt"), &text("stderr.txt")) {
            run.termination = Termination::Status(0);
        }
    }
}

/// Resets the status of commands that failed only because `leaks` found leaks. The gate decides
/// whether leaks fail.
///
/// Source: `leaks(1)`: the status is 1 if leaks were found, and higher after an error.
pub(super) fn excuse_leaks(observed: &mut ObservedRuns, logs: &Logs) {
    let mut reports = logs.parsed.reports.iter();
    let has_leaks = reports.any(|report| {
        let leaked = report.totals.leaked.as_ref();
        report.tool == Tool::Leaks && leaked.is_some_and(|leaked| leaked.blocks > 0)
    });
    for run in observed.runs.iter_mut().filter(|run| {
        has_leaks && run.tools == [Tool::Leaks] && run.termination == Termination::Status(1)
    }) {
        run.termination = Termination::Status(0);
    }
}

/// Adds a message for each run of a checker that always writes a report, but has written fewer
/// reports than processes were started. `started` has the pids of each run.
pub(super) fn require_reports(observed: &mut ObservedRuns, logs: &Logs, started: &[Vec<u32>]) {
    for (run, started) in observed.runs.iter_mut().zip(started) {
        let [tool @ (Tool::DrMemory | Tool::Leaks | Tool::AppVerifier)] = run.tools.as_slice()
        else {
            continue;
        };
        // The parent of the process that `leaks` or Dr. Memory examines has the recorded pid.
        // Application Verifier keeps logs of earlier processes.
        let is_of_run = |pid: Option<u64>| {
            *tool != Tool::AppVerifier
                || pid.is_some_and(|pid| started.iter().any(|own| u64::from(*own) == pid))
        };
        let reports = logs.parsed.reports.iter();
        let of_run = reports.filter(|report| report.tool == *tool && is_of_run(report.pid));
        let (written, started) = (of_run.count(), started.len());
        // Other messages explain why a report is missing.
        if written >= started || !run.missing.is_empty() {
            continue;
        }
        let message = match started - written {
            1 if started == 1 => format!("`{}` left no report by {tool}", run.command),
            missing => format!("{missing} of {started} processes left no report by {tool}"),
        };
        run.missing.push(message);
    }
}

/// Adds a message for each child program whose allocations memcheck cannot see. Programs that have
/// a record were checked before.
pub(super) fn add_hidden_allocators(observed: &mut ObservedRuns, logs: &Logs, records: &[Record]) {
    let Some(run) = observed
        .runs
        .iter_mut()
        .find(|run| run.tools.contains(&Tool::Memcheck))
    else {
        return;
    };
    let memcheck_reports = logs
        .parsed
        .reports
        .iter()
        .filter(|report| report.tool == Tool::Memcheck);
    let programs: BTreeSet<&str> = memcheck_reports
        .filter_map(|report| report.command.as_deref()?.split(' ').next())
        .collect();
    let is_recorded = |program: &str| {
        records
            .iter()
            .any(|record| record.argv.first().is_some_and(|name| name == program))
    };
    for program in programs
        .into_iter()
        .filter(|program| !program.starts_with("/usr/") && !is_recorded(program))
    {
        if let Some(allocator) = LocalMachine
            .find_program(program)
            .and_then(|path| elf::hidden_allocator(&path))
        {
            let problem = collect::hidden_allocator_problem(allocator);
            run.missing.push(format!("`{program}` {problem}"));
        }
    }
}

/// Prints a note if a compiler was checked, because the command builds before it tests. Compilers
/// are slow under a checker, and they leak.
pub(super) fn warn_about_compilers(logs: &Logs) {
    const COMPILERS: &[&str] = &[
        "as", "cc1", "cc1plus", "clang", "collect2", "ld", "ld.bfd", "ld.gold", "ld.lld", "lto1",
        "rustc",
    ];
    let programs = logs
        .parsed
        .reports
        .iter()
        .filter_map(|report| report.command.as_deref()?.split(' ').next());
    let system_programs = programs
        .filter(|program| program.starts_with("/usr/"))
        .map(harness::program_name);
    if let Some(name) = system_programs
        .into_iter()
        .find(|name| COMPILERS.contains(name))
    {
        output::note(&format!(
            "note: `{name}` was checked, too; build first, then run only the tests \
             (see docs/run.md)"
        ));
    }
}

/// Symbolizes frames without a name. A module is trusted if it was not modified after the last
/// program was started.
pub(super) fn symbolize_frames(logs: &mut Logs, records: &[Record], last_start: SystemTime) {
    let programs = records
        .iter()
        .filter_map(|record| LocalMachine.find_program(record.argv.first()?))
        .collect();
    let search_paths = SearchPaths {
        debug: Vec::new(),
        programs,
    };
    let trust = Trust::UnchangedSince(last_start);
    for note in symbolize::apply(&mut logs.parsed, trust, search_paths) {
        output::note(&format!("note: {note}"));
    }
}
