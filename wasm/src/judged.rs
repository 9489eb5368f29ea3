//! Logs that were judged, and what can be said of them.

use std::rc::Rc;

use leakgate_core::emit::{self, Format, Run, Style};
use leakgate_core::{
    Change, Date, Gate, Language, NoWorkspace, Parsed, Triage, Verdict, Wording, suppress,
};
use serde::Deserialize;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::boundary;

/// Logs that were held against rules.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Judged {
    pub(crate) parsed: Rc<Parsed>,
    pub(crate) gate: Gate,
    pub(crate) triage: Triage,
    pub(crate) verdict: Verdict,
    pub(crate) changes: Option<Vec<Change>>,
    pub(crate) not_given: Vec<String>,
}

/// How a document is laid out: `Layout` of `types.d.ts`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
struct Layout {
    category: Option<String>,
    max_characters: Option<usize>,
    show_accepted: bool,
}

/// What a rule says beside what it matches: `Wording` of `types.d.ts`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawWording {
    reason: Option<String>,
    status: Option<String>,
    owner: Option<String>,
    investigation: Option<String>,
    added: Option<String>,
    expires: Option<String>,
}

#[wasm_bindgen]
impl Judged {
    /// How it ended. Only `pass` proves that nothing is wrong.
    #[wasm_bindgen(getter, unchecked_return_type = "Outcome")]
    pub fn outcome(&self) -> String {
        self.verdict.outcome.as_str().to_owned()
    }

    /// The suppression files and the baseline that the configuration names and the options did not
    /// hold. What they would have accepted fails.
    #[wasm_bindgen(getter, js_name = notGiven)]
    pub fn not_given(&self) -> Vec<String> {
        self.not_given.clone()
    }

    /// What has changed since the earlier run, where the options held one: the new findings first.
    #[wasm_bindgen(getter, unchecked_return_type = "Change[] | undefined")]
    pub fn changes(&self) -> Result<JsValue, JsValue> {
        self.changes
            .as_deref()
            .map_or(Ok(JsValue::UNDEFINED), changes)
    }

    /// Writes a document: the same text that `leakgate check --format` gives for these logs outside
    /// a repository.
    pub fn document(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Format")] format: &str,
        #[wasm_bindgen(unchecked_optional_param_type = "Layout")] layout: &JsValue,
    ) -> Result<String, JsValue> {
        let layout: Layout = boundary::read(layout, "layout")?;
        self.laid_out(format, &layout)
            .map_err(|why| boundary::refusal(&why))
    }

    /// The parts of the HTML document, for a page that shows run after run.
    #[wasm_bindgen(unchecked_return_type = "Panes")]
    pub fn panes(&self) -> Result<JsValue, JsValue> {
        let panes = emit::panes(&self.run(), Some(suppress))
            .map_err(|why| boundary::refusal(&why.to_string()))?;
        let parts = [
            ("title", panes.title),
            ("verdict", panes.verdict),
            ("lists", panes.lists),
            ("data", panes.data),
        ];
        boundary::object(parts)
    }

    /// Writes the rule that accepts a finding and all that share its fingerprint, and nothing else:
    /// it was held against what was read. Throws where there is no such finding, or where the
    /// language can't say it.
    pub fn entry(
        &self,
        fingerprint: &str,
        #[wasm_bindgen(unchecked_param_type = "Language")] language: &str,
        #[wasm_bindgen(unchecked_optional_param_type = "Wording")] wording: &JsValue,
    ) -> Result<String, JsValue> {
        let wording: RawWording = boundary::read(wording, "wording")?;
        self.accepting(fingerprint, language, wording)
            .map_err(|why| boundary::refusal(&why))
    }
}

impl Judged {
    /// What documents tell of. A page has neither a repository nor sources.
    pub(crate) fn run(&self) -> Run<'_> {
        Run {
            parsed: &self.parsed,
            gate: &self.gate,
            triage: &self.triage,
            verdict: &self.verdict,
            workspace: &NoWorkspace,
            sources: &NoWorkspace,
            changes: self.changes.as_deref(),
        }
    }

    fn laid_out(&self, format: &str, layout: &Layout) -> Result<String, String> {
        let format = Format::named(format)?;
        let budget = layout.max_characters.unwrap_or(Style::BUDGET);
        if budget < Style::LEAST {
            return Err(format!(
                "maxCharacters: a document needs {} characters at least",
                Style::LEAST
            ));
        }
        let category = layout.category.as_deref().unwrap_or(Style::CATEGORY);
        let style = Style {
            accepted: layout.show_accepted,
            budget,
            category,
            suppress: Some(suppress),
            ..Style::default()
        };
        Ok(emit::document(&self.run(), format, &style))
    }

    fn accepting(
        &self,
        fingerprint: &str,
        language: &str,
        raw: RawWording,
    ) -> Result<String, String> {
        let known = || {
            Language::ALL
                .iter()
                .map(|l| l.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        };
        let language = *Language::ALL
            .iter()
            .find(|one| one.as_str() == language)
            .ok_or_else(|| {
                format!(
                    "`{language}` is no language of rules; there are {}",
                    known()
                )
            })?;
        let fingerprint = self.triage.find(fingerprint)?;
        let wording = raw.wording(self.gate.rules.iter().map(|rule| rule.id.clone()).collect())?;
        let written = suppress(
            &self.parsed,
            &self.triage,
            &[fingerprint],
            language,
            &wording,
        );
        written.into_iter().next().map_or_else(
            || Err("nothing was written".to_owned()),
            |written| written.text,
        )
    }
}

impl RawWording {
    fn wording(self, taken: Vec<String>) -> Result<Wording, String> {
        let day = |text: Option<String>| -> Result<Option<Date>, String> {
            text.map(|text| {
                text.parse()
                    .map_err(|_| format!("`{text}` is no day; write YYYY-MM-DD"))
            })
            .transpose()
        };
        // A rule without a reason is one that somebody still has to look into.
        let status = self
            .status
            .or_else(|| self.reason.is_none().then(|| "to-fix".to_owned()));
        Ok(Wording {
            reason: self
                .reason
                .unwrap_or_else(|| "not looked into yet".to_owned()),
            status,
            owner: self.owner,
            investigation: self.investigation,
            added: day(self.added)?,
            expires: day(self.expires)?,
            taken,
        })
    }
}

/// Changes as JavaScript gets them.
pub(crate) fn changes(changes: &[Change]) -> Result<JsValue, JsValue> {
    let mut json = String::new();
    // Writing into a string can't fail.
    let _ = emit::changes_as_json(changes, &mut json);
    js_sys::Reflect::get(&boundary::value(&json)?, &"changes".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;
    use crate::report::Report;
    use crate::session::Session;

    const LOG: &[u8] = b"==7==ERROR: LeakSanitizer: detected memory leaks\n\nDirect leak of 4 byte(s) in 1 object(s) allocated from:\n\
        \x20   #0 0x51 in make /src/a.c:3:9\n    #1 0x52 in main /src/a.c:9:9\n\nSUMMARY: LeakSanitizer: 4 byte(s) leaked in 1 allocation(s).\n";

    fn read(log: &[u8], chunk: usize) -> Report {
        let mut session = Session::default();
        session.begin("run.log", None);
        log.chunks(chunk).for_each(|chunk| session.feed(chunk));
        session.finish()
    }

    fn judge(report: &Report, options: &str) -> Judged {
        let options: Options = serde_json::from_str(options).unwrap();
        report.decide(options, Date::constant(2026, 6, 1)).unwrap()
    }

    fn with(key: &str, text: &str) -> String {
        serde_json::to_string(&std::collections::BTreeMap::from([(key, text)])).unwrap()
    }

    #[test]
    fn a_rule_that_was_written_accepts_the_finding_without_reading_again() {
        let report = read(LOG, 7);
        let judged = judge(&report, "{}");
        assert_eq!(judged.outcome(), "fail");
        let fingerprint = judged.triage.items[0].fingerprint.to_string();
        let entry =
            |language| judged.accepting(&fingerprint[..12], language, RawWording::default());
        let toml = entry("toml").unwrap();
        assert!(
            toml.contains("to-fix") && toml.contains("not looked into yet"),
            "{toml}"
        );
        assert_eq!(judge(&report, &with("config", &toml)).outcome(), "pass");
        assert!(entry("lsan").unwrap().contains("leak:"));
        assert!(entry("perl").unwrap_err().contains("toml, valgrind, lsan"));
        assert!(
            judged
                .accepting("lg1-0000000", "toml", RawWording::default())
                .unwrap_err()
                .contains("no finding")
        );
        let wrong = RawWording {
            expires: Some("soon".into()),
            ..RawWording::default()
        };
        assert!(
            judged
                .accepting(&fingerprint, "toml", wrong)
                .unwrap_err()
                .contains("YYYY-MM-DD")
        );
    }

    #[test]
    fn silence_passes_only_where_it_is_said() {
        for report in [read(b"nothing\n", 3), Session::default().finish()] {
            assert_eq!(judge(&report, "{}").outcome(), "fail");
            assert_eq!(judge(&report, r#"{"silence":"pass"}"#).outcome(), "pass");
        }
    }

    #[test]
    fn documents_are_laid_out_as_wished() {
        let judged = judge(&read(LOG, LOG.len()), "{}");
        let write = |format, layout| judged.laid_out(format, &layout);
        for format in Format::ALL {
            assert!(
                !write(format.as_str(), Layout::default())
                    .unwrap()
                    .is_empty(),
                "{format:?}"
            );
        }
        assert!(
            write("jsn", Layout::default())
                .unwrap_err()
                .contains("text, json")
        );
        assert!(
            write(
                "markdown",
                Layout {
                    max_characters: Some(9),
                    ..Layout::default()
                }
            )
            .is_err()
        );
        let sarif = write(
            "sarif",
            Layout {
                category: Some("leg 2".into()),
                ..Layout::default()
            },
        )
        .unwrap();
        assert!(sarif.contains("leg 2"));
    }

    #[test]
    fn an_earlier_run_tells_what_is_new() {
        let clean = judge(&read(b"nothing\n", 9), "{}")
            .laid_out("json", &Layout::default())
            .unwrap();
        let report = read(LOG, 9);
        let judged = judge(&report, &with("base", &clean));
        assert_eq!(judged.changes.as_ref().map(Vec::len), Some(1));
        let same = judged.laid_out("json", &Layout::default()).unwrap();
        assert_eq!(
            judge(&report, &with("base", &same))
                .changes
                .map(|c| c.len()),
            Some(0)
        );
        assert!(judge(&report, "{}").changes.is_none());
    }
}
