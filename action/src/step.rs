//! `leakgate action`: the step of the GitHub Action. `action.yml` hands over its inputs and does
//! nothing else.
//!
//! The verdict is made before anything is reported, and no report changes it.

mod folder;
pub(crate) mod inputs;

use std::collections::HashSet;

use leakgate_core::emit::{self, Format, Run, Style};
use leakgate_core::{Change, Disposition, Document, What};

use self::folder::Folder;
pub(crate) use self::folder::{JSON, Origin, PUBLISH, SCHEMA};
use self::inputs::Inputs;
use crate::check::{Checked, status};
use crate::error::{Error, Status};
use crate::github::{Access, BaseRun, Client, Head, Pace, Trouble};
use crate::logs::Logs;
use crate::output;
use crate::report::{Report, Reported};
use crate::run::{Asked, Session};
use crate::runner::{self, Context, Files, HeadOf, Summary};
use crate::settings::{CONFIG, Settings};

/// Runs the command. Whatever goes wrong, the outputs say so.
pub(crate) fn run() -> Result<Status, Error> {
    let files = Files::read(&runner::variable);
    step(&files).inspect_err(|error| {
        // The error itself is what matters.
        let _ = runner::error(&error.to_string());
        let _ = files.set(&[("outcome", "error".into())]);
    })
}

fn step(files: &Files) -> Result<Status, Error> {
    let inputs = Inputs::read(&runner::variable)?;
    let context = Context::read(&runner::variable);
    let settings = Settings::load(&inputs.gate)?;
    output::note(&settings.config.as_deref().map_or_else(
        || format!("no {CONFIG} was found"),
        |path| format!("rules: {}", path.display()),
    ));
    let session = session(&inputs)?;
    let checked = match &session {
        Some(session) => {
            let (watched, logs) = session.watch(&settings)?;
            Checked::watched(settings, logs, &watched)?
        }
        None => {
            let logs = Logs::read(&inputs.reports, &settings.formats);
            Checked::of(settings, logs)?
        }
    };
    let github = client(&inputs, &context);
    let base = base(&inputs, &context, github.as_ref());
    let changes = base
        .as_ref()
        .map(|(_, document)| emit::changes_since(document, &checked.run(None)));
    let run = checked.run(changes.as_deref());

    runner::bracketed(&emit::document(&run, Format::Text, &Style::default()))?;
    checked
        .logs
        .errors
        .iter()
        .try_for_each(|error| runner::error(&error.to_string()))?;
    let folder = documents(&inputs, &context, &run)?;
    files.set(&outputs(&run, &folder))?;
    let base = base.map(|(base, _)| told(&base));
    // From here on the verdict stands, and nothing that goes wrong changes it.
    let mut reported = Reported::default();
    if let Some(client) = github {
        report(
            &inputs,
            &context,
            &run,
            base.as_deref(),
            &client,
            &mut reported,
        );
    }
    if inputs.upload {
        folder
            .copy(&checked.logs.files)
            .iter()
            .for_each(|error| reported.warn(error));
    }
    if inputs.summary {
        summarise(&run, base.as_deref()).unwrap_or_else(|error| reported.warn(error));
    }
    if inputs.annotations && !reported.is_annotated {
        output::stdout(&emit::document(
            &run,
            Format::Annotations,
            &Style::default(),
        ))?;
    }
    reported.say()?;
    Ok(status(&checked.verdict))
}

/// The command to run, where there is one in place of logs.
fn session(inputs: &Inputs) -> Result<Option<Session>, Error> {
    let asked = Asked {
        words: &inputs.command,
        tools: &inputs.tools,
        all: false,
        timeout: None,
    };
    (!inputs.command.is_empty())
        .then(|| Session::new(&asked, None, false))
        .transpose()
}

/// Who reports, where somebody may.
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
        Pace::default(),
    ) {
        Ok(client) => Some(client),
        Err(trouble) => {
            let _ = runner::warning(&trouble.to_string());
            None
        }
    }
}

/// The last run of the base branch, as its artifact tells of it.
fn base(
    inputs: &Inputs,
    context: &Context,
    client: Option<&Client>,
) -> Option<(BaseRun, Document)> {
    let found = client?.base(
        &inputs.report.name,
        JSON,
        context.base.as_deref()?,
        context.run.parse().ok(),
    );
    let base = match found {
        Ok(base) => base?,
        Err(trouble) => {
            output::note(&format!("nothing to compare with: {trouble}"));
            return None;
        }
    };
    match Document::read(JSON, &base.text) {
        Ok(document) => Some((base, document)),
        Err(mistake) => {
            output::note(&format!("nothing to compare with: {}: {mistake}", base.sha));
            None
        }
    }
}

/// What was compared with, in markdown.
fn told(base: &BaseRun) -> String {
    let short: String = base.sha.chars().take(7).collect();
    format!("Compared with [{short}]({}).", base.url)
}

/// Writes every document into a folder.
fn documents(inputs: &Inputs, context: &Context, run: &Run<'_>) -> Result<Folder, Error> {
    let folder = Folder::new(runner::variable("RUNNER_TEMP").as_deref())?;
    let style = Style {
        category: &inputs.report.name,
        suppress: Some(leakgate_core::suppress),
        ..Style::default()
    };
    folder.write(JSON, run, Format::Json, &style)?;
    folder.write("leakgate.sarif", run, Format::Sarif, &style)?;
    folder.write("leakgate.html", run, Format::Html, &style)?;
    let pull_request = context.pull.as_ref().map(|pull| pull.number);
    folder.write_origin(&Origin {
        schema: SCHEMA.into(),
        pull_request,
        head_sha: context.head.clone(),
    })?;
    Ok(folder)
}

fn outputs(run: &Run<'_>, folder: &Folder) -> Vec<(&'static str, String)> {
    let number = |all: &[Disposition]| {
        run.triage
            .count_where(run.parsed, |i| all.contains(&i.disposition))
            .0
            .to_string()
    };
    let unexpected = || {
        run.parsed
            .findings
            .iter()
            .zip(&run.triage.items)
            .filter(|(_, i)| i.disposition == Disposition::Unexpected)
    };
    let bytes =
        unexpected().filter_map(|(finding, item)| Some(finding.leak?.times(item.records).bytes));
    vec![
        ("outcome", run.verdict.outcome.as_str().into()),
        ("unexpected", number(&[Disposition::Unexpected])),
        ("new", new(run).to_string()),
        (
            "allowed",
            number(&[Disposition::Allowed, Disposition::Baseline]),
        ),
        ("bytes", bytes.fold(0, u64::saturating_add).to_string()),
        ("json", folder.at(JSON)),
        ("sarif", folder.at("leakgate.sarif")),
        ("html", folder.at("leakgate.html")),
        ("reports", folder.path()),
    ]
}

/// Unexpected findings that neither the baseline nor the last run of the base branch knows.
fn new(run: &Run<'_>) -> u64 {
    let is_new = |change: &&Change| change.what == What::New;
    let of_base = run.changes.map(|all| {
        all.iter()
            .filter(is_new)
            .map(|change| change.fingerprint.as_str())
            .collect::<HashSet<_>>()
    });
    run.triage
        .count_where(run.parsed, |item| {
            let base_knows = of_base
                .as_ref()
                .is_some_and(|new| !new.contains(&item.fingerprint.as_str()));
            item.disposition == Disposition::Unexpected && item.cause.is_none() && !base_knows
        })
        .0
}

fn report(
    inputs: &Inputs,
    context: &Context,
    run: &Run<'_>,
    base: Option<&str>,
    client: &Client,
    reported: &mut Reported,
) {
    if context.can_only_read() {
        reported
            .note("the token of this run can only read, as those of forks; `leakgate publish` reports the rest (docs/action.md)");
        return;
    }
    let report = Report {
        run,
        settings: &inputs.report,
        head: &context.head,
        url: context.run_url(),
        claim: None,
        base: base.map(str::to_owned),
    };
    let pull = newest(context, client).unwrap_or_else(|trouble| {
        reported.warn(trouble);
        None
    });
    report.send(client, pull, reported);
}

/// The pull request, while this run is for its newest commit: an older one never takes the place of
/// a newer one's comment.
fn newest(context: &Context, client: &Client) -> Result<Option<u64>, Trouble> {
    let Some(pull) = &context.pull else {
        return Ok(None);
    };
    let Some(HeadOf {
        repository,
        owner,
        branch,
    }) = &pull.head
    else {
        return Ok(None);
    };
    let open = match client.pulls_of(Head {
        repository: *repository,
        owner,
        branch,
        sha: &context.head,
    }) {
        // What may not be read can't be commented on, which the comment itself will tell.
        Err(Trouble::Forbidden(_)) => return Ok(Some(pull.number)),
        other => other?,
    };
    Ok(open
        .iter()
        .any(|found| found.number == pull.number)
        .then_some(pull.number))
}

/// Adds to the summary of the job what fits into it.
fn summarise(run: &Run<'_>, base: Option<&str>) -> Result<(), Error> {
    let Some(summary) = Summary::read(&runner::variable) else {
        return Ok(());
    };
    let end = base.map_or(String::from("\n"), |base| format!("\n{base}\n"));
    // The budget counts UTF-16 code units, each of which takes three bytes at most.
    let mut budget = summary.room.saturating_sub(end.len());
    let mut markdown = String::new();
    while budget > 0 {
        let style = Style {
            budget,
            suppress: Some(leakgate_core::suppress),
            ..Style::default()
        };
        markdown = emit::document(run, Format::Markdown, &style);
        if markdown.len() + end.len() <= summary.room {
            break;
        }
        budget -= (budget / 8).max(1);
    }
    summary.add(&format!("{markdown}{end}"))
}
