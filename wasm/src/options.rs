//! What logs are held against, as an object of JavaScript gives it.

use leakgate_core::{
    Baseline, Config, Date, Document, Gate, Mistake, Pack, Policy, Rule, Silence, packs, read_file,
};
use serde::Deserialize;

use crate::mistakes;

/// The name of the configuration in what is said about it.
const CONFIG: &str = "leakgate.toml";

/// The name of the baseline, where the configuration names none.
const BASELINE: &str = "leakgate-baseline.json";

/// The options as they are given; an unknown key is an error, for it would be a rule that does
/// nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Options {
    config: Option<String>,
    suppressions: Vec<File>,
    packs: Vec<String>,
    baseline: Option<String>,
    base: Option<String>,
    silence: Option<RawSilence>,
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

/// What a log without any checker output means.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawSilence {
    Fail,
    Pass,
}

impl From<RawSilence> for Silence {
    fn from(raw: RawSilence) -> Self {
        match raw {
            RawSilence::Fail => Self::Fail,
            RawSilence::Pass => Self::Pass,
        }
    }
}

/// What was read of the options.
pub(crate) struct Settings {
    pub(crate) gate: Gate,
    /// The earlier run.
    pub(crate) base: Option<Document>,
    /// Files that the configuration names and nobody gave.
    pub(crate) not_given: Vec<String>,
}

impl Options {
    /// Reads everything; all mistakes of all files are told at once. The order of rules is that of
    /// the command line.
    pub(crate) fn settings(self, today: Date) -> Result<Settings, Vec<Mistake>> {
        let mut wrong = Vec::new();
        let config = config(self.config.as_deref());
        let Config {
            mut policy,
            files,
            mut rules,
            ..
        } = config.unwrap_or_else(|mistakes| {
            wrong.extend(mistakes);
            Config::default()
        });
        policy.silence = self.silence.map_or(policy.silence, Into::into);
        set_fail_on(&mut policy, &self.fail_on, &mut wrong);
        let today = self
            .today
            .as_deref()
            .map_or(today, |text| day(text, today, &mut wrong));

        let named: Vec<String> = files
            .suppressions
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        let is_given = |name: &String| self.suppressions.iter().any(|file| file.name == *name);
        let mut not_given: Vec<String> = named
            .iter()
            .filter(|name| !is_given(name))
            .cloned()
            .collect();
        let mut given: Vec<&File> = self.suppressions.iter().collect();
        given.sort_by_key(|file| {
            named
                .iter()
                .position(|name| *name == file.name)
                .unwrap_or(named.len())
        });
        for File { name, text } in given {
            match read_file(name, text) {
                Ok((_, more)) => rules.extend(more),
                Err(mistakes) => wrong.extend(mistakes),
            }
        }
        let more = self.packs.iter().filter(|name| !files.packs.contains(name));
        for name in files.packs.iter().chain(more) {
            rules.extend(pack(name, &mut wrong));
        }

        let file = files.baseline.as_deref().unwrap_or(BASELINE);
        let known = self
            .baseline
            .as_deref()
            .map(|text| Baseline::read(file, text))
            .transpose();
        let baseline = known.unwrap_or_else(|mistake| keep(mistake, &mut wrong));
        if self.baseline.is_none() {
            not_given.extend(files.baseline.clone());
        }
        let base = self
            .base
            .as_deref()
            .map(|text| Document::read("base", text))
            .transpose();
        let base = base.unwrap_or_else(|mistake| keep(mistake, &mut wrong));
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let mut gate = Gate::new(policy, today).with_rules(rules);
        gate.baseline = baseline;
        Ok(Settings {
            gate,
            base,
            not_given,
        })
    }
}

/// Reads the text of a configuration; nothing is one without keys.
pub(crate) fn config(text: Option<&str>) -> Result<Config, Vec<Mistake>> {
    text.map_or_else(|| Ok(Config::default()), |text| Config::read(CONFIG, text))
}

/// A file that can't be read is as none, but its mistake is kept.
fn keep<T>(mistake: Mistake, wrong: &mut Vec<Mistake>) -> Option<T> {
    wrong.push(mistake);
    None
}

fn set_fail_on(policy: &mut Policy, words: &[String], wrong: &mut Vec<Mistake>) {
    if words.is_empty() {
        return;
    }
    if let Err((message, help)) = policy.set_fail_on(words.iter().map(String::as_str)) {
        wrong.push(mistakes::about("failOn", message, help));
    }
}

fn day(text: &str, otherwise: Date, wrong: &mut Vec<Mistake>) -> Date {
    text.parse().unwrap_or_else(|_| {
        wrong.push(mistakes::about(
            "today",
            format!("`{text}` is no day"),
            Some("write YYYY-MM-DD".to_owned()),
        ));
        otherwise
    })
}

fn pack(name: &str, wrong: &mut Vec<Mistake>) -> Vec<Rule> {
    let Some(pack) = Pack::named(name) else {
        let known: Vec<&str> = packs().iter().map(|p| p.name).collect();
        let help = format!("there are {}", known.join(", "));
        wrong.push(mistakes::about(
            "packs",
            format!("there is no pack `{name}`"),
            Some(help),
        ));
        return Vec::new();
    };
    pack.read()
        .map(|(_, rules)| rules)
        .unwrap_or_else(|mistakes| {
            wrong.extend(mistakes);
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
    fn a_key_that_is_none_is_an_error() {
        let wrong = |json: &str| {
            serde_json::from_str::<Options>(json)
                .unwrap_err()
                .to_string()
        };
        assert!(
            wrong(r#"{"suppresions":[]}"#)
                .contains("unknown field `suppresions`, expected one of `config`")
        );
        assert!(wrong(r#"{"silence":"maybe"}"#).contains("expected `fail` or `pass`"));
        assert!(wrong(r#"{"suppressions":[{"name":"a"}]}"#).contains("missing field `text`"));
        assert!(wrong(r#"{"config":1}"#).contains("expected a string"));
    }

    #[test]
    fn the_mistakes_of_all_files_are_told_at_once() {
        let given = r#"{"config":"[gate]\nsilnce = 1\n","suppressions":[{"name":"a.supp","text":"{\n"}],"packs":["pyton"],
            "baseline":"{","base":"[]","failOn":["leek"],"today":"tomorrow"}"#;
        let wrong = options(given).settings(TODAY).err().unwrap();
        let files: Vec<&str> = wrong.iter().map(|m| m.file.as_str()).collect();
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
        assert_eq!((wrong[0].line, wrong[0].column), (2, 1));
        assert_eq!(wrong[0].help.as_deref(), Some("did you mean `silence`?"));
    }

    #[test]
    fn files_that_the_configuration_names_come_first_and_are_missed() {
        let config = r#"[files]\nsuppressions = [\"b.supp\", \"c.supp\"]\npacks = [\"go\"]\nbaseline = \"known.json\""#;
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
