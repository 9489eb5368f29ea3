//! Requests to the GitHub API and their responses.

use http::{HeaderMap, Method, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::{ApiError, TransportError, excerpt};

/// Characters to escape in a path segment or in the value of a query parameter.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A request to the API.
#[derive(Debug)]
pub(super) struct ApiRequest<'a> {
    pub(super) method: Method,
    /// Path and query, relative to the API's own path, or to its host if it begins with `//`.
    pub(super) path: String,
    pub(super) body: Option<Value>,
    /// Start of the error message: `cannot create the check run`.
    pub(super) context: &'a str,
    /// True if 404 and 410 are a regular response and not an error.
    pub(super) allow_not_found: bool,
    /// Maximum length of a downloaded file, in bytes. `None` if the response isn't a file. Files
    /// have a longer timeout.
    pub(super) max_file_bytes: Option<usize>,
}

impl<'a> ApiRequest<'a> {
    /// Creates a request without a body.
    pub(super) fn new(method: Method, path: String, context: &'a str) -> Self {
        Self {
            method,
            path,
            body: None,
            context,
            allow_not_found: false,
            max_file_bytes: None,
        }
    }

    /// Creates a GET request.
    pub(super) fn get(path: String, context: &'a str) -> Self {
        Self::new(Method::GET, path, context)
    }

    /// Sets the body.
    pub(super) fn with_body(self, body: Value) -> Self {
        Self {
            body: Some(body),
            ..self
        }
    }

    /// Treats 404 and 410 as a regular response.
    pub(super) fn allow_not_found(self) -> Self {
        Self {
            allow_not_found: true,
            ..self
        }
    }
}

/// A response with its whole body.
#[derive(Clone, Debug)]
pub(super) struct Response {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Response {
    /// Reads the body, which may have at most `limit` bytes.
    pub(super) async fn read<B>(
        response: http::Response<B>,
        limit: usize,
    ) -> Result<Self, TransportError>
    where
        B: http_body::Body,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, limit)
            .collect()
            .await
            .map_err(|error| match error.downcast_ref::<LengthLimitError>() {
                Some(_) => TransportError::TooLarge(limit),
                None => TransportError::new(error.as_ref()),
            })?;
        Ok(Self {
            status: parts.status,
            headers: parts.headers,
            body: body.to_bytes().into(),
        })
    }

    /// Returns a header. `None` if it is missing or isn't ASCII text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns true if another page follows.
    pub(super) fn has_next_page(&self) -> bool {
        self.header("link")
            .is_some_and(|link| link.contains("rel=\"next\""))
    }

    /// Returns the target of a redirect. `None` if the response isn't one.
    pub(super) fn redirect_target(&self) -> Option<&str> {
        matches!(self.status.as_u16(), 301 | 302 | 303 | 307 | 308)
            .then(|| self.header("location"))
            .flatten()
    }

    /// Parses the body as JSON.
    pub(super) fn json<T: DeserializeOwned>(&self, context: &str) -> Result<T, ApiError> {
        serde_json::from_slice(&self.body).map_err(|error| {
            ApiError::Other(format!(
                "{context}: invalid response from GitHub: {}",
                excerpt(&error.to_string())
            ))
        })
    }
}

/// Escapes text for a path segment or for the value of a query parameter.
pub(crate) fn encode_segment(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, SEGMENT).to_string()
}
