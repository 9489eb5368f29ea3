//! Finds out whether checkers can still write their logs. A runtime that can't may wait forever:
//! LeakSanitizer does if the thread that scans the memory gets SIGXFSZ or writes nothing.
//!
//! Source: `setrlimit(2)` on `RLIMIT_FSIZE`, `proc(5)` on `limits`, `statvfs(3)`.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::{child, collect, log_name};

/// Interval between checks.
const INTERVAL: Duration = Duration::from_secs(1);

/// Time after which an obstacle counts. Most processes end by themselves before.
const PATIENCE: Duration = Duration::from_secs(5);

/// Checks repeatedly whether logs can be written.
#[derive(Debug)]
pub(super) struct LogSpace {
    next_check: Instant,
    /// Since when each check has found an obstacle.
    obstructed_since: Option<Instant>,
}

impl LogSpace {
    pub(super) fn new() -> Self {
        Self {
            next_check: Instant::now() + INTERVAL,
            obstructed_since: None,
        }
    }

    /// Returns why logs in a folder cannot be written, once this was so for [`PATIENCE`].
    pub(super) fn poll(&mut self, folder: &Path) -> Option<String> {
        let now = Instant::now();
        if now < self.next_check {
            return None;
        }
        self.next_check = now + INTERVAL;
        let Some(obstacle) = obstacle(folder) else {
            self.obstructed_since = None;
            return None;
        };
        let since = *self.obstructed_since.get_or_insert(now);
        (now.duration_since(since) >= PATIENCE).then_some(obstacle)
    }
}

/// Returns why logs in a folder cannot be written, or `None` if they can.
fn obstacle(folder: &Path) -> Option<String> {
    if is_full(folder) && !can_write(folder) {
        return Some(format!(
            "cannot write logs: no space is left in {}",
            folder.display()
        ));
    }
    let logs: Vec<(u32, u64)> = collect::files(folder)
        .iter()
        .filter_map(|(name, path)| Some((log_name::pid(name)?, path.metadata().ok()?.len())))
        .collect();
    if logs.is_empty() {
        return None;
    }
    let running = child::descendants()?;
    let (pid, _) = logs
        .into_iter()
        .filter(|(pid, _)| running.contains(pid))
        .find(|(pid, size)| file_size_limit(*pid).is_some_and(|limit| *size >= limit))?;
    Some(format!(
        "process {pid} cannot write its log: it has reached its limit on the size of files; \
         remove the `ulimit -f`"
    ))
}

/// Returns true if a filesystem has no space left for this user.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn is_full(folder: &Path) -> bool {
    let is_root = rustix::process::geteuid().is_root();
    rustix::fs::statvfs(folder).is_ok_and(|system| {
        // Some blocks are reserved for root. A network filesystem may not know its size.
        let free = if is_root {
            system.f_bfree
        } else {
            system.f_bavail
        };
        system.f_blocks > 0 && free == 0
    })
}

/// Returns true if a block can be written into a folder. Not every filesystem knows its free space.
fn can_write(folder: &Path) -> bool {
    let path = folder.join(".space");
    let result = fs::write(&path, [0; 4096]);
    let _ = fs::remove_file(path);
    result.is_ok()
}

/// Other systems have no check yet.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn is_full(_folder: &Path) -> bool {
    false
}

/// Returns the size, in bytes, to which a process may extend a file; `None` if it is unlimited or
/// unknown.
fn file_size_limit(pid: u32) -> Option<u64> {
    parse_file_size_limit(&fs::read_to_string(format!("/proc/{pid}/limits")).ok()?)
}

/// Returns the soft limit in the text of `/proc/PID/limits`.
fn parse_file_size_limit(text: &str) -> Option<u64> {
    text.lines()
        .find_map(|line| line.strip_prefix("Max file size"))?
        .split_ascii_whitespace()
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limit_is_read_from_its_line() {
        let limits = |soft: &str| {
            format!(
                "Limit                     Soft Limit           Hard Limit           Units\n\
                 Max cpu time              unlimited            unlimited            seconds\n\
                 Max file size             {soft}               unlimited            bytes\n"
            )
        };
        assert_eq!(parse_file_size_limit(&limits("512")), Some(512));
        assert_eq!(parse_file_size_limit(&limits("unlimited")), None);
        assert_eq!(parse_file_size_limit(""), None);
    }

    #[test]
    fn writable_folder_has_no_obstacle() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("1.xml"), "text").unwrap();
        assert_eq!(obstacle(dir.path()), None);
        assert!(can_write(dir.path()) && !can_write(&dir.path().join("missing")));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
