//! `leakgate baseline`: write down what is there, so that only what is new or grown fails.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use leakgate_core::emit::terminal;
use leakgate_core::{Baseline, Parsed, Triage, Verdict};

use crate::args::{GateArgs, LogArgs};
use crate::error::{Error, Status};
use crate::logs::Logs;
use crate::output;
use crate::settings::{BASELINE, Settings, shown};
use crate::workspace::Repository;

/// `baseline`
#[derive(Debug, Args)]
pub(crate) struct BaselineArgs {
    #[command(subcommand)]
    command: BaselineCommand,
}

#[derive(Debug, Subcommand)]
enum BaselineCommand {
    /// Write a new baseline: everything that the gate looks at and no rule accepts.
    Write(Write),
    /// Take out what is fixed, and lower what has shrunk. It never grows unless --grow is given.
    Update(Update),
    /// List what the baseline knows.
    Show(Show),
}

#[derive(Debug, Args)]
struct Write {
    #[command(flatten)]
    logs: LogArgs,
    /// Replace a baseline that is there.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    gate: GateArgs,
}

#[derive(Debug, Args)]
struct Update {
    #[command(flatten)]
    logs: LogArgs,
    /// Also add what is new or has grown.
    #[arg(long)]
    grow: bool,
    #[command(flatten)]
    gate: GateArgs,
}

#[derive(Debug, Args)]
struct Show {
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

struct Ran {
    parsed: Parsed,
    triage: Triage,
    verdict: Verdict,
}

/// Reads all logs; of a run that proves nothing no baseline can be made.
fn read(logs: &LogArgs, settings: &Settings) -> Result<Ran, Error> {
    let logs = Logs::read(&logs.names, &settings.formats).complete()?;
    let repository = Repository::find(settings.own.as_ref())?;
    let triage = leakgate_core::triage(&logs.parsed, &settings.gate, &repository);
    let verdict = leakgate_core::judge(&logs.parsed, &triage, &logs.sources, &settings.gate);
    Ok(Ran {
        parsed: logs.parsed,
        triage,
        verdict,
    })
}

/// Why a run can't be trusted: a log that is cut would make a baseline that knows too little.
fn untrusted(ran: &Ran) -> Result<(), Error> {
    let fatal = ran
        .parsed
        .problems
        .iter()
        .find(|p| p.code.reason().is_some());
    let silent = ran
        .verdict
        .reasons
        .iter()
        .find(|r| r.code == leakgate_core::ReasonCode::NoEvidence);
    let why = fatal.map(|p| &p.message).or(silent.map(|r| &r.message));
    match why {
        None => Ok(()),
        Some(why) => Err(Error::Usage(format!(
            "no baseline of a run that proves nothing: {}",
            terminal(why)
        ))),
    }
}

fn path(settings: &Settings) -> PathBuf {
    settings
        .baseline
        .clone()
        .unwrap_or_else(|| PathBuf::from(BASELINE))
}

fn write(args: &Write) -> Result<Status, Error> {
    let mut settings = Settings::load_with(&args.gate, false)?;
    let path = path(&settings);
    if path.exists() && !args.force {
        let what = format!(
            "{} is there already; `leakgate baseline update` changes it, --force replaces it",
            shown(&path)
        );
        return Err(Error::Usage(what));
    }
    settings.gate.baseline = None;
    let ran = read(&args.logs, &settings)?;
    untrusted(&ran)?;
    let baseline = Baseline::of(&ran.parsed, &ran.triage);
    output::file(&path, &baseline.to_text())?;
    output::note(&format!(
        "{}: {} known",
        shown(&path),
        findings(baseline.known.len())
    ));
    if settings.baseline.is_none() {
        output::note(&format!(
            "name it in leakgate.toml, `[files] baseline = \"{}\"`, or by --baseline",
            shown(&path)
        ));
    }
    Ok(Status::Pass)
}

fn update(args: &Update) -> Result<Status, Error> {
    let mut settings = Settings::load_with(&args.gate, true)?;
    let path = path(&settings);
    if settings.gate.baseline.is_none() {
        settings.gate.baseline = Some(load(&path)?);
    }
    let Some(old) = settings.gate.baseline.clone() else {
        return Ok(Status::Pass);
    };
    let ran = read(&args.logs, &settings)?;
    untrusted(&ran)?;
    let new = old.updated(&ran.parsed, &ran.triage, args.grow);
    output::file(&path, &new.to_text())?;
    let fixed = ran.triage.baseline.as_ref().map_or(0, |c| c.fixed.len());
    output::note(&format!(
        "{}: {} known, {} fixed",
        shown(&path),
        findings(new.known.len()),
        fixed
    ));
    Ok(Status::Pass)
}

fn load(path: &std::path::Path) -> Result<Baseline, Error> {
    let text = crate::settings::read_text(path)?;
    Baseline::read(&shown(path), &text).map_err(Error::Mistake)
}

fn show(args: &Show) -> Result<Status, Error> {
    let settings = Settings::load_with(&args.gate, true)?;
    let baseline = match settings.gate.baseline.clone() {
        Some(baseline) => baseline,
        None => load(&path(&settings))?,
    };
    let mut out = String::new();
    for known in &baseline.known {
        out += &format!("{} {}\n", known.fingerprint, terminal(&known.describe()));
        for frame in &known.frames {
            out += &format!("    {}\n", terminal(frame));
        }
    }
    out += &format!("{} known\n", findings(baseline.known.len()));
    output::stdout(&out)?;
    Ok(Status::Pass)
}

fn findings(n: usize) -> String {
    if n == 1 {
        "1 finding".to_owned()
    } else {
        format!("{n} findings")
    }
}
