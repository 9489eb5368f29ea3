//! Runs the command: passes its output on and keeps a copy, and waits for all processes that the
//! command started.

mod orphans;
mod signals;
mod tee;

use std::fs::File;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use leakgate_core::verdict::Termination;

#[cfg(target_os = "linux")]
pub(super) use self::orphans::identity;
pub(super) use self::orphans::{ProcessIdentity, descendants, is_busy, own_start_time};
use self::signals::Signal;
pub(super) use self::signals::{is_running, survive_file_size_limit};
use super::executable::{self, AwaitedChild};
use super::status::StatusLine;
use crate::error::Error;

/// Interval between calls of [`Observer::poll`].
const TICK: Duration = Duration::from_millis(100);

/// Time that a process has to end after SIGTERM, and time that processes may outlive the command.
const GRACE: Duration = Duration::from_secs(10);

/// Time to wait until a signal typed at the terminal has reached the command.
const TYPED_SIGNAL_DELAY: Duration = Duration::from_secs(1);

/// Time to wait for the rest of the output after all known processes have ended.
const OUTPUT_IDLE: Duration = Duration::from_secs(1);

/// Time that a new process has to exec its program.
const EXEC_DELAY: Duration = Duration::from_millis(500);

/// The same for a process that isn't idle. On an overloaded machine, it may have to wait for its
/// turn.
const BUSY_EXEC_DELAY: Duration = Duration::from_secs(5);

/// The environment variable in which the GitHub Action passes its token.
const TOKEN_VARIABLE: &str = "LEAKGATE_TOKEN";

/// A command to run.
#[derive(Clone, Copy)]
pub(super) struct ChildCommand<'a> {
    pub(super) argv: &'a [String],
    pub(super) env: &'a [(String, String)],
    /// Folder for copies of the output, `stdout.txt` and `stderr.txt`.
    pub(super) folder: &'a Path,
    pub(super) timeout: Option<Duration>,
    pub(super) line: &'a StatusLine,
}

/// Observes a command while it runs.
pub(super) trait Observer {
    /// Called every [`TICK`]. Returns how the command ends if it should be stopped because the run
    /// can prove nothing.
    fn poll(&mut self) -> Option<Termination>;

    /// Returns the pids of processes of the command that are known to run.
    fn running(&mut self) -> Vec<u32>;

    /// Returns the processes that outlived the command.
    fn survivors(&mut self) -> Survivors;

    /// Called once the command has ended, with its effective user if that is known.
    fn ended(&mut self, pid: u32, user: Option<u32>);

    /// Called once the command has started.
    ///
    /// # Errors
    /// The start cannot be recorded. The command is then killed.
    fn started(&mut self, pid: u32) -> Result<(), Error>;
}

/// Processes that outlived the command.
#[derive(Debug)]
pub(super) struct Survivors {
    /// Pids of processes that run under a checker.
    pub(super) checked: Vec<u32>,
    /// True if other processes run, which may still exec a checked program.
    pub(super) has_others: bool,
    /// True if one of the others isn't idle.
    pub(super) has_busy: bool,
}

/// How a command ended.
#[derive(Debug)]
pub(super) struct ChildOutcome {
    pub(super) termination: Termination,
    /// Processes that outlived the command and were stopped.
    pub(super) stopped: Vec<StoppedProcess>,
    /// Orphans that crashed.
    pub(super) crashes: Vec<Crash>,
    /// A message for each copy of the output that cannot be written.
    pub(super) lost: Vec<String>,
}

/// A process that outlived the command and got SIGTERM.
#[derive(Clone, Copy, Debug)]
pub(super) struct StoppedProcess {
    pub(super) pid: u32,
    /// True if the process had to be killed.
    pub(super) was_killed: bool,
}

/// An orphan that crashed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crash {
    pub(super) pid: u32,
    pub(super) signal: i32,
}

enum Event {
    /// The command has ended, with its status and its user.
    Exited(io::Result<ExitStatus>, Option<u32>),
    Signal(Signal),
}

/// Runs a command until it and its descendants have ended.
///
/// # Errors
/// The command cannot be started.
pub(super) fn run(
    command: ChildCommand<'_>,
    observer: &mut dyn Observer,
) -> Result<ChildOutcome, Error> {
    let (sender, events) = mpsc::channel();
    let signal_sender = sender.clone();
    signals::listen(move |signal| signal_sender.send(Event::Signal(signal)).is_ok())
        .map_err(|e| Error::Usage(format!("cannot handle signals: {e}")))?;
    orphans::adopt();
    let mut child = spawn(command)?;
    let pid = child.id();
    let outputs = tee::outputs(&mut child, command.folder, command.line);
    std::thread::spawn(move || {
        let user = orphans::final_user(pid);
        sender.send(Event::Exited(child.wait(), user))
    });
    let mut running = RunningCommand {
        pid,
        command,
        events,
        observer,
        stop_reason: None,
        kill_at: None,
        delayed_signal: None,
        is_delayed_signal_sent: false,
        crashes: Vec::new(),
    };
    if let Err(error) = running.observer.started(pid) {
        // An unrecorded command must not keep running.
        running.send(Signal::KILL);
        let _ = running.wait();
        return Err(error);
    }
    let status = running.wait();
    let stopped = running.stop_survivors();
    running.reap();
    let is_stopped = |pid: u32| stopped.iter().any(|process| process.pid == pid);
    let crashes = running
        .crashes
        .iter()
        .filter(|crash| !is_stopped(crash.pid))
        .copied()
        .collect();
    let lost = outputs.finish(OUTPUT_IDLE);
    let termination = running.stop_reason.unwrap_or_else(|| termination(status));
    Ok(ChildOutcome {
        termination,
        stopped,
        crashes,
        lost,
    })
}

fn spawn(child: ChildCommand<'_>) -> Result<AwaitedChild, Error> {
    let (program, arguments) = child
        .argv
        .split_first()
        .ok_or_else(|| Error::Usage("no command given".into()))?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .envs(child.env.iter().map(|(name, value)| (name, value)));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    // The token is for leakgate, not for the tests.
    command.env_remove(TOKEN_VARIABLE);
    #[cfg(unix)]
    if !is_at_terminal() {
        // Signals then reach the whole group. At a terminal the command must stay in the foreground
        // group, because only that group may read from the terminal.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
    }
    executable::spawn(&mut command).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound if Path::new(program).exists() => Error::Usage(format!(
            "cannot start `{program}`: its interpreter or dynamic loader does not exist"
        )),
        io::ErrorKind::NotFound => Error::Usage(format!("program not found: `{program}`")),
        _ => Error::Usage(format!("cannot start `{program}`: {error}")),
    })
}

/// Returns true if leakgate has a controlling terminal, even if standard input is redirected.
fn is_at_terminal() -> bool {
    io::stdin().is_terminal() || cfg!(unix) && File::open("/dev/tty").is_ok()
}

struct RunningCommand<'a> {
    pid: u32,
    command: ChildCommand<'a>,
    events: Receiver<Event>,
    observer: &'a mut dyn Observer,
    /// Why leakgate stopped the command.
    stop_reason: Option<Termination>,
    kill_at: Option<Instant>,
    /// A signal that the terminal sends to all processes, and when leakgate sends it to those that
    /// still run.
    delayed_signal: Option<(Instant, Signal)>,
    is_delayed_signal_sent: bool,
    crashes: Vec<Crash>,
}

impl RunningCommand<'_> {
    /// Waits for the command itself.
    fn wait(&mut self) -> io::Result<ExitStatus> {
        let deadline = self.command.timeout.map(|timeout| Instant::now() + timeout);
        loop {
            match self.events.recv_timeout(TICK) {
                Ok(Event::Exited(status, user)) => {
                    self.observer.ended(self.pid, user);
                    return status;
                }
                Ok(Event::Signal(signal)) => self.stop(Termination::Interrupted, signal),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(io::ErrorKind::BrokenPipe.into()),
            }
            if self.stop_reason.is_none() && deadline.is_some_and(|at| Instant::now() >= at) {
                let seconds = self
                    .command
                    .timeout
                    .map_or(0, |timeout| timeout.as_secs().max(1));
                self.stop(Termination::TimedOut(seconds), Signal::TERMINATE);
            }
            if self.kill_at.is_some_and(|at| Instant::now() >= at) {
                self.send(Signal::KILL);
            }
            if let Some((_, signal)) = self
                .delayed_signal
                .filter(|(at, _)| !self.is_delayed_signal_sent && Instant::now() >= *at)
            {
                self.is_delayed_signal_sent = true;
                self.send(signal);
            }
            self.reap();
            if let Some(reason) = self.observer.poll()
                && self.stop_reason.is_none()
            {
                let is_stuck = reason == Termination::CannotWriteLog;
                let signal = if is_stuck {
                    Signal::KILL
                } else {
                    Signal::TERMINATE
                };
                self.stop(reason, signal);
            }
        }
    }

    /// Reaps orphans, as init would. Other threads wait for the command and the canary.
    fn reap(&mut self) {
        let zombies = orphans::zombies().into_iter();
        for pid in zombies.filter(|pid| !executable::is_awaited(*pid)) {
            let crash = orphans::reap(pid).map(|signal| Crash { pid, signal });
            self.crashes.extend(crash);
        }
    }

    /// Sends a signal that should end the command. The second call kills it.
    fn stop(&mut self, reason: Termination, signal: Signal) {
        let is_repeated = self.stop_reason.is_some();
        self.stop_reason.get_or_insert(reason);
        self.kill_at.get_or_insert_with(|| Instant::now() + GRACE);
        self.send(if is_repeated { Signal::KILL } else { signal });
    }

    /// Sends a signal to all processes of the command.
    fn send(&mut self, signal: Signal) {
        let at_terminal = is_at_terminal();
        // The terminal sends Ctrl-C and Ctrl-\ to all its processes. If the command still runs
        // after a while, another process sent the signal to leakgate alone.
        if at_terminal
            && matches!(signal, Signal::INTERRUPT | Signal::QUIT)
            && self.delayed_signal.is_none()
        {
            self.delayed_signal = Some((Instant::now() + TYPED_SIGNAL_DELAY, signal));
            return;
        }
        signals::send(self.pid, signal, !at_terminal);
        for pid in self.observer.running() {
            signals::send(pid, signal, false);
        }
    }

    /// Waits for processes that outlive the command. Sends SIGTERM to those that still run after
    /// [`GRACE`], and SIGKILL if that doesn't end them.
    fn stop_survivors(&mut self) -> Vec<StoppedProcess> {
        // A process that cannot write its log may never end.
        let grace = match self.stop_reason {
            Some(Termination::CannotWriteLog) => Duration::ZERO,
            _ => GRACE,
        };
        let mut survivors = self.wait_for_survivors(grace);
        for pid in &survivors {
            signals::send(*pid, Signal::TERMINATE, false);
        }
        let unresponsive = if survivors.is_empty() {
            Vec::new()
        } else {
            self.wait_for_survivors(grace)
        };
        for pid in &unresponsive {
            signals::send(*pid, Signal::KILL, false);
        }
        if !unresponsive.is_empty() {
            self.wait_for_survivors(GRACE);
        }
        survivors.sort_unstable();
        survivors
            .into_iter()
            .map(|pid| StoppedProcess {
                pid,
                was_killed: unresponsive.contains(&pid),
            })
            .collect()
    }

    /// Waits until all checked processes have ended, at most for `timeout`. Returns those that
    /// still run.
    fn wait_for_survivors(&mut self, timeout: Duration) -> Vec<u32> {
        let start = Instant::now();
        let deadline = start + timeout;
        let mut pause = Duration::from_millis(2);
        loop {
            let survivors = self.observer.survivors();
            self.reap();
            let delay = if survivors.has_busy {
                BUSY_EXEC_DELAY
            } else {
                EXEC_DELAY
            };
            let is_settled = !survivors.has_others || start.elapsed() >= delay;
            let is_done = survivors.checked.is_empty() && is_settled;
            if is_done || Instant::now() >= deadline {
                return survivors.checked;
            }
            if let Ok(Event::Signal(_)) = self.events.recv_timeout(pause) {
                self.stop_reason.get_or_insert(Termination::Interrupted);
                return survivors.checked;
            }
            self.observer.poll();
            pause = (pause * 2).min(TICK);
        }
    }
}

fn termination(status: io::Result<ExitStatus>) -> Termination {
    let Ok(status) = status else {
        return Termination::Status(-1);
    };
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return Termination::Signal(signal);
    }
    Termination::Status(status.code().unwrap_or(-1))
}
