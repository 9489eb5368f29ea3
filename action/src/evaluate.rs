//! Triage and verdict of parsed logs, and the reports about them. `check`, `run`, `merge` and
//! the GitHub Action's step share this code.

use std::fmt::Write;
use std::mem;

use leakgate_core::compare::Change;
use leakgate_core::document::Document;
use leakgate_core::emit::{self, RenderOptions, Run};
use leakgate_core::fingerprint::Fingerprint;
use leakgate_core::triage::triage_with_fingerprints;
use leakgate_core::verdict::{ObservedRuns, Source};
use leakgate_core::{Gate, Outcome, Parsed, Triage, Verdict};

use crate::args::{ReportArgs, ReportTarget};
use crate::ci::CiSystem;
use crate::error::{Error, Status};
use crate::ingest::Logs;
use crate::output;
use crate::pack_hints;
use crate::settings::Settings;
use crate::workspace::Repository;

/// Logs with their triage and verdict under the settings.
pub(crate) struct Evaluation {
    pub(crate) logs: Logs,
    pub(crate) verdict: Verdict,
    pub(crate) triage: Triage,
    settings: Settings,
    repository: Repository,
    /// Messages of the read errors.
    input_errors: Vec<String>,
}

impl Evaluation {
    /// Evaluates existing logs. Prints read errors to standard error; any of them makes the
    /// outcome an error.
    pub(crate) fn new(settings: Settings, logs: Logs) -> Result<Self, Error> {
        Self::judged_by(settings, logs, Vec::new(), |logs, triage, gate| {
            leakgate_core::verdict::judge(&logs.parsed, triage, &logs.sources, gate)
        })
    }

    /// Evaluates the logs of a command that leakgate ran and observed.
    pub(crate) fn observed(
        settings: Settings,
        logs: Logs,
        watched: &ObservedRuns,
    ) -> Result<Self, Error> {
        Self::judged_by(settings, logs, Vec::new(), |logs, triage, gate| {
            leakgate_core::verdict::judge_observed(&logs.parsed, triage, watched, gate)
        })
    }

    /// Evaluates merged JSON reports. `errors` are those of reports that could not be merged.
    pub(crate) fn merged(
        settings: Settings,
        (merged, sources): (Document, Vec<Source>),
        errors: Vec<Error>,
    ) -> Result<Self, Error> {
        let unexpected = merged.unexpected();
        let fingerprints = merged.fingerprints();
        let legs = merged.verdict;
        let logs = Logs {
            parsed: merged.parsed,
            sources,
            files: Vec::new(),
            errors,
        };
        Self::judged_by(settings, logs, fingerprints, |logs, triage, gate| {
            let Logs {
                parsed, sources, ..
            } = logs;
            leakgate_core::verdict::judge_merged(parsed, triage, sources, &legs, &unexpected, gate)
        })
    }

    /// `known` are the fingerprints of the first findings.
    fn judged_by(
        settings: Settings,
        logs: Logs,
        known: Vec<Fingerprint>,
        judge: impl Fn(&Logs, &Triage, &Gate) -> Verdict,
    ) -> Result<Self, Error> {
        let needs_repository = settings.own_sources.is_some() || names_sources(&logs.parsed);
        let repository = if needs_repository {
            Repository::find(settings.own_sources.as_ref(), settings.project())?
        } else {
            Repository::default()
        };
        let triage = triage_with_fingerprints(&logs.parsed, known, &settings.gate, &repository);
        let mut verdict = judge(&logs, &triage, &settings.gate);
        if logs.report_errors().is_some() {
            verdict.outcome = Outcome::Error;
        }
        let input_errors = logs.errors.iter().map(ToString::to_string).collect();
        Ok(Self {
            input_errors,
            logs,
            verdict,
            triage,
            settings,
            repository,
        })
    }

    /// Returns a view for reports, with the changes since an earlier run if one is given.
    pub(crate) fn as_run<'a>(&'a self, changes: Option<&'a [Change]>) -> Run<'a> {
        let Settings { gate, .. } = &self.settings;
        Run::new(&self.logs.parsed, gate, &self.triage, &self.verdict)
            .with_workspace(&self.repository)
            .with_sources(&self.repository)
            .with_changes(changes)
            .with_input_errors(&self.input_errors)
    }

    /// Returns the exit status. Frees no memory, because the process ends next: freeing each stack
    /// takes a tenth of the time of a large report.
    pub(crate) fn into_status(self) -> Status {
        let status = exit_status(&self.verdict);
        mem::forget(self);
        status
    }
}

/// Returns true if a stack names a source file. Only then is git asked for the project's files.
fn names_sources(parsed: &Parsed) -> bool {
    let stacks = parsed.findings.iter().flat_map(|finding| &finding.stacks);
    let mut frames = stacks.flat_map(|stack| &stack.frames);
    frames.any(|frame| frame.info.file.is_some())
}

/// Returns the exit status for a verdict.
pub(crate) fn exit_status(verdict: &Verdict) -> Status {
    match verdict.outcome {
        Outcome::Pass => Status::Pass,
        Outcome::Fail => Status::Fail,
        Outcome::Error => Status::Error,
    }
}

/// Writes every report, then suggests packs at standard error. In the log of a CI system, the text
/// report is a group, followed by annotations, unless another report goes to standard output.
pub(crate) fn write_reports(run: &Run<'_>, args: &ReportArgs) -> Result<(), Error> {
    let ci = match args.has_stdout_format() {
        true => None,
        false => CiSystem::detect(),
    };
    for target in args.targets() {
        match ci {
            Some(ci) if target.file.is_none() => write_to_log(run, &target, args, ci)?,
            _ => write_report(run, &target, args)?,
        }
    }
    pack_hints::suggest_packs(run);
    Ok(())
}

/// Writes a report as a group of a CI system's log, and then annotations. Without annotations, the
/// verdict follows a group that has an end, because the group may be collapsed.
fn write_to_log(
    run: &Run<'_>,
    target: &ReportTarget,
    args: &ReportArgs,
    ci: CiSystem,
) -> Result<(), Error> {
    let group = ci.group(run.verdict.outcome);
    output::stdout(&group.begin)?;
    write_report(run, target, args)?;
    output::stdout(&group.end)?;
    let options = args.render_options();
    output::stdout_from(|out: &mut dyn Write| match ci.format() {
        Some(format) => emit::write(run, format, &options, out),
        None if group.end.is_empty() => Ok(()),
        None => emit::verdict_line(run, out),
    })
}

fn write_report(run: &Run<'_>, target: &ReportTarget, args: &ReportArgs) -> Result<(), Error> {
    let options = match target.file {
        Some(_) => args.render_options(),
        None => RenderOptions {
            color: output::use_color(),
            width: output::width(),
            max_findings: args.max_findings(),
            ..args.render_options()
        },
    };
    let text = |out: &mut dyn Write| emit::write(run, target.format, &options, out);
    match &target.file {
        Some(path) => output::file_from(path, text),
        None => output::stdout_from(text),
    }
}
