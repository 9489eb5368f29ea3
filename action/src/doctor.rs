//! `leakgate doctor`: shows what is missing from a log, and the command that would report it.

use clap::Args;
use leakgate_core::Parsed;
use leakgate_core::doctor::{Diagnosis, commands, diagnose};
use leakgate_core::emit::{terminal, unbroken};

use crate::args::{GateArgs, LogArgs};
use crate::error::{Error, Status};
use crate::ingest::Logs;
use crate::output;
use crate::settings::Settings;
use crate::workspace::Repository;

/// Options of `leakgate doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    logs: LogArgs,
    #[command(flatten)]
    gate: GateArgs,
}

/// Runs the command.
pub(crate) fn run(args: &DoctorArgs) -> Result<Status, Error> {
    let settings = Settings::load_with(&args.gate, false)?;
    let logs = Logs::read(&args.logs.paths, &settings.formats, args.logs.reading()).complete()?;
    let repository = Repository::find(settings.own_sources.as_ref(), settings.project())?;
    let triage = leakgate_core::triage::triage(&logs.parsed, &settings.gate, &repository);
    let all = diagnose(&logs.parsed, &triage);
    let mut out = String::new();
    for diagnosis in &all {
        out += &describe(diagnosis, &logs.parsed);
    }
    let commands = commands(&all, &logs.parsed);
    if !commands.is_empty() {
        out += "To see more, run\n";
    }
    for command in &commands {
        out += &format!("    {}\n", unbroken(&terminal(command)));
    }
    if all.is_empty() {
        out += "nothing to improve was found in these logs\n";
    }
    output::stdout_wrapped(&out)?;
    Ok(Status::Pass)
}

/// Returns the text for one diagnosis, with an empty line at its end.
fn describe(diagnosis: &Diagnosis, parsed: &Parsed) -> String {
    let input = parsed
        .inputs
        .get(diagnosis.place.0)
        .map(leakgate_core::model::Input::display_name)
        .unwrap_or_default();
    let line = match diagnosis.place.1 {
        0 => String::new(),
        line => format!(":{line}"),
    };
    let tool = diagnosis
        .tool
        .as_ref()
        .map_or(String::new(), |tool| format!("{tool}: "));
    let mut out = format!(
        "{}  {}{}\n  --> {}{line}\n",
        diagnosis.code,
        terminal(&tool),
        terminal(&diagnosis.what),
        unbroken(&terminal(&input))
    );
    if !diagnosis.options.is_empty() {
        out += &format!("  try {}\n", diagnosis.options.join(" "));
    }
    if let Some(advice) = diagnosis.advice {
        out += &format!("  {advice}\n");
    }
    out + "\n"
}
