//! JSON documents of earlier runs, made one or compared.

use leakgate_core::{Document, Mistake};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::options::File;
use crate::report::Report;
use crate::{boundary, judged, mistakes};

/// Joins the JSON documents of shards or legs of a matrix, each with the name of its leg. All
/// findings can then be held against rules anew.
#[wasm_bindgen]
pub fn merge(
    #[wasm_bindgen(unchecked_param_type = "File[]")] legs: &JsValue,
) -> Result<Report, JsValue> {
    let legs: Vec<File> = boundary::read(legs, "legs")?;
    if legs.is_empty() {
        return Err(boundary::refusal("there is nothing to merge"));
    }
    join(legs).map_err(|mistakes| mistakes::error(&mistakes))
}

/// Compares the JSON documents of two runs: what is new, grown, moved, fixed.
#[wasm_bindgen(unchecked_return_type = "Change[]")]
pub fn compare(before: &str, after: &str) -> Result<JsValue, JsValue> {
    let read =
        |name, text| Document::read(name, text).map_err(|mistake| mistakes::error(&[mistake]));
    let (before, after) = (read("before", before)?, read("after", after)?);
    if let Some(why) = after.unread() {
        return Err(boundary::refusal(&format!(
            "what is gone can't be told from what was not read: {why}"
        )));
    }
    judged::changes(&leakgate_core::compare(&before, &after))
}

fn join(legs: Vec<File>) -> Result<Report, Vec<Mistake>> {
    let mut wrong = Vec::new();
    let mut read = Vec::new();
    for File { name, text } in legs {
        match Document::read(&name, &text) {
            Ok(document) => read.push((name, document)),
            Err(mistake) => wrong.push(mistake),
        }
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let (all, sources) = leakgate_core::merge(read);
    Ok(Report::merged(all, sources))
}

#[cfg(test)]
mod tests {
    use leakgate_core::Date;
    use leakgate_core::emit::{self, Format, Style};

    use super::*;
    use crate::options::Options;
    use crate::session::Session;

    const TODAY: Date = Date::constant(2026, 6, 1);

    fn document(log: &[u8]) -> String {
        let mut session = Session::default();
        session.feed(log);
        emit::document(
            &session
                .finish()
                .decide(Options::default(), TODAY)
                .unwrap()
                .run(),
            Format::Json,
            &Style::default(),
        )
    }

    fn leg(name: &str, text: String) -> File {
        File {
            name: name.to_owned(),
            text,
        }
    }

    #[test]
    fn a_leg_that_proves_nothing_fails_all() {
        let clean = document(b"==7== Memcheck, a memory error detector\n==7== Command: ./x\n==7== \n==7== HEAP SUMMARY:\n\
            ==7==     in use at exit: 0 bytes in 0 blocks\n==7==   total heap usage: 1 allocs, 1 frees, 40 bytes allocated\n==7== \n\
            ==7== All heap blocks were freed -- no leaks are possible\n==7== \n\
            ==7== ERROR SUMMARY: 0 errors from 0 contexts (suppressed: 0 from 0)\n");
        let silent = document(b"nothing\n");
        let outcome = |legs| {
            join(legs)
                .unwrap()
                .decide(Options::default(), TODAY)
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
        let wrong = join(vec![
            leg("a", "{".into()),
            leg("b", clean.clone()),
            leg("c", "[]".into()),
        ])
        .unwrap_err();
        assert_eq!(
            wrong.iter().map(|m| m.file.as_str()).collect::<Vec<_>>(),
            ["a", "c"]
        );
        assert!(Document::read("", &silent).unwrap().unread().is_some());
        assert!(Document::read("", &clean).unwrap().unread().is_none());
    }
}
