//! `leakgate action`: the step of the GitHub Action. `action.yml` only passes its inputs on.
//!
//! The verdict is final before anything is reported, so a failed report can't change it.

pub(crate) mod identity;
pub(crate) mod inputs;
mod merge;
mod report_dir;
mod results;
mod tested;

use std::collections::HashSet;
use std::path::PathBuf;

use leakgate_core::Disposition;
use leakgate_core::compare::{Change, ChangeKind};
use leakgate_core::document::Document;
use leakgate_core::emit::{self, Format, RenderOptions, Run};

use self::identity::StepIdentity;
use self::inputs::{Evidence, Inputs, Mode};
use self::merge::MergeRequest;
use self::report_dir::ReportDir;
pub(crate) use self::report_dir::{JSON_FILE, ORIGIN_FILE, ORIGIN_SCHEMA, RunOrigin};
use self::results::{Results, closing_note};
use self::tested::TestedCommit;
use crate::error::{Error, Status};
use crate::evaluate::{Evaluation, exit_status};
use crate::github::{Access, ApiError, BaseQuery, BaseRun, Client, RetryPolicy};
use crate::ingest::Logs;
use crate::output;
use crate::run::{RunRequest, Session};
use crate::runner::{self, Context, StepOutputs};
use crate::settings::{CONFIG, Settings};

/// Runs the command. On an error, the output `outcome` is `error`.
pub(crate) fn run() -> Result<Status, Error> {
    let outputs = StepOutputs::from_env(&runner::variable);
    run_step(&outputs).inspect_err(|error| {
        // If these fail, too, the first error is the one to report.
        let _ = runner::error(&error.to_string());
        let _ = outputs.set(&[("outcome", "error".into())]);
    })
}

fn run_step(outputs: &StepOutputs) -> Result<Status, Error> {
    let inputs = Inputs::from_env(&runner::variable)?;
    let context = Context::from_env(&runner::variable);
    let temporary = runner::variable("RUNNER_TEMP").map(PathBuf::from);
    let temporary = temporary.as_deref();
    let identity = StepIdentity::of_step(inputs.name.as_deref(), &context, temporary)?;
    let settings = Settings::load(&inputs.gate)?;
    output::note(&settings.config.as_deref().map_or_else(
        || format!("{CONFIG} not found"),
        |path| format!("rules: {}", path.display()),
    ));
    runner::hide_environment();
    let client = client(&inputs, &context);
    let (evaluation, _session) = evaluate(&inputs, &context, settings, client.as_ref())?;
    let report_dir = ReportDir::new(temporary)?;
    // A request may take long, and these must not depend on it.
    print_results(&evaluation, &identity, &report_dir, outputs)?;
    let base = base_run(&identity, &context, client.as_ref());
    let changes = base
        .as_ref()
        .map(|(_, document)| emit::changes_since(document, &evaluation.as_run(None)));
    let run = evaluation.as_run(changes.as_deref());
    let new_findings = count_new(&run);
    if let Some((base, _)) = &base {
        let short: String = base.sha.chars().take(7).collect();
        runner::print_untrusted(&format!("new findings since {short}: {new_findings}\n"))?;
        outputs.set(&[("new", new_findings.to_string())])?;
    }
    write_reports(&inputs, &context, &identity, &run, &report_dir)?;
    // The verdict is final. Failures from here on only cause warnings.
    let base = base.as_ref().map(|(base, _)| base);
    Results {
        inputs: &inputs,
        context: &context,
        identity: &identity,
        run: &run,
        tested: &TestedCommit::new(&context),
        new_findings,
        closing_note: closing_note(base, inputs.report.mode, run.verdict.outcome),
    }
    .publish(client.as_ref(), &report_dir, &evaluation.logs.files)?;
    Ok(step_status(
        exit_status(&evaluation.verdict),
        inputs.report.mode,
    ))
}

/// Prints the text report and the read errors, and sets the outputs. Until they are compared with an
/// earlier run, the findings that are not in the baseline count as new.
fn print_results(
    evaluation: &Evaluation,
    identity: &StepIdentity,
    report_dir: &ReportDir,
    outputs: &StepOutputs,
) -> Result<(), Error> {
    let run = evaluation.as_run(None);
    runner::print_untrusted(&emit::render(&run, Format::Text, &RenderOptions::default()))?;
    evaluation
        .logs
        .errors
        .iter()
        .try_for_each(|error| runner::error(&error.to_string()))?;
    outputs.set(&output_values(&run, identity, count_new(&run), report_dir))
}

/// Returns the exit status of the step, which is never [`Status::Fail`] if the action only reports.
fn step_status(status: Status, mode: Mode) -> Status {
    if mode == Mode::ReportOnly && status == Status::Fail {
        output::note("the gate failed; the step succeeds because of `mode: report-only`");
        return Status::Pass;
    }
    status
}

/// Evaluates logs, a command, or the reports of other jobs. Also returns the session of the command,
/// which deletes its logs when it is dropped.
fn evaluate(
    inputs: &Inputs,
    context: &Context,
    settings: Settings,
    client: Option<&Client>,
) -> Result<(Evaluation, Option<Session>), Error> {
    match &inputs.evidence {
        Evidence::Logs { patterns, no_logs } => {
            let logs = Logs::read(patterns, &settings.formats, (*no_logs).into());
            Ok((Evaluation::new(settings, logs)?, None))
        }
        Evidence::Command {
            argv,
            tools,
            timeout,
        } => {
            let request = RunRequest {
                argv,
                tools,
                all: false,
                root: settings.folder(),
                patterns: &settings.programs,
                timeout: *timeout,
                tracks_descriptors: false,
            };
            let session = Session::new(&request, None, false)?;
            let (watched, logs) = session.run(&settings)?;
            let evaluation = Evaluation::observed(settings, logs, &watched)?;
            Ok((evaluation, Some(session)))
        }
        Evidence::Artifacts { names, needs } => {
            let request = MergeRequest {
                names,
                needs: needs.as_ref(),
                context,
                client,
            };
            Ok((request.evaluate(settings)?, None))
        }
    }
}

/// Creates the GitHub client. `None` without a token or a repository.
fn client(inputs: &Inputs, context: &Context) -> Option<Client> {
    let (owner, name) = context.repository.clone()?;
    let token = inputs.report.token.clone()?;
    match Client::new(
        &Access {
            api: context.api.clone(),
            token,
            owner,
            name,
        },
        RetryPolicy::default(),
    ) {
        Ok(client) => Some(client),
        Err(error) => {
            let _ = runner::warning(&error.to_string());
            None
        }
    }
}

/// Downloads the results of the last run of the base branch.
fn base_run(
    identity: &StepIdentity,
    context: &Context,
    client: Option<&Client>,
) -> Option<(BaseRun, Document)> {
    let found = client?.base_run(&BaseQuery {
        artifact: &identity.name,
        member: JSON_FILE,
        branch: context.base_branch.as_deref()?,
        current_run: context.run_id.parse().ok(),
        workflow: context.workflow.as_deref(),
    });
    let base = match found {
        Ok(base) => base?,
        Err(error @ ApiError::Unreachable(_)) => {
            // Reporting is skipped, too, without a further message.
            let _ = runner::warning(&format!("{error}; GitHub gets no report"));
            return None;
        }
        Err(error) => {
            output::note(&format!("skipping the comparison: {error}"));
            return None;
        }
    };
    match Document::read(JSON_FILE, &base.text) {
        Ok(document) => Some((base, document)),
        Err(error) => {
            output::note(&format!("skipping the comparison: {}: {error}", base.sha));
            None
        }
    }
}

/// Writes the report in several formats.
fn write_reports(
    inputs: &Inputs,
    context: &Context,
    identity: &StepIdentity,
    run: &Run<'_>,
    report_dir: &ReportDir,
) -> Result<(), Error> {
    let options = RenderOptions {
        category: &identity.name,
        suggest_rules: true,
        ..RenderOptions::default()
    };
    report_dir.write(JSON_FILE, run, Format::Json, &options)?;
    report_dir.write("leakgate.sarif", run, Format::Sarif, &options)?;
    report_dir.write("leakgate.html", run, Format::Html, &options)?;
    let pull_request = context.pull_request.as_ref().map(|pull| pull.number);
    report_dir.write_origin(&RunOrigin {
        schema: ORIGIN_SCHEMA.into(),
        pull_request,
        head_sha: context.head_sha.clone(),
        job: context.job.clone(),
        matrix_leg: context.matrix_leg,
        is_merged: matches!(inputs.evidence, Evidence::Artifacts { .. }),
    })
}

fn output_values(
    run: &Run<'_>,
    identity: &StepIdentity,
    new_findings: u64,
    report_dir: &ReportDir,
) -> Vec<(&'static str, String)> {
    let number = |all: &[Disposition]| {
        run.triage
            .count_where(run.parsed, |i| all.contains(&i.disposition))
            .groups
            .to_string()
    };
    let unexpected = || {
        run.parsed
            .findings
            .iter()
            .zip(&run.triage.findings)
            .filter(|(_, i)| i.disposition == Disposition::Unexpected)
    };
    let bytes =
        unexpected().filter_map(|(finding, item)| Some(finding.leak?.times(item.records).bytes));
    vec![
        ("outcome", run.verdict.outcome.as_str().into()),
        ("unexpected", number(&[Disposition::Unexpected])),
        ("new", new_findings.to_string()),
        (
            "allowed",
            number(&[Disposition::Allowed, Disposition::Baseline]),
        ),
        ("bytes", bytes.fold(0, u64::saturating_add).to_string()),
        ("json", report_dir.file_path(JSON_FILE)),
        ("sarif", report_dir.file_path("leakgate.sarif")),
        ("html", report_dir.file_path("leakgate.html")),
        ("reports", report_dir.path()),
        ("name", identity.name.clone()),
    ]
}

/// Counts the unexpected findings that are neither in the baseline nor in the last run of the base
/// branch.
fn count_new(run: &Run<'_>) -> u64 {
    let is_new = |change: &&Change| change.change == ChangeKind::New;
    let new_since_base = run.changes.map(|changes| {
        changes
            .iter()
            .filter(is_new)
            .map(|change| change.fingerprint.as_str())
            .collect::<HashSet<_>>()
    });
    run.triage
        .count_where(run.parsed, |item| {
            let is_in_base = new_since_base
                .as_ref()
                .is_some_and(|new| !new.contains(&item.fingerprint.as_str()));
            item.disposition == Disposition::Unexpected && item.cause.is_none() && !is_in_base
        })
        .groups
}
