//! Errors of the public API that several modules share.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::error::Error;
use core::fmt;

use crate::diagnostic::nearest;

/// A name that isn't one of the names that leakgate knows: a report format, a tool, a finding kind,
/// a level.
///
/// `Display` gives the message, such as ``unknown tool `vlgrind` ``; [`UnknownName::help`] gives
/// one line that says what to write instead.
///
/// ```
/// use leakgate_core::emit::Format;
///
/// let error = "jsn".parse::<Format>().unwrap_err();
/// assert_eq!(error.to_string(), "unknown format `jsn`");
/// assert_eq!(error.help(), "did you mean `json`?");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName {
    what: &'static str,
    name: String,
    help: String,
}

impl UnknownName {
    /// Creates the error for `name`, which should have been one of `known`.
    ///
    /// `what` is the noun of the message, such as `tool`. The help line names the nearest known
    /// name, or all of them if none is near.
    pub(crate) fn new<'a>(
        what: &'static str,
        name: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        let help = match nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("expected one of: {}", known.join(", ")),
        };
        Self {
            what,
            name: name.to_string(),
            help,
        }
    }

    /// Replaces the help line.
    #[must_use]
    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// Returns one line that says what to write instead.
    pub fn help(&self) -> &str {
        &self.help
    }
}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown {} `{}`", self.what, self.name)
    }
}

impl Error for UnknownName {}
