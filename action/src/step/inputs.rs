//! The inputs of the action, as `action.yml` hands them over: a variable of the environment each,
//! none of them part of a script.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::ValueEnum;

use crate::args::{GateArgs, RawSilence};
use crate::error::Error;
use crate::github::Token;
use crate::run::Checker;

/// The inputs, each with what it stands for.
#[derive(Debug)]
pub(crate) struct Inputs {
    /// Logs: files, directories, patterns.
    pub(crate) reports: Vec<OsString>,
    /// A command to start under checkers, in place of logs.
    pub(crate) command: Vec<String>,
    /// The checkers for it.
    pub(crate) tools: Vec<Checker>,
    /// What they are held against.
    pub(crate) gate: GateArgs,
    /// Workflow commands for findings, where no check run shows them.
    pub(crate) annotations: bool,
    /// The summary of the job.
    pub(crate) summary: bool,
    /// Logs are copied beside the documents.
    pub(crate) upload: bool,
    /// What is reported through GitHub's interface.
    pub(crate) report: Reporting,
}

/// What is reported through GitHub's interface, and as whom.
#[derive(Clone, Debug)]
pub(crate) struct Reporting {
    /// What tells this report from others about the same commit: the artifact's name, too.
    pub(crate) name: String,
    /// The token of the workflow; without one nothing is reported there.
    pub(crate) token: Option<Token>,
    /// A check run with all annotations.
    pub(crate) check_run: bool,
    /// A comment on the pull request.
    pub(crate) comment: When,
}

/// When there is a comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// While the gate fails; it is removed afterwards.
    OnFindings,
    /// In any case.
    Always,
    /// In no case.
    Never,
}

/// Where nobody names one.
pub(crate) const NAME: &str = "leakgate";

type Variable<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Inputs {
    /// Reads them; every mistake is told at once.
    pub(crate) fn read(variable: Variable<'_>) -> Result<Self, Error> {
        let mut errors = Vec::new();
        let reports: Vec<OsString> = lines(variable, "LEAKGATE_REPORTS")
            .into_iter()
            .map(OsString::from)
            .collect();
        let command = command(variable, &mut errors);
        let tools = tools(variable, &mut errors);
        match (reports.is_empty(), command.is_empty()) {
            (true, true) if errors.is_empty() => {
                errors.push(Error::Usage(
                    "the inputs name nothing to check: `reports` takes logs, `run` a command"
                        .into(),
                ));
            }
            (false, false) => errors.push(Error::Usage(
                "the inputs `reports` and `run` exclude each other".into(),
            )),
            _ => {}
        }
        let silence = variable("LEAKGATE_SILENCE").and_then(|value| {
            let read = RawSilence::from_str(&value, true);
            read.map_err(|_| errors.push(wrong("silence", "fail or pass", &value)))
                .ok()
        });
        let gate = GateArgs {
            config: variable("LEAKGATE_CONFIG").map(PathBuf::from),
            baseline: variable("LEAKGATE_BASELINE").map(PathBuf::from),
            fail_on: lines(variable, "LEAKGATE_FAIL_ON")
                .iter()
                .flat_map(|line| words(line))
                .collect(),
            silence,
            ..GateArgs::default()
        };
        let annotations = flag(variable, "annotations", true, &mut errors);
        let summary = flag(variable, "summary", true, &mut errors);
        let upload = flag(variable, "upload-reports", true, &mut errors);
        // The document is written in any case; the action uploads it. A slip must not go unnoticed.
        flag(variable, "sarif", false, &mut errors);
        let report = Reporting::read(variable, &mut errors);
        if !errors.is_empty() {
            return Err(Error::Several(errors));
        }
        Ok(Self {
            reports,
            command,
            tools,
            gate,
            annotations,
            summary,
            upload,
            report,
        })
    }
}

impl Reporting {
    /// Reads the inputs that `leakgate publish` has, too.
    pub(crate) fn read(variable: Variable<'_>, errors: &mut Vec<Error>) -> Self {
        let name = variable("LEAKGATE_NAME").unwrap_or_else(|| NAME.to_owned());
        if let Err(error) = artifact_name(&name) {
            errors.push(error);
        }
        let comment = match variable("LEAKGATE_COMMENT").as_deref() {
            None | Some("on-findings") => When::OnFindings,
            Some("always") => When::Always,
            Some("never") => When::Never,
            Some(other) => {
                errors.push(wrong("comment", "on-findings, always or never", other));
                When::Never
            }
        };
        let check_run = flag(variable, "check-run", true, errors);
        Self {
            name,
            token: variable("LEAKGATE_TOKEN").map(|token| Token::new(&token)),
            check_run,
            comment,
        }
    }
}

/// What GitHub takes for the name of an artifact (`validateArtifactName` of <https://github.com/actions/toolkit>).
pub(crate) fn artifact_name(name: &str) -> Result<(), Error> {
    const FORBIDDEN: &[char] = &['"', ':', '<', '>', '|', '*', '?', '\\', '/'];
    let is_wrong = name.contains(FORBIDDEN)
        || name.contains(char::is_control)
        || name.trim() != name
        || name.len() > 200;
    match is_wrong || name.contains("--") || leakgate_core::emit::terminal(name) != name {
        true => Err(Error::Usage(format!(
            "the input `artifact-name` can't be `{name}`: it is short, without \" : < > | * ? \\ / and without --"
        ))),
        false => Ok(()),
    }
}

/// The words of a command. What only a shell understands is refused: here nobody would.
fn command(variable: Variable<'_>, errors: &mut Vec<Error>) -> Vec<String> {
    let Some(text) = variable("LEAKGATE_RUN") else {
        return Vec::new();
    };
    let words = shlex::split(text.trim()).unwrap_or_default();
    let is_syntax = |word: &String| {
        ["&&", "||", "|", ";", ">", "<", "&"].contains(&word.as_str()) || word.ends_with(';')
    };
    let is_assignment = words.first().is_some_and(|word| {
        word.split('=')
            .next()
            .is_some_and(|name| name.len() < word.len())
    });
    if words.is_empty()
        || words.iter().any(is_syntax)
        || is_assignment
        || text.trim().contains('\n')
    {
        let what = "the input `run` is one command, without variables, pipes or lists; put the rest into a script";
        errors.push(Error::Usage(format!("{what}: `{}`", text.trim())));
        return Vec::new();
    }
    words
}

fn tools(variable: Variable<'_>, errors: &mut Vec<Error>) -> Vec<Checker> {
    let named = lines(variable, "LEAKGATE_TOOL");
    let words = named.iter().flat_map(|line| words(line));
    let tool = |word: String| {
        let known = || {
            Checker::ALL
                .iter()
                .map(|checker| checker.name())
                .collect::<Vec<_>>()
                .join(", ")
        };
        Checker::from_str(&word, true)
            .map_err(|_| errors.push(wrong("tool", &known(), &word)))
            .ok()
    };
    words.filter_map(tool).collect()
}

fn flag(variable: Variable<'_>, input: &str, default: bool, errors: &mut Vec<Error>) -> bool {
    let name = format!("LEAKGATE_{}", input.replace('-', "_").to_uppercase());
    match variable(&name).as_deref() {
        None => default,
        Some("true") => true,
        Some("false") => false,
        Some(other) => {
            errors.push(wrong(input, "true or false", other));
            default
        }
    }
}

fn wrong(input: &str, known: &str, value: &str) -> Error {
    Error::Usage(format!("the input `{input}` is {known}, not `{value}`"))
}

/// One value a line; blank lines are none.
pub(crate) fn lines(variable: Variable<'_>, name: &str) -> Vec<String> {
    let text = variable(name).unwrap_or_default();
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

fn words(line: &str) -> Vec<String> {
    line.split([',', ' '])
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[(&str, &str)]) -> Result<Inputs, Error> {
        let find = |name: &str| {
            values
                .iter()
                .find(|(n, _)| *n == name)
                .map(|(_, v)| (*v).to_owned())
                .filter(|v| !v.is_empty())
        };
        Inputs::read(&find)
    }

    #[test]
    fn lists_stand_in_lines_and_empty_means_not_given() {
        let inputs = read(&[
            ("LEAKGATE_REPORTS", "logs/*.log\n  my logs/a b.log \n\n"),
            ("LEAKGATE_FAIL_ON", "errors, leak-definite\nfd-leak"),
            ("LEAKGATE_CONFIG", ""),
            ("LEAKGATE_SILENCE", "pass"),
            ("LEAKGATE_SUMMARY", "false"),
        ]);
        let inputs = inputs.unwrap();
        assert_eq!(inputs.reports, ["logs/*.log", "my logs/a b.log"]);
        assert_eq!(inputs.gate.fail_on, ["errors", "leak-definite", "fd-leak"]);
        assert!(inputs.gate.config.is_none() && inputs.gate.silence.is_some());
        assert!(inputs.annotations && !inputs.summary && inputs.upload);
        assert_eq!(
            (inputs.report.name.as_str(), inputs.report.comment),
            (NAME, When::OnFindings)
        );
    }

    #[test]
    fn a_command_is_words_and_never_a_script() {
        let run = |text: &'static str| {
            read(&[("LEAKGATE_RUN", text), ("LEAKGATE_TOOL", "memcheck, asan")])
        };
        let inputs = run("cargo test -- 'a b'\n").unwrap();
        assert_eq!(inputs.command, ["cargo", "test", "--", "a b"]);
        assert_eq!(inputs.tools, [Checker::Memcheck, Checker::Asan]);
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
                    .contains("is one command"),
                "{script}"
            );
        }
        let both = read(&[("LEAKGATE_RUN", "./a"), ("LEAKGATE_REPORTS", "x.log")]).unwrap_err();
        assert!(both.to_string().contains("exclude each other"));
        let tool = read(&[("LEAKGATE_RUN", "./a"), ("LEAKGATE_TOOL", "memchek")]).unwrap_err();
        assert!(
            tool.to_string()
                .contains("the input `tool` is memcheck, helgrind")
        );
    }

    #[test]
    fn every_mistake_is_told_with_its_input() {
        let wrong = read(&[
            ("LEAKGATE_ANNOTATIONS", "yes"),
            ("LEAKGATE_COMMENT", "sometimes"),
            ("LEAKGATE_SILENCE", "golden"),
            ("LEAKGATE_NAME", "a/b"),
            ("LEAKGATE_SARIF", "on"),
        ]);
        let told = wrong.unwrap_err().to_string();
        for input in [
            "reports",
            "annotations",
            "comment",
            "silence",
            "artifact-name",
            "sarif",
        ] {
            assert!(told.contains(&format!("`{input}`")), "{input}: {told}");
        }
        for (name, fine) in [
            ("leakgate (gcc, 14)", true),
            ("a--b", false),
            ("a\nb", false),
            ("", false),
            (" a", false),
        ] {
            assert_eq!(
                artifact_name(name).is_ok() && !name.is_empty(),
                fine,
                "{name:?}"
            );
        }
    }
}
