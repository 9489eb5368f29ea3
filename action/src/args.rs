//! Option groups that several commands share.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{
    PossibleValue, PossibleValuesParser, StringValueParser, TypedValueParser, ValueHint,
};
use clap::{Args, ValueEnum};
use leakgate_core::Date;
use leakgate_core::emit::{Format, RenderOptions};
use leakgate_core::error::UnknownName;
use leakgate_core::policy::{Level, Silence};
use leakgate_core::suppress::RuleSyntax;

use crate::suggest::{self, Suggesting};

/// The logs to read.
#[derive(Debug, Args)]
pub(crate) struct LogArgs {
    /// Log files, directories, globs such as 'logs/**/*.log', or - for standard input. gzip and
    /// zip files, such as GitHub's log archives, are unpacked.
    #[arg(value_name = "PATH", required = true, value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<OsString>,
    /// Accept a glob, a directory or an archive without any file. By default, that is an error.
    /// Sanitizers with `log_path` write no file on success.
    #[arg(long)]
    pub(crate) allow_no_logs: bool,
    #[command(flatten)]
    pub(crate) jobs: JobArgs,
}

impl LogArgs {
    /// Returns how the logs are read.
    pub(crate) fn reading(&self) -> Reading {
        Reading {
            no_logs: NoLogs::allowed_if(self.allow_no_logs),
            jobs: self.jobs,
        }
    }
}

/// The number of threads.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct JobArgs {
    /// Maximum number of threads that read files. The result doesn't depend on it. Defaults to the
    /// number of available processor cores.
    #[arg(long, value_name = "NUMBER")]
    jobs: Option<NonZeroUsize>,
}

impl JobArgs {
    /// Returns the number of threads.
    pub(crate) fn count(self) -> usize {
        // WebAssembly has no threads.
        if cfg!(target_os = "wasi") {
            return 1;
        }
        let available = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        self.jobs.unwrap_or_else(available).get()
    }
}

/// How logs are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    pub(crate) no_logs: NoLogs,
    pub(crate) jobs: JobArgs,
}

impl From<NoLogs> for Reading {
    fn from(no_logs: NoLogs) -> Self {
        let jobs = JobArgs::default();
        Self { no_logs, jobs }
    }
}

/// What to do if a glob, a directory or an archive has no file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoLogs {
    /// It is an error: a wrong path would look like silence.
    Error,
    /// It counts as a log without checker output.
    Allowed,
}

impl NoLogs {
    /// Returns [`NoLogs::Allowed`] if the option is given.
    pub(crate) fn allowed_if(is_given: bool) -> Self {
        if is_given { Self::Allowed } else { Self::Error }
    }
}

/// The reports to write.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Write a report in this format to standard output or, with =FILE, to a file: text, json,
    /// html, sarif, markdown, junit, annotations (GitHub Actions), gitlab (Code Quality), azure,
    /// teamcity, buildkite, bitbucket (Code Insights), warnings-ng (Jenkins), rdjson (reviewdog),
    /// cdash, or folded (leak stacks for flame graphs). May be repeated. Unless another report goes
    /// to standard output, text is written there, as a group in the log of GitHub Actions, Azure
    /// Pipelines, TeamCity, GitLab and Buildkite, and followed by annotations on the first three.
    #[arg(
        long,
        value_name = "FORMAT[=FILE]",
        value_parser = target_parser(),
        hide_possible_values = true
    )]
    pub(crate) format: Vec<ReportTarget>,
    /// Maximum number of findings in the text report on standard output, the worst first; 0 for all.
    /// Reports in files are complete.
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    limit: usize,
    /// Show all frames and complete names in text and Markdown reports, and each finding separately
    /// in the text report. By default, frames of allocators, runtimes and standard libraries are
    /// folded, Rust's names have no generic arguments, and findings of one function share a block.
    #[arg(long)]
    full_stacks: bool,
    /// Include findings that are accepted or don't fail the gate in SARIF reports, marked as
    /// suppressed, and in folded stacks. Off by default, because GitHub shows suppressed results as
    /// open alerts.
    #[arg(long)]
    pub(crate) show_accepted: bool,
    /// Maximum length of the Markdown report, in characters.
    #[arg(
        long,
        value_name = "NUMBER",
        default_value_t = RenderOptions::DEFAULT_MAX_CHARACTERS,
        value_parser = parse_max_characters
    )]
    pub(crate) max_characters: usize,
    /// SARIF category; give each matrix job its own.
    #[arg(long, value_name = "NAME", default_value = RenderOptions::DEFAULT_CATEGORY)]
    pub(crate) category: String,
}

/// The rules and the policy of the gate. Options override leakgate.toml.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Rules and policy")]
pub(crate) struct GateArgs {
    /// Read this configuration file. Defaults to leakgate.toml in the working directory or the
    /// nearest parent directory, up to the root of the repository.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Ignore leakgate.toml.
    #[arg(long, conflicts_with = "config")]
    pub(crate) no_config: bool,
    /// Also use this valgrind or sanitizer suppression file. May be repeated.
    #[arg(long, value_name = "FILE")]
    pub(crate) suppressions: Vec<PathBuf>,
    /// Also enable this built-in pack of rules (`leakgate explain pack` lists them). May be
    /// repeated.
    #[arg(
        long,
        value_name = "NAME",
        value_parser = names_parser(suggest::pack_names),
        hide_possible_values = true
    )]
    pub(crate) pack: Vec<String>,
    /// Use this baseline instead of the configured one.
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// Ignore the baseline.
    #[arg(long, conflicts_with = "baseline")]
    pub(crate) no_baseline: bool,
    /// Fail on these findings only. Kinds (`leakgate explain kind` lists them) or groups (`errors`,
    /// `leaks`). Defaults to errors, leak-definite, leak-indirect, leak-possible and fd-leak. May
    /// be repeated.
    #[arg(
        long,
        value_name = "KIND",
        value_delimiter = ',',
        value_parser = names_parser(suggest::groups),
        hide_possible_values = true
    )]
    pub(crate) fail_on: Vec<String>,
    /// Require a complete report from each of these tools. May be repeated.
    #[arg(
        long,
        value_name = "TOOL",
        value_delimiter = ',',
        value_parser = names_parser(suggest::tools),
        hide_possible_values = true
    )]
    pub(crate) require: Vec<String>,
    /// Verdict on a log without checker output. Sanitizers print nothing on success, which proves
    /// nothing, so by default such a log fails.
    #[arg(long, value_name = "VERDICT", value_parser = silence_parser())]
    pub(crate) silence: Option<Silence>,
    /// How to treat rules that match nothing although their tool ran. Defaults to warn.
    #[arg(long, value_name = "LEVEL", value_parser = level_parser())]
    pub(crate) unused_rules: Option<Level>,
    /// How to treat findings without a frame in the project's own code. Defaults to fail.
    #[arg(long, value_name = "LEVEL", value_parser = level_parser())]
    pub(crate) third_party: Option<Level>,
    /// How to treat findings that the checker's own suppressions hid. Defaults to allow.
    #[arg(long, value_name = "LEVEL", value_parser = level_parser())]
    pub(crate) tool_suppressed: Option<Level>,
    /// Check expiry dates of rules against this day. Defaults to the current day in UTC.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) today: Option<Date>,
}

/// Returns the parser of `--format`.
fn target_parser() -> impl TypedValueParser<Value = ReportTarget> {
    let parser = StringValueParser::new().try_map(|text| text.parse::<ReportTarget>());
    Suggesting::new(parser, suggest::formats)
}

/// Returns the parser of an option whose names are checked later, together with those in
/// leakgate.toml.
pub(crate) fn names_parser(
    names: fn() -> Vec<&'static str>,
) -> impl TypedValueParser<Value = String> {
    Suggesting::new(StringValueParser::new(), names)
}

/// Returns the parser of `--silence`, with a help line for each value.
fn silence_parser() -> impl TypedValueParser<Value = Silence> {
    let values = Silence::ALL.iter().map(|silence| {
        PossibleValue::new(silence.as_str()).help(match silence {
            Silence::Fail => "Fail: an empty log proves nothing",
            Silence::Pass => "Pass: a clean run prints nothing",
        })
    });
    PossibleValuesParser::new(values).try_map(|name| name.parse::<Silence>())
}

/// Returns the parser of options that take a level, with a help line for each value.
fn level_parser() -> impl TypedValueParser<Value = Level> {
    let values = Level::ALL.iter().map(|level| {
        PossibleValue::new(level.as_str()).help(match level {
            Level::Allow => "Ignore",
            Level::Warn => "Report, but don't fail",
            Level::Fail => "Fail the gate",
        })
    });
    PossibleValuesParser::new(values).try_map(|name| name.parse::<Level>())
}

/// File format of rules that are written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum RuleFormat {
    /// Rules for leakgate.toml
    Toml,
    /// A valgrind suppression file
    Valgrind,
    /// A LeakSanitizer suppression file
    Lsan,
}

impl RuleFormat {
    /// Returns a noun phrase for messages.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Toml => "a leakgate.toml rule",
            Self::Valgrind => "a valgrind suppression",
            Self::Lsan => "a LeakSanitizer suppression",
        }
    }
}

impl From<RuleFormat> for RuleSyntax {
    fn from(format: RuleFormat) -> Self {
        match format {
            RuleFormat::Toml => Self::Toml,
            RuleFormat::Valgrind => Self::Valgrind,
            RuleFormat::Lsan => Self::Lsan,
        }
    }
}

/// A report to write: its format and its destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReportTarget {
    /// Format of the report.
    pub(crate) format: Format,
    /// Path of the file; `None` for standard output.
    pub(crate) file: Option<PathBuf>,
}

impl ReportArgs {
    /// Returns true if a report is to be written to standard output in a given format.
    pub(crate) fn has_stdout_format(&self) -> bool {
        self.format.iter().any(|target| target.file.is_none())
    }

    /// Returns the reports to write. A text report goes to standard output unless another report
    /// does.
    pub(crate) fn targets(&self) -> Vec<ReportTarget> {
        let mut targets = self.format.clone();
        if !self.has_stdout_format() {
            targets.insert(
                0,
                ReportTarget {
                    format: Format::Text,
                    file: None,
                },
            );
        }
        targets
    }

    /// Returns the maximum number of findings in the text report on standard output. `None` if it
    /// lists all.
    pub(crate) fn max_findings(&self) -> Option<usize> {
        (self.limit > 0).then_some(self.limit)
    }

    /// Returns the layout options of reports in files.
    pub(crate) fn render_options(&self) -> RenderOptions<'_> {
        RenderOptions {
            full_stacks: self.full_stacks,
            show_accepted: self.show_accepted,
            max_characters: self.max_characters,
            category: &self.category,
            suggest_rules: true,
            ..RenderOptions::default()
        }
    }

    /// Returns true if several reports would go to standard output.
    pub(crate) fn is_ambiguous(&self) -> bool {
        let to_stdout = self.format.iter().filter(|target| target.file.is_none());
        to_stdout.count() > 1
    }
}

/// Parses `FORMAT` or `FORMAT=FILE`.
impl FromStr for ReportTarget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((name, file)) = text.split_once('=') else {
            return Ok(Self {
                format: parse_format(text)?,
                file: None,
            });
        };
        let format = parse_format(name)?;
        if file.is_empty() {
            return Err(format!("missing file name after `{name}=`"));
        }
        Ok(Self {
            format,
            file: Some(file.into()),
        })
    }
}

/// Parses the name of a report format.
fn parse_format(name: &str) -> Result<Format, String> {
    name.parse()
        .map_err(|error: UnknownName| format!("{error}; {}", error.help()))
}

/// Parses a length limit. Rejects limits that are too small to hold the verdict.
fn parse_max_characters(text: &str) -> Result<usize, String> {
    let number: usize = text
        .parse()
        .map_err(|_| format!("invalid number `{text}`"))?;
    if number < RenderOptions::MIN_CHARACTERS {
        Err(format!(
            "expected at least {} characters",
            RenderOptions::MIN_CHARACTERS
        ))
    } else {
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn report_target_has_format_and_file() {
        let target = |file: Option<&str>| ReportTarget {
            format: Format::Json,
            file: file.map(PathBuf::from),
        };
        assert_eq!("json".parse(), Ok(target(None)));
        assert_eq!("json=a=b".parse(), Ok(target(Some("a=b"))));
        let error = |text: &str| text.parse::<ReportTarget>().unwrap_err();
        assert_eq!(error("jsn"), "unknown format `jsn`; did you mean `json`?");
        assert!(error("perl").contains("expected one of: text, json"));
        assert!("json=".parse::<ReportTarget>().is_err());
    }
}
