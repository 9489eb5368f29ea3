//! Diagnoses of the log of every case, and the suggested commands of some.

use std::collections::BTreeSet;

use leakgate_core::advice::{code_groups, find_code};
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
    let mut seen = BTreeSet::new();
    for case in common::cases() {
        let judged = common::judge(&case.files);
        let all = diagnose(&judged.parsed, &judged.triage);
        seen.extend(all.iter().map(|d| d.code));
        let codes: Vec<String> = all
            .iter()
            .map(|d| format!("{} ({})", d.code, d.count))
            .collect();
        if !codes.is_empty() {
            out += &format!("{}: {}\n", case.name, codes.join(", "));
        }
    }
    insta::assert_snapshot!(out);
    // Each diagnosis has an explanation, and each explanation is that of one.
    let unexplained = seen.iter().filter(|code| find_code(code).is_err());
    assert_eq!(unexplained.count(), 0, "{seen:?}");
    let [.., (_, diagnoses)] = code_groups();
    for help in diagnoses {
        // No case has lost its spaces; another test removes them.
        seen.insert("collapsed-spaces");
        assert!(seen.contains(help.code), "{} never occurs", help.code);
    }
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

/// Returns the diagnoses of a log that have one of these codes, each with its text, options and
/// advice.
fn diagnose_text(log: &str, codes: &[&str]) -> Vec<(&'static str, String)> {
    let judged = common::judge_text(log.as_bytes());
    let all = diagnose(&judged.parsed, &judged.triage);
    all.into_iter()
        .filter(|diagnosis| codes.contains(&diagnosis.code))
        .map(|diagnosis| {
            let advice = diagnosis.advice.unwrap_or_default();
            let text = format!(
                "{} {} {advice}",
                diagnosis.what,
                diagnosis.options.join(" ")
            );
            (diagnosis.code, text)
        })
        .collect()
}

#[test]
fn missing_stacks_have_the_setting_of_their_checker() {
    for (case, setting) in [
        ("crt/two-places", "_CRTDBG_MAP_ALLOC"),
        ("leaks/cycle", "MallocStackLogging=1"),
        ("ubsan/divide-by-zero-gcc12", "print_stacktrace=1"),
        ("ubsan/all-minimal", "-fsanitize-minimal-runtime"),
    ] {
        let log = String::from_utf8(common::case(case).files[0].1.clone()).unwrap();
        let found = diagnose_text(&log, &["no-stacks"]);
        assert!(
            found.len() == 1 && found[0].1.contains(setting),
            "{case}: {found:?}"
        );
    }
    assert_eq!(
        diagnose_case("ubsan/divide-by-zero-gcc12").1,
        ["UBSAN_OPTIONS=print_stacktrace=1 PROGRAM"]
    );
    for case in ["ubsan/with-stack-gcc12", "leaks/version-4"] {
        let (all, _) = diagnose_case(case);
        assert!(all.iter().all(|d| d.code != "no-stacks"), "{case}: {all:?}");
    }
}

#[test]
fn lost_indentation_is_diagnosed() {
    for case in ["go-race/two-goroutines", "miri/use-after-free"] {
        let log = String::from_utf8(common::case(case).files[0].1.clone()).unwrap();
        let lines: Vec<&str> = log.lines().map(str::trim_start).collect();
        let codes = &["collapsed-spaces"];
        let found = diagnose_text(&lines.join("\n"), codes);
        assert!(found.len() == 1, "{case}: {found:?}");
        assert_eq!(diagnose_text(&log, codes), [], "{case}");
    }
}

#[test]
fn failure_to_start_names_the_setting_of_the_kernel() {
    for log in [
        "FATAL: ThreadSanitizer: unexpected memory mapping 0x5d5e-0x5d5f\n",
        "FATAL: ThreadSanitizer: encountered an incompatible memory layout but was unable to \
         disable ASLR (perhaps sandboxing is enabled?)\n",
        "==7==Shadow memory range interleaves with an existing memory mapping. ASan cannot \
         proceed correctly. ABORTING.\n",
        "FATAL: MemorySanitizer can not mmap the shadow memory.\n",
        "AddressSanitizer:DEADLYSIGNAL\nAddressSanitizer:DEADLYSIGNAL\n",
    ] {
        let found = diagnose_text(log, &["checker-failed", "truncated"]);
        assert!(
            found.len() == 1 && found[0].1.contains("vm.mmap_rnd_bits=28"),
            "{log}: {found:?}"
        );
    }
}
