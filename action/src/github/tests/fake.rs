//! An in-memory fake of GitHub. It stores data, rejects what GitHub rejects, and fails as planned.
//!
//! It doesn't depend on leakgate, because tests of the whole program use it, too.

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

/// Owner and name of the only repository.
pub(crate) const REPOSITORY: (&str, &str) = ("octo", "leaky");

/// Id of that repository.
pub(crate) const REPOSITORY_ID: u64 = 42;

/// Token that the fake accepts.
pub(crate) const TOKEN: &str = "ghs_only_for_the_api";

/// A path that GitHub rejects for no visible reason.
pub(crate) const REJECTED_PATH: &str = "src/poison.c";

/// An injected failure. With the suffix `After`, the request takes effect nevertheless.
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
    /// 403 without `retry-after`.
    SecondaryLimitUnnamed,
    /// 429 with `retry-after`, in seconds.
    TooManyRequests(u64),
    /// 403 with a rate limit that is exhausted until this time, in seconds since 1970.
    Exhausted(u64),
    Unprocessable,
    /// 409.
    Conflict,
    /// The response contains the token.
    EchoToken,
    /// The response redirects to the other host.
    RedirectElsewhere,
}

impl Fault {
    fn takes_effect(self) -> bool {
        matches!(
            self,
            Self::BadGatewayAfter | Self::HangAfter | Self::CloseAfter
        )
    }

    fn closes_connection(self) -> bool {
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
            Self::TooManyRequests(seconds) => {
                message(429, "Too many requests").insert_header("retry-after", seconds.to_string())
            }
            Self::Exhausted(reset) => message(403, "API rate limit exceeded")
                .insert_header("x-ratelimit-remaining", "0")
                .insert_header("x-ratelimit-reset", reset.to_string()),
            Self::Unprocessable => message(422, "Validation Failed"),
            Self::Conflict => message(409, "Conflict"),
            Self::EchoToken => message(400, &format!("who is {TOKEN}?")),
            Self::RedirectElsewhere => {
                ResponseTemplate::new(307).insert_header("location", format!("{other}/elsewhere"))
            }
        }
    }
}

/// A failure and the requests that it applies to.
#[derive(Debug)]
struct PlannedFault {
    method: &'static str,
    path_part: &'static str,
    /// Number of the first matching request that fails, from 1.
    first: usize,
    times: usize,
    matched: usize,
    fault: Fault,
}

impl PlannedFault {
    fn matches(&self, request: &Request) -> bool {
        request.method.as_str() == self.method && request.url.path().contains(self.path_part)
    }

    fn is_due(&self) -> bool {
        (self.first..self.first.saturating_add(self.times)).contains(&(self.matched + 1))
    }
}

/// What another client does just before a request.
struct Interruption {
    method: &'static str,
    path_part: &'static str,
    action: Box<dyn FnOnce(&mut State) + Send>,
}

impl std::fmt::Debug for Interruption {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "before {} {}", self.method, self.path_part)
    }
}

/// A received request.
#[derive(Clone, Debug)]
pub(crate) struct ReceivedRequest {
    pub(crate) method: String,
    /// Path and query as sent.
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
    pub(crate) headers: BTreeMap<String, String>,
}

impl ReceivedRequest {
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

/// Data of the fake, which tests may change.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// Path of the API: empty or `/api/v3`.
    pub(crate) prefix: String,
    /// Login of the token's owner. `None` if GraphQL fails.
    pub(crate) viewer: Option<String>,
    /// Check runs. Their annotations are next to the output, in `annotations`.
    pub(crate) check_runs: Vec<Value>,
    /// Comments, with the number of their pull request in `pull`.
    pub(crate) comments: Vec<Value>,
    /// Artifacts, oldest first.
    pub(crate) artifacts: Vec<Value>,
    /// Archives of the artifacts, by id.
    pub(crate) zips: BTreeMap<u64, Vec<u8>>,
    /// Workflow runs, by id.
    pub(crate) runs: BTreeMap<u64, Value>,
    /// Comparison status of `sha...branch`.
    pub(crate) compare: BTreeMap<String, String>,
    pub(crate) pulls: Vec<Value>,
    /// Files of the pull requests, by number.
    pub(crate) files: BTreeMap<u64, Vec<Value>>,
    /// Maximum delay of a response. The delays look random.
    pub(crate) max_delay: Duration,
    /// All requests, in order.
    pub(crate) requests: Vec<ReceivedRequest>,
    /// Requests to the other host.
    pub(crate) other_requests: Vec<ReceivedRequest>,
    other: String,
    plans: Vec<PlannedFault>,
    interruptions: Vec<Interruption>,
    last_id: u64,
}

/// A running fake.
pub(crate) struct Fake {
    server: MockServer,
    _other: MockServer,
    state: Arc<Mutex<State>>,
}

impl Fake {
    /// Starts a fake whose API has this path.
    pub(crate) fn start(prefix: &str) -> Self {
        let server = block_on(MockServer::builder().start());
        let other = block_on(MockServer::builder().start());
        let state = State {
            prefix: prefix.to_owned(),
            viewer: Some("github-actions[bot]".to_owned()),
            other: other.uri(),
            last_id: 1000,
            ..State::default()
        };
        let state = Arc::new(Mutex::new(state));
        let shared = state.clone();
        let is_closing = move |request: &Request| {
            lock(&shared)
                .due_fault(request)
                .is_some_and(Fault::closes_connection)
        };
        let shared = state.clone();
        let closing = Mock::given(is_closing).respond_with_err(move |request: &Request| {
            lock(&shared).respond(request);
            io::Error::other("closed as planned")
        });
        let shared = state.clone();
        let responding = Mock::given(|_: &Request| true)
            .respond_with(move |request: &Request| lock(&shared).respond(request));
        let shared = state.clone();
        let serving = Mock::given(|_: &Request| true)
            .respond_with(move |request: &Request| lock(&shared).serve_file(request));
        block_on(server.register(closing.with_priority(1)));
        block_on(server.register(responding));
        block_on(other.register(serving));
        Self {
            server,
            _other: other,
            state,
        }
    }

    /// Returns the URL of the API, for `GITHUB_API_URL`.
    pub(crate) fn api(&self) -> String {
        format!("{}{}", self.server.uri(), self.state().prefix)
    }

    /// Locks and returns the data of the fake.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Lets the `nth` of the following requests (from 1) fail that has this method and this part in
    /// its path.
    pub(crate) fn fail(
        &self,
        method: &'static str,
        path_part: &'static str,
        nth: usize,
        fault: Fault,
    ) {
        self.state().plans.push(PlannedFault {
            method,
            path_part,
            first: nth,
            times: 1,
            matched: 0,
            fault,
        });
    }

    /// Lets all requests fail that have this method and this part in their path.
    pub(crate) fn fail_always(&self, method: &'static str, path_part: &'static str, fault: Fault) {
        self.state().plans.push(PlannedFault {
            method,
            path_part,
            first: 1,
            times: usize::MAX,
            matched: 0,
            fault,
        });
    }

    /// Removes all planned failures.
    pub(crate) fn clear_faults(&self) {
        self.state().plans.clear();
    }

    /// Lets another client act just before the next request that has this method and this part in
    /// its path.
    pub(crate) fn before(
        &self,
        method: &'static str,
        path_part: &'static str,
        action: impl FnOnce(&mut State) + Send + 'static,
    ) {
        self.state().interruptions.push(Interruption {
            method,
            path_part,
            action: Box::new(action),
        });
    }

    /// Counts the requests that had this method and this part in their path.
    pub(crate) fn count(&self, method: &str, path_part: &str) -> usize {
        self.state()
            .requests
            .iter()
            .filter(|request| request.method == method && request.path.contains(path_part))
            .count()
    }
}

impl State {
    /// Returns a new id.
    pub(crate) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// Adds a comment and returns its id.
    pub(crate) fn add_comment(&mut self, pull: u64, author: &str, body: &str) -> u64 {
        let id = self.next_id();
        let kind = if author.ends_with("[bot]") {
            "Bot"
        } else {
            "User"
        };
        self.comments.push(json!({
            "id": id, "pull": pull, "body": body,
            "html_url": format!("https://github.example/c/{id}"),
            "user": { "login": author, "type": kind },
        }));
        id
    }

    /// Adds a run for a push and its artifact, and returns the ids of both. The branch contains the
    /// commit.
    pub(crate) fn add_push(
        &mut self,
        name: &str,
        branch: &str,
        sha: &str,
        zip: Vec<u8>,
    ) -> (u64, u64) {
        let run = self.next_id();
        let artifact = self.next_id();
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

    /// Adds an open pull request and returns its number.
    pub(crate) fn add_pull(
        &mut self,
        owner: &str,
        branch: &str,
        sha: &str,
        repository: Option<u64>,
    ) -> u64 {
        let number = self.next_id();
        self.pulls.push(json!({
            "number": number, "state": "open",
            "html_url": format!("https://github.example/pull/{number}"),
            "head": {
                "label": format!("{owner}:{branch}"), "ref": branch, "sha": sha,
                "repo": repository.map(|id| json!({ "id": id })),
            },
            "base": { "ref": "main", "sha": "b".repeat(40), "repo": { "id": REPOSITORY_ID } },
        }));
        number
    }

    fn due_fault(&self, request: &Request) -> Option<Fault> {
        self.plans
            .iter()
            .find(|plan| plan.matches(request) && plan.is_due())
            .map(|plan| plan.fault)
    }

    fn respond(&mut self, request: &Request) -> ResponseTemplate {
        self.requests.push(ReceivedRequest::new(request));
        let is_due = |interruption: &Interruption| {
            request.method.as_str() == interruption.method
                && request.url.path().contains(interruption.path_part)
        };
        if let Some(at) = self.interruptions.iter().position(is_due) {
            (self.interruptions.remove(at).action)(self);
        }
        let fault = self.due_fault(request);
        for plan in self.plans.iter_mut().filter(|plan| plan.matches(request)) {
            plan.matched += 1;
        }
        let response = fault
            .is_none_or(Fault::takes_effect)
            .then(|| self.handle(request));
        let response = match (fault, response) {
            (Some(fault), _) => fault.template(&self.other),
            (None, response) => response.unwrap_or_else(|| ResponseTemplate::new(500)),
        };
        if self.max_delay.is_zero() || matches!(fault, Some(Fault::Hang | Fault::HangAfter)) {
            return response;
        }
        let part = (self.requests.len() as u32).wrapping_mul(2_654_435_761) >> 16;
        response.set_delay(self.max_delay * part / (1 << 16))
    }

    /// Responds for the other host, which serves files. Like a store with signed URLs, it rejects
    /// requests with a token.
    fn serve_file(&mut self, request: &Request) -> ResponseTemplate {
        let received = ReceivedRequest::new(request);
        let has_token = received.headers.contains_key("authorization");
        self.other_requests.push(received);
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

    fn handle(&mut self, request: &Request) -> ResponseTemplate {
        if request
            .headers
            .get("authorization")
            .is_none_or(|value| value != &format!("Bearer {TOKEN}"))
        {
            return rejection(401, "Bad credentials");
        }
        let path = request.url.path();
        if path == format!("{}/graphql", self.prefix.trim_end_matches("/v3")) {
            return match &self.viewer {
                Some(login) => ResponseTemplate::new(200)
                    .set_body_json(json!({ "data": { "viewer": { "login": login } } })),
                None => rejection(403, "Resource not accessible by integration"),
            };
        }
        let below = format!("{}/repos/{}/{}/", self.prefix, REPOSITORY.0, REPOSITORY.1);
        let Some(path) = path.strip_prefix(&below) else {
            return rejection(404, "Not Found");
        };
        let segments: Vec<_> = path.split('/').map(percent_decode).collect();
        let segments: Vec<_> = segments.iter().map(String::as_str).collect();
        let query: BTreeMap<String, String> = request.url.query_pairs().into_owned().collect();
        let body = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        let reply = match (request.method.as_str(), &segments[..]) {
            ("POST", ["check-runs"]) => self.create_check_run(body),
            ("PATCH", ["check-runs", id]) => self.update_check_run(id, &body),
            ("GET", ["check-runs", id]) => {
                find(&self.check_runs, id).map(|at| ok(&self.check_runs[at]))
            }
            ("GET", ["commits", sha, "check-runs"]) => {
                Ok(self.list_check_runs(request, &query, sha))
            }
            ("GET", ["issues", pull, "comments"]) => Ok(self.list_comments(request, &query, pull)),
            ("POST", ["issues", pull, "comments"]) => self.create_comment(pull, &body),
            ("GET", ["issues", "comments", id]) => {
                find(&self.comments, id).map(|at| ok(&self.comments[at]))
            }
            ("PATCH", ["issues", "comments", id]) => self.update_comment(id, Some(&body)),
            ("DELETE", ["issues", "comments", id]) => self.update_comment(id, None),
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
            ("GET", ["actions", "artifacts", id, "zip"]) => Ok(self.redirect_to_zip(id)),
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
            ("GET", ["pulls", number, "files"]) => {
                let files = number.parse().ok().and_then(|n: u64| self.files.get(&n));
                Ok(page(
                    request,
                    &query,
                    files.cloned().unwrap_or_default(),
                    None,
                ))
            }
            _ => Err(missing()),
        };
        reply.unwrap_or_else(|rejection| rejection)
    }

    fn create_check_run(&mut self, mut body: Value) -> Reply {
        if !body["name"].is_string() || !body["head_sha"].is_string() {
            return Err(rejection(422, "Invalid request"));
        }
        let annotations = validate_output(&body["output"])?;
        let id = self.next_id();
        body["id"] = id.into();
        body["html_url"] = format!("https://github.example/runs/{id}").into();
        body["annotations"] = annotations.into();
        self.check_runs.push(body);
        let run = self.check_runs.last_mut().ok_or_else(missing)?;
        update_annotation_count(run);
        Ok(ResponseTemplate::new(201).set_body_json(run))
    }

    /// Changes the given fields. Removes omitted fields of the output, and appends annotations.
    fn update_check_run(&mut self, id: &str, body: &Value) -> Reply {
        let at = find(&self.check_runs, id)?;
        let more = validate_output(&body["output"])?;
        let run = &mut self.check_runs[at];
        for (field, value) in body.as_object().ok_or_else(missing)? {
            run[field] = value.clone();
        }
        run["annotations"]
            .as_array_mut()
            .ok_or_else(missing)?
            .extend(more);
        update_annotation_count(run);
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

    fn create_comment(&mut self, pull: &str, body: &Value) -> Reply {
        let text = comment_text(body)?;
        let author = self
            .viewer
            .clone()
            .unwrap_or_else(|| "github-actions[bot]".to_owned());
        self.add_comment(pull.parse().map_err(|_| missing())?, &author, &text);
        Ok(ResponseTemplate::new(201).set_body_json(self.comments.last()))
    }

    fn update_comment(&mut self, id: &str, body: Option<&Value>) -> Reply {
        let at = find(&self.comments, id)?;
        let viewer = self.viewer.as_deref().unwrap_or("github-actions[bot]");
        let author = self.comments[at]["user"]["login"]
            .as_str()
            .unwrap_or_default();
        if author != viewer && author != format!("{viewer}[bot]") {
            return Err(rejection(403, "Resource not accessible by integration"));
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
        is_wanted: impl Fn(&Value) -> bool,
    ) -> ResponseTemplate {
        let found = self
            .artifacts
            .iter()
            .rev()
            .filter(|artifact| is_wanted(artifact))
            .cloned()
            .collect();
        page(request, query, found, Some("artifacts"))
    }

    fn redirect_to_zip(&self, id: &str) -> ResponseTemplate {
        let is_expired =
            find(&self.artifacts, id).is_ok_and(|at| self.artifacts[at]["expired"] == true);
        if is_expired {
            return rejection(410, "Gone");
        }
        ResponseTemplate::new(302)
            .insert_header("location", format!("{}/blob/{id}?sig=signed", self.other))
    }

    fn list_pulls(&self, request: &Request, query: &BTreeMap<String, String>) -> ResponseTemplate {
        let state = query.get("state");
        let head = query.get("head");
        let is_wanted = |p: &&Value| {
            state.is_none_or(|s| p["state"] == *s) && head.is_none_or(|h| p["head"]["label"] == *h)
        };
        page(
            request,
            query,
            self.pulls.iter().filter(is_wanted).cloned().collect(),
            None,
        )
    }
}

/// A successful response, or the response that rejects the request.
type Reply = Result<ResponseTemplate, ResponseTemplate>;

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn ok(value: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(value)
}

fn rejection(status: u16, message: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(
        json!({ "message": message, "documentation_url": "https://docs.github.example" }),
    )
}

fn missing() -> ResponseTemplate {
    rejection(404, "Not Found")
}

fn find(list: &[Value], id: &str) -> Result<usize, ResponseTemplate> {
    list.iter()
        .position(|item| item["id"].to_string() == id)
        .ok_or_else(missing)
}

fn update_annotation_count(run: &mut Value) {
    let count = run["annotations"].as_array().map_or(0, Vec::len);
    run["output"]["annotations_count"] = count.into();
}

/// Returns a page of a list, with a `link` header for the next page.
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
    let response = ok(&body);
    if page * per_page >= total {
        return response;
    }
    let next = format!(
        "<{}?page={}>; rel=\"next\", <{0}?page=9>; rel=\"last\"",
        request.url.path(),
        page + 1
    );
    response.insert_header("link", next)
}

fn comment_text(body: &Value) -> Result<String, ResponseTemplate> {
    let text = body["body"]
        .as_str()
        .filter(|text| !text.is_empty() && text.chars().count() <= 65_536);
    text.map(str::to_owned)
        .ok_or_else(|| rejection(422, "Body is too long (maximum is 65536 characters)"))
}

/// Returns the annotations of an output, if GitHub accepts it.
fn validate_output(output: &Value) -> Result<Vec<Value>, ResponseTemplate> {
    let invalid = || rejection(422, "Invalid request");
    let is_prose = |text: &Value| {
        text.as_str()
            .is_none_or(|text| text.chars().count() <= 65_535 && !text.contains(is_unsupported))
    };
    if !output["title"].is_string()
        || !output["summary"].is_string()
        || !is_prose(&output["summary"])
        || !is_prose(&output["text"])
    {
        return Err(invalid());
    }
    let annotations = output["annotations"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let is_valid = annotations.len() <= 50 && annotations.iter().all(is_valid_annotation);
    if is_valid {
        Ok(annotations)
    } else {
        Err(invalid())
    }
}

fn is_valid_annotation(annotation: &Value) -> bool {
    let text = |key: &str| annotation[key].as_str();
    let number = |key: &str| annotation[key].as_u64();
    let is_short =
        |key, max| text(key).is_none_or(|text| text.len() <= max && !text.contains(is_unsupported));
    let is_path = text("path").is_some_and(|p| {
        !p.is_empty()
            && !p.starts_with('/')
            && !p.split('/').any(|s| s == "..")
            && p != REJECTED_PATH
    });
    let start = number("start_line").unwrap_or(0);
    let end = number("end_line").unwrap_or(0);
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
        && is_short("message", 65_536)
        && is_short("raw_details", 65_536)
        && text("title")
            .is_none_or(|title| title.chars().count() <= 255 && !title.contains(is_unsupported))
}

fn is_unsupported(c: char) -> bool {
    c == '\0' || c > '\u{ffff}'
}

fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = (first == b'%').then(|| after.get(..2)).flatten();
        let code =
            code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        bytes.push(code.unwrap_or(first));
        rest = if code.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Waits for a future that needs no runtime.
fn block_on<T>(work: impl Future<Output = T>) -> T {
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
