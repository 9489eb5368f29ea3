//! Signals: those that leakgate gets, and those that it sends.

use std::io;
use std::sync::mpsc;

/// A signal by its number.
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

/// Takes what would end leakgate, from now on. Each is handed over until that is in vain.
pub(super) fn listen(heard: impl Fn(Signal) -> bool + Send + 'static) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    let (ready, is_ready) = mpsc::channel();
    std::thread::spawn(move || runtime.block_on(wait(&ready, &heard)));
    is_ready.recv().map_err(|_| io::Error::other("no thread"))?
}

#[cfg(unix)]
async fn wait(ready: &mpsc::Sender<io::Result<()>>, heard: &(dyn Fn(Signal) -> bool + Send)) {
    use tokio::signal::unix::{SignalKind, signal};
    let all = signal(SignalKind::interrupt()).and_then(|interrupt| {
        Ok((
            interrupt,
            signal(SignalKind::quit())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ))
    });
    let (mut interrupt, mut quit, mut terminate, mut hangup) = match all {
        Ok(all) => all,
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
        if !heard(signal) {
            return;
        }
    }
}

#[cfg(not(unix))]
async fn wait(ready: &mpsc::Sender<io::Result<()>>, heard: &(dyn Fn(Signal) -> bool + Send)) {
    let _ = ready.send(Ok(()));
    while tokio::signal::ctrl_c().await.is_ok() && heard(Signal::INTERRUPT) {}
}

/// Sends a signal to a process, or to the group that it leads. One that is gone needs none.
#[cfg(unix)]
pub(super) fn send(pid: u32, signal: Signal, to_group: bool) {
    use rustix::process::{Pid, kill_process, kill_process_group};
    let (Some(pid), Some(signal)) = (
        i32::try_from(pid).ok().and_then(Pid::from_raw),
        rustix::process::Signal::from_named_raw(signal.0),
    ) else {
        return;
    };
    let _ = if to_group {
        kill_process_group(pid, signal)
    } else {
        kill_process(pid, signal)
    };
}

/// Windows has no signals; a process that must end is ended by a program of the system.
#[cfg(not(unix))]
pub(super) fn send(pid: u32, _: Signal, _: bool) {
    let _ = std::process::Command::new("taskkill")
        .args(["/T", "/F", "/PID", &pid.to_string()])
        .output();
}

/// True while there is such a process, for systems that do not tell what descends from what.
#[cfg(unix)]
pub(in super::super) fn is_running(pid: u32) -> bool {
    let known = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    known.is_some_and(|pid| rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

#[cfg(not(unix))]
pub(in super::super) fn is_running(_: u32) -> bool {
    false
}
