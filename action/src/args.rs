//! The command line as given: the commands, and the options that several of them share. Each
//! command's own options stand in its file.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use leakgate_core::emit::{Format, Style};
use leakgate_core::{Date, Level, Silence};

use crate::{allow, baseline, diff, doctor, explain, init, merge, rules, run, suppress};

/// What leakgate was asked to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Read logs of memory checkers, show every finding, and pass or fail.
    ///
    /// Exit status: 0 pass, 1 fail, 2 not all of the work could be done.
    Check(Check),
    /// Start a command under memory checkers, miss no report, and go on as `check` does.
    ///
    /// Exit status: 0 pass, 1 fail (what nobody accepted, no proof, or a command that failed), 2
    /// not all of the work could be done.
    Run(run::RunArgs),
    #[command(hide = true)]
    Exec(run::Exec),
    /// Write leakgate.toml and a workflow of GitHub that suit this project; both are shown first.
    Init(init::Init),
    /// Accept a finding: add an entry to leakgate.toml.
    Allow(allow::Allow),
    /// Write what accepts findings, in the language of leakgate.toml, valgrind or LeakSanitizer.
    Suppress(suppress::Suppress),
    /// List every rule and what it matches, check rules without a log, convert between languages.
    Rules(rules::Rules),
    /// Write down what is there today, so that only what is new fails.
    Baseline(baseline::BaselineArgs),
    /// Compare two JSON documents: new, fixed, grown, moved.
    Diff(diff::Diff),
    /// Join the JSON documents of several runs into one with one verdict.
    Merge(merge::Merge),
    /// Tell what logs can't prove, and the command that would.
    Doctor(doctor::Doctor),
    /// Explain a kind of finding (`leakgate explain heap-use-after-free`), or a built-in pack.
    Explain(explain::Explain),
    /// The step of the GitHub Action: check, and show what was found on the pull request.
    ///
    /// It takes no arguments: action.yml hands over its inputs as variables of the environment
    /// (docs/action.md).
    Action,
    /// Report what the run of a fork has left as an artifact, from a workflow with `on:
    /// workflow_run` (docs/action.md).
    Publish,
}

/// Fails a build for a memory bug that nobody has accepted, and only for that.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Colours: when standard output is a terminal, always, or never.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: Colour,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Colour {
    Auto,
    Always,
    Never,
}

/// `check`
#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) logs: LogArgs,
    #[command(flatten)]
    pub(crate) documents: DocumentArgs,
    #[command(flatten)]
    pub(crate) gate: GateArgs,
    /// The JSON document of an earlier run, such as that of the base branch: text, markdown and
    /// HTML tell what is new, grown and fixed since then. It changes nothing about what fails.
    #[arg(long, value_name = "RUN.json")]
    pub(crate) base: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) symbols: SymbolArgs,
}

/// Where names of frames come from.
#[derive(Debug, Args)]
pub(crate) struct SymbolArgs {
    /// Name frames that have nothing but a module and an offset (a sanitizer found no
    /// llvm-symbolizer), from the modules on this machine that have the build ids of the log.
    #[arg(long)]
    pub(crate) symbolize: bool,
    /// Where separate debug information lies, beside /usr/lib/debug and the modules. May be given
    /// often.
    #[arg(long, value_name = "DIR", requires = "symbolize")]
    pub(crate) debug_file_directory: Vec<PathBuf>,
}

/// What to read.
#[derive(Debug, Args)]
pub(crate) struct LogArgs {
    /// Log files, directories, patterns such as 'logs/**/*.log', or - for standard input.
    /// gzip and zip files (GitHub's log archives) are unpacked.
    #[arg(value_name = "PATH", required = true)]
    pub(crate) names: Vec<OsString>,
}

/// What to write.
#[derive(Debug, Args)]
pub(crate) struct DocumentArgs {
    /// The document to write: text, json, html, sarif, markdown, junit, annotations (of GitHub
    /// Actions), gitlab (Code Quality) or folded (stacks of leaks), to standard output or,
    /// with =FILE, to a file. May be given often.
    #[arg(long, value_name = "FORMAT[=FILE]", value_parser = document)]
    pub(crate) format: Vec<Document>,
    /// Show accepted findings in SARIF, marked as such, and in folded stacks. GitHub would show
    /// them as open alerts.
    #[arg(long)]
    pub(crate) show_accepted: bool,
    /// The most characters of a markdown document.
    #[arg(long, value_name = "NUMBER", default_value_t = Style::BUDGET, value_parser = budget)]
    pub(crate) max_characters: usize,
    /// What tells a SARIF document from others about the same commit: one for each leg of a
    /// matrix.
    #[arg(long, value_name = "NAME", default_value = Style::CATEGORY)]
    pub(crate) category: String,
}

/// What logs are held against; what is given here goes before what leakgate.toml says.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Rules and policy")]
pub(crate) struct GateArgs {
    /// The configuration; without it, leakgate.toml in this directory or above, up to the root of
    /// the repository.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Look for no configuration.
    #[arg(long, conflicts_with = "config")]
    pub(crate) no_config: bool,
    /// A suppression file of valgrind or a sanitizer, beside those of the configuration. May be
    /// given often.
    #[arg(long, value_name = "FILE")]
    pub(crate) suppressions: Vec<PathBuf>,
    /// A built-in pack, beside those of the configuration (`leakgate explain pack` lists them).
    /// May be given often.
    #[arg(long, value_name = "NAME")]
    pub(crate) pack: Vec<String>,
    /// The baseline, instead of that of the configuration.
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// Use no baseline.
    #[arg(long, conflicts_with = "baseline")]
    pub(crate) no_baseline: bool,
    /// Kinds of findings to fail on: errors, leaks, leak-definite, …
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    pub(crate) fail_on: Vec<String>,
    /// Tools of which a complete report is needed to pass.
    #[arg(long, value_name = "TOOL", value_delimiter = ',')]
    pub(crate) require: Vec<String>,
    /// What a log without any checker output means. Sanitizers say nothing about a clean run, nor
    /// about one that never was.
    #[arg(long, value_name = "MEANING")]
    pub(crate) silence: Option<RawSilence>,
    /// Rules that match nothing although their tool ran.
    #[arg(long, value_name = "LEVEL")]
    pub(crate) unused_rules: Option<RawLevel>,
    /// Findings without a frame of yours.
    #[arg(long, value_name = "LEVEL")]
    pub(crate) third_party: Option<RawLevel>,
    /// What the checker's own suppressions hid.
    #[arg(long, value_name = "LEVEL")]
    pub(crate) tool_suppressed: Option<RawLevel>,
    /// The day by which rules expire, instead of today (UTC).
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) today: Option<Date>,
}

/// What a log without any checker output means.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum RawSilence {
    /// No proof, so the gate fails.
    Fail,
    /// What a clean run looks like.
    Pass,
}

impl From<RawSilence> for Silence {
    fn from(raw: RawSilence) -> Self {
        match raw {
            RawSilence::Fail => Self::Fail,
            RawSilence::Pass => Self::Pass,
        }
    }
}

/// How much something matters.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum RawLevel {
    /// Not at all.
    Allow,
    /// It is said.
    Warn,
    /// It fails.
    Fail,
}

impl From<RawLevel> for Level {
    fn from(raw: RawLevel) -> Self {
        match raw {
            RawLevel::Allow => Self::Allow,
            RawLevel::Warn => Self::Warn,
            RawLevel::Fail => Self::Fail,
        }
    }
}

/// A document and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Document {
    /// Its format.
    pub(crate) format: Format,
    /// A file, or standard output.
    pub(crate) file: Option<PathBuf>,
}

impl DocumentArgs {
    /// The documents; text goes to standard output unless another document does.
    pub(crate) fn resolve(&self) -> Vec<Document> {
        let mut documents = self.format.clone();
        if documents.iter().all(|d| d.file.is_some()) {
            documents.insert(
                0,
                Document {
                    format: Format::Text,
                    file: None,
                },
            );
        }
        documents
    }

    /// How they are laid out.
    pub(crate) fn style(&self) -> Style<'_> {
        Style {
            colour: false,
            width: None,
            accepted: self.show_accepted,
            budget: self.max_characters,
            category: &self.category,
            suppress: Some(leakgate_core::suppress),
        }
    }

    fn is_ambiguous(&self) -> bool {
        self.format.iter().filter(|d| d.file.is_none()).count() > 1
    }
}

/// Reads the command line; ends the process where it is wrong or asks for help.
pub(crate) fn parse() -> Command {
    let cli = Cli::parse();
    match cli.color {
        Colour::Auto => {}
        Colour::Always => anstream::ColorChoice::Always.write_global(),
        Colour::Never => anstream::ColorChoice::Never.write_global(),
    }
    let documents = match &cli.command {
        Command::Check(check) => Some(&check.documents),
        Command::Run(run) => Some(&run.documents),
        Command::Merge(merge) => Some(&merge.documents),
        _ => None,
    };
    if documents.is_some_and(DocumentArgs::is_ambiguous) {
        let text = "only one document can go to standard output; give the others a file, as in `--format json=FILE`";
        Cli::command()
            .error(ErrorKind::ArgumentConflict, text)
            .exit();
    }
    cli.command
}

fn document(text: &str) -> Result<Document, String> {
    let (name, file) = text
        .split_once('=')
        .map_or((text, None), |(name, file)| (name, Some(file)));
    let format = Format::named(name)?;
    match file {
        Some("") => Err(format!("a file name belongs after `{name}=`")),
        file => Ok(Document {
            format,
            file: file.map(PathBuf::from),
        }),
    }
}

/// Less would not hold the verdict.
fn budget(text: &str) -> Result<usize, String> {
    let number: usize = text.parse().map_err(|_| format!("`{text}` is no number"))?;
    if number < Style::LEAST {
        Err(format!(
            "a document needs {} characters at least",
            Style::LEAST
        ))
    } else {
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn documents_name_their_format_and_file() {
        assert_eq!(
            document("json"),
            Ok(Document {
                format: Format::Json,
                file: None
            })
        );
        assert_eq!(
            document("json=a=b"),
            Ok(Document {
                format: Format::Json,
                file: Some("a=b".into())
            })
        );
        assert!(document("jsn").unwrap_err().contains("text, json"));
        assert!(document("json=").is_err());
    }

    #[test]
    fn text_goes_to_standard_output_unless_another_document_does() {
        let of = |args: &[&str]| match Cli::parse_from([&["leakgate", "check", "x"], args].concat())
            .command
        {
            Command::Check(check) => check.documents.resolve().len(),
            _ => 0,
        };
        assert_eq!(of(&[]), 1);
        assert_eq!(of(&["--format", "json"]), 1);
        assert_eq!(of(&["--format", "json=f"]), 2);
    }
}
