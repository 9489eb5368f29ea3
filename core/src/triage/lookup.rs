//! Looks up fingerprints by their first digits.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::Triage;
use crate::fingerprint::{Fingerprint, PREFIX};

impl Triage {
    /// Looks up the fingerprint that begins with `prefix`, with or without the leading `lg2-`.
    ///
    /// # Errors
    /// Returns [`LookupError`] if `prefix` has fewer than four hexadecimal digits, or if no
    /// fingerprint or several fingerprints of this run begin with it.
    pub fn find(&self, prefix: &str) -> Result<&Fingerprint, LookupError> {
        const SHORTEST: usize = 4;
        let start = prefix.strip_prefix(PREFIX).unwrap_or(prefix);
        if start.len() < SHORTEST {
            return Err(LookupError::TooShort(prefix.into()));
        }
        let matches = |f: &&Fingerprint| {
            let digits = f.as_str().strip_prefix(PREFIX);
            digits.is_some_and(|digits| digits.starts_with(start))
        };
        let all = self.findings.iter().map(|triaged| &triaged.fingerprint);
        let mut found: Vec<&Fingerprint> = all.filter(matches).collect();
        found.sort_unstable();
        found.dedup();
        match found.as_slice() {
            [one] => Ok(*one),
            [] => Err(LookupError::NotFound(prefix.into())),
            [first, second, ..] => Err(LookupError::Ambiguous {
                prefix: prefix.into(),
                first: (*first).clone(),
                second: (*second).clone(),
            }),
        }
    }
}

/// The reason why [`Triage::find`] found no single fingerprint.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LookupError {
    /// The prefix has fewer than four hexadecimal digits.
    TooShort(String),
    /// No fingerprint of the run begins with the prefix.
    NotFound(String),
    /// Several fingerprints of the run begin with the prefix.
    Ambiguous {
        /// The prefix.
        prefix: String,
        /// The first matching fingerprint, in alphabetical order.
        first: Fingerprint,
        /// The second matching fingerprint.
        second: Fingerprint,
    },
}

impl fmt::Display for LookupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort(prefix) => write!(
                f,
                "invalid fingerprint `{prefix}`: expected at least 4 hexadecimal digits"
            ),
            Self::NotFound(prefix) => write!(f, "no finding has the fingerprint `{prefix}`"),
            Self::Ambiguous {
                prefix,
                first,
                second,
            } => write!(
                f,
                "ambiguous fingerprint `{prefix}`: it matches {first} and {second}"
            ),
        }
    }
}

impl core::error::Error for LookupError {}
