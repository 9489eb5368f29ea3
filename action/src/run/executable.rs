//! Executable files that leakgate writes, and the start of processes while it does.
//!
//! Linux refuses to execute a file that any process has open for writing: `Text file busy`
//! (`ETXTBSY`). A new process has copies of all descriptors of leakgate until it calls `exec`, even
//! of those with close-on-exec. So a process that one thread starts could keep a file busy that
//! another thread is writing. [`write()`] and [`spawn`] therefore exclude each other.

use std::fs;
use std::io;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// Held for reading while a process is started, and for writing while an executable is written.
static STARTING: RwLock<()> = RwLock::new(());

/// How long an executable may stay busy. A process that was just started normally calls `exec`
/// within milliseconds, but the machine may be overloaded.
const BUSY_TIMEOUT: Duration = Duration::from_secs(20);

const RETRY_INTERVAL: Duration = Duration::from_millis(5);

/// Writes an executable file. No process that [`spawn`] starts gets its descriptor.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let _none_starts = STARTING.write().unwrap_or_else(PoisonError::into_inner);
    fs::write(path, bytes)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

/// The pids of children for which a thread of leakgate waits.
static AWAITED: Mutex<Vec<u32>> = Mutex::new(Vec::new());

/// A child for which its owner waits, so that it isn't reaped as an orphan.
#[derive(Debug)]
pub(super) struct AwaitedChild(Child);

impl Deref for AwaitedChild {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl DerefMut for AwaitedChild {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for AwaitedChild {
    fn drop(&mut self) {
        // The pid may belong to another process now.
        awaited().retain(|pid| *pid != self.0.id());
    }
}

fn awaited() -> MutexGuard<'static, Vec<u32>> {
    AWAITED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns true if a thread waits for this child of leakgate.
pub(super) fn is_awaited(pid: u32) -> bool {
    // A process that is being started isn't in the list yet.
    let _none_starts = STARTING.write().unwrap_or_else(PoisonError::into_inner);
    awaited().contains(&pid)
}

/// Starts a process. It has called `exec` when the function returns.
pub(super) fn spawn(command: &mut Command) -> io::Result<AwaitedChild> {
    let _none_is_written = STARTING.read().unwrap_or_else(PoisonError::into_inner);
    let child = command.spawn()?;
    awaited().push(child.id());
    Ok(AwaitedChild(child))
}

/// Starts a program that leakgate has written. While another process has the file open for writing,
/// it tries again.
pub(super) fn spawn_written(command: &mut Command) -> io::Result<AwaitedChild> {
    let deadline = Instant::now() + BUSY_TIMEOUT;
    loop {
        match spawn(command) {
            Err(error)
                if error.kind() == io::ErrorKind::ExecutableFileBusy
                    && Instant::now() < deadline =>
            {
                std::thread::sleep(RETRY_INTERVAL);
            }
            result => return result,
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    const SCRIPT: &[u8] = b"#!/bin/sh\nexit 7\n";

    #[test]
    fn busy_program_starts_when_its_writer_closes_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("script");
        write(&path, SCRIPT).unwrap();
        let writer = fs::OpenOptions::new().append(true).open(&path).unwrap();
        let error = spawn(&mut Command::new(&path)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ExecutableFileBusy);
        let closer = thread::spawn(move || {
            thread::sleep(Duration::from_millis(100));
            drop(writer);
        });
        let mut child = spawn_written(&mut Command::new(&path)).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(7));
        closer.join().unwrap();
    }

    #[test]
    fn children_are_awaited_until_they_are_dropped() {
        let mut command = Command::new("true");
        let mut children: Vec<AwaitedChild> =
            (0..8).map(|_| spawn(&mut command).unwrap()).collect();
        let pids: Vec<u32> = children.iter().map(|child| child.id()).collect();
        assert!(pids.iter().all(|pid| is_awaited(*pid)));
        let first = children.remove(0).wait().unwrap();
        assert!(first.success() && !is_awaited(pids[0]));
        assert!(pids[1..].iter().all(|pid| is_awaited(*pid)));
        children.iter_mut().for_each(|child| drop(child.wait()));
    }

    #[test]
    fn other_errors_are_not_retried() {
        let start = Instant::now();
        let error = spawn_written(&mut Command::new("/nonexistent/program")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(start.elapsed() < BUSY_TIMEOUT);
    }

    #[test]
    fn executable_is_not_written_while_a_process_starts() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("script");
        let starting = STARTING.read().unwrap();
        let (sender, written) = mpsc::channel();
        let copy = path.clone();
        let writer = thread::spawn(move || {
            write(&copy, SCRIPT).unwrap();
            sender.send(()).unwrap();
        });
        assert!(written.recv_timeout(Duration::from_millis(100)).is_err());
        assert!(!path.exists());
        drop(starting);
        written.recv().unwrap();
        writer.join().unwrap();
        assert_eq!(fs::read(&path).unwrap(), SCRIPT);
    }
}
