//! What happened, where, and for whom: the variables of the runner and the event's payload.

use std::path::Path;

use serde::Deserialize;

/// As whom Dependabot starts runs.
const DEPENDABOT: &str = "dependabot[bot]";

/// What a step needs to know to report on the right commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Context {
    /// `https://api.github.com`, or that of a GitHub Enterprise Server with its path.
    pub(crate) api: String,
    /// `https://github.com`
    pub(crate) server: String,
    /// `owner` and `name` of the repository.
    pub(crate) repository: Option<(String, String)>,
    /// Its number.
    pub(crate) repository_id: Option<u64>,
    /// `pull_request`, `push`, …
    pub(crate) event: String,
    /// The commit to report on. Of a pull request that is its head: nobody sees the merge commit
    /// that was built.
    pub(crate) head: String,
    /// The branch to compare with.
    pub(crate) base: Option<String>,
    /// The pull request that this is about.
    pub(crate) pull: Option<Pull>,
    /// The run that has ended, for `on: workflow_run`.
    pub(crate) completed: Option<WorkflowRun>,
    /// Number of the run.
    pub(crate) run: String,
    /// How often the run was started.
    pub(crate) attempt: String,
    /// The job's id in its workflow.
    pub(crate) job: String,
    /// Who or what started the run.
    pub(crate) actor: String,
}

/// A pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pull {
    /// Its number.
    pub(crate) number: u64,
    /// Where its branch is.
    pub(crate) head: Option<HeadOf>,
    /// True where its branch lies in another repository, or nobody knows any more where: the token
    /// of its runs can only read.
    pub(crate) is_fork: bool,
}

/// The repository and the branch of a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeadOf {
    /// Number of the repository.
    pub(crate) repository: u64,
    /// Its owner.
    pub(crate) owner: String,
    /// The branch.
    pub(crate) branch: String,
}

/// A run of another workflow.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct WorkflowRun {
    pub(crate) id: u64,
    pub(crate) event: String,
    pub(crate) head_sha: String,
    pub(crate) head_branch: Option<String>,
    pub(crate) head_repository: Option<Repository>,
    pub(crate) actor: Option<Actor>,
    pub(crate) html_url: String,
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

/// The parts of a payload that matter; of other events they are not there.
#[derive(Debug, Default, Deserialize)]
struct Event {
    repository: Option<Repository>,
    pull_request: Option<EventPull>,
    workflow_run: Option<WorkflowRun>,
}

#[derive(Debug, Deserialize)]
struct EventPull {
    number: u64,
    head: Side,
    base: Side,
}

#[derive(Debug, Deserialize)]
struct Side {
    sha: String,
    #[serde(rename = "ref")]
    branch: String,
    repo: Option<Repository>,
}

impl Context {
    /// Reads the variables and the payload. What is not there, or can't be read, is left empty: a
    /// step runs elsewhere, too.
    pub(crate) fn read(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let event = variable("GITHUB_EVENT_PATH")
            .and_then(|path| payload(Path::new(&path)))
            .unwrap_or_default();
        let of = |name: &str| variable(name).unwrap_or_default();
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
        let completed = event.workflow_run;
        Self {
            api: variable("GITHUB_API_URL").unwrap_or_else(|| "https://api.github.com".to_owned()),
            server: variable("GITHUB_SERVER_URL")
                .unwrap_or_else(|| "https://github.com".to_owned()),
            repository,
            repository_id: event.repository.as_ref().map(|repository| repository.id),
            event: of("GITHUB_EVENT_NAME"),
            head: match (&pull, &completed) {
                (Some(pull), _) => pull.head.sha.clone(),
                (None, Some(run)) => run.head_sha.clone(),
                (None, None) => of("GITHUB_SHA"),
            },
            base: pull.map(|p| p.base.branch.clone()).or(default_branch),
            pull: pull.map(|p| Pull {
                number: p.number,
                head: head_of(&p.head),
                is_fork: is_fork(p),
            }),
            completed,
            run: of("GITHUB_RUN_ID"),
            attempt: of("GITHUB_RUN_ATTEMPT"),
            job: of("GITHUB_JOB"),
            actor: of("GITHUB_ACTOR"),
        }
    }

    /// True where the token of the run can only read: in a pull request of a fork, and in one of
    /// Dependabot.
    pub(crate) fn can_only_read(&self) -> bool {
        let is_dependabot = self.actor == DEPENDABOT && self.event == "pull_request";
        is_dependabot
            || (self.event == "pull_request" && self.pull.as_ref().is_some_and(|pull| pull.is_fork))
    }

    /// Where the run is shown.
    pub(crate) fn run_url(&self) -> Option<String> {
        let (owner, name) = self.repository.as_ref()?;
        (!self.run.is_empty())
            .then(|| format!("{}/{owner}/{name}/actions/runs/{}", self.server, self.run))
    }
}

fn head_of(head: &Side) -> Option<HeadOf> {
    let repository = head.repo.as_ref()?;
    let owner = repository.owner.as_ref()?.login.clone();
    Some(HeadOf {
        repository: repository.id,
        owner,
        branch: head.branch.clone(),
    })
}

/// Also where the fork was deleted meanwhile.
fn is_fork(pull: &EventPull) -> bool {
    let id = |side: &Side| side.repo.as_ref().map(|repo| repo.id);
    id(&pull.head).is_none() || id(&pull.head) != id(&pull.base)
}

impl WorkflowRun {
    /// True where the run's own token could only read, so that somebody else has to report: a
    /// fork's, or Dependabot's.
    pub(crate) fn could_only_read(&self, repository: Option<u64>) -> bool {
        let foreign = self
            .head_repository
            .as_ref()
            .is_none_or(|head| Some(head.id) != repository);
        foreign
            || self
                .actor
                .as_ref()
                .is_some_and(|actor| actor.login == DEPENDABOT)
    }
}

/// Payloads have at most 25 MB (<https://docs.github.com/webhooks/webhook-events-and-payloads#payload-cap>).
fn payload(path: &Path) -> Option<Event> {
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
        Context::read(&|wanted| {
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
    fn a_pull_request_is_reported_on_at_its_head() {
        let event = r#"{"repository":{"id":1,"default_branch":"main"},"pull_request":{"number":5,
            "head":{"sha":"head","ref":"topic","repo":{"id":1}},"base":{"sha":"b","ref":"release","repo":{"id":1}}}}"#;
        let context = context("pull_request", event);
        assert_eq!(
            (context.head.as_str(), context.base.as_deref()),
            ("head", Some("release"))
        );
        assert_eq!(
            context.pull,
            Some(Pull {
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
    fn a_fork_is_told_by_its_repository_and_a_deleted_one_is_one() {
        for (head, want) in [("{\"id\":1}", false), ("{\"id\":2}", true), ("null", true)] {
            let event = format!(
                r#"{{"pull_request":{{"number":5,"head":{{"sha":"h","ref":"main","repo":{head}}},"base":{{"sha":"b","ref":"main","repo":{{"id":1}}}}}}}}"#
            );
            assert_eq!(
                context("pull_request", &event).pull.unwrap().is_fork,
                want,
                "{head}"
            );
        }
    }

    #[test]
    fn a_push_is_reported_on_at_its_commit_and_a_broken_payload_is_none() {
        let push = context("push", r#"{"repository":{"id":1,"default_branch":"main"}}"#);
        assert_eq!(
            (push.head.as_str(), push.base.as_deref(), push.pull),
            ("merge", Some("main"), None)
        );
        assert_eq!(context("push", "{").head, "merge");
    }

    #[test]
    fn whose_token_could_only_read() {
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
        };
        assert!(!run(1, "me").could_only_read(Some(1)));
        assert!(run(2, "me").could_only_read(Some(1)));
        assert!(run(1, "dependabot[bot]").could_only_read(Some(1)));
        assert!(
            WorkflowRun {
                head_repository: None,
                ..run(1, "me")
            }
            .could_only_read(Some(1))
        );
    }
}
