//! Processes whose parent has ended. On Linux leakgate becomes their parent, so that it can see how
//! they end.
//!
//! Source: `prctl(2)` on `PR_SET_CHILD_SUBREAPER`, `proc(5)` on `stat`.

/// Makes leakgate the parent of orphans among the processes it starts.
#[cfg(target_os = "linux")]
pub(super) fn adopt() {
    // On failure orphans become children of init as usual, and are still known by their logs.
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
}

#[cfg(not(target_os = "linux"))]
pub(super) fn adopt() {}

/// Returns the pids of all running descendants of leakgate, or `None` if the system doesn't list
/// processes.
#[cfg(target_os = "linux")]
pub(in super::super) fn descendants() -> Option<Vec<u32>> {
    let running: Vec<ProcessStat> = all_processes().filter(ProcessStat::is_running).collect();
    let mut pids = vec![std::process::id()];
    let mut next = 0;
    while let Some(parent) = pids.get(next).copied() {
        pids.extend(
            running
                .iter()
                .filter(|process| process.parent == parent)
                .map(|process| process.pid),
        );
        next += 1;
    }
    Some(pids.split_off(1))
}

#[cfg(not(target_os = "linux"))]
pub(in super::super) fn descendants() -> Option<Vec<u32>> {
    None
}

/// Returns true if a process runs, wants to run, or waits for a disk.
#[cfg(target_os = "linux")]
pub(in super::super) fn is_busy(pid: u32) -> bool {
    ProcessStat::read(pid).is_some_and(|process| ['R', 'D'].contains(&process.state))
}

#[cfg(not(target_os = "linux"))]
pub(in super::super) fn is_busy(_: u32) -> bool {
    false
}

/// Returns the pids of children that have ended and were not waited for.
#[cfg(target_os = "linux")]
pub(super) fn zombies() -> Vec<u32> {
    use rustix::process::{WaitId, WaitIdOptions, waitid};
    // Listing all processes is slow, and usually no child has ended.
    let ended_child = waitid(
        WaitId::All,
        WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT,
    );
    if !matches!(ended_child, Ok(Some(_))) {
        return Vec::new();
    }
    let parent = std::process::id();
    all_processes()
        .filter(|process| process.parent == parent && process.state == 'Z')
        .map(|process| process.pid)
        .collect()
}

#[cfg(not(target_os = "linux"))]
pub(super) fn zombies() -> Vec<u32> {
    Vec::new()
}

/// Waits for a child that has ended. Returns the signal number if it crashed.
#[cfg(target_os = "linux")]
pub(super) fn reap(pid: u32) -> Option<i32> {
    /// SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS.
    const CRASH_SIGNALS: &[i32] = &[4, 5, 6, 7, 8, 11, 31];
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).ok()?)?;
    let (_, status) =
        rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::NOHANG).ok()??;
    status
        .terminating_signal()
        .filter(|signal| CRASH_SIGNALS.contains(signal))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn reap(_: u32) -> Option<i32> {
    None
}

/// Waits until a child has ended, and returns its effective user. The child stays a zombie.
#[cfg(target_os = "linux")]
pub(super) fn final_user(pid: u32) -> Option<u32> {
    use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
    let child = Pid::from_raw(i32::try_from(pid).ok()?)?;
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    while matches!(
        waitid(WaitId::Pid(child), options),
        Err(rustix::io::Errno::INTR)
    ) {}
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    crate::run::watch::effective_user(&status)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn final_user(_: u32) -> Option<u32> {
    None
}

/// A running process: its pid, and its start time in clock ticks since boot. The pid alone isn't
/// unique, because pids are reused.
pub(in super::super) type ProcessIdentity = (u32, u64);

/// Returns the descendant of leakgate that has this pid in its innermost pid namespace, or `None`
/// unless exactly one descendant has it.
#[cfg(target_os = "linux")]
pub(in super::super) fn identity(namespace_pid: u32) -> Option<ProcessIdentity> {
    let has_pid = |pid: &u32| innermost_pid(*pid) == Some(namespace_pid);
    let mut matches = descendants()?.into_iter().filter(has_pid);
    let pid = matches.next().filter(|_| matches.next().is_none())?;
    Some((pid, start_time(&pid.to_string())?))
}

/// Returns the pid of a process in its own namespace.
#[cfg(target_os = "linux")]
fn innermost_pid(pid: u32) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let pids = status
        .lines()
        .find_map(|line| line.strip_prefix("NSpid:"))?;
    pids.split_ascii_whitespace().next_back()?.parse().ok()
}

/// Returns when this process started, in clock ticks since boot, or `None` if that is unknown.
/// `/proc` may show the pids of another namespace.
#[cfg(target_os = "linux")]
pub(in super::super) fn own_start_time() -> Option<u64> {
    start_time("self")
}

#[cfg(not(target_os = "linux"))]
pub(in super::super) fn own_start_time() -> Option<u64> {
    None
}

/// Returns when the process of this folder in `/proc` started.
#[cfg(target_os = "linux")]
fn start_time(folder: &str) -> Option<u64> {
    /// The state is field 3 of `stat`, the start time is field 22.
    const FIELDS_AFTER_STATE: usize = 19;
    let text = std::fs::read_to_string(format!("/proc/{folder}/stat")).ok()?;
    text.rsplit_once(')')?
        .1
        .split_ascii_whitespace()
        .nth(FIELDS_AFTER_STATE)?
        .parse()
        .ok()
}

/// An entry of the process table.
#[cfg(target_os = "linux")]
struct ProcessStat {
    pid: u32,
    parent: u32,
    /// State letter from `proc(5)`, such as `R` or `Z`.
    state: char,
}

#[cfg(target_os = "linux")]
impl ProcessStat {
    fn read(pid: u32) -> Option<Self> {
        let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name of the program is in parentheses, and may contain parentheses.
        let mut fields = text.rsplit_once(')')?.1.split_ascii_whitespace();
        let state = fields.next()?.chars().next()?;
        let parent = fields.next()?.parse().ok()?;
        Some(Self { pid, parent, state })
    }

    /// Returns true unless the process is a zombie or dead.
    fn is_running(&self) -> bool {
        !['Z', 'X'].contains(&self.state)
    }
}

#[cfg(target_os = "linux")]
fn all_processes() -> impl Iterator<Item = ProcessStat> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| ProcessStat::read(entry.file_name().to_str()?.parse().ok()?))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn ended_child_is_no_longer_descendant() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        assert!(descendants().unwrap().contains(&child.id()));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!descendants().unwrap().contains(&child.id()));
    }
}
