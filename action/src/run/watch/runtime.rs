//! Finds sanitizer runtimes in running processes, and checks that they got leakgate's options.
//!
//! Source: `proc(5)` on `exe`, `maps`, `statm`, `environ` and `root`; `prctl(2)` on
//! `PR_SET_DUMPABLE` for the owner of these files. gcc's UBSan reads its options late because
//! `libsanitizer/ubsan/Makefile.am` omits `ubsan_init_standalone.cpp`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, File, Metadata};
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::proc_file;
use crate::run::checker::Checker;
use crate::run::launch::{LocalMachine, Machine};
use crate::run::{runtimes, sanitizer};

/// Libraries that contain a runtime, by the beginning of their file names.
const LIBRARIES: &[(&str, Checker)] = &[
    ("libasan.so", Checker::Asan),
    ("libhwasan.so", Checker::Hwasan),
    ("liblsan.so", Checker::Lsan),
    ("libtsan.so", Checker::Tsan),
    ("libubsan.so", Checker::Ubsan),
    ("libclang_rt.asan", Checker::Asan),
    ("libclang_rt.hwasan", Checker::Hwasan),
    ("libclang_rt.lsan", Checker::Lsan),
    ("libclang_rt.msan", Checker::Msan),
    ("libclang_rt.tsan", Checker::Tsan),
    ("libclang_rt.ubsan", Checker::Ubsan),
];

/// Address space, in pages of 4 KiB, that only programs with a runtime reserve: 1 TiB.
const RUNTIME_PAGES: u64 = 1 << 28;

/// Number of calls of [`RuntimeWatch::check`] per process, of which one reads its list of
/// libraries.
const CHECKS_PER_LIBRARY_SCAN: u32 = 10;

/// Time in which the system sets the environment of a process after its arguments.
const EXEC_TIME: Duration = Duration::from_millis(2);

/// Identifies a file and its contents: device, inode, size in bytes, and modification time.
type FileIdentity = (u64, u64, u64, SystemTime);

/// A program that was searched for runtimes.
#[derive(Clone, Debug, Default)]
struct Program {
    /// The runtimes whose names the file contains. A compiler contains them, too.
    runtimes: Vec<Checker>,
    /// True if its symbols prove that it contains or uses the runtime.
    has_symbols: bool,
    /// True if the runtime reads its options before its first report, not when the process starts.
    reads_options_late: bool,
}

/// Finds processes with a runtime, and those whose environment was changed.
#[derive(Debug)]
pub(in super::super) struct RuntimeWatch<'a> {
    checkers: &'a [Checker],
    /// The variables that leakgate sets.
    variables: &'a [(String, String)],
    programs: HashMap<FileIdentity, Program>,
    /// Processes without a runtime, each with its program and the number of checks.
    without_runtime: HashMap<(u32, FileIdentity), u32>,
    /// A message for each process that may lose reports, by pid.
    problems: BTreeMap<u32, String>,
}

impl<'a> RuntimeWatch<'a> {
    pub(in super::super) fn new(
        checkers: &'a [Checker],
        variables: &'a [(String, String)],
    ) -> Self {
        Self {
            checkers,
            variables,
            programs: HashMap::new(),
            without_runtime: HashMap::new(),
            problems: BTreeMap::new(),
        }
    }

    /// Returns a message for each process that may lose reports, with its pid.
    pub(in super::super) fn problems(&self) -> impl Iterator<Item = (u32, &String)> {
        self.problems.iter().map(|(pid, message)| (*pid, message))
    }

    /// Returns true if the program of a process contains the runtime of one of the checkers.
    pub(super) fn has_runtime(&mut self, pid: u32) -> bool {
        let Some((_, program)) = self.program(pid) else {
            return false;
        };
        self.is_wanted(&program.runtimes)
    }

    /// Checks the environments of these processes. `has_log` returns true for a process with a log,
    /// which has read its options.
    pub(super) fn check(&mut self, pids: &[u32], has_log: impl Fn(u32) -> bool) {
        let running: HashSet<u32> = pids.iter().copied().collect();
        self.without_runtime
            .retain(|(pid, _), _| running.contains(pid));
        for pid in pids {
            if self.problems.contains_key(pid) {
                continue;
            }
            let problem = self
                .environment_problem(*pid)
                .or_else(|| self.user_problem(*pid).filter(|_| !has_log(*pid)));
            if let Some(problem) = problem {
                self.problems.insert(*pid, problem);
            }
        }
    }

    /// Adds a message about the command if its program reads its options late. Called if the
    /// command has ended as another user than leakgate.
    pub(super) fn command_changed_user(&mut self, pid: u32, argv: &[String]) {
        let path = argv
            .first()
            .and_then(|program| LocalMachine.find_program(program));
        let Some(path) = path else { return };
        let is_late = runtimes::detect(&path)
            .is_ok_and(|found| found == Some(vec![Checker::Ubsan]))
            && File::open(path).is_ok_and(runtimes::reads_options_late);
        if is_late {
            let process = format!("`{}` (pid {pid})", argv.join(" "));
            self.problems
                .entry(pid)
                .or_insert_with(|| changed_user_message(&process));
        }
    }

    /// Returns a message if a process cannot read its options any more.
    fn user_problem(&mut self, pid: u32) -> Option<String> {
        let (_, program) = self.program(pid)?;
        let is_late = program.reads_options_late && program.has_symbols;
        (is_late && self.is_wanted(&program.runtimes) && cannot_read_environ(pid))
            .then(|| changed_user_message(&describe(pid)))
    }

    /// Returns a message if the environment of a process lacks leakgate's options.
    fn environment_problem(&mut self, pid: u32) -> Option<String> {
        let (identity, runtimes) = self.runtimes(pid)?;
        let path = proc_file(pid, "environ");
        let mut environ = fs::read(&path).ok()?;
        if environ.is_empty() {
            // During exec, the system sets the arguments first, and then the environment.
            let arguments = fs::read(proc_file(pid, "cmdline")).ok()?;
            if arguments.is_empty() {
                return None;
            }
            std::thread::sleep(EXEC_TIME);
            environ = fs::read(&path).ok()?;
        }
        let difference = sanitizer::environment_problem(&runtimes, self.variables, &environ)?;
        // The process may have called exec or ended in between.
        let (identity_after, _) = self.program(pid)?;
        (identity == identity_after)
            .then(|| sanitizer::lost_options_message(&describe(pid), &difference))
    }

    /// Returns the program of a process and the runtimes of the checkers in the process, or `None`
    /// if it has none.
    fn runtimes(&mut self, pid: u32) -> Option<(FileIdentity, Vec<Checker>)> {
        let (identity, program) = self.program(pid)?;
        let mut found = Vec::new();
        let is_certain = || program.has_symbols || reserved_pages(pid) >= RUNTIME_PAGES;
        if !program.runtimes.is_empty() && is_certain() {
            found = program.runtimes;
        } else {
            let checks = self.without_runtime.entry((pid, identity)).or_default();
            if checks.is_multiple_of(CHECKS_PER_LIBRARY_SCAN) {
                found = mapped_runtimes(pid);
            }
            *checks += 1;
        }
        self.is_wanted(&found).then_some((identity, found))
    }

    fn is_wanted(&self, runtimes: &[Checker]) -> bool {
        runtimes.iter().any(|runtime| {
            self.checkers.contains(runtime)
                || *runtime == Checker::Asan && self.checkers.contains(&Checker::Lsan)
        })
    }

    /// Returns the program of a process, which is searched for runtimes when it is first seen.
    fn program(&mut self, pid: u32) -> Option<(FileIdentity, Program)> {
        // Keep the program open: the process may call exec, and the program may be rebuilt.
        let file = File::open(proc_file(pid, "exe")).ok()?;
        let identity = file_identity(&file)?;
        if let Some(program) = self.programs.get(&identity) {
            return Some((identity, program.clone()));
        }
        let (symbols, sections) = (file.try_clone().ok()?, file.try_clone().ok()?);
        let runtimes = runtimes::detect_in(file).ok()?.unwrap_or_default();
        let program = Program {
            has_symbols: !runtimes.is_empty() && runtimes::has_symbols(symbols),
            reads_options_late: runtimes == [Checker::Ubsan]
                && runtimes::reads_options_late(sections),
            runtimes,
        };
        self.programs.insert(identity, program.clone());
        Some((identity, program))
    }
}

fn file_identity(file: &File) -> Option<FileIdentity> {
    let meta = file.metadata().ok()?;
    let (device, inode) = device_and_inode(&meta);
    Some((device, inode, meta.len(), meta.modified().ok()?))
}

#[cfg(unix)]
fn device_and_inode(meta: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (meta.dev(), meta.ino())
}

/// Other systems have no inodes in the standard library; size and time identify the file there.
#[cfg(not(unix))]
fn device_and_inode(_: &Metadata) -> (u64, u64) {
    (0, 0)
}

/// Returns the runtimes in the libraries of a process.
fn mapped_runtimes(pid: u32) -> Vec<Checker> {
    let maps = fs::read(proc_file(pid, "maps")).unwrap_or_default();
    let maps = String::from_utf8_lossy(&maps);
    let libraries = maps.lines().filter_map(|line| {
        let name = Path::new(line.rsplit_once('/')?.1).to_str()?;
        LIBRARIES.iter().find(|(start, _)| name.starts_with(start))
    });
    let mut found: Vec<Checker> = libraries.map(|(_, checker)| *checker).collect();
    runtimes::remove_parts(&mut found);
    found
}

/// Returns true if a process cannot read its own environment: it has changed its user, which makes
/// root the owner of the file, or its root directory.
#[cfg(unix)]
fn cannot_read_environ(pid: u32) -> bool {
    use std::os::unix::fs::MetadataExt;
    let status = fs::read_to_string(proc_file(pid, "status")).unwrap_or_default();
    let user = effective_user(&status);
    let owner = fs::metadata(proc_file(pid, "environ")).map(|meta| meta.uid());
    let is_unreadable = match (user, owner) {
        (Some(user), Ok(owner)) => user != 0 && user != owner,
        _ => false,
    };
    let root = |process: &str| fs::read_link(format!("/proc/{process}/root")).ok();
    let is_changed = root(&pid.to_string()).is_some_and(|other| Some(other) != root("self"));
    is_unreadable || is_changed && !proc_file(pid, "root/proc/self").exists()
}

#[cfg(not(unix))]
fn cannot_read_environ(_: u32) -> bool {
    false
}

/// Returns the effective user in the text of `/proc/PID/status`.
#[cfg(unix)]
pub(in super::super) fn effective_user(status: &str) -> Option<u32> {
    let users = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    users.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// Returns the message about a process that cannot read its options any more.
fn changed_user_message(process: &str) -> String {
    format!(
        "{process} changed its user or root directory before gcc's UBSan read its options, so its \
         reports may be lost; build it with clang, or start leakgate as that user"
    )
}

/// Returns the size of the address space of a process in pages; 0 if it is unknown.
fn reserved_pages(pid: u32) -> u64 {
    let text = fs::read_to_string(proc_file(pid, "statm")).unwrap_or_default();
    text.split(' ')
        .next()
        .and_then(|pages| pages.parse().ok())
        .unwrap_or(0)
}

/// Returns the command line and pid of a process for messages.
fn describe(pid: u32) -> String {
    let bytes = fs::read(proc_file(pid, "cmdline")).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes).replace('\0', " ");
    match text.trim() {
        "" => format!("process {pid}"),
        command => format!("`{command}` (pid {pid})"),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn effective_user_is_the_second_one() {
        assert_eq!(
            effective_user("Name:\ta\nUid:\t0\t65534\t0\t0\n"),
            Some(65534)
        );
        assert_eq!(effective_user("Name:\ta\n"), None);
    }

    #[test]
    fn process_without_runtime_has_no_problem() {
        let variables = [("ASAN_OPTIONS".to_owned(), "exitcode=0".to_owned())];
        let mut watch = RuntimeWatch::new(&[Checker::Asan, Checker::Ubsan], &variables);
        let own = std::process::id();
        watch.check(&[own], |_| false);
        assert_eq!(watch.problems().count(), 0);
        assert!(mapped_runtimes(own).is_empty() && reserved_pages(own) < RUNTIME_PAGES);
        assert!(!cannot_read_environ(own));
    }
}
