//! `leakgate suppress`: write what accepts findings, in any of the three languages.

use std::collections::HashSet;

use clap::{Args, ValueEnum};
use leakgate_core::{Disposition, Language, Wording, suppress};

use crate::args::{GateArgs, LogArgs};
use crate::error::{Error, Status};
use crate::logs::Logs;
use crate::output;
use crate::settings::Settings;
use crate::workspace::Repository;

/// Write what accepts findings to standard output: all that nobody has accepted, or those that are
/// named.
///
/// Whatever is written was held against the logs: it allows exactly the findings that share a
/// fingerprint. Exit status: 0, or 1 when a finding can't be said in the language.
#[derive(Debug, Args)]
pub(crate) struct Suppress {
    /// The language to write.
    #[arg(long, value_name = "LANGUAGE", default_value = "toml")]
    format: RawLanguage,
    /// A finding, by its fingerprint or the start of it. May be given often.
    #[arg(long, value_name = "FINGERPRINT")]
    finding: Vec<String>,
    /// Why they are accepted.
    #[arg(long, value_name = "TEXT", default_value = "not looked into yet")]
    reason: String,
    #[command(flatten)]
    logs: LogArgs,
    #[command(flatten)]
    gate: GateArgs,
}

/// A language of rules.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum RawLanguage {
    /// leakgate.toml
    Toml,
    /// valgrind's suppression files
    Valgrind,
    /// LeakSanitizer's suppression files
    Lsan,
}

impl From<RawLanguage> for Language {
    fn from(raw: RawLanguage) -> Self {
        match raw {
            RawLanguage::Toml => Self::Toml,
            RawLanguage::Valgrind => Self::Valgrind,
            RawLanguage::Lsan => Self::Lsan,
        }
    }
}

/// Runs the command.
pub(crate) fn run(args: &Suppress) -> Result<Status, Error> {
    let settings = Settings::load(&args.gate)?;
    let logs = Logs::read(&args.logs.names, &settings.formats).complete()?;
    let repository = Repository::find(settings.own.as_ref())?;
    let triage = leakgate_core::triage(&logs.parsed, &settings.gate, &repository);
    let mut fingerprints: Vec<String> = if args.finding.is_empty() {
        let open = triage
            .items
            .iter()
            .filter(|i| i.disposition == Disposition::Unexpected);
        open.map(|i| i.fingerprint.to_string()).collect()
    } else {
        args.finding
            .iter()
            .map(|text| triage.find(text).map_err(Error::Usage))
            .collect::<Result<_, _>>()?
    };
    let mut known = HashSet::new();
    fingerprints.retain(|f| known.insert(f.clone()));
    let wording = Wording {
        reason: args.reason.clone(),
        status: args
            .reason
            .starts_with("not looked into")
            .then(|| "to-fix".to_owned()),
        taken: settings.gate.rules.iter().map(|r| r.id.clone()).collect(),
        ..Wording::default()
    };
    let mut out = String::new();
    let mut status = Status::Pass;
    for written in suppress(
        &logs.parsed,
        &triage,
        &fingerprints,
        args.format.into(),
        &wording,
    ) {
        match written.text {
            Ok(text) => {
                if !out.is_empty() {
                    out.push('\n');
                }
                out += &text;
                let n = written.findings.len();
                let what = if n == 1 {
                    "1 finding".to_owned()
                } else {
                    format!("{n} findings")
                };
                output::note(&format!("{}: {what} accepted", written.fingerprint));
            }
            Err(why) => {
                output::note(&format!("{}: can't be said: {why}", written.fingerprint));
                status = Status::Fail;
            }
        }
    }
    output::stdout(&out)?;
    Ok(status)
}
