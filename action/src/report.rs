//! Reports a run through the GitHub API: a check run with all annotations, and a comment on the
//! pull request.
//!
//! A failure to report becomes a note or a warning and never changes the verdict.

mod links;

use leakgate_core::emit::{self, Format, Location, RenderOptions, Run};
use leakgate_core::{Disposition, Outcome};

pub(crate) use self::links::Links;
use crate::error::Error;
use crate::github::{
    Annotation, ApiError, CheckRun, Client, CommentOutcome, CommentUpdate, Conclusion, Level,
};
use crate::output;
use crate::runner;
use crate::step::identity::StepIdentity;
use crate::step::inputs::{CommentMode, Mode, ReportSettings};

/// A report for GitHub.
pub(crate) struct GithubReport<'a> {
    /// The run to report.
    pub(crate) run: &'a Run<'a>,
    /// What to report.
    pub(crate) settings: &'a ReportSettings,
    /// Name of the results, and the step that they come from.
    pub(crate) identity: &'a StepIdentity,
    /// Commit to report on.
    pub(crate) head_sha: &'a str,
    /// Why the results may not be those of that commit, in a few words. Such a report never counts
    /// as a success.
    pub(crate) mismatch: Option<&'a str>,
    /// Links to show.
    pub(crate) links: &'a Links,
    /// URL of the workflow run.
    pub(crate) url: Option<String>,
    /// Disclaimer, in Markdown, if the results are unverified. Such a report never counts as a
    /// success.
    pub(crate) disclaimer: Option<String>,
    /// Number of findings that are new since the baseline or the last run of the base branch.
    pub(crate) new_findings: u64,
    /// Annotations for the check run.
    pub(crate) annotations: &'a [emit::Annotation],
    /// Markdown after the report, such as the run that it is compared with.
    pub(crate) closing_note: Option<String>,
}

/// End of the name of a check run of unverified results.
pub(crate) const UNVERIFIED: &str = " (unverified)";

/// Maximum number of annotations in a check run.
const MAX_ANNOTATIONS: usize = 5000;

/// Maximum number of annotations in a check run of unverified results.
const MAX_UNVERIFIED_ANNOTATIONS: usize = 500;

/// Maximum length of the lines in a comment that identify it, in bytes.
const MAX_COMMENT_HEAD: usize = 400;

/// Returns the maximum length of a comment below the lines that identify it, in UTF-16 code units.
pub(crate) fn comment_budget() -> usize {
    RenderOptions::DEFAULT_MAX_CHARACTERS - MAX_COMMENT_HEAD
}

/// Notes and warnings about the reporting itself.
#[derive(Debug, Default)]
pub(crate) struct ReportLog {
    /// The annotations that the check run doesn't show. `None` without a check run.
    pub(crate) missing: Option<Vec<emit::Annotation>>,
    /// True if the token lacks the permission to write.
    pub(crate) is_forbidden: bool,
    entries: Vec<LogEntry>,
}

/// An entry of a [`ReportLog`].
#[derive(Debug)]
enum LogEntry {
    Note(String),
    Warning(String),
}

impl ReportLog {
    /// Adds a note.
    pub(crate) fn note(&mut self, text: impl ToString) {
        self.entries.push(LogEntry::Note(text.to_string()));
    }

    /// Adds a warning about something that was not reported, or only in part.
    pub(crate) fn warn(&mut self, text: impl ToString) {
        self.entries.push(LogEntry::Warning(text.to_string()));
    }

    /// Writes or removes the comment, unless the settings disable it.
    pub(crate) fn update_comment(
        &mut self,
        client: &Client,
        settings: &ReportSettings,
        update: &CommentUpdate<'_>,
    ) {
        if settings.comment == CommentMode::Never {
            return;
        }
        match client.update_comment(update) {
            Ok(CommentOutcome::Created(url) | CommentOutcome::Updated(url)) => {
                self.note(format!("wrote the comment {url}"))
            }
            Ok(CommentOutcome::Superseded) => {
                self.note("a later run has written the comment already")
            }
            Ok(CommentOutcome::Removed | CommentOutcome::Absent) => {}
            Err(error) => self.add_error(&error, "pull-requests: write"),
        }
    }

    /// Prints all notes and warnings.
    pub(crate) fn print(&self) -> Result<(), Error> {
        self.entries.iter().try_for_each(|entry| match entry {
            LogEntry::Warning(text) => runner::warning(text),
            LogEntry::Note(text) => {
                output::note(text);
                Ok(())
            }
        })
    }

    /// Adds an error of the API. A missing permission is only a note, because many workflows lack
    /// it on purpose.
    pub(crate) fn add_error(&mut self, error: &ApiError, permission: &str) {
        match error {
            ApiError::Forbidden(message) => {
                self.is_forbidden = true;
                self.note(format!("{message} (needs the permission `{permission}`)"))
            }
            // The request that failed has a warning.
            ApiError::Skipped(_) => {}
            other => self.warn(other),
        }
    }
}

impl GithubReport<'_> {
    /// Creates the check run and, for a pull request, the comment, as far as the settings ask for
    /// them. If `stops_if_forbidden` is true, no write follows one for which the token lacks the
    /// permission.
    pub(crate) fn send(
        &self,
        client: &Client,
        pull: Option<u64>,
        stops_if_forbidden: bool,
        log: &mut ReportLog,
    ) {
        // The budget fits both the comment and the check run.
        let markdown = self.markdown(comment_budget());
        self.create_check_run(client, &markdown, log);
        if let Some(pull) = pull.filter(|_| !(stops_if_forbidden && log.is_forbidden)) {
            let is_wanted = match self.settings.comment {
                CommentMode::Always => true,
                CommentMode::OnFindings => self.run.verdict.outcome != Outcome::Pass,
                CommentMode::OnNew => self.new_findings > 0,
                CommentMode::Never => false,
            };
            let update = CommentUpdate {
                pull,
                marker: &self.identity.comment_marker(),
                origin: &self.identity.origin,
                text: Some(markdown.as_str()).filter(|_| is_wanted),
                may_create: is_wanted,
            };
            log.update_comment(client, self.settings, &update);
        }
    }

    /// Creates the check run, unless the settings disable it.
    pub(crate) fn create_check_run(&self, client: &Client, summary: &str, log: &mut ReportLog) {
        if !self.settings.check_run {
            return;
        }
        let mut annotations: Vec<Annotation> = self.annotations.iter().map(annotation).collect();
        let max = if self.disclaimer.is_some() {
            MAX_UNVERIFIED_ANNOTATIONS
        } else {
            MAX_ANNOTATIONS
        };
        if annotations.len() > max {
            log.warn(format!(
                "the check run is limited to {max} of {} annotations",
                annotations.len()
            ));
            annotations.truncate(max);
        }
        let check = self.check_run(summary.to_owned(), annotations);
        match client.create_check_run(&check) {
            Ok(posted) => {
                let missing = posted.missing.iter();
                log.missing = Some(
                    missing
                        .filter_map(|index| self.annotations.get(*index).cloned())
                        .collect(),
                );
                if posted.is_renamed {
                    log.warn(format!(
                        "the check run is called `{}`, because another check run `{}` of this \
                         commit failed or could not be read; give each job and workflow its own \
                         `name`",
                        check.fallback_name, check.name
                    ));
                }
                let total = check.annotations.len();
                if posted.unsent > 0 {
                    log.note(format!(
                        "the check run omits {} of {total} annotations, because their files are \
                         not in the repository",
                        posted.unsent
                    ));
                }
                if posted.rejected > 0 {
                    log.warn(format!(
                        "GitHub rejected {} of {total} annotations of the check run",
                        posted.rejected
                    ));
                }
                if let Some(error) = &posted.error {
                    log.add_error(error, "checks: write");
                }
            }
            Err(error) => log.add_error(&error, "checks: write"),
        }
    }

    fn check_run(&self, summary: String, annotations: Vec<Annotation>) -> CheckRun {
        let is_unverified = self.disclaimer.is_some();
        let mut name = self.identity.name.clone();
        let mut title = title(self.run);
        if is_unverified {
            // Branch protection may require a check run of the plain name, and unverified results
            // must not satisfy it.
            name += UNVERIFIED;
            title = format!("unverified: {title}");
        }
        if let Some(mismatch) = self.mismatch {
            // The same is true for the results of another commit.
            name += " (another commit)";
            title = format!("{mismatch}: {title}");
        }
        CheckRun {
            fallback_name: self.identity.distinct_name(&name),
            name,
            head_sha: self.head_sha.to_owned(),
            origin: self.identity.origin.clone(),
            details_url: self.url.clone(),
            conclusion: match self.run.verdict.outcome {
                _ if self.mismatch.is_some() => Conclusion::Neutral,
                Outcome::Pass if is_unverified => Conclusion::Neutral,
                Outcome::Pass => Conclusion::Success,
                Outcome::Fail if self.settings.mode == Mode::ReportOnly => Conclusion::Neutral,
                Outcome::Fail | Outcome::Error => Conclusion::Failure,
            },
            title,
            summary,
            text: None,
            annotations,
        }
    }

    /// Returns the Markdown for the check run and the comment, within a budget of UTF-16 code
    /// units.
    pub(crate) fn markdown(&self, budget: usize) -> String {
        let Some(disclaimer) = &self.disclaimer else {
            let closing_note = self
                .closing_note
                .as_ref()
                .map_or(String::new(), |note| format!("\n{note}\n"));
            let budget = budget - closing_note.chars().count();
            let options = RenderOptions {
                max_characters: budget,
                suggest_rules: true,
                ..self.linked()
            };
            return format!(
                "{}{closing_note}",
                emit::render(self.run, Format::Markdown, &options)
            );
        };
        if self.run.verdict.outcome == Outcome::Pass {
            return format!("> {disclaimer}\n\nThe run reported no problems.\n");
        }
        let options = RenderOptions {
            max_characters: budget - disclaimer.chars().count() - 4,
            ..self.linked()
        };
        format!(
            "> {disclaimer}\n\n{}",
            emit::render(self.run, Format::Markdown, &options)
        )
    }

    fn linked(&self) -> RenderOptions<'_> {
        RenderOptions {
            files_url: self.links.files.as_deref(),
            preamble: &self.links.origin,
            ..RenderOptions::default()
        }
    }
}

/// Returns a short description of the verdict.
fn title(run: &Run<'_>) -> String {
    let count = |disposition| run.triage.count(run.parsed, disposition).groups;
    let findings = count(Disposition::Unexpected);
    let has_accepted = count(Disposition::Allowed) + count(Disposition::Baseline) > 0;
    let code = run
        .verdict
        .reasons
        .first()
        .map_or("", |reason| reason.code.as_str());
    match (run.verdict.outcome, findings) {
        (Outcome::Pass, _) if has_accepted => "no unexpected findings".to_owned(),
        (Outcome::Pass, _) => "no problems found".to_owned(),
        (Outcome::Error, _) => "an input could not be read".to_owned(),
        (Outcome::Fail, 0) => format!("not proven clean: {code}"),
        (Outcome::Fail, 1) => "1 unexpected finding".to_owned(),
        (Outcome::Fail, n) => format!("{n} unexpected findings"),
    }
}

/// Converts an annotation. A finding without a location in the repository is shown at its line in
/// the log, and otherwise at the configuration file.
fn annotation(annotation: &emit::Annotation) -> Annotation {
    let location: Option<&Location> = annotation
        .location
        .as_ref()
        .or(annotation.log_location.as_ref());
    let line = location.and_then(|location| location.line).unwrap_or(1);
    let column = location.and_then(|location| location.column);
    Annotation {
        path: location.map_or_else(
            || crate::settings::CONFIG.to_owned(),
            |location| location.file.clone(),
        ),
        start_line: line,
        end_line: line,
        start_column: column,
        end_column: column,
        level: if annotation.is_error {
            Level::Failure
        } else {
            Level::Warning
        },
        title: annotation.title.clone(),
        message: annotation.message.clone(),
        raw_details: Some(annotation.details.clone()).filter(|details| !details.is_empty()),
    }
}
