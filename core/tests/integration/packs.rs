//! Every built-in pack can be parsed, names the sources of its facts, and is described in
//! `docs/packs.md`.

use std::fs;
use std::path::Path;

use leakgate_core::rules::packs;
use leakgate_core::{Date, Gate, Policy};

#[test]
fn rules_have_a_reason_and_a_source() {
    for pack in packs() {
        let (description, rules) = pack
            .read()
            .unwrap_or_else(|m| panic!("{}: {}", pack.name, m[0]));
        assert!(description.len() > 20 && !rules.is_empty(), "{}", pack.name);
        for rule in rules {
            assert!(rule.metadata.reason.len() > 20, "{}", rule.id);
            assert!(!rule.metadata.references.is_empty(), "{}", rule.id);
            assert!(
                rule.metadata
                    .references
                    .iter()
                    .all(|r| r.starts_with("https://")),
                "{}",
                rule.id
            );
        }
    }
}

#[test]
fn documentation_lists_the_rules_of_each_pack() {
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/packs.md")).unwrap();
    let listed: Vec<&str> = text
        .lines()
        .filter_map(|l| l.strip_prefix("- `")?.split('`').next())
        .collect();
    let mut ids = Vec::new();
    for pack in packs() {
        ids.extend(
            pack.read()
                .unwrap()
                .1
                .into_iter()
                .map(|r| r.id.split_once('/').unwrap().1.to_owned()),
        );
        assert!(text.contains(&format!("## {}", pack.name)), "{}", pack.name);
    }
    let (mut listed, mut ids) = (listed, ids.iter().map(String::as_str).collect::<Vec<_>>());
    listed.sort_unstable();
    ids.sort_unstable();
    assert_eq!(listed, ids);
}

#[test]
fn packs_have_no_redundant_rules() {
    let all = packs().iter().flat_map(|p| p.read().unwrap().1).collect();
    let gate = Gate::new(Policy::default(), Date::constant(2026, 6, 1)).with_rules(all);
    let advice = gate.advice();
    let messages: Vec<String> = advice
        .iter()
        .map(|a| format!("{}: {}", gate.rules[a.rule].id, a.message))
        .collect();
    assert!(messages.is_empty(), "{messages:#?}");
}
