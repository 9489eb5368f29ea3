//! Identity: accepting one bug never accepts another one of its kind, and one bug keeps its
//! fingerprint across versions of its checker.
//!
//! The second bug is a report in which one name is changed: the function, the file or the module of
//! the code, the class of an object, or the line of a record without a function. The log then has
//! both bugs, and the baseline or the rules of the first one must not accept it. Each case makes at
//! most [`SAMPLE`] pairs, or as many as `LEAKGATE_PAIRS` says.

use std::collections::{BTreeMap, BTreeSet};
use std::env;

use leakgate_core::culprit::Class;
use leakgate_core::model::{Finding, FrameInfo, Role};
use leakgate_core::suppress::{RuleOptions, RuleSyntax, suppress};
use leakgate_core::symbol::simple_name;
use leakgate_core::triage::TriagedFinding;
use leakgate_core::{Baseline, Config, Disposition, Gate, Outcome};
use libtest_mimic::{Failed, Trial};

use crate::common::{self, Case, Judged};

type Files = Vec<(String, Vec<u8>)>;

/// The number of functions that a fingerprint consists of.
const DEPTH: usize = 8;

/// The number of pairs of each case, unless `LEAKGATE_PAIRS` is set.
const SAMPLE: usize = 4;

/// Returns the tests.
pub(crate) fn trials() -> [Trial; 2] {
    [
        Trial::test(
            "identity/accepting_one_bug_accepts_no_other",
            accepting_one_bug_accepts_no_other,
        ),
        Trial::test(
            "identity/one_bug_keeps_its_fingerprint",
            one_bug_keeps_its_fingerprint,
        ),
    ]
}

fn accepting_one_bug_accepts_no_other() -> Result<(), Failed> {
    let most = env::var("LEAKGATE_PAIRS")
        .ok()
        .map_or(SAMPLE, |n| n.parse().expect("a number"));
    let (mut pairs, mut accepted) = (0, Vec::new());
    for case in common::cases() {
        let judged = common::judge(&case.files);
        let gates = accepting(&judged);
        let gates: Vec<&(&str, Gate)> = gates
            .iter()
            .filter(|(_, gate)| passes(gate, &case.files))
            .collect();
        let mut made = 0;
        for edit in edits(&judged) {
            let Some(files) = edit.with_second_bug(case).filter(|_| made < most) else {
                continue;
            };
            made += 1;
            for (by, gate) in &gates {
                pairs += 1;
                if passes(gate, &files) {
                    accepted.push(format!("{} by {by}: {edit:?}", case.name));
                }
            }
        }
    }
    println!("{pairs} pairs, {} accepted", accepted.len());
    assert!(pairs > 1000, "only {pairs} pairs");
    if accepted.is_empty() {
        return Ok(());
    }
    Err(accepted.join("\n").into())
}

fn passes(gate: &Gate, files: &Files) -> bool {
    common::judge_by(gate.clone(), files).verdict.outcome == Outcome::Pass
}

/// Returns the gates that accept all findings: by a baseline, and by the rules of `allow`.
fn accepting(judged: &Judged) -> Vec<(&'static str, Gate)> {
    let baseline = Baseline::from_run(&judged.parsed, &judged.triage);
    let mut gates = vec![("baseline", common::gate().with_baseline(Some(baseline)))];
    let unexpected = |item: &&TriagedFinding| item.disposition == Disposition::Unexpected;
    let fingerprints: BTreeSet<String> = judged
        .triage
        .findings
        .iter()
        .filter(unexpected)
        .map(|item| item.fingerprint.to_string())
        .collect();
    let fingerprints: Vec<String> = fingerprints.into_iter().collect();
    let rules = suppress(
        &judged.parsed,
        &judged.triage,
        &fingerprints,
        RuleSyntax::Toml,
        &RuleOptions {
            metadata: leakgate_core::rules::RuleMetadata::new("known"),
            ..RuleOptions::default()
        },
    );
    let text: Option<String> = rules.into_iter().map(|rule| rule.text.ok()).collect();
    if let Some(text) = text {
        let config = Config::read("leakgate.toml", &text).expect("valid rules");
        gates.push(("allow", common::gate().with_rules(config.rules)));
    }
    gates
}

/// A change that makes another bug of a report.
#[derive(Debug)]
struct Edit {
    what: &'static str,
    from: String,
    to: String,
    /// True if the second bug is in the same process: its record differs only in its line.
    in_same_process: bool,
}

/// Returns the changes of all findings that fail the gate.
fn edits(judged: &Judged) -> Vec<Edit> {
    let mut edits: BTreeMap<(&str, String), Edit> = BTreeMap::new();
    for (finding, item) in judged.triage.iter(&judged.parsed) {
        if item.disposition != Disposition::Unexpected {
            continue;
        }
        for edit in edits_of(finding, item) {
            edits.entry((edit.what, edit.from.clone())).or_insert(edit);
        }
    }
    edits.into_values().collect()
}

fn edits_of(finding: &Finding, item: &TriagedFinding) -> Vec<Edit> {
    let edit = |what, from: &str, to: String| Edit {
        what,
        from: from.to_owned(),
        to,
        in_same_process: false,
    };
    let mut edits = Vec::new();
    let is_race = finding.kind.as_str().contains("race");
    let is_counted = |role| role == Role::Conflict && is_race;
    for (at, (stack, classes)) in finding.stacks.iter().zip(&item.classes).enumerate() {
        if at > 0 && !is_counted(stack.role) {
            continue;
        }
        let is_own = |class: &Class| !matches!(class, Class::Allocator | Class::Runtime);
        let frames = stack.frames.iter().zip(classes);
        let own = frames.filter(|(_, class)| is_own(class)).take(DEPTH);
        for (what, from, to) in own.flat_map(|(frame, _)| names_of(&frame.info)) {
            edits.push(edit(what, &from, to));
        }
    }
    let frames = finding
        .primary()
        .map(|stack| &*stack.frames)
        .unwrap_or_default();
    if let [frame] = frames
        && frame.info.name().is_none()
        && let (Some(file), Some(line)) = (&frame.info.file, frame.info.line)
        && item.fingerprint.is_weak()
    {
        let place =
            |line| ["({})", ":{}"].map(|form| format!("{file}{}", form.replace("{}", line)));
        for (from, to) in place(&line.to_string())
            .iter()
            .zip(place(&(line + 400).to_string()))
        {
            edits.push(Edit {
                in_same_process: true,
                ..edit("line", from, to)
            });
        }
    }
    if finding.tool.as_str() == "leaks"
        && let Some((_, class)) = finding.title.split_once(": ")
        && let Some((class, _)) = class.rsplit_once(" [")
        && is_word(class)
        && class != "malloc"
    {
        edits.push(edit("class", class, format!("{class}Two")));
    }
    edits
}

/// Returns changes of the names in a frame: what, from, to.
fn names_of(info: &FrameInfo) -> Vec<(&'static str, String, String)> {
    let mut edits = Vec::new();
    let name = simple_name(info.name().unwrap_or_default());
    let last = name.rsplit([':', '.', ' ', '~']).next().unwrap_or_default();
    // `main` is an entry point, and closures have no name of their own. A mangled name has more
    // parts than its word.
    if last != "main" && is_word(last) && info.demangled.is_none() {
        edits.push(("function", last.to_owned(), format!("{last}_two")));
    }
    let base = |path: &str| {
        path.rsplit(['/', '\\'])
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    if let Some(file) = info.file.as_deref().map(base)
        && file.contains('.')
    {
        edits.push(("file", file.clone(), format!("two_{file}")));
    } else if let Some(module) = info.module.as_deref().map(base)
        && is_word(&module.replace(['-', '.', '+'], "_"))
        && name != "main"
    {
        edits.push(("module", module.clone(), format!("two_{module}")));
    }
    edits
}

fn is_word(name: &str) -> bool {
    !name.is_empty()
        && name.chars().all(|c| c.is_alphanumeric() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit())
}

impl Edit {
    /// Returns the reports with the changed ones after them. `None` if nothing changes.
    fn with_second_bug(&self, case: &Case) -> Option<Files> {
        let mut files = case.files.clone();
        let mut has_changed = false;
        for (name, text) in &case.files {
            let changed = replace_word(text, self.from.as_bytes(), self.to.as_bytes());
            // Colors split the words of a report.
            if changed == *text || text.contains(&0x1b) {
                continue;
            }
            has_changed = true;
            if !self.in_same_process {
                files.push((format!("second-{name}"), changed));
                continue;
            }
            let (_, first) = files.iter_mut().find(|(other, _)| other == name)?;
            first.extend(if first.ends_with(b"\n") {
                &b""[..]
            } else {
                b"\n"
            });
            first.extend(changed);
        }
        has_changed.then_some(files)
    }
}

/// Replaces a text where it isn't part of a longer word.
fn replace_word(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let is_part = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let is_whole = text[at..].starts_with(from)
            && !is_part(at.checked_sub(1).and_then(|before| text.get(before)))
            && !is_part(text.get(at + from.len()));
        if is_whole {
            out.extend(to);
            at += from.len();
        } else {
            out.push(text[at]);
            at += 1;
        }
    }
    out
}

/// The ends of the names of cases that have the same bug, reported by another version.
const VERSIONS: &[&str] = &["-clang14", "-clang19", "-gcc12", "-319", "-324", "-327"];

/// Removes the versions from a report: the programs are named after their compiler.
fn without_version((name, text): &(String, Vec<u8>)) -> (String, Vec<u8>) {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = &text[..];
    while let [first, after @ ..] = rest {
        match VERSIONS
            .iter()
            .find_map(|version| rest.strip_prefix(version.as_bytes()))
        {
            Some(after) => rest = after,
            None => {
                out.push(*first);
                rest = after;
            }
        }
    }
    (name.clone(), out)
}

fn one_bug_keeps_its_fingerprint() -> Result<(), Failed> {
    let mut groups: BTreeMap<String, Vec<BTreeSet<(String, String)>>> = BTreeMap::new();
    for case in common::cases() {
        let end = VERSIONS
            .iter()
            .find_map(|version| case.name.strip_suffix(version));
        let stem = end.unwrap_or(&case.name).to_owned();
        let files: Files = case.files.iter().map(without_version).collect();
        let found = common::judge(&files).fingerprints().collect();
        groups.entry(stem).or_default().push(found);
    }
    // Versions that report the same number of bugs of each kind.
    let kinds = |found: &BTreeSet<(String, String)>| {
        let mut kinds: Vec<String> = found.iter().map(|(_, kind)| kind.clone()).collect();
        kinds.sort();
        kinds
    };
    let (mut all, mut kept, mut lost) = (0, 0, Vec::new());
    for (stem, versions) in &groups {
        for (at, first) in versions.iter().enumerate() {
            for second in versions[at + 1..]
                .iter()
                .filter(|other| kinds(other) == kinds(first))
            {
                all += first.len();
                kept += first.intersection(second).count();
                lost.extend(
                    first
                        .difference(second)
                        .map(|one| format!("{stem} {one:?}")),
                );
            }
        }
    }
    println!("{kept} of {all} fingerprints kept\n{}", lost.join("\n"));
    assert!(all > 100, "only {all} fingerprints");
    if kept * 100 >= all * 95 {
        return Ok(());
    }
    Err(format!("only {kept} of {all} fingerprints are kept").into())
}
