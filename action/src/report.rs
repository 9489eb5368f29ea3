//! A run, reported through GitHub's interface: a check run with every annotation, and one comment
//! on the pull request.
//!
//! Nothing here changes a verdict: what could not be reported becomes a note.

use leakgate_core::emit::{self, Format, Run, Spot, Style};
use leakgate_core::{Disposition, Outcome};

use crate::error::Error;
use crate::github::{Annotation, CheckRun, Client, Comment, Conclusion, Level, Trouble};
use crate::output;
use crate::runner;
use crate::step::inputs::{Reporting, When};

/// What is reported, on which commit, and whose word it is.
pub(crate) struct Report<'a> {
    /// The run.
    pub(crate) run: &'a Run<'a>,
    /// What to report.
    pub(crate) settings: &'a Reporting,
    /// The commit.
    pub(crate) head: &'a str,
    /// Where the run is shown.
    pub(crate) url: Option<String>,
    /// Where the run is nobody's word but its own: what is said above it. Such a run is never a
    /// success.
    pub(crate) claim: Option<String>,
    /// What it was compared with.
    pub(crate) base: Option<String>,
}

/// Most annotations that one's own run shows, and that somebody's claim does.
const MAX_ANNOTATIONS: [usize; 2] = [5000, 500];

/// What became of it.
#[derive(Debug, Default)]
pub(crate) struct Reported {
    /// The check run shows every annotation.
    pub(crate) is_annotated: bool,
    /// What people should know; the first part is true where it is worth a warning.
    notes: Vec<(bool, String)>,
}

impl Reported {
    /// Something to know.
    pub(crate) fn note(&mut self, text: impl ToString) {
        self.notes.push((false, text.to_string()));
    }

    /// Something that was not reported, or not as it should be.
    pub(crate) fn warn(&mut self, text: impl ToString) {
        self.notes.push((true, text.to_string()));
    }

    /// Writes the one comment with this marker, which holds nothing that ends it, or removes it
    /// where there is no body.
    pub(crate) fn comment(
        &mut self,
        client: &Client,
        settings: &Reporting,
        pull: u64,
        marker: &str,
        body: Option<&str>,
        may_create: bool,
    ) {
        if settings.comment == When::Never {
            return;
        }
        let body = body.map(|body| format!("{marker}\n{body}"));
        match client.comment(pull, marker, body.as_deref(), may_create) {
            Ok(Comment::Created(url) | Comment::Updated(url)) => {
                self.note(format!("commented: {url}"))
            }
            Ok(Comment::Unchanged | Comment::Removed | Comment::Nothing) => {}
            Err(trouble) => self.trouble(&trouble, "pull-requests: write"),
        }
    }

    /// Tells the notes.
    pub(crate) fn say(&self) -> Result<(), Error> {
        self.notes
            .iter()
            .try_for_each(|(is_wrong, text)| match is_wrong {
                true => runner::warning(text),
                false => {
                    output::note(text);
                    Ok(())
                }
            })
    }

    /// Missing permission is how many workflows are, and no fault; all else is.
    fn trouble(&mut self, trouble: &Trouble, permission: &str) {
        match trouble {
            Trouble::Forbidden(text) => {
                self.note(format!("{text}; this needs the permission `{permission}`"))
            }
            other => self.warn(other),
        }
    }
}

impl Report<'_> {
    /// Reports what the settings ask for: to the commit, and, where there is one, to the pull
    /// request.
    pub(crate) fn send(&self, client: &Client, pull: Option<u64>, reported: &mut Reported) {
        let marker = format!("<!-- leakgate: {} -->", self.settings.name);
        // As long as the comment may be; the check run may be no longer.
        let document = self.document(Style::BUDGET - marker.len());
        self.check_run(client, &document, reported);
        if let Some(pull) = pull {
            let is_clean = self.run.verdict.outcome == Outcome::Pass;
            let is_wanted = self.settings.comment == When::Always || !is_clean;
            let body = Some(document.as_str()).filter(|_| is_wanted);
            reported.comment(client, self.settings, pull, &marker, body, is_wanted);
        }
    }

    /// Makes the check run, unless the settings are against it.
    pub(crate) fn check_run(&self, client: &Client, summary: &str, reported: &mut Reported) {
        if !self.settings.check_run {
            return;
        }
        let mut annotations: Vec<Annotation> =
            emit::annotations(self.run).iter().map(annotation).collect();
        let most = MAX_ANNOTATIONS[usize::from(self.claim.is_some())];
        if annotations.len() > most {
            reported.warn(format!(
                "the check run shows {most} of {} annotations",
                annotations.len()
            ));
            annotations.truncate(most);
        }
        // Nothing else may have it: legs of a matrix have the same job, run and attempt.
        let external_id = match runner::random_word() {
            Ok(word) => word,
            Err(error) => return reported.warn(error),
        };
        let (name, title) = match self.claim {
            // A branch may require the name of a run that decides. Nobody requires somebody's word.
            Some(_) => (
                format!("{} (unverified)", self.settings.name),
                format!("nobody checked: {}", title(self.run)),
            ),
            None => (self.settings.name.clone(), title(self.run)),
        };
        let check = CheckRun {
            name,
            head_sha: self.head.to_owned(),
            external_id,
            details_url: self.url.clone(),
            conclusion: match self.run.verdict.outcome {
                Outcome::Pass if self.claim.is_some() => Conclusion::Neutral,
                Outcome::Pass => Conclusion::Success,
                Outcome::Fail | Outcome::Error => Conclusion::Failure,
            },
            title,
            summary: summary.to_owned(),
            text: None,
            annotations,
        };
        match client.check_run(&check) {
            Ok(posted) => {
                reported.is_annotated = posted.trouble.is_none() && posted.refused == 0;
                if posted.refused > 0 {
                    let all = check.annotations.len();
                    reported.warn(format!(
                        "GitHub refused {} of the check run's {all} annotations",
                        posted.refused
                    ));
                }
                if let Some(trouble) = &posted.trouble {
                    reported.trouble(trouble, "checks: write");
                }
            }
            Err(trouble) => reported.trouble(&trouble, "checks: write"),
        }
    }

    /// The markdown of check run and comment.
    pub(crate) fn document(&self, budget: usize) -> String {
        let Some(claim) = &self.claim else {
            let base = self
                .base
                .as_ref()
                .map_or(String::new(), |base| format!("\n{base}\n"));
            let budget = budget - base.chars().count();
            let style = Style {
                budget,
                suppress: Some(leakgate_core::suppress),
                ..Style::default()
            };
            return format!(
                "{}{base}",
                emit::document(self.run, Format::Markdown, &style)
            );
        };
        if self.run.verdict.outcome == Outcome::Pass {
            return format!("> {claim}\n\nIt says that nothing is wrong.\n");
        }
        let style = Style {
            budget: budget - claim.chars().count() - 4,
            ..Style::default()
        };
        format!(
            "> {claim}\n\n{}",
            emit::document(self.run, Format::Markdown, &style)
        )
    }
}

/// The verdict in a few words.
fn title(run: &Run<'_>) -> String {
    let (findings, _) = run.triage.count(run.parsed, Disposition::Unexpected);
    let code = run
        .verdict
        .reasons
        .first()
        .map_or("", |reason| reason.code.as_str());
    match (run.verdict.outcome, findings) {
        (Outcome::Pass, _) => "nothing is wrong".to_owned(),
        (Outcome::Error, _) => "not everything could be read".to_owned(),
        (Outcome::Fail, 0) => format!("not proved clean: {code}"),
        (Outcome::Fail, 1) => "1 unexpected finding".to_owned(),
        (Outcome::Fail, n) => format!("{n} unexpected findings"),
    }
}

/// At its line; what has none in the repository stands where it is told.
fn annotation(annotation: &emit::Annotation) -> Annotation {
    let spot: Option<&Spot> = annotation.spot.as_ref().or(annotation.told_at.as_ref());
    let line = spot.and_then(|spot| spot.line).unwrap_or(1);
    let column = spot.and_then(|spot| spot.column);
    Annotation {
        path: spot.map_or_else(
            || crate::settings::CONFIG.to_owned(),
            |spot| spot.file.clone(),
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
