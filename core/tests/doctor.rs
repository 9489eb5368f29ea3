//! What is said of each case's log, in one line each, and of some of them in full.

#![allow(clippy::unwrap_used, reason = "this is a test")]

mod common;

use leakgate_core::doctor::{commands, doubts};

fn of(name: &str) -> (Vec<leakgate_core::doctor::Doubt>, Vec<String>) {
    let case = common::cases()
        .into_iter()
        .find(|case| case.name == name)
        .unwrap();
    let judged = common::judge(&case.files);
    let all = doubts(&judged.parsed, &judged.triage);
    let commands = commands(&all, &judged.parsed);
    (all, commands)
}

#[test]
fn every_case() {
    let mut out = String::new();
    for case in common::cases() {
        let judged = common::judge(&case.files);
        let all = doubts(&judged.parsed, &judged.triage);
        let codes: Vec<String> = all
            .iter()
            .map(|d| format!("{} ({})", d.code, d.count))
            .collect();
        if !codes.is_empty() {
            out += &format!("{}: {}\n", case.name, codes.join(", "));
        }
    }
    insta::assert_snapshot!(out);
}

#[test]
fn commands_name_the_program_and_every_option_once() {
    for (case, want) in [
        (
            "memcheck/default-options",
            "valgrind --leak-check=full --show-leak-kinds=all ./leaks mixed",
        ),
        (
            "memcheck/endless-errors",
            "valgrind --error-limit=no --track-origins=yes ./limits endless-errors",
        ),
        (
            "lsan/all-leaks-rust",
            "LSAN_OPTIONS=fast_unwind_on_malloc=0 PROGRAM",
        ),
    ] {
        assert_eq!(of(case).1, [want], "{case}");
    }
    let (all, commands) = of("memcheck/clean");
    assert!(all.is_empty() && commands.is_empty());
}

#[test]
fn the_first_place_is_told() {
    let (all, _) = of("memcheck/default-options");
    assert_eq!((all[0].code, all[0].place), ("leaks-not-shown", (0, 20)));
}
