//! A finding after triage: its fingerprint, its culprit and its disposition.

use alloc::vec::Vec;

use crate::culprit::{Class, Culprit};
use crate::fingerprint::Fingerprint;

/// The decision about a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Disposition {
    /// Neither a rule nor the baseline accepts the finding. It fails the gate.
    Unexpected,
    /// A rule accepts the finding.
    Allowed,
    /// The baseline lists the finding.
    Baseline,
    /// The policy ignores the finding.
    NotGated,
}

impl Disposition {
    /// Returns the name used in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unexpected => "unexpected",
            Self::Allowed => "allowed",
            Self::Baseline => "baseline",
            Self::NotGated => "not-gated",
        }
    }
}

/// The reason why a finding is unexpected although a rule matches it or the baseline lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// The deciding rule has expired.
    ExpiredRule,
    /// The deciding rule matched more than its limit.
    OverLimit,
    /// The finding is larger or more severe than in the baseline.
    Grown,
}

impl Cause {
    /// Returns the name used in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ExpiredRule => "expired-rule",
            Self::OverLimit => "over-limit",
            Self::Grown => "grown",
        }
    }
}

/// The triage result of the finding with the same index in
/// [`Parsed::findings`](crate::parse::Parsed::findings).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TriagedFinding {
    /// Identity of the finding across builds.
    pub fingerprint: Fingerprint,
    /// The frame to look at first.
    pub culprit: Culprit,
    /// The class of each frame, for each stack. [`Gate::allocators`](crate::triage::Gate) count as
    /// allocators.
    pub classes: Vec<Vec<Class>>,
    /// The decision.
    pub disposition: Disposition,
    /// The reason why the finding is unexpected although a rule or the baseline knows it. `None` in
    /// all other cases.
    pub cause: Option<Cause>,
    /// Index of the deciding rule in [`Gate::rules`](crate::triage::Gate::rules). `None` if no rule
    /// matches.
    pub rule: Option<usize>,
    /// Indices of all matching rules, in the order in which rules are tried.
    pub matches: Vec<u32>,
    /// Number of records, without the records that a child process inherited through `fork`.
    pub records: u64,
    /// True if every frame of the primary stack is known to be third-party code, without the
    /// allocators of the configuration.
    pub(crate) is_third_party: bool,
}
