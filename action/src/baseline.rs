//! `leakgate baseline`: records current findings so that only new or grown ones fail.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use leakgate_core::emit::terminal;
use leakgate_core::reason::ReasonCode;
use leakgate_core::triage::BaselineEntry;
use leakgate_core::{Baseline, Parsed, Triage, Verdict};

use crate::args::{GateArgs, LogArgs};
use crate::error::{Error, Status};
use crate::ingest::Logs;
use crate::output;
use crate::settings::{BASELINE, Settings, display_path, read_baseline};
use crate::workspace::Repository;

/// Options of `leakgate baseline`.
#[derive(Debug, Args)]
pub(crate) struct BaselineArgs {
    #[command(subcommand)]
    command: BaselineCommand,
}

#[derive(Debug, Subcommand)]
enum BaselineCommand {
    /// Write a new baseline of all gated findings that no rule accepts.
    Write(WriteArgs),
    /// Remove fixed findings and lower counts that have shrunk. Adds nothing without --grow.
    Update(UpdateArgs),
    /// List the findings in the baseline.
    Show(ShowArgs),
}

#[derive(Debug, Args)]
struct WriteArgs {
    #[command(flatten)]
    logs: LogArgs,
    /// Replace an existing baseline.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    gate: GateArgs,
}

#[derive(Debug, Args)]
struct UpdateArgs {
    #[command(flatten)]
    logs: LogArgs,
    /// Also add findings that are new or have grown.
    #[arg(long)]
    grow: bool,
    #[command(flatten)]
    gate: GateArgs,
}

#[derive(Debug, Args)]
struct ShowArgs {
    #[command(flatten)]
    gate: GateArgs,
}

/// Runs the command.
pub(crate) fn run(args: &BaselineArgs) -> Result<Status, Error> {
    match &args.command {
        BaselineCommand::Write(args) => write(args),
        BaselineCommand::Update(args) => update(args),
        BaselineCommand::Show(args) => show(args),
    }
}

/// Parsed logs with their triage and verdict.
struct Evaluated {
    parsed: Parsed,
    triage: Triage,
    verdict: Verdict,
}

/// Reads and judges all logs.
fn read(logs: &LogArgs, settings: &Settings) -> Result<Evaluated, Error> {
    let logs = Logs::read(&logs.paths, &settings.formats, logs.reading()).complete()?;
    let repository = Repository::find(settings.own_sources.as_ref(), settings.project())?;
    let triage = leakgate_core::triage::triage(&logs.parsed, &settings.gate, &repository);
    let verdict =
        leakgate_core::verdict::judge(&logs.parsed, &triage, &logs.sources, &settings.gate);
    Ok(Evaluated {
        parsed: logs.parsed,
        triage,
        verdict,
    })
}

/// Fails if the logs don't prove a complete run, because a baseline would then miss findings.
fn ensure_complete(evaluated: &Evaluated) -> Result<(), Error> {
    let problem = evaluated
        .parsed
        .problems
        .iter()
        .find(|problem| problem.code.reason().is_some())
        .map(|problem| &problem.message);
    let silence = evaluated
        .verdict
        .reasons
        .iter()
        .find(|reason| reason.code == ReasonCode::NoEvidence)
        .map(|reason| &reason.message);
    match problem.or(silence) {
        None => Ok(()),
        Some(message) => Err(Error::Usage(format!(
            "refusing to write a baseline: the run is incomplete ({})",
            terminal(message)
        ))),
    }
}

/// Returns the configured path of the baseline, or the default one.
fn baseline_path(settings: &Settings) -> PathBuf {
    settings
        .baseline
        .clone()
        .unwrap_or_else(|| PathBuf::from(BASELINE))
}

fn write(args: &WriteArgs) -> Result<Status, Error> {
    let mut settings = Settings::load_with(&args.gate, false)?;
    let path = baseline_path(&settings);
    let name = display_path(&path);
    if path.exists() && !args.force {
        return Err(Error::with_help(
            format!("{name} already exists"),
            "run `leakgate baseline update` to update it, or pass --force to replace it",
        ));
    }
    settings.gate.baseline = None;
    let evaluated = read(&args.logs, &settings)?;
    ensure_complete(&evaluated)?;
    let baseline = Baseline::from_run(&evaluated.parsed, &evaluated.triage);
    output::file(&path, &baseline.to_text())?;
    let known = count_findings(baseline.entries.len());
    output::note(&format!("{name}: {known} recorded"));
    if settings.baseline.is_none() {
        output::note(&format!(
            "help: add `baseline = \"{name}\"` to `[files]` in leakgate.toml, or pass --baseline"
        ));
    }
    Ok(Status::Pass)
}

fn update(args: &UpdateArgs) -> Result<Status, Error> {
    let mut settings = Settings::load_with(&args.gate, true)?;
    let path = baseline_path(&settings);
    let old = match settings.gate.baseline.clone() {
        Some(baseline) => baseline,
        None => read_baseline(&path, None)?,
    };
    settings.gate.baseline = Some(old.clone());
    let evaluated = read(&args.logs, &settings)?;
    ensure_complete(&evaluated)?;
    let new = old.updated(&evaluated.parsed, &evaluated.triage, args.grow);
    output::file(&path, &new.to_text())?;
    output::note(&format!(
        "{}: {}",
        display_path(&path),
        describe_update(&old, &new, &evaluated)
    ));
    Ok(Status::Pass)
}

/// Describes an update, such as
/// `3 findings kept, 1 removed; 2 new or grown findings not added (use --grow)`.
fn describe_update(old: &Baseline, new: &Baseline, evaluated: &Evaluated) -> String {
    let comparison = evaluated.triage.baseline.as_ref();
    let removed = comparison.map_or(0, |comparison| comparison.fixed.len());
    let kept = old.entries.len().saturating_sub(removed);
    let mut text = format!("{} kept, {removed} removed", count_findings(kept));
    let added = new.entries.len().saturating_sub(kept);
    if added > 0 {
        text += &format!(", {added} added");
    }
    let all = old.updated(&evaluated.parsed, &evaluated.triage, true);
    let is_left_out = |entry: &&BaselineEntry| !new.entries.contains(entry);
    match all.entries.iter().filter(is_left_out).count() {
        0 => {}
        1 => text += "; 1 new or grown finding not added (use --grow)",
        n => text += &format!("; {n} new or grown findings not added (use --grow)"),
    }
    text
}

fn show(args: &ShowArgs) -> Result<Status, Error> {
    let settings = Settings::load_with(&args.gate, true)?;
    let baseline = match settings.gate.baseline.clone() {
        Some(baseline) => baseline,
        None => read_baseline(&baseline_path(&settings), None)?,
    };
    let mut out = String::new();
    for known in &baseline.entries {
        out += &format!("{} {}\n", known.fingerprint, terminal(&known.describe()));
        for frame in &known.frames {
            out += &format!("    {}\n", terminal(frame));
        }
    }
    out += &format!(
        "{} in the baseline\n",
        count_findings(baseline.entries.len())
    );
    output::stdout(&out)?;
    Ok(Status::Pass)
}

fn count_findings(n: usize) -> String {
    if n == 1 {
        "1 finding".to_owned()
    } else {
        format!("{n} findings")
    }
}
