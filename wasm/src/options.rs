//! The options of `Report.judge`: rules, settings and files.

use leakgate_core::diagnostic::Diagnostic;
use leakgate_core::document::Document;
use leakgate_core::policy::Silence;
use leakgate_core::rules::{Pack, packs, read_file};
use leakgate_core::{Baseline, Config, Date, Gate, Policy, Rule};
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::diagnostics;

/// Name of the configuration in error messages.
const CONFIG: &str = "leakgate.toml";

/// Name of the baseline in error messages, if the configuration has none.
const BASELINE: &str = "leakgate-baseline.json";

/// The raw options: `Options` in `types.d.ts`. An unknown key is an error, because a misspelled one
/// would have no effect.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Options {
    config: Option<String>,
    suppressions: Vec<File>,
    packs: Vec<String>,
    baseline: Option<String>,
    base: Option<String>,
    #[serde(deserialize_with = "parse_silence")]
    silence: Option<Silence>,
    fail_on: Vec<String>,
    today: Option<String>,
}

/// A file with its name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// Deserializes the verdict on a log without any checker output.
fn parse_silence<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Silence>, D::Error> {
    let name = String::deserialize(deserializer)?;
    let silence = name.parse::<Silence>();
    silence
        .map(Some)
        .map_err(|error| D::Error::custom(format!("{error}; {}", error.help())))
}

/// The parsed options.
pub(crate) struct Settings {
    pub(crate) gate: Gate,
    /// The run to compare with.
    pub(crate) base: Option<Document>,
    /// Files that the configuration names but the options don't contain.
    pub(crate) not_given: Vec<String>,
}

impl Options {
    /// Parses all options and files, and returns the errors of all of them. Rules have the same
    /// order as on the command line.
    pub(crate) fn settings(self, today: Date) -> Result<Settings, Vec<Diagnostic>> {
        let mut errors = Vec::new();
        let Config {
            mut policy,
            files,
            mut rules,
            ..
        } = parse_config(self.config.as_deref()).unwrap_or_else(|more| {
            errors.extend(more);
            Config::default()
        });
        policy.silence = self.silence.unwrap_or(policy.silence);
        set_fail_on(&mut policy, &self.fail_on, &mut errors);
        let today = self
            .today
            .as_deref()
            .map_or(today, |text| parse_date(text, today, &mut errors));

        let names: Vec<String> = files
            .suppressions
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        rules.extend(self.suppression_rules(&names, &mut errors));
        rules.extend(self.all_pack_rules(&files.packs, &mut errors));
        let mut not_given = self.missing_suppressions(names);
        if self.baseline.is_none() {
            not_given.extend(files.baseline.clone().map(|(name, _)| name));
        }

        let baseline_name = files.baseline.as_ref().map_or(BASELINE, |(name, _)| name);
        let baseline = self
            .baseline
            .and_then(|text| ok_or_push(Baseline::read(baseline_name, &text), &mut errors));
        let base = self
            .base
            .and_then(|text| ok_or_push(Document::read("base", &text), &mut errors));
        if !errors.is_empty() {
            return Err(errors);
        }
        let mut gate = Gate::new(policy, today)
            .with_rules(rules)
            .with_allocators(files.allocators);
        gate.baseline = baseline;
        Ok(Settings {
            gate,
            base,
            not_given,
        })
    }

    /// Parses the suppression files: first those that the configuration names, in its order, and
    /// then the rest.
    fn suppression_rules(&self, names: &[String], errors: &mut Vec<Diagnostic>) -> Vec<Rule> {
        let mut files: Vec<&File> = self.suppressions.iter().collect();
        files.sort_by_key(|file| {
            let position = names.iter().position(|name| *name == file.name);
            position.unwrap_or(names.len())
        });
        let mut rules = Vec::new();
        for File { name, text } in files {
            match read_file(name, text) {
                Ok((_, more)) => rules.extend(more),
                Err(more) => errors.extend(more),
            }
        }
        rules
    }

    /// Returns the suppression files that the configuration names but the options don't contain.
    fn missing_suppressions(&self, mut names: Vec<String>) -> Vec<String> {
        names.retain(|name| self.suppressions.iter().all(|file| file.name != *name));
        names
    }

    /// Returns the rules of the configuration's packs, followed by those of the options' packs.
    fn all_pack_rules(&self, configured: &[String], errors: &mut Vec<Diagnostic>) -> Vec<Rule> {
        let more = self.packs.iter().filter(|name| !configured.contains(name));
        let mut rules = Vec::new();
        for name in configured.iter().chain(more) {
            rules.extend(pack_rules(name, errors));
        }
        rules
    }
}

/// Parses the text of a configuration. `None` and an empty text are an empty configuration.
pub(crate) fn parse_config(text: Option<&str>) -> Result<Config, Vec<Diagnostic>> {
    match text.filter(|text| !text.is_empty()) {
        Some(text) => Config::read(CONFIG, text),
        None => Ok(Config::default()),
    }
}

/// Returns a parsed file, or `None` after recording its error.
fn ok_or_push<T>(result: Result<T, Diagnostic>, errors: &mut Vec<Diagnostic>) -> Option<T> {
    result.map_err(|error| errors.push(error)).ok()
}

fn set_fail_on(policy: &mut Policy, kinds: &[String], errors: &mut Vec<Diagnostic>) {
    if kinds.is_empty() {
        return;
    }
    if let Err(error) = policy.set_fail_on(kinds.iter().map(String::as_str)) {
        let help = Some(error.help().to_owned());
        errors.push(diagnostics::about_option("failOn", error.to_string(), help));
    }
}

/// Parses a date. Returns `fallback` after recording an error.
fn parse_date(text: &str, fallback: Date, errors: &mut Vec<Diagnostic>) -> Date {
    text.parse().unwrap_or_else(|_| {
        errors.push(diagnostics::about_option(
            "today",
            format!("invalid date `{text}`"),
            Some("use the format YYYY-MM-DD".to_owned()),
        ));
        fallback
    })
}

/// Returns the rules of a pack. An unknown pack is recorded as an error and has no rules.
fn pack_rules(name: &str, errors: &mut Vec<Diagnostic>) -> Vec<Rule> {
    let Some(pack) = Pack::find(name) else {
        let names: Vec<&str> = packs().iter().map(|pack| pack.name).collect();
        errors.push(diagnostics::about_option(
            "packs",
            format!("unknown pack `{name}`"),
            Some(format!("expected one of: {}", names.join(", "))),
        ));
        return Vec::new();
    };
    pack.read().map(|(_, rules)| rules).unwrap_or_else(|more| {
        errors.extend(more);
        Vec::new()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: Date = Date::constant(2026, 6, 1);

    fn options(json: &str) -> Options {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn invalid_json_is_rejected() {
        let error = |json: &str| {
            serde_json::from_str::<Options>(json)
                .unwrap_err()
                .to_string()
        };
        assert!(
            error(r#"{"suppresions":[]}"#)
                .contains("unknown field `suppresions`, expected one of `config`")
        );
        assert!(error(r#"{"silence":"maybe"}"#).contains("expected one of: fail, pass"));
        assert!(error(r#"{"suppressions":[{"name":"a"}]}"#).contains("missing field `text`"));
        assert!(error(r#"{"config":1}"#).contains("expected a string"));
    }

    #[test]
    fn errors_of_all_files_are_returned() {
        let given = r#"{
            "config":"[gate]\nsilnce = 1\n","suppressions":[{"name":"a.supp","text":"{\n"}],
            "packs":["pyton"],"baseline":"{","base":"[]","failOn":["leek"],"today":"tomorrow"
        }"#;
        let errors = options(given).settings(TODAY).err().unwrap();
        let files: Vec<&str> = errors.iter().map(|m| m.file.as_str()).collect();
        assert_eq!(
            files,
            [
                "leakgate.toml",
                "failOn",
                "today",
                "a.supp",
                "packs",
                "leakgate-baseline.json",
                "base"
            ]
        );
        assert_eq!((errors[0].line, errors[0].column), (2, 1));
        assert_eq!(errors[0].help.as_deref(), Some("did you mean `silence`?"));
    }

    #[test]
    fn configured_files_come_first_and_missing_ones_are_listed() {
        let config = concat!(
            r#"[files]\nsuppressions = [\"b.supp\", \"c.supp\"]\n"#,
            r#"packs = [\"go\"]\nbaseline = \"known.json\""#
        );
        let file = |name| format!(r#"{{"name":"{name}.supp","text":"leak:{name}\n"}}"#);
        let given = format!(
            r#"{{"config":"{config}","suppressions":[{},{}],"packs":["go"]}}"#,
            file("a"),
            file("b")
        );
        let settings = options(&given).settings(TODAY).ok().unwrap();
        assert_eq!(settings.not_given, ["c.supp", "known.json"]);
        let order: Vec<&str> = settings
            .gate
            .rules
            .iter()
            .map(|r| r.origin.file.as_str())
            .collect();
        assert_eq!(order[..2], ["b.supp", "a.supp"]);
        assert!(order[2..].iter().all(|file| *file == "pack go"));
    }
}
