//! Artifacts of other runs: those of the branch that a pull request goes to, and those of a run
//! that asks to be published.
//!
//! A fork may call its branch `main` and its artifact as it likes, so that a name alone proves
//! nothing.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::client::{Answer, Call, Client, segment};
use super::trouble::Trouble;
use super::unpack::{self, members};

/// Most pages of artifacts that are looked through.
const PAGES: usize = 10;

/// Most artifacts whose run is asked for when the one to compare with is searched.
const CANDIDATES: usize = 20;

/// Most artifacts of one run that are read.
const BUNDLES: usize = 20;

/// Most bytes of text that are taken from one run.
const TEXT: usize = 256 << 20;

const TRIED_BASE: &str = "the results of the base branch could not be read";
const TRIED_RUN: &str = "the results of the run could not be read";

/// What an earlier run on a branch left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BaseRun {
    /// The commit that the run was for.
    pub sha: String,
    /// Where people see the run.
    pub url: String,
    /// The member that was asked for.
    pub text: String,
}

/// One artifact of a run. Whoever made it may be anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bundle {
    /// Its name.
    pub artifact: String,
    /// Those of the members that were asked for, by their names; or why it can't be read.
    pub members: Result<BTreeMap<String, String>, Trouble>,
}

/// A page of artifacts.
#[derive(Debug, Deserialize)]
struct Artifacts {
    artifacts: Vec<Artifact>,
}

/// An artifact as GitHub shows it.
#[derive(Debug, Deserialize)]
struct Artifact {
    id: u64,
    name: String,
    expired: bool,
    #[serde(default)]
    created_at: Option<String>,
    #[serde(default)]
    workflow_run: Option<Origin>,
}

/// The run that an artifact is from. GitHub may leave out any of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Origin {
    id: Option<u64>,
    repository_id: Option<u64>,
    head_repository_id: Option<u64>,
    head_branch: Option<String>,
    head_sha: Option<String>,
}

/// A run as GitHub shows it.
#[derive(Debug, Deserialize)]
struct Run {
    html_url: String,
    event: String,
    head_sha: String,
    #[serde(default)]
    head_branch: Option<String>,
    repository: Repository,
    #[serde(default)]
    head_repository: Option<Repository>,
}

/// A repository, by what never changes of it.
#[derive(Debug, Deserialize)]
struct Repository {
    id: u64,
}

/// What two commits are to each other.
#[derive(Debug, Deserialize)]
struct Comparison {
    status: String,
}

/// An artifact that tells of the branch, as far as the artifact itself says.
struct Candidate {
    artifact: u64,
    run: u64,
    repository: u64,
    sha: String,
}

impl Candidate {
    /// None unless the artifact is from a branch of that name in this very repository.
    fn new(artifact: Artifact, branch: &str) -> Option<Self> {
        let origin = artifact.workflow_run?;
        let repository = origin.repository_id?;
        let is_of_branch =
            origin.head_branch? == branch && origin.head_repository_id? == repository;
        (is_of_branch && !artifact.expired).then_some(Self {
            artifact: artifact.id,
            run: origin.id?,
            repository,
            sha: origin.head_sha?,
        })
    }

    /// True if the run was for a push of this commit to that branch of this repository.
    fn is_push(&self, run: &Run, branch: &str) -> bool {
        run.event == "push"
            && run.head_sha == self.sha
            && run.head_branch.as_deref() == Some(branch)
            && run.repository.id == self.repository
            && run
                .head_repository
                .as_ref()
                .is_some_and(|head| head.id == self.repository)
    }
}

impl Client {
    /// What the newest run on `branch` left behind as `member` of its `artifact`. `not_run` is left
    /// out: the run that asks.
    ///
    /// It is the newest that was made by a push to the branch of this repository, for a commit that
    /// still lies on it.
    pub(crate) fn base(
        &self,
        artifact: &str,
        member: &str,
        branch: &str,
        not_run: Option<u64>,
    ) -> Result<Option<BaseRun>, Trouble> {
        self.block(async {
            let path = self.path(&format!("/actions/artifacts?name={}", segment(artifact)));
            let mut artifacts = self.artifacts(&path, TRIED_BASE).await?;
            artifacts.retain(|found| found.name == artifact);
            artifacts.sort_by(|a, b| (&b.created_at, b.id).cmp(&(&a.created_at, a.id)));
            let candidates = artifacts
                .into_iter()
                .filter_map(|artifact| Candidate::new(artifact, branch));
            for candidate in candidates
                .filter(|candidate| Some(candidate.run) != not_run)
                .take(CANDIDATES)
            {
                let Some(url) = self.proved(&candidate, branch).await? else {
                    continue;
                };
                let Some(mut found) = self
                    .unpacked(candidate.artifact, &[member], TRIED_BASE)
                    .await?
                else {
                    continue;
                };
                let Some(text) = found.remove(member) else {
                    continue;
                };
                return Ok(Some(BaseRun {
                    sha: candidate.sha,
                    url,
                    text,
                }));
            }
            Ok(None)
        })
    }

    /// Where people see the candidate's run, if it was a push to the branch and the commit still
    /// lies there.
    async fn proved(&self, candidate: &Candidate, branch: &str) -> Result<Option<String>, Trouble> {
        let path = self.path(&format!("/actions/runs/{}", candidate.run));
        let Some(answer) = self.lookup(path).await? else {
            return Ok(None);
        };
        let run: Run = answer.read(TRIED_BASE)?;
        if !candidate.is_push(&run, branch) {
            return Ok(None);
        }
        let range = format!("{}...{}", segment(&candidate.sha), segment(branch));
        let Some(answer) = self
            .lookup(self.path(&format!("/compare/{range}?per_page=1")))
            .await?
        else {
            return Ok(None);
        };
        let comparison: Comparison = answer.read(TRIED_BASE)?;
        Ok(matches!(comparison.status.as_str(), "ahead" | "identical").then_some(run.html_url))
    }

    async fn lookup(&self, path: String) -> Result<Option<Answer>, Trouble> {
        let answer = self
            .ask(&Call::get(path, TRIED_BASE).that_may_lack())
            .await?;
        Ok(answer.status.is_success().then_some(answer))
    }

    /// Members of the artifacts of a run, by the artifacts' names. Of artifacts of one name the
    /// newest counts.
    ///
    /// Whoever could start the run made them: what they say is a claim.
    pub(crate) fn members_of_run(
        &self,
        run: u64,
        is_wanted: impl Fn(&str) -> bool,
        wanted: &[&str],
    ) -> Result<Vec<Bundle>, Trouble> {
        self.block(async {
            let trouble = |why: &str| Trouble::Other(format!("{TRIED_RUN}: {why}"));
            let found = self
                .artifacts(
                    &self.path(&format!("/actions/runs/{run}/artifacts?")),
                    TRIED_RUN,
                )
                .await?;
            let of_run = |a: &Artifact| {
                a.workflow_run
                    .as_ref()
                    .is_none_or(|origin| origin.id == Some(run))
            };
            let mut newest = BTreeMap::new();
            for artifact in found
                .into_iter()
                .filter(|a| !a.expired && is_wanted(&a.name) && of_run(a))
            {
                let id = newest.entry(artifact.name).or_insert(artifact.id);
                *id = artifact.id.max(*id);
            }
            let (mut bundles, mut size) = (Vec::new(), 0);
            for (artifact, id) in newest.into_iter().take(BUNDLES) {
                // One that is broken keeps no other from being read.
                let members = match self.unpacked(id, wanted, TRIED_RUN).await {
                    Ok(Some(members)) => {
                        size += members.values().map(String::len).sum::<usize>();
                        let is_much = size > TEXT;
                        if is_much {
                            Err(trouble(&format!(
                                "its artifacts hold more than {} MiB",
                                TEXT >> 20
                            )))
                        } else {
                            Ok(members)
                        }
                    }
                    Ok(None) => continue,
                    Err(trouble) => Err(trouble),
                };
                bundles.push(Bundle { artifact, members });
            }
            Ok(bundles)
        })
    }

    /// All artifacts of a list.
    async fn artifacts(&self, path: &str, tried: &str) -> Result<Vec<Artifact>, Trouble> {
        let mut all = Vec::new();
        for page in 1..=PAGES {
            let join = if path.ends_with('?') { "" } else { "&" };
            let answer = self
                .ask(&Call::get(
                    format!("{path}{join}per_page=100&page={page}"),
                    tried,
                ))
                .await?;
            let found: Artifacts = answer.read(tried)?;
            all.extend(found.artifacts);
            if !answer.has_more() {
                break;
            }
        }
        Ok(all)
    }

    /// Members of an artifact, unless it is no longer there.
    async fn unpacked(
        &self,
        id: u64,
        wanted: &[&str],
        tried: &str,
    ) -> Result<Option<BTreeMap<String, String>>, Trouble> {
        let path = self.path(&format!("/actions/artifacts/{id}/zip"));
        let call = Call {
            file: Some(unpack::ARCHIVE),
            ..Call::get(path, tried).that_may_lack()
        };
        let answer = self.ask(&call).await?;
        if !answer.status.is_success() {
            return Ok(None);
        }
        let text = |why| Trouble::Other(format!("{tried}: artifact {id}: {why}"));
        members(&answer.body, wanted).map(Some).map_err(text)
    }
}
