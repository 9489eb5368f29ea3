//! `leakgate grow`: finds memory that grows with the work that a program does.

#[cfg(not(target_os = "wasi"))]
mod command;
mod logs;

use std::ffi::OsString;

use clap::{Args, ValueEnum, ValueHint};
use leakgate_core::emit::{self, RenderOptions};
use leakgate_core::growth::{Growth, MIN_POINTS, Points, gap};
use leakgate_core::triage::triage_with_fingerprints;
use leakgate_core::{Parsed, Triage, Verdict};

use crate::args::{GateArgs, JobArgs};
use crate::error::{Error, Status};
use crate::output;
use crate::settings::Settings;
use crate::workspace::Repository;

/// The part of an argument that is replaced by the number of steps.
const PLACEHOLDER: &str = "{n}";

/// Options of `leakgate grow`.
#[derive(Debug, Args)]
#[command(
    override_usage = "leakgate grow --steps N,N,N [OPTIONS] [RUN]...\n       \
                            leakgate grow --steps N,N,N [OPTIONS] -- COMMAND..."
)]
pub(crate) struct GrowArgs {
    /// The runs, one argument for each number of steps: a JSON report, a log, or a directory, glob
    /// or archive with the logs of one run.
    #[arg(value_name = "RUN", conflicts_with = "command", value_hint = ValueHint::AnyPath)]
    runs: Vec<OsString>,
    /// How much work each run does, such as its number of requests: at least three numbers in
    /// ascending order.
    #[arg(long, value_name = "N,N,N", value_delimiter = ',', required = true)]
    steps: Vec<u64>,
    /// Output format: a table, JSON, or a page with a curve for each site.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: GrowFormat,
    /// Also list sites that stay the same in the text report.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    jobs: JobArgs,
    #[cfg(not(target_os = "wasi"))]
    #[command(flatten)]
    running: command::CommandArgs,
    /// Command to run once for each number of steps, which replaces `{n}` in its arguments.
    #[arg(last = true, value_name = "COMMAND", value_hint = ValueHint::CommandWithArguments)]
    command: Vec<String>,
    #[command(flatten)]
    gate: GateArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum GrowFormat {
    Text,
    Json,
    Html,
}

/// Runs the command.
pub(crate) fn run(args: &GrowArgs) -> Result<Status, Error> {
    check_steps(&args.steps)?;
    let settings = Settings::load_with(&args.gate, false)?;
    let repository = Repository::find(settings.own_sources.as_ref(), settings.project())?;
    let mut series = PointSeries {
        settings: &settings,
        repository: &repository,
        points: Points::default(),
    };
    if args.command.is_empty() {
        logs::add_all(&mut series, args)?;
    } else {
        run_command(&mut series, args)?;
    }
    let growth = series.growth();
    report(&growth, args)?;
    Ok(match growth.failures().next() {
        Some(_) => Status::Fail,
        None => Status::Pass,
    })
}

#[cfg(not(target_os = "wasi"))]
fn run_command(series: &mut PointSeries<'_>, args: &GrowArgs) -> Result<(), Error> {
    command::run_all(series, &args.steps, &args.command, &args.running)
}

#[cfg(target_os = "wasi")]
fn run_command(_: &mut PointSeries<'_>, _: &GrowArgs) -> Result<(), Error> {
    Err(crate::wasi::native_only("run a command"))
}

/// Checks that the steps can show growth.
fn check_steps(steps: &[u64]) -> Result<(), Error> {
    if steps.len() < MIN_POINTS {
        return Err(Error::with_help(
            format!(
                "cannot find growth in {} points: at least {MIN_POINTS} are needed",
                steps.len()
            ),
            "run the program with more numbers of steps, such as --steps 100,200,400",
        ));
    }
    match steps.windows(2).find(|pair| pair[0] >= pair[1]) {
        Some(pair) => Err(Error::with_help(
            format!("invalid steps: {} follows {}", pair[1], pair[0]),
            "list the steps and the runs in ascending order",
        )),
        None => Ok(()),
    }
}

/// Writes the report to standard output.
fn report(growth: &Growth, args: &GrowArgs) -> Result<(), Error> {
    let options = RenderOptions {
        color: output::use_color(),
        ..RenderOptions::default()
    };
    output::stdout_from(|out: &mut dyn std::fmt::Write| match args.format {
        GrowFormat::Text => emit::growth_as_text(growth, args.all, &options, out),
        GrowFormat::Json => emit::growth_as_json(growth, out),
        GrowFormat::Html => emit::growth_as_html(growth, out),
    })
}

/// The runs that were read so far.
struct PointSeries<'a> {
    settings: &'a Settings,
    repository: &'a Repository,
    points: Points,
}

impl PointSeries<'_> {
    /// Adds a run. `name` is what the user calls it, and `judge` returns the verdict on it.
    ///
    /// # Errors
    /// A part of the run's reports is missing.
    fn add(
        &mut self,
        step: u64,
        name: &str,
        parsed: &Parsed,
        judge: impl FnOnce(&Triage) -> Verdict,
    ) -> Result<(), Error> {
        let gate = &self.settings.gate;
        let triage = triage_with_fingerprints(parsed, Vec::new(), gate, self.repository);
        if let Some(gap) = gap(parsed, &judge(&triage)) {
            let message = format!("cannot use {name} as a point: {}", gap.message);
            return Err(match gap.help {
                Some(help) => Error::with_help(message, help),
                None => Error::Usage(message),
            });
        }
        self.points.add(step, parsed, &triage, self.repository);
        Ok(())
    }

    /// Assesses the runs so far.
    fn growth(&self) -> Growth {
        self.points.clone().finish(&self.settings.gate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_ascend_and_are_enough() {
        assert!(check_steps(&[1, 2, 3]).is_ok());
        let error = |steps: &[u64]| check_steps(steps).unwrap_err().to_string();
        assert!(error(&[1, 2]).starts_with("cannot find growth in 2 points"));
        assert!(error(&[1, 2, 2]).starts_with("invalid steps: 2 follows 2"));
    }
}
