//! Accepts all unexpected findings of a function or of a source line by one rule.

use leakgate_core::policy::KindSet;
use leakgate_core::suppress::{
    RuleOptions, SharedPlace, SharedRule, SharedRuleError, suppress_shared,
};
use leakgate_core::{Gate, Parsed, Triage, Workspace};

use super::Accepted;
use crate::error::Error;

/// Maximum number of names in a help line.
const MAX_LISTED: usize = 10;

/// The findings of the logs.
pub(super) struct Run<'a> {
    pub(super) parsed: &'a Parsed,
    pub(super) gate: &'a Gate,
    pub(super) triage: &'a Triage,
    pub(super) repository: &'a dyn Workspace,
}

impl Run<'_> {
    /// Generates the rule for the unexpected findings of a place.
    pub(super) fn accept(
        &self,
        place: &SharedPlace,
        kind: Option<&KindSet>,
        options: &RuleOptions,
    ) -> Result<Accepted, Error> {
        let rule = suppress_shared(
            self.parsed,
            self.gate,
            self.triage,
            self.repository,
            place,
            kind,
            options,
        );
        let SharedRule { text, findings } = rule.map_err(|error| explained(place, &error))?;
        Ok(Accepted {
            text,
            findings,
            is_weak: false,
        })
    }
}

/// Adds the place to an error, and what to pass instead.
fn explained(place: &SharedPlace, error: &SharedRuleError) -> Error {
    let preposition = match place {
        SharedPlace::Function(_) => "in",
        SharedPlace::Site(_) => "at",
    };
    let option = match place {
        SharedPlace::Function(_) => "--function",
        SharedPlace::Site(_) => "--site",
    };
    let message = format!("cannot accept the findings {preposition} {place}: {error}");
    let help = match error {
        SharedRuleError::NotFound { known } if known.is_empty() => {
            "run `leakgate check LOG` to list unexpected findings".to_owned()
        }
        SharedRuleError::NotFound { known } => {
            format!("pass `{option}` with one of: {}", listed(known))
        }
        SharedRuleError::Ambiguous { .. } => match place {
            SharedPlace::Function(_) => {
                "pass the whole name, or `--site FILE:LINE` if the files differ".to_owned()
            }
            SharedPlace::Site(_) => "pass more folders of the path".to_owned(),
        },
        SharedRuleError::SeveralKinds { kinds } => {
            format!("pass `--kind` with one of: {}", listed(kinds))
        }
        SharedRuleError::Unsupported { fingerprints, .. } => {
            format!("accept each by its fingerprint: {}", listed(fingerprints))
        }
        _ => "accept each by its fingerprint".to_owned(),
    };
    Error::with_help(message, help)
}

/// Joins names, at most [`MAX_LISTED`].
fn listed(names: &[String]) -> String {
    let shown = names.len().min(MAX_LISTED);
    let mut out = names[..shown].join(", ");
    if names.len() > shown {
        out += &format!(" … and {} more", names.len() - shown);
    }
    out
}
