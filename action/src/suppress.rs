//! `leakgate suppress`: generates suppressions in any of the three rule formats.

use std::collections::HashSet;

use clap::Args;
use leakgate_core::Disposition;
use leakgate_core::rules::RuleMetadata;
use leakgate_core::suppress::{RuleOptions, suppress};

use crate::args::{GateArgs, LogArgs, RuleFormat};
use crate::error::{Error, Status};
use crate::ingest::{Logs, find_fingerprint};
use crate::output;
use crate::settings::Settings;
use crate::workspace::Repository;

/// Options of `leakgate suppress`.
#[derive(Debug, Args)]
pub(crate) struct SuppressArgs {
    /// Format of the suppressions.
    #[arg(long, value_name = "FORMAT", default_value = "toml")]
    format: RuleFormat,
    /// Fingerprint of a finding, or its first digits (at least 4). Defaults to all unexpected
    /// findings. May be repeated.
    #[arg(long, value_name = "FINGERPRINT")]
    finding: Vec<String>,
    /// Why the findings are accepted.
    #[arg(long, value_name = "TEXT", default_value = "not looked into yet")]
    reason: String,
    #[command(flatten)]
    logs: LogArgs,
    #[command(flatten)]
    gate: GateArgs,
}

/// Runs the command.
pub(crate) fn run(args: &SuppressArgs) -> Result<Status, Error> {
    let settings = Settings::load(&args.gate)?;
    let logs = Logs::read(&args.logs.paths, &settings.formats, args.logs.reading()).complete()?;
    let repository = Repository::find(settings.own_sources.as_ref(), settings.project())?;
    let triage = leakgate_core::triage::triage(&logs.parsed, &settings.gate, &repository);
    let mut fingerprints: Vec<String> = if args.finding.is_empty() {
        let open = triage
            .findings
            .iter()
            .filter(|i| i.disposition == Disposition::Unexpected);
        open.map(|i| i.fingerprint.to_string()).collect()
    } else {
        args.finding
            .iter()
            .map(|text| find_fingerprint(&triage, text))
            .collect::<Result<_, _>>()?
    };
    let mut seen = HashSet::new();
    fingerprints.retain(|fingerprint| seen.insert(fingerprint.clone()));
    let is_default_reason = args.reason.starts_with("not looked into");
    let options = RuleOptions {
        metadata: RuleMetadata {
            status: is_default_reason.then(|| "to-fix".to_owned()),
            ..RuleMetadata::new(args.reason.clone())
        },
        taken: settings.gate.rules.iter().map(|r| r.id.clone()).collect(),
        ..RuleOptions::default()
    };
    let format = args.format.into();
    let all = suppress(&logs.parsed, &triage, &fingerprints, format, &options);
    if all.is_empty() {
        output::note("nothing to suppress");
    }
    let mut out = String::new();
    let mut status = Status::Pass;
    for written in all {
        match written.text {
            Ok(text) => {
                if !out.is_empty() {
                    out.push('\n');
                }
                out += &text;
                note_accepted(&written.fingerprint, written.findings.len());
            }
            Err(cause) => {
                output::note(&format!(
                    "{}: cannot be expressed as {}: {cause}",
                    written.fingerprint,
                    args.format.describe()
                ));
                status = Status::Fail;
            }
        }
    }
    output::stdout(&out)?;
    Ok(status)
}

/// Prints the number of findings that a suppression accepts.
fn note_accepted(fingerprint: &str, findings: usize) {
    let count = match findings {
        1 => "1 finding".to_owned(),
        n => format!("{n} findings"),
    };
    output::note(&format!("{fingerprint}: {count} accepted"));
}
