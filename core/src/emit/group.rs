//! Findings that are one thing to look at, the worst first.

use alloc::vec::Vec;

use hashbrown::HashMap;

use super::Run;
use crate::model::{Finding, Leak};
use crate::triage::{Disposition, Item};

/// Findings with one fingerprint: one thing to look at.
pub(crate) struct Group<'a> {
    pub(crate) members: Vec<(&'a Finding, &'a Item)>,
}

impl<'a> Group<'a> {
    /// The finding that stands for the group: the largest.
    pub(crate) fn first(&self) -> (&'a Finding, &'a Item) {
        self.members[0]
    }

    pub(crate) fn records(&self) -> u64 {
        self.members.iter().map(|(f, _)| f.occurrences).sum()
    }

    pub(crate) fn inherited(&self) -> u64 {
        self.members.iter().map(|(f, _)| f.inherited).sum()
    }

    /// Leaked bytes and blocks of all records but those that a child repeats from its parent.
    pub(crate) fn leak(&self) -> Option<Leak> {
        self.members
            .iter()
            .filter_map(|(f, item)| f.leak.map(|l| l.times(item.records)))
            .reduce(|a, b| Leak {
                bytes: a.bytes.saturating_add(b.bytes),
                blocks: a.blocks.saturating_add(b.blocks),
                direct_bytes: a.direct_bytes.saturating_add(b.direct_bytes),
                indirect_bytes: a.indirect_bytes.saturating_add(b.indirect_bytes),
            })
    }
}

/// What each finding is against an earlier run, where there is one.
#[derive(Default)]
pub(crate) struct Against<'a>(Option<HashMap<&'a str, &'static str>>);

impl<'a> Against<'a> {
    pub(crate) fn of(run: &Run<'a>) -> Self {
        Self(run.changes.map(|all| {
            all.iter()
                .map(|change| (change.fingerprint.as_str(), change.what.as_str()))
                .collect()
        }))
    }

    pub(crate) fn word(&self, item: &Item) -> Option<&'static str> {
        let words = self.0.as_ref()?;
        Some(
            words
                .get(item.fingerprint.as_str())
                .copied()
                .unwrap_or("known"),
        )
    }
}

/// Findings of a disposition by fingerprint and kind: errors first, then leaks, the worst kind and
/// the largest first.
pub(crate) fn groups<'a>(run: &Run<'a>, disposition: Disposition) -> Vec<Group<'a>> {
    let mut places: HashMap<(&str, &str), usize> = HashMap::new();
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (finding, item) in run
        .parsed
        .findings
        .iter()
        .zip(&run.triage.items)
        .filter(|(_, i)| i.disposition == disposition)
    {
        let key = (item.fingerprint.as_str(), finding.kind.as_str());
        let at = *places.entry(key).or_insert_with(|| {
            groups.push(Group {
                members: Vec::new(),
            });
            groups.len() - 1
        });
        groups[at].members.push((finding, item));
    }
    for group in &mut groups {
        group
            .members
            .sort_by_key(|(f, _)| core::cmp::Reverse(f.leak.map_or(0, |l| l.bytes)));
    }
    groups.sort_by_key(|group| {
        let kind = &group.first().0.kind;
        let rank = [
            "leak-definite",
            "leak-possible",
            "leak-indirect",
            "leak-reachable",
        ]
        .iter()
        .position(|k| *k == kind.as_str());
        (
            rank.map_or(0, |r| r + 1),
            core::cmp::Reverse(group.leak().map_or(0, |l| l.bytes)),
        )
    });
    groups
}
