//! Programs of C and Rust.

use std::fs;
use std::path::Path;

use super::page::Page;
use super::shop::{Ran, has};

#[track_caller]
fn fails_alone_for(ran: &Ran, codes: &[&str]) {
    assert_eq!(
        (ran.status, ran.codes()),
        (1, codes.to_vec()),
        "{}{}",
        ran.out,
        ran.err
    );
}

const LSAN: &str = "leakgate run --tool lsan";

#[test]
#[ignore = "needs real checkers"]
fn a_jit_keeps_one_page() {
    if !has(&["cargo"]) {
        return;
    }
    let mut page = Page::open("jit");
    let ran = page.run(LSAN);
    ran.passes();
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
    fails_alone_for(&ran, &["unexpected-finding"]);
    fails_alone_for(&page.run("SECOND_PAGE=1"), &["expectation-missed"]);
    fails_alone_for(&page.run("NO_METRICS=1"), &["unused-rule"]);
    page.ends();
}

/// The fingerprint of the finding that fails.
fn open(ran: &Ran) -> &str {
    let findings = ran.json["findings"].as_array().unwrap();
    let open: Vec<_> = findings
        .iter()
        .filter(|finding| finding["disposition"] == "unexpected")
        .collect();
    assert!(!open.is_empty(), "{}", ran.out);
    assert!(
        open.iter()
            .all(|finding| finding["fingerprint"] == open[0]["fingerprint"]),
        "{}",
        ran.out
    );
    open[0]["fingerprint"].as_str().unwrap()
}

#[test]
#[ignore = "needs real checkers"]
fn a_string_of_a_library_in_c_is_forgotten() {
    if !has(&["valgrind", "cargo", "cc", "ar"]) {
        return;
    }
    let mut page = Page::open("ffi");
    page.run("json=stub.json").passes();
    page.run("json=full.json").passes();
    let merged = page.run("leakgate merge stub.json full.json");
    merged.passes();
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
    fails_alone_for(&memcheck, &["unexpected-finding"]);
    let asan = page.run("--tool asan");
    fails_alone_for(&asan, &["unexpected-finding"]);
    assert_eq!(asan.findings(), [("lsan", "leak-definite")]);
    assert_eq!(open(&memcheck), open(&asan));
    let merged = page.run("leakgate merge stub.json full.json asan.json");
    fails_alone_for(&merged, &["unexpected-finding"]);
    assert_eq!(open(&merged), open(&asan));
    page.ends();
}

#[test]
#[ignore = "needs real checkers"]
fn a_server_forks_and_starts_a_helper() {
    if !has(&[
        "valgrind",
        "gcc",
        "clang-19",
        "llvm-symbolizer-19",
        "/usr/lib/libefence.so.0",
    ]) {
        return;
    }
    let mut page = Page::open("database");
    page.make("gcc");
    page.make("gcc");
    page.run("--keep-logs").passes();
    let logs = fs::read_dir(page.project().join("logs/memcheck"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    assert_eq!(
        logs.filter(|name| name.to_str().unwrap().ends_with(".xml"))
            .count(),
        5
    );
    let catalog = page.run("DEFECT=catalog");
    fails_alone_for(&catalog, &["unexpected-finding"]);
    let reasons = &catalog.json["verdict"]["reasons"];
    // Once, though the server, three workers and the child that became the helper have all lost it.
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
    fails_alone_for(&page.run("DEFECT=helper"), &["unexpected-finding"]);
    page.run("scudo,gwp-asan,efence").passes();
    let scudo = page.run("--tool scudo");
    fails_alone_for(&scudo, &["unexpected-finding", "command-failed"]);
    assert_eq!(scudo.findings()[0], ("scudo", "double-free"));
    let gwp = page.run("--tool gwp-asan");
    fails_alone_for(&gwp, &["unexpected-finding", "command-failed"]);
    assert_eq!(gwp.findings()[0], ("gwp-asan", "heap-use-after-free"));
    fails_alone_for(&page.run("--tool efence"), &["command-failed"]);
    page.make("clang-19");
    page.make("clang-19");
    page.run("--tool msan").passes();
    let msan = page.run("DEFECT=uninit");
    assert_eq!(
        (msan.status, msan.findings()[0]),
        (1, ("msan", "use-of-uninitialized-value")),
        "{}",
        msan.out
    );
    page.ends();
}

#[test]
#[ignore = "needs real checkers"]
fn a_runtime_has_budgets_for_its_checkpoints() {
    if !has(&["gcc"]) {
        return;
    }
    let mut page = Page::open("tracing");
    page.make("gcc");
    page.run("leakgate run --tool asan").passes();
    fails_alone_for(&page.run("KEPT_ROWS=3"), &["over-limit"]);
    let pages = page.run("KEPT_PAGES=1");
    fails_alone_for(&pages, &["unexpected-finding"]);
    assert!(
        pages
            .findings()
            .iter()
            .all(|(tool, _)| *tool == "custom:runtime-trace"),
        "{}",
        pages.out
    );
    let leak = page.run("LEAK=1");
    fails_alone_for(&leak, &["unexpected-finding"]);
    assert!(
        leak.findings().contains(&("lsan", "leak-definite")),
        "{}",
        leak.out
    );
    page.ends();
}

#[test]
#[ignore = "needs real checkers"]
fn a_canary_that_does_not_come_back_fails() {
    if !has(&["valgrind", "gcc", "g++", "clang-19", "cargo"]) {
        return;
    }
    let canary = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../canary")
        .canonicalize()
        .unwrap();
    let mut page = Page::open("canary");
    fs::copy(
        canary.join("leakgate_canary.h"),
        page.project().join("leakgate_canary.h"),
    )
    .unwrap();
    // The crate as it is here, not as it was published.
    let manifest = page.project().join("Cargo.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    let (published, here) = (
        "\"0.1.0\"\n\n[workspace]",
        format!("{{ path = \"{}\" }}\n\n[workspace]", canary.display()),
    );
    assert!(text.contains(published), "{text}");
    fs::write(&manifest, text.replace(published, &here)).unwrap();
    // The README of the canary and the page have one rule.
    let rule = fs::read_to_string(page.project().join("leakgate.toml")).unwrap();
    assert!(
        fs::read_to_string(canary.join("README.md"))
            .unwrap()
            .contains(&rule),
        "{rule}"
    );

    page.make("gcc");
    page.run("--tool asan").passes();
    let hidden = page.run("hides-all.txt");
    fails_alone_for(&hidden, &["expectation-missed"]);
    page.make("-DNO_CANARY");
    fails_alone_for(&page.run("--tool asan"), &["expectation-missed"]);
    page.make("clang-19");
    page.run(LSAN).passes();
    page.make("g++");
    page.run("--tool memcheck").passes();
    page.run(LSAN).passes();
    page.run("--release").passes();
    fails_alone_for(&page.run("NO_CANARY=1"), &["expectation-missed"]);
    page.ends();
}
