//! Converts diagnostics about files and options to JavaScript errors.

use js_sys::{Error, JSON, Reflect};
use leakgate_core::diagnostic::Diagnostic;
use serde::Serialize;
use wasm_bindgen::prelude::JsValue;

/// `Mistake` in `types.d.ts`.
#[derive(Serialize)]
struct JsMistake<'a> {
    file: &'a str,
    line: u32,
    column: u32,
    length: u32,
    source: &'a str,
    message: &'a str,
    help: Option<&'a str>,
}

impl<'a> From<&'a Diagnostic> for JsMistake<'a> {
    fn from(diagnostic: &'a Diagnostic) -> Self {
        let Diagnostic {
            file,
            line,
            column,
            length,
            source,
            message,
            help,
        } = diagnostic;
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

/// Returns a diagnostic about an option that isn't a file.
pub(crate) fn about_option(option: &str, message: String, help: Option<String>) -> Diagnostic {
    Diagnostic {
        file: option.to_owned(),
        line: 0,
        column: 0,
        length: 0,
        source: String::new(),
        message,
        help,
    }
}

/// Serializes diagnostics as a JSON array.
fn to_json(diagnostics: &[Diagnostic]) -> String {
    let list: Vec<JsMistake<'_>> = diagnostics.iter().map(JsMistake::from).collect();
    serde_json::to_string(&list).unwrap_or_default()
}

/// Returns a `MistakesError`: its message lists all diagnostics as text, and its `mistakes`
/// property has them as objects.
pub(crate) fn js_error(diagnostics: &[Diagnostic]) -> JsValue {
    let text: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
    let error = Error::new(&text.join("\n"));
    error.set_name("MistakesError");
    // Neither can fail: the text is valid JSON, and the object is new.
    let list = JSON::parse(&to_json(diagnostics)).unwrap_or_default();
    let _ = Reflect::set(&error, &"mistakes".into(), &list);
    error.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_contains_position_and_help() {
        let json = to_json(
            &leakgate_core::Config::read("leakgate.toml", "[gate]\nsilnce = 1\n").unwrap_err(),
        );
        let want = concat!(
            r#"[{"file":"leakgate.toml","line":2,"column":1,"length":6,"#,
            r#""source":"silnce = 1","message":"#
        );
        assert!(
            json.starts_with(want) && json.contains(r#""help":"did you mean `silence`?"}]"#),
            "{json}"
        );
    }
}
