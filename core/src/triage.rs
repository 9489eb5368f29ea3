//! What becomes of each finding. Nothing is dropped.

use alloc::vec::Vec;

use crate::culprit::{self, Class, Culprit, Names, Workspace};
use crate::fingerprint::{self, Fingerprint};
use crate::model::Kind;
use crate::parse::Parsed;
use crate::verdict::Policy;

/// What becomes of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Disposition {
    /// Nobody accepted it: the gate fails.
    Unexpected,
    /// The policy does not look at its kind.
    NotGated,
}

impl Disposition {
    /// The name, as it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unexpected => "unexpected",
            Self::NotGated => "not-gated",
        }
    }
}

/// What is known of the finding with the same index in [`Parsed::findings`].
#[derive(Clone, Debug)]
pub struct Item {
    /// Its identity across builds.
    pub fingerprint: Fingerprint,
    /// The frame to look at.
    pub culprit: Culprit,
    /// The classes of the frames of each of its stacks.
    pub classes: Vec<Vec<Class>>,
    /// What becomes of it.
    pub disposition: Disposition,
    /// How many records it stands for, without those that a child only repeats from its parent.
    pub records: u64,
}

/// All findings, in the order of [`Parsed::findings`].
#[derive(Clone, Debug, Default)]
pub struct Triage {
    /// One item for each finding.
    pub items: Vec<Item>,
}

/// Holds each finding against the policy.
pub fn triage(parsed: &Parsed, policy: &Policy, workspace: &dyn Workspace) -> Triage {
    let mut names = Names::default();
    let items = parsed.findings.iter().map(|finding| {
        let classes: Vec<_> = finding.stacks.iter().map(|s| culprit::classes(s, workspace, &mut names)).collect();
        Item {
            fingerprint: fingerprint::of(finding, &mut names),
            culprit: culprit::of(classes.first().map(Vec::as_slice).unwrap_or_default()),
            classes,
            disposition: if policy.gates(&finding.kind) { Disposition::Unexpected } else { Disposition::NotGated },
            records: finding.occurrences.saturating_sub(finding.inherited),
        }
    });
    Triage { items: items.collect() }
}

impl Triage {
    /// How many groups (different fingerprints or kinds) and how many records have this disposition.
    pub fn count(&self, parsed: &Parsed, disposition: Disposition) -> (u64, u64) {
        let chosen = || self.items.iter().zip(&parsed.findings).filter(|(item, _)| item.disposition == disposition);
        let mut groups: Vec<(&Fingerprint, &Kind)> = chosen().map(|(item, finding)| (&item.fingerprint, &finding.kind)).collect();
        groups.sort_unstable();
        groups.dedup();
        (groups.len() as u64, chosen().map(|(item, _)| item.records).sum())
    }
}
