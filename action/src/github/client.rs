//! One client for one repository: where a request goes, what goes with it, how large and how late
//! an answer may be.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::time::{Duration, Instant};

use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use octocrab::Octocrab;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
use reqwest::Url;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::retry::{Pace, Throttle};
use super::trouble::{Broken, Trouble, shown};

/// How GitHub sees who asks.
const AGENT: &str = concat!("leakgate/", env!("CARGO_PKG_VERSION"));

/// The version of the API that is spoken. Without it GitHub takes the oldest that it still knows.
const VERSION: (&str, &str) = ("x-github-api-version", "2022-11-28");

/// What is left as it is in a segment of a path and in a value of a query.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Longest answer that is no file.
const ANSWER: usize = 32 << 20;

/// How often an answer may point elsewhere.
const REDIRECTS: usize = 5;

/// Where the API is, as whom, and for which repository.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    /// `GITHUB_API_URL`. It may have a path: `https://HOST/api/v3` on GitHub Enterprise Server.
    pub api: String,
    /// Who asks.
    pub token: Token,
    /// Owner of the repository.
    pub owner: String,
    /// Name of the repository, without its owner.
    pub name: String,
}

/// A token. It is never shown.
#[derive(Clone)]
pub(crate) struct Token(String);

impl Token {
    /// Takes a token, without the line end that a file or a variable may have given it.
    pub(crate) fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// A client for one repository.
pub(crate) struct Client {
    /// Requests to the API, with the token.
    octocrab: Octocrab,
    /// Requests to other hosts, without it.
    plain: reqwest::Client,
    runtime: Runtime,
    api: Url,
    token: Token,
    repository: String,
    pub(super) pace: Pace,
    pub(super) throttle: RefCell<Throttle>,
    /// What was waited because GitHub asked for it or failed.
    pub(super) waited: Cell<Duration>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("api", &self.api.as_str())
            .field("repository", &self.repository)
            .finish_non_exhaustive()
    }
}

/// A request.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) method: Method,
    /// Path and query below the API's own path, or below its host if it begins with `//`.
    pub(super) path: String,
    pub(super) body: Option<Value>,
    /// What could not be done if this fails: "the check run could not be made".
    pub(super) tried: &'a str,
    /// True if 404 and 410 are an answer and no trouble.
    pub(super) may_lack: bool,
    /// Longest answer, in bytes. A file has more time than other answers.
    pub(super) file: Option<usize>,
}

impl<'a> Call<'a> {
    /// A request without a body.
    pub(super) fn new(method: Method, path: String, tried: &'a str) -> Self {
        Self {
            method,
            path,
            body: None,
            tried,
            may_lack: false,
            file: None,
        }
    }

    /// A request that reads.
    pub(super) fn get(path: String, tried: &'a str) -> Self {
        Self::new(Method::GET, path, tried)
    }

    /// The same with a body.
    pub(super) fn with(self, body: Value) -> Self {
        Self {
            body: Some(body),
            ..self
        }
    }

    /// The same, for something that may not be there.
    pub(super) fn that_may_lack(self) -> Self {
        Self {
            may_lack: true,
            ..self
        }
    }
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// A header, where it is text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// True if another page follows.
    pub(super) fn has_more(&self) -> bool {
        self.header("link")
            .is_some_and(|link| link.contains("rel=\"next\""))
    }

    /// Where the answer points to, if it does.
    fn target(&self) -> Option<&str> {
        matches!(self.status.as_u16(), 301 | 302 | 303 | 307 | 308)
            .then(|| self.header("location"))
            .flatten()
    }

    /// What the answer says.
    pub(super) fn read<T: DeserializeOwned>(&self, tried: &str) -> Result<T, Trouble> {
        serde_json::from_slice(&self.body).map_err(|error| {
            Trouble::Other(format!(
                "{tried}: GitHub's answer can't be read: {}",
                shown(&error.to_string())
            ))
        })
    }
}

impl Client {
    /// A client. Nothing is sent yet.
    pub(crate) fn new(access: &Access, pace: Pace) -> Result<Self, Trouble> {
        let trouble = |why: &str| Trouble::Other(format!("GitHub can't be asked: {why}"));
        let api = Url::parse(access.api.trim_end_matches('/'))
            .map_err(|e| trouble(&format!("the API's address: {e}")))?;
        if !matches!(api.scheme(), "http" | "https")
            || !api.has_host()
            || !api.username().is_empty()
            || api.password().is_some()
        {
            return Err(trouble(
                "the API's address must be https://HOST or https://HOST/PATH",
            ));
        }
        // The library below ends the program where a token can't stand in a header.
        if access.token.0.is_empty() || !access.token.0.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(trouble("the token is empty, or holds what no token holds"));
        }
        // The first provider stays; each call brings the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| trouble(&e.to_string()))?;
        let plain = reqwest::Client::builder()
            .user_agent(AGENT)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(pace.timeout)
            .build()
            .map_err(|error| trouble(&Broken::new(&error).to_string()))?;
        let octocrab = {
            let _inside = runtime.enter();
            Octocrab::builder()
                .base_uri(api.origin().ascii_serialization())
                .map(|builder| {
                    builder
                        .personal_token(access.token.0.clone())
                        .add_header(header::USER_AGENT, AGENT.to_owned())
                })
                .and_then(|builder| builder.build_with_reqwest(plain.clone()))
                .map_err(|error| trouble(&Broken::new(&error).to_string()))?
        };
        let repository = format!(
            "/repos/{}/{}",
            segment(&access.owner),
            segment(&access.name)
        );
        let throttle = RefCell::new(Throttle::new(&pace));
        let (token, waited) = (access.token.clone(), Cell::default());
        Ok(Self {
            octocrab,
            plain,
            runtime,
            api,
            token,
            repository,
            pace,
            throttle,
            waited,
        })
    }

    /// A path below that of the repository.
    pub(super) fn path(&self, rest: &str) -> String {
        format!("{}{rest}", self.repository)
    }

    /// Does something to its end. No trouble that leaves here holds the token.
    pub(super) fn block<T>(
        &self,
        work: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<T, Trouble> {
        self.runtime
            .block_on(work)
            .map_err(|trouble| self.scrubbed(trouble))
    }

    /// A trouble without the token, should GitHub or a proxy have repeated it.
    pub(super) fn scrubbed(&self, trouble: Trouble) -> Trouble {
        let scrub = |text: String| text.replace(&self.token.0, "***");
        match trouble {
            Trouble::Forbidden(text) => Trouble::Forbidden(scrub(text)),
            Trouble::Limited(text) => Trouble::Limited(scrub(text)),
            Trouble::Invalid(text) => Trouble::Invalid(scrub(text)),
            Trouble::Other(text) => Trouble::Other(scrub(text)),
        }
    }

    /// The address of the GraphQL API.
    pub(super) fn graphql(&self) -> String {
        // On GitHub Enterprise Server it lies beside the other, and not below it.
        match self.api.path().strip_suffix("/v3") {
            Some(above) => format!("/{above}/graphql"),
            None => "/graphql".to_owned(),
        }
    }

    fn address(&self, path: &str) -> Result<Url, Broken> {
        let below = match path.strip_prefix('/') {
            Some(rest) if rest.starts_with('/') => {
                format!("{}{rest}", self.api.origin().ascii_serialization())
            }
            _ => format!("{}{path}", self.api.as_str().trim_end_matches('/')),
        };
        Url::parse(&below).map_err(|error| Broken::Astray(format!("{error}: {path}")))
    }

    /// Sends a request once, and follows where its answer points to.
    pub(super) async fn send(&self, call: &Call<'_>) -> Result<Answer, Broken> {
        let allowed = if call.file.is_some() {
            self.pace.timeout * 10
        } else {
            self.pace.timeout
        };
        let end = Instant::now() + allowed;
        let mut url = self.address(&call.path)?;
        for _ in 0..=REDIRECTS {
            let left = end.saturating_duration_since(Instant::now());
            let late = |_| Broken::Late(allowed.as_secs());
            let answer = tokio::time::timeout(left, self.request(call, &url))
                .await
                .map_err(late)??;
            let Some(target) = answer.target() else {
                return Ok(answer);
            };
            url = self.next(call, &url, target)?;
        }
        Err(Broken::Astray(
            "the answers point from one to the next without end".to_owned(),
        ))
    }

    fn next(&self, call: &Call<'_>, url: &Url, target: &str) -> Result<Url, Broken> {
        let next = url
            .join(target)
            .map_err(|error| Broken::Astray(format!("the answer points nowhere: {error}")))?;
        let host = || shown(next.host_str().unwrap_or_default());
        if next.origin() == self.api.origin() {
            return Ok(next);
        }
        if call.method != Method::GET {
            return Err(Broken::Astray(format!(
                "the answer points to another host, {}",
                host()
            )));
        }
        if next.scheme() != "https" && self.api.scheme() == "https" {
            return Err(Broken::Astray(format!(
                "the answer points to a host without encryption, {}",
                host()
            )));
        }
        Ok(next)
    }

    async fn request(&self, call: &Call<'_>, url: &Url) -> Result<Answer, Broken> {
        let limit = call.file.unwrap_or(ANSWER);
        if url.origin() != self.api.origin() {
            let response = self
                .plain
                .get(url.clone())
                .send()
                .await
                .map_err(|error| Broken::new(&error))?;
            return read(response.into(), limit).await;
        }
        let path = url.query().map_or_else(
            || url.path().to_owned(),
            |query| format!("{}?{query}", url.path()),
        );
        let request = Request::builder()
            .method(&call.method)
            .uri(path)
            .header(VERSION.0, VERSION.1);
        let request = request.header(header::ACCEPT, "application/vnd.github+json");
        let request = match &call.body {
            Some(body) => request
                .header(header::CONTENT_TYPE, "application/json")
                .body(body.to_string()),
            None => request.body(String::new()),
        };
        let request = request.map_err(|error| Broken::Astray(error.to_string()))?;
        let response = self
            .octocrab
            .execute(request)
            .await
            .map_err(|error| Broken::new(&error))?;
        read(response, limit).await
    }
}

/// Reads an answer, and no more of it than is allowed.
async fn read<B>(response: http::Response<B>, limit: usize) -> Result<Answer, Broken>
where
    B: http_body::Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, limit)
        .collect()
        .await
        .map_err(|error| match error.downcast_ref::<LengthLimitError>() {
            Some(_) => Broken::Large(limit),
            None => Broken::new(error.as_ref()),
        })?;
    Ok(Answer {
        status: parts.status,
        headers: parts.headers,
        body: body.to_bytes().into(),
    })
}

/// Text as one segment of a path, or as a value of a query.
pub(super) fn segment(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, SEGMENT).to_string()
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
        Client::new(&access, Pace::default()).unwrap()
    }

    #[test]
    fn paths_lie_below_the_api_and_graphql_beside_it() {
        for (api, path, graphql) in [
            (
                "https://api.github.com",
                "https://api.github.com/repos/o/a%2Fb/x",
                "https://api.github.com/graphql",
            ),
            (
                "https://api.github.com/",
                "https://api.github.com/repos/o/a%2Fb/x",
                "https://api.github.com/graphql",
            ),
            (
                "https://h:8443/api/v3/",
                "https://h:8443/api/v3/repos/o/a%2Fb/x",
                "https://h:8443/api/graphql",
            ),
            (
                "http://h/v3",
                "http://h/v3/repos/o/a%2Fb/x",
                "http://h/graphql",
            ),
        ] {
            let client = client(api);
            assert_eq!(client.address(&client.path("/x")).unwrap().as_str(), path);
            assert_eq!(client.address(&client.graphql()).unwrap().as_str(), graphql);
        }
    }

    #[test]
    fn answers_point_no_further_than_a_request_may_go() {
        let client = client("https://h/api/v3");
        let here = client.address("/x").unwrap();
        let (get, post) = (
            Call::get("/x".into(), "t"),
            Call::new(Method::POST, "/x".into(), "t"),
        );
        let next = |call, target| {
            client
                .next(call, &here, target)
                .map(String::from)
                .map_err(|broken| broken.to_string())
        };
        assert_eq!(
            next(&get, "/repositories/1"),
            Ok("https://h/repositories/1".into())
        );
        assert_eq!(
            next(&post, "https://h/repositories/1"),
            Ok("https://h/repositories/1".into())
        );
        assert_eq!(
            next(&get, "https://store/1?sig=2"),
            Ok("https://store/1?sig=2".into())
        );
        assert_eq!(
            next(&post, "https://store/1"),
            Err("the answer points to another host, store".into())
        );
        assert_eq!(
            next(&post, "https://h:444/1"),
            Err("the answer points to another host, h".into())
        );
        for target in ["http://store/1", "http://h/1"] {
            assert!(
                next(&get, target)
                    .unwrap_err()
                    .contains("without encryption"),
                "{target}"
            );
        }
        assert!(next(&get, "https://[").is_err());
    }
}
