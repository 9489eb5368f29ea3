//! `leakgate allow`: accepts a finding, or all findings of a function or of a source line, by
//! adding a rule to `leakgate.toml`.

mod shared;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Args, ValueEnum, ValueHint};
use leakgate_core::error::UnknownName;
use leakgate_core::policy::KindSet;
use leakgate_core::rules::RuleMetadata;
use leakgate_core::suppress::{RuleOptions, RuleSyntax, SharedPlace, Site, suppress};
use leakgate_core::triage::TriagedFinding;
use leakgate_core::{Config, Date, Disposition, Parsed, Triage};

use crate::args::{GateArgs, JobArgs, NoLogs, Reading};
use crate::error::{Error, Status};
use crate::ingest::{Logs, find_fingerprint};
use crate::output;
use crate::settings::{CONFIG, Settings, display_path, read_text, today};
use crate::suggest::{self, Suggesting};
use crate::workspace::Repository;

/// Options of `leakgate allow`.
#[derive(Debug, Args)]
#[command(override_usage = "\
    leakgate allow [OPTIONS] --reason <TEXT> <FINGERPRINT> <PATH>...\n       \
    leakgate allow [OPTIONS] --reason <TEXT> --function <FUNCTION> <PATH>...\n       \
    leakgate allow [OPTIONS] --reason <TEXT> --site <FILE:LINE> <PATH>...")]
pub(crate) struct AllowArgs {
    /// The fingerprint of the finding, or its first digits (at least 4), as shown in reports; it is
    /// left out with --function and --site. Then the log files, directories, globs such as
    /// 'logs/**/*.log', or - for standard input. gzip and zip files are unpacked.
    #[arg(value_name = "FINGERPRINT|PATH", required = true, value_hint = ValueHint::AnyPath)]
    targets: Vec<OsString>,
    /// Accept a glob, a directory or an archive without any file. By default, that is an error.
    #[arg(long)]
    allow_no_logs: bool,
    #[command(flatten)]
    jobs: JobArgs,
    /// Accept all unexpected findings of this function, as shown in reports, by one rule. Scopes
    /// before the name may be left out.
    #[arg(long, value_name = "FUNCTION", conflicts_with = "site")]
    function: Option<String>,
    /// Accept all unexpected findings at this line of a source file, with any callers, by one rule.
    /// Folders before the file may be left out. An edit of the file that moves the line ends the
    /// effect of the rule.
    #[arg(long, value_name = "FILE:LINE")]
    site: Option<Site>,
    /// With --function or --site, accept only findings of this kind, or all `leaks`. Needed if the
    /// findings have different kinds.
    #[arg(long, value_name = "KIND", value_parser = kind_parser(), hide_possible_values = true)]
    kind: Option<KindSet>,
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
    /// Don't limit the rule. By default, it accepts leaks only up to the bytes and blocks in these
    /// logs, so that they can't grow unnoticed.
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
    let paths = args.paths()?;
    let reading = Reading {
        no_logs: NoLogs::allowed_if(args.allow_no_logs),
        jobs: args.jobs,
    };
    let logs = Logs::read(paths, &settings.formats, reading).complete()?;
    let repository = Repository::find(settings.own_sources.as_ref(), settings.project())?;
    let triage = leakgate_core::triage::triage(&logs.parsed, &settings.gate, &repository);
    let options = RuleOptions {
        metadata: metadata(args, today),
        expires: args.expires,
        taken: settings.gate.rules.iter().map(|r| r.id.clone()).collect(),
        limits: (!args.no_limit).then(|| settings.gate.policy.clone()),
    };
    let accepted = match args.place() {
        Some(place) => {
            let run = shared::Run {
                parsed: &logs.parsed,
                gate: &settings.gate,
                triage: &triage,
                repository: &repository,
            };
            run.accept(&place, args.kind.as_ref(), &options)?
        }
        None => accept_one(args, &logs.parsed, &triage, &settings, &options)?,
    };
    if args.dry_run {
        output::stdout(&accepted.text)?;
    } else {
        let path = settings
            .config
            .clone()
            .or_else(|| args.gate.config.clone())
            .unwrap_or_else(|| PathBuf::from(CONFIG));
        append(&path, &accepted.text)?;
        output::note(&format!("added to {}:", display_path(&path)));
        output::stdout(&accepted.text)?;
    }
    output::note("");
    if accepted.is_weak {
        output::note(
            "The log doesn't identify this bug by a function, so the rule is limited: it accepts \
             only these sizes, and in one process only as many places as `limit` states.",
        );
    }
    output::note("This rule accepts:");
    for at in accepted.findings {
        let finding = &logs.parsed.findings[at];
        let fingerprint = match args.place() {
            Some(_) => format!("{} ", triage.findings[at].fingerprint),
            None => String::new(),
        };
        output::note(&format!(
            "  {fingerprint}{}: {}",
            finding.kind, finding.title
        ));
    }
    Ok(Status::Pass)
}

/// A generated rule and what it accepts.
struct Accepted {
    text: String,
    /// Indices of the findings.
    findings: Vec<usize>,
    /// True if the rule has a weak fingerprint.
    is_weak: bool,
}

impl AllowArgs {
    /// Returns the place whose findings are accepted, or `None` if a fingerprint is given.
    fn place(&self) -> Option<SharedPlace> {
        let function = self.function.clone().map(SharedPlace::Function);
        function.or_else(|| self.site.clone().map(SharedPlace::Site))
    }

    /// Returns the paths of the logs.
    fn paths(&self) -> Result<&[OsString], Error> {
        let paths = match self.place() {
            Some(_) => self.targets.as_slice(),
            None => self.targets.get(1..).unwrap_or_default(),
        };
        if paths.is_empty() {
            return Err(Error::with_help(
                "no log is given",
                "pass a log after the fingerprint, or pass `--function` or `--site`",
            ));
        }
        Ok(paths)
    }
}

/// Generates the rule for the finding whose fingerprint is the first argument.
fn accept_one(
    args: &AllowArgs,
    parsed: &Parsed,
    triage: &Triage,
    settings: &Settings,
    options: &RuleOptions,
) -> Result<Accepted, Error> {
    let given = args.targets.first().map(|text| text.to_string_lossy());
    let fingerprint = find_fingerprint(triage, &given.unwrap_or_default())?;
    ensure_not_accepted(triage, &fingerprint, settings)?;
    let fingerprints = std::slice::from_ref(&fingerprint);
    let written = suppress(parsed, triage, fingerprints, RuleSyntax::Toml, options);
    let (text, findings) = written
        .into_iter()
        .next()
        .map(|written| (written.text, written.findings))
        .ok_or_else(|| Error::Usage(format!("cannot accept {fingerprint}: no rule was made")))?;
    let text =
        text.map_err(|cause| Error::Usage(format!("cannot accept {fingerprint}: {cause}")))?;
    let is_weak = |at: &usize| triage.findings[*at].fingerprint.is_weak();
    Ok(Accepted {
        text,
        is_weak: findings.iter().any(is_weak),
        findings,
    })
}

/// Returns the parser of `--kind`.
fn kind_parser() -> impl TypedValueParser<Value = KindSet> {
    let parse = |name: String| {
        name.parse()
            .map_err(|error: UnknownName| format!("{error}; {}", error.help()))
    };
    Suggesting::new(StringValueParser::new().try_map(parse), suggest::groups)
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
    if args.kind.is_some() && args.place().is_none() {
        return Err(Error::with_help(
            "`--kind` is given together with a fingerprint, which has a kind",
            "leave out `--kind`, or pass `--function` or `--site`",
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
