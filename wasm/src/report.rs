//! Parsed logs, ready to be judged.

use std::rc::Rc;

use leakgate_core::diagnostic::Diagnostic;
use leakgate_core::document::Document;
use leakgate_core::emit::changes_since;
use leakgate_core::triage::triage;
use leakgate_core::verdict::{Source, judge, judge_merged};
use leakgate_core::{Date, NoWorkspace, Parsed, Verdict};
use wasm_bindgen::JsError;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::boundary;
use crate::diagnostics;
use crate::judged::Judged;
use crate::options::{Options, Settings};

/// Parsed logs. They can be judged again after a rule has changed, without parsing again.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Report {
    parsed: Rc<Parsed>,
    sources: Vec<Source>,
    /// Verdict of the legs, if the report is merged.
    legs: Option<Verdict>,
    /// For each finding, whether a leg failed because of it. Empty if the report isn't merged.
    unexpected: Vec<bool>,
}

#[wasm_bindgen]
impl Report {
    /// Judges the report by rules. Errors in files and options are thrown together, as a
    /// `MistakesError`; unknown options are a `TypeError`.
    pub fn judge(
        &self,
        #[wasm_bindgen(unchecked_optional_param_type = "Options")] options: &JsValue,
    ) -> Result<Judged, JsValue> {
        let options: Options = boundary::from_js(options, "options")?;
        let today =
            boundary::today().ok_or_else(|| JsError::new("cannot determine the current date"))?;
        self.judge_on(options, today)
            .map_err(|errors| diagnostics::js_error(&errors))
    }
}

impl Report {
    /// Creates a report of logs.
    pub(crate) fn new(parsed: Parsed, sources: Vec<Source>) -> Self {
        Self {
            parsed: Rc::new(parsed),
            sources,
            legs: None,
            unexpected: Vec::new(),
        }
    }

    /// Creates a report of merged runs.
    pub(crate) fn merged(merged: Document, sources: Vec<Source>) -> Self {
        Self {
            unexpected: merged.unexpected(),
            legs: Some(merged.verdict),
            ..Self::new(merged.parsed, sources)
        }
    }

    /// Judges the report, without JavaScript values. `today` applies if the options have no date.
    pub(crate) fn judge_on(
        &self,
        options: Options,
        today: Date,
    ) -> Result<Judged, Vec<Diagnostic>> {
        let Settings {
            gate,
            base,
            not_given,
        } = options.settings(today)?;
        let triage = triage(&self.parsed, &gate, &NoWorkspace);
        let verdict = match &self.legs {
            Some(legs) => judge_merged(
                &self.parsed,
                &triage,
                &self.sources,
                legs,
                &self.unexpected,
                &gate,
            ),
            None => judge(&self.parsed, &triage, &self.sources, &gate),
        };
        let mut judged = Judged {
            parsed: Rc::clone(&self.parsed),
            gate,
            triage,
            verdict,
            changes: None,
            not_given,
        };
        judged.changes = base.map(|base| changes_since(&base, &judged.run()));
        Ok(judged)
    }
}
