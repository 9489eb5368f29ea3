//! Judged reports: outcome, formatted reports, changes and generated rules.

use std::rc::Rc;

use leakgate_core::compare::Change;
use leakgate_core::emit::{self, Format, RenderOptions, Run};
use leakgate_core::error::UnknownName;
use leakgate_core::full;
use leakgate_core::rules::RuleMetadata;
use leakgate_core::suppress::{RuleOptions, RuleSyntax, suppress};
use leakgate_core::{Date, Gate, Parsed, Triage, Verdict};
use serde::Deserialize;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::boundary;

/// A report judged by rules.
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

/// Formatting options: `Layout` in `types.d.ts`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
struct Layout {
    category: Option<String>,
    max_characters: Option<usize>,
    show_accepted: bool,
}

/// Raw metadata of a generated rule: `Wording` in `types.d.ts`.
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
    /// The outcome. Only `pass` proves that nothing is wrong.
    #[wasm_bindgen(getter, unchecked_return_type = "Outcome")]
    pub fn outcome(&self) -> String {
        self.verdict.outcome.as_str().to_owned()
    }

    /// Suppression files and the baseline that the configuration names but the options don't
    /// contain. Findings that they would have accepted fail.
    #[wasm_bindgen(getter, js_name = notGiven)]
    pub fn not_given(&self) -> Vec<String> {
        self.not_given.clone()
    }

    /// Changes since the base run, new findings first. `undefined` if the options have no base.
    #[wasm_bindgen(getter, unchecked_return_type = "Change[] | undefined")]
    pub fn changes(&self) -> Result<JsValue, JsValue> {
        self.changes
            .as_deref()
            .map_or(Ok(JsValue::UNDEFINED), changes)
    }

    /// Returns a report: the same text that `leakgate check --format` writes for these logs outside
    /// a repository.
    pub fn document(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Format")] format: &str,
        #[wasm_bindgen(unchecked_optional_param_type = "Layout")] layout: &JsValue,
    ) -> Result<String, JsValue> {
        full::require();
        let layout: Layout = boundary::from_js(layout, "layout")?;
        self.format_report(format, &layout)
            .map_err(|message| boundary::js_error(&message))
    }

    /// Returns the parts of the HTML report, for a page that shows several runs in turn.
    #[wasm_bindgen(unchecked_return_type = "Panes")]
    pub fn panes(&self) -> Result<JsValue, JsValue> {
        // `entry` generates a rule when the user asks for it.
        let panes = emit::panes(&self.run(), &RenderOptions::default())
            .map_err(|error| boundary::js_error(&error.to_string()))?;
        let parts = [
            ("title", panes.title),
            ("verdict", panes.verdict),
            ("lists", panes.lists),
            ("data", panes.data),
        ];
        boundary::string_object(parts)
    }

    /// Returns a rule that accepts only the finding and others with its fingerprint, as verified
    /// against the parsed data. Throws if the finding doesn't exist or the syntax cannot express
    /// the rule.
    pub fn entry(
        &self,
        fingerprint: &str,
        #[wasm_bindgen(unchecked_param_type = "Language")] language: &str,
        #[wasm_bindgen(unchecked_optional_param_type = "Wording")] wording: &JsValue,
    ) -> Result<String, JsValue> {
        full::require();
        let wording: RawWording = boundary::from_js(wording, "wording")?;
        self.generate_rule(fingerprint, language, wording)
            .map_err(|message| boundary::js_error(&message))
    }
}

impl Judged {
    /// Returns the run to report. It has neither a repository nor sources.
    pub(crate) fn run(&self) -> Run<'_> {
        Run::new(&self.parsed, &self.gate, &self.triage, &self.verdict)
            .with_changes(self.changes.as_deref())
    }

    /// Formats a report, without JavaScript values.
    fn format_report(&self, format: &str, layout: &Layout) -> Result<String, String> {
        let format: Format = format.parse().map_err(described)?;
        let max_characters = layout
            .max_characters
            .unwrap_or(RenderOptions::DEFAULT_MAX_CHARACTERS);
        if max_characters < RenderOptions::MIN_CHARACTERS {
            return Err(format!(
                "invalid `maxCharacters`: expected at least {}",
                RenderOptions::MIN_CHARACTERS
            ));
        }
        let category = layout
            .category
            .as_deref()
            .unwrap_or(RenderOptions::DEFAULT_CATEGORY);
        let style = RenderOptions {
            show_accepted: layout.show_accepted,
            max_characters,
            category,
            suggest_rules: true,
            ..RenderOptions::default()
        };
        Ok(emit::render(&self.run(), format, &style))
    }

    /// Generates a rule, without JavaScript values.
    fn generate_rule(
        &self,
        fingerprint: &str,
        language: &str,
        raw: RawWording,
    ) -> Result<String, String> {
        let syntax: RuleSyntax = language.parse().map_err(described)?;
        let fingerprint = self
            .triage
            .find(fingerprint)
            .map_err(|error| error.to_string())?
            .to_string();
        let taken = self.gate.rules.iter().map(|rule| rule.id.clone()).collect();
        let options = raw.into_options(taken)?;
        let rules = suppress(&self.parsed, &self.triage, &[fingerprint], syntax, &options);
        let rule = rules
            .into_iter()
            .next()
            .ok_or_else(|| "no rule was generated".to_owned())?;
        rule.text.map_err(|error| error.to_string())
    }
}

impl RawWording {
    /// Converts the raw values. Generated ids differ from the `taken` ones.
    fn into_options(self, taken: Vec<String>) -> Result<RuleOptions, String> {
        // A rule without a reason still has to be investigated.
        let status = self
            .status
            .or_else(|| self.reason.is_none().then(|| "to-fix".to_owned()));
        let reason = self
            .reason
            .unwrap_or_else(|| "not looked into yet".to_owned());
        Ok(RuleOptions {
            metadata: RuleMetadata {
                status,
                owner: self.owner,
                investigation: self.investigation,
                added: self.added.map(parse_date).transpose()?,
                ..RuleMetadata::new(reason)
            },
            expires: self.expires.map(parse_date).transpose()?,
            taken,
            limits: None,
        })
    }
}

/// Describes an unknown name in one line.
fn described(error: UnknownName) -> String {
    format!("{error}; {}", error.help())
}

/// Parses a date of a rule.
fn parse_date(text: String) -> Result<Date, String> {
    text.parse()
        .map_err(|_| format!("invalid date `{text}`; expected YYYY-MM-DD"))
}

/// Converts changes to a JavaScript array.
pub(crate) fn changes(changes: &[Change]) -> Result<JsValue, JsValue> {
    let mut json = String::new();
    // Writing to a string cannot fail.
    let _ = emit::changes_as_json(changes, &mut json);
    js_sys::Reflect::get(&boundary::json_to_js(&json)?, &"changes".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LEAK_LOG;
    use crate::options::Options;
    use crate::report::Report;
    use crate::session::Session;

    fn parse(log: &[u8], chunk: usize) -> Report {
        let mut session = Session::default();
        session.begin("run.log", None);
        log.chunks(chunk).for_each(|chunk| session.feed(chunk));
        session.finish()
    }

    fn judge(report: &Report, options: &str) -> Judged {
        let options: Options = serde_json::from_str(options).unwrap();
        report
            .judge_on(options, Date::constant(2026, 6, 1))
            .unwrap()
    }

    fn options_with(key: &str, text: &str) -> String {
        serde_json::to_string(&std::collections::BTreeMap::from([(key, text)])).unwrap()
    }

    #[test]
    fn generated_rule_accepts_finding_without_reparsing() {
        let report = parse(LEAK_LOG, 7);
        let judged = judge(&report, "{}");
        assert_eq!(judged.outcome(), "fail");
        let fingerprint = judged.triage.findings[0].fingerprint.to_string();
        let entry =
            |language| judged.generate_rule(&fingerprint[..12], language, RawWording::default());
        let toml = entry("toml").unwrap();
        assert!(
            toml.contains("to-fix") && toml.contains("not looked into yet"),
            "{toml}"
        );
        assert_eq!(
            judge(&report, &options_with("config", &toml)).outcome(),
            "pass"
        );
        assert!(entry("lsan").unwrap().contains("leak:"));
        assert!(entry("perl").unwrap_err().contains("toml, valgrind, lsan"));
        assert!(
            judged
                .generate_rule("lg2-0000000", "toml", RawWording::default())
                .unwrap_err()
                .contains("no finding")
        );
        let invalid_date = RawWording {
            expires: Some("soon".into()),
            ..RawWording::default()
        };
        assert!(
            judged
                .generate_rule(&fingerprint, "toml", invalid_date)
                .unwrap_err()
                .contains("YYYY-MM-DD")
        );
    }

    #[test]
    fn silence_passes_only_if_configured() {
        for report in [parse(b"nothing\n", 3), Session::default().finish()] {
            assert_eq!(judge(&report, "{}").outcome(), "fail");
            assert_eq!(judge(&report, r#"{"silence":"pass"}"#).outcome(), "pass");
        }
    }

    #[test]
    fn layout_is_applied() {
        let judged = judge(&parse(LEAK_LOG, LEAK_LOG.len()), "{}");
        let write = |format, layout| judged.format_report(format, &layout);
        for format in Format::ALL {
            assert!(
                !write(format.as_str(), Layout::default())
                    .unwrap()
                    .is_empty(),
                "{format:?}"
            );
        }
        let unknown = |format| write(format, Layout::default()).unwrap_err();
        assert_eq!(unknown("jsn"), "unknown format `jsn`; did you mean `json`?");
        assert!(unknown("perl").contains("expected one of: text, json"));
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
    fn base_yields_changes() {
        let clean = judge(&parse(b"nothing\n", 9), "{}")
            .format_report("json", &Layout::default())
            .unwrap();
        let report = parse(LEAK_LOG, 9);
        let judged = judge(&report, &options_with("base", &clean));
        assert_eq!(judged.changes.as_ref().map(Vec::len), Some(1));
        let same = judged.format_report("json", &Layout::default()).unwrap();
        assert_eq!(
            judge(&report, &options_with("base", &same))
                .changes
                .map(|c| c.len()),
            Some(0)
        );
        assert!(judge(&report, "{}").changes.is_none());
    }
}
