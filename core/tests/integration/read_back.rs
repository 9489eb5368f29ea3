//! JSON reports can be parsed again: for every case, the findings, reports and problems are those
//! of the original run.

use leakgate_core::document::{Document, UntrustedDocument, merge};
use leakgate_core::emit::{self, Format, Location, RenderOptions, Run, annotations};
use leakgate_core::{Disposition, Gate, Parsed, Triage, Verdict, Workspace};
use serde_json::Value;

use crate::common;

#[test]
fn documents_are_parsed_back_completely() {
    for case in common::cases() {
        let before = common::judge(&case.files).document(Format::Json);
        let document = Document::read("a.json", &before).unwrap();
        let (all, sources) = merge(vec![("a".to_owned(), document)]);
        let after = common::decide(common::gate(), all.parsed, &sources).document(Format::Json);
        let [before, after]: [Value; 2] =
            [&before, &after].map(|text| serde_json::from_str(text).unwrap());
        for part in ["findings", "reports", "problems"] {
            assert_eq!(before[part], after[part], "{} {part}", case.name);
        }
    }
}

#[test]
fn error_in_a_frame_has_its_position() {
    let mut cases = common::cases().iter();
    let case = cases.find(|case| case.name == "lsan/indirect-clang19");
    let text = common::judge(&case.unwrap().files).document(Format::Json);
    for (valid, invalid, message) in [
        (
            "\"inlined\":false",
            "\"inlined\":7",
            "invalid type: integer `7`, expected a boolean",
        ),
        (
            "\"index\":1,",
            "\"index\":-1,",
            "invalid value: integer `-1`, expected u32",
        ),
    ] {
        let at = text.rfind(valid).unwrap();
        let end = at + invalid.trim_end_matches(',').len();
        let text = [&text[..at], invalid, &text[at + valid.len()..]].concat();
        let error = Document::read("a.json", &text).unwrap_err();
        assert_eq!(error.message, format!("invalid JSON report: {message}"));
        assert_eq!((error.line, error.column as usize), (1, end));
    }
}

/// A repository that contains every file outside the system folders.
struct Repository;

impl Workspace for Repository {
    fn is_known(&self) -> bool {
        true
    }

    fn resolve(&self, file: &str) -> Option<String> {
        let is_ours =
            !file.starts_with("/usr") && !file.contains("..") && !file.contains(['\\', ':']);
        is_ours.then(|| format!("repo/{}", file.trim_start_matches('/')))
    }
}

fn run<'a>(
    parsed: &'a Parsed,
    triage: &'a Triage,
    verdict: &'a Verdict,
    gate: &'a Gate,
    workspace: &'a dyn Workspace,
) -> Run<'a> {
    Run::new(parsed, gate, triage, verdict).with_workspace(workspace)
}

/// Returns the locations of all annotations, and the number of findings with each disposition.
fn outline(run: &Run<'_>) -> (Vec<Option<Location>>, Vec<u64>) {
    let all = [
        Disposition::Unexpected,
        Disposition::Allowed,
        Disposition::Baseline,
        Disposition::NotGated,
    ];
    let spots = annotations(run)
        .into_iter()
        .filter(|a| !a.details.is_empty())
        .map(|a| a.location)
        .collect();
    (
        spots,
        all.iter()
            .map(|d| run.triage.count(run.parsed, *d).groups)
            .collect(),
    )
}

#[test]
fn claims_of_a_document_are_shown_like_the_run() {
    let gate = common::gate();
    let mut placed = 0;
    for case in common::cases() {
        let (parsed, sources) = common::read(&case.files, |bytes| vec![bytes]);
        let mut triage = leakgate_core::triage::triage(&parsed, &gate, &Repository);
        // As if a rule had matched.
        if let Some(item) = triage.findings.first_mut() {
            item.disposition = Disposition::Allowed;
        }
        let verdict = leakgate_core::verdict::judge(&parsed, &triage, &sources, &gate);
        let original = run(&parsed, &triage, &verdict, &gate, &Repository);
        let text = emit::render(&original, Format::Json, &RenderOptions::default());

        let document = Document::read("a.json", &text).unwrap();
        assert_eq!(document.verdict, verdict, "{}", case.name);
        let claims = UntrustedDocument::new(&document);
        let claimed = claims.triage(&document, &gate);
        let shown = outline(&run(
            &document.parsed,
            &claimed,
            &document.verdict,
            &gate,
            &claims,
        ));
        let (spots, counts) = outline(&original);
        assert_eq!(shown.1, counts, "{}", case.name);
        // Apart from the culprit, a document doesn't contain the repository paths of frames.
        for (shown, spot) in shown.0.iter().zip(&spots) {
            assert!(
                shown.is_none() || shown == spot,
                "{}: {shown:?} {spot:?}",
                case.name
            );
            placed += usize::from(shown.is_some());
        }
    }
    assert!(placed > 300, "{placed}");
}

#[test]
fn claimed_location_outside_of_the_repository_is_dropped() {
    let (parsed, sources) = common::read(&[("log".to_owned(), LEAK)], |bytes| vec![bytes]);
    let gate = common::gate();
    let triage = leakgate_core::triage::triage(&parsed, &gate, &Repository);
    let verdict = leakgate_core::verdict::judge(&parsed, &triage, &sources, &gate);
    let text = emit::render(
        &run(&parsed, &triage, &verdict, &gate, &Repository),
        Format::Json,
        &RenderOptions::default(),
    );
    assert!(text.contains("\"repo/src/a.c\""), "{text}");
    for (file, expected) in [
        ("x/a.c", true),
        ("../a.c", false),
        ("/etc/a.c", false),
        (".git/a.c", false),
        ("x\\\\a.c", false),
    ] {
        let hostile = text.replace("\"repo/src/a.c\"", &format!("\"{file}\""));
        let document = Document::read("a.json", &hostile).unwrap();
        let claims = UntrustedDocument::new(&document);
        let claimed = claims.triage(&document, &gate);
        let shown = outline(&run(
            &document.parsed,
            &claimed,
            &document.verdict,
            &gate,
            &claims,
        ))
        .0;
        assert_eq!(shown[0].is_some(), expected, "{file}");
    }
}

#[test]
fn documents_beyond_the_limits_are_rejected() {
    let (parsed, sources) = common::read(&[("log".to_owned(), LEAK)], |bytes| vec![bytes]);
    let text = common::decide(common::gate(), parsed, &sources).document(Format::Json);
    let document: Value = serde_json::from_str(&text).unwrap();
    assert!(Document::read("a.json", &text).is_ok());
    let many = |pointer: &str, count: usize, one: Value| {
        let mut hostile = document.clone();
        *hostile.pointer_mut(pointer).unwrap() = vec![one; count].into();
        Document::read("a.json", &hostile.to_string())
            .unwrap_err()
            .to_string()
    };
    let frame = document
        .pointer("/findings/0/stacks/0/frames/0")
        .unwrap()
        .clone();
    let stack = document.pointer("/findings/0/stacks/0").unwrap().clone();
    let reason = document.pointer("/verdict/reasons/0").unwrap().clone();
    for (pointer, count, one, expected) in [
        ("/verdict/reasons", 1001, reason, "1000 reasons"),
        ("/findings/0/stacks", 65, stack, "64 stacks"),
        (
            "/findings/0/stacks/0/frames",
            513,
            frame,
            "512 frames in a stack",
        ),
        ("/findings/0/notes", 4097, "n".into(), "4096 notes"),
    ] {
        let message = many(pointer, count, one);
        assert!(message.contains(expected), "{message}");
    }
}

const LEAK: &[u8] = b"==7==ERROR: LeakSanitizer: detected memory leaks\n
Direct leak of 4 byte(s) in 1 object(s) allocated from:
    #0 0x51 in make /src/a.c:3:9\n
SUMMARY: LeakSanitizer: 4 byte(s) leaked in 1 allocation(s).\n";
