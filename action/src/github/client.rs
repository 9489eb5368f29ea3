//! A client for a single repository. It decides which host gets a request and whether the token
//! goes along, and limits the size and the duration of responses.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::time::{Duration, Instant};

use http::{Method, Request, header};
use octocrab::Octocrab;
use reqwest::Url;
use tokio::runtime::Runtime;

use super::error::{ApiError, TransportError, excerpt};
use super::request::{ApiRequest, Response, encode_segment};
use super::retry::RetryPolicy;
use super::throttle::Throttle;

/// User agent of all requests.
const USER_AGENT: &str = concat!("leakgate/", env!("CARGO_PKG_VERSION"));

/// Header with the requested API version. Without it, GitHub uses the oldest version that it still
/// supports.
const API_VERSION: (&str, &str) = ("x-github-api-version", "2022-11-28");

/// Maximum length of a response that isn't a file, in bytes.
const MAX_RESPONSE_BYTES: usize = 32 << 20;

/// Timeout for GitHub's first response. GitHub ends requests that take longer than 10 s
/// (<https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api#timeouts>).
const FIRST_TIMEOUT: Duration = Duration::from_secs(15);

/// Maximum number of redirects that the client follows for a request.
const MAX_REDIRECTS: usize = 5;

/// Address of the API, the token, and the repository.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    /// `GITHUB_API_URL`. It may have a path: `https://HOST/api/v3` on GitHub Enterprise Server.
    pub api: String,
    /// Token to authenticate with.
    pub token: Token,
    /// Owner of the repository.
    pub owner: String,
    /// Name of the repository, without its owner.
    pub name: String,
}

/// A token. Its `Debug` output doesn't contain it.
#[derive(Clone)]
pub(crate) struct Token(String);

impl Token {
    /// Creates a token from text, without the line end that a file or a variable may add.
    pub(crate) fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// Returns true if the token can be sent in a header.
    fn is_valid(&self) -> bool {
        !self.0.is_empty() && self.0.bytes().all(|b| b.is_ascii_graphic())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// A client for a single repository.
pub(crate) struct Client {
    /// Sends requests to the API, with the token.
    octocrab: Octocrab,
    /// Sends requests to other hosts, without the token.
    anonymous: reqwest::Client,
    runtime: BackgroundRuntime,
    api: Url,
    token: Token,
    /// Path of the repository below the API: `/repos/OWNER/NAME`.
    repository: String,
    pub(super) policy: RetryPolicy,
    pub(super) throttle: RefCell<Throttle>,
    /// Time spent on failed requests and on delays before retries.
    pub(super) waited: Cell<Duration>,
    /// True after GitHub's first response.
    pub(super) has_responded: Cell<bool>,
    /// True once a request was unreachable. No further requests are sent then.
    pub(super) is_offline: Cell<bool>,
}

/// A runtime that doesn't wait for its threads when it is dropped. A request for an address can block
/// one of them for long without a network.
struct BackgroundRuntime(Option<Runtime>);

impl Drop for BackgroundRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("api", &self.api.as_str())
            .field("repository", &self.repository)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Creates a client without sending a request.
    pub(crate) fn new(access: &Access, policy: RetryPolicy) -> Result<Self, ApiError> {
        let api = parse_api_url(&access.api)?;
        // octocrab panics if the token isn't a valid header value.
        if !access.token.is_valid() {
            return Err(setup_error(
                "the token is empty or contains invalid characters",
            ));
        }
        // Fails if a provider is installed already, which is always the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| setup_error(&error.to_string()))?;
        let anonymous = anonymous_client(&policy)?;
        let runtime = BackgroundRuntime(Some(runtime));
        let octocrab = {
            let _inside = runtime.0.as_ref().map(Runtime::enter);
            authenticated_client(&api, &access.token, &anonymous)?
        };
        let repository = format!(
            "/repos/{}/{}",
            encode_segment(&access.owner),
            encode_segment(&access.name)
        );
        Ok(Self {
            octocrab,
            anonymous,
            runtime,
            api,
            token: access.token.clone(),
            repository,
            policy,
            throttle: RefCell::new(Throttle::new(&policy)),
            waited: Cell::default(),
            has_responded: Cell::default(),
            is_offline: Cell::default(),
        })
    }

    /// Returns the path of a resource of the repository.
    pub(super) fn repository_path(&self, rest: &str) -> String {
        format!("{}{rest}", self.repository)
    }

    /// Runs a future to completion. Its error never contains the token.
    pub(super) fn block_on<T>(
        &self,
        work: impl Future<Output = Result<T, ApiError>>,
    ) -> Result<T, ApiError> {
        let Some(runtime) = &self.runtime.0 else {
            return Err(setup_error("its runtime has ended"));
        };
        runtime
            .block_on(work)
            .map_err(|error| self.redact_token(error))
    }

    /// Removes the token from an error, in case GitHub or a proxy has repeated it.
    pub(super) fn redact_token(&self, error: ApiError) -> ApiError {
        error.map_message(|message| message.replace(&self.token.0, "***"))
    }

    /// Returns the path of the GraphQL API.
    pub(super) fn graphql_path(&self) -> String {
        // On GitHub Enterprise Server, it is a sibling of the REST API (`/api/graphql` and
        // `/api/v3`).
        match self.api.path().strip_suffix("/v3") {
            Some(parent) => format!("/{parent}/graphql"),
            None => "/graphql".to_owned(),
        }
    }

    fn url(&self, path: &str) -> Result<Url, TransportError> {
        let full = match path.strip_prefix('/') {
            Some(rest) if rest.starts_with('/') => {
                format!("{}{rest}", self.api.origin().ascii_serialization())
            }
            _ => format!("{}{path}", self.api.as_str().trim_end_matches('/')),
        };
        Url::parse(&full).map_err(|error| {
            TransportError::InvalidTarget(format!("invalid URL `{path}`: {error}"))
        })
    }

    /// Sends a request once and follows redirects.
    pub(super) async fn send(&self, request: &ApiRequest<'_>) -> Result<Response, TransportError> {
        let timeout = match request.max_file_bytes {
            Some(_) => self.policy.timeout * 10,
            None if self.has_responded.get() => self.policy.timeout,
            None => self.policy.timeout.min(FIRST_TIMEOUT),
        };
        let deadline = Instant::now() + timeout;
        let mut url = self.url(&request.path)?;
        for _ in 0..=MAX_REDIRECTS {
            let remaining = deadline.saturating_duration_since(Instant::now());
            let response = tokio::time::timeout(remaining, self.send_to(request, &url))
                .await
                .map_err(|_| TransportError::Timeout(timeout.as_secs()))??;
            let Some(target) = response.redirect_target() else {
                return Ok(response);
            };
            url = self.resolve_redirect(request, &url, target)?;
        }
        Err(TransportError::InvalidTarget(
            "too many redirects".to_owned(),
        ))
    }

    /// Returns the URL to follow a redirect to, if the request may go there.
    fn resolve_redirect(
        &self,
        request: &ApiRequest<'_>,
        url: &Url,
        target: &str,
    ) -> Result<Url, TransportError> {
        let next = url
            .join(target)
            .map_err(|error| TransportError::InvalidTarget(format!("invalid redirect: {error}")))?;
        if next.origin() == self.api.origin() {
            return Ok(next);
        }
        let host = excerpt(next.host_str().unwrap_or_default());
        if request.method != Method::GET {
            return Err(TransportError::InvalidTarget(format!(
                "refusing to follow a redirect to another host, {host}"
            )));
        }
        if next.scheme() != "https" && self.api.scheme() == "https" {
            return Err(TransportError::InvalidTarget(format!(
                "refusing to follow a redirect to an unencrypted host, {host}"
            )));
        }
        Ok(next)
    }

    /// Sends a request to this URL, with the token only if it belongs to the API.
    async fn send_to(
        &self,
        request: &ApiRequest<'_>,
        url: &Url,
    ) -> Result<Response, TransportError> {
        let limit = request.max_file_bytes.unwrap_or(MAX_RESPONSE_BYTES);
        if url.origin() != self.api.origin() {
            let response = self
                .anonymous
                .get(url.clone())
                .send()
                .await
                .map_err(|error| TransportError::new(&error))?;
            return Response::read(response.into(), limit).await;
        }
        let path = url.query().map_or_else(
            || url.path().to_owned(),
            |query| format!("{}?{query}", url.path()),
        );
        let builder = Request::builder()
            .method(&request.method)
            .uri(path)
            .header(API_VERSION.0, API_VERSION.1)
            .header(header::ACCEPT, "application/vnd.github+json");
        let http_request = match &request.body {
            Some(body) => builder
                .header(header::CONTENT_TYPE, "application/json")
                .body(body.to_string()),
            None => builder.body(String::new()),
        };
        let http_request =
            http_request.map_err(|error| TransportError::InvalidTarget(error.to_string()))?;
        let response = self
            .octocrab
            .execute(http_request)
            .await
            .map_err(|error| TransportError::new(&error))?;
        Response::read(response, limit).await
    }
}

fn setup_error(cause: &str) -> ApiError {
    ApiError::Other(format!("cannot access the GitHub API: {cause}"))
}

fn parse_api_url(text: &str) -> Result<Url, ApiError> {
    let api = Url::parse(text.trim_end_matches('/'))
        .map_err(|error| setup_error(&format!("invalid URL: {error}")))?;
    if !matches!(api.scheme(), "http" | "https")
        || !api.has_host()
        || !api.username().is_empty()
        || api.password().is_some()
    {
        return Err(setup_error(
            "invalid URL: expected https://HOST or https://HOST/PATH",
        ));
    }
    Ok(api)
}

/// Creates the client for other hosts. Redirects and retries are left to [`Client`].
fn anonymous_client(policy: &RetryPolicy) -> Result<reqwest::Client, ApiError> {
    reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(policy.connect_timeout)
        .build()
        .map_err(|error| setup_error(&TransportError::new(&error).to_string()))
}

/// Creates the client for the API. Must be called inside of a Tokio runtime.
fn authenticated_client(
    api: &Url,
    token: &Token,
    http: &reqwest::Client,
) -> Result<Octocrab, ApiError> {
    Octocrab::builder()
        .base_uri(api.origin().ascii_serialization())
        .map(|builder| {
            builder
                .personal_token(token.0.clone())
                .add_header(header::USER_AGENT, USER_AGENT.to_owned())
        })
        .and_then(|builder| builder.build_with_reqwest(http.clone()))
        .map_err(|error| setup_error(&TransportError::new(&error).to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(api: &str) -> Client {
        let access = Access {
            api: api.into(),
            token: Token::new("t"),
            owner: "o".into(),
            name: "a/b".into(),
        };
        Client::new(&access, RetryPolicy::default()).unwrap()
    }

    #[test]
    fn rest_and_graphql_urls_follow_the_api_url() {
        for (api, rest, graphql) in [
            (
                "https://api.github.com",
                "https://api.github.com",
                "https://api.github.com",
            ),
            (
                "https://api.github.com/",
                "https://api.github.com",
                "https://api.github.com",
            ),
            (
                "https://h:8443/api/v3/",
                "https://h:8443/api/v3",
                "https://h:8443/api",
            ),
            ("http://h/v3", "http://h/v3", "http://h"),
        ] {
            let client = client(api);
            let url = client.url(&client.repository_path("/x")).unwrap();
            assert_eq!(url.as_str(), format!("{rest}/repos/o/a%2Fb/x"));
            let url = client.url(&client.graphql_path()).unwrap();
            assert_eq!(url.as_str(), format!("{graphql}/graphql"));
        }
    }

    #[test]
    fn redirects_to_other_hosts_are_limited() {
        let client = client("https://h/api/v3");
        let here = client.url("/x").unwrap();
        let get = ApiRequest::get("/x".into(), "t");
        let post = ApiRequest::new(Method::POST, "/x".into(), "t");
        let resolve = |request, target| {
            client
                .resolve_redirect(request, &here, target)
                .map(String::from)
                .map_err(|error| error.to_string())
        };
        assert_eq!(
            resolve(&get, "/repositories/1"),
            Ok("https://h/repositories/1".into())
        );
        assert_eq!(
            resolve(&post, "https://h/repositories/1"),
            Ok("https://h/repositories/1".into())
        );
        assert_eq!(
            resolve(&get, "https://store/1?sig=2"),
            Ok("https://store/1?sig=2".into())
        );
        assert_eq!(
            resolve(&post, "https://store/1"),
            Err("refusing to follow a redirect to another host, store".into())
        );
        assert_eq!(
            resolve(&post, "https://h:444/1"),
            Err("refusing to follow a redirect to another host, h".into())
        );
        for target in ["http://store/1", "http://h/1"] {
            assert!(
                resolve(&get, target)
                    .unwrap_err()
                    .contains("an unencrypted host"),
                "{target}"
            );
        }
        assert!(resolve(&get, "https://[").is_err());
    }
}
