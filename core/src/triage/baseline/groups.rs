//! Groups of findings that share a baseline entry, and their sizes.

use alloc::borrow::ToOwned;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use hashbrown::HashMap;

use super::BaselineEntry;
use crate::culprit::{FrameCache, FrameNames};
use crate::fingerprint;
use crate::model::{Amount, Finding, Kind};
use crate::parse::Parsed;
use crate::triage::{TriagedFinding, places};

/// Findings that share a baseline entry.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) entry: BaselineEntry,
    pub(super) members: Vec<usize>,
}

/// Ranks kinds by severity. Definite, possible and indirect leaks have the same rank, because
/// checkers move records between them from run to run.
pub(super) fn severity_rank(kind: &str) -> u8 {
    u8::from(kind != Kind::LEAK_REACHABLE.as_str())
}

/// Groups the findings for which `is_chosen` returns true by fingerprint. Weak fingerprints are
/// grouped by size, too.
pub(super) fn groups(
    parsed: &Parsed,
    findings: &[TriagedFinding],
    names: &Arc<FrameNames>,
    is_chosen: impl Fn(usize) -> bool,
) -> Vec<Group> {
    // The fingerprint, and the sizes if the fingerprint is weak.
    type Key<'a> = (&'a str, Option<(u64, u64)>);
    let mut indices: HashMap<Key<'_>, usize> = HashMap::new();
    let mut groups: Vec<Group> = Vec::new();
    let mut group_of = vec![None; findings.len()];
    let mut names = FrameCache::with_names(names);
    let all = findings.iter().zip(&parsed.findings).enumerate();
    for (at, (triaged, finding)) in all.filter(|(at, _)| is_chosen(*at)) {
        let sizes = finding
            .leak
            .map(|l| (l.bytes, l.blocks))
            .filter(|_| triaged.fingerprint.is_weak());
        let key = (triaged.fingerprint.as_str(), sizes);
        let index = *indices.entry(key).or_insert_with(|| {
            groups.push(Group {
                entry: new_entry(finding, triaged, &mut names),
                members: Vec::new(),
            });
            groups.len() - 1
        });
        let group = &mut groups[index];
        // The entry has the sizes of the most severe kind, so reachable blocks don't make room for
        // lost ones.
        if severity_rank(finding.kind.as_str()) > severity_rank(&group.entry.kind) {
            group.entry.kind = finding.kind.as_str().to_owned();
        }
        let tool = finding.tool.as_str();
        if !group.entry.tools.iter().any(|t| t == tool) {
            group.entry.tools.push(tool.to_owned());
        }
        group.members.push(at);
        group_of[at] = Some(index);
    }
    set_sizes(parsed, findings, &group_of, &mut groups);
    let is_weak = |at: &usize| findings[*at].fingerprint.is_weak();
    let weak = |at: usize| group_of[at].filter(|_| is_weak(&at));
    for (group, count) in places::most_in_one_process(parsed, weak) {
        groups[group].entry.places = count;
    }
    groups
}

fn new_entry(finding: &Finding, triaged: &TriagedFinding, names: &mut FrameCache) -> BaselineEntry {
    BaselineEntry {
        fingerprint: triaged.fingerprint.to_string(),
        weak: triaged.fingerprint.is_weak(),
        tools: Vec::new(),
        kind: finding.kind.as_str().to_owned(),
        bytes: 0,
        blocks: 0,
        places: 0,
        frames: fingerprint::hashed_lines(finding, names)
            .0
            .iter()
            .map(|line| line.to_string())
            .collect(),
    }
}

/// Sets the sizes of each entry to the largest sums in one process.
fn set_sizes(
    parsed: &Parsed,
    findings: &[TriagedFinding],
    group_of: &[Option<usize>],
    groups: &mut [Group],
) {
    for report in &parsed.reports {
        let mut sums: HashMap<usize, Amount> = HashMap::new();
        for record in &report.records {
            let Some(group) = group_of.get(record.finding).copied().flatten() else {
                continue;
            };
            let finding = &parsed.findings[record.finding];
            if severity_rank(finding.kind.as_str()) < severity_rank(&groups[group].entry.kind) {
                continue;
            }
            // The entry of a weak fingerprint has the sizes of one record.
            let is_weak = findings[record.finding].fingerprint.is_weak();
            let count = if is_weak { 1 } else { record.count };
            let sum = sums.entry(group).or_default();
            *sum = sum.plus(size_of(finding, count));
        }
        for (group, sum) in sums {
            let entry = &mut groups[group].entry;
            entry.bytes = entry.bytes.max(sum.bytes);
            entry.blocks = entry.blocks.max(sum.blocks);
        }
    }
}

/// Returns the size of `count` records. Open descriptors count as blocks.
fn size_of(finding: &Finding, count: u64) -> Amount {
    match finding.leak.map(|leak| leak.times(count)) {
        Some(leak) => Amount {
            bytes: leak.bytes,
            blocks: leak.blocks,
        },
        None => Amount {
            bytes: 0,
            blocks: if finding.kind == Kind::FD_LEAK {
                count
            } else {
                0
            },
        },
    }
}
