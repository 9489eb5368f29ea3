//! The commands of Application Verifier around a run.

use std::process::Command;

use super::Invocation;
use crate::error::Error;
use crate::run::checker::Checker;
use crate::run::foreign::{self, AppVerifierCommands};

impl Invocation {
    /// Enables Application Verifier for the program before it starts.
    pub(super) fn enable_verifier(&self) -> Result<(), Error> {
        match self.verifier_commands() {
            Some(commands) => run_verifier(&commands.enable),
            None => Ok(()),
        }
    }

    /// Exports the log of Application Verifier and disables it.
    pub(super) fn export_verifier_log(&self) -> Result<(), Error> {
        let Some(commands) = self.verifier_commands() else {
            return Ok(());
        };
        run_verifier(&commands.export)?;
        run_verifier(&commands.disable)
    }

    /// Returns the commands that Application Verifier needs, or `None` for other checkers.
    fn verifier_commands(&self) -> Option<AppVerifierCommands> {
        if !self.checkers.contains(&Checker::Appverifier) {
            return None;
        }
        let program = self.argv.first().map_or("", String::as_str);
        let log_dir = self.logs.to_string_lossy();
        Some(foreign::appverifier_commands(program, &log_dir))
    }
}

/// Runs a command of Application Verifier.
fn run_verifier(command: &[String]) -> Result<(), Error> {
    let status = Command::new(&command[0]).args(&command[1..]).status();
    if status.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    Err(Error::Usage(format!(
        "cannot configure Application Verifier: `{}` failed",
        command.join(" ")
    )))
}
