//! What was read, and how it is judged.

use std::rc::Rc;

use leakgate_core::emit::changes_since;
use leakgate_core::{
    Date, Document, Mistake, NoWorkspace, Parsed, Source, Verdict, judge, judge_legs, triage,
};
use wasm_bindgen::JsError;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::boundary;
use crate::judged::Judged;
use crate::mistakes;
use crate::options::{Options, Settings};

/// What was read. It is kept, so that it can be judged anew when a rule has changed.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Report {
    parsed: Rc<Parsed>,
    sources: Vec<Source>,
    /// What merged runs say of themselves.
    legs: Option<Verdict>,
}

#[wasm_bindgen]
impl Report {
    /// Holds what was read against rules. Mistakes in what people have written are thrown as one
    /// `MistakesError`, which has all of them; options that are none are a `TypeError`.
    pub fn judge(
        &self,
        #[wasm_bindgen(unchecked_optional_param_type = "Options")] options: &JsValue,
    ) -> Result<Judged, JsValue> {
        let options: Options = boundary::read(options, "options")?;
        let today = boundary::today()
            .ok_or_else(|| JsError::new("the host does not know which day it is"))?;
        self.decide(options, today)
            .map_err(|mistakes| mistakes::error(&mistakes))
    }
}

impl Report {
    /// Some logs of which nothing else is known.
    pub(crate) fn new(parsed: Parsed, sources: Vec<Source>) -> Self {
        Self {
            parsed: Rc::new(parsed),
            sources,
            legs: None,
        }
    }

    /// Several runs that were made one.
    pub(crate) fn merged(all: Document, sources: Vec<Source>) -> Self {
        Self {
            legs: Some(all.verdict),
            ..Self::new(all.parsed, sources)
        }
    }

    /// The same without JavaScript: `today` is the day where the options name none.
    pub(crate) fn decide(&self, options: Options, today: Date) -> Result<Judged, Vec<Mistake>> {
        let Settings {
            gate,
            base,
            not_given,
        } = options.settings(today)?;
        let triage = triage(&self.parsed, &gate, &NoWorkspace);
        let verdict = match &self.legs {
            Some(legs) => judge_legs(&self.parsed, &triage, &self.sources, legs, &gate),
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
