//! `leakgate check`: read logs, decide, show.

use leakgate_core::emit::{self, Format, Run, Style};
use leakgate_core::{Change, Outcome, Verdict, compare};

use crate::args::{Check, Document, DocumentArgs};
use crate::diff;
use crate::error::{Error, Status};
use crate::logs::Logs;
use crate::output;
use crate::settings::Settings;
use crate::workspace::Repository;

/// Runs the command. Every document is written before the exit status is known to anybody.
pub(crate) fn run(args: &Check) -> Result<Status, Error> {
    let settings = Settings::load(&args.gate)?;
    let logs = Logs::read(&args.logs.names);
    output::spare(logs.files.iter().chain(&settings.files).chain(&args.base), &args.documents.resolve())?;
    let base = args.base.as_deref().map(diff::read).transpose()?;
    let is_needed = settings.own.is_some() || !logs.parsed.findings.is_empty();
    let repository = if is_needed { Repository::find(settings.own.as_ref())? } else { Repository::default() };
    let triage = leakgate_core::triage(&logs.parsed, &settings.gate, &repository);
    let mut verdict = leakgate_core::judge(&logs.parsed, &triage, &logs.sources, &settings.gate);
    if logs.report_errors().is_some() {
        verdict.outcome = Outcome::Error;
    }
    let run = Run {
        parsed: &logs.parsed,
        gate: &settings.gate,
        triage: &triage,
        verdict: &verdict,
        workspace: &repository,
        sources: &repository,
        changes: None,
    };
    let changes = base.map(|base| since(&base, &run)).transpose()?;
    let run = Run { changes: changes.as_deref(), ..run };
    write_all(&run, &args.documents)?;
    Ok(status(&verdict))
}

/// What has changed since an earlier run.
fn since(base: &leakgate_core::Document, run: &Run<'_>) -> Result<Vec<Change>, Error> {
    let mut text = String::new();
    // Writing into a string can't fail.
    let _ = emit::write(run, Format::Json, &Style::default(), &mut text);
    Ok(compare(base, &leakgate_core::Document::read("", &text).map_err(Error::Mistake)?))
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
    documents.resolve().iter().try_for_each(|document| write(run, document, documents.style()))
}

fn write(run: &Run<'_>, document: &Document, style: Style<'_>) -> Result<(), Error> {
    let style = match document.file {
        Some(_) => style,
        None => Style { colour: output::colours(), width: output::width(), ..style },
    };
    let mut text = String::new();
    // Writing into a string can't fail.
    let _ = emit::write(run, document.format, &style, &mut text);
    match &document.file {
        Some(path) => output::file(path, &text),
        None => output::stdout(&text),
    }
}
