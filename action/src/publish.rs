//! `leakgate publish`: reports what a run with a token that could only read has left as an artifact.
//!
//! It runs in a workflow of its own (`on: workflow_run`), with a token that can write. What the artifact says is hostile data: whoever
//! opens a pull request decides what its run leaves. It is shown as that run's word, and never becomes a success.

use std::collections::BTreeMap;

use leakgate_core::emit::Run;
use leakgate_core::{Claims, Document, Gate, Policy};

use crate::error::{Error, Status};
use crate::github::{Access, Bundle, Client, Head, Pace, Pull, Token};
use crate::output;
use crate::report::{Report, Reported};
use crate::runner::{self, Context, WorkflowRun};
use crate::settings;
use crate::step::inputs::{self, Reporting};
use crate::step::{JSON, Origin, PUBLISH, SCHEMA};

/// Most artifacts of a run that are reported.
const MAX_ARTIFACTS: usize = 20;

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
    let settings = Reporting::read(&|name| runner::variable(name).filter(|_| name != "LEAKGATE_NAME"), &mut errors);
    let context = Context::read(&runner::variable);
    if !errors.is_empty() {
        return Err(Error::Several(errors));
    }
    let wrong = |what: &str| Error::Usage(format!("leakgate publish {what}"));
    let completed = context.completed.as_ref().ok_or_else(|| wrong("belongs into a workflow with `on: workflow_run`"))?;
    let token = settings.token.as_deref().ok_or_else(|| wrong("needs the input `token`"))?;
    let (owner, name) = context.repository.clone().ok_or_else(|| wrong("needs GITHUB_REPOSITORY"))?;
    if completed.event != "pull_request" || !completed.could_only_read(context.repository_id) {
        output::note("nothing to publish: the token of that run could report by itself");
        return Ok(());
    }
    let access = Access { api: context.api.clone(), token: Token::new(token), owner, name };
    let client = Client::new(&access, Pace::default()).map_err(|trouble| Error::Usage(trouble.to_string()))?;
    let wanted = |artifact: &str| names.iter().any(|name| is_named(name, artifact));
    let bundles = client.members_of_run(completed.id, wanted, &[JSON, PUBLISH]);
    let bundles = bundles.map_err(|trouble| Error::Usage(trouble.to_string()))?;
    if bundles.is_empty() {
        output::note(&format!("nothing to publish: the run has no artifact named {}", names.join(" or ")));
    }
    let publisher = Publisher { client: &client, completed, settings: &settings };
    bundles.iter().take(MAX_ARTIFACTS).try_for_each(|bundle| publisher.publish(bundle).say())
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

impl Publisher<'_> {
    fn publish(&self, bundle: &Bundle) -> Reported {
        match self.read(bundle) {
            Ok(document) => self.report(bundle, &document),
            Err(what) => {
                let mut reported = Reported::default();
                reported.notes.push((true, format!("the artifact {} of {}: {what}", bundle.artifact, self.completed.html_url)));
                reported
            }
        }
    }

    fn read(&self, bundle: &Bundle) -> Result<Document, String> {
        inputs::artifact_name(&bundle.artifact).map_err(|error| error.to_string())?;
        let text = bundle.members.get(JSON).ok_or_else(|| format!("holds no {JSON}"))?;
        Document::read(JSON, text).map_err(|mistake| mistake.to_string())
    }

    fn report(&self, bundle: &Bundle, document: &Document) -> Reported {
        let mut reported = Reported::default();
        let pull = self.pull(&bundle.members).unwrap_or_else(|trouble| {
            reported.notes.push((true, trouble));
            None
        });
        let claims = Claims::of(document);
        let gate = Gate::new(Policy::default(), settings::today());
        let triage = claims.triage(document, &gate);
        let run = Run {
            parsed: &document.parsed,
            gate: &gate,
            triage: &triage,
            verdict: &document.verdict,
            workspace: &claims,
            sources: &NoSources,
            changes: None,
        };
        let settings = Reporting { name: bundle.artifact.clone(), ..self.settings.clone() };
        let sent = Report {
            run: &run,
            settings: &settings,
            head: &self.completed.head_sha,
            id: format!("leakgate-publish/{}/{}", self.completed.id, bundle.artifact),
            url: Some(self.completed.html_url.clone()),
            pull: pull.map(|pull| pull.number),
            claim: Some(format!(
                "This is what [a run]({}) of this pull request says. Nobody has checked it: who changes the code can change what its run says.",
                self.completed.html_url
            )),
            base: None,
        };
        let more = sent.send(self.client);
        Reported { is_annotated: more.is_annotated, notes: [reported.notes, more.notes].concat() }
    }

    /// The pull request: an open one whose newest commit the run was for. What the artifact says only chooses between several.
    fn pull(&self, members: &BTreeMap<String, String>) -> Result<Option<Pull>, String> {
        let head = self.completed.head_repository.as_ref().zip(self.completed.head_branch.as_deref());
        let Some((repository, branch)) = head else { return Ok(None) };
        let Some(owner) = &repository.owner else { return Ok(None) };
        let head = Head { repository: repository.id, owner: &owner.login, branch, sha: &self.completed.head_sha };
        let mut pulls = self.client.pulls_of(head).map_err(|trouble| trouble.to_string())?;
        if pulls.len() > 1 {
            let origin: Option<Origin> = members.get(PUBLISH).and_then(|text| serde_json::from_str(text).ok());
            let said = origin.filter(|o| o.schema == SCHEMA).and_then(|o| o.pull_request);
            pulls.retain(|pull| Some(pull.number) == said);
        }
        Ok(pulls.into_iter().next())
    }
}

/// Whoever shows somebody else's word shows no line of a source.
struct NoSources;

impl leakgate_core::emit::Excerpt for NoSources {
    fn line(&self, _: &str, _: u32) -> Option<String> {
        None
    }
}
