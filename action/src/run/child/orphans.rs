//! Processes whose parent has ended: on Linux they become leakgate's own, so that none gets out of
//! sight.
//!
//! Source: `prctl(2)` on `PR_SET_CHILD_SUBREAPER`, `proc(5)` on `stat`.

/// From now on, orphans among what leakgate starts are its children.
#[cfg(target_os = "linux")]
pub(super) fn adopt() {
    // Where that can't be, orphans go to the system as ever, and a log of theirs still tells of
    // them.
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
}

#[cfg(not(target_os = "linux"))]
pub(super) fn adopt() {}

/// Everything that descends from this process and has not ended; nothing where the system does not
/// tell.
#[cfg(target_os = "linux")]
pub(in super::super) fn descendants() -> Option<Vec<u32>> {
    let all: Vec<(u32, u32)> = processes().collect();
    let mut found = vec![std::process::id()];
    let mut at = 0;
    while let Some(parent) = found.get(at).copied() {
        found.extend(
            all.iter()
                .filter(|(_, of)| *of == parent)
                .map(|(pid, _)| *pid),
        );
        at += 1;
    }
    Some(found.split_off(1))
}

#[cfg(not(target_os = "linux"))]
pub(in super::super) fn descendants() -> Option<Vec<u32>> {
    None
}

/// Children that have ended, and that nobody has asked about.
#[cfg(target_os = "linux")]
pub(super) fn ended() -> Vec<u32> {
    use rustix::process::{WaitId, WaitIdOptions, waitid};
    // The list of all processes is long, and mostly nobody has ended.
    let peek = waitid(
        WaitId::All,
        WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT,
    );
    if !matches!(peek, Ok(Some(_))) {
        return Vec::new();
    }
    let own = std::process::id();
    states()
        .filter(|(_, parent, state)| *parent == own && *state == 'Z')
        .map(|(pid, ..)| pid)
        .collect()
}

#[cfg(not(target_os = "linux"))]
pub(super) fn ended() -> Vec<u32> {
    Vec::new()
}

/// Asks how a child ended; tells the signal where it crashed.
#[cfg(target_os = "linux")]
pub(super) fn crash_of(pid: u32) -> Option<i32> {
    /// SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS.
    const CRASHES: &[i32] = &[4, 5, 6, 7, 8, 11, 31];
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).ok()?)?;
    let (_, status) =
        rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::NOHANG).ok()??;
    status
        .terminating_signal()
        .filter(|signal| CRASHES.contains(signal))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn crash_of(_: u32) -> Option<i32> {
    None
}

/// A process that runs: its number, and when it started, in ticks since the system did. Numbers are
/// given again.
pub(in super::super) type Identity = (u32, u64);

/// The process among those that descend from this one which has this number, be it in a namespace
/// of its own; nothing where there is none, or more than one.
#[cfg(target_os = "linux")]
pub(in super::super) fn identity(number: u32) -> Option<Identity> {
    let has_number = |pid: &u32| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
        numbers.and_then(|numbers| numbers.split_ascii_whitespace().next_back()?.parse().ok())
            == Some(number)
    };
    let mut found = descendants()?.into_iter().filter(has_number);
    let pid = found.next().filter(|_| found.next().is_none())?;
    Some((pid, started_at(pid)?))
}

#[cfg(target_os = "linux")]
fn started_at(pid: u32) -> Option<u64> {
    /// The state is the third field of all, and this the twenty-second.
    const AFTER_STATE: usize = 19;
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    text.rsplit_once(')')?
        .1
        .split_ascii_whitespace()
        .nth(AFTER_STATE)?
        .parse()
        .ok()
}

/// The state of a process, and its parent.
#[cfg(target_os = "linux")]
fn stat(pid: u32) -> Option<(char, u32)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name of the program stands in brackets, and may hold any of them.
    let mut rest = text.rsplit_once(')')?.1.split_ascii_whitespace();
    let state = rest.next()?.chars().next()?;
    Some((state, rest.next()?.parse().ok()?))
}

/// All processes that run, each with its parent.
#[cfg(target_os = "linux")]
fn processes() -> impl Iterator<Item = (u32, u32)> {
    states()
        .filter(|(.., state)| !['Z', 'X'].contains(state))
        .map(|(pid, parent, _)| (pid, parent))
}

/// All processes, each with its parent and its state.
#[cfg(target_os = "linux")]
fn states() -> impl Iterator<Item = (u32, u32, char)> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        let (state, parent) = stat(pid)?;
        Some((pid, parent, state))
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_child_descends_from_us_until_it_ends() {
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
