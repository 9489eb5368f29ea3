//! `leakgate rules`: what is accepted, by whom, why, and whether it still is.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use leakgate_core::emit::{Listing, Style, terminal};
use leakgate_core::{Config, Disposition, Gate, Level, Policy, Rule, Triage, convert, read_file};

use crate::args::GateArgs;
use crate::error::{Error, Status};
use crate::logs::Logs;
use crate::output;
use crate::settings::{Settings, read_text, shown, today};
use crate::suppress::RawLanguage;
use crate::workspace::Repository;

/// List every rule, and check each without a log: its last day, its witness, what it repeats. With
/// logs, what it matches.
///
/// Exit status: 0, or 1 when a rule has expired or no longer fits its witness.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Rules {
    #[command(subcommand)]
    command: Option<RulesCommand>,
    /// Logs to hold the rules against.
    #[arg(value_name = "LOG")]
    names: Vec<OsString>,
    /// Show what would fail without this rule; needs logs.
    #[arg(long, value_name = "ID", requires = "names")]
    what_if: Option<String>,
    /// The form of the list.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: ListFormat,
    #[command(flatten)]
    gate: GateArgs,
}

#[derive(Debug, Subcommand)]
enum RulesCommand {
    /// Write rules in another language; what it can't say is named.
    ///
    /// Exit status: 0, or 1 when a rule could not be written.
    Convert(Convert),
}

#[derive(Debug, Args)]
struct Convert {
    /// A leakgate.toml, or a suppression file of valgrind or LeakSanitizer.
    file: PathBuf,
    /// The language to write.
    #[arg(long, value_name = "LANGUAGE")]
    to: RawLanguage,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ListFormat {
    Text,
    Json,
}

/// Runs the command.
pub(crate) fn run(args: &Rules) -> Result<Status, Error> {
    if let Some(RulesCommand::Convert(convert)) = &args.command {
        return self::convert_file(convert);
    }
    let settings = Settings::load(&args.gate)?;
    if args.names.is_empty() {
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
    let logs = Logs::read(&args.names, &settings.formats);
    let repository = Repository::find(settings.own.as_ref())?;
    let triage = leakgate_core::triage(&logs.parsed, &settings.gate, &repository);
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

fn status(advice: &[leakgate_core::Advice]) -> Status {
    if advice.iter().any(|a| a.level == Level::Fail) {
        Status::Fail
    } else {
        Status::Pass
    }
}

fn list(listing: &Listing<'_>, format: ListFormat) -> Result<(), Error> {
    let mut text = String::new();
    // Writing into a string can't fail.
    let _ = match format {
        ListFormat::Text => listing.text(
            &Style {
                colour: output::colours(),
                ..Style::default()
            },
            &mut text,
        ),
        ListFormat::Json => listing.json(&mut text),
    };
    output::stdout(&text)
}

/// Which findings nobody would accept without a rule.
fn what_if(
    id: &str,
    logs: &Logs,
    gate: &Gate,
    with: &Triage,
    repository: &Repository,
) -> Result<(), Error> {
    if !gate.rules.iter().any(|r| r.id == id) {
        return Err(Error::Usage(format!(
            "there is no rule `{id}`; `leakgate rules` lists them"
        )));
    }
    let mut without = gate.clone();
    without.rules.retain(|r| r.id != id);
    let after = leakgate_core::triage(&logs.parsed, &without, repository);
    let mut out = String::new();
    let mut hidden = 0;
    for ((before, after), finding) in with
        .items
        .iter()
        .zip(&after.items)
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
        let function = frame.and_then(|f| f.site.name()).unwrap_or("?");
        let (kind, fingerprint) = (finding.kind.as_str(), after.fingerprint.as_str());
        out += &format!(
            "{kind} {} in {} {fingerprint}\n",
            terminal(&finding.title),
            terminal(function)
        );
    }
    let what = if hidden == 1 {
        "1 finding".to_owned()
    } else {
        format!("{hidden} findings")
    };
    out += &format!("without `{}` {what} more would fail\n", terminal(id));
    output::stdout(&out)
}

fn convert_file(args: &Convert) -> Result<Status, Error> {
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
                        "{}: `{}` matches less than before: {narrower}",
                        rule.origin, rule.id
                    ));
                }
            }
            Err(why) => {
                output::note(&format!(
                    "{}: `{}` can't be said: {why}",
                    rule.origin, rule.id
                ));
                status = Status::Fail;
            }
        }
    }
    output::stdout(&out)?;
    Ok(status)
}

/// The rules of a file in any of the languages.
fn read_rules(path: &std::path::Path) -> Result<Vec<Rule>, Error> {
    if path.extension().is_some_and(|e| e == "toml") {
        return Config::read(&shown(path), &read_text(path)?)
            .map(|c| c.rules)
            .map_err(Error::mistakes);
    }
    let bytes = std::fs::read(path).map_err(|e| Error::Read(path.to_owned(), e))?;
    read_file(&shown(path), &String::from_utf8_lossy(&bytes))
        .map(|(_, rules)| rules)
        .map_err(Error::mistakes)
}
