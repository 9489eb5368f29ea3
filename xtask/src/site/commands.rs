//! The options of all commands, as `--help` prints them.

use std::path::Path;
use std::process::Command;

use crate::Outcome;

/// Returns the help of the program and of each of its commands.
pub(super) fn page(program: &Path) -> Outcome<String> {
    let mut page = String::from(
        "This page shows the output of `leakgate --help` and of `--help` for each command.\n\
         The [guides](../index.md) describe the same options with examples.\n",
    );
    append(program, &[], &mut page)?;
    Ok(page)
}

/// Appends the help of a command, and of the commands below it.
fn append(program: &Path, command: &[&str], page: &mut String) -> Outcome {
    let help = help(program, command)?;
    let name = [&["leakgate"], command].concat().join(" ");
    let level = "#".repeat(command.len() + 2);
    *page += &format!("\n{level} `{name}`\n\n```text\n{}\n```\n", help.trim_end());
    for subcommand in subcommands(&help) {
        append(program, &[command, &[subcommand]].concat(), page)?;
    }
    Ok(())
}

fn help(program: &Path, command: &[&str]) -> Outcome<String> {
    let output = Command::new(program)
        .args(command)
        .arg("--help")
        .env("COLUMNS", "100")
        .env("NO_COLOR", "1")
        .output()?;
    if !output.status.success() {
        return Err(format!("leakgate {command:?} --help ended with {}", output.status).into());
    }
    let help = String::from_utf8(output.stdout)?;
    // Lines between options may have spaces.
    Ok(help
        .lines()
        .map(|line| line.trim_end().to_owned() + "\n")
        .collect())
}

/// Returns the commands that a help text lists, without `help` itself.
fn subcommands(help: &str) -> impl Iterator<Item = &str> {
    help.lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_those_that_help_lists() {
        let help = "Usage: a\n\nCommands:\n  check  Check\n           more\n  run    Run\n  help   Help\n\nOptions:\n  -h\n";
        assert_eq!(subcommands(help).collect::<Vec<_>>(), ["check", "run"]);
    }
}
