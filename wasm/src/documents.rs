//! Merges and compares the JSON reports of earlier runs.

use leakgate_core::diagnostic::Diagnostic;
use leakgate_core::document::{Document, DocumentReader};
use leakgate_core::full;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::options::File;
use crate::report::Report;
use crate::{boundary, diagnostics, judged};

/// Merges the JSON reports of shards or matrix jobs, each named after its job. The merged report
/// can be judged with other rules.
#[wasm_bindgen]
pub fn merge(
    #[wasm_bindgen(unchecked_param_type = "File[]")] legs: &JsValue,
) -> Result<Report, JsValue> {
    full::require();
    let legs: Vec<File> = boundary::from_js(legs, "legs")?;
    if legs.is_empty() {
        return Err(boundary::js_error("nothing to merge"));
    }
    merge_legs(legs).map_err(|errors| diagnostics::js_error(&errors))
}

/// Compares the JSON reports of two runs: lists new, grown, moved and fixed findings.
#[wasm_bindgen(unchecked_return_type = "Change[]")]
pub fn compare(before: &str, after: &str) -> Result<JsValue, JsValue> {
    full::require();
    let before = read("before", before)?;
    let after = read("after", after)?;
    if let Some(cause) = after.incomplete_reason() {
        return Err(boundary::js_error(&format!(
            "cannot distinguish fixed findings from unread ones: {cause}"
        )));
    }
    judged::changes(&leakgate_core::compare::compare(&before, &after))
}

fn read(name: &str, text: &str) -> Result<Document, JsValue> {
    Document::read(name, text).map_err(|error| diagnostics::js_error(&[error]))
}

/// Merges legs, or returns the errors of all legs.
fn merge_legs(legs: Vec<File>) -> Result<Report, Vec<Diagnostic>> {
    let mut errors = Vec::new();
    let mut documents = Vec::new();
    let mut reader = DocumentReader::default();
    for File { name, text } in legs {
        match reader.read(&name, &text) {
            Ok(document) => documents.push((name, document)),
            Err(error) => errors.push(error),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let (merged, sources) = leakgate_core::document::merge(documents);
    Ok(Report::merged(merged, sources))
}

#[cfg(test)]
mod tests {
    use leakgate_core::Date;
    use leakgate_core::emit::{self, Format, RenderOptions};

    use super::*;
    use crate::options::Options;
    use crate::session::Session;

    const TODAY: Date = Date::constant(2026, 6, 1);

    fn document(log: &[u8]) -> String {
        let mut session = Session::default();
        session.feed(log);
        emit::render(
            &session
                .finish()
                .judge_on(Options::default(), TODAY)
                .unwrap()
                .run(),
            Format::Json,
            &RenderOptions::default(),
        )
    }

    fn leg(name: &str, text: String) -> File {
        File {
            name: name.to_owned(),
            text,
        }
    }

    #[test]
    fn merge_fails_if_a_leg_has_no_checker_output() {
        let clean = document(
            b"==7== Memcheck, a memory error detector\n==7== Command: ./x\n==7== \n\
            ==7== HEAP SUMMARY:\n==7==     in use at exit: 0 bytes in 0 blocks\n\
            ==7==   total heap usage: 1 allocs, 1 frees, 40 bytes allocated\n==7== \n\
            ==7== All heap blocks were freed -- no leaks are possible\n==7== \n\
            ==7== ERROR SUMMARY: 0 errors from 0 contexts (suppressed: 0 from 0)\n",
        );
        let silent = document(b"nothing\n");
        let outcome = |legs| {
            merge_legs(legs)
                .unwrap()
                .judge_on(Options::default(), TODAY)
                .unwrap()
                .outcome()
        };
        assert_eq!(
            outcome(vec![leg("a", clean.clone()), leg("b", clean.clone())]),
            "pass"
        );
        assert_eq!(
            outcome(vec![leg("a", clean.clone()), leg("b", silent.clone())]),
            "fail"
        );
        let errors = merge_legs(vec![
            leg("a", "{".into()),
            leg("b", clean.clone()),
            leg("c", "[]".into()),
        ])
        .unwrap_err();
        assert_eq!(
            errors.iter().map(|m| m.file.as_str()).collect::<Vec<_>>(),
            ["a", "c"]
        );
        assert!(
            Document::read("", &silent)
                .unwrap()
                .incomplete_reason()
                .is_some()
        );
        assert!(
            Document::read("", &clean)
                .unwrap()
                .incomplete_reason()
                .is_none()
        );
    }
}
