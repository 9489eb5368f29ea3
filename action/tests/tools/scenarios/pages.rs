//! C and Rust programs.

use std::fs;

use libtest_mimic::Trial;

use super::page::Page;
use crate::common::repository;
use crate::needs::{AR, CARGO, CC, CLANG, EFENCE, GCC, GXX, LLVM_SYMBOLIZER, VALGRIND, trials};
use crate::test_project::RunResult;

pub(crate) fn trials() -> Vec<Trial> {
    trials!(
        "scenarios",
        jit_may_leak_one_page(CARGO),
        leaked_string_of_a_c_library_is_found(VALGRIND, CARGO, CC, AR),
        server_with_workers_and_a_helper_is_checked(VALGRIND, GCC, CLANG, LLVM_SYMBOLIZER, EFENCE),
        runtime_leaks_within_its_budget_pass(GCC),
        missing_canary_fails(VALGRIND, GCC, GXX, CLANG, CARGO),
    )
}

/// Checks that the gate fails with exactly these reasons.
#[track_caller]
fn assert_fails_with(ran: &RunResult, codes: &[&str]) {
    assert_eq!(
        (ran.status, ran.reason_codes()),
        (1, codes.to_vec()),
        "{}{}",
        ran.out,
        ran.err
    );
}

const LSAN: &str = "leakgate run --tool lsan";

fn jit_may_leak_one_page() {
    let mut page = Page::open("jit");
    let ran = page.run(LSAN);
    ran.assert_passes();
    assert_eq!(
        ran.json["findings"][0]["title"],
        "Direct leak of 4096 byte(s) in 1 object(s)"
    );
    let rule = ran.json["rules"]
        .as_array()
        .unwrap()
        .iter()
        .find(|rule| rule["id"] == "jit-page")
        .unwrap();
    assert_eq!(
        (&rule["state"], &rule["status"]),
        (&"used".into(), &"accepted".into())
    );
    assert_eq!(rule["investigation"], "docs/leaks/jit-page.md");
    assert_eq!(
        rule["references"][0],
        "https://github.com/bytecodealliance/wasmtime/issues/7976"
    );
    let ran = page.run("LEAK=1");
    assert_fails_with(&ran, &["unexpected-finding"]);
    assert_fails_with(&page.run("SECOND_PAGE=1"), &["expectation-missed"]);
    assert_fails_with(&page.run("NO_METRICS=1"), &["unused-rule"]);
    page.assert_finished();
}

/// Returns the fingerprint of the finding that fails the gate.
fn unexpected_fingerprint(ran: &RunResult) -> &str {
    let findings = ran.json["findings"].as_array().unwrap();
    let unexpected: Vec<_> = findings
        .iter()
        .filter(|finding| finding["disposition"] == "unexpected")
        .collect();
    assert!(!unexpected.is_empty(), "{}", ran.out);
    assert!(
        unexpected
            .iter()
            .all(|finding| finding["fingerprint"] == unexpected[0]["fingerprint"]),
        "{}",
        ran.out
    );
    unexpected[0]["fingerprint"].as_str().unwrap()
}

fn leaked_string_of_a_c_library_is_found() {
    let mut page = Page::open("ffi");
    page.run("json=stub.json").assert_passes();
    page.run("json=full.json").assert_passes();
    let merged = page.run("leakgate merge stub.json full.json");
    merged.assert_passes();
    assert!(
        merged.json["inputs"]
            .as_array()
            .unwrap()
            .iter()
            .any(|input| input["leg"] == "stub"),
        "{}",
        merged.json["inputs"]
    );
    let memcheck = page.run("LEAK=1");
    assert_fails_with(&memcheck, &["unexpected-finding"]);
    let asan = page.run("--tool asan");
    assert_fails_with(&asan, &["unexpected-finding"]);
    assert_eq!(asan.findings(), [("lsan", "leak-definite")]);
    assert_eq!(
        unexpected_fingerprint(&memcheck),
        unexpected_fingerprint(&asan)
    );
    let merged = page.run("leakgate merge stub.json full.json asan.json");
    assert_fails_with(&merged, &["unexpected-finding"]);
    assert_eq!(
        unexpected_fingerprint(&merged),
        unexpected_fingerprint(&asan)
    );
    page.assert_finished();
}

fn server_with_workers_and_a_helper_is_checked() {
    let mut page = Page::open("database");
    page.run_successfully("gcc");
    page.run_successfully("gcc");
    page.run("--keep-logs").assert_passes();
    let logs = fs::read_dir(page.project().join("logs/memcheck"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    assert_eq!(
        logs.filter(|name| name.to_str().unwrap().ends_with(".xml"))
            .count(),
        5
    );
    let catalog = page.run("DEFECT=catalog");
    assert_fails_with(&catalog, &["unexpected-finding"]);
    let reasons = &catalog.json["verdict"]["reasons"];
    // One finding, although the server, three workers and the child that became the helper leak it.
    assert_eq!(
        (&reasons[0]["count"], catalog.findings().len()),
        (&1.into(), 1),
        "{}",
        catalog.out
    );
    let session = page.run("DEFECT=session");
    assert_eq!(
        session.json["findings"][0]["occurrences"], 3,
        "{}",
        session.out
    );
    assert_fails_with(&page.run("DEFECT=helper"), &["unexpected-finding"]);
    page.run("scudo,gwp-asan,efence").assert_passes();
    let scudo = page.run("--tool scudo");
    assert_fails_with(&scudo, &["unexpected-finding", "command-failed"]);
    assert_eq!(scudo.findings()[0], ("scudo", "double-free"));
    let gwp = page.run("--tool gwp-asan");
    assert_fails_with(&gwp, &["unexpected-finding", "command-failed"]);
    assert_eq!(gwp.findings()[0], ("gwp-asan", "heap-use-after-free"));
    assert_fails_with(&page.run("--tool efence"), &["command-failed"]);
    page.run_successfully("clang-19");
    page.run_successfully("clang-19");
    page.run("--tool msan").assert_passes();
    let msan = page.run("DEFECT=uninit");
    assert_eq!(
        (msan.status, msan.findings()[0]),
        (1, ("msan", "use-of-uninitialized-value")),
        "{}",
        msan.out
    );
    page.assert_finished();
}

fn runtime_leaks_within_its_budget_pass() {
    let mut page = Page::open("tracing");
    page.run_successfully("gcc");
    page.run("leakgate run --tool asan").assert_passes();
    assert_fails_with(&page.run("KEPT_ROWS=3"), &["over-limit"]);
    let pages = page.run("KEPT_PAGES=1");
    assert_fails_with(&pages, &["unexpected-finding"]);
    assert!(
        pages
            .findings()
            .iter()
            .all(|(tool, _)| *tool == "custom:runtime-trace"),
        "{}",
        pages.out
    );
    let leak = page.run("LEAK=1");
    assert_fails_with(&leak, &["unexpected-finding"]);
    assert!(
        leak.findings().contains(&("lsan", "leak-definite")),
        "{}",
        leak.out
    );
    page.assert_finished();
}

fn missing_canary_fails() {
    let canary = repository("canary").canonicalize().unwrap();
    let mut page = Page::open("canary");
    fs::copy(
        canary.join("leakgate_canary.h"),
        page.project().join("leakgate_canary.h"),
    )
    .unwrap();
    // Use the crate of this repository instead of the published one.
    let manifest = page.project().join("Cargo.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    let published = "\"0.1.0\"\n\n[workspace]";
    let local = format!("{{ path = \"{}\" }}\n\n[workspace]", canary.display());
    assert!(text.contains(published), "{text}");
    fs::write(&manifest, text.replace(published, &local)).unwrap();
    // The README of the canary and the page contain the same rule.
    let rule = fs::read_to_string(page.project().join("leakgate.toml")).unwrap();
    assert!(
        fs::read_to_string(canary.join("README.md"))
            .unwrap()
            .contains(&rule),
        "{rule}"
    );

    page.run_successfully("gcc");
    page.run("--tool asan").assert_passes();
    let hidden = page.run("hides-all.txt");
    assert_fails_with(&hidden, &["expectation-missed"]);
    page.run_successfully("-DNO_CANARY");
    assert_fails_with(&page.run("--tool asan"), &["expectation-missed"]);
    page.run_successfully("clang-19");
    page.run(LSAN).assert_passes();
    page.run_successfully("g++");
    page.run("--tool memcheck").assert_passes();
    page.run(LSAN).assert_passes();
    page.run("--release").assert_passes();
    assert_fails_with(&page.run("NO_CANARY=1"), &["expectation-missed"]);
    page.assert_finished();
}
