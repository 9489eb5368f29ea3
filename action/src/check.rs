//! `leakgate check`: read logs, decide, show.

use leakgate_core::emit::{self, Run, Style};
use leakgate_core::{Change, Gate, Outcome, Triage, Verdict, Watched};

use crate::args::{Check, Document, DocumentArgs, SymbolArgs};
use crate::diff;
use crate::error::{Error, Status};
use crate::known;
use crate::logs::Logs;
use crate::output;
use crate::settings::Settings;
use crate::symbolize::{self, Places, Trust};
use crate::workspace::Repository;

/// Runs the command. Every document is written before the exit status is known to anybody.
pub(crate) fn run(args: &Check) -> Result<Status, Error> {
    let settings = Settings::load(&args.gate)?;
    let mut logs = Logs::read(&args.logs.names, &settings.formats);
    symbolize(&mut logs, &args.symbols);
    output::spare(
        logs.files.iter().chain(&settings.files).chain(&args.base),
        &args.documents.resolve(),
    )?;
    let base = args.base.as_deref().map(diff::read).transpose()?;
    let checked = Checked::of(settings, logs)?;
    let changes = base.map(|base| emit::changes_since(&base, &checked.run(None)));
    write_all(&checked.run(changes.as_deref()), &args.documents)?;
    Ok(status(&checked.verdict))
}

/// Names frames, if that is wanted.
fn symbolize(logs: &mut Logs, args: &SymbolArgs) {
    if !args.symbolize {
        return;
    }
    let places = Places {
        debug: args.debug_file_directory.clone(),
        ..Places::default()
    };
    let notes = symbolize::apply(&mut logs.parsed, Trust::BuildId, places);
    notes
        .iter()
        .for_each(|note| output::note(&format!("note: {note}")));
}

/// Logs that were held against the settings.
pub(crate) struct Checked {
    pub(crate) logs: Logs,
    pub(crate) verdict: Verdict,
    pub(crate) triage: Triage,
    settings: Settings,
    repository: Repository,
}

impl Checked {
    /// Decides about logs. What could not be read is told at standard error.
    pub(crate) fn of(settings: Settings, logs: Logs) -> Result<Self, Error> {
        Self::by(settings, logs, |logs, triage, gate| {
            leakgate_core::judge(&logs.parsed, triage, &logs.sources, gate)
        })
    }

    /// Decides about a command that was watched.
    pub(crate) fn watched(
        settings: Settings,
        logs: Logs,
        watched: &Watched,
    ) -> Result<Self, Error> {
        Self::by(settings, logs, |logs, triage, gate| {
            leakgate_core::judge_watched(&logs.parsed, triage, watched, gate)
        })
    }

    fn by(
        settings: Settings,
        logs: Logs,
        judge: impl Fn(&Logs, &Triage, &Gate) -> Verdict,
    ) -> Result<Self, Error> {
        let is_needed = settings.own.is_some() || !logs.parsed.findings.is_empty();
        let repository = if is_needed {
            Repository::find(settings.own.as_ref())?
        } else {
            Repository::default()
        };
        let triage = leakgate_core::triage(&logs.parsed, &settings.gate, &repository);
        let mut verdict = judge(&logs, &triage, &settings.gate);
        if logs.report_errors().is_some() {
            verdict.outcome = Outcome::Error;
        }
        Ok(Self {
            logs,
            verdict,
            triage,
            settings,
            repository,
        })
    }

    /// What documents tell of.
    pub(crate) fn run<'a>(&'a self, changes: Option<&'a [Change]>) -> Run<'a> {
        Run {
            parsed: &self.logs.parsed,
            gate: &self.settings.gate,
            triage: &self.triage,
            verdict: &self.verdict,
            workspace: &self.repository,
            sources: &self.repository,
            changes,
        }
    }
}

/// The exit status that follows from a verdict.
pub(crate) fn status(verdict: &Verdict) -> Status {
    match verdict.outcome {
        Outcome::Pass => Status::Pass,
        Outcome::Fail => Status::Fail,
        Outcome::Error => Status::Error,
    }
}

/// Writes every document.
pub(crate) fn write_all(run: &Run<'_>, documents: &DocumentArgs) -> Result<(), Error> {
    documents
        .resolve()
        .iter()
        .try_for_each(|document| write(run, document, documents.style()))?;
    known::tell(run);
    Ok(())
}

fn write(run: &Run<'_>, document: &Document, style: Style<'_>) -> Result<(), Error> {
    let style = match document.file {
        Some(_) => style,
        None => Style {
            colour: output::colours(),
            width: output::width(),
            ..style
        },
    };
    let text = emit::document(run, document.format, &style);
    match &document.file {
        Some(path) => output::file(path, &text),
        None => output::stdout(&text),
    }
}
