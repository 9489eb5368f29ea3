//! Runs of a command, one for each number of steps.

use std::time::Duration;

use clap::Args;
use leakgate_core::verdict::judge_observed;

use super::{PLACEHOLDER, PointSeries};
use crate::error::Error;
use crate::output;
use crate::run::{self, Checker, RunRequest, Session};

/// Most runs with more steps than the user asks for.
const MAX_MORE_RUNS: usize = 2;

/// Checkers that list each leaked block.
const LEAK_CHECKERS: [Checker; 4] = [
    Checker::Memcheck,
    Checker::Asan,
    Checker::Lsan,
    Checker::Hwasan,
];

/// Options for the command.
#[derive(Debug, Args)]
pub(super) struct CommandArgs {
    /// Run the command under this checker. Defaults to memcheck, which also lists reachable memory
    /// and open descriptors.
    #[arg(long, value_name = "TOOL", requires = "command")]
    tool: Option<Checker>,
    /// Stop each run after this time, such as 90s or 10m. By default the time is unlimited.
    #[arg(long, value_name = "TIME", requires = "command", value_parser = run::duration)]
    timeout: Option<Duration>,
}

/// Runs the command with each number of steps, and adds the runs as points. If their numbers could
/// also be those of a cache, adds up to two more runs.
pub(super) fn run_all(
    series: &mut PointSeries<'_>,
    steps: &[u64],
    command: &[String],
    args: &CommandArgs,
) -> Result<(), Error> {
    if !command
        .iter()
        .any(|argument| argument.contains(PLACEHOLDER))
    {
        return Err(Error::with_help(
            format!("cannot vary the steps: no argument of the command contains {PLACEHOLDER}"),
            format!(
                "write {PLACEHOLDER} where the number of steps belongs: -- ./server {PLACEHOLDER}"
            ),
        ));
    }
    if let Some(tool) = args.tool.filter(|tool| !LEAK_CHECKERS.contains(tool)) {
        return Err(Error::with_help(
            format!(
                "cannot find growth with {}: it doesn't look for leaks",
                tool.name()
            ),
            "use memcheck, asan, lsan or hwasan",
        ));
    }
    for step in steps {
        add_run(series, *step, command, args)?;
    }
    for _ in 0..MAX_MORE_RUNS {
        let Some(step) = series.growth().next_step() else {
            break;
        };
        output::note(&format!(
            "note: some memory may grow, or may be freed regularly; running {step} steps, too"
        ));
        add_run(series, step, command, args)?;
    }
    Ok(())
}

/// Runs the command with this number of steps.
fn add_run(
    series: &mut PointSeries<'_>,
    step: u64,
    command: &[String],
    args: &CommandArgs,
) -> Result<(), Error> {
    let settings = series.settings;
    let checker = args.tool.unwrap_or(Checker::Memcheck);
    let number = step.to_string();
    let argv: Vec<String> = command
        .iter()
        .map(|argument| argument.replace(PLACEHOLDER, &number))
        .collect();
    let request = RunRequest {
        argv: &argv,
        tools: &[checker],
        all: false,
        root: settings.folder(),
        patterns: &settings.programs,
        timeout: args.timeout,
        tracks_descriptors: true,
    };
    let session = Session::new(&request, None, false)?;
    let (observed, logs) = session.run(settings)?;
    let logs = logs.complete()?;
    let name = format!("the run with {step} steps");
    series.add(step, &name, &logs.parsed, |triage| {
        judge_observed(&logs.parsed, triage, &observed, &settings.gate)
    })
}
