//! Groups of findings that have the same fingerprint and kind, the worst first.

use alloc::borrow::Cow;
use alloc::vec;
use alloc::vec::Vec;

use hashbrown::HashMap;

use super::location::{culprit_frame, display_file};
use super::{FindingInRun, Run};
use crate::model::{Kind, Leak};
use crate::triage::{Disposition, TriagedFinding};

/// Findings with the same fingerprint and kind, which reports show as one.
pub(crate) struct Group<'a> {
    pub(crate) members: Vec<FindingInRun<'a>>,
}

impl<'a> Group<'a> {
    /// Returns the largest finding, which represents the group.
    pub(crate) fn first(&self) -> FindingInRun<'a> {
        self.members[0]
    }

    /// Returns the number of records of all members.
    pub(crate) fn records(&self) -> u64 {
        self.members.iter().map(|f| f.finding.occurrences).sum()
    }

    /// Returns the number of records that child processes repeat from their parent.
    pub(crate) fn inherited(&self) -> u64 {
        self.members.iter().map(|f| f.finding.inherited).sum()
    }

    /// Returns the names of the tests that caused the findings, each once, in order of appearance.
    pub(crate) fn tests(&self) -> Vec<&'a str> {
        let mut tests: Vec<&str> = Vec::new();
        for test in self.members.iter().flat_map(|f| &f.finding.tests) {
            if !tests.contains(&&**test) {
                tests.push(test);
            }
        }
        tests
    }

    /// Returns true if other tests, or code outside of tests, caused some of the records.
    pub(crate) fn has_more_tests(&self) -> bool {
        let has_tests = |found: &FindingInRun<'_>| !found.finding.tests.is_empty();
        self.members.iter().any(|f| f.finding.more_tests)
            || (self.members.iter().any(has_tests) && !self.members.iter().all(has_tests))
    }

    /// Returns the leaked bytes and blocks, without records that child processes repeat from their
    /// parent. `None` if the findings are not leaks.
    pub(crate) fn leak(&self) -> Option<Leak> {
        let members = self.members.iter();
        sum(members.map(|f| f.finding.leak.map(|l| l.times(f.triaged.records))))
    }
}

/// Returns the sum of leaks. `None` if there is none.
pub(crate) fn sum(leaks: impl Iterator<Item = Option<Leak>>) -> Option<Leak> {
    leaks.flatten().reduce(|a, b| Leak {
        bytes: a.bytes.saturating_add(b.bytes),
        blocks: a.blocks.saturating_add(b.blocks),
        direct_bytes: a.direct_bytes.saturating_add(b.direct_bytes),
        indirect_bytes: a.indirect_bytes.saturating_add(b.indirect_bytes),
    })
}

/// Groups whose findings have the same function as the frame to look at, which the text report
/// shows together.
pub(crate) struct FunctionGroup<'a> {
    /// At least one, the worst first.
    pub(crate) groups: Vec<Group<'a>>,
}

/// Puts each group alone.
pub(crate) fn separate(groups: Vec<Group<'_>>) -> Vec<FunctionGroup<'_>> {
    let alone = |group| FunctionGroup {
        groups: vec![group],
    };
    groups.into_iter().map(alone).collect()
}

/// Puts groups together whose findings are located in the same function of the same file, and are
/// leaks or have the same kind. The order is that of the first group of each function.
///
/// Groups stay alone if each needs its own explanation: if a rule or the baseline knows them, or if
/// they have more than one stack.
pub(crate) fn by_function<'a>(groups: Vec<Group<'a>>, run: &Run<'a>) -> Vec<FunctionGroup<'a>> {
    let mut indices: HashMap<SharedPlace<'a>, usize> = HashMap::new();
    let mut out: Vec<FunctionGroup<'a>> = Vec::new();
    for group in groups {
        let next = out.len();
        let at = match SharedPlace::of(&group, run) {
            Some(place) => *indices.entry(place).or_insert(next),
            None => next,
        };
        match out.get_mut(at) {
            Some(function) => function.groups.push(group),
            None => out.push(FunctionGroup {
                groups: vec![group],
            }),
        }
    }
    out
}

/// What groups must have in common to be shown together.
#[derive(PartialEq, Eq, Hash)]
struct SharedPlace<'a> {
    /// The kind, with all kinds of leaks being one.
    kind: &'a str,
    /// The simple name of the function.
    function: Cow<'a, str>,
    file: Option<Cow<'a, str>>,
}

impl<'a> SharedPlace<'a> {
    /// Returns the place of a group. `None` if the group stays alone.
    fn of(group: &Group<'a>, run: &Run<'a>) -> Option<Self> {
        let FindingInRun {
            finding, triaged, ..
        } = group.first();
        let is_alone = triaged.cause.is_some() || finding.stacks.len() > 1;
        if is_alone {
            return None;
        }
        let info = &culprit_frame(finding, triaged)?.info;
        let function = run.triage.names.simple(info);
        let kind = match finding.kind.is_leak() {
            true => "leak",
            false => finding.kind.as_str(),
        };
        (!function.is_empty()).then(|| Self {
            kind,
            function,
            file: display_file(info, run),
        })
    }
}

/// Labels that compare each finding with an earlier run, if there is one.
#[derive(Default)]
pub(crate) struct ChangeLabels<'a>(Option<HashMap<&'a str, &'static str>>);

impl<'a> ChangeLabels<'a> {
    /// Creates the labels from [`Run::changes`].
    pub(crate) fn new(run: &Run<'a>) -> Self {
        Self(run.changes.map(|all| {
            all.iter()
                .map(|change| (change.fingerprint.as_str(), change.change.as_str()))
                .collect()
        }))
    }

    /// Returns the change of a finding, or `known` if it has not changed. `None` without an earlier
    /// run.
    pub(crate) fn label(&self, triaged: &TriagedFinding) -> Option<&'static str> {
        let labels = self.0.as_ref()?;
        Some(
            labels
                .get(triaged.fingerprint.as_str())
                .copied()
                .unwrap_or("known"),
        )
    }
}

/// The kinds of leaks, the worst first.
const LEAKS: &[Kind] = &[
    Kind::LEAK_DEFINITE,
    Kind::FD_LEAK,
    Kind::LEAK_POSSIBLE,
    Kind::LEAK_INDIRECT,
    Kind::FD_INHERITED,
    Kind::LEAK_REACHABLE,
];

/// Groups the findings that have a disposition by fingerprint and kind. Errors come first, then
/// leaks, sorted from the worst kind to the least and then by leaked bytes.
pub(crate) fn groups<'a>(run: &Run<'a>, disposition: Disposition) -> Vec<Group<'a>> {
    let mut indices: HashMap<(&str, &str), usize> = HashMap::new();
    let mut groups: Vec<Group<'_>> = Vec::new();
    let findings = run.findings();
    for found in findings.filter(|f| f.triaged.disposition == disposition) {
        let key = (
            found.triaged.fingerprint.as_str(),
            found.finding.kind.as_str(),
        );
        let at = *indices.entry(key).or_insert_with(|| {
            groups.push(Group {
                members: Vec::new(),
            });
            groups.len() - 1
        });
        groups[at].members.push(found);
    }
    for group in &mut groups {
        group
            .members
            .sort_by_key(|f| core::cmp::Reverse(f.finding.leak.map_or(0, |l| l.bytes)));
    }
    groups.sort_by_cached_key(|group| {
        let kind = &group.first().finding.kind;
        let rank = LEAKS.iter().position(|leak| leak == kind);
        (
            rank.map_or(0, |r| r + 1),
            core::cmp::Reverse(group.leak().map_or(0, |l| l.bytes)),
        )
    });
    groups
}
