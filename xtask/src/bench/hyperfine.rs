//! Times of whole commands, measured by hyperfine.

use serde::Deserialize;
use xshell::cmd;

use super::Bench;
use crate::Outcome;

/// A command for hyperfine to run.
pub(super) struct Command {
    /// Words, quoted as for a POSIX shell, which isn't started.
    pub(super) line: String,
    /// Exit codes of a run that counts.
    pub(super) exit_codes: &'static [i32],
}

#[derive(Deserialize)]
struct Export {
    results: Vec<Measured>,
}

#[derive(Deserialize)]
struct Measured {
    command: String,
    /// In seconds.
    median: f64,
    /// Mean processor time in seconds.
    user: f64,
    /// Mean processor time of the kernel in seconds.
    system: f64,
    /// `None` for a run that was killed by a signal.
    exit_codes: Vec<Option<i32>>,
}

/// Runs each command `rounds` times, after one run that fills the page cache, and returns the
/// medians in seconds. The export stays in `target/bench/NAME.json`.
///
/// # Errors
///
/// Fails if a run ends with another exit code than the command allows.
pub(super) fn medians<const N: usize>(
    bench: &Bench<'_>,
    name: &str,
    rounds: usize,
    commands: [Command; N],
) -> Outcome<[f64; N]> {
    let measured = measure(bench, name, rounds, 1, &commands)?;
    let mut medians = [0.0; N];
    for (median, measured) in medians.iter_mut().zip(measured) {
        *median = measured.median;
    }
    Ok(medians)
}

/// Runs the commands one after another, `rounds` times, and returns the median of the processor
/// time of each, in seconds. Unlike time, it hardly depends on what else the machine does.
///
/// # Errors
///
/// Fails if a run ends with another exit code than the command allows.
pub(super) fn processor_times(
    bench: &Bench<'_>,
    name: &str,
    rounds: usize,
    commands: &[Command],
) -> Outcome<Vec<f64>> {
    let mut times = vec![Vec::with_capacity(rounds); commands.len()];
    for round in 0..rounds {
        // hyperfine exports only the mean of its runs. The first one fills the page cache.
        let warmup = usize::from(round == 0);
        let measured = measure(bench, name, 1, warmup, commands)?;
        for (times, measured) in times.iter_mut().zip(measured) {
            times.push(measured.user + measured.system);
        }
    }
    let medians = times.into_iter().map(|mut times| {
        times.sort_by(f64::total_cmp);
        times.get(times.len() / 2).copied().unwrap_or_default()
    });
    Ok(medians.collect())
}

/// Calls hyperfine. The export stays in `target/bench/NAME.json`.
fn measure(
    bench: &Bench<'_>,
    name: &str,
    rounds: usize,
    warmup: usize,
    commands: &[Command],
) -> Outcome<Vec<Measured>> {
    let sh = bench.sh;
    let export = bench
        .folder
        .join(format!("{}.json", name.replace(' ', "-")));
    let rounds = rounds.to_string();
    let warmup = warmup.to_string();
    let options = ["--shell=none", "--ignore-failure", "--style=none"];
    let lines = commands.iter().map(|command| &command.line);
    cmd!(
        sh,
        "hyperfine {options...} --warmup {warmup} --runs {rounds} --export-json {export} {lines...}"
    )
    .quiet()
    .ignore_stdout()
    .ignore_stderr()
    .run()?;
    let export: Export = serde_json::from_str(&sh.read_file(&export)?)?;
    for (measured, command) in export.results.iter().zip(commands) {
        let is_allowed = |code: &Option<i32>| code.is_some_and(|c| command.exit_codes.contains(&c));
        if let Some(code) = measured.exit_codes.iter().find(|code| !is_allowed(code)) {
            return Err(format!("unexpected exit code {code:?} of {}", measured.command).into());
        }
    }
    Ok(export.results)
}
