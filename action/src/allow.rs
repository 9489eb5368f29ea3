//! `leakgate allow`: accepts a finding by adding a rule to `leakgate.toml`.

use std::path::{Path, PathBuf};

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use leakgate_core::rules::RuleMetadata;
use leakgate_core::suppress::{RuleOptions, RuleSyntax, suppress};
use leakgate_core::triage::TriagedFinding;
use leakgate_core::{Config, Date, Disposition, Triage};

use crate::args::{GateArgs, LogArgs};
use crate::error::{Error, Status};
use crate::ingest::{Logs, find_fingerprint};
use crate::output;
use crate::settings::{CONFIG, Settings, display_path, read_text, today};
use crate::workspace::Repository;

/// Options of `leakgate allow`.
#[derive(Debug, Args)]
pub(crate) struct AllowArgs {
    /// Fingerprint of the finding, or its first digits (at least 4), as shown in reports.
    #[arg(value_name = "FINGERPRINT")]
    fingerprint: String,
    #[command(flatten)]
    logs: LogArgs,
    /// Why the finding is accepted.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Assessment of the finding.
    #[arg(long, value_name = "STATUS")]
    status: Option<RawStatus>,
    /// Owner of this rule.
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// Path or URL of the investigation.
    #[arg(long, value_name = "PATH|URL")]
    investigation: Option<String>,
    /// Last day on which the rule accepts the finding. By default, the rule does not expire.
    #[arg(long, value_name = "YYYY-MM-DD")]
    expires: Option<Date>,
    /// Don't limit the rule. By default, it accepts a leak only up to the bytes and blocks in these
    /// logs, so that the leak can't grow unnoticed.
    #[arg(long)]
    no_limit: bool,
    /// Print the rule without adding it.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    gate: GateArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RawStatus {
    /// The checker is wrong
    FalsePositive,
    /// The finding is real and stays
    Accepted,
    /// The finding is real and will be fixed
    ToFix,
}

/// Runs the command.
pub(crate) fn run(args: &AllowArgs) -> Result<Status, Error> {
    let today = args.gate.today.unwrap_or_else(today);
    ensure_valid(args, today)?;
    let settings = Settings::load(&args.gate)?;
    let logs = Logs::read(&args.logs.paths, &settings.formats, args.logs.no_logs()).complete()?;
    let repository = Repository::find(settings.own_sources.as_ref(), settings.project())?;
    let triage = leakgate_core::triage::triage(&logs.parsed, &settings.gate, &repository);
    let fingerprint = find_fingerprint(&triage, &args.fingerprint)?;
    ensure_not_accepted(&triage, &fingerprint, &settings)?;
    let options = RuleOptions {
        metadata: metadata(args, today),
        expires: args.expires,
        taken: settings.gate.rules.iter().map(|r| r.id.clone()).collect(),
        limits: (!args.no_limit).then(|| settings.gate.policy.clone()),
    };
    let written = suppress(
        &logs.parsed,
        &triage,
        std::slice::from_ref(&fingerprint),
        RuleSyntax::Toml,
        &options,
    );
    let Some(written) = written.into_iter().next() else {
        return Ok(Status::Pass);
    };
    let entry = written
        .text
        .map_err(|cause| Error::Usage(format!("cannot accept {fingerprint}: {cause}")))?;
    if args.dry_run {
        output::stdout(&entry)?;
    } else {
        let path = settings
            .config
            .clone()
            .or_else(|| args.gate.config.clone())
            .unwrap_or_else(|| PathBuf::from(CONFIG));
        append(&path, &entry)?;
        output::note(&format!("added to {}:", display_path(&path)));
        output::stdout(&entry)?;
    }
    output::note("");
    let is_weak = written
        .findings
        .iter()
        .any(|at| triage.findings[*at].fingerprint.is_weak());
    if is_weak {
        output::note(
            "The log doesn't identify this bug by a function, so the rule is limited: it accepts \
             only these sizes, and in one process only as many places as `limit` states.",
        );
    }
    output::note("This rule accepts:");
    for at in written.findings {
        let finding = &logs.parsed.findings[at];
        output::note(&format!("  {}: {}", finding.kind, finding.title));
    }
    Ok(Status::Pass)
}

/// Returns what the options state about the rule.
fn metadata(args: &AllowArgs, today: Date) -> RuleMetadata {
    let name = |value: PossibleValue| value.get_name().to_owned();
    RuleMetadata {
        status: args
            .status
            .and_then(|status| status.to_possible_value().map(name)),
        owner: args.owner.clone(),
        investigation: args.investigation.clone(),
        added: Some(today),
        ..RuleMetadata::new(args.reason.clone())
    }
}

/// Fails if the options are invalid or contradict each other.
fn ensure_valid(args: &AllowArgs, today: Date) -> Result<(), Error> {
    if args.reason.trim().is_empty() {
        return Err(Error::with_help(
            "the reason is empty",
            "pass `--reason` with a text that explains why the finding is accepted",
        ));
    }
    if args.gate.no_config && !args.dry_run {
        return Err(Error::Usage(
            "--no-config can't be used with allow, which writes leakgate.toml".to_owned(),
        ));
    }
    if let Some(day) = args.expires.filter(|day| *day < today) {
        return Err(Error::with_help(
            format!("{day} has passed"),
            "pass `--expires` with the last day on which the rule accepts the finding",
        ));
    }
    Ok(())
}

/// Fails if a rule already decides about the finding, because a second rule would only obscure it.
fn ensure_not_accepted(
    triage: &Triage,
    fingerprint: &str,
    settings: &Settings,
) -> Result<(), Error> {
    let findings: Vec<&TriagedFinding> = triage
        .findings
        .iter()
        .filter(|finding| finding.fingerprint.as_str() == fingerprint)
        .collect();
    let rule_index = findings.first().and_then(|finding| finding.rule);
    let Some(rule) = rule_index.and_then(|at| settings.gate.rules.get(at)) else {
        return Ok(());
    };
    if findings.iter().any(|finding| finding.cause.is_some()) {
        return Err(Error::with_help(
            format!(
                "cannot accept {fingerprint}: the rule `{}` ({}) already matches it, but has \
                 expired or is over its limit",
                rule.id, rule.origin
            ),
            "change or remove that rule",
        ));
    }
    let is_allowed = |finding: &&TriagedFinding| finding.disposition == Disposition::Allowed;
    if findings.iter().all(is_allowed) {
        return Err(Error::Usage(format!(
            "{fingerprint} is already accepted by the rule `{}` ({})",
            rule.id, rule.origin
        )));
    }
    Ok(())
}

/// Appends a rule to a configuration and keeps the existing text byte for byte. Writes nothing if
/// the result would not parse.
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
    let name = display_path(path);
    Config::read(&name, &text).map_err(|diagnostics| {
        if Config::read(&name, &old).is_ok() {
            Error::with_help(
                format!("cannot add the rule to {name}: it already has an inline `allow = […]`"),
                "replace the inline array with `[[allow]]` tables",
            )
        } else {
            Error::from_diagnostics(diagnostics)
        }
    })?;
    output::file(path, &text)
}
