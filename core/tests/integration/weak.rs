//! Findings that their logs don't identify well: what a baseline or a rule of `leakgate allow`
//! accepts, and what it doesn't.

use leakgate_core::rules::RuleMetadata;
use leakgate_core::suppress::{GeneratedRule, RuleOptions, RuleSyntax, suppress};
use leakgate_core::{Baseline, Config, Gate, Outcome};

use crate::common::{self, Judged};

/// Returns the rules that accept these fingerprints.
fn rules(judged: &Judged, fingerprints: &[String]) -> Vec<GeneratedRule> {
    let options = RuleOptions {
        metadata: RuleMetadata::new("known"),
        ..RuleOptions::default()
    };
    let syntax = RuleSyntax::Toml;
    suppress(
        &judged.parsed,
        &judged.triage,
        fingerprints,
        syntax,
        &options,
    )
}

/// Returns the gates that accept everything in a log: by a baseline, and by rules. A log whose
/// findings can't be accepted by rules has only the first.
fn accepting(log: &str) -> Vec<Gate> {
    let judged = common::judge_text(log.as_bytes());
    let baseline = Baseline::from_run(&judged.parsed, &judged.triage);
    let baseline = Baseline::read("b.json", &baseline.to_text()).unwrap();
    let mut gates = vec![common::gate().with_baseline(Some(baseline))];
    let mut fingerprints: Vec<String> = judged.fingerprints().map(|(text, _)| text).collect();
    fingerprints.sort();
    fingerprints.dedup();
    let rules = rules(&judged, &fingerprints);
    let texts: Result<Vec<String>, _> = rules.into_iter().map(|rule| rule.text).collect();
    if let Ok(texts) = texts {
        let config = Config::read("leakgate.toml", &texts.concat()).unwrap();
        gates.push(common::gate().with_rules(config.rules));
    }
    gates
}

/// Returns whether each of the gates that accept the first log passes these files.
fn passes(before: &str, after: &[&str]) -> Vec<bool> {
    let files: Vec<(String, &[u8])> = after
        .iter()
        .enumerate()
        .map(|(at, text)| (format!("{at}.log"), text.as_bytes()))
        .collect();
    accepting(before)
        .into_iter()
        .map(|gate| common::judge_by(gate, &files).verdict.outcome == Outcome::Pass)
        .collect()
}

fn overflow(line: u32, value: u32) -> String {
    format!(
        "src/sum.c:{line}:7: runtime error: signed integer overflow: 2147483647 + {value} cannot \
         be represented in type 'int'\n"
    )
}

#[test]
fn error_without_a_name_is_accepted_once_in_a_process_at_any_line() {
    let one = overflow(12, 1);
    assert_eq!(passes(&one, &[&one]), [true, true]);
    assert_eq!(passes(&one, &[&overflow(40, 5)]), [true, true]);
    assert_eq!(passes(&one, &[&one, &overflow(13, 1)]), [true, true]);
    // One place reports once, so a repetition comes from another process.
    assert_eq!(passes(&one, &[&one.repeat(2)]), [true, true]);
    let two = one.clone() + &overflow(400, 5);
    assert_eq!(passes(&one, &[&two]), [false, false]);
    assert_eq!(passes(&two, &[&two]), [true, true]);
    assert_eq!(
        passes(&two, &[&(two.clone() + &overflow(7, 1))]),
        [false, false]
    );
}

#[test]
fn message_without_a_place_is_accepted_as_often_as_it_was_there() {
    let message = "free(): invalid pointer\n";
    assert_eq!(passes(message, &[message]), [true, true]);
    assert_eq!(passes(message, &[&message.repeat(2)]), [false, false]);
    assert_eq!(
        passes(message, &["double free or corruption (out)\n"]),
        [false, false]
    );
}

#[test]
fn record_that_lost_its_stack_is_never_accepted() {
    let record = |pid: u32, rest: &str| {
        format!("=={pid}== Invalid read of size 8\n=={pid}== {rest}\n=={pid}== \n")
    };
    let judged = common::judge_text(record(7, "lost").as_bytes());
    assert!(judged.triage.findings[0].fingerprint.is_lost());
    assert_eq!(passes(&record(7, "lost"), &[&record(8, "lost")]), [false]);
}

#[test]
fn leak_without_a_stack_is_accepted_with_its_size_and_class() {
    let leaks = |blocks: &[(&str, u32)]| {
        let total: u32 = blocks.iter().map(|(_, size)| size).sum();
        let mut log = format!(
            "Process 7: {} leaks for {total} total leaked bytes.\n\n",
            blocks.len()
        );
        for (class, size) in blocks {
            log += &format!("    1 ({size} bytes) ROOT LEAK: <{class} 0x600000010940> [{size}]\n");
        }
        log
    };
    let one = leaks(&[("Node", 48)]);
    assert_eq!(passes(&one, &[&one]), [true, true]);
    for other in [
        leaks(&[("Node", 48), ("Session", 48)]),
        leaks(&[("Node", 48), ("Node", 48)]),
        leaks(&[("Node", 64)]),
    ] {
        assert_eq!(passes(&one, &[&other]), [false, false], "{other}");
    }
}

#[test]
fn limit_of_a_process_is_part_of_generated_rules() {
    let judged = common::judge_text((overflow(12, 1) + &overflow(30, 2)).as_bytes());
    let fingerprint = [judged.triage.findings[0].fingerprint.to_string()];
    let rules = rules(&judged, &fingerprint);
    let text = rules[0].text.clone().unwrap();
    assert!(text.contains("limit = { per-process = 2 }\n"), "{text}");
}

#[test]
fn handwritten_rule_for_a_weak_fingerprint_accepts_one_place() {
    let one = overflow(12, 1);
    let judged = common::judge_text(one.as_bytes());
    let fingerprint = &judged.triage.findings[0].fingerprint;
    let config = format!("[[allow]]\nfingerprint = \"{fingerprint}\"\nreason = \"known\"\n");
    let rules = Config::read("leakgate.toml", &config).unwrap().rules;
    let outcome = |log: &str| {
        let gate = common::gate().with_rules(rules.clone());
        let judged = common::judge_by(gate, &[("log".to_owned(), log.as_bytes())]);
        judged.codes()
    };
    assert_eq!(outcome(&one).0, Outcome::Pass);
    let two = one.clone() + &overflow(400, 5);
    assert_eq!(outcome(&two), (Outcome::Fail, vec!["over-limit"]));
}
