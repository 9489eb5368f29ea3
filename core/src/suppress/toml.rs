//! Generates `[[allow]]` rules.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use hashbrown::HashMap;

use super::{Attempt, Generator, RuleOptions, Target, Unsupported};
use crate::culprit::{Class, FrameCache};
use crate::fingerprint::DEPTH;
use crate::model::{Finding, Kind, Role};
use crate::rules::glob::Glob;
use crate::rules::hygiene::is_over_broad;
use crate::rules::{Config, RuleMetadata, witness};
use crate::triage::places;

/// The conditions of a rule and its witness.
#[derive(Clone, Debug, Default)]
struct AllowEntry {
    kinds: Vec<String>,
    /// Exact bytes and blocks.
    sizes: Option<(u64, u64)>,
    /// The limit for a weak fingerprint.
    per_process: Option<u64>,
    stack: Vec<String>,
    fingerprint: Option<String>,
    witness: Vec<String>,
}

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
        tasks[at].base.per_process = Some(places);
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
}

/// Returns the kinds that a rule for these findings accepts. A leak may be definite in one run and
/// possible in another, so either kind includes the other.
fn accepted_kinds<'a>(members: impl Iterator<Item = &'a Finding>) -> Vec<String> {
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

fn render(id: &str, entry: &AllowEntry, options: &RuleOptions) -> String {
    let mut out = format!("[[allow]]\nid = {}\n", quote(id));
    if !entry.kinds.is_empty() {
        out += &format!("kinds = {}\n", string_list(&entry.kinds));
    }
    if let Some((bytes, blocks)) = entry.sizes {
        out += &format!("bytes = {bytes}\nblocks = {blocks}\n");
    }
    if !entry.stack.is_empty() {
        out += &format!("stack = {}\n", string_list(&entry.stack));
    }
    if let Some(fingerprint) = &entry.fingerprint {
        out += &format!("fingerprint = {}\n", quote(fingerprint));
    }
    let metadata = &options.metadata;
    out += &format!("reason = {}\n", quote(&metadata.reason));
    let texts = [
        ("investigation", &metadata.investigation),
        ("status", &metadata.status),
    ];
    for (key, text) in texts {
        if let Some(text) = text {
            out += &format!("{key} = {}\n", quote(text));
        }
    }
    if !metadata.references.is_empty() {
        out += &format!("references = {}\n", string_list(&metadata.references));
    }
    if let Some(owner) = &metadata.owner {
        out += &format!("owner = {}\n", quote(owner));
    }
    for (key, day) in [("added", metadata.added), ("expires", options.expires)] {
        if let Some(day) = day {
            out += &format!("{key} = {day}\n");
        }
    }
    if let Some(places) = entry.per_process {
        out += &format!("limit = {{ per-process = {places} }}\n");
    }
    if !entry.witness.is_empty() {
        out += &format!("witness = {}\n", string_list(&entry.witness));
    }
    out
}

/// Formats a list of strings, on one line if that is short enough.
pub(crate) fn string_list(items: &[String]) -> String {
    const MAX_WIDTH: usize = 100;
    let items: Vec<String> = items.iter().map(|i| quote(i)).collect();
    let line = format!("[{}]", items.join(", "));
    if line.len() <= MAX_WIDTH {
        line
    } else {
        format!("[\n    {},\n]", items.join(",\n    "))
    }
}

/// Formats a TOML string on one line.
pub(crate) fn quote(text: &str) -> String {
    if !text.contains(['"', '\\', '\'']) && !text.chars().any(char::is_control) {
        return format!("\"{text}\"");
    }
    let literal = !text.contains('\'') && !text.chars().any(char::is_control);
    if literal {
        return format!("'{text}'");
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out += "\\\"",
            '\\' => out += "\\\\",
            '\n' => out += "\\n",
            '\t' => out += "\\t",
            c if c.is_control() => out += &format!("\\u{:04X}", u32::from(c)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_strings_parse_to_original() {
        for text in [
            "plain",
            "a\"b",
            "a\\b",
            "it's",
            "both ' and \"",
            "line\nfeed\ttab\u{7f}\u{1}",
            "\u{202e}",
            "\\*?[x]'\"",
        ] {
            let config = format!(
                "[[allow]]\nfingerprint = \"lg2-{}\"\nreason = {}\n",
                "0".repeat(32),
                quote(text)
            );
            let config = Config::read("f", &config).unwrap();
            assert_eq!(config.rules[0].metadata.reason, text);
        }
    }
}
