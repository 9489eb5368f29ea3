//! A command that runs: what it prints is passed on and kept, and nobody that it started is left
//! behind unseen.

mod orphans;
mod signals;
mod tee;

use std::fs::File;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use leakgate_core::End;

#[cfg(target_os = "linux")]
pub(super) use self::orphans::identity;
pub(super) use self::orphans::{Identity, descendants};
use self::signals::Signal;
pub(super) use self::signals::is_running;
use super::status::StatusLine;
use crate::error::Error;

/// How often somebody looks at what runs.
const TICK: Duration = Duration::from_millis(100);

/// How long a process may take to end after it was told to, and how long one may run on after its
/// command.
const GRACE: Duration = Duration::from_secs(10);

/// How long it takes to hear of what was typed.
const HEARD: Duration = Duration::from_secs(1);

/// How long to wait for the rest of the output once every process is gone that anybody knows of.
const REST: Duration = Duration::from_secs(1);

/// How long a process may take to become the program that it was started for.
const SETTLING: Duration = Duration::from_millis(500);

/// The variable by which the action hands over its token.
const TOKEN: &str = "LEAKGATE_TOKEN";

/// What to run.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) words: &'a [String],
    pub(super) variables: &'a [(String, String)],
    /// Where to keep what it prints, as `stdout.txt` and `stderr.txt`.
    pub(super) folder: &'a Path,
    pub(super) timeout: Option<Duration>,
    /// Where its state is shown.
    pub(super) line: &'a StatusLine,
}

/// Who looks on.
pub(super) trait Onlooker {
    /// Called every now and then; false when there is no use in going on.
    fn look(&mut self) -> bool;

    /// Processes of the command that are known to run.
    fn running(&mut self) -> Vec<u32>;

    /// Processes that outlived the command: those that are known, and those that nobody had told
    /// of. True beside them when there are others, which may yet become a program that is
    /// checked.
    fn left(&mut self) -> (Vec<u32>, bool);

    /// The command has this process.
    fn begins(&mut self, pid: u32) -> Result<(), Error>;
}

/// How it ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) end: End,
    /// Processes that ran on after the command, and were told to end; true where one had to be
    /// killed.
    pub(super) stopped: Vec<(u32, bool)>,
    /// Processes that nobody waited for, and that crashed, each with its signal.
    pub(super) died: Vec<(u32, i32)>,
    /// Output that could not be kept.
    pub(super) lost: Vec<String>,
}

enum Event {
    Ended(io::Result<ExitStatus>),
    Signal(Signal),
}

/// Runs it to its end.
///
/// # Errors
/// It can't be started.
pub(super) fn run(call: Call<'_>, onlooker: &mut dyn Onlooker) -> Result<Ended, Error> {
    let (sender, events) = mpsc::channel();
    let of_signals = sender.clone();
    signals::listen(move |signal| of_signals.send(Event::Signal(signal)).is_ok())
        .map_err(|e| Error::Usage(format!("signals can't be taken: {e}")))?;
    orphans::adopt();
    let mut child = spawn(call)?;
    let pid = child.id();
    let outputs = tee::outputs(&mut child, call.folder, call.line);
    std::thread::spawn(move || sender.send(Event::Ended(child.wait())));
    let (ended, died) = (Vec::new(), Vec::new());
    let mut running = Running {
        pid,
        call,
        events,
        onlooker,
        stopped: None,
        kill_at: None,
        later: None,
        is_passed_on: false,
        ended,
        died,
    };
    if let Err(error) = running.onlooker.begins(pid) {
        // Nobody would look after it.
        running.tell(Signal::KILL);
        let _ = running.wait();
        return Err(error);
    }
    let status = running.wait();
    let stopped = running.stragglers();
    let told = |pid: &u32| stopped.iter().any(|(stopped, _)| stopped == pid);
    // Those that ended since somebody last looked are looked at twice.
    running.reap();
    running.reap();
    let died = running
        .died
        .iter()
        .filter(|(pid, _)| !told(pid))
        .copied()
        .collect();
    let lost = outputs.finish(REST);
    let end = running.stopped.unwrap_or_else(|| end_of(status));
    Ok(Ended {
        end,
        stopped,
        died,
        lost,
    })
}

fn spawn(call: Call<'_>) -> Result<Child, Error> {
    let (program, arguments) = call
        .words
        .split_first()
        .ok_or_else(|| Error::Usage("there is no command to run".into()))?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .envs(call.variables.iter().map(|(name, value)| (name, value)));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    // What the action holds for itself is none of the tests' business.
    command.env_remove(TOKEN);
    #[cfg(unix)]
    if !is_at_terminal() {
        // Signals reach all of it. At a terminal it must stay in the group that may read from
        // there.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
    }
    command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound if Path::new(program).exists() => Error::Usage(format!(
            "`{program}` can't be started: there is no such interpreter or loader as it names"
        )),
        io::ErrorKind::NotFound => Error::Usage(format!("there is no program `{program}`")),
        _ => Error::Usage(format!("`{program}` can't be started: {error}")),
    })
}

/// True where there is a terminal to read from, whatever standard input is.
fn is_at_terminal() -> bool {
    io::stdin().is_terminal() || cfg!(unix) && File::open("/dev/tty").is_ok()
}

struct Running<'a> {
    pid: u32,
    call: Call<'a>,
    events: Receiver<Event>,
    onlooker: &'a mut dyn Onlooker,
    /// Why it was told to end.
    stopped: Option<End>,
    kill_at: Option<Instant>,
    /// A signal that everybody should have got, and when those who have not are told; true when
    /// they were.
    later: Option<(Instant, Signal)>,
    is_passed_on: bool,
    /// Orphans that had ended when somebody last looked.
    ended: Vec<u32>,
    /// Orphans that crashed, each with its signal.
    died: Vec<(u32, i32)>,
}

impl Running<'_> {
    /// Waits for the command itself.
    fn wait(&mut self) -> io::Result<ExitStatus> {
        let deadline = self.call.timeout.map(|timeout| Instant::now() + timeout);
        loop {
            match self.events.recv_timeout(TICK) {
                Ok(Event::Ended(status)) => return status,
                Ok(Event::Signal(signal)) => self.stop(End::Interrupted, signal),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(io::ErrorKind::BrokenPipe.into()),
            }
            if self.stopped.is_none() && deadline.is_some_and(|at| Instant::now() >= at) {
                let seconds = self
                    .call
                    .timeout
                    .map_or(0, |timeout| timeout.as_secs().max(1));
                self.stop(End::TimedOut(seconds), Signal::TERMINATE);
            }
            if self.kill_at.is_some_and(|at| Instant::now() >= at) {
                self.tell(Signal::KILL);
            }
            if let Some((_, signal)) = self
                .later
                .filter(|(at, _)| !self.is_passed_on && Instant::now() >= *at)
            {
                self.is_passed_on = true;
                self.tell(signal);
            }
            self.reap();
            if !self.onlooker.look() && self.stopped.is_none() {
                self.stop(End::GivenUp, Signal::TERMINATE);
            }
        }
    }

    /// Buries orphans, as the system would. The command and the canary have somebody who asks about
    /// them at once, so that what has ended for a while is an orphan.
    fn reap(&mut self) {
        let ended = orphans::ended();
        for pid in ended
            .iter()
            .filter(|pid| **pid != self.pid && self.ended.contains(pid))
        {
            self.died
                .extend(orphans::crash_of(*pid).map(|signal| (*pid, signal)));
        }
        self.ended = ended;
    }

    /// Tells it to end; who asks twice means it.
    fn stop(&mut self, why: End, signal: Signal) {
        let again = self.stopped.is_some();
        self.stopped.get_or_insert(why);
        self.kill_at.get_or_insert_with(|| Instant::now() + GRACE);
        self.tell(if again { Signal::KILL } else { signal });
    }

    fn tell(&mut self, signal: Signal) {
        let at_terminal = is_at_terminal();
        // What is typed at a terminal reaches everybody there. Who still runs after a while has not
        // got it: leakgate alone was told.
        if at_terminal && matches!(signal, Signal::INTERRUPT | Signal::QUIT) && self.later.is_none()
        {
            self.later = Some((Instant::now() + HEARD, signal));
            return;
        }
        signals::send(self.pid, signal, !at_terminal);
        for pid in self.onlooker.running() {
            signals::send(pid, signal, false);
        }
    }

    /// Waits for processes that outlive the command, and in the end stops them.
    fn stragglers(&mut self) -> Vec<(u32, bool)> {
        let mut left = self.wait_for(GRACE);
        left.iter()
            .for_each(|pid| signals::send(*pid, Signal::TERMINATE, false));
        let deaf = if left.is_empty() {
            Vec::new()
        } else {
            self.wait_for(GRACE)
        };
        deaf.iter()
            .for_each(|pid| signals::send(*pid, Signal::KILL, false));
        if !deaf.is_empty() {
            self.wait_for(GRACE);
        }
        left.sort_unstable();
        left.into_iter()
            .map(|pid| (pid, deaf.contains(&pid)))
            .collect()
    }

    /// Those that still run after so long.
    fn wait_for(&mut self, most: Duration) -> Vec<u32> {
        let begun = Instant::now();
        let until = begun + most;
        let mut pause = Duration::from_millis(2);
        loop {
            let (running, others) = self.onlooker.left();
            self.reap();
            let is_settled = !others || begun.elapsed() >= SETTLING;
            if running.is_empty() && is_settled || Instant::now() >= until {
                return running;
            }
            if let Ok(Event::Signal(_)) = self.events.recv_timeout(pause) {
                self.stopped.get_or_insert(End::Interrupted);
                return running;
            }
            self.onlooker.look();
            pause = (pause * 2).min(TICK);
        }
    }
}

fn end_of(status: io::Result<ExitStatus>) -> End {
    let Ok(status) = status else {
        return End::Status(-1);
    };
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return End::Signal(signal);
    }
    End::Status(status.code().unwrap_or(-1))
}
