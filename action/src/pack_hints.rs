//! Hints at built-in packs that would accept some of the unexpected findings. A hint never accepts
//! a finding.

use std::collections::BTreeMap;

use leakgate_core::emit::Run;
use leakgate_core::rules::{Source as RuleSource, packs};
use leakgate_core::triage::TriagedFinding;
use leakgate_core::{Disposition, Gate, Parsed, Triage};

use crate::output;

/// Prints a hint at standard error if packs that are off would accept unexpected findings.
pub(crate) fn suggest_packs(run: &Run<'_>) {
    let matches = matching_packs(run.parsed, run.gate, run.triage);
    let names: Vec<&str> = matches.keys().map(String::as_str).collect();
    let Some(first) = names.first() else {
        return;
    };
    let counts: Vec<String> = matches
        .iter()
        .map(|(pack, findings)| format!("{pack} ({findings})"))
        .collect();
    output::note(&format!(
        "note: {} would accept some of the unexpected findings: {}",
        match names.len() {
            1 => "a built-in pack",
            _ => "built-in packs",
        },
        counts.join(", ")
    ));
    output::note(&format!(
        "help: run `leakgate explain pack {first}` to read its rules, or pass --pack {} to enable \
         them",
        names.join(",")
    ));
}

/// Returns the packs that are off and accept unexpected findings, each with their number.
fn matching_packs(parsed: &Parsed, gate: &Gate, triage: &Triage) -> BTreeMap<String, usize> {
    let mut matches = BTreeMap::new();
    let is_unexpected = |finding: &TriagedFinding| finding.disposition == Disposition::Unexpected;
    if !triage.findings.iter().any(is_unexpected) {
        return matches;
    }
    let rules = packs()
        .iter()
        .filter(|pack| !is_enabled(gate, pack.name))
        .filter_map(|pack| pack.read().ok())
        .flat_map(|(_, rules)| rules)
        .collect();
    let pack_gate = Gate::new(gate.policy.clone(), gate.today).with_rules(rules);
    let Some(by_packs) = triage.with_matching_gate(parsed, &pack_gate) else {
        return matches;
    };
    for (current, by_pack) in triage.findings.iter().zip(&by_packs.findings) {
        if !is_unexpected(current) || by_pack.disposition != Disposition::Allowed {
            continue;
        }
        let rule = by_pack.rule.and_then(|at| pack_gate.rules.get(at));
        if let Some(pack) = rule.and_then(|rule| pack_of(&rule.id)) {
            *matches.entry(pack.to_owned()).or_default() += 1;
        }
    }
    matches
}

/// Returns true if the gate has rules of this pack.
fn is_enabled(gate: &Gate, pack: &str) -> bool {
    gate.rules
        .iter()
        .filter(|rule| rule.origin.source == RuleSource::Pack)
        .any(|rule| pack_of(&rule.id) == Some(pack))
}

/// Returns the pack in the id of a rule, such as `python` in `python/gil-lock`.
fn pack_of(id: &str) -> Option<&str> {
    id.split_once('/').map(|(pack, _)| pack)
}

#[cfg(test)]
mod tests {
    use leakgate_core::rules::Pack;
    use leakgate_core::triage::triage;
    use leakgate_core::{Options, Parser, Policy};

    use super::*;
    use crate::settings;
    use crate::workspace::Repository;

    const LEAK: &str = "==7== Memcheck, a memory error detector
==7== Command: ./a
==7== 
==7== 48 bytes in 1 blocks are possibly lost in loss record 1 of 1
==7==    at 0x48: malloc (vg.c:3)
==7==    by 0x49: alloc::alloc::alloc (alloc.rs:9)
==7==    by 0x4A: std::thread::current::init_current (current.rs:8)
==7==    by 0x10: main (a.c:4)
==7== 
==7== ERROR SUMMARY: 1 errors from 1 contexts (suppressed: 0 from 0)
";

    #[test]
    fn disabled_pack_is_suggested() {
        let mut parser = Parser::new(Options::default());
        parser.feed(LEAK.as_bytes());
        let parsed = parser.finish();
        let matches = |gate: Gate| {
            matching_packs(
                &parsed,
                &gate,
                &triage(&parsed, &gate, &Repository::default()),
            )
        };
        let gate = Gate::new(Policy::default(), settings::today());
        assert_eq!(
            matches(gate.clone()),
            BTreeMap::from([("rust-std".to_owned(), 1)])
        );
        let (_, rules) = Pack::find("rust-std").unwrap().read().unwrap();
        assert!(matches(gate.with_rules(rules)).is_empty());
    }
}
