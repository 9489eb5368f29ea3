//! Application Verifier, which is enabled for the name of a program around its run.
//!
//! Source: the manual of Application Verifier, on its command line.

use std::fmt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::Invocation;
use crate::error::Error;
use crate::output;
use crate::run::checker::Checker;
use crate::run::harness::shell_join;
use crate::run::launch::Machine;

const CHECKS: &[&str] = &["Heaps", "Handles", "Locks", "Memory", "Leak"];

/// A command of Application Verifier: its path and its arguments.
#[derive(Debug, PartialEq, Eq)]
struct VerifierCommand(Vec<String>);

/// The commands that run before and after a program.
#[derive(Debug)]
pub(super) struct Commands {
    /// File name of the program.
    program: String,
    /// Enables the checks for the name of the program.
    enable: VerifierCommand,
    /// Writes the log of the last process with this name.
    export: VerifierCommand,
    /// Disables the checks again.
    disable: VerifierCommand,
}

impl Invocation {
    /// Returns the commands of Application Verifier, or `None` for other checkers.
    ///
    /// # Errors
    /// The file of the program isn't one that Application Verifier checks.
    pub(super) fn verifier_commands(
        &self,
        machine: &dyn Machine,
    ) -> Result<Option<Commands>, Error> {
        if !self.checkers.contains(&Checker::Appverifier) {
            return Ok(None);
        }
        let argument = self.argv.first().map_or("", String::as_str);
        let find = |name: &str| machine.find_program(name).unwrap_or_else(|| name.into());
        let program = find(argument);
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        if !name.to_lowercase().ends_with(std::env::consts::EXE_SUFFIX) {
            return Err(Error::with_help(
                format!("cannot check `{argument}` with Application Verifier: it isn't a program"),
                "run an .exe file that contains the tests",
            ));
        }
        Ok(Some(Commands::new(&find("appverif"), &name, &self.logs)))
    }
}

impl Commands {
    fn new(tool: &Path, program: &str, logs: &Path) -> Self {
        let command = |arguments: &[&[&str]]| {
            let tool = tool.to_string_lossy().into_owned();
            let arguments = arguments.concat().into_iter().map(str::to_owned);
            VerifierCommand(std::iter::once(tool).chain(arguments).collect())
        };
        let target = format!("To={}", logs.join(format!("{program}.xml")).display());
        Self {
            program: program.to_owned(),
            enable: command(&[&["-enable"], CHECKS, &["-for", program]]),
            export: command(&[&["-export", "log", "-for", program, "-with", &target]]),
            disable: command(&[&["-disable", "*", "-for", program]]),
        }
    }

    /// Enables the checks until the returned value is dropped.
    ///
    /// # Errors
    /// Application Verifier can't be started, or it fails.
    pub(super) fn enable(self) -> Result<Enabled, Error> {
        self.enable.run().map_err(|cause| {
            Error::with_help(
                format!(
                    "cannot enable Application Verifier for {}: {cause}",
                    self.program
                ),
                "run leakgate as an administrator",
            )
        })?;
        Ok(Enabled(self))
    }
}

/// Shows the commands as comments for a dry run.
impl fmt::Display for Commands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# before: {}", self.enable)?;
        writeln!(f, "# after: {}", self.export)?;
        writeln!(f, "# after: {}", self.disable)
    }
}

/// The checks of Application Verifier, which are enabled until this value is dropped. They would
/// otherwise apply to every later process with this name.
pub(super) struct Enabled(Commands);

impl Enabled {
    /// Writes the log. Returns a message if that fails.
    pub(super) fn export(&self) -> Option<String> {
        let cause = self.0.export.run().err()?;
        Some(format!(
            "cannot export the log of Application Verifier for {}: {cause}",
            self.0.program
        ))
    }
}

impl Drop for Enabled {
    fn drop(&mut self) {
        if let Err(cause) = self.0.disable.run() {
            output::note(&format!(
                "warning: cannot disable Application Verifier for {}: {cause}; it stays enabled \
                 until `{}` succeeds",
                self.0.program, self.0.disable
            ));
        }
    }
}

impl VerifierCommand {
    /// Runs the command. Its output isn't shown, because a report may go to standard output.
    ///
    /// # Errors
    /// Returns the cause with the last line of the output.
    fn run(&self) -> Result<(), String> {
        let Some((tool, arguments)) = self.0.split_first() else {
            return Ok(());
        };
        let output = Command::new(tool)
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("cannot start {tool}: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        let last_line = text.lines().map(str::trim).rfind(|line| !line.is_empty());
        let cause = format!("`{self}` failed ({})", output.status);
        Err(match last_line {
            Some(line) => format!("{cause}: {line}"),
            None => cause,
        })
    }
}

impl fmt::Display for VerifierCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = "appverif".to_owned();
        let arguments = self.0.iter().skip(1).cloned();
        let words: Vec<String> = std::iter::once(name).chain(arguments).collect();
        f.write_str(&shell_join(&words).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_follow_the_manual() {
        let commands = Commands::new(Path::new("/sdk/appverif"), "app.exe", Path::new("/l o/g"));
        assert_eq!(commands.enable.0[0], "/sdk/appverif");
        let log = Path::new("/l o/g").join("app.exe.xml");
        assert_eq!(
            commands.to_string(),
            format!(
                "# before: appverif -enable Heaps Handles Locks Memory Leak -for app.exe\n\
                 # after: appverif -export log -for app.exe -with '{}'\n\
                 # after: appverif -disable '*' -for app.exe\n",
                format_args!("To={}", log.display())
            )
        );
    }
}
