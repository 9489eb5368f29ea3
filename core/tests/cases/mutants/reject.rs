//! Rules that accept a whole log, and changes that make them reject some of it.

use leakgate_core::rules::RuleMetadata;
use leakgate_core::suppress::{RuleOptions, RuleSyntax, suppress};
use leakgate_core::{Config, Disposition, Gate, Outcome, Rule};

use super::Files;
use super::dice::Dice;
use crate::common;

/// Returns the entries of a `leakgate.toml` that accepts every unexpected finding, or `None` if the
/// log still fails.
pub(crate) fn accepting(files: &Files) -> Option<Vec<String>> {
    let judged = common::judge(files);
    let failing = judged
        .triage
        .findings
        .iter()
        .filter(|item| item.disposition == Disposition::Unexpected);
    let mut fingerprints: Vec<String> = failing.map(|item| item.fingerprint.to_string()).collect();
    fingerprints.sort();
    fingerprints.dedup();
    let wording = RuleOptions {
        metadata: RuleMetadata::new("looked into"),
        ..RuleOptions::default()
    };
    let written = suppress(
        &judged.parsed,
        &judged.triage,
        &fingerprints,
        RuleSyntax::Toml,
        &wording,
    );
    // A record that lost its stack can't be accepted.
    let text: Option<String> = written
        .into_iter()
        .map(|w| Some(w.text.ok()? + "\n"))
        .collect();
    let text = text?;
    let entries: Vec<String> =
        text.split_inclusive('\n')
            .fold(Vec::new(), |mut entries: Vec<String>, line| {
                if line == "[[allow]]\n" {
                    entries.push(String::new());
                }
                entries
                    .last_mut()
                    .expect("an entry begins with its header")
                    .push_str(line);
                entries
            });
    let passes = !entries.is_empty()
        && common::judge_by(gate(&entries), files).verdict.outcome == Outcome::Pass;
    passes.then_some(entries)
}

/// Returns a gate with these entries.
pub(crate) fn gate(entries: &[String]) -> Gate {
    common::gate().with_rules(rules(entries))
}

/// Parses the entries.
pub(crate) fn rules(entries: &[String]) -> Vec<Rule> {
    let config = Config::read("leakgate.toml", &entries.concat());
    config.expect("valid rules").rules
}

/// Changes entries that accept the log so that they no longer do. Returns the name of the change
/// and the gate.
pub(crate) fn rejecting(
    files: &Files,
    entries: &[String],
    dice: &mut Dice,
) -> (&'static str, Gate) {
    let at = dice.below(entries.len());
    let mut entries = entries.to_vec();
    let change = match dice.below(7) {
        0 => {
            entries
                .iter_mut()
                .for_each(|entry| *entry += "expires = 2026-05-31\n");
            "all expired"
        }
        1 => {
            entries[at] += "expires = 2026-05-31\n";
            "one expired"
        }
        2 => {
            entries.clear();
            "emptied"
        }
        3 => {
            let lines = entries[at].lines().map(|l| {
                if l.starts_with("kinds = ") {
                    "kinds = [\"leak-reachable\"]"
                } else {
                    l
                }
            });
            entries[at] = lines.collect::<Vec<_>>().join("\n") + "\n";
            "another kind"
        }
        4 => {
            entries.remove(at);
            "one rule removed"
        }
        5 => {
            let limit = limit_below(files, &entries, at, dice);
            // A rule for a weak fingerprint has a limit already.
            if entries[at].contains("limit = { ") {
                entries[at] = entries[at].replace("limit = { ", &format!("limit = {{ {limit}, "));
            } else {
                entries[at] += &format!("limit = {{ {limit} }}\n");
            }
            "a lower limit"
        }
        _ => {
            entries[at] += "expect = 1000000\n";
            "an expectation"
        }
    };
    (change, gate(&entries))
}

/// Returns a limit that is one lower than the matches of the rule.
fn limit_below(files: &Files, entries: &[String], at: usize, dice: &mut Dice) -> String {
    let used = &common::judge_by(gate(entries), files).triage.usages[at];
    match dice.below(3) {
        0 if used.bytes > 0 => format!("bytes = {}", used.bytes - 1),
        1 if used.blocks > 0 => format!("blocks = {}", used.blocks - 1),
        _ => format!("findings = {}", used.decided - 1),
    }
}
