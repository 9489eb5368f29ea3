//! The witness of a rule: the stack that it was written for. It shows without a log whether an edit
//! of the rule changed what it matches.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use super::index::{Index, rule_matches};
use super::stack::FramePattern;
use super::{Matcher, Rule};
use crate::culprit::{Class, FrameCache};
use crate::fingerprint::{self, DEPTH};
use crate::model::{Finding, Frame, FrameInfo, Kind, Leak, Role, Stack, Tool};
use crate::policy::KindSet;

/// Reduces the primary stack of a finding to the frames that identify it: simple names, or modules
/// for frames without a name. Consecutive allocator and runtime frames are reduced to the first
/// one. Frames below the last other frame are omitted.
pub(crate) fn reduce_stack(finding: &Finding, cache: &mut FrameCache) -> Vec<String> {
    let frames = finding
        .primary()
        .map(|s| s.frames.as_slice())
        .unwrap_or_default();
    let runtime = |class| matches!(class, Class::Allocator | Class::Runtime);
    let mut lines = Vec::new();
    let mut named = 0;
    let mut after_runtime = false;
    let mut last = 0;
    for frame in frames {
        let known = cache.get(&frame.info);
        let is_runtime = runtime(known.class);
        let module = frame.info.module.as_deref().unwrap_or("???");
        let line = if known.name.is_empty() {
            format!("obj:{module}")
        } else {
            format!("fun:{}", known.name)
        };
        // A runtime frame that is recognized by its file alone would not be recognized from this
        // line.
        let reread = cache.get(&frame_info(&line)).class;
        if !is_runtime || (!after_runtime && runtime(reread)) {
            lines.push(line);
        }
        if !is_runtime {
            last = lines.len();
            named += 1;
        }
        after_runtime = is_runtime;
        if named == DEPTH {
            break;
        }
    }
    if named > 0 {
        lines.truncate(last);
    }
    lines
}

/// Parses one line of a witness.
fn frame_info(line: &str) -> Arc<FrameInfo> {
    let text = |start: &str| line.strip_prefix(start).map(Into::into);
    Arc::new(FrameInfo {
        function: text("fun:"),
        module: text("obj:"),
        ..FrameInfo::default()
    })
}

/// Creates findings with the witness as their stack: one for each kind that the rule names, by its
/// first tool. Everything but the stack matches the rule.
fn sample_findings(rule: &Rule, witness: &[String]) -> Vec<Finding> {
    let frame = |(index, line): (u32, &String)| Frame {
        index,
        address: None,
        inlined: false,
        info: frame_info(line),
    };
    let stack = Stack {
        role: Role::Access,
        label: None,
        frames: (0..).zip(witness).map(frame).collect(),
    };
    let tool = rule
        .selector
        .tools
        .first()
        .cloned()
        .unwrap_or(Tool::Memcheck);
    let kinds = match rule.selector.kinds.as_slice() {
        [] => vec![Kind::LEAK_DEFINITE],
        kinds => kinds
            .iter()
            .map(|k| match k {
                KindSet::One(kind) => kind.clone(),
                KindSet::Errors => Kind::UNKNOWN,
                KindSet::Leaks => Kind::LEAK_DEFINITE,
            })
            .collect(),
    };
    let leak = |kind: &Kind| {
        let size = |bounds: super::Bounds| bounds.min.or(bounds.max).unwrap_or(1);
        let bytes = size(rule.selector.bytes);
        kind.is_leak().then(|| Leak {
            bytes,
            blocks: size(rule.selector.blocks),
            direct_bytes: bytes,
            indirect_bytes: 0,
        })
    };
    let finding = |kind: Kind| Finding {
        tool: tool.clone(),
        title: kind.as_str().into(),
        leak: leak(&kind),
        kind,
        stacks: vec![stack.clone()],
        notes: Vec::new(),
        generated_suppression: None,
        occurrences: 1,
        inherited: 0,
        instances: Vec::new(),
        tests: rule.selector.tests.sample(),
        more_tests: false,
    };
    kinds.into_iter().map(finding).collect()
}

/// Returns the rules that match the witness of another rule, each with the indices of these other
/// rules. `with_witness` contains the indices of all rules with a witness.
pub(crate) fn find_widened(rules: &[Rule], with_witness: &[usize]) -> Vec<(usize, Vec<usize>)> {
    // A single witness can't match the rule of another.
    if with_witness.len() < 2 {
        return Vec::new();
    }
    let samples: Vec<(usize, Finding)> = with_witness
        .iter()
        .flat_map(|at| {
            sample_findings(&rules[*at], &rules[*at].witness)
                .into_iter()
                .map(|f| (*at, f))
        })
        .collect();
    let mut index = Index::new(rules, &[]);
    let mut cache = FrameCache::default();
    let mut found: Vec<Vec<usize>> = vec![Vec::new(); rules.len()];
    for (owner, finding) in &samples {
        let fingerprint = fingerprint::fingerprint(finding, &mut cache);
        for at in index.matches(finding, &fingerprint, &[], &mut cache) {
            let at = at as usize;
            let rule = &rules[at];
            let is_other =
                at != *owner && !rule.witness.is_empty() && rule.witness != rules[*owner].witness;
            let is_checked = rule.selector.fingerprint.is_none() && is_checkable(rule);
            if is_other && is_checked && found[at].last() != Some(owner) {
                found[at].push(*owner);
            }
        }
    }
    found
        .into_iter()
        .enumerate()
        .filter(|(_, others)| !others.is_empty())
        .collect()
}

/// Returns true if the rule matches its witness. A rule that can't be checked, because its patterns
/// use data that a witness lacks, counts as a match.
pub(crate) fn matches_witness(rule: &Rule, witness: &[String]) -> bool {
    if !is_checkable(rule) {
        return true;
    }
    // A witness lacks some of the data that a fingerprint depends on.
    let mut rule = rule.clone();
    rule.selector.fingerprint = None;
    let rule = &rule;
    let mut cache = FrameCache::default();
    sample_findings(rule, witness).iter().any(|finding| {
        let fingerprint = fingerprint::fingerprint(finding, &mut cache);
        rule_matches(rule, finding, &fingerprint, &[], &mut cache)
    })
}

/// Returns true if the rule can be checked against a witness. Only rules of `leakgate.toml` have
/// witnesses, and a witness lacks full names, files and the modules of named frames.
pub(crate) fn is_checkable(rule: &Rule) -> bool {
    let Matcher::Stack(patterns) = &rule.matcher else {
        return false;
    };
    patterns.iter().all(|pattern| {
        !matches!(
            pattern.parsed,
            FramePattern::Symbol(_) | FramePattern::Object(_) | FramePattern::File(..)
        )
    })
}
