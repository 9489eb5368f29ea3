//! Conditions of a rule on everything but the stack: tool, kind, sizes, title and fingerprint.

use alloc::string::String;
use alloc::vec::Vec;

use super::glob::Glob;
use crate::fingerprint::Fingerprint;
use crate::model::{Finding, Text, Tool};
use crate::policy::KindSet;

/// An inclusive range of sizes, in bytes or blocks. `None` leaves an end open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Smallest size.
    pub min: Option<u64>,
    /// Largest size.
    pub max: Option<u64>,
}

impl Bounds {
    /// Creates bounds that contain exactly one size.
    pub fn exactly(size: u64) -> Self {
        Self {
            min: Some(size),
            max: Some(size),
        }
    }

    /// Returns true if the size is within the bounds.
    pub fn holds(self, size: u64) -> bool {
        self.min.is_none_or(|min| size >= min) && self.max.is_none_or(|max| size <= max)
    }

    pub(crate) fn is_open(self) -> bool {
        self == Self::default()
    }
}

/// Upper limits for the totals of all gated findings that a rule matches. If one is exceeded, the
/// rule accepts nothing. `None` means unlimited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limit {
    /// Maximum number of records.
    pub findings: Option<u64>,
    /// Maximum number of leaked bytes.
    pub bytes: Option<u64>,
    /// Maximum number of leaked blocks.
    pub blocks: Option<u64>,
    /// Maximum number of places in one process: different stacks, or records if they state neither
    /// lines nor offsets.
    pub per_process: Option<u64>,
}

/// Upper bounds for the growth of each site whose leaks a rule accepts, per step. `None` means
/// unlimited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GrowthBounds {
    /// Maximum number of blocks, or open descriptors.
    pub blocks: Option<u64>,
    /// Maximum number of bytes.
    pub bytes: Option<u64>,
}

/// A pattern for the checker's headline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Title(pub(crate) Glob);

/// Patterns for names of tests. An empty list is no condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tests(pub(crate) Vec<Glob>);

impl Tests {
    /// Returns true if all records of the finding belong to tests that a pattern matches, as a
    /// whole or with one of the names in `OUTER > INNER`.
    fn matches(&self, finding: &Finding) -> bool {
        let matches = |name: &str| self.0.iter().any(|pattern| pattern.matches(name));
        let is_listed = |test: &Text| matches(test) || test.split(" > ").any(matches);
        let mut tests = finding.tests.iter();
        self.0.is_empty()
            || (!finding.tests.is_empty() && !finding.more_tests && tests.all(is_listed))
    }
}

impl Tests {
    /// Returns a name that the first pattern matches, or nothing if there is no condition.
    pub(crate) fn sample(&self) -> Vec<Text> {
        let name = |pattern: &Glob| pattern.to_toml().replace(['*', '?', '\\'], "x").into();
        self.0.first().map(name).into_iter().collect()
    }
}

/// Conditions on a finding. Empty conditions match every finding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    /// Tools that reported the finding.
    pub(crate) tools: Vec<Tool>,
    /// Kinds of the finding.
    pub(crate) kinds: Vec<KindSet>,
    /// Leaked bytes of each record.
    pub(crate) bytes: Bounds,
    /// Leaked blocks of each record.
    pub(crate) blocks: Bounds,
    /// Pattern for the checker's headline.
    pub(crate) title: Option<Title>,
    /// Patterns for the names of the tests that caused the finding.
    pub(crate) tests: Tests,
    /// Fingerprint of the finding.
    pub(crate) fingerprint: Option<String>,
}

impl Selector {
    /// Returns true if the finding meets all conditions. Different findings may share a weak
    /// fingerprint, so it matches only together with exact sizes.
    pub(crate) fn matches(&self, finding: &Finding, fingerprint: &Fingerprint) -> bool {
        let size = |bounds: Bounds, size: Option<u64>| {
            bounds.is_open() || size.is_some_and(|s| bounds.holds(s))
        };
        (self.tools.is_empty() || self.tools.contains(&finding.tool))
            && (self.kinds.is_empty() || self.kinds.iter().any(|k| k.contains(&finding.kind)))
            && self
                .title
                .as_ref()
                .is_none_or(|title| title.0.matches(&finding.title))
            && self.tests.matches(finding)
            && size(self.bytes, finding.leak.map(|l| l.bytes))
            && size(self.blocks, finding.leak.map(|l| l.blocks))
            && self.fingerprint.as_ref().is_none_or(|wanted| {
                wanted == fingerprint.as_str() && self.is_exact_for(finding, fingerprint)
            })
    }

    /// Returns true if the fingerprint, together with the sizes, identifies the finding. Triage
    /// also limits the number of findings with a weak fingerprint.
    fn is_exact_for(&self, finding: &Finding, fingerprint: &Fingerprint) -> bool {
        let exact = |bounds: Bounds| bounds.min.is_some() && bounds.min == bounds.max;
        let has_sizes = finding.leak.is_none() || (exact(self.bytes) && exact(self.blocks));
        !fingerprint.is_lost() && (!fingerprint.is_weak() || has_sizes)
    }
}
