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
    let sh = bench.sh;
    let export = bench
        .folder
        .join(format!("{}.json", name.replace(' ', "-")));
    let rounds = rounds.to_string();
    let options = [
        "--shell=none",
        "--ignore-failure",
        "--warmup=1",
        "--style=none",
    ];
    let lines = commands.iter().map(|command| &command.line);
    cmd!(
        sh,
        "hyperfine {options...} --runs {rounds} --export-json {export} {lines...}"
    )
    .quiet()
    .ignore_stdout()
    .ignore_stderr()
    .run()?;
    let export: Export = serde_json::from_str(&sh.read_file(&export)?)?;
    let mut medians = [0.0; N];
    for (at, (measured, command)) in export.results.iter().zip(&commands).enumerate() {
        let is_allowed = |code: &Option<i32>| code.is_some_and(|c| command.exit_codes.contains(&c));
        if let Some(code) = measured.exit_codes.iter().find(|code| !is_allowed(code)) {
            return Err(format!("unexpected exit code {code:?} of {}", measured.command).into());
        }
        medians[at] = measured.median;
    }
    Ok(medians)
}
