//! `leakgate allow`: accept a finding by an entry in `leakgate.toml`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use leakgate_core::{Config, Date, Disposition, Item, Language, Triage, Wording, suppress};

use crate::args::{GateArgs, LogArgs};
use crate::error::{Error, Status};
use crate::logs::Logs;
use crate::output;
use crate::settings::{CONFIG, Settings, read_text, shown, today};
use crate::workspace::Repository;

/// Accept a finding: add a narrow entry with its reason to leakgate.toml, whose comments and order
/// stay as they are.
#[derive(Debug, Args)]
pub(crate) struct Allow {
    /// The finding, by its fingerprint or the start of it, as reports show it.
    #[arg(value_name = "FINGERPRINT")]
    fingerprint: String,
    #[command(flatten)]
    logs: LogArgs,
    /// Why it is accepted.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// What it is.
    #[arg(long, value_name = "STATUS")]
    status: Option<RawStatus>,
    /// Who answers for it.
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// Where it was looked into: a path or an address.
    #[arg(long, value_name = "PLACE")]
    investigation: Option<String>,
    /// The last day on which it is accepted.
    #[arg(long, value_name = "YYYY-MM-DD")]
    expires: Option<Date>,
    /// Show the entry and write nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    gate: GateArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RawStatus {
    FalsePositive,
    Accepted,
    ToFix,
}

/// Runs the command.
pub(crate) fn run(args: &Allow) -> Result<Status, Error> {
    if args.reason.trim().is_empty() {
        return Err(Error::Usage(
            "a reason is needed: say why it is accepted".to_owned(),
        ));
    }
    let settings = Settings::load(&args.gate)?;
    let logs = Logs::read(&args.logs.names, &settings.formats).complete()?;
    let repository = Repository::find(settings.own.as_ref())?;
    let triage = leakgate_core::triage(&logs.parsed, &settings.gate, &repository);
    let fingerprint = triage.find(&args.fingerprint).map_err(Error::Usage)?;
    already(&triage, &fingerprint, &settings)?;
    let wording = Wording {
        reason: args.reason.clone(),
        status: args.status.map(|s| {
            s.to_possible_value()
                .map(|v| v.get_name().to_owned())
                .unwrap_or_default()
        }),
        owner: args.owner.clone(),
        investigation: args.investigation.clone(),
        added: Some(args.gate.today.unwrap_or_else(today)),
        expires: args.expires,
        taken: settings.gate.rules.iter().map(|r| r.id.clone()).collect(),
    };
    let written = suppress(
        &logs.parsed,
        &triage,
        std::slice::from_ref(&fingerprint),
        Language::Toml,
        &wording,
    );
    let Some(written) = written.into_iter().next() else {
        return Ok(Status::Pass);
    };
    let entry = written
        .text
        .map_err(|why| Error::Usage(format!("{fingerprint} can't be accepted: {why}")))?;
    if args.dry_run {
        output::stdout(&entry)?;
    } else {
        let path = settings
            .config
            .clone()
            .or_else(|| args.gate.config.clone())
            .unwrap_or_else(|| PathBuf::from(CONFIG));
        append(&path, &entry)?;
        output::note(&format!("added to {}:", shown(&path)));
        output::stdout(&entry)?;
    }
    for at in written.findings {
        let finding = &logs.parsed.findings[at];
        output::note(&format!("accepts {}: {}", finding.kind, finding.title));
    }
    Ok(Status::Pass)
}

/// A second entry for what a rule accepts already would only hide the first.
fn already(triage: &Triage, fingerprint: &str, settings: &Settings) -> Result<(), Error> {
    let own: Vec<&Item> = triage
        .items
        .iter()
        .filter(|i| i.fingerprint.as_str() == fingerprint)
        .collect();
    let rule = own
        .first()
        .and_then(|item| item.rule)
        .and_then(|at| settings.gate.rules.get(at));
    if let Some(rule) = rule
        && own.iter().any(|item| item.cause.is_some())
    {
        let what = format!(
            "`{}` ({}) decides about it first, and has expired or is over its limit; change or remove it",
            rule.id, rule.origin
        );
        return Err(Error::Usage(what));
    }
    match rule.filter(|_| {
        own.iter()
            .all(|item| item.disposition == Disposition::Allowed)
    }) {
        Some(rule) => Err(Error::Usage(format!(
            "{fingerprint} is accepted already, by `{}` ({})",
            rule.id, rule.origin
        ))),
        None => Ok(()),
    }
}

/// Adds text to the end of a configuration, byte for byte as it was before; nothing is written that
/// could not be read again.
fn append(path: &Path, entry: &str) -> Result<(), Error> {
    let old = if path.exists() {
        read_text(path)?
    } else {
        String::new()
    };
    let line_end = if old.contains("\r\n") { "\r\n" } else { "\n" };
    let mut text = old.clone();
    if !text.is_empty() {
        if !text.ends_with('\n') {
            text += line_end;
        }
        text += line_end;
    }
    text += &entry.replace('\n', line_end);
    Config::read(&shown(path), &text).map_err(|mistakes| {
        let help =
            "the entry could not be added; `[[allow]]` tables can't stand beside `allow = […]`";
        if Config::read(&shown(path), &old).is_ok() {
            Error::Usage(format!("{}: {help}", shown(path)))
        } else {
            Error::mistakes(mistakes)
        }
    })?;
    output::file(path, &text)
}
