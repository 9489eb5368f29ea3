//! The candidates for a rule that several findings share.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::super::toml::{AllowEntry, accepted_kinds, parsed_candidate, size_limit};
use super::super::{Attempt, Generator};
use super::{Located, SharedPlace, common_end};
use crate::culprit::{Class, FrameCache};
use crate::model::{Finding, Role};
use crate::rules::Limit;
use crate::rules::glob::Glob;
use crate::triage::{Triage, places};

/// A rule to generate.
pub(super) struct SharedTask {
    /// The parts that all candidates share.
    base: AllowEntry,
    /// The pattern for the frame to look at.
    last: String,
    /// For each finding, the patterns for the frames before it.
    paths: Vec<Vec<String>>,
    /// True if the findings are races, which either thread may report.
    has_sides: bool,
}

/// A pattern for any number of allocator and runtime frames.
const RUNTIME: &str = "runtime...";

/// A pattern for any number of frames.
const ANY: &str = "...";

impl SharedTask {
    pub(super) fn new(
        generator: &mut Generator<'_>,
        place: &SharedPlace,
        chosen: &[Located],
    ) -> Self {
        let parsed = generator.parsed;
        let findings: Vec<usize> = chosen.iter().map(|found| found.at).collect();
        let members = || findings.iter().map(|at| &parsed.findings[*at]);
        let mut limit = size_limit(generator, &findings);
        if generator.options.limits.is_some() && limit == Limit::default() {
            let is_member = |at: usize| findings.contains(&at).then_some(0);
            limit.per_process = places::most_in_one_process(parsed, is_member)
                .get(&0)
                .copied();
        }
        let has_conflict = |f: &Finding| f.stacks.iter().any(|s| s.role == Role::Conflict);
        let paths = findings.iter().map(|at| {
            let culprit = generator.triage.findings[*at].culprit.frame;
            path_patterns(&parsed.findings[*at], culprit, &mut generator.cache)
        });
        Self {
            paths: paths.collect(),
            base: AllowEntry {
                kinds: accepted_kinds(members()),
                limit,
                // A witness is one stack, and this rule is for several.
                ..AllowEntry::default()
            },
            last: match place {
                SharedPlace::Function(_) => {
                    format!("fun:{}", Glob::escape(&chosen[0].spot.function))
                }
                SharedPlace::Site(site) => {
                    let file = printed_end(members(), generator.triage, &findings, &site.file);
                    format!("src:{}:{}", Glob::escape(file), site.line)
                }
            },
            has_sides: members().any(has_conflict),
        }
    }

    /// Returns why no candidate is reliable, if that is so.
    pub(super) fn obstacle(&self) -> Option<&'static str> {
        if self.has_sides {
            return Some("either thread may report a data race, and each has another stack");
        }
        let named: Vec<Vec<String>> = self.paths.iter().map(|p| without_runtime(p)).collect();
        let has_gap = named.iter().flatten().any(|pattern| pattern == ANY);
        (self.is_unlimited() && (has_gap || !all_equal(&named))).then_some(
            "the functions between the allocation and this place differ, so without a limit it \
             would accept the findings of all functions that are called here",
        )
    }

    fn is_unlimited(&self) -> bool {
        self.base.limit == Limit::default()
    }

    /// Returns the candidate with this number. The order goes from the narrowest to the widest: the
    /// same functions before the place, the same with runtime frames between them, and the last of
    /// these functions that all findings share.
    pub(super) fn attempt(&self, number: usize) -> Attempt<AllowEntry> {
        let named: Vec<Vec<String>> = self.paths.iter().map(|p| without_runtime(p)).collect();
        let path = match number {
            0 if all_equal(&self.paths) => self.paths[0].clone(),
            1 if all_equal(&named) => with_runtime(&named[0]),
            // This one also matches functions that are called at the place.
            2 if !self.is_unlimited() => {
                let mut path = vec![String::from(ANY)];
                path.extend(with_runtime(shared_tail(&named)));
                path
            }
            0..=2 => return Attempt::Inexpressible,
            _ => return Attempt::Exhausted,
        };
        let mut entry = self.base.clone();
        entry.stack = path;
        entry.stack.push(self.last.clone());
        parsed_candidate(entry)
    }
}

/// Returns patterns for the frames before the frame to look at.
fn path_patterns(finding: &Finding, culprit: Option<usize>, cache: &mut FrameCache) -> Vec<String> {
    let frames = finding.primary().map_or(&[][..], |s| s.frames.as_slice());
    let mut path: Vec<String> = Vec::new();
    for frame in frames.iter().take(culprit.unwrap_or_default()) {
        let known = cache.get(&frame.info);
        let pattern = match (known.class, frame.info.module.as_deref()) {
            (Class::Allocator | Class::Runtime, _) => String::from(RUNTIME),
            _ if !known.name.is_empty() => format!("fun:{}", Glob::escape(&known.name)),
            (_, Some(module)) => {
                let base = module.rsplit(['/', '\\']).next().unwrap_or(module);
                format!("obj:{}", Glob::escape(base))
            }
            (_, None) => String::from(ANY),
        };
        if !(pattern.ends_with(ANY) && path.last() == Some(&pattern)) {
            path.push(pattern);
        }
    }
    path
}

fn all_equal(paths: &[Vec<String>]) -> bool {
    paths.windows(2).all(|pair| pair[0] == pair[1])
}

fn without_runtime(path: &[String]) -> Vec<String> {
    let patterns = path.iter().filter(|pattern| *pattern != RUNTIME);
    patterns.cloned().collect()
}

/// Permits runtime frames before each pattern and at the end.
fn with_runtime(path: &[String]) -> Vec<String> {
    let mut out = Vec::with_capacity(2 * path.len() + 1);
    for pattern in path {
        out.extend([String::from(RUNTIME), pattern.clone()]);
    }
    out.push(String::from(RUNTIME));
    out
}

/// Returns the longest end that all lists share.
fn shared_tail(paths: &[Vec<String>]) -> &[String] {
    let Some((first, rest)) = paths.split_first() else {
        return &[];
    };
    let shares = |length: &usize| {
        rest.iter()
            .all(|path| path.ends_with(&first[first.len() - length..]))
    };
    let length = (0..=first.len()).rev().find(shares).unwrap_or_default();
    &first[first.len() - length..]
}

/// Returns the longest end of a path that the printed paths of all findings end with.
fn printed_end<'a, 'f>(
    members: impl Iterator<Item = &'f Finding>,
    triage: &Triage,
    findings: &[usize],
    file: &'a str,
) -> &'a str {
    let culprits = findings.iter().map(|at| triage.findings[*at].culprit.frame);
    let printed = members.zip(culprits).filter_map(|(finding, culprit)| {
        finding
            .primary()?
            .frames
            .get(culprit?)?
            .info
            .file
            .as_deref()
    });
    printed.fold(file, |end, path| common_end(path, end).unwrap_or(end))
}
