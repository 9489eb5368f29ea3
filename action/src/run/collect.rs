//! What a run left behind: logs to read, and processes of which there is none.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use leakgate_core::Tool;
use memchr::memmem;

use super::checker::{Checker, Family};
use super::helper::Record;
use super::launch::Machine;
use super::sanitizer::{self, Runtimes};

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
    let walk = ignore::WalkBuilder::new(folder).standard_filters(false).follow_links(false).build();
    let files = walk.flatten().filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()));
    files.filter_map(|entry| Some(entry.path().strip_prefix(folder).ok()?.to_str()?.replace('\\', "/"))).collect()
}

/// The process that a log is of: the number in its name, `41.xml`, `san.app.41`.
pub(super) fn process(name: &str) -> Option<u32> {
    let name = name.strip_suffix(".xml").or_else(|| name.strip_suffix(".txt")).unwrap_or(name);
    name.rsplit('.').next()?.parse().ok()
}

/// Looks at the folder of logs of a pass, which has a name; `seen` are files that were there while the command ran.
pub(super) fn collect(
    pass: &[Checker],
    (label, folder): (&str, &Path),
    records: &[Record],
    seen: &BTreeSet<String>,
    machine: &dyn Machine,
) -> Found {
    let names = names(folder);
    let mut found = Found::default();
    let mut order: Vec<&String> = names.iter().collect();
    order.sort_by_key(|name| (process(name).map_or(u32::MAX, |pid| pid), *name));
    found.files = order.into_iter().map(|name| (format!("{label}/{name}"), folder.join(name))).collect();
    found.missing = seen.difference(&names).map(|name| format!("{label}/{name} was there, and is gone")).collect();
    let mut processes: BTreeSet<u32> = names.iter().filter_map(|name| process(name)).collect();
    match pass.first().map(|checker| checker.family()) {
        Some(Family::Valgrind) => {
            let has_report = |pid: u32| folder.join(format!("{pid}.xml")).metadata().is_ok_and(|meta| meta.len() > 0);
            found.missing.extend(records.iter().filter(|r| !has_report(r.pid)).map(|r| format!("{} left no report", told(r))));
        }
        Some(Family::Sanitizer) => {
            for record in records {
                let Some(runtimes) = of_record(record, machine) else { continue };
                if !runtimes
                    .checkers
                    .iter()
                    .any(|checker| pass.contains(checker) || checker.tool() == Tool::Asan && pass.contains(&Checker::Lsan))
                {
                    continue;
                }
                processes.insert(record.pid);
                found.missing.extend(silent(record, &runtimes, &names, folder));
            }
        }
        _ => processes.extend(records.iter().map(|record| record.pid)),
    }
    found.processes = processes.len() as u64;
    found
}

/// What is missing of a process whose runtime says that it runs.
fn silent(record: &Record, runtimes: &Runtimes, names: &BTreeSet<String>, folder: &Path) -> Option<String> {
    const SPEAKING: &[Checker] = &[Checker::Asan, Checker::Lsan, Checker::Msan, Checker::Hwasan];
    let own: Vec<&String> = names.iter().filter(|name| name.starts_with("san.") && process(name) == Some(record.pid)).collect();
    if own.is_empty() {
        let speaks = runtimes.checkers.iter().any(|checker| SPEAKING.contains(checker));
        return speaks.then(|| format!("{} left no report", told(record)));
    }
    let text: Vec<u8> = own.iter().flat_map(|name| fs::read(folder.join(name)).unwrap_or_default()).collect();
    // An error ends a process before its search.
    let has_ended = [&b"checking for leaks"[..], b"ERROR: "].iter().any(|words| memmem::find(&text, words).is_some());
    (runtimes.tells_search && !has_ended).then(|| {
        format!("{} ended without its search for leaks: it was killed, ended by _exit, or became another program", told(record))
    })
}

/// The runtimes of the program that was started.
pub(super) fn of_record(record: &Record, machine: &dyn Machine) -> Option<Runtimes> {
    let program = machine.program(record.words.first()?)?;
    sanitizer::runtimes(&program).ok().flatten()
}

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
            fs::write(dir.path().join(name), text).unwrap();
        }
        let seen = ["8.xml".to_owned(), "7.xml".into()].into();
        let records = [record(7), record(9), record(10)];
        let found = collect(&[Checker::Memcheck], ("memcheck", dir.path()), &records, &seen, &Made::default());
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

    #[test]
    fn a_runtime_that_speaks_must_be_heard_to_search() {
        let dir = tempfile::tempdir().unwrap();
        let runtimes = Runtimes { checkers: vec![Checker::Asan], tells_search: true };
        let of =
            |names: &[&str]| silent(&record(5), &runtimes, &names.iter().map(|name| (*name).to_owned()).collect(), dir.path());
        fs::write(dir.path().join("san.app.5"), "==5==Installed the sigaction for signal 11\n").unwrap();
        assert!(of(&[]).unwrap().contains("left no report"));
        assert!(of(&["san.app.5"]).unwrap().contains("without its search"));
        for ended in ["==5==LeakSanitizer: checking for leaks\n", "==5==ERROR: AddressSanitizer: SEGV\n"] {
            fs::write(dir.path().join("san.app.5"), ended).unwrap();
            assert_eq!(of(&["san.app.5"]), None);
        }
        let quiet = Runtimes { checkers: vec![Checker::Tsan], tells_search: false };
        assert_eq!(silent(&record(5), &quiet, &BTreeSet::new(), dir.path()), None);
    }
}
