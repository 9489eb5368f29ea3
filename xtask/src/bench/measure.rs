//! Times, ratios and memory: medians of several runs.

use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::Outcome;

/// Two commands that do the same work.
pub(crate) struct Pair {
    pub(crate) ours: Duration,
    pub(crate) theirs: Duration,
    /// The median of the ratios of runs that followed each other.
    pub(crate) ratio: f64,
}

/// Runs two commands in turns, after one run of each that fills the page cache.
pub(crate) fn in_turns(
    ours: impl Fn() -> Command,
    theirs: impl Fn() -> Command,
    rounds: usize,
) -> Outcome<Pair> {
    time(&mut ours())?;
    time(&mut theirs())?;
    let mut times = Vec::new();
    for _ in 0..rounds {
        times.push((time(&mut ours())?.0, time(&mut theirs())?.0));
    }
    Ok(Pair {
        ours: median(times.iter().map(|t| t.0)),
        theirs: median(times.iter().map(|t| t.1)),
        ratio: median(times.iter().map(|(a, b)| a.as_secs_f64() / b.as_secs_f64())),
    })
}

fn time(command: &mut Command) -> Outcome<(Duration, ExitStatus)> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let start = Instant::now();
    let status = command
        .status()
        .map_err(|e| format!("{}: {e}", command.get_program().to_string_lossy()))?;
    Ok((start.elapsed(), status))
}

/// The median of many short runs; nothing when the command fails.
pub(crate) fn start_time(
    command: impl Fn() -> Command,
    good: fn(ExitStatus) -> bool,
) -> Outcome<Option<Duration>> {
    const RUNS: usize = 51;
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let (time, status) = time(&mut command())?;
        if !good(status) {
            return Ok(None);
        }
        times.push(time);
    }
    Ok(Some(median(times.into_iter())))
}

/// The most memory that a process had, in bytes: its high-water mark, read until it ends. Zero
/// where there is no `/proc`.
pub(crate) fn peak_memory(command: &mut Command) -> Outcome<u64> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait()?.is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let mark = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib: u64 = mark
            .and_then(|m| m.trim().trim_end_matches(" kB").parse().ok())
            .unwrap_or(0);
        peak = peak.max(kib << 10);
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(peak)
}

const REPEATS: usize = 15;

/// How fast a text is read in this process.
pub(crate) fn megabytes_per_second(text: &[u8], read: impl Fn()) -> f64 {
    read();
    let times = (0..REPEATS).map(|_| once(&read));
    text.len() as f64 / median(times).as_secs_f64() / 1e6
}

/// How much more the first takes than the second, as a share of the third.
pub(crate) fn difference_to(first: impl Fn(), second: impl Fn(), third: impl Fn()) -> f64 {
    let share = |(first, second, third): (Duration, Duration, Duration)| {
        (first.as_secs_f64() - second.as_secs_f64()) / third.as_secs_f64()
    };
    median((0..REPEATS).map(|_| share((once(&first), once(&second), once(&third)))))
}

/// How much longer the first takes than the second.
pub(crate) fn ratio(first: impl Fn(), second: impl Fn()) -> f64 {
    first();
    second();
    median((0..REPEATS).map(|_| once(&first).as_secs_f64() / once(&second).as_secs_f64()))
}

fn once(work: &impl Fn()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn median<T: PartialOrd + Copy>(values: impl Iterator<Item = T>) -> T {
    let mut values: Vec<T> = values.collect();
    values.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    values[values.len() / 2]
}
