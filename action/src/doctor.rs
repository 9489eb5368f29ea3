//! `leakgate doctor`: what a log can't prove, and the command that would.

use clap::Args;
use leakgate_core::doctor::{Doubt, commands, doubts};
use leakgate_core::emit::terminal;
use leakgate_core::{Gate, Parsed, Policy};

use crate::args::LogArgs;
use crate::error::{Error, Status};
use crate::logs::Logs;
use crate::output;
use crate::settings::today;
use crate::workspace::Repository;

/// Tell what logs can't prove or don't show (leaks that are not shown, stacks that are cut, names
/// that are missing), and the command that would. Exit status: 0, or 2 when a log can't be read.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    logs: LogArgs,
}

/// Runs the command.
pub(crate) fn run(args: &Doctor) -> Result<Status, Error> {
    let logs = Logs::read(&args.logs.names, &[]).complete()?;
    let repository = Repository::find(None)?;
    let triage = leakgate_core::triage(
        &logs.parsed,
        &Gate::new(Policy::default(), today()),
        &repository,
    );
    let all = doubts(&logs.parsed, &triage);
    let mut out: String = all.iter().map(|doubt| told(doubt, &logs.parsed)).collect();
    let commands = commands(&all, &logs.parsed);
    if !commands.is_empty() {
        out += "To see more, run\n";
        commands
            .iter()
            .for_each(|command| out += &format!("    {}\n", terminal(command)));
    }
    if all.is_empty() {
        out += "These logs are whole, and every stack in them has its names.\n";
    }
    output::stdout(&out)?;
    Ok(Status::Pass)
}

fn told(doubt: &Doubt, parsed: &Parsed) -> String {
    let name = parsed
        .inputs
        .get(doubt.place.0)
        .map(leakgate_core::Input::shown)
        .unwrap_or_default();
    let line = if doubt.place.1 > 0 {
        format!(":{}", doubt.place.1)
    } else {
        String::new()
    };
    let tool = doubt
        .tool
        .as_ref()
        .map_or(String::new(), |tool| format!("{tool}: "));
    let mut out = format!(
        "{}  {}{}\n  --> {}{line}\n",
        doubt.code,
        terminal(&tool),
        terminal(&doubt.what),
        terminal(&name)
    );
    if !doubt.options.is_empty() {
        out += &format!("  try {}\n", doubt.options.join(" "));
    }
    if let Some(advice) = doubt.advice {
        out += &format!("  {advice}\n");
    }
    out + "\n"
}
