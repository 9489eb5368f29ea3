//! Merged JSON reports whose statements their own data doesn't bear out: a failed run stays failed,
//! and an incomplete one isn't evidence.

use leakgate_core::document::{Document, merge};
use leakgate_core::emit::Format;
use leakgate_core::verdict::judge_merged;
use leakgate_core::{NoWorkspace, Outcome};
use serde_json::{Value, json};

use crate::common;

/// Returns the JSON report of a case.
fn report(case: &str) -> Value {
    let text = common::judge(&common::case(case).files).document(Format::Json);
    serde_json::from_str(&text).unwrap()
}

/// Merges one report. Returns the codes of the reasons, or the message if the report is refused.
fn merged(report: &Value) -> Result<(Outcome, Vec<&'static str>), String> {
    let document = Document::read("run.json", &report.to_string()).map_err(|e| e.message)?;
    let (all, sources) = merge(vec![("leg".to_owned(), document)]);
    let gate = common::gate();
    let triage = leakgate_core::triage::triage(&all.parsed, &gate, &NoWorkspace);
    let unexpected = all.unexpected();
    let verdict = judge_merged(
        &all.parsed,
        &triage,
        &sources,
        &all.verdict,
        &unexpected,
        &gate,
    );
    let codes = verdict.reasons.iter().map(|reason| reason.code.as_str());
    Ok((verdict.outcome, codes.collect()))
}

/// Returns the report with another value at a place.
fn with(report: &Value, place: &str, value: Value) -> Value {
    let mut report = report.clone();
    *report.pointer_mut(place).expect(place) = value;
    report
}

#[test]
fn failed_run_stays_failed_without_an_explanation() {
    let clean = report("memcheck/clean");
    assert_eq!(merged(&clean), Ok((Outcome::Pass, vec![])));
    let failed = with(&clean, "/verdict/outcome", "fail".into());
    assert_eq!(merged(&failed), Ok((Outcome::Fail, vec!["command-failed"])));
    for code in [
        "unexpected-finding",
        "truncated-report",
        "unreconciled-report",
        "expectation-missed",
        "tool-suppressed",
    ] {
        let reasons = json!([{"code": code, "count": 1, "message": "a reason"}]);
        let failed = with(&failed, "/verdict/reasons", reasons);
        assert_eq!(merged(&failed), Ok((Outcome::Fail, vec![code])));
    }
}

#[test]
fn incomplete_report_without_a_problem_fails() {
    let clean = report("memcheck/clean");
    for (place, value, code) in [
        ("/reports/0/complete", json!(false), "truncated-report"),
        ("/reports/0/capped", json!(true), "unseen-findings"),
        ("/reports/0/stated/errors", json!(5), "unreconciled-report"),
        ("/reports", json!([]), "no-evidence"),
    ] {
        let changed = with(&clean, place, value);
        assert_eq!(merged(&changed), Ok((Outcome::Fail, vec![code])), "{place}");
    }
}

#[test]
fn kind_and_severity_must_fit_the_finding() {
    let leak = report("memcheck/definite");
    assert_eq!(
        merged(&leak),
        Ok((Outcome::Fail, vec!["unexpected-finding"]))
    );
    for (place, value) in [
        ("/findings/0/kind", "fd-inherited"),
        ("/findings/0/kind", "invalid-read"),
        ("/findings/0/severity", "note"),
        ("/findings/0/disposition", "allowed"),
        (
            "/findings/0/fingerprint",
            "lg2-00000000000000000000000000000000",
        ),
        (
            "/findings/0/fingerprint",
            "lg9-00000000000000000000000000000000",
        ),
    ] {
        let changed = with(&leak, place, value.into());
        assert!(merged(&changed).is_err(), "{place} {value}");
    }
    // The finding failed the run, so a policy that ignores its kind doesn't accept it.
    let reachable = with(&leak, "/findings/0/kind", "leak-reachable".into());
    assert_eq!(
        merged(&reachable),
        Ok((Outcome::Fail, vec!["unexpected-finding"]))
    );
}

#[test]
fn merging_one_report_keeps_its_outcome() {
    for case in common::cases() {
        let judged = common::judge(&case.files);
        let report = serde_json::from_str(&judged.document(Format::Json)).unwrap();
        let (outcome, codes) = merged(&report).unwrap();
        assert_eq!(outcome, judged.verdict.outcome, "{} {codes:?}", case.name);
    }
}
