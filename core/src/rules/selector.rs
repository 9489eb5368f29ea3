//! What a rule asks of a finding beside its stack: tool, kind, sizes, fingerprint.

use alloc::string::String;
use alloc::vec::Vec;

use super::glob::Glob;
use crate::fingerprint::Fingerprint;
use crate::model::{Finding, Kind, Tool};

/// A range of sizes; absent ends are open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// The smallest size.
    pub min: Option<u64>,
    /// The largest size.
    pub max: Option<u64>,
}

impl Bounds {
    /// One size and no other.
    pub fn exactly(size: u64) -> Self {
        Self {
            min: Some(size),
            max: Some(size),
        }
    }

    /// True when the size lies within.
    pub fn holds(self, size: u64) -> bool {
        self.min.is_none_or(|min| size >= min) && self.max.is_none_or(|max| size <= max)
    }

    pub(crate) fn is_open(self) -> bool {
        self == Self::default()
    }
}

/// Sums over everything that a rule matches and the gate looks at, beyond which the rule allows
/// nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limit {
    /// Records.
    pub findings: Option<u64>,
    /// Leaked bytes.
    pub bytes: Option<u64>,
    /// Leaked blocks.
    pub blocks: Option<u64>,
}

/// A kind of findings, or a group of kinds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum KindSet {
    /// `errors`: everything that is neither leaked memory nor an open descriptor.
    Errors,
    /// `leaks`: the four kinds of leaked memory.
    Leaks,
    /// One kind by its name.
    One(Kind),
}

impl KindSet {
    pub(crate) fn holds(&self, kind: &Kind) -> bool {
        match self {
            Self::Errors => kind.is_error(),
            Self::Leaks => kind.is_leak(),
            Self::One(one) => one == kind,
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Errors => "errors",
            Self::Leaks => "leaks",
            Self::One(kind) => kind.as_str(),
        }
    }
}

/// A pattern of a headline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Title(pub(crate) Glob);

/// Which findings a rule is about; what is empty is free.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    /// Who found it.
    pub(crate) tools: Vec<Tool>,
    /// What it is.
    pub(crate) kinds: Vec<KindSet>,
    /// Leaked bytes of a record.
    pub(crate) bytes: Bounds,
    /// Leaked blocks of a record.
    pub(crate) blocks: Bounds,
    /// The checker's headline.
    pub(crate) title: Option<Title>,
    /// Its identity.
    pub(crate) fingerprint: Option<String>,
}

impl Selector {
    /// True when the rule is about such a finding. A weak fingerprint stands for many findings, so
    /// it counts only with exact sizes.
    pub(crate) fn holds(&self, finding: &Finding, fingerprint: &Fingerprint) -> bool {
        let size = |bounds: Bounds, size: Option<u64>| {
            bounds.is_open() || size.is_some_and(|s| bounds.holds(s))
        };
        (self.tools.is_empty() || self.tools.contains(&finding.tool))
            && (self.kinds.is_empty() || self.kinds.iter().any(|k| k.holds(&finding.kind)))
            && self
                .title
                .as_ref()
                .is_none_or(|title| title.0.matches(&finding.title))
            && size(self.bytes, finding.leak.map(|l| l.bytes))
            && size(self.blocks, finding.leak.map(|l| l.blocks))
            && self.fingerprint.as_ref().is_none_or(|own| {
                own == fingerprint.as_str() && self.is_exact_for(finding, fingerprint)
            })
    }

    fn is_exact_for(&self, finding: &Finding, fingerprint: &Fingerprint) -> bool {
        let exact = |bounds: Bounds| bounds.min.is_some() && bounds.min == bounds.max;
        !fingerprint.is_weak()
            || finding.leak.is_none()
            || (exact(self.bytes) && exact(self.blocks))
    }
}
