//! Diagnoses of the log of every case, and the suggested commands of some.

use leakgate_core::doctor::{Diagnosis, commands, diagnose};

use crate::common;

fn diagnose_case(name: &str) -> (Vec<Diagnosis>, Vec<String>) {
    let judged = common::judge(&common::case(name).files);
    let all = diagnose(&judged.parsed, &judged.triage);
    let commands = commands(&all, &judged.parsed);
    (all, commands)
}

#[test]
fn every_case() {
    let mut out = String::new();
    for case in common::cases() {
        let judged = common::judge(&case.files);
        let all = diagnose(&judged.parsed, &judged.triage);
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
fn commands_contain_the_program_and_every_option_once() {
    for (case, expected) in [
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
        assert_eq!(diagnose_case(case).1, [expected], "{case}");
    }
    let (all, commands) = diagnose_case("memcheck/clean");
    assert!(all.is_empty() && commands.is_empty());
}

#[test]
fn diagnosis_has_its_first_line() {
    let (all, _) = diagnose_case("memcheck/default-options");
    assert_eq!((all[0].code, all[0].place), ("leaks-not-shown", (0, 20)));
}
