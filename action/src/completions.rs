//! `leakgate completions`: prints a script with which a shell completes leakgate's command line.

use clap::{Args, Command};
use clap_complete::{Shell, generate};

use crate::error::{Error, Status};
use crate::output;

/// Options of `leakgate completions`.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell that reads the script.
    shell: Shell,
}

/// Runs the command.
pub(crate) fn run(args: &CompletionsArgs, cli: &Command) -> Result<Status, Error> {
    let mut script = Vec::new();
    generate(args.shell, &mut visible(cli), "leakgate", &mut script);
    output::stdout(&String::from_utf8_lossy(&script))?;
    Ok(Status::Pass)
}

/// Returns the command line without hidden commands, which the scripts would complete.
fn visible(cli: &Command) -> Command {
    let commands = cli
        .get_subcommands()
        .filter(|command| !command.is_hide_set());
    Command::new("leakgate")
        .version(env!("CARGO_PKG_VERSION"))
        .args(cli.get_arguments())
        .subcommands(commands)
}
