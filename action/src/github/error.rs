//! Errors of the GitHub API and of the connection to it, with one-sentence messages.

use std::error::Error;
use std::fmt;

use http::StatusCode;
use serde_json::Value;

use super::request::Response;

/// Maximum length of text from GitHub in a message, in characters.
const MAX_EXCERPT_CHARS: usize = 300;

/// Why an API operation failed. Each variant holds the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ApiError {
    /// The token lacks the permission to do this or to see the resource (401, 403, 404). Callers
    /// fall back to features that need no permission.
    Forbidden(String),
    /// GitHub asks the client to wait longer than its [`RetryPolicy`](super::RetryPolicy) allows.
    RateLimited(String),
    /// GitHub rejected the content of the request (413, 422).
    Invalid(String),
    /// No connection, or no response in time. The client sends no further requests.
    Unreachable(String),
    /// The request was not sent, because an earlier one was [`Unreachable`](Self::Unreachable).
    Skipped(String),
    /// Any other failure, such as a malformed response.
    Other(String),
}

impl ApiError {
    /// Returns the message.
    pub(crate) fn message(&self) -> &str {
        match self {
            Self::Forbidden(message)
            | Self::RateLimited(message)
            | Self::Invalid(message)
            | Self::Unreachable(message)
            | Self::Skipped(message)
            | Self::Other(message) => message,
        }
    }

    /// Applies a function to the message and keeps the variant.
    pub(super) fn map_message(self, change: impl FnOnce(String) -> String) -> Self {
        match self {
            Self::Forbidden(message) => Self::Forbidden(change(message)),
            Self::RateLimited(message) => Self::RateLimited(change(message)),
            Self::Invalid(message) => Self::Invalid(change(message)),
            Self::Unreachable(message) => Self::Unreachable(change(message)),
            Self::Skipped(message) => Self::Skipped(change(message)),
            Self::Other(message) => Self::Other(change(message)),
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl Error for ApiError {}

/// Why a request got no response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TransportError {
    /// No connection was made, so the request was not sent.
    NotConnected(String),
    /// The connection broke. The request may have taken effect.
    ConnectionLost(String),
    /// No response arrived within this many seconds. The request may have taken effect.
    Timeout(u64),
    /// The response is longer than this many bytes.
    TooLarge(usize),
    /// The URL is invalid, or a redirect leads to a host that the request must not go to.
    InvalidTarget(String),
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotConnected(cause) => write!(f, "connection failed: {cause}"),
            Self::ConnectionLost(cause) => write!(f, "connection lost: {cause}"),
            Self::Timeout(seconds) => write!(f, "no response within {seconds} s"),
            Self::TooLarge(bytes) => write!(f, "the response is longer than {bytes} bytes"),
            Self::InvalidTarget(cause) => f.write_str(cause),
        }
    }
}

impl TransportError {
    /// Returns true if there may be no network at all.
    pub(super) fn is_unreachable(&self) -> bool {
        matches!(self, Self::NotConnected(_) | Self::Timeout(_))
    }

    /// Classifies an error of the HTTP libraries. Only its innermost cause goes into the message,
    /// because the outer ones only name layers of code.
    pub(super) fn new(error: &(dyn Error + 'static)) -> Self {
        let mut causes = Vec::new();
        let mut next = Some(error);
        while let Some(error) = next {
            causes.push(error);
            next = error.source();
        }
        let is_connect_error = causes.iter().any(|e| {
            e.downcast_ref::<reqwest::Error>()
                .is_some_and(reqwest::Error::is_connect)
        });
        let cause = causes
            .last()
            .map(|cause| {
                let text = cause.to_string();
                // A URL may be signed, which makes it as secret as a token.
                excerpt(text.split(" for url (").next().unwrap_or_default())
            })
            .unwrap_or_default();
        if is_connect_error {
            Self::NotConnected(cause)
        } else {
            Self::ConnectionLost(cause)
        }
    }
}

/// Returns the message for an unsuccessful response, which begins with the failed operation:
/// `cannot create the check run: 502 Bad Gateway`.
pub(super) fn response_error(context: &str, response: &Response) -> String {
    let status = status_text(response.status);
    match error_details(&response.body) {
        Some(details) => format!("{context}: {status}: {details}"),
        None => format!("{context}: {status}"),
    }
}

fn status_text(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(reason) => format!("{} {reason}", status.as_u16()),
        None => status.as_u16().to_string(),
    }
}

/// Extracts GitHub's error message and its messages about single fields, if the body has any.
fn error_details(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let mut details = body.get("message")?.as_str()?.to_owned();
    let errors = body
        .get("errors")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    for error in errors.iter().take(3) {
        let field = |name| error.get(name).and_then(Value::as_str);
        if let Some(text) = error
            .as_str()
            .or_else(|| field("message"))
            .or_else(|| field("code"))
        {
            details.push_str("; ");
            details.push_str(text);
        }
    }
    Some(excerpt(&details)).filter(|details| !details.is_empty())
}

/// Makes foreign text safe to print: a single line of limited length without invisible characters.
pub(super) fn excerpt(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = leakgate_core::emit::terminal(text.trim_end_matches('.'));
    match text.char_indices().nth(MAX_EXCERPT_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}
