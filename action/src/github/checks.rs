//! Check runs.
//!
//! A check run is made without annotations, which follow in batches that GitHub appends. So the
//! verdict stands whatever an annotation holds, and the number of those that GitHub has tells where
//! to go on after an answer that got lost.

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::clean::{self, Annotation};
use super::client::{Call, Client, segment};
use super::trouble::Trouble;

/// Most annotations in one request.
const BATCH: usize = 50;

/// How many batches GitHub may refuse before the client no longer searches them for the bad
/// annotation.
const SEARCHES: usize = 64;

/// Most pages of check runs that are looked through.
const PAGES: usize = 10;

const TRIED: &str = "the check run could not be made";
const TRIED_MORE: &str = "the annotations could not be added to the check run";

/// A check run that is complete.
#[derive(Clone, Debug)]
pub(crate) struct CheckRun {
    /// Its name, which is what branch protection names.
    pub name: String,
    /// The commit it is about.
    pub head_sha: String,
    /// What it is found by. No other check run of this name and commit may have the same: run and
    /// attempt belong into it.
    pub external_id: String,
    /// Where there is more to see.
    pub details_url: Option<String>,
    /// What came out.
    pub conclusion: Conclusion,
    /// A few words.
    pub title: String,
    /// What there is to say, in markdown.
    pub summary: String,
    /// More of it.
    pub text: Option<String>,
    /// Remarks at lines, in the order in which they are to be shown.
    pub annotations: Vec<Annotation>,
}

/// What came out of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conclusion {
    /// It passed.
    Success,
    /// It failed.
    Failure,
    /// It says nothing about the merge.
    Neutral,
}

/// A check run that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Posted {
    /// Where people see it.
    pub url: Option<String>,
    /// How many annotations GitHub took.
    pub annotations: usize,
    /// How many GitHub refused, or would have.
    pub refused: usize,
    /// Why the others, if there are any, were not added.
    pub trouble: Option<Trouble>,
}

/// A check run as GitHub shows it.
#[derive(Debug, Deserialize)]
struct Run {
    id: u64,
    #[serde(default)]
    html_url: Option<String>,
    #[serde(default)]
    external_id: Option<String>,
    #[serde(default)]
    name: String,
    #[serde(default)]
    output: Output,
}

/// What of its output matters here.
#[derive(Debug, Default, Deserialize)]
struct Output {
    #[serde(default)]
    annotations_count: usize,
}

/// A page of check runs.
#[derive(Debug, Deserialize)]
struct Runs {
    check_runs: Vec<Run>,
}

impl Client {
    /// Makes a check run and adds its annotations.
    pub(crate) fn check_run(&self, run: &CheckRun) -> Result<Posted, Trouble> {
        self.block(self.post(run))
    }

    async fn post(&self, run: &CheckRun) -> Result<Posted, Trouble> {
        let output = clean::output(&run.title, &run.summary, run.text.as_deref());
        let made = self.create(run, &output).await?;
        let annotations: Vec<_> = run
            .annotations
            .iter()
            .filter_map(clean::annotation)
            .collect();
        let refused = run.annotations.len() - annotations.len();
        let posted = Posted {
            url: made.html_url,
            annotations: made.output.annotations_count,
            refused,
            trouble: None,
        };
        let done = Box::pin(self.annotate(made.id, &output, &annotations, posted)).await;
        Ok(Posted {
            trouble: done.trouble.map(|trouble| self.scrubbed(trouble)),
            ..done
        })
    }

    async fn create(&self, run: &CheckRun, output: &Value) -> Result<Run, Trouble> {
        let mut body = json!({
            "name": run.name,
            "head_sha": run.head_sha,
            "external_id": run.external_id,
            "status": "completed",
            "conclusion": match run.conclusion {
                Conclusion::Success => "success",
                Conclusion::Failure => "failure",
                Conclusion::Neutral => "neutral",
            },
            "output": output,
        });
        if let Some(url) = &run.details_url {
            body["details_url"] = url.as_str().into();
        }
        let call = Call::new(Method::POST, self.path("/check-runs"), TRIED).with(body);
        self.once(
            &call,
            |answer| answer.read(TRIED),
            async || self.made(run).await,
        )
        .await
    }

    /// The check run, if an attempt that seemed to fail has made it.
    async fn made(&self, run: &CheckRun) -> Result<Option<Run>, Trouble> {
        for page in 1..=PAGES {
            let query = format!(
                "check_name={}&filter=all&per_page=100&page={page}",
                segment(&run.name)
            );
            let path = self.path(&format!(
                "/commits/{}/check-runs?{query}",
                segment(&run.head_sha)
            ));
            let answer = self.ask(&Call::get(path, TRIED)).await?;
            let runs: Runs = answer.read(TRIED)?;
            let is_it = |found: &Run| {
                found.name == run.name && found.external_id.as_deref() == Some(&run.external_id)
            };
            if let Some(found) = runs.check_runs.into_iter().find(is_it) {
                return Ok(Some(found));
            }
            if !answer.has_more() {
                break;
            }
        }
        Ok(None)
    }

    /// Adds annotations, in order. A batch that GitHub refuses is halved until only what is bad in
    /// it is left.
    async fn annotate(
        &self,
        id: u64,
        output: &Value,
        annotations: &[Value],
        mut posted: Posted,
    ) -> Posted {
        let mut rest: Vec<_> = annotations.chunks(BATCH).rev().collect();
        let mut searches = 0;
        while let Some(batch) = rest.pop() {
            match self.append(id, output, batch, posted.annotations).await {
                Ok(taken) => {
                    posted.annotations += taken;
                    rest.extend(Some(&batch[taken..]).filter(|left| !left.is_empty()));
                }
                Err(Trouble::Invalid(_)) if batch.len() == 1 || searches == SEARCHES => {
                    posted.refused += batch.len()
                }
                Err(Trouble::Invalid(_)) => {
                    searches += 1;
                    let (first, second) = batch.split_at(batch.len() / 2);
                    rest.extend([second, first]);
                }
                Err(trouble) => {
                    return Posted {
                        trouble: Some(trouble),
                        ..posted
                    };
                }
            }
        }
        posted
    }

    /// Adds a batch to the annotations that GitHub has, and tells how many of it were taken.
    async fn append(
        &self,
        id: u64,
        output: &Value,
        batch: &[Value],
        had: usize,
    ) -> Result<usize, Trouble> {
        let path = self.path(&format!("/check-runs/{id}"));
        // Title and summary go along, for what is left out of an output is taken out of it.
        let mut output = output.clone();
        output["annotations"] = batch.into();
        let call =
            Call::new(Method::PATCH, path.clone(), TRIED_MORE).with(json!({ "output": output }));
        let look = async || {
            let run: Run = self
                .ask(&Call::get(path.clone(), TRIED_MORE))
                .await?
                .read(TRIED_MORE)?;
            let taken = run
                .output
                .annotations_count
                .saturating_sub(had)
                .min(batch.len());
            Ok(Some(taken).filter(|taken| *taken > 0))
        };
        self.once(&call, |_| Ok(batch.len()), look).await
    }
}
