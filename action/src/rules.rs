//! `leakgate rules`: lists, validates and converts rules.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum, ValueHint};
use leakgate_core::emit::{Listing, RenderOptions, terminal};
use leakgate_core::policy::Level;
use leakgate_core::rules::{Source as RuleSource, read_file};
use leakgate_core::suppress::convert;
use leakgate_core::{Config, Disposition, Gate, Policy, Rule, Triage};

use crate::args::{GateArgs, NoLogs, RuleFormat};
use crate::error::{Error, Status};
use crate::ingest::Logs;
use crate::output;
use crate::settings::{Settings, display_path, read_text, today};
use crate::workspace::Repository;

/// Options of `leakgate rules`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct RulesArgs {
    #[command(subcommand)]
    command: Option<RulesCommand>,
    /// Logs to match the rules against.
    #[arg(value_name = "LOG", value_hint = ValueHint::AnyPath)]
    logs: Vec<OsString>,
    /// List the findings that would fail without this rule. Requires logs.
    #[arg(long, value_name = "ID", requires = "logs")]
    what_if: Option<String>,
    /// Output format.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: ListFormat,
    #[command(flatten)]
    gate: GateArgs,
}

#[derive(Debug, Subcommand)]
enum RulesCommand {
    /// Convert rules to another format, listing those that cannot be expressed.
    ///
    /// Exit status: 0: all rules were converted; 1: a rule could not be converted; 2: usage error
    /// or unreadable input.
    Convert(ConvertArgs),
}

#[derive(Debug, Args)]
struct ConvertArgs {
    /// A leakgate.toml, or a valgrind or LeakSanitizer suppression file.
    file: PathBuf,
    /// Target format.
    #[arg(long, value_name = "FORMAT")]
    to: RuleFormat,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ListFormat {
    /// For people at a terminal
    Text,
    /// For programs, schema leakgate-rules/v1
    Json,
    /// A page of known findings, with the reason of each rule
    Markdown,
}

/// Runs the command.
pub(crate) fn run(args: &RulesArgs) -> Result<Status, Error> {
    if let Some(RulesCommand::Convert(convert)) = &args.command {
        return convert_file(convert);
    }
    let settings = Settings::load(&args.gate)?;
    ensure_references_exist(&settings.gate.rules, settings.folder())?;
    if args.logs.is_empty() {
        let advice = settings.gate.advice();
        list(
            &Listing {
                gate: &settings.gate,
                ran: None,
                advice: &advice,
            },
            args.format,
        )?;
        return Ok(status(&advice));
    }
    let logs = Logs::read(&args.logs, &settings.formats, NoLogs::Error.into());
    let repository = Repository::find(settings.own_sources.as_ref(), settings.project())?;
    let triage = leakgate_core::triage::triage(&logs.parsed, &settings.gate, &repository);
    if let Some(id) = &args.what_if {
        what_if(id, &logs, &settings.gate, &triage, &repository)?;
        return Ok(logs.report_errors().unwrap_or(Status::Pass));
    }
    list(
        &Listing {
            gate: &settings.gate,
            ran: Some((&logs.parsed, &triage)),
            advice: &triage.advice,
        },
        args.format,
    )?;
    Ok(logs.report_errors().unwrap_or(status(&triage.advice)))
}

/// Checks that the investigations and references of rules in leakgate.toml exist. Nothing is
/// requested from a URL.
///
/// # Errors
/// Returns an error for each path that doesn't exist, relative to the folder of leakgate.toml.
fn ensure_references_exist(rules: &[Rule], folder: &Path) -> Result<(), Error> {
    let mut errors = Vec::new();
    let configured = |rule: &&Rule| rule.origin.source == RuleSource::Config;
    for rule in rules.iter().filter(configured) {
        let metadata = &rule.metadata;
        let references = metadata.investigation.iter().chain(&metadata.references);
        for reference in references.filter(|text| !text.contains("://")) {
            // A part of a file: `docs/leaks.md#jit`.
            let path = reference.split('#').next().unwrap_or(reference);
            if !folder.join(path).exists() {
                errors.push(Error::with_help(
                    format!(
                        "{}: cannot find {reference}, to which `{}` refers",
                        rule.origin, rule.id
                    ),
                    "correct the path, or add the file",
                ));
            }
        }
    }
    match errors.is_empty() {
        true => Ok(()),
        false => Err(Error::Several(errors)),
    }
}

/// Returns the exit status for advice about rules.
fn status(advice: &[leakgate_core::rules::Advice]) -> Status {
    if advice.iter().any(|a| a.level == Level::Fail) {
        Status::Fail
    } else {
        Status::Pass
    }
}

fn list(listing: &Listing<'_>, format: ListFormat) -> Result<(), Error> {
    let mut text = String::new();
    // Writing to a string can't fail.
    let _ = match format {
        ListFormat::Text => listing.text(
            &RenderOptions {
                color: output::use_color(),
                width: output::width(),
                ..RenderOptions::default()
            },
            &mut text,
        ),
        ListFormat::Json => listing.json(&mut text),
        ListFormat::Markdown => listing.markdown(&mut text),
    };
    output::stdout(&text)
}

/// Prints the findings that would fail without a rule.
fn what_if(
    id: &str,
    logs: &Logs,
    gate: &Gate,
    with: &Triage,
    repository: &Repository,
) -> Result<(), Error> {
    if !gate.rules.iter().any(|r| r.id == id) {
        return Err(Error::with_help(
            format!("unknown rule `{id}`"),
            "run `leakgate rules` for a list of rules",
        ));
    }
    let mut without = gate.clone();
    without.rules.retain(|r| r.id != id);
    let after = leakgate_core::triage::triage(&logs.parsed, &without, repository);
    let mut out = String::new();
    let mut hidden = 0_usize;
    for ((before, after), finding) in with
        .findings
        .iter()
        .zip(&after.findings)
        .zip(&logs.parsed.findings)
    {
        if before.disposition == Disposition::Unexpected
            || after.disposition != Disposition::Unexpected
        {
            continue;
        }
        hidden += 1;
        let frame = after
            .culprit
            .frame
            .and_then(|at| finding.primary()?.frames.get(at));
        let function = frame.and_then(|f| f.info.name()).unwrap_or("?");
        let kind = finding.kind.as_str();
        let fingerprint = after.fingerprint.as_str();
        out += &format!(
            "{kind} {} in {} {fingerprint}\n",
            terminal(&finding.title),
            terminal(function)
        );
    }
    let findings = if hidden == 1 { "finding" } else { "findings" };
    out += &format!(
        "without `{}`, {hidden} more {findings} would fail\n",
        terminal(id)
    );
    output::stdout(&out)
}

fn convert_file(args: &ConvertArgs) -> Result<Status, Error> {
    let rules = Gate::new(Policy::default(), today())
        .with_rules(read_rules(&args.file)?)
        .rules;
    let converted = convert(&rules, args.to.into());
    let mut out = String::new();
    let mut status = Status::Pass;
    for (rule, result) in rules.iter().zip(&converted) {
        match &result.text {
            Ok(text) => {
                if !out.is_empty() {
                    out.push('\n');
                }
                out += text;
                if let Some(narrower) = &result.narrower {
                    output::note(&format!(
                        "{} matches less than before: {narrower}",
                        rule.locate()
                    ));
                }
            }
            Err(cause) => {
                output::note(&format!(
                    "{} cannot be expressed as {}: {cause}",
                    rule.locate(),
                    args.to.describe()
                ));
                status = Status::Fail;
            }
        }
    }
    output::stdout(&out)?;
    Ok(status)
}

/// Reads the rules of a file in any of the formats.
fn read_rules(path: &Path) -> Result<Vec<Rule>, Error> {
    if path.extension().is_some_and(|e| e == "toml") {
        return Config::read(&display_path(path), &read_text(path)?)
            .map(|c| c.rules)
            .map_err(Error::from_diagnostics);
    }
    let bytes = std::fs::read(path).map_err(|e| Error::Read(path.to_owned(), e))?;
    read_file(&display_path(path), &String::from_utf8_lossy(&bytes))
        .map(|(_, rules)| rules)
        .map_err(Error::from_diagnostics)
}
