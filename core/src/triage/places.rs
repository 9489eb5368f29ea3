//! Counts the places of findings that share an entry of the baseline or a rule.

use hashbrown::{HashMap, HashSet};

use crate::fingerprint::Place;
use crate::parse::Parsed;

/// Returns the largest number of places in one process, for each group. `group` returns the group
/// of the finding with this index, or `None` if it isn't counted. A record without a place counts
/// as one.
pub(crate) fn most_in_one_process(
    parsed: &Parsed,
    group: impl Fn(usize) -> Option<usize>,
) -> HashMap<usize, u64> {
    let mut most: HashMap<usize, u64> = HashMap::new();
    for report in &parsed.reports {
        let mut seen: HashSet<(usize, Place<'_>)> = HashSet::new();
        let mut counts: HashMap<usize, u64> = HashMap::new();
        for record in &report.records {
            let Some(group) = group(record.finding) else {
                continue;
            };
            let finding = &parsed.findings[record.finding];
            let added = match Place::of(finding) {
                Some(place) => u64::from(seen.insert((group, place))),
                None => record.count,
            };
            *counts.entry(group).or_default() += added;
        }
        for (group, count) in counts {
            let largest = most.entry(group).or_default();
            *largest = count.max(*largest);
        }
    }
    most
}
