//! A GitHub in memory: it keeps what it is told, refuses what GitHub refuses, and fails as planned.
//!
//! It needs nothing of leakgate, so that tests of the whole program can use it too.

#![allow(dead_code, reason = "each test binary uses its own part of this")]
#![allow(
    clippy::cmp_owned,
    clippy::result_large_err,
    reason = "a fake that is easy to read matters more than its speed"
)]

use std::collections::BTreeMap;
use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use serde_json::{Value, json};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

/// Owner and name of the one repository.
pub(crate) const REPOSITORY: (&str, &str) = ("octo", "leaky");

/// The number of that repository.
pub(crate) const REPOSITORY_ID: u64 = 42;

/// The token that the fake takes.
pub(crate) const TOKEN: &str = "ghs_only_for_the_api";

/// A path that GitHub does not like, for no reason that can be seen.
pub(crate) const POISON: &str = "src/poison.c";

/// What goes wrong. `After` says that the work was done all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    BadGateway,
    BadGatewayAfter,
    Hang,
    HangAfter,
    Close,
    CloseAfter,
    /// The token lacks the permission.
    Forbidden,
    /// 403 with `retry-after`, in seconds.
    SecondaryLimit(u64),
    /// 403 with no time at all.
    SecondaryLimitUnnamed,
    /// 429 with `retry-after`, in seconds.
    TooMany(u64),
    /// 403 with a limit that is used up until this time, in seconds since 1970.
    UsedUp(u64),
    Unprocessable,
    /// The answer repeats the token.
    Telltale,
    /// The answer points to the other host.
    Elsewhere,
}

impl Fault {
    fn works(self) -> bool {
        matches!(
            self,
            Self::BadGatewayAfter | Self::HangAfter | Self::CloseAfter
        )
    }

    fn closes(self) -> bool {
        matches!(self, Self::Close | Self::CloseAfter)
    }

    fn template(self, other: &str) -> ResponseTemplate {
        let message = |status, text: &str| {
            ResponseTemplate::new(status).set_body_json(json!({ "message": text }))
        };
        let secondary = "You have exceeded a secondary rate limit.";
        match self {
            Self::BadGateway | Self::BadGatewayAfter | Self::Close | Self::CloseAfter => {
                ResponseTemplate::new(502).set_body_string("<html>Bad Gateway</html>")
            }
            Self::Hang | Self::HangAfter => {
                ResponseTemplate::new(200).set_delay(Duration::from_secs(600))
            }
            Self::Forbidden => message(403, "Resource not accessible by integration"),
            Self::SecondaryLimit(seconds) => {
                message(403, secondary).insert_header("retry-after", seconds.to_string())
            }
            Self::SecondaryLimitUnnamed => message(403, secondary),
            Self::TooMany(seconds) => {
                message(429, "Too many requests").insert_header("retry-after", seconds.to_string())
            }
            Self::UsedUp(reset) => message(403, "API rate limit exceeded")
                .insert_header("x-ratelimit-remaining", "0")
                .insert_header("x-ratelimit-reset", reset.to_string()),
            Self::Unprocessable => message(422, "Validation Failed"),
            Self::Telltale => message(400, &format!("who is {TOKEN}?")),
            Self::Elsewhere => {
                ResponseTemplate::new(307).insert_header("location", format!("{other}/elsewhere"))
            }
        }
    }
}

/// Which requests a fault meets.
#[derive(Debug)]
struct Plan {
    method: &'static str,
    part: &'static str,
    /// The first request of this kind that fails, from 1.
    first: usize,
    times: usize,
    seen: usize,
    fault: Fault,
}

impl Plan {
    fn is_for(&self, request: &Request) -> bool {
        request.method.as_str() == self.method && request.url.path().contains(self.part)
    }

    fn is_due(&self) -> bool {
        (self.first..self.first.saturating_add(self.times)).contains(&(self.seen + 1))
    }
}

/// A request that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Path and query, as they were sent.
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
    pub(crate) headers: BTreeMap<String, String>,
}

impl Seen {
    fn new(request: &Request) -> Self {
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let query = request
            .url
            .query()
            .map(|query| format!("?{query}"))
            .unwrap_or_default();
        Self {
            method: request.method.to_string(),
            path: format!("{}{query}", request.url.path()),
            body: serde_json::from_slice(&request.body).ok(),
            headers: request
                .headers
                .iter()
                .map(|(name, value)| (name.to_string(), text(value.as_bytes())))
                .collect(),
        }
    }
}

/// What the fake knows. Tests may change it as they like.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// The API's path: empty, or `/api/v3`.
    pub(crate) prefix: String,
    /// Who the token belongs to; none, where GraphQL fails.
    pub(crate) viewer: Option<String>,
    /// Check runs; their annotations lie beside their output, under `annotations`.
    pub(crate) check_runs: Vec<Value>,
    /// Comments, with the number of their pull request as `pull`.
    pub(crate) comments: Vec<Value>,
    /// Artifacts, oldest first.
    pub(crate) artifacts: Vec<Value>,
    /// What is in them, by their numbers.
    pub(crate) zips: BTreeMap<u64, Vec<u8>>,
    /// Runs, by their numbers.
    pub(crate) runs: BTreeMap<u64, Value>,
    /// What commits are to branches: `sha...branch` and a status.
    pub(crate) compare: BTreeMap<String, String>,
    pub(crate) pulls: Vec<Value>,
    /// All requests, in order.
    pub(crate) seen: Vec<Seen>,
    /// Those that came to the other host.
    pub(crate) seen_elsewhere: Vec<Seen>,
    other: String,
    plans: Vec<Plan>,
    last: u64,
}

/// The fake, as long as it lives.
pub(crate) struct Fake {
    server: MockServer,
    _other: MockServer,
    state: Arc<Mutex<State>>,
}

impl Fake {
    /// A GitHub whose API lies at this path.
    pub(crate) fn start(prefix: &str) -> Self {
        let (server, other) = (
            wait(MockServer::builder().start()),
            wait(MockServer::builder().start()),
        );
        let state = State {
            prefix: prefix.to_owned(),
            viewer: Some("github-actions[bot]".to_owned()),
            other: other.uri(),
            last: 1000,
            ..State::default()
        };
        let state = Arc::new(Mutex::new(state));
        let (closes, works, answers, stores) =
            (state.clone(), state.clone(), state.clone(), state.clone());
        let closing = Mock::given(move |request: &Request| {
            lock(&closes).due(request).is_some_and(Fault::closes)
        })
        .respond_with_err(move |request: &Request| {
            lock(&works).answer(request);
            io::Error::other("closed as planned")
        });
        let answering = Mock::given(|_: &Request| true)
            .respond_with(move |request: &Request| lock(&answers).answer(request));
        let storing = Mock::given(|_: &Request| true)
            .respond_with(move |request: &Request| lock(&stores).store(request));
        wait(server.register(closing.with_priority(1)));
        wait(server.register(answering));
        wait(other.register(storing));
        Self {
            server,
            _other: other,
            state,
        }
    }

    /// What belongs into `GITHUB_API_URL`.
    pub(crate) fn api(&self) -> String {
        format!("{}{}", self.server.uri(), self.state().prefix)
    }

    /// What the fake knows, for as long as the answer is held.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Lets one request fail: the `nth` from now on, from 1, of this method with this in its path.
    pub(crate) fn fail(&self, method: &'static str, part: &'static str, nth: usize, fault: Fault) {
        self.state().plans.push(Plan {
            method,
            part,
            first: nth,
            times: 1,
            seen: 0,
            fault,
        });
    }

    /// Lets all of these requests fail.
    pub(crate) fn fail_always(&self, method: &'static str, part: &'static str, fault: Fault) {
        self.state().plans.push(Plan {
            method,
            part,
            first: 1,
            times: usize::MAX,
            seen: 0,
            fault,
        });
    }

    /// How many requests of this method had this in their path.
    pub(crate) fn count(&self, method: &str, part: &str) -> usize {
        self.state()
            .seen
            .iter()
            .filter(|seen| seen.method == method && seen.path.contains(part))
            .count()
    }
}

impl State {
    /// A number that nothing else has.
    pub(crate) fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Adds a comment, and tells its number.
    pub(crate) fn comment(&mut self, pull: u64, author: &str, body: &str) -> u64 {
        let id = self.number();
        let kind = if author.ends_with("[bot]") {
            "Bot"
        } else {
            "User"
        };
        self.comments.push(json!({
            "id": id, "pull": pull, "body": body, "html_url": format!("https://github.example/c/{id}"),
            "user": { "login": author, "type": kind },
        }));
        id
    }

    /// Adds a run of a push and its artifact, and tells their numbers. The commit lies on the
    /// branch.
    pub(crate) fn push(&mut self, name: &str, branch: &str, sha: &str, zip: Vec<u8>) -> (u64, u64) {
        let (run, artifact) = (self.number(), self.number());
        self.runs.insert(
            run,
            json!({
                "id": run, "event": "push", "head_branch": branch, "head_sha": sha,
                "html_url": format!("https://github.example/runs/{run}"),
                "repository": { "id": REPOSITORY_ID }, "head_repository": { "id": REPOSITORY_ID },
            }),
        );
        self.artifacts.push(json!({
            "id": artifact, "name": name, "expired": false, "size_in_bytes": zip.len(),
            "created_at": format!("2026-11-01T10:00:00.{artifact:06}Z"),
            "workflow_run": {
                "id": run, "repository_id": REPOSITORY_ID, "head_repository_id": REPOSITORY_ID,
                "head_branch": branch, "head_sha": sha,
            },
        }));
        self.zips.insert(artifact, zip);
        self.compare
            .insert(format!("{sha}...{branch}"), "ahead".to_owned());
        (run, artifact)
    }

    /// Adds an open pull request, and tells its number.
    pub(crate) fn pull(
        &mut self,
        owner: &str,
        branch: &str,
        sha: &str,
        repository: Option<u64>,
    ) -> u64 {
        let number = self.number();
        self.pulls.push(json!({
            "number": number, "state": "open", "html_url": format!("https://github.example/pull/{number}"),
            "head": {
                "label": format!("{owner}:{branch}"), "ref": branch, "sha": sha,
                "repo": repository.map(|id| json!({ "id": id })),
            },
            "base": { "ref": "main", "sha": "b".repeat(40), "repo": { "id": REPOSITORY_ID } },
        }));
        number
    }

    fn due(&self, request: &Request) -> Option<Fault> {
        self.plans
            .iter()
            .find(|plan| plan.is_for(request) && plan.is_due())
            .map(|plan| plan.fault)
    }

    fn answer(&mut self, request: &Request) -> ResponseTemplate {
        self.seen.push(Seen::new(request));
        let fault = self.due(request);
        for plan in self.plans.iter_mut().filter(|plan| plan.is_for(request)) {
            plan.seen += 1;
        }
        let answer = fault.is_none_or(Fault::works).then(|| self.work(request));
        match (fault, answer) {
            (Some(fault), _) => fault.template(&self.other),
            (None, answer) => answer.unwrap_or_else(|| ResponseTemplate::new(500)),
        }
    }

    /// The other host, where files lie. Like a store of signed addresses, it takes no token.
    fn store(&mut self, request: &Request) -> ResponseTemplate {
        let seen = Seen::new(request);
        let has_token = seen.headers.contains_key("authorization");
        self.seen_elsewhere.push(seen);
        let id = request
            .url
            .path()
            .rsplit('/')
            .next()
            .and_then(|id| id.parse::<u64>().ok());
        match id.and_then(|id| self.zips.get(&id)) {
            _ if has_token => ResponseTemplate::new(400),
            Some(zip) => ResponseTemplate::new(200).set_body_bytes(zip.clone()),
            None => ResponseTemplate::new(404),
        }
    }

    fn work(&mut self, request: &Request) -> ResponseTemplate {
        if request
            .headers
            .get("authorization")
            .is_none_or(|value| value != &format!("Bearer {TOKEN}"))
        {
            return refusal(401, "Bad credentials");
        }
        let path = request.url.path();
        if path == format!("{}/graphql", self.prefix.trim_end_matches("/v3")) {
            return match &self.viewer {
                Some(login) => ResponseTemplate::new(200)
                    .set_body_json(json!({ "data": { "viewer": { "login": login } } })),
                None => refusal(403, "Resource not accessible by integration"),
            };
        }
        let below = format!("{}/repos/{}/{}/", self.prefix, REPOSITORY.0, REPOSITORY.1);
        let Some(path) = path.strip_prefix(&below) else {
            return refusal(404, "Not Found");
        };
        let steps: Vec<_> = path.split('/').map(decoded).collect();
        let steps: Vec<_> = steps.iter().map(String::as_str).collect();
        let query: BTreeMap<String, String> = request.url.query_pairs().into_owned().collect();
        let body = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        let done = match (request.method.as_str(), &steps[..]) {
            ("POST", ["check-runs"]) => self.make_check_run(body),
            ("PATCH", ["check-runs", id]) => self.change_check_run(id, &body),
            ("GET", ["check-runs", id]) => {
                find(&self.check_runs, id).map(|at| ok(&self.check_runs[at]))
            }
            ("GET", ["commits", sha, "check-runs"]) => {
                Ok(self.list_check_runs(request, &query, sha))
            }
            ("GET", ["issues", pull, "comments"]) => Ok(self.list_comments(request, &query, pull)),
            ("POST", ["issues", pull, "comments"]) => self.make_comment(pull, &body),
            ("PATCH", ["issues", "comments", id]) => self.change_comment(id, Some(&body)),
            ("DELETE", ["issues", "comments", id]) => self.change_comment(id, None),
            ("GET", ["actions", "artifacts"]) => {
                let name = query.get("name");
                Ok(self.list_artifacts(request, &query, |artifact| {
                    name.is_none_or(|name| artifact["name"] == *name)
                }))
            }
            ("GET", ["actions", "runs", run, "artifacts"]) => {
                Ok(self.list_artifacts(request, &query, |artifact| {
                    artifact["workflow_run"]["id"].to_string() == *run
                }))
            }
            ("GET", ["actions", "artifacts", id, "zip"]) => Ok(self.point_to_zip(id)),
            ("GET", ["actions", "runs", id]) => id
                .parse()
                .ok()
                .and_then(|id: u64| self.runs.get(&id))
                .map(ok)
                .ok_or_else(missing),
            ("GET", ["compare", range]) => self
                .compare
                .get(*range)
                .map(|status| ok(&json!({ "status": status })))
                .ok_or_else(missing),
            ("GET", ["pulls"]) => Ok(self.list_pulls(request, &query)),
            _ => Err(missing()),
        };
        done.unwrap_or_else(|refused| refused)
    }

    fn make_check_run(&mut self, mut body: Value) -> Done {
        if !body["name"].is_string() || !body["head_sha"].is_string() {
            return Err(refusal(422, "Invalid request"));
        }
        let annotations = checked(&body["output"])?;
        let id = self.number();
        body["id"] = id.into();
        body["html_url"] = format!("https://github.example/runs/{id}").into();
        body["annotations"] = annotations.into();
        self.check_runs.push(body);
        let run = self.check_runs.last_mut().ok_or_else(missing)?;
        recount(run);
        Ok(ResponseTemplate::new(201).set_body_json(run))
    }

    /// What an output leaves out is gone; annotations are added to those that are there.
    fn change_check_run(&mut self, id: &str, body: &Value) -> Done {
        let at = find(&self.check_runs, id)?;
        let more = checked(&body["output"])?;
        let run = &mut self.check_runs[at];
        run["output"] = body["output"].clone();
        run["annotations"]
            .as_array_mut()
            .ok_or_else(missing)?
            .extend(more);
        recount(run);
        Ok(ok(run))
    }

    fn list_check_runs(
        &self,
        request: &Request,
        query: &BTreeMap<String, String>,
        sha: &str,
    ) -> ResponseTemplate {
        let name = query.get("check_name");
        let runs = self.check_runs.iter();
        let runs = runs
            .filter(|run| run["head_sha"] == sha && name.is_none_or(|name| run["name"] == *name))
            .cloned();
        page(request, query, runs.collect(), Some("check_runs"))
    }

    fn list_comments(
        &self,
        request: &Request,
        query: &BTreeMap<String, String>,
        pull: &str,
    ) -> ResponseTemplate {
        page(
            request,
            query,
            self.comments
                .iter()
                .filter(|c| c["pull"].to_string() == pull)
                .cloned()
                .collect(),
            None,
        )
    }

    fn make_comment(&mut self, pull: &str, body: &Value) -> Done {
        let text = comment_text(body)?;
        let author = self
            .viewer
            .clone()
            .unwrap_or_else(|| "github-actions[bot]".to_owned());
        self.comment(pull.parse().map_err(|_| missing())?, &author, &text);
        Ok(ResponseTemplate::new(201).set_body_json(self.comments.last()))
    }

    fn change_comment(&mut self, id: &str, body: Option<&Value>) -> Done {
        let at = find(&self.comments, id)?;
        let viewer = self.viewer.as_deref().unwrap_or("github-actions[bot]");
        let author = self.comments[at]["user"]["login"]
            .as_str()
            .unwrap_or_default();
        if author != viewer && author != format!("{viewer}[bot]") {
            return Err(refusal(403, "Resource not accessible by integration"));
        }
        let Some(body) = body else {
            self.comments.remove(at);
            return Ok(ResponseTemplate::new(204));
        };
        self.comments[at]["body"] = comment_text(body)?.into();
        Ok(ok(&self.comments[at]))
    }

    fn list_artifacts(
        &self,
        request: &Request,
        query: &BTreeMap<String, String>,
        is_asked: impl Fn(&Value) -> bool,
    ) -> ResponseTemplate {
        let found = self
            .artifacts
            .iter()
            .rev()
            .filter(|artifact| is_asked(artifact))
            .cloned()
            .collect();
        page(request, query, found, Some("artifacts"))
    }

    fn point_to_zip(&self, id: &str) -> ResponseTemplate {
        let is_expired =
            find(&self.artifacts, id).is_ok_and(|at| self.artifacts[at]["expired"] == true);
        if is_expired {
            return refusal(410, "Gone");
        }
        ResponseTemplate::new(302)
            .insert_header("location", format!("{}/blob/{id}?sig=signed", self.other))
    }

    fn list_pulls(&self, request: &Request, query: &BTreeMap<String, String>) -> ResponseTemplate {
        let (state, head) = (query.get("state"), query.get("head"));
        let is_asked = |p: &&Value| {
            state.is_none_or(|s| p["state"] == *s) && head.is_none_or(|h| p["head"]["label"] == *h)
        };
        page(
            request,
            query,
            self.pulls.iter().filter(is_asked).cloned().collect(),
            None,
        )
    }
}

/// An answer, or the refusal that is one too.
type Done = Result<ResponseTemplate, ResponseTemplate>;

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn ok(value: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(value)
}

fn refusal(status: u16, message: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(
        json!({ "message": message, "documentation_url": "https://docs.github.example" }),
    )
}

fn missing() -> ResponseTemplate {
    refusal(404, "Not Found")
}

fn find(list: &[Value], id: &str) -> Result<usize, ResponseTemplate> {
    list.iter()
        .position(|item| item["id"].to_string() == id)
        .ok_or_else(missing)
}

fn recount(run: &mut Value) {
    let count = run["annotations"].as_array().map_or(0, Vec::len);
    run["output"]["annotations_count"] = count.into();
}

/// A page of a list, with the header that tells of the next.
fn page(
    request: &Request,
    query: &BTreeMap<String, String>,
    list: Vec<Value>,
    key: Option<&str>,
) -> ResponseTemplate {
    let number = |name, default| {
        query
            .get(name)
            .and_then(|n| n.parse().ok())
            .unwrap_or(default)
    };
    let (per_page, page): (usize, usize) =
        (number("per_page", 30).min(100), number("page", 1).max(1));
    let total = list.len();
    let items: Vec<_> = list
        .into_iter()
        .skip((page - 1) * per_page)
        .take(per_page)
        .collect();
    let body = match key {
        Some(key) => json!({ "total_count": total, key: items }),
        None => Value::from(items),
    };
    let answer = ok(&body);
    if page * per_page >= total {
        return answer;
    }
    let next = format!(
        "<{}?page={}>; rel=\"next\", <{0}?page=9>; rel=\"last\"",
        request.url.path(),
        page + 1
    );
    answer.insert_header("link", next)
}

fn comment_text(body: &Value) -> Result<String, ResponseTemplate> {
    let text = body["body"]
        .as_str()
        .filter(|text| !text.is_empty() && text.chars().count() <= 65_536);
    text.map(str::to_owned)
        .ok_or_else(|| refusal(422, "Body is too long (maximum is 65536 characters)"))
}

/// The annotations of an output, if GitHub takes it.
fn checked(output: &Value) -> Result<Vec<Value>, ResponseTemplate> {
    let bad = || refusal(422, "Invalid request");
    let prose = |text: &Value| {
        text.as_str()
            .is_none_or(|text| text.chars().count() <= 65_535 && !text.contains(is_refused))
    };
    if !output["title"].is_string()
        || !output["summary"].is_string()
        || !prose(&output["summary"])
        || !prose(&output["text"])
    {
        return Err(bad());
    }
    let annotations = output["annotations"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let is_good = annotations.len() <= 50 && annotations.iter().all(is_annotation);
    if is_good { Ok(annotations) } else { Err(bad()) }
}

fn is_annotation(annotation: &Value) -> bool {
    let (text, line) = (
        |key: &str| annotation[key].as_str(),
        |key: &str| annotation[key].as_u64(),
    );
    let short =
        |key, most| text(key).is_none_or(|text| text.len() <= most && !text.contains(is_refused));
    let is_path = text("path").is_some_and(|p| {
        !p.is_empty() && !p.starts_with('/') && !p.split('/').any(|s| s == "..") && p != POISON
    });
    let (start, end) = (
        line("start_line").unwrap_or(0),
        line("end_line").unwrap_or(0),
    );
    let has_columns = ["start_column", "end_column"]
        .iter()
        .any(|key| annotation.get(key).is_some());
    is_path
        && 1 <= start
        && start <= end
        && (!has_columns || start == end)
        && matches!(
            text("annotation_level"),
            Some("failure" | "warning" | "notice")
        )
        && text("message").is_some_and(|message| !message.is_empty())
        && short("message", 65_536)
        && short("raw_details", 65_536)
        && text("title")
            .is_none_or(|title| title.chars().count() <= 255 && !title.contains(is_refused))
}

fn is_refused(c: char) -> bool {
    c == '\0' || c > '\u{ffff}'
}

fn decoded(step: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), step.as_bytes());
    while let Some((&first, after)) = rest.split_first() {
        let code = (first == b'%').then(|| after.get(..2)).flatten();
        let code =
            code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        bytes.push(code.unwrap_or(first));
        rest = if code.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Waits for something that needs no runtime of the caller.
fn wait<T>(work: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut work = pin!(work);
    loop {
        match work.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}
