//! A run, reported through GitHub's interface: a check run with every annotation, and one comment on the pull request.
//!
//! Nothing here changes a verdict: what could not be reported becomes a note.

use leakgate_core::emit::{self, Format, Run, Spot, Style};
use leakgate_core::{Disposition, Outcome};

use crate::check::text;
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
    /// The pull request to comment on.
    pub(crate) pull: Option<u64>,
    /// Where the run is nobody's word but its own: what is said above it. Such a run is never a success.
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
    pub(crate) notes: Vec<(bool, String)>,
}

impl Reported {
    /// Nothing but something to know.
    pub(crate) fn note(text: &str) -> Self {
        Self { is_annotated: false, notes: vec![(false, text.to_owned())] }
    }

    /// Writes the one comment with this marker, which holds nothing that ends it, or removes it where there is no body.
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
            Ok(Comment::Created(url) | Comment::Updated(url)) => self.notes.push((false, format!("commented: {url}"))),
            Ok(Comment::Unchanged | Comment::Removed | Comment::Nothing) => {}
            Err(trouble) => self.trouble(&trouble, "pull-requests: write"),
        }
    }

    /// What else was to be written.
    pub(crate) fn tried(&mut self, result: Result<(), Error>) {
        self.notes.extend(result.err().map(|error| (true, error.to_string())));
    }

    /// Tells the notes.
    pub(crate) fn say(&self) -> Result<(), Error> {
        self.notes.iter().try_for_each(|(is_wrong, text)| match is_wrong {
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
            Trouble::Forbidden(text) => self.notes.push((false, format!("{text}; this needs the permission `{permission}`"))),
            other => self.notes.push((true, other.to_string())),
        }
    }
}

impl Report<'_> {
    /// Reports what the settings ask for.
    pub(crate) fn send(&self, client: &Client) -> Reported {
        let mut reported = Reported::default();
        if self.settings.check_run {
            self.check_run(client, &mut reported);
        }
        if let Some(pull) = self.pull {
            let is_clean = self.run.verdict.outcome == Outcome::Pass;
            let is_wanted = self.settings.comment == When::Always || !is_clean;
            let marker = format!("<!-- leakgate: {} -->", self.settings.name);
            let body = is_wanted.then(|| self.document(Style::BUDGET - marker.len()));
            reported.comment(client, self.settings, pull, &marker, body.as_deref(), is_wanted);
        }
        reported
    }

    /// Makes the check run.
    pub(crate) fn check_run(&self, client: &Client, reported: &mut Reported) {
        let mut annotations: Vec<Annotation> = emit::annotations(self.run).iter().map(annotation).collect();
        let most = MAX_ANNOTATIONS[usize::from(self.claim.is_some())];
        if annotations.len() > most {
            reported.notes.push((true, format!("the check run shows {most} of {} annotations", annotations.len())));
            annotations.truncate(most);
        }
        // Nothing else may have it: legs of a matrix have the same job, run and attempt.
        let external_id = match runner::random_word() {
            Ok(word) => word,
            Err(error) => return reported.tried(Err(error)),
        };
        let check = CheckRun {
            // A branch may require the name of a run that decides. Nobody requires somebody's word.
            name: if self.claim.is_some() { format!("{} (unverified)", self.settings.name) } else { self.settings.name.clone() },
            head_sha: self.head.to_owned(),
            external_id,
            details_url: self.url.clone(),
            conclusion: match self.run.verdict.outcome {
                Outcome::Pass if self.claim.is_some() => Conclusion::Neutral,
                Outcome::Pass => Conclusion::Success,
                Outcome::Fail | Outcome::Error => Conclusion::Failure,
            },
            title: if self.claim.is_some() { format!("nobody checked: {}", title(self.run)) } else { title(self.run) },
            summary: self.document(Style::BUDGET),
            text: None,
            annotations,
        };
        match client.check_run(&check) {
            Ok(posted) => {
                reported.is_annotated = posted.trouble.is_none() && posted.refused == 0;
                if posted.refused > 0 {
                    let what =
                        format!("GitHub refused {} of the check run's {} annotations", posted.refused, check.annotations.len());
                    reported.notes.push((true, what));
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
            let base = self.base.as_ref().map_or(String::new(), |base| format!("\n{base}\n"));
            let budget = budget - base.chars().count();
            let style = Style { budget, suppress: Some(leakgate_core::suppress), ..Style::default() };
            return format!("{}{base}", text(self.run, Format::Markdown, &style));
        };
        if self.run.verdict.outcome == Outcome::Pass {
            return format!("> {claim}\n\nIt says that nothing is wrong.\n");
        }
        let style = Style { budget: budget - claim.chars().count() - 4, ..Style::default() };
        format!("> {claim}\n\n{}", text(self.run, Format::Markdown, &style))
    }
}

/// The verdict in a few words.
fn title(run: &Run<'_>) -> String {
    let (findings, _) = run.triage.count(run.parsed, Disposition::Unexpected);
    let code = run.verdict.reasons.first().map_or("", |reason| reason.code.as_str());
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
        path: spot.map_or_else(|| crate::settings::CONFIG.to_owned(), |spot| spot.file.clone()),
        start_line: line,
        end_line: line,
        start_column: column,
        end_column: column,
        level: if annotation.is_error { Level::Failure } else { Level::Warning },
        title: annotation.title.clone(),
        message: annotation.message.clone(),
        raw_details: Some(annotation.details.clone()).filter(|details| !details.is_empty()),
    }
}
