//! Errors about JSON files of the wrong kind, recognized by their `schema` field.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};

use serde::Deserialize;

use crate::diagnostic::Diagnostic;

#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow, default)]
    schema: Option<Cow<'a, str>>,
}

/// A kind of JSON file that leakgate reads.
pub(crate) struct JsonKind {
    /// Name and version of the format: the value of `schema`.
    pub(crate) schema: &'static str,
    /// What the file is called in messages.
    pub(crate) noun: &'static str,
    /// How to write such a file.
    pub(crate) help: &'static str,
}

impl JsonKind {
    /// Returns the error for a text that can't be parsed as this kind: another kind of file, or
    /// else `error`.
    pub(crate) fn parse_error(
        &self,
        file: &str,
        text: &str,
        error: &serde_json::Error,
    ) -> Diagnostic {
        let schema = match serde_json::from_str::<Header<'_>>(text) {
            Ok(header) => header.schema.unwrap_or_default(),
            Err(error) if error.is_data() => Cow::default(),
            Err(_) => return Diagnostic::from_json(file, text, self.noun, error),
        };
        if schema == self.schema {
            return Diagnostic::from_json(file, text, self.noun, error);
        }
        self.schema_error(file, &schema)
    }

    /// Returns the error for a file with another schema. `schema` is empty if it has none.
    pub(crate) fn schema_error(&self, file: &str, schema: &str) -> Diagnostic {
        let name = |schema: &str| schema.split('/').next().unwrap_or_default().to_string();
        let noun = self.noun;
        let message = match name(schema).as_str() {
            known if known == name(self.schema) => {
                format!("unsupported schema `{schema}`; expected `{}`", self.schema)
            }
            "leakgate" => format!("this is a JSON report, not a {noun}"),
            "leakgate-baseline" => format!("this is a baseline, not a {noun}"),
            "leakgate-grow" => format!("this is a report of `leakgate grow`, not a {noun}"),
            "leakgate-diff" => format!("this is a comparison of two runs, not a {noun}"),
            _ => format!("not a leakgate {noun}"),
        };
        Diagnostic::at_line(file, "", 0, message).with_help(Some(String::from(self.help)))
    }
}
