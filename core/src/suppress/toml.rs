//! Generates `[[allow]]` rules.

mod render;

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use hashbrown::HashMap;

pub(super) use self::render::{AllowEntry, render};
pub(crate) use self::render::{quote, string_list};
use super::{Attempt, Generator, RuleOptions, Target, Unsupported};
use crate::culprit::{Class, FrameCache};
use crate::fingerprint::DEPTH;
use crate::model::{Finding, Kind, Role};
use crate::rules::glob::Glob;
use crate::rules::hygiene::is_over_broad;
use crate::rules::{Config, Limit, RuleMetadata, witness};
use crate::triage::{is_gated, places};

/// A rule to generate.
struct Task<'t, 'a> {
    target: &'t Target<'a>,
    /// The parts that all candidates share.
    base: AllowEntry,
}

/// Generates a rule for each target, or one rule for each size if the fingerprint is weak.
pub(super) fn generate(
    generator: &mut Generator<'_>,
    targets: &[Target<'_>],
) -> Vec<Result<String, Unsupported>> {
    let mut tasks = Vec::new();
    let mut goals: Vec<Vec<usize>> = Vec::new();
    let mut rule_counts = Vec::with_capacity(targets.len());
    for target in targets {
        let before = tasks.len();
        if target.triaged().fingerprint.is_lost() {
            rule_counts.push(0);
            continue;
        }
        let kinds = accepted_kinds(target.members());
        for (sizes, goal) in group_by_size(target) {
            let first = &target.parsed.findings[goal[0]];
            let base = AllowEntry {
                kinds: kinds.clone(),
                sizes,
                limit: size_limit(generator, &goal),
                witness: witness::reduce_stack(first, &mut generator.cache),
                ..AllowEntry::default()
            };
            tasks.push(Task { target, base });
            goals.push(goal);
        }
        rule_counts.push(tasks.len() - before);
    }
    limit_weak(generator, &mut tasks, &goals);
    let mut chosen = generator
        .choose(&goals, |goal, number, cache| {
            tasks[goal].attempt(goals[goal][0], number, cache)
        })
        .into_iter();
    let mut text = |target: &Target<'_>, rules: usize| {
        if target.triaged().fingerprint.is_lost() {
            return Err(Unsupported::new(
                "the log lost its stack, so nothing distinguishes it from other findings of its kind",
            ));
        }
        let mut out = String::new();
        // Collects first, so that an error also consumes the other rules of the target.
        for entry in chosen.by_ref().take(rules).collect::<Vec<_>>() {
            let id = generator.new_id(target);
            let entry = entry?;
            if !out.is_empty() {
                out.push('\n');
            }
            out += &render(&id, &entry, generator.options);
            generator.ids.used.insert(id);
        }
        Ok(out)
    };
    targets
        .iter()
        .zip(rule_counts)
        .map(|(target, rules)| text(target, rules))
        .collect()
}

/// Limits rules with a weak fingerprint to the number of places that the findings have now.
fn limit_weak(generator: &Generator<'_>, tasks: &mut [Task<'_, '_>], goals: &[Vec<usize>]) {
    let mut task_of: HashMap<usize, usize> = HashMap::new();
    for (at, (task, goal)) in tasks.iter().zip(goals).enumerate() {
        if task.target.triaged().fingerprint.is_weak() {
            task_of.extend(goal.iter().map(|finding| (*finding, at)));
        }
    }
    if task_of.is_empty() {
        return;
    }
    let task_of = |finding: usize| task_of.get(&finding).copied();
    for (at, places) in places::most_in_one_process(generator.parsed, task_of) {
        tasks[at].base.limit.per_process = Some(places);
    }
}

/// Returns a limit of the bytes and blocks that these findings have now. Empty without a policy in
/// the options, or if the policy looks at no leak among them.
pub(super) fn size_limit(generator: &Generator<'_>, findings: &[usize]) -> Limit {
    let Some(policy) = &generator.options.limits else {
        return Limit::default();
    };
    let (mut bytes, mut blocks) = (0_u64, 0_u64);
    for at in findings {
        let finding = &generator.parsed.findings[*at];
        let triaged = &generator.triage.findings[*at];
        if is_gated(policy, finding, triaged) {
            let leak = finding.leak.unwrap_or_default().times(triaged.records);
            bytes = bytes.saturating_add(leak.bytes);
            blocks = blocks.saturating_add(leak.blocks);
        }
    }
    if blocks == 0 {
        return Limit::default();
    }
    Limit {
        bytes: Some(bytes),
        blocks: Some(blocks),
        ..Limit::default()
    }
}

/// Groups the findings of a target by size if its fingerprint is weak. Otherwise returns one group.
fn group_by_size(target: &Target<'_>) -> BTreeMap<Option<(u64, u64)>, Vec<usize>> {
    let mut groups: BTreeMap<Option<(u64, u64)>, Vec<usize>> = BTreeMap::new();
    if target.triaged().fingerprint.is_weak() {
        for (at, finding) in target.findings.iter().zip(target.members()) {
            groups
                .entry(finding.leak.map(|l| (l.bytes, l.blocks)))
                .or_default()
                .push(*at);
        }
    }
    // A rule without sizes accepts findings of all sizes.
    if groups.is_empty() || groups.contains_key(&None) {
        groups.insert(None, target.findings.clone());
    }
    groups
}

impl Task<'_, '_> {
    /// Returns the candidate with this number. The order goes from the most to the least readable:
    /// fingerprint and stack, fingerprint and stack with gaps, fingerprint alone. A stack alone
    /// would also accept functions of the same name in other files.
    fn attempt(
        &self,
        finding: usize,
        number: usize,
        cache: &mut FrameCache,
    ) -> Attempt<AllowEntry> {
        const BY_FINGERPRINT: usize = 2;
        let fingerprint = &self.target.triaged().fingerprint;
        let mut entry = self.base.clone();
        if number > BY_FINGERPRINT {
            return Attempt::Exhausted;
        }
        if number < BY_FINGERPRINT {
            let finding = &self.target.parsed.findings[finding];
            entry.stack = stack_patterns(finding, cache, number == 1);
            let is_specific = entry
                .stack
                .iter()
                .any(|pattern| pattern.starts_with("fun:") || pattern.starts_with("obj:"));
            // Either thread may report a race, so its first stack may be the other one.
            let has_sides = finding.stacks.iter().any(|s| s.role == Role::Conflict);
            if fingerprint.is_weak() || !is_specific || has_sides {
                return Attempt::Inexpressible;
            }
        }
        entry.fingerprint = Some(fingerprint.to_string());
        parsed_candidate(entry)
    }
}

/// Returns an entry with the rules that its text means. The id and the reason follow when the entry
/// is chosen.
pub(super) fn parsed_candidate(entry: AllowEntry) -> Attempt<AllowEntry> {
    let options = RuleOptions {
        metadata: RuleMetadata::new("x"),
        ..RuleOptions::default()
    };
    let text = render("rule", &entry, &options);
    match Config::read("", &text) {
        Ok(config) if !config.rules.iter().any(is_over_broad) => Attempt::Candidate {
            value: entry,
            text,
            rules: config.rules,
        },
        _ => Attempt::Inexpressible,
    }
}

/// Returns the kinds that a rule for these findings accepts. A leak may be definite in one run and
/// possible in another, so either kind includes the other.
pub(super) fn accepted_kinds<'a>(members: impl Iterator<Item = &'a Finding>) -> Vec<String> {
    let mut kinds: Vec<Kind> = Vec::new();
    for finding in members {
        let included: &[Kind] = match finding.kind.as_str() {
            "leak-definite" | "leak-possible" => &[Kind::LEAK_DEFINITE, Kind::LEAK_POSSIBLE],
            _ => core::slice::from_ref(&finding.kind),
        };
        for kind in included {
            if !kinds.contains(kind) {
                kinds.push(kind.clone());
            }
        }
    }
    kinds.iter().map(|k| k.as_str().to_owned()).collect()
}

/// Returns patterns for the frames that the fingerprint consists of. `allow_gaps` permits runtime
/// frames between any two of them.
fn stack_patterns(finding: &Finding, cache: &mut FrameCache, allow_gaps: bool) -> Vec<String> {
    let mut stack: Vec<String> = Vec::new();
    let mut named = 0;
    for frame in finding
        .primary()
        .map(|s| s.frames.as_slice())
        .unwrap_or_default()
    {
        let known = cache.get(&frame.info);
        let pattern = match known.class {
            Class::Allocator | Class::Runtime => String::from("runtime..."),
            _ if !known.name.is_empty() => format!("fun:{}", Glob::escape(&known.name)),
            _ => match frame.info.module.as_deref() {
                Some(module) => format!(
                    "obj:{}",
                    Glob::escape(module.rsplit(['/', '\\']).next().unwrap_or(module))
                ),
                None => String::from("..."),
            },
        };
        let is_gap = pattern.ends_with("...");
        if allow_gaps && !is_gap && stack.last().is_some_and(|last| last != "runtime...") {
            stack.push(String::from("runtime..."));
        }
        named += usize::from(!is_gap);
        if !(is_gap && stack.last() == Some(&pattern)) {
            stack.push(pattern);
        }
        if named == DEPTH {
            break;
        }
    }
    while stack.last().is_some_and(|pattern| pattern.ends_with("...")) {
        stack.pop();
    }
    stack
}
