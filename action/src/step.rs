//! `leakgate action`: the step of the GitHub Action. `action.yml` only passes its inputs on.
//!
//! The verdict is final before anything is reported, so a failed report can't change it.

pub(crate) mod inputs;
mod report_dir;

use std::collections::HashSet;
use std::path::PathBuf;

use leakgate_core::Disposition;
use leakgate_core::compare::{Change, ChangeKind};
use leakgate_core::document::Document;
use leakgate_core::emit::{self, Format, RenderOptions, Run};

use self::inputs::Inputs;
use self::report_dir::ReportDir;
pub(crate) use self::report_dir::{JSON_FILE, ORIGIN_FILE, ORIGIN_SCHEMA, RunOrigin};
use crate::error::{Error, Status};
use crate::evaluate::{Evaluation, exit_status};
use crate::github::{Access, ApiError, BaseQuery, BaseRun, Client, PullHead, RetryPolicy};
use crate::ingest::Logs;
use crate::output;
use crate::report::{GithubReport, ReportLog};
use crate::run::{RunRequest, Session};
use crate::runner::{self, Context, HeadBranch, JobSummary, StepOutputs};
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
    let settings = Settings::load(&inputs.gate)?;
    output::note(&settings.config.as_deref().map_or_else(
        || format!("{CONFIG} not found"),
        |path| format!("rules: {}", path.display()),
    ));
    // The logs of a session are deleted with it, so it lives until they are copied.
    let session = session(&inputs, &settings)?;
    let evaluation = evaluate(&inputs, settings, session.as_ref())?;
    let client = client(&inputs, &context);
    let base = base_run(&inputs, &context, client.as_ref());
    let changes = base
        .as_ref()
        .map(|(_, document)| emit::changes_since(document, &evaluation.as_run(None)));
    let run = evaluation.as_run(changes.as_deref());

    runner::print_untrusted(&emit::render(&run, Format::Text, &RenderOptions::default()))?;
    evaluation
        .logs
        .errors
        .iter()
        .try_for_each(|error| runner::error(&error.to_string()))?;
    let report_dir = write_reports(&inputs, &context, &run)?;
    outputs.set(&output_values(&run, &report_dir))?;
    // The verdict is final. Failures from here on only cause warnings.
    let base_note = base.map(|(base, _)| base_note(&base));
    Results {
        inputs: &inputs,
        context: &context,
        run: &run,
        base_note: base_note.as_deref(),
    }
    .publish(client.as_ref(), &report_dir, &evaluation.logs.files)?;
    Ok(exit_status(&evaluation.verdict))
}

/// Evaluates the logs of the session, or else those of the input `reports`.
fn evaluate(
    inputs: &Inputs,
    settings: Settings,
    session: Option<&Session>,
) -> Result<Evaluation, Error> {
    match session {
        Some(session) => {
            let (watched, logs) = session.run(&settings)?;
            Evaluation::observed(settings, logs, &watched)
        }
        None => {
            let logs = Logs::read(&inputs.reports, &settings.formats, inputs.no_logs);
            Evaluation::new(settings, logs)
        }
    }
}

/// Creates a session for the input `run`. `None` if the input is empty.
fn session(inputs: &Inputs, settings: &Settings) -> Result<Option<Session>, Error> {
    let request = RunRequest {
        argv: &inputs.command,
        tools: &inputs.tools,
        all: false,
        root: settings.folder(),
        patterns: &settings.programs,
        timeout: None,
    };
    (!inputs.command.is_empty())
        .then(|| Session::new(&request, None, false))
        .transpose()
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
    inputs: &Inputs,
    context: &Context,
    client: Option<&Client>,
) -> Option<(BaseRun, Document)> {
    let found = client?.base_run(&BaseQuery {
        artifact: &inputs.report.name,
        member: JSON_FILE,
        branch: context.base_branch.as_deref()?,
        current_run: context.run_id.parse().ok(),
        workflow: context.workflow.as_deref(),
    });
    let base = match found {
        Ok(base) => base?,
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

/// Names the run that was compared with, in Markdown.
fn base_note(base: &BaseRun) -> String {
    let short: String = base.sha.chars().take(7).collect();
    format!("Compared with [{short}]({}).", base.url)
}

/// Writes the report in several formats to a new directory.
fn write_reports(inputs: &Inputs, context: &Context, run: &Run<'_>) -> Result<ReportDir, Error> {
    let report_dir = ReportDir::new(runner::variable("RUNNER_TEMP").as_deref())?;
    let options = RenderOptions {
        category: &inputs.report.name,
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
    })?;
    Ok(report_dir)
}

fn output_values(run: &Run<'_>, report_dir: &ReportDir) -> Vec<(&'static str, String)> {
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
        ("new", count_new(run).to_string()),
        (
            "allowed",
            number(&[Disposition::Allowed, Disposition::Baseline]),
        ),
        ("bytes", bytes.fold(0, u64::saturating_add).to_string()),
        ("json", report_dir.file_path(JSON_FILE)),
        ("sarif", report_dir.file_path("leakgate.sarif")),
        ("html", report_dir.file_path("leakgate.html")),
        ("reports", report_dir.path()),
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

/// Results of a run, to be published after the verdict is final.
struct Results<'a> {
    inputs: &'a Inputs,
    context: &'a Context,
    run: &'a Run<'a>,
    /// Names the run that these results are compared with, in Markdown.
    base_note: Option<&'a str>,
}

impl Results<'_> {
    /// Publishes the results wherever the inputs ask for it. Failures become warnings.
    fn publish(
        &self,
        client: Option<&Client>,
        report_dir: &ReportDir,
        logs: &[PathBuf],
    ) -> Result<(), Error> {
        let mut log = ReportLog::default();
        if let Some(client) = client {
            self.send(client, &mut log);
        }
        if self.inputs.upload {
            report_dir
                .copy_logs(logs)
                .iter()
                .for_each(|error| log.warn(error));
        }
        if self.inputs.summary {
            self.write_summary().unwrap_or_else(|error| log.warn(error));
        }
        if self.inputs.annotations && !log.is_annotated {
            output::stdout(&emit::render(
                self.run,
                Format::Annotations,
                &RenderOptions::default(),
            ))?;
        }
        log.print()
    }

    /// Creates the check run and the comment, unless the token is read-only.
    fn send(&self, client: &Client, log: &mut ReportLog) {
        if self.context.has_read_only_token() {
            log.note(
                "the token of this run is read-only, as for pull requests from forks; use \
                 `leakgate publish` to report the rest (see docs/action.md)",
            );
            return;
        }
        let report = GithubReport {
            run: self.run,
            settings: &self.inputs.report,
            head_sha: &self.context.head_sha,
            url: self.context.run_url(),
            disclaimer: None,
            base_note: self.base_note.map(str::to_owned),
        };
        let pull = pull_to_comment_on(self.context, client).unwrap_or_else(|error| {
            log.warn(error);
            None
        });
        report.send(client, pull, log);
    }

    /// Appends as much of the report to the job summary as fits.
    fn write_summary(&self) -> Result<(), Error> {
        let Some(summary) = JobSummary::from_env(&runner::variable) else {
            return Ok(());
        };
        let end = self
            .base_note
            .map_or(String::from("\n"), |note| format!("\n{note}\n"));
        // The budget counts UTF-16 code units, each of which takes at most three bytes.
        let mut budget = summary.remaining.saturating_sub(end.len());
        let mut markdown = String::new();
        while budget > 0 {
            let options = RenderOptions {
                max_characters: budget,
                suggest_rules: true,
                ..RenderOptions::default()
            };
            markdown = emit::render(self.run, Format::Markdown, &options);
            if markdown.len() + end.len() <= summary.remaining {
                break;
            }
            budget -= (budget / 8).max(1);
        }
        summary.append(&format!("{markdown}{end}"))
    }
}

/// Returns the number of the pull request if this run is for its newest commit. An older run must
/// not overwrite the comment of a newer one.
fn pull_to_comment_on(context: &Context, client: &Client) -> Result<Option<u64>, ApiError> {
    let Some(pull) = &context.pull_request else {
        return Ok(None);
    };
    let Some(HeadBranch {
        repository,
        owner,
        branch,
    }) = &pull.head
    else {
        return Ok(None);
    };
    let open = match client.open_pulls(PullHead {
        repository: *repository,
        owner,
        branch,
        sha: &context.head_sha,
    }) {
        // Without read permission, commenting fails, too, and reports the missing permission.
        Err(ApiError::Forbidden(_)) => return Ok(Some(pull.number)),
        other => other?,
    };
    Ok(open
        .iter()
        .any(|found| found.number == pull.number)
        .then_some(pull.number))
}
