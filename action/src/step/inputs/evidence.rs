//! The inputs that select what to evaluate: `reports`, `run` or `merge`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::Duration;

use clap::ValueEnum;
use globset::{Glob, GlobSet, GlobSetBuilder};
use serde::Deserialize;

use super::{Variable, invalid, read_flag, read_lines, split_list, unexpected, variable_name};
use crate::args::NoLogs;
use crate::error::Error;
use crate::run::{self, Checker};

/// What the step evaluates.
#[derive(Debug)]
pub(crate) enum Evidence {
    /// Existing logs.
    Logs {
        /// Files, directories, glob patterns.
        patterns: Vec<OsString>,
        /// What to do if one of them has no file.
        no_logs: NoLogs,
    },
    /// A command that runs under checkers.
    Command {
        argv: Vec<String>,
        tools: Vec<Checker>,
        /// Time after which the command is stopped. `None` means no limit.
        timeout: Option<Duration>,
    },
    /// Reports that other jobs of the same workflow run uploaded.
    Artifacts {
        names: ArtifactNames,
        /// Results of the jobs. `None` if the workflow doesn't pass them on.
        needs: Option<NeededJobs>,
    },
}

/// Result of each job that this job needs, by its id.
pub(crate) type NeededJobs = BTreeMap<String, NeededJob>;

/// A job in the context `needs`
/// (<https://docs.github.com/actions/reference/workflows-and-actions/contexts#needs-context>).
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct NeededJob {
    /// `success`, `failure`, `cancelled` or `skipped`.
    pub(crate) result: String,
}

/// Names of artifacts, in which `*` matches any text.
#[derive(Clone, Debug)]
pub(crate) struct ArtifactNames {
    names: Vec<String>,
    patterns: GlobSet,
}

impl ArtifactNames {
    /// Reads names from a variable, one per line. `None` if there are none.
    pub(crate) fn from_env(variable: Variable<'_>, name: &str) -> Option<Self> {
        let names = read_lines(variable, name);
        (!names.is_empty()).then(|| Self::new(names))
    }

    /// Creates a matcher for these names.
    pub(crate) fn new(names: Vec<String>) -> Self {
        let mut patterns = GlobSetBuilder::new();
        for name in &names {
            let parts: Vec<String> = name.split('*').map(globset::escape).collect();
            // Escaped text is always a valid pattern.
            if let Ok(pattern) = Glob::new(&parts.join("*")) {
                patterns.add(pattern);
            }
        }
        Self {
            names,
            patterns: patterns.build().unwrap_or_default(),
        }
    }

    /// Returns true if an artifact has one of these names.
    pub(crate) fn matches(&self, artifact: &str) -> bool {
        self.patterns.is_match(artifact)
    }

    /// Returns the names for a message.
    pub(crate) fn list(&self) -> String {
        self.names.join(" or ")
    }
}

impl Evidence {
    /// Reads the inputs. `None` if there are none, which is an error.
    pub(super) fn from_env(variable: Variable<'_>, errors: &mut Vec<Error>) -> Option<Self> {
        let patterns: Vec<OsString> = read_lines(variable, "LEAKGATE_REPORTS")
            .into_iter()
            .map(OsString::from)
            .collect();
        let command = variable("LEAKGATE_RUN");
        let names = ArtifactNames::from_env(variable, "LEAKGATE_MERGE");
        let tools = read_tools(variable, errors);
        let timeout = read_timeout(variable, errors);
        let no_logs = NoLogs::allowed_if(read_flag(variable, "allow-no-logs", false, errors));
        let needs = read_needs(variable, errors);
        match (patterns.is_empty(), command, names) {
            (false, None, None) => Some(Self::Logs { patterns, no_logs }),
            (true, Some(command), None) => Some(Self::Command {
                argv: split_command(&command)
                    .map_err(|error| errors.push(error))
                    .ok()?,
                tools,
                timeout,
            }),
            (true, None, Some(names)) => Some(Self::Artifacts { names, needs }),
            (true, None, None) => {
                errors.push(Error::Usage(
                    "nothing to check: set the input `reports` to logs, `run` to a command, or \
                     `merge` to artifacts"
                        .into(),
                ));
                None
            }
            _ => {
                errors.push(Error::Usage(
                    "the inputs `reports`, `run` and `merge` cannot be used together".into(),
                ));
                None
            }
        }
    }
}

/// Splits a command into arguments. Rejects shell syntax, because no shell runs the command.
fn split_command(text: &str) -> Result<Vec<String>, Error> {
    let argv = split_words(text.trim(), cfg!(windows));
    let is_syntax = |word: &String| {
        ["&&", "||", "|", ";", ">", "<", "&"].contains(&word.as_str()) || word.ends_with(';')
    };
    let is_assignment = argv.first().is_some_and(|word| {
        word.split('=')
            .next()
            .is_some_and(|name| name.len() < word.len())
    });
    if argv.is_empty() || argv.iter().any(is_syntax) || is_assignment || text.trim().contains('\n')
    {
        return Err(Error::Usage(format!(
            "invalid value `{}` of the input `run`: expected a single command without variable \
             assignments, pipes or lists; put anything else into a script",
            text.trim()
        )));
    }
    Ok(argv)
}

/// Splits text into words as a shell of Unix does. On Windows, a backslash is a part of a path,
/// unless a quotation mark follows it. Returns no words if a quotation has no end.
fn split_words(text: &str, is_windows: bool) -> Vec<String> {
    if !is_windows {
        return shlex::split(text).unwrap_or_default();
    }
    let mut escaped = String::new();
    let mut quote = None;
    for (at, character) in text.char_indices() {
        let is_escape = character == '\\' && text[at + 1..].starts_with('"');
        let is_escaped = character == '"' && text[..at].ends_with('\\');
        match quote {
            Some(open) if open == character && !is_escaped => quote = None,
            None if matches!(character, '\'' | '"') && !is_escaped => quote = Some(character),
            _ => {}
        }
        escaped.push(character);
        if character == '\\' && quote != Some('\'') && !is_escape {
            escaped.push(character);
        }
    }
    shlex::split(&escaped).unwrap_or_default()
}

/// Reads the checkers for the command.
fn read_tools(variable: Variable<'_>, errors: &mut Vec<Error>) -> Vec<Checker> {
    let values = read_lines(variable, "LEAKGATE_TOOL");
    let names = values.iter().flat_map(|line| split_list(line));
    let parse = |name: String| {
        Checker::from_str(&name, true)
            .map_err(|_| errors.push(unexpected("tool", &checker_names(), &name)))
            .ok()
    };
    names.filter_map(parse).collect()
}

fn checker_names() -> String {
    let names: Vec<_> = Checker::ALL.iter().map(|checker| checker.name()).collect();
    names.join(", ")
}

/// Reads the time limit of the command.
fn read_timeout(variable: Variable<'_>, errors: &mut Vec<Error>) -> Option<Duration> {
    let text = variable(&variable_name("timeout"))?;
    if variable("LEAKGATE_RUN").is_none() {
        errors.push(requires("timeout", "run"));
    }
    run::duration(&text)
        .map_err(|cause| errors.push(invalid("timeout", &text, &cause)))
        .ok()
}

/// Reads the results of the needed jobs.
fn read_needs(variable: Variable<'_>, errors: &mut Vec<Error>) -> Option<NeededJobs> {
    let text = variable(&variable_name("needs"))?;
    if variable("LEAKGATE_MERGE").is_none() {
        errors.push(requires("needs", "merge"));
    }
    let needs: Option<NeededJobs> = serde_json::from_str(&text).ok();
    let needs = needs.filter(|needs| !needs.is_empty());
    if needs.is_none() {
        let cause = "expected `${{ toJSON(needs) }}` in a job with `needs`";
        errors.push(invalid("needs", text.trim(), cause));
    }
    needs
}

fn requires(input: &str, other: &str) -> Error {
    Error::Usage(format!("the input `{input}` requires the input `{other}`"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::*;

    #[test]
    fn backslashes_of_windows_are_kept() {
        let text = r#"build\tests.exe "C:\a b\c" 'C:\d e' --name=\"x\""#;
        let expected = [r"build\tests.exe", r"C:\a b\c", r"C:\d e", r#"--name="x""#];
        assert_eq!(split_words(text, true), expected);
        assert_eq!(split_words(r"a\ b", false), ["a b"]);
        assert_eq!(split_words(r#""it's" C:\x"#, true), ["it's", r"C:\x"]);
        assert!(split_words("'a", true).is_empty());
    }

    #[test]
    fn command_is_split_and_shell_syntax_is_rejected() {
        let run = |text: &'static str| {
            read(&[("LEAKGATE_RUN", text), ("LEAKGATE_TOOL", "memcheck, asan")])
        };
        let inputs = run("cargo test -- 'a b'\n").unwrap();
        let Evidence::Command { argv, tools, .. } = inputs.evidence else {
            panic!("{inputs:?}");
        };
        assert_eq!(argv, ["cargo", "test", "--", "a b"]);
        assert_eq!(tools, [Checker::Memcheck, Checker::Asan]);
        for script in [
            "make; ./a",
            "a && b",
            "a | b",
            "A=1 ./a",
            "./a\n./b",
            "echo 'x",
            "./a > log",
        ] {
            assert!(
                run(script)
                    .unwrap_err()
                    .to_string()
                    .contains("expected a single command"),
                "{script}"
            );
        }
        let both = read(&[("LEAKGATE_RUN", "./a"), ("LEAKGATE_REPORTS", "x.log")]).unwrap_err();
        assert!(both.to_string().contains("cannot be used together"));
        let tool = read(&[("LEAKGATE_RUN", "./a"), ("LEAKGATE_TOOL", "memchek")]).unwrap_err();
        assert!(
            tool.to_string()
                .contains("of the input `tool`: expected one of: memcheck, helgrind")
        );
    }

    #[test]
    fn timeout_is_a_duration_and_needs_a_command() {
        let with = |name, timeout| read(&[(name, "./a"), ("LEAKGATE_TIMEOUT", timeout)]);
        let inputs = with("LEAKGATE_RUN", "10m").unwrap();
        let Evidence::Command { timeout, .. } = inputs.evidence else {
            panic!("{inputs:?}");
        };
        assert_eq!(timeout, Some(Duration::from_secs(600)));
        for (name, timeout, want) in [
            (
                "LEAKGATE_RUN",
                "soon",
                "invalid value `soon` of the input `timeout`: expected a duration such as 90s or 10m",
            ),
            (
                "LEAKGATE_REPORTS",
                "10m",
                "the input `timeout` requires the input `run`",
            ),
        ] {
            let message = with(name, timeout).unwrap_err().to_string();
            assert!(message.contains(want), "{message}");
        }
    }

    #[test]
    fn artifacts_are_named_by_patterns() {
        let inputs = read(&[
            ("LEAKGATE_MERGE", "leakgate-*\nother [1]"),
            (
                "LEAKGATE_NEEDS",
                r#"{"test":{"result":"success","outputs":{}}}"#,
            ),
        ]);
        let Evidence::Artifacts { names, needs } = inputs.unwrap().evidence else {
            panic!();
        };
        for (artifact, want) in [
            ("leakgate-gcc", true),
            ("leakgate-", true),
            ("leakgate", false),
            ("my-leakgate-gcc", false),
            ("other [1]", true),
            ("other 1", false),
        ] {
            assert_eq!(names.matches(artifact), want, "{artifact}");
        }
        assert_eq!(needs.unwrap()["test"].result, "success");
    }

    #[test]
    fn needs_is_a_context_and_requires_merge() {
        let merge = ("LEAKGATE_MERGE", "leakgate-*");
        let reports = ("LEAKGATE_REPORTS", "x.log");
        for (input, needs, want) in [
            (
                reports,
                r#"{"a":{"result":"success"}}"#,
                "`needs` requires the input `merge`",
            ),
            (merge, "{}", "invalid value `{}` of the input `needs`"),
            (merge, "test", "expected `${{ toJSON(needs) }}`"),
        ] {
            let message = read(&[input, ("LEAKGATE_NEEDS", needs)])
                .unwrap_err()
                .to_string();
            assert!(message.contains(want), "{message}");
        }
    }
}
