//! Publishes the results of a step, after the verdict is final. Failures only cause warnings.

use std::path::PathBuf;

use leakgate_core::Outcome;
use leakgate_core::emit::{self, Format, RenderOptions, Run};

use super::identity::StepIdentity;
use super::inputs::{AnnotationMode, Inputs, Mode};
use super::report_dir::ReportDir;
use super::tested::TestedCommit;
use crate::error::Error;
use crate::github::{ApiError, BaseRun, ChangedLines, Client, PullHead};
use crate::output;
use crate::report::{GithubReport, Links, ReportLog};
use crate::runner::{self, Context, HeadBranch, JobSummary};

/// Results of a run, to be published after the verdict is final.
pub(super) struct Results<'a> {
    pub(super) inputs: &'a Inputs,
    pub(super) context: &'a Context,
    pub(super) identity: &'a StepIdentity,
    pub(super) run: &'a Run<'a>,
    /// Commit that the results are about.
    pub(super) tested: &'a TestedCommit,
    /// Number of new findings.
    pub(super) new_findings: u64,
    /// Markdown after the report.
    pub(super) closing_note: Option<String>,
}

impl Results<'_> {
    /// Publishes the results wherever the inputs ask for it. Failures become warnings.
    pub(super) fn publish(
        &self,
        client: Option<&Client>,
        report_dir: &ReportDir,
        logs: &[PathBuf],
    ) -> Result<(), Error> {
        let mut log = ReportLog::default();
        let annotations = self.annotations(client, &mut log);
        let links = self.links();
        if let Some(client) = client {
            self.send(client, &annotations, &links, &mut log);
        }
        if self.inputs.upload {
            report_dir
                .copy_logs(logs)
                .iter()
                .for_each(|error| log.warn(error));
        }
        if self.inputs.summary {
            self.write_summary(&links)
                .unwrap_or_else(|error| log.warn(error));
        }
        if self.inputs.annotations != AnnotationMode::None {
            let missing = log.missing.as_deref().unwrap_or(&annotations);
            output::stdout(&emit::annotation_commands(missing))?;
        }
        log.print()
    }

    /// Returns the annotations that the input `annotations` asks for.
    fn annotations(&self, client: Option<&Client>, log: &mut ReportLog) -> Vec<emit::Annotation> {
        let mut annotations = emit::annotations(self.run);
        if self.inputs.annotations != AnnotationMode::ChangedLines {
            return annotations;
        }
        let changed = match self.changed_lines(client) {
            Ok(changed) => changed,
            Err(cause) => {
                log.warn(format!("annotating all findings: {cause}"));
                return annotations;
            }
        };
        let total = annotations.len();
        annotations.retain(|annotation| !annotation.is_finding || is_changed(annotation, &changed));
        let left_out = total - annotations.len();
        if left_out > 0 {
            log.note(format!(
                "findings without an annotation, because they are not at changed lines: {left_out}"
            ));
        }
        annotations
    }

    /// Returns the lines that the pull request changes, or why they are unknown.
    fn changed_lines(&self, client: Option<&Client>) -> Result<ChangedLines, String> {
        let pull = self
            .context
            .pull_request
            .as_ref()
            .ok_or("this run is not for a pull request, so no changed lines are known")?;
        let client = client.ok_or("cannot read the changed lines without a token")?;
        client
            .changed_lines(pull.number)
            .map_err(|error| error.to_string())
    }

    /// Returns the links of the report.
    fn links(&self) -> Links {
        let server = &self.context.server;
        // The same condition as in action.yml.
        let has_artifacts = server == "https://github.com" || server.ends_with(".ghe.com");
        Links::new(
            self.context,
            &self.tested.sha,
            self.context.run_url().as_deref(),
            self.inputs.upload && has_artifacts,
        )
    }

    /// Creates the check run and the comment, as far as the token permits.
    fn send(
        &self,
        client: &Client,
        annotations: &[emit::Annotation],
        links: &Links,
        log: &mut ReportLog,
    ) {
        if let Some(mismatch) = &self.tested.mismatch {
            log.warn(format!(
                "{mismatch}; the check run is neutral and has another name. Use `on: pull_request` \
                 to test pull requests"
            ));
        }
        let report = GithubReport {
            run: self.run,
            settings: &self.inputs.report,
            identity: self.identity,
            head_sha: &self.context.head_sha,
            mismatch: self.tested.mismatch.as_deref(),
            links,
            url: self.context.run_url(),
            disclaimer: None,
            new_findings: self.new_findings,
            annotations,
            closing_note: self.closing_note.clone(),
        };
        // If the job has failed before, its logs are missing for that reason.
        let is_consequence =
            self.context.has_failed_step && self.run.verdict.outcome == Outcome::Error;
        let pull = match is_consequence {
            true => Ok(None),
            false => pull_to_comment_on(self.context, client),
        };
        let pull = pull.unwrap_or_else(|error| {
            log.add_error(&error, "pull-requests: read");
            None
        });
        let may_be_read_only = self.context.may_have_read_only_token();
        report.send(client, pull, may_be_read_only, log);
        // `leakgate publish` leaves out runs that have created a check run.
        if may_be_read_only && log.is_forbidden && log.missing.is_none() {
            log.note(
                "the token of this run is read-only, as for most pull requests from forks and \
                 Dependabot; use `leakgate publish` to report the rest (see docs/action.md)",
            );
        }
    }

    /// Appends as much of the report to the job summary as fits.
    fn write_summary(&self, links: &Links) -> Result<(), Error> {
        let Some(summary) = JobSummary::from_env(&runner::variable) else {
            return Ok(());
        };
        let end = self
            .closing_note
            .as_ref()
            .map_or(String::from("\n"), |note| format!("\n{note}\n"));
        // The budget counts UTF-16 code units, each of which takes at most three bytes.
        let mut budget = summary.remaining.saturating_sub(end.len());
        let mut markdown = String::new();
        while budget > 0 {
            let options = RenderOptions {
                max_characters: budget,
                suggest_rules: true,
                files_url: links.files.as_deref(),
                preamble: &links.origin,
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

/// Returns true if the pull request changes the line of an annotation.
fn is_changed(annotation: &emit::Annotation, changed: &ChangedLines) -> bool {
    annotation.location.as_ref().is_some_and(|location| {
        location
            .line
            .is_some_and(|line| changed.contains(&location.file, line))
    })
}

/// Returns what follows the report, in Markdown: the run that it is compared with, and that a
/// failure has no effect. `None` if neither applies.
pub(super) fn closing_note(base: Option<&BaseRun>, mode: Mode, outcome: Outcome) -> Option<String> {
    let compared = base.map(|base| {
        let short: String = base.sha.chars().take(7).collect();
        format!("Compared with [{short}]({}).", base.url)
    });
    let report_only = (mode == Mode::ReportOnly && outcome == Outcome::Fail).then(|| {
        "The job doesn't fail for this, because leakgate only reports (`mode: report-only`).".into()
    });
    let lines: Vec<String> = [compared, report_only].into_iter().flatten().collect();
    (!lines.is_empty()).then(|| lines.join("\n\n"))
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
