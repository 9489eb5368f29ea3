//! What a run left behind: logs to read, and processes of which there is none.

mod sanitizers;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::checker::{Checker, Family};
use super::elf;
use super::helper::Record;
use super::keep::{self, Parts};
use super::launch::Machine;

/// A log with the name that it has in documents.
pub(super) type File = (String, PathBuf);

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// The logs, those of processes first.
    pub(super) files: Vec<File>,
    /// Processes that were seen to run under the checkers.
    pub(super) processes: u64,
    /// Processes whose report is not there, and reports that are gone, each in words.
    pub(super) missing: Vec<String>,
}

/// The names of all files in a folder of logs, below it, too, wherever they are while the command
/// runs.
pub(super) fn names(folder: &Path) -> BTreeSet<String> {
    files(folder)
        .keys()
        .map(|name| keep::plain(name).to_owned())
        .collect()
}

/// All files in a folder of logs by their names, which people read, and so may differ from their
/// paths.
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

/// The process that a log is of: the number in its name, `41.xml`, `san.app.41`.
pub(super) fn process(name: &str) -> Option<u32> {
    let name = name
        .strip_suffix(".xml")
        .or_else(|| name.strip_suffix(".txt"))
        .unwrap_or(name);
    name.rsplit('.').next()?.parse().ok()
}

/// Where to look, and what is known from elsewhere.
#[derive(Clone, Copy)]
pub(super) struct Traces<'a> {
    pub(super) checkers: &'a [Checker],
    /// The folder of logs, and what people call it.
    pub(super) folder: &'a Path,
    pub(super) label: &'a str,
    /// Programs that were started, by process.
    pub(super) records: &'a [Record],
    /// Files that were there while the command ran.
    pub(super) seen: &'a BTreeSet<String>,
    /// How many logs there were of a name, where that is known.
    pub(super) parts: &'a Parts,
    /// Processes that were met while they ran under the checkers.
    pub(super) met: &'a BTreeSet<u32>,
    /// False where the user has turned the search for leaks off.
    pub(super) searches: bool,
}

/// Looks at what a pass left.
pub(super) fn collect(traces: &Traces<'_>, machine: &dyn Machine) -> Found {
    let Traces {
        checkers,
        folder,
        label,
        records,
        seen,
        ..
    } = *traces;
    let files = files(folder);
    let mut found = Found::default();
    let mut order: Vec<&String> = files.keys().collect();
    order.sort_by_key(|name| (process(name).map_or(u32::MAX, |pid| pid), *name));
    found.files = order
        .into_iter()
        .map(|name| (format!("{label}/{name}"), files[name].clone()))
        .collect();
    let gone = seen.iter().filter(|name| !files.contains_key(*name));
    found.missing = gone
        .map(|name| format!("{label}/{name} was there, and is gone"))
        .collect();
    found.missing.extend(overwritten(traces));
    let mut processes: BTreeSet<u32> = files
        .keys()
        .filter_map(|name| process(name))
        .chain(traces.met.iter().copied())
        .collect();
    match checkers.first().map(|checker| checker.family()) {
        Some(Family::Valgrind) => {
            let has_report = |pid: u32| {
                folder
                    .join(format!("{pid}.xml"))
                    .metadata()
                    .is_ok_and(|meta| meta.len() > 0)
            };
            found.missing.extend(
                records
                    .iter()
                    .filter(|r| !has_report(r.pid))
                    .map(|r| format!("{} left no report", told(r))),
            );
        }
        Some(Family::Sanitizer) => {
            let seen = sanitizers::look(traces, &files, machine);
            processes.extend(seen.processes);
            found.missing.extend(seen.missing);
        }
        _ => processes.extend(records.iter().map(|record| record.pid)),
    }
    found.processes = processes.len() as u64;
    let is_preload = checkers
        .iter()
        .any(|checker| checker.family() == Family::Preload);
    if is_preload || checkers.contains(&Checker::Memcheck) {
        found.missing.extend(
            records
                .iter()
                .filter_map(|record| closed(record, is_preload, machine).map(|why| (record, why)))
                .map(|(record, why)| {
                    format!("{} {why}: nobody sees what it allocates", told(record))
                }),
        );
    }
    found
}

/// Programs that had one number, and of which there are fewer logs.
fn overwritten(traces: &Traces<'_>) -> Vec<String> {
    let logs = |pid: u32| {
        traces
            .parts
            .iter()
            .filter(|(name, _)| process(name) == Some(pid))
            .map(|(_, writers)| writers.len())
            .sum::<usize>()
    };
    // A sanitizer that has nothing to say writes none, and libraries never do.
    let is_valgrind = traces
        .checkers
        .iter()
        .any(|checker| checker.family() == Family::Valgrind);
    let least = usize::from(!is_valgrind);
    let of_one = traces
        .records
        .chunk_by(|a, b| a.pid == b.pid)
        .filter(|of_one| {
            let logs = logs(of_one[0].pid);
            logs >= least && of_one.len() > logs.max(1)
        });
    let all = of_one.flat_map(|of_one| &of_one[..of_one.len() - 1]);
    all.map(|record| {
        format!(
            "{} had a number that was given again, and its report was overwritten",
            told(record)
        )
    })
    .collect()
}

/// Why the allocator of a program can neither be replaced nor watched. A shell only starts others.
fn closed(record: &Record, is_preload: bool, machine: &dyn Machine) -> Option<String> {
    let word = record.words.first()?;
    let is_shell =
        ["sh", "ash", "bash", "dash", "busybox", "env"].contains(&super::harness::name(word));
    let program = machine.program(word).filter(|_| !is_shell)?;
    if elf::is_static(&program) {
        return Some("is linked statically".into());
    }
    if is_preload && elf::defines_malloc(&program) {
        return Some("has an allocator of its own".into());
    }
    elf::hidden_allocator(&program).map(holds)
}

/// What is wrong with a program that holds this allocator.
pub(super) fn holds(allocator: &str) -> String {
    format!("allocates by {allocator}, which it holds (build without it)")
}

/// A process, for people.
fn told(record: &Record) -> String {
    format!("`{}` (pid {})", record.words.join(" "), record.pid)
}

#[cfg(test)]
mod tests {
    use super::super::launch::tests::Made;
    use super::*;

    fn record(pid: u32) -> Record {
        Record {
            pid,
            words: vec!["./app".into()],
        }
    }

    #[test]
    fn a_process_without_its_report_is_missed() {
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
        let seen = ["8.xml".to_owned(), "7.xml".into()].into();
        let records = [record(7), record(7), record(9), record(10), record(10)];
        let parts = Parts::from([
            ("7.xml".into(), vec![None]),
            ("10.xml".into(), vec![None, None]),
        ]);
        let traces = Traces {
            checkers: &[Checker::Memcheck],
            folder: dir.path(),
            label: "memcheck",
            records: &records,
            seen: &seen,
            parts: &parts,
            met: &BTreeSet::new(),
            searches: true,
        };
        let found = collect(&traces, &Made::default());
        assert_eq!(
            found.missing,
            [
                "memcheck/8.xml was there, and is gone",
                "`./app` (pid 7) had a number that was given again, and its report was overwritten",
                "`./app` (pid 9) left no report",
                "`./app` (pid 10) left no report",
                "`./app` (pid 10) left no report",
            ]
        );
        let names: Vec<&str> = found.files.iter().map(|(name, _)| name.as_str()).collect();
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
        assert_eq!(found.processes, 3);
    }

    #[test]
    fn logs_are_known_by_their_process() {
        for (name, expected) in [
            ("41.xml", Some(41)),
            ("san.app.41", Some(41)),
            ("stderr.txt", None),
            ("results.txt", None),
        ] {
            assert_eq!(process(name), expected, "{name}");
        }
    }
}
