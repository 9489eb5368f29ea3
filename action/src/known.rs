//! Which built-in packs know findings that nobody accepted: a way to read on, and never an
//! acceptance.

use std::collections::BTreeMap;

use leakgate_core::emit::Run;
use leakgate_core::{Disposition, Gate, Parsed, RuleSource, Triage, Workspace, packs};

use crate::output;

/// Tells of packs that are not on, and that know some of what fails.
pub(crate) fn tell(run: &Run<'_>) {
    let known = packs_of(run.parsed, run.gate, run.triage, run.workspace);
    if known.is_empty() {
        return;
    }
    let told: Vec<String> = known
        .iter()
        .map(|(pack, findings)| format!("{pack} ({findings})"))
        .collect();
    let on: Vec<&str> = known.keys().map(String::as_str).collect();
    let what = if known.len() == 1 {
        "a built-in pack knows"
    } else {
        "built-in packs know"
    };
    output::note(&format!(
        "note: {what} some of the unexpected findings: {}; `leakgate explain {}` tells what it accepts, --pack {} accepts it",
        told.join(", "),
        on[0],
        on.join(",")
    ));
}

/// The packs, each with how many of the unexpected findings it knows.
fn packs_of(
    parsed: &Parsed,
    gate: &Gate,
    triage: &Triage,
    workspace: &dyn Workspace,
) -> BTreeMap<String, usize> {
    let mut known = BTreeMap::new();
    if triage
        .items
        .iter()
        .all(|item| item.disposition != Disposition::Unexpected)
    {
        return known;
    }
    let pack_of = |id: &str| id.split_once('/').map(|(pack, _)| pack.to_owned());
    let is_on = |name: &str| {
        let mut of_packs = gate
            .rules
            .iter()
            .filter(|rule| rule.origin.source == RuleSource::Pack);
        of_packs.any(|rule| pack_of(&rule.id).is_some_and(|pack| pack == name))
    };
    let off = packs().iter().filter(|pack| !is_on(pack.name));
    let rules = off
        .filter_map(|pack| pack.read().ok())
        .flat_map(|(_, rules)| rules)
        .collect();
    let other = Gate::new(gate.policy.clone(), gate.today).with_rules(rules);
    let by_packs = leakgate_core::triage(parsed, &other, workspace);
    let unexpected = triage
        .items
        .iter()
        .map(|item| item.disposition == Disposition::Unexpected);
    for item in by_packs
        .items
        .iter()
        .zip(unexpected)
        .filter(|(_, is_unexpected)| *is_unexpected)
        .map(|(item, _)| item)
    {
        let rule = item
            .rule
            .filter(|_| item.disposition == Disposition::Allowed)
            .and_then(|at| other.rules.get(at));
        if let Some(pack) = rule.and_then(|rule| pack_of(&rule.id)) {
            *known.entry(pack).or_default() += 1;
        }
    }
    known
}

#[cfg(test)]
mod tests {
    use leakgate_core::{Options, Pack, Parser, Policy, triage};

    use super::*;
    use crate::settings;
    use crate::workspace::Repository;

    const LEAK: &str = "==7== Memcheck, a memory error detector\n==7== Command: ./a\n==7== \n\
        ==7== 48 bytes in 1 blocks are possibly lost in loss record 1 of 1\n==7==    at 0x48: malloc (vg.c:3)\n\
        ==7==    by 0x49: alloc::alloc::alloc (alloc.rs:9)\n==7==    by 0x4A: std::thread::current::init_current (current.rs:8)\n\
        ==7==    by 0x10: main (a.c:4)\n==7== \n==7== ERROR SUMMARY: 1 errors from 1 contexts (suppressed: 0 from 0)\n";

    #[test]
    fn packs_that_are_off_are_told_of() {
        let mut parser = Parser::new(Options::default());
        parser.feed(LEAK.as_bytes());
        let parsed = parser.finish();
        let known = |gate: Gate| {
            packs_of(
                &parsed,
                &gate,
                &triage(&parsed, &gate, &Repository::default()),
                &Repository::default(),
            )
        };
        let gate = Gate::new(Policy::default(), settings::today());
        assert_eq!(
            known(gate.clone()),
            BTreeMap::from([("rust-std".to_owned(), 1)])
        );
        let (_, rules) = Pack::named("rust-std").unwrap().read().unwrap();
        assert!(known(gate.with_rules(rules)).is_empty());
    }
}
