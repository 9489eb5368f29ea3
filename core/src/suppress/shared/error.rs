//! The reasons why no single rule accepts the findings of a place.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::error::Error;
use core::fmt;

use super::{Located, SharedPlace, Unsupported};
use crate::triage::Triage;
use crate::triage::spot::Spot;

/// The reason why [`suppress_shared`](super::suppress_shared) generated no rule.
///
/// `Display` gives the reason without the place, such as `it may be a::run or b::run`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SharedRuleError {
    /// No unexpected finding is at the place.
    NotFound {
        /// The places of the unexpected findings, in the form that the caller gave, those with the
        /// most findings first. May be empty.
        known: Vec<String>,
    },
    /// The place fits functions or files that differ.
    Ambiguous {
        /// Their names.
        names: Vec<String>,
    },
    /// The findings have different kinds and aren't all leaks.
    SeveralKinds {
        /// The kinds; `leaks` for kinds of leaks.
        kinds: Vec<String>,
    },
    /// No rule matches exactly these findings.
    Unsupported {
        /// The reason why the last attempt failed.
        cause: Unsupported,
        /// The fingerprints of the findings.
        fingerprints: Vec<String>,
    },
}

impl SharedRuleError {
    /// Creates the error for a place without findings. `all` are the findings elsewhere.
    pub(super) fn not_found(place: &SharedPlace, all: &[Located]) -> Self {
        let name = |spot: &Spot| match place {
            SharedPlace::Function(_) => spot.function.clone(),
            SharedPlace::Site(_) => file_and_line(spot),
        };
        let names = all.iter().map(|found| name(&found.spot));
        let mut counts: Vec<(usize, String)> = Vec::new();
        for name in names.filter(|name| !name.is_empty()) {
            match counts.iter_mut().find(|(_, known)| *known == name) {
                Some((count, _)) => *count += 1,
                None => counts.push((1, name)),
            }
        }
        counts.sort_by_key(|(count, _)| core::cmp::Reverse(*count));
        Self::NotFound {
            known: counts.into_iter().map(|(_, name)| name).collect(),
        }
    }

    pub(super) fn unsupported(cause: Unsupported, triage: &Triage, findings: &[usize]) -> Self {
        let all = findings.iter().map(|at| &triage.findings[*at].fingerprint);
        let mut fingerprints: Vec<String> = all.map(ToString::to_string).collect();
        fingerprints.sort_unstable();
        fingerprints.dedup();
        Self::Unsupported {
            cause,
            fingerprints,
        }
    }
}

impl fmt::Display for SharedRuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { .. } => f.write_str("it has no unexpected finding without a rule"),
            Self::Ambiguous { names } => write!(f, "it may be {}", names.join(" or ")),
            Self::SeveralKinds { kinds } => {
                write!(f, "they have different kinds: {}", kinds.join(", "))
            }
            Self::Unsupported { cause, .. } => cause.fmt(f),
        }
    }
}

impl Error for SharedRuleError {}

/// Returns the function, and its file if there is one: `init in src/a.c`.
pub(super) fn function_and_file(spot: &Spot) -> String {
    match &spot.file {
        Some(file) => format!("{} in {file}", spot.function),
        None => spot.function.clone(),
    }
}

/// Returns the file and the line: `src/a.c:12`. Empty if either is unknown.
pub(super) fn file_and_line(spot: &Spot) -> String {
    match (&spot.file, spot.line) {
        (Some(file), Some(line)) => format!("{file}:{line}"),
        _ => String::new(),
    }
}
