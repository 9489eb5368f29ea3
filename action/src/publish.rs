//! `leakgate publish`: reports what a run with a token that could only read has left as an
//! artifact.
//!
//! It runs in a workflow of its own (`on: workflow_run`), with a token that can write. What the
//! artifact says is hostile data: whoever opens a pull request decides what its run leaves. It is
//! shown as that run's word, and never becomes a success.

use std::cell::Cell;

use leakgate_core::emit::{Run, Style};
use leakgate_core::{Claims, Disposition, Document, Gate, NoWorkspace, Outcome, Policy};

use crate::error::{Error, Status};
use crate::github::{Access, Bundle, Client, Head, Pace, Pull};
use crate::output;
use crate::report::{Report, Reported};
use crate::runner::{self, Context, WorkflowRun};
use crate::settings;
use crate::step::inputs::{self, Reporting, When};
use crate::step::{JSON, Origin, PUBLISH, SCHEMA};

/// Runs the command. It decides about nothing: what it can't report is told, and no failure.
pub(crate) fn run() -> Result<Status, Error> {
    let told = publish();
    if let Err(error) = &told {
        // The error itself is what matters.
        let _ = runner::error(&error.to_string());
    }
    told.map(|()| Status::Pass)
}

fn publish() -> Result<(), Error> {
    let mut errors = Vec::new();
    let names = match inputs::lines(&runner::variable, "LEAKGATE_NAME") {
        names if names.is_empty() => vec![inputs::NAME.to_owned()],
        names => names,
    };
    let settings = Reporting::read(
        &|name| runner::variable(name).filter(|_| name != "LEAKGATE_NAME"),
        &mut errors,
    );
    let context = Context::read(&runner::variable);
    if !errors.is_empty() {
        return Err(Error::Several(errors));
    }
    let wrong = |what: &str| Error::Usage(format!("leakgate publish {what}"));
    let completed = context
        .completed
        .as_ref()
        .ok_or_else(|| wrong("belongs into a workflow with `on: workflow_run`"))?;
    let token = settings
        .token
        .clone()
        .ok_or_else(|| wrong("needs the input `token`"))?;
    let (owner, name) = context
        .repository
        .clone()
        .ok_or_else(|| wrong("needs GITHUB_REPOSITORY"))?;
    if completed.event != "pull_request" || !completed.could_only_read(context.repository_id) {
        output::note("nothing to publish: the token of that run could report by itself");
        return Ok(());
    }
    let access = Access {
        api: context.api.clone(),
        token,
        owner,
        name,
    };
    let client = Client::new(&access, Pace::default())
        .map_err(|trouble| Error::Usage(trouble.to_string()))?;
    let count = Cell::new(0);
    let wanted = |artifact: &str| {
        let is_wanted = names.iter().any(|name| is_named(name, artifact));
        count.set(count.get() + usize::from(is_wanted));
        is_wanted
    };
    let bundles = client.members_of_run(completed.id, wanted, &[JSON, PUBLISH]);
    let bundles = bundles.map_err(|trouble| Error::Usage(trouble.to_string()))?;
    if count.get() > bundles.len() && !bundles.is_empty() {
        output::note(&format!(
            "{} of the run's {} artifacts are published",
            bundles.len(),
            count.get()
        ));
    }
    if bundles.is_empty() {
        output::note(&format!(
            "nothing to publish: the run has no artifact named {}",
            names.join(" or ")
        ));
    }
    Publisher {
        client: &client,
        completed,
        settings: &settings,
    }
    .publish(&bundles)
    .say()
}

/// A name, or its beginning and `*`.
fn is_named(name: &str, artifact: &str) -> bool {
    match name.strip_suffix('*') {
        Some(start) => artifact.starts_with(start),
        None => artifact == name,
    }
}

/// Who publishes what.
struct Publisher<'a> {
    client: &'a Client,
    completed: &'a WorkflowRun,
    settings: &'a Reporting,
}

/// By which the comment is found again: one for all artifacts, whose names are somebody else's
/// choice.
const MARKER: &str = "<!-- leakgate: published -->";

impl Publisher<'_> {
    fn publish(&self, bundles: &[Bundle]) -> Reported {
        let mut reported = Reported::default();
        let mut documents = Vec::new();
        for bundle in bundles {
            match read(bundle) {
                Ok(document) => documents.push((bundle, document)),
                Err(what) => reported.warn(format!(
                    "the artifact {} of {}: {what}",
                    bundle.artifact, self.completed.html_url
                )),
            }
        }
        let pull = self.pull(bundles).unwrap_or_else(|trouble| {
            reported.warn(trouble);
            None
        });
        let mut parts = Vec::new();
        let mut is_clean = true;
        let room = (Style::BUDGET - MARKER.len()) / documents.len().max(1);
        for (bundle, document) in &documents {
            let head = format!("### `{}`\n\n", bundle.artifact.replace('`', "'"));
            let head = if documents.len() > 1 {
                head
            } else {
                String::new()
            };
            let part = self.one(bundle, document, room - head.chars().count(), &mut reported);
            is_clean &= document.verdict.outcome == Outcome::Pass;
            parts.push(format!("{head}{part}"));
        }
        if let Some(pull) = pull.filter(|_| !parts.is_empty()) {
            let may_create = !is_clean || self.settings.comment == When::Always;
            // A claim that nothing is left removes nothing.
            reported.comment(
                self.client,
                self.settings,
                pull.number,
                MARKER,
                Some(&parts.concat()),
                may_create,
            );
        }
        reported
    }

    /// Makes the check run of one artifact, and tells what belongs into the comment.
    fn one(
        &self,
        bundle: &Bundle,
        document: &Document,
        room: usize,
        reported: &mut Reported,
    ) -> String {
        let claims = Claims::of(document);
        let gate = Gate::new(Policy::default(), settings::today());
        let triage = claims.triage(document, &gate);
        let run = Run {
            parsed: &document.parsed,
            gate: &gate,
            triage: &triage,
            verdict: &document.verdict,
            workspace: &claims,
            // Whoever shows somebody else's word shows no line of a source.
            sources: &NoWorkspace,
            changes: None,
        };
        let settings = Reporting {
            name: bundle.artifact.clone(),
            ..self.settings.clone()
        };
        let report = Report {
            run: &run,
            settings: &settings,
            head: &self.completed.head_sha,
            url: Some(self.completed.html_url.clone()),
            claim: Some(format!(
                "This is what [a run]({}) of this pull request says. Nobody has checked it: who changes the code can change what its run says.",
                self.completed.html_url
            )),
            base: None,
        };
        report.check_run(self.client, &report.document(Style::BUDGET), reported);
        report.document(room)
    }

    /// The pull request: an open one whose newest commit the run was for. What the artifact says
    /// only chooses between several.
    fn pull(&self, bundles: &[Bundle]) -> Result<Option<Pull>, String> {
        let head = self
            .completed
            .head_repository
            .as_ref()
            .zip(self.completed.head_branch.as_deref());
        let Some((repository, branch)) = head else {
            return Ok(None);
        };
        let Some(owner) = &repository.owner else {
            return Ok(None);
        };
        let head = Head {
            repository: repository.id,
            owner: &owner.login,
            branch,
            sha: &self.completed.head_sha,
        };
        let mut pulls = self
            .client
            .pulls_of(head)
            .map_err(|trouble| trouble.to_string())?;
        if pulls.len() > 1 {
            let texts = bundles
                .iter()
                .filter_map(|bundle| bundle.members.as_ref().ok()?.get(PUBLISH));
            let mut origins = texts.filter_map(|text| serde_json::from_str::<Origin>(text).ok());
            let said = origins
                .find(|origin| origin.schema == SCHEMA)
                .and_then(|origin| origin.pull_request);
            pulls.retain(|pull| Some(pull.number) == said);
        }
        Ok(pulls.into_iter().next())
    }
}

/// The document of an artifact. What it says of findings stands above what it says of itself.
fn read(bundle: &Bundle) -> Result<Document, String> {
    inputs::artifact_name(&bundle.artifact).map_err(|error| error.to_string())?;
    let members = bundle.members.as_ref().map_err(ToString::to_string)?;
    let text = members
        .get(JSON)
        .ok_or_else(|| format!("holds no {JSON}"))?;
    let mut document = Document::read(JSON, text).map_err(|mistake| mistake.to_string())?;
    let is_clean = document
        .seen
        .iter()
        .all(|seen| seen.said() != Disposition::Unexpected);
    if document.verdict.outcome == Outcome::Pass
        && !(is_clean && document.verdict.reasons.is_empty())
    {
        document.verdict.outcome = Outcome::Fail;
    }
    Ok(document)
}
