//! Mistakes in what people have written, as JavaScript gets them.

use js_sys::{Error, JSON, Reflect};
use leakgate_core::Mistake;
use serde::Serialize;
use wasm_bindgen::prelude::JsValue;

/// What `types.d.ts` calls `Mistake`.
#[derive(Serialize)]
struct Told<'a> {
    file: &'a str,
    line: u32,
    column: u32,
    length: u32,
    source: &'a str,
    message: &'a str,
    help: Option<&'a str>,
}

impl<'a> From<&'a Mistake> for Told<'a> {
    fn from(mistake: &'a Mistake) -> Self {
        let Mistake {
            file,
            line,
            column,
            length,
            source,
            message,
            help,
        } = mistake;
        Self {
            file,
            line: *line,
            column: *column,
            length: *length,
            source,
            message,
            help: help.as_deref(),
        }
    }
}

/// A mistake in an option that is no file.
pub(crate) fn about(option: &str, message: String, help: Option<String>) -> Mistake {
    Mistake {
        file: option.to_owned(),
        line: 0,
        column: 0,
        length: 0,
        source: String::new(),
        message,
        help,
    }
}

/// All mistakes as JSON.
fn json(mistakes: &[Mistake]) -> String {
    let told: Vec<Told<'_>> = mistakes.iter().map(Told::from).collect();
    serde_json::to_string(&told).unwrap_or_default()
}

/// An error whose text has all of them for people, and whose `mistakes` have them for programs.
pub(crate) fn error(mistakes: &[Mistake]) -> JsValue {
    let text: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    let error = Error::new(&text.join("\n"));
    error.set_name("MistakesError");
    // Neither can fail: the text is JSON, and the object is new.
    let list = JSON::parse(&json(mistakes)).unwrap_or_default();
    let _ = Reflect::set(&error, &"mistakes".into(), &list);
    error.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_has_its_place() {
        let told = json(
            &leakgate_core::Config::read("leakgate.toml", "[gate]\nsilnce = 1\n").unwrap_err(),
        );
        let want = r#"[{"file":"leakgate.toml","line":2,"column":1,"length":6,"source":"silnce = 1","message":"#;
        assert!(
            told.starts_with(want) && told.contains(r#""help":"did you mean `silence`?"}]"#),
            "{told}"
        );
    }
}
