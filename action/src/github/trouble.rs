//! What can go wrong between here and GitHub, in one sentence each.

use std::error::Error;
use std::fmt;

use http::StatusCode;
use serde_json::Value;

use super::client::Answer;

/// Longest piece of GitHub's own words in a message.
const WORDS: usize = 300;

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The token may not do this, or not see it (401, 403, 404). Callers fall back to what needs no
    /// permission.
    Forbidden(String),
    /// GitHub asks to wait for longer than the client is willing to.
    Limited(String),
    /// GitHub found fault with what was sent (413, 422).
    Invalid(String),
    /// Anything else: no connection, no answer in time, an answer that makes no sense.
    Other(String),
}

impl Trouble {
    /// The sentence.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Forbidden(text)
            | Self::Limited(text)
            | Self::Invalid(text)
            | Self::Other(text) => text,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl Error for Trouble {}

/// Why there is no answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// No connection was made, so that nothing was sent.
    Unsent(String),
    /// The connection broke. What was sent may have taken effect.
    Lost(String),
    /// No answer in time, which is so many seconds. What was sent may have taken effect.
    Late(u64),
    /// The answer is longer than so many bytes.
    Large(usize),
    /// The answer points to where a request must not go.
    Astray(String),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsent(why) => write!(f, "there is no connection: {why}"),
            Self::Lost(why) => write!(f, "the connection broke: {why}"),
            Self::Late(seconds) => write!(f, "there was no answer within {seconds} s"),
            Self::Large(bytes) => write!(f, "the answer has more than {bytes} bytes"),
            Self::Astray(why) => f.write_str(why),
        }
    }
}

impl Broken {
    /// What an error of the libraries means. Only its cause is told: what stands above it names
    /// layers of code.
    pub(super) fn new(error: &(dyn Error + 'static)) -> Self {
        let (mut causes, mut next) = (Vec::new(), Some(error));
        while let Some(error) = next {
            causes.push(error);
            next = error.source();
        }
        let is_unsent = causes.iter().any(|e| {
            e.downcast_ref::<reqwest::Error>()
                .is_some_and(reqwest::Error::is_connect)
        });
        // An address may be signed, which is as good as a token.
        let told = |cause: &&(dyn Error + 'static)| {
            shown(
                cause
                    .to_string()
                    .split(" for url (")
                    .next()
                    .unwrap_or_default(),
            )
        };
        let why = causes.last().map(told).unwrap_or_default();
        if is_unsent {
            Self::Unsent(why)
        } else {
            Self::Lost(why)
        }
    }
}

/// What was tried and how GitHub refused it: "the check run could not be made: 502 Bad Gateway".
pub(super) fn refusal(tried: &str, answer: &Answer) -> String {
    match words(&answer.body) {
        Some(words) => format!("{tried}: {}: {words}", status(answer.status)),
        None => format!("{tried}: {}", status(answer.status)),
    }
}

fn status(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(reason) => format!("{} {reason}", status.as_u16()),
        None => status.as_u16().to_string(),
    }
}

/// GitHub's own words: its message, and what it says of single fields.
fn words(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let mut words = body.get("message")?.as_str()?.to_owned();
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
            words.push_str("; ");
            words.push_str(text);
        }
    }
    Some(shown(&words)).filter(|words| !words.is_empty())
}

/// Text of others as it may be shown: one line, not long, nothing in it that is not seen.
pub(super) fn shown(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = leakgate_core::emit::terminal(text.trim_end_matches('.'));
    match text.char_indices().nth(WORDS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}
