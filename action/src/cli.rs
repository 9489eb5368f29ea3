//! The command line: global options and subcommands. Each command defines its own options in its
//! own file; `args.rs` has the option groups that several commands share.

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use leakgate_core::emit::terminal;

use crate::args::ReportArgs;
use crate::{
    allow, baseline, check, completions, diff, doctor, explain, grow, init, man, merge, rules, run,
    suppress,
};

/// A subcommand with its options.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check the logs of memory checkers, report every finding, and pass or fail.
    ///
    /// Exit status: 0: pass; 1: fail; 2: usage error or unreadable input.
    Check(check::CheckArgs),
    /// Run a command under memory checkers and check every report they produce.
    ///
    /// Exit status: 0: pass; 1: fail (an unexpected finding, a missing report, or the command
    /// failed); 2: usage error or unreadable input, or the command could not be started.
    Run(run::RunArgs),
    #[command(hide = true)]
    Exec(run::Exec),
    /// Generate a leakgate.toml and a workflow or pipeline for this project (previewed first).
    ///
    /// Exit status: 0: success, even if nothing was written; 2: usage error, or a file could not be
    /// written.
    Init(init::Init),
    /// Accept a finding by adding a rule to leakgate.toml.
    ///
    /// The rule matches only this finding, or with --function or --site all unexpected findings of
    /// this function or line. Comments and the order of existing rules are preserved.
    ///
    /// Exit status: 0: the rule was added; 2: usage error or unreadable input, or the rule could
    /// not be added.
    Allow(allow::AllowArgs),
    /// Generate suppressions as leakgate.toml rules or in valgrind or LeakSanitizer syntax.
    ///
    /// Prints suppressions for all unexpected findings, or for the given ones. Each suppression is
    /// verified against the logs: it accepts exactly the findings that share a fingerprint.
    ///
    /// Exit status: 0: all findings are suppressed; 1: a finding cannot be expressed in the format;
    /// 2: usage error or unreadable input.
    Suppress(suppress::SuppressArgs),
    /// List, validate and convert rules.
    ///
    /// Reports rules that have expired, are duplicates, or no longer match their witness (the stack
    /// they were written for). With logs, also shows what each rule matches.
    ///
    /// Exit status: 0: pass; 1: a rule has expired or no longer matches its witness; 2: usage error
    /// or unreadable input.
    Rules(rules::RulesArgs),
    /// Record current findings so that only new ones fail.
    ///
    /// Exit status: 0: success; 2: usage error or unreadable input, or an incomplete run.
    Baseline(baseline::BaselineArgs),
    /// Compare two JSON reports: new, fixed, grown and moved findings.
    ///
    /// Exit status: 0: pass; 1: findings are new or have grown; 2: usage error or unreadable input.
    Diff(diff::DiffArgs),
    /// Merge the JSON reports of several runs into one report with one verdict.
    ///
    /// Use this for test shards and matrix jobs. All findings are matched against the rules again,
    /// so a rule is unused only if no run used it. Each run is named after its file.
    ///
    /// Exit status: 0: pass; 1: fail; 2: usage error or unreadable input.
    Merge(merge::MergeArgs),
    /// Find memory and descriptors that grow with the work that a program does.
    ///
    /// Compares several runs of one program, each with more steps of work, such as requests. Lists
    /// each place that allocates memory with its growth per step, even if a pointer to the memory
    /// remains.
    ///
    /// Exit status: 0: nothing grows unless a rule accepts it; 1: something grows; 2: usage error,
    /// an unreadable or incomplete run, or the command failed.
    Grow(grow::GrowArgs),
    /// Show what is missing from a log, and the command that would report it.
    ///
    /// For example: leaks that were counted but not listed, truncated stacks, missing symbols.
    ///
    /// Exit status: 0: all logs were read; 2: usage error or unreadable input.
    Doctor(doctor::DoctorArgs),
    /// Explain a kind of finding (`leakgate explain heap-use-after-free`), a code of a verdict or
    /// problem (`leakgate explain no-evidence`), or a built-in pack.
    ///
    /// Exit status: 0: success; 2: usage error, or an unknown name.
    Explain(explain::ExplainArgs),
    /// Run the GitHub Action's step: check, and report on the pull request.
    ///
    /// Takes no arguments: action.yml passes its inputs in environment variables. See
    /// <https://github.com/leakgate/leakgate/blob/main/docs/action.md>.
    ///
    /// Exit status: 0: pass; 1: fail; 2: invalid or unreadable input.
    Action,
    /// Publish the results of a fork's pull request (run from a `workflow_run` workflow).
    ///
    /// Reads the artifact that the fork's run uploaded. See
    /// <https://github.com/leakgate/leakgate/blob/main/docs/action.md>.
    ///
    /// Exit status: 0: success, even if a result could not be reported; 2: invalid input.
    Publish,
    /// Print a script that completes commands, options and their values in a shell.
    ///
    /// Packages for Debian and Homebrew install these scripts. For bash, for example:
    /// `leakgate completions bash > ~/.local/share/bash-completion/completions/leakgate`
    ///
    /// Exit status: 0: success; 2: usage error.
    Completions(completions::CompletionsArgs),
    #[command(hide = true)]
    Man(man::ManArgs),
}

impl Command {
    /// Returns the report options of commands that write reports.
    fn reports(&self) -> Option<&ReportArgs> {
        match self {
            Self::Check(args) => Some(&args.reports),
            #[cfg(not(target_os = "wasi"))]
            Self::Run(args) => Some(&args.reports),
            Self::Merge(args) => Some(&args.reports),
            _ => None,
        }
    }

    /// Returns the name of a command that writes reports.
    fn name(&self) -> &'static str {
        match self {
            Self::Run(_) => "run",
            Self::Merge(_) => "merge",
            _ => "check",
        }
    }
}

/// Fail a build for memory bugs that no rule or baseline accepts, and for incomplete evidence.
///
/// Exit status: 0: pass; 1: fail; 2: usage error or unreadable input.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true, max_term_width = 100)]
#[cfg_attr(target_os = "wasi", command(after_help = crate::wasi::DIFFERENCES))]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// When to use colors in the output.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,
}

/// When to use colors.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum ColorChoice {
    /// Use colors if the output is a terminal.
    Auto,
    /// Always use colors.
    Always,
    /// Never use colors.
    Never,
}

/// Returns the command line with all commands and options, for manual pages and completions.
pub(crate) fn command() -> clap::Command {
    Cli::command()
}

/// Parses the command line. Prints a message and exits if it is invalid or asks for help.
pub(crate) fn parse() -> Command {
    let cli = Cli::try_parse().unwrap_or_else(|error| exit(&error));
    match cli.color {
        ColorChoice::Auto => {}
        ColorChoice::Always => anstream::ColorChoice::Always.write_global(),
        ColorChoice::Never => anstream::ColorChoice::Never.write_global(),
    }
    if cli.command.reports().is_some_and(ReportArgs::is_ambiguous) {
        let message = "only one report can be written to standard output; \
             write the others to files, as in `--format json=FILE`";
        let mut root = Cli::command();
        root.build();
        let subcommand = root.find_subcommand_mut(cli.command.name());
        let error = match subcommand {
            Some(subcommand) => subcommand.error(ErrorKind::ArgumentConflict, message),
            None => Cli::command().error(ErrorKind::ArgumentConflict, message),
        };
        exit(&error);
    }
    cli.command
}

/// Prints help, the version, or an error, and exits. An error echoes arguments, which may come from
/// a pull request, so they are escaped.
#[expect(
    clippy::exit,
    clippy::print_stderr,
    reason = "clap ends the process in the same way"
)]
fn exit(error: &clap::Error) -> ! {
    let is_plain = |argument: std::ffi::OsString| {
        let text = argument.to_string_lossy();
        terminal(&text) == text
    };
    if !error.use_stderr() || std::env::args_os().all(is_plain) {
        error.exit();
    }
    eprint!("{}", escape(&error.render().to_string()));
    std::process::exit(error.exit_code());
}

/// Escapes each line of a message.
fn escape(message: &str) -> String {
    message
        .split_inclusive('\n')
        .map(|line| match line.strip_suffix('\n') {
            Some(line) => format!("{}\n", terminal(line)),
            None => terminal(line).into_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn errors_echo_arguments_escaped() {
        for argument in [
            "--a\u{1b}[2Jb",
            "--a\n::error::b",
            "--a\u{202e}b",
            "--a##vso[task.b]",
        ] {
            let error = Cli::try_parse_from(["leakgate", "check", argument]).unwrap_err();
            let message = escape(&error.render().to_string());
            let is_safe = |line: &str| !line.starts_with("::") && terminal(line) == line;
            assert!(message.lines().all(is_safe), "{message}");
        }
        let help = Cli::try_parse_from(["leakgate", "--help"]).unwrap_err();
        assert_eq!(escape(&help.to_string()), help.to_string());
    }

    #[test]
    fn text_report_goes_to_stdout_unless_another_report_does() {
        let report_count = |args: &[&str]| {
            let command = Cli::parse_from([&["leakgate", "check", "x"], args].concat()).command;
            command.reports().map(|reports| reports.targets().len())
        };
        assert_eq!(report_count(&[]), Some(1));
        assert_eq!(report_count(&["--format", "json"]), Some(1));
        assert_eq!(report_count(&["--format", "json=f"]), Some(2));
    }
}
