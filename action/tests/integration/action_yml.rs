//! Tests the steps in action.yml and publish/action.yml, which exist twice: for Windows and for the
//! other systems.

mod condition;

use std::collections::BTreeMap;
use std::fs;

use saphyr::{LoadableYamlNode, Yaml};

use crate::common::repository;

/// A step: its keys with plain values, and its environment.
#[derive(Debug, PartialEq)]
struct Step {
    keys: BTreeMap<String, String>,
    env: BTreeMap<String, String>,
}

impl Step {
    fn key(&self, name: &str) -> &str {
        self.keys.get(name).map_or("", String::as_str)
    }

    /// Returns true if the step runs with these values of contexts.
    fn runs(&self, values: &[(&str, &str)]) -> bool {
        condition::is_true(self.key("if"), values)
    }
}

/// Returns the steps of an action by name.
fn steps(file: &str) -> BTreeMap<String, Step> {
    let text = fs::read_to_string(repository(file)).unwrap();
    let documents = Yaml::load_from_str(&text).unwrap();
    let steps = documents[0]
        .as_mapping_get("runs")
        .and_then(|runs| runs.as_mapping_get("steps"));
    let step = |step: &Yaml<'_>| {
        let step = Step {
            keys: texts(Some(step)),
            env: texts(step.as_mapping_get("env")),
        };
        (step.key("name").to_owned(), step)
    };
    steps
        .unwrap()
        .as_sequence()
        .unwrap()
        .iter()
        .map(step)
        .collect()
}

/// Returns the entries of a mapping whose values are text.
fn texts(mapping: Option<&Yaml<'_>>) -> BTreeMap<String, String> {
    let text = |yaml: &Yaml<'_>| yaml.as_str().map(str::to_owned);
    let mapping = mapping.and_then(Yaml::as_mapping);
    mapping
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((text(name)?, text(value)?)))
        .collect()
}

#[test]
fn steps_for_windows_use_powershell_and_are_otherwise_the_same() {
    for (file, names) in [
        (
            "action.yml",
            &["Install leakgate", "Check", "Confirm the verdict"][..],
        ),
        (
            "publish/action.yml",
            &["Install leakgate", "Publish", "Confirm the publication"],
        ),
    ] {
        let steps = steps(file);
        for name in names {
            let (other, windows) = (&steps[*name], &steps[&format!("{name} on Windows")]);
            let plain = |text: &str| text.replace("setup-windows", "setup");
            let env = |step: &Step| -> Vec<_> {
                step.env
                    .iter()
                    .map(|(name, value)| (name.clone(), plain(value)))
                    .collect()
            };
            assert_eq!(env(other), env(windows), "{file}: {name}");
            assert_eq!(windows.key("shell"), "pwsh");
            assert_ne!(other.key("shell"), "pwsh");
            assert_eq!(
                other.key("working-directory"),
                windows.key("working-directory")
            );
            let result = [
                ("steps.setup.outcome", "success"),
                ("steps.setup-windows.outcome", "success"),
            ];
            for system in ["Linux", "macOS", "Windows"] {
                let values = [&result[..], &[("runner.os", system)]].concat();
                let on_windows = system == "Windows";
                assert_eq!(
                    other.runs(&values),
                    !on_windows,
                    "{file}: {name} on {system}"
                );
                assert_eq!(
                    windows.runs(&values),
                    on_windows,
                    "{file}: {name} on {system}"
                );
            }
        }
    }
}

/// bash on windows-11-arm sometimes does nothing and succeeds.
#[test]
fn job_fails_if_the_check_succeeds_without_a_verdict() {
    let steps = steps("action.yml");
    for (system, name, suffix) in [
        ("Linux", "Confirm the verdict", ""),
        ("Windows", "Confirm the verdict on Windows", "-windows"),
    ] {
        let confirm = &steps[name];
        assert!(
            confirm.key("run").ends_with("exit 1\n"),
            "{}",
            confirm.key("run")
        );
        let fails_in_mode = |mode: &str, setup: &str, check: &str, outcome: &str| {
            confirm.runs(&[
                ("runner.os", system),
                ("inputs.mode", mode),
                (&format!("steps.setup{suffix}.outcome"), setup),
                (&format!("steps.run{suffix}.outcome"), check),
                (&format!("steps.run{suffix}.outputs.outcome"), outcome),
            ])
        };
        let fails =
            |setup: &str, check: &str, outcome: &str| fails_in_mode("gate", setup, check, outcome);
        for outcome in ["", "fail", "error", "passed"] {
            assert!(fails("success", "success", outcome), "{system}: {outcome}");
            assert_eq!(
                fails_in_mode("report-only", "success", "success", outcome),
                outcome != "fail",
                "{system}: {outcome}"
            );
        }
        assert!(fails("success", "skipped", ""));
        assert!(!fails("success", "success", "pass"));
        // These steps have failed the job already.
        assert!(!fails("success", "failure", "fail") && !fails("failure", "skipped", ""));
    }
}

/// The environment of the shell has the token, and the tested command can read that of its parents.
#[test]
fn leakgate_replaces_the_shell_and_knows_whether_a_step_failed() {
    let check = &steps("action.yml")["Check"];
    assert_eq!(check.key("run"), "exec \"$LEAKGATE_BINARY\" action");
    assert_eq!(check.env["LEAKGATE_JOB_STATUS"], "${{ job.status }}");
}
