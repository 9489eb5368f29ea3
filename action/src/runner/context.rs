//! Event, repository and commit of the run, from the runner's variables and the event payload.

use std::path::Path;

use serde::Deserialize;

use super::matrix::{self, MatrixLeg};

/// Actor of runs that Dependabot starts.
const DEPENDABOT: &str = "dependabot[bot]";

/// Event, repository and commit of the current run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Context {
    /// URL of the API: `https://api.github.com`, or that of a GitHub Enterprise Server with its
    /// path.
    pub(crate) api: String,
    /// URL of the website: `https://github.com`, or that of a GitHub Enterprise Server.
    pub(crate) server: String,
    /// Owner and name of the repository.
    pub(crate) repository: Option<(String, String)>,
    /// Id of the repository.
    pub(crate) repository_id: Option<u64>,
    /// Name of the event: `pull_request`, `push`, …
    pub(crate) event: String,
    /// Commit to report on. For a pull request, this is its head and not the merge commit that was
    /// built, because GitHub only shows reports on the head.
    pub(crate) head_sha: String,
    /// Branch to compare with.
    pub(crate) base_branch: Option<String>,
    /// Merge of the pull request into its base, as the event names it.
    pub(crate) merge_sha: Option<String>,
    /// Pull request of the event.
    pub(crate) pull_request: Option<PullRequest>,
    /// Completed run that triggered this one (`on: workflow_run`).
    pub(crate) completed_run: Option<WorkflowRun>,
    /// Path of the workflow file in its repository. `None` if it is unknown.
    pub(crate) workflow: Option<String>,
    /// Id of the run.
    pub(crate) run_id: String,
    /// Number of the attempt, from 1.
    pub(crate) run_attempt: String,
    /// Id of the job in its workflow.
    pub(crate) job: String,
    /// Values of the job's matrix, in the order of the workflow. Empty without a matrix.
    pub(crate) matrix: Vec<String>,
    /// Which leg of the matrix the job is. `None` if it is unknown.
    pub(crate) matrix_leg: Option<MatrixLeg>,
    /// User or bot that started the run.
    pub(crate) actor: String,
    /// True if an earlier step of the job failed.
    pub(crate) has_failed_step: bool,
}

/// A pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PullRequest {
    /// Number of the pull request.
    pub(crate) number: u64,
    /// Branch of the pull request. `None` if its repository was deleted.
    pub(crate) head: Option<HeadBranch>,
    /// True if the branch is in another repository, or its repository was deleted. The token of the
    /// runs is read-only by default then.
    pub(crate) is_fork: bool,
}

/// Repository and branch of a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeadBranch {
    /// Id of the repository.
    pub(crate) repository: u64,
    /// Owner of the repository.
    pub(crate) owner: String,
    /// Name of the branch.
    pub(crate) branch: String,
}

/// A run of another workflow, in the payload of `workflow_run`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct WorkflowRun {
    pub(crate) id: u64,
    pub(crate) event: String,
    pub(crate) head_sha: String,
    pub(crate) head_branch: Option<String>,
    pub(crate) head_repository: Option<Repository>,
    pub(crate) actor: Option<Actor>,
    pub(crate) html_url: String,
    /// Number of the attempt, from 1.
    pub(crate) run_attempt: Option<u64>,
    /// Path of the workflow file.
    pub(crate) path: Option<String>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Repository {
    pub(crate) id: u64,
    pub(crate) default_branch: Option<String>,
    pub(crate) owner: Option<Actor>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Actor {
    pub(crate) login: String,
}

/// The relevant parts of an event payload. Which fields exist depends on the event.
#[derive(Debug, Default, Deserialize)]
struct Payload {
    repository: Option<Repository>,
    pull_request: Option<PayloadPullRequest>,
    workflow_run: Option<WorkflowRun>,
    merge_group: Option<MergeGroup>,
}

/// The group of pull requests that a merge queue tests together.
#[derive(Debug, Deserialize)]
struct MergeGroup {
    /// The branch that they are merged into: `refs/heads/main`.
    base_ref: Option<String>,
}

impl MergeGroup {
    fn base_branch(self) -> Option<String> {
        let full = self.base_ref?;
        Some(full.strip_prefix("refs/heads/").unwrap_or(&full).to_owned())
    }
}

#[derive(Debug, Deserialize)]
struct PayloadPullRequest {
    number: u64,
    head: PayloadBranch,
    base: PayloadBranch,
    merge_commit_sha: Option<String>,
}

#[derive(Debug, Deserialize)]
struct PayloadBranch {
    sha: String,
    #[serde(rename = "ref")]
    branch: String,
    repo: Option<Repository>,
}

impl Context {
    /// Reads the variables and the payload. Missing or unreadable values are left empty, because
    /// the command also runs outside of GitHub Actions.
    pub(crate) fn from_env(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let event = variable("GITHUB_EVENT_PATH")
            .and_then(|path| read_payload(Path::new(&path)))
            .unwrap_or_default();
        let text = |name: &str| variable(name).unwrap_or_default();
        let repository = variable("GITHUB_REPOSITORY");
        let repository = repository.and_then(|full| {
            full.split_once('/')
                .map(|(o, n)| (o.to_owned(), n.to_owned()))
        });
        let default_branch = event
            .repository
            .as_ref()
            .and_then(|r| r.default_branch.clone());
        let pull = event.pull_request.as_ref();
        let completed_run = event.workflow_run;
        Self {
            api: variable("GITHUB_API_URL").unwrap_or_else(|| "https://api.github.com".to_owned()),
            server: variable("GITHUB_SERVER_URL")
                .unwrap_or_else(|| "https://github.com".to_owned()),
            repository,
            repository_id: event.repository.as_ref().map(|repository| repository.id),
            event: text("GITHUB_EVENT_NAME"),
            head_sha: match (&pull, &completed_run) {
                (Some(pull), _) => pull.head.sha.clone(),
                (None, Some(run)) => run.head_sha.clone(),
                (None, None) => text("GITHUB_SHA"),
            },
            base_branch: pull
                .map(|pull| pull.base.branch.clone())
                .or(event.merge_group.and_then(MergeGroup::base_branch))
                .or(default_branch),
            merge_sha: pull.and_then(|pull| pull.merge_commit_sha.clone()),
            pull_request: pull.map(|p| PullRequest {
                number: p.number,
                head: head_branch(&p.head),
                is_fork: is_fork(p),
            }),
            completed_run,
            workflow: variable("GITHUB_WORKFLOW_REF").and_then(|full| workflow_path(&full)),
            run_id: text("GITHUB_RUN_ID"),
            run_attempt: text("GITHUB_RUN_ATTEMPT"),
            job: text("GITHUB_JOB"),
            matrix: variable("LEAKGATE_MATRIX").map_or(Vec::new(), |json| matrix::values(&json)),
            matrix_leg: variable("LEAKGATE_STRATEGY")
                .and_then(|json| MatrixLeg::from_strategy(&json)),
            actor: text("GITHUB_ACTOR"),
            has_failed_step: text("LEAKGATE_JOB_STATUS") == "failure",
        }
    }

    /// Returns true if the token of the run is read-only by default: for pull requests from forks
    /// and from Dependabot. Settings of the repository or the workflow may permit more.
    pub(crate) fn may_have_read_only_token(&self) -> bool {
        let is_dependabot = self.actor == DEPENDABOT && self.event == "pull_request";
        is_dependabot
            || (self.event == "pull_request"
                && self.pull_request.as_ref().is_some_and(|pull| pull.is_fork))
    }

    /// Returns the URL of the run for people. `None` outside of GitHub Actions.
    pub(crate) fn run_url(&self) -> Option<String> {
        let (owner, name) = self.repository.as_ref()?;
        (!self.run_id.is_empty()).then(|| {
            let server = &self.server;
            let run = &self.run_id;
            format!("{server}/{owner}/{name}/actions/runs/{run}")
        })
    }
}

fn head_branch(head: &PayloadBranch) -> Option<HeadBranch> {
    let repository = head.repo.as_ref()?;
    let owner = repository.owner.as_ref()?.login.clone();
    Some(HeadBranch {
        repository: repository.id,
        owner,
        branch: head.branch.clone(),
    })
}

/// Returns the path in `OWNER/REPOSITORY/PATH@REF`.
fn workflow_path(full: &str) -> Option<String> {
    let path = full.splitn(3, '/').nth(2)?;
    Some(path.split('@').next().unwrap_or(path).to_owned())
}

/// Returns true if the branch of a pull request is in another repository, or its repository was
/// deleted.
fn is_fork(pull: &PayloadPullRequest) -> bool {
    let id = |branch: &PayloadBranch| branch.repo.as_ref().map(|repo| repo.id);
    id(&pull.head).is_none() || id(&pull.head) != id(&pull.base)
}

impl WorkflowRun {
    /// Returns true if the token of the run was read-only by default, so that another workflow may
    /// have to report: for runs from forks and from Dependabot.
    pub(crate) fn may_have_had_read_only_token(&self, repository: Option<u64>) -> bool {
        let is_fork = self
            .head_repository
            .as_ref()
            .is_none_or(|head| Some(head.id) != repository);
        is_fork
            || self
                .actor
                .as_ref()
                .is_some_and(|actor| actor.login == DEPENDABOT)
    }
}

/// Reads the event payload. Payloads have at most 25 MB
/// (<https://docs.github.com/webhooks/webhook-events-and-payloads#payload-cap>).
fn read_payload(path: &Path) -> Option<Payload> {
    const MAX_PAYLOAD: u64 = 32 << 20;
    let size = path.metadata().ok()?.len();
    let text = std::fs::read(path).ok().filter(|_| size <= MAX_PAYLOAD)?;
    serde_json::from_slice(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(name: &str, event: &str) -> Context {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("event.json");
        std::fs::write(&path, event).unwrap();
        let path = path.to_string_lossy().into_owned();
        Context::from_env(&|wanted| {
            Some(match wanted {
                "GITHUB_EVENT_PATH" => path.clone(),
                "GITHUB_EVENT_NAME" => name.to_owned(),
                "GITHUB_REPOSITORY" => "o/r".to_owned(),
                "GITHUB_SHA" => "merge".to_owned(),
                "GITHUB_RUN_ID" => "7".to_owned(),
                _ => return None,
            })
        })
    }

    #[test]
    fn pull_request_is_reported_at_its_head() {
        let event = r#"{"repository":{"id":1,"default_branch":"main"},"pull_request":{"number":5,
            "head":{"sha":"head","ref":"topic","repo":{"id":1}},
            "base":{"sha":"b","ref":"release","repo":{"id":1}}}}"#;
        let context = context("pull_request", event);
        assert_eq!(
            (context.head_sha.as_str(), context.base_branch.as_deref()),
            ("head", Some("release"))
        );
        assert_eq!(
            context.pull_request,
            Some(PullRequest {
                number: 5,
                head: None,
                is_fork: false
            })
        );
        assert_eq!(
            context.run_url().as_deref(),
            Some("https://github.com/o/r/actions/runs/7")
        );
    }

    #[test]
    fn merge_group_is_compared_with_its_own_base() {
        let event = r#"{"repository":{"id":1,"default_branch":"main"},
            "merge_group":{"head_sha":"h","base_ref":"refs/heads/release/1.0"}}"#;
        let context = context("merge_group", event);
        assert_eq!(context.base_branch.as_deref(), Some("release/1.0"));
        assert_eq!(context.pull_request, None);
    }

    #[test]
    fn path_of_the_workflow_is_read() {
        let full = "o/r/.github/workflows/ci.yml@refs/heads/a@b/c";
        assert_eq!(
            workflow_path(full).as_deref(),
            Some(".github/workflows/ci.yml")
        );
        assert_eq!(workflow_path("o/r"), None);
    }

    #[test]
    fn fork_is_detected_by_its_repository_even_if_deleted() {
        for (head, want) in [("{\"id\":1}", false), ("{\"id\":2}", true), ("null", true)] {
            let event = format!(
                r#"{{"pull_request":{{"number":5,
                    "head":{{"sha":"h","ref":"main","repo":{head}}},
                    "base":{{"sha":"b","ref":"main","repo":{{"id":1}}}}}}}}"#
            );
            assert_eq!(
                context("pull_request", &event)
                    .pull_request
                    .unwrap()
                    .is_fork,
                want,
                "{head}"
            );
        }
    }

    #[test]
    fn push_is_reported_at_its_commit_and_broken_payload_is_ignored() {
        let push = context("push", r#"{"repository":{"id":1,"default_branch":"main"}}"#);
        assert_eq!(
            (
                push.head_sha.as_str(),
                push.base_branch.as_deref(),
                push.pull_request
            ),
            ("merge", Some("main"), None)
        );
        assert_eq!(context("push", "{").head_sha, "merge");
    }

    #[test]
    fn runs_of_forks_and_dependabot_may_have_had_a_read_only_token() {
        let run = |id: u64, login: &str| WorkflowRun {
            id: 1,
            event: "pull_request".into(),
            head_sha: "h".into(),
            head_branch: None,
            head_repository: Some(Repository {
                id,
                default_branch: None,
                owner: None,
            }),
            actor: Some(Actor {
                login: login.into(),
            }),
            html_url: String::new(),
            run_attempt: None,
            path: None,
        };
        assert!(!run(1, "me").may_have_had_read_only_token(Some(1)));
        assert!(run(2, "me").may_have_had_read_only_token(Some(1)));
        assert!(run(1, "dependabot[bot]").may_have_had_read_only_token(Some(1)));
        assert!(
            WorkflowRun {
                head_repository: None,
                ..run(1, "me")
            }
            .may_have_had_read_only_token(Some(1))
        );
    }
}
