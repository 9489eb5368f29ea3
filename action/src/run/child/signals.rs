//! Receiving and sending signals.

use std::io;
use std::sync::mpsc;

/// A signal number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Signal(i32);

impl Signal {
    pub(super) const INTERRUPT: Self = Self(2);
    pub(super) const QUIT: Self = Self(3);
    pub(super) const KILL: Self = Self(9);
    pub(super) const TERMINATE: Self = Self(15);
    #[cfg(unix)]
    const HANGUP: Self = Self(1);
}

/// Starts a thread that catches the signals that would end leakgate, and passes each to `handler`.
/// The thread ends when `handler` returns false.
///
/// # Errors
/// The thread or the signal handlers cannot be installed.
pub(super) fn listen(handler: impl Fn(Signal) -> bool + Send + 'static) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    let (ready, is_ready) = mpsc::channel();
    std::thread::spawn(move || runtime.block_on(wait(&ready, &handler)));
    is_ready
        .recv()
        .map_err(|_| io::Error::other("the signal thread panicked"))?
}

#[cfg(unix)]
async fn wait(ready: &mpsc::Sender<io::Result<()>>, handler: &(dyn Fn(Signal) -> bool + Send)) {
    use tokio::signal::unix::{SignalKind, signal};
    let streams = signal(SignalKind::interrupt()).and_then(|interrupt| {
        Ok((
            interrupt,
            signal(SignalKind::quit())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ))
    });
    let (mut interrupt, mut quit, mut terminate, mut hangup) = match streams {
        Ok(streams) => streams,
        Err(error) => {
            let _ = ready.send(Err(error));
            return;
        }
    };
    let _ = ready.send(Ok(()));
    loop {
        let signal = tokio::select! {
            _ = interrupt.recv() => Signal::INTERRUPT,
            _ = quit.recv() => Signal::QUIT,
            _ = terminate.recv() => Signal::TERMINATE,
            _ = hangup.recv() => Signal::HANGUP,
        };
        if !handler(signal) {
            return;
        }
    }
}

#[cfg(not(unix))]
async fn wait(ready: &mpsc::Sender<io::Result<()>>, handler: &(dyn Fn(Signal) -> bool + Send)) {
    let _ = ready.send(Ok(()));
    while tokio::signal::ctrl_c().await.is_ok() && handler(Signal::INTERRUPT) {}
}

/// Makes a write fail with an error, instead of ending leakgate by SIGXFSZ, if a file would exceed
/// the limit on its size. Programs that leakgate starts get SIGXFSZ as usual.
#[cfg(unix)]
pub(in super::super) fn survive_file_size_limit() {
    use tokio::signal::unix::{SignalKind, signal};
    let xfsz = rustix::process::Signal::XFSZ.as_raw();
    // A caught signal has its default action in started programs, but an ignored one stays ignored.
    if is_ignored(xfsz) {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build();
    if let Ok(runtime) = runtime {
        let _guard = runtime.enter();
        let _ = signal(SignalKind::from_raw(xfsz));
    }
}

#[cfg(not(unix))]
pub(in super::super) fn survive_file_size_limit() {}

/// Returns true if leakgate was started with this signal ignored. On systems other than Linux the
/// answer is unknown, and false.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

/// Sends a signal to a process, or to its process group if `to_group` is true. Does nothing if the
/// process has ended.
#[cfg(unix)]
pub(super) fn send(pid: u32, signal: Signal, to_group: bool) {
    use rustix::process::{Pid, kill_process, kill_process_group};
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
        return;
    };
    let Some(signal) = rustix::process::Signal::from_named_raw(signal.0) else {
        return;
    };
    let _ = if to_group {
        kill_process_group(pid, signal)
    } else {
        kill_process(pid, signal)
    };
}

/// Ends a process and its children by `taskkill`, because Windows has no signals.
#[cfg(not(unix))]
pub(super) fn send(pid: u32, _: Signal, _: bool) {
    let _ = std::process::Command::new("taskkill")
        .args(["/T", "/F", "/PID", &pid.to_string()])
        .output();
}

/// Returns true if a process with this pid exists. For systems that don't list descendants.
#[cfg(unix)]
pub(in super::super) fn is_running(pid: u32) -> bool {
    let pid = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

#[cfg(not(unix))]
pub(in super::super) fn is_running(_: u32) -> bool {
    false
}
