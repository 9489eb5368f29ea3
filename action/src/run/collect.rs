//! What a run left behind: logs to read, and processes of which there is none.

mod sanitizers;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::checker::{Checker, Family};
use super::helper::Record;
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

/// The names of all files in a folder of logs, below it, too.
pub(super) fn names(folder: &Path) -> BTreeSet<String> {
    files(folder).into_keys().collect()
}

/// All files in a folder of logs by their names, which people read, and so may differ from their paths.
pub(super) fn files(folder: &Path) -> BTreeMap<String, PathBuf> {
    let walk = ignore::WalkBuilder::new(folder).standard_filters(false).follow_links(false).build();
    let files = walk.flatten().filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()));
    files
        .filter_map(|entry| {
            let name = entry.path().strip_prefix(folder).ok()?.to_string_lossy().replace('\\', "/");
            Some((name, entry.into_path()))
        })
        .collect()
}

/// The process that a log is of: the number in its name, `41.xml`, `san.app.41`.
pub(super) fn process(name: &str) -> Option<u32> {
    let name = name.strip_suffix(".xml").or_else(|| name.strip_suffix(".txt")).unwrap_or(name);
    name.rsplit('.').next()?.parse().ok()
}

/// Looks at the folder of logs of a pass, which has a name; `seen` are files that were there while the command ran, and `searches` is false
/// where the user has turned the search for leaks off.
pub(super) fn collect(
    pass: &[Checker],
    (label, folder): (&str, &Path),
    records: &[Record],
    seen: &BTreeSet<String>,
    searches: bool,
    machine: &dyn Machine,
) -> Found {
    let files = files(folder);
    let names: BTreeSet<String> = files.keys().cloned().collect();
    let mut found = Found::default();
    let mut order: Vec<&String> = names.iter().collect();
    order.sort_by_key(|name| (process(name).map_or(u32::MAX, |pid| pid), *name));
    found.files = order.into_iter().map(|name| (format!("{label}/{name}"), files[name].clone())).collect();
    found.missing = seen.difference(&names).map(|name| format!("{label}/{name} was there, and is gone")).collect();
    for pair in records.windows(2).filter(|pair| pair[0].pid == pair[1].pid) {
        found.missing.push(format!("{} had a number that was given again, and its report was overwritten", told(&pair[0])));
    }
    let mut processes: BTreeSet<u32> = names.iter().filter_map(|name| process(name)).collect();
    match pass.first().map(|checker| checker.family()) {
        Some(Family::Valgrind) => {
            let has_report = |pid: u32| folder.join(format!("{pid}.xml")).metadata().is_ok_and(|meta| meta.len() > 0);
            found.missing.extend(records.iter().filter(|r| !has_report(r.pid)).map(|r| format!("{} left no report", told(r))));
        }
        Some(Family::Sanitizer) => {
            let seen = sanitizers::look(pass, (&files, folder), records, searches, machine);
            processes.extend(seen.processes);
            found.missing.extend(seen.missing);
        }
        _ => processes.extend(records.iter().map(|record| record.pid)),
    }
    found.processes = processes.len() as u64;
    if pass.iter().any(|checker| checker.family() == Family::Preload || *checker == Checker::Memcheck) {
        found.missing.extend(
            records
                .iter()
                .filter(|record| is_closed(record, machine))
                .map(|record| format!("{} is linked statically: nobody sees what it allocates", told(record))),
        );
    }
    found
}

/// True for a program whose allocator can neither be replaced nor watched. A shell only starts others.
fn is_closed(record: &Record, machine: &dyn Machine) -> bool {
    let Some(word) = record.words.first() else { return false };
    let is_shell = ["sh", "ash", "bash", "dash", "busybox", "env"].contains(&super::harness::name(word));
    !is_shell && machine.program(word).is_some_and(|program| super::elf::is_static(&program))
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
        Record { pid, words: vec!["./app".into()] }
    }

    #[test]
    fn a_process_without_its_report_is_missed() {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in [("7.xml", "<x/>"), ("12.xml", "<x/>"), ("9.xml", ""), ("12.txt", ""), ("stderr.txt", "")] {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        let seen = ["8.xml".to_owned(), "7.xml".into()].into();
        let records = [record(7), record(9), record(10)];
        let found = collect(&[Checker::Memcheck], ("memcheck", dir.path()), &records, &seen, true, &Made::default());
        assert_eq!(
            found.missing,
            ["memcheck/8.xml was there, and is gone", "`./app` (pid 9) left no report", "`./app` (pid 10) left no report"]
        );
        let names: Vec<&str> = found.files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["memcheck/7.xml", "memcheck/9.xml", "memcheck/12.txt", "memcheck/12.xml", "memcheck/stderr.txt"]);
        assert_eq!(found.processes, 3);
    }

    #[test]
    fn logs_are_known_by_their_process() {
        for (name, expected) in [("41.xml", Some(41)), ("san.app.41", Some(41)), ("stderr.txt", None), ("results.txt", None)] {
            assert_eq!(process(name), expected, "{name}");
        }
    }
}
