//! The witness of a rule: the stack that it was written for, by which an edit of the rule is seen
//! without a log.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use super::index::{Index, holds};
use super::selector::KindSet;
use super::{Matcher, Rule};
use crate::culprit::{Class, Names};
use crate::fingerprint::{self, DEPTH};
use crate::model::{Finding, Frame, Kind, Leak, Role, Site, Stack, Tool};

/// The frames of a stack, by which it can be known again: simple names, or the module where there
/// is none. Of a run of allocator and runtime frames the first stands for all, and what lies below
/// the last other frame is left out.
pub(crate) fn reduced(finding: &Finding, names: &mut Names) -> Vec<String> {
    let frames = finding
        .primary()
        .map(|s| s.frames.as_slice())
        .unwrap_or_default();
    let runtime = |class| matches!(class, Class::Allocator | Class::Runtime);
    let mut lines = Vec::new();
    let (mut named, mut after_runtime, mut last) = (0, false, 0);
    for frame in frames {
        let known = names.get(&frame.site);
        let is_runtime = runtime(known.class);
        let module = frame.site.module.as_deref().unwrap_or("???");
        let line = if known.name.is_empty() {
            format!("obj:{module}")
        } else {
            format!("fun:{}", known.name)
        };
        // A frame that is a runtime's only by its file could not be told from others again.
        let again = Names::default().get(&site(&line)).class;
        if !is_runtime || (!after_runtime && runtime(again)) {
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

/// A frame of a witness.
fn site(line: &str) -> Arc<Site> {
    let text = |start: &str| line.strip_prefix(start).map(Into::into);
    Arc::new(Site {
        function: text("fun:"),
        module: text("obj:"),
        ..Site::default()
    })
}

/// The findings that a witness stands for: one for each tool and kind that the rule itself names,
/// so that only its stack decides.
fn findings(rule: &Rule, witness: &[String]) -> Vec<Finding> {
    let frame = |(index, line): (u32, &String)| Frame {
        index,
        address: None,
        inlined: false,
        site: site(line),
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
        generated: None,
        occurrences: 1,
        inherited: 0,
        instances: Vec::new(),
    };
    kinds.into_iter().map(finding).collect()
}

/// The rules that match what others were written for, and which these are. `with` are those that
/// have a witness.
pub(crate) fn widened(rules: &[Rule], with: &[usize]) -> Vec<(usize, Vec<usize>)> {
    let samples: Vec<(usize, Finding)> = with
        .iter()
        .flat_map(|at| {
            findings(&rules[*at], &rules[*at].witness)
                .into_iter()
                .map(|f| (*at, f))
        })
        .collect();
    let mut index = Index::new(rules, &[]);
    let mut names = Names::default();
    let mut found: Vec<Vec<usize>> = vec![Vec::new(); rules.len()];
    for (owner, finding) in &samples {
        let fingerprint = fingerprint::of(finding, &mut names);
        for at in index.matches(finding, &fingerprint, &[], &mut names) {
            let (at, rule) = (at as usize, &rules[at as usize]);
            let other =
                at != *owner && !rule.witness.is_empty() && rule.witness != rules[*owner].witness;
            let judged = rule.selector.fingerprint.is_none() && can_be_checked(rule);
            if other && judged && found[at].last() != Some(owner) {
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

/// True when the rule matches a stack such as the witness. Names in a witness are reduced, so a
/// rule that names modules or files of frames whose function is known can't be held against it:
/// that counts as a match.
pub(crate) fn is_matched(rule: &Rule, witness: &[String]) -> bool {
    if !can_be_checked(rule) {
        return true;
    }
    // A fingerprint is made of more than the names that a witness keeps.
    let mut rule = rule.clone();
    rule.selector.fingerprint = None;
    let rule = &rule;
    let mut names = Names::default();
    findings(rule, witness).iter().any(|finding| {
        let fingerprint = fingerprint::of(finding, &mut names);
        holds(rule, finding, &fingerprint, &[], &mut names)
    })
}

/// Only the rules of `leakgate.toml` have witnesses; patterns on whole names, files and modules
/// need more than a witness keeps.
pub(crate) fn can_be_checked(rule: &Rule) -> bool {
    use super::stack::What;
    let Matcher::Stack(items) = &rule.matcher else {
        return false;
    };
    items.iter().all(|item| {
        !matches!(
            item.what,
            What::Symbol(_) | What::Object(_) | What::File(..)
        )
    })
}
