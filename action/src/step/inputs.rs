//! Inputs of the action. `action.yml` passes each in an environment variable and never as part of a
//! script.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::ValueEnum;
use leakgate_core::policy::Silence;

use crate::args::{GateArgs, NoLogs};
use crate::error::Error;
use crate::github::Token;
use crate::run::Checker;

/// The parsed inputs.
#[derive(Debug)]
pub(crate) struct Inputs {
    /// Logs to read: files, directories, glob patterns.
    pub(crate) reports: Vec<OsString>,
    /// What to do if one of the logs has no file.
    pub(crate) no_logs: NoLogs,
    /// Command to run under checkers instead of reading logs.
    pub(crate) command: Vec<String>,
    /// Checkers for the command.
    pub(crate) tools: Vec<Checker>,
    /// Rules and baseline to apply.
    pub(crate) gate: GateArgs,
    /// Print annotations for findings if no check run shows them.
    pub(crate) annotations: bool,
    /// Write the job summary.
    pub(crate) summary: bool,
    /// Copy the logs next to the reports.
    pub(crate) upload: bool,
    /// What to report through the GitHub API.
    pub(crate) report: ReportSettings,
}

/// What to report through the GitHub API, and with which token.
#[derive(Clone, Debug)]
pub(crate) struct ReportSettings {
    /// Name that distinguishes this report from others of the same commit. Also the name of the
    /// artifact.
    pub(crate) name: String,
    /// Token of the workflow. `None` disables reports through the API.
    pub(crate) token: Option<Token>,
    /// Create a check run with all annotations.
    pub(crate) check_run: bool,
    /// When to comment on the pull request.
    pub(crate) comment: CommentMode,
}

/// When to comment on a pull request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CommentMode {
    /// While the gate fails. The comment is removed when it passes.
    OnFindings,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Default of the input `artifact-name`.
pub(crate) const DEFAULT_NAME: &str = "leakgate";

type Variable<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Inputs {
    /// Reads the inputs. Reports all errors at once.
    pub(crate) fn from_env(variable: Variable<'_>) -> Result<Self, Error> {
        let mut errors = Vec::new();
        let reports: Vec<OsString> = read_lines(variable, "LEAKGATE_REPORTS")
            .into_iter()
            .map(OsString::from)
            .collect();
        let command = read_command(variable, &mut errors);
        let tools = read_tools(variable, &mut errors);
        match (reports.is_empty(), command.is_empty()) {
            (true, true) if errors.is_empty() => {
                errors.push(Error::Usage(
                    "nothing to check: set the input `reports` to logs or `run` to a command"
                        .into(),
                ));
            }
            (false, false) => errors.push(Error::Usage(
                "the inputs `reports` and `run` cannot be used together".into(),
            )),
            _ => {}
        }
        let silence = variable("LEAKGATE_SILENCE").and_then(|value| {
            let parsed = value.to_ascii_lowercase().parse::<Silence>();
            parsed
                .map_err(|_| errors.push(invalid("silence", "fail, pass", &value)))
                .ok()
        });
        let gate = GateArgs {
            config: variable("LEAKGATE_CONFIG").map(PathBuf::from),
            baseline: variable("LEAKGATE_BASELINE").map(PathBuf::from),
            fail_on: read_lines(variable, "LEAKGATE_FAIL_ON")
                .iter()
                .flat_map(|line| split_list(line))
                .collect(),
            silence,
            ..GateArgs::default()
        };
        let allow_no_logs = read_flag(variable, "allow-no-logs", false, &mut errors);
        let annotations = read_flag(variable, "annotations", true, &mut errors);
        let summary = read_flag(variable, "summary", true, &mut errors);
        let upload = read_flag(variable, "upload-reports", true, &mut errors);
        // Only validated: the SARIF report is always written, and action.yml uploads it.
        read_flag(variable, "sarif", false, &mut errors);
        let report = ReportSettings::from_env(variable, &mut errors);
        if !errors.is_empty() {
            return Err(Error::Several(errors));
        }
        Ok(Self {
            reports,
            no_logs: NoLogs::allowed_if(allow_no_logs),
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

impl ReportSettings {
    /// Reads the inputs that `leakgate publish` has, too.
    pub(crate) fn from_env(variable: Variable<'_>, errors: &mut Vec<Error>) -> Self {
        let name = variable("LEAKGATE_NAME").unwrap_or_else(|| DEFAULT_NAME.to_owned());
        if let Err(error) = validate_artifact_name(&name) {
            errors.push(error);
        }
        let comment = match variable("LEAKGATE_COMMENT").as_deref() {
            None | Some("on-findings") => CommentMode::OnFindings,
            Some("always") => CommentMode::Always,
            Some("never") => CommentMode::Never,
            Some(other) => {
                errors.push(invalid("comment", "on-findings, always, never", other));
                CommentMode::Never
            }
        };
        let check_run = read_flag(variable, "check-run", true, errors);
        Self {
            name,
            token: variable("LEAKGATE_TOKEN").map(|token| Token::new(&token)),
            check_run,
            comment,
        }
    }
}

/// Validates the name of an artifact, which also names the report.
///
/// GitHub's own restrictions are in `validateArtifactName` of <https://github.com/actions/toolkit>.
pub(crate) fn validate_artifact_name(name: &str) -> Result<(), Error> {
    const FORBIDDEN: &[char] = &['"', ':', '<', '>', '|', '*', '?', '\\', '/'];
    let is_invalid = name.contains(FORBIDDEN)
        || name.contains(char::is_control)
        || name.trim() != name
        || name.len() > 200;
    match is_invalid || name.contains("--") || leakgate_core::emit::terminal(name) != name {
        true => Err(Error::Usage(format!(
            "invalid value `{name}` of the input `artifact-name`: it must have at most 200 bytes \
             and must not contain `--` or any of \" : < > | * ? \\ /"
        ))),
        false => Ok(()),
    }
}

/// Splits a command into arguments. Rejects shell syntax, because no shell runs the command.
fn read_command(variable: Variable<'_>, errors: &mut Vec<Error>) -> Vec<String> {
    let Some(text) = variable("LEAKGATE_RUN") else {
        return Vec::new();
    };
    let argv = shlex::split(text.trim()).unwrap_or_default();
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
        errors.push(Error::Usage(format!(
            "invalid value `{}` of the input `run`: expected a single command without variable \
             assignments, pipes or lists; put anything else into a script",
            text.trim()
        )));
        return Vec::new();
    }
    argv
}

fn read_tools(variable: Variable<'_>, errors: &mut Vec<Error>) -> Vec<Checker> {
    let values = read_lines(variable, "LEAKGATE_TOOL");
    let names = values.iter().flat_map(|line| split_list(line));
    let parse = |name: String| {
        Checker::from_str(&name, true)
            .map_err(|_| errors.push(invalid("tool", &checker_names(), &name)))
            .ok()
    };
    names.filter_map(parse).collect()
}

fn checker_names() -> String {
    let names: Vec<_> = Checker::ALL.iter().map(|checker| checker.name()).collect();
    names.join(", ")
}

/// Reads a boolean input, whose variable is derived from its name.
fn read_flag(variable: Variable<'_>, input: &str, default: bool, errors: &mut Vec<Error>) -> bool {
    let name = format!("LEAKGATE_{}", input.replace('-', "_").to_uppercase());
    match variable(&name).as_deref() {
        None => default,
        Some("true") => true,
        Some("false") => false,
        Some(other) => {
            errors.push(invalid(input, "true, false", other));
            default
        }
    }
}

fn invalid(input: &str, expected: &str, value: &str) -> Error {
    Error::Usage(format!(
        "invalid value `{value}` of the input `{input}`; expected one of: {expected}"
    ))
}

/// Reads a variable with a value per line. Ignores blank lines.
pub(crate) fn read_lines(variable: Variable<'_>, name: &str) -> Vec<String> {
    let text = variable(name).unwrap_or_default();
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Splits a list at commas and spaces.
fn split_list(line: &str) -> Vec<String> {
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
        Inputs::from_env(&find)
    }

    #[test]
    fn lists_are_split_and_empty_inputs_count_as_unset() {
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
            (DEFAULT_NAME, CommentMode::OnFindings)
        );
    }

    #[test]
    fn command_is_split_and_shell_syntax_is_rejected() {
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
                    .contains("expected a single command"),
                "{script}"
            );
        }
        let both = read(&[("LEAKGATE_RUN", "./a"), ("LEAKGATE_REPORTS", "x.log")]).unwrap_err();
        assert!(both.to_string().contains("cannot be used together"));
        let tool = read(&[("LEAKGATE_RUN", "./a"), ("LEAKGATE_TOOL", "memchek")]).unwrap_err();
        assert!(
            tool.to_string()
                .contains("of the input `tool`; expected one of: memcheck, helgrind")
        );
    }

    #[test]
    fn all_errors_name_their_input() {
        let result = read(&[
            ("LEAKGATE_ANNOTATIONS", "yes"),
            ("LEAKGATE_COMMENT", "sometimes"),
            ("LEAKGATE_SILENCE", "golden"),
            ("LEAKGATE_NAME", "a/b"),
            ("LEAKGATE_SARIF", "on"),
        ]);
        let message = result.unwrap_err().to_string();
        for input in [
            "reports",
            "annotations",
            "comment",
            "silence",
            "artifact-name",
            "sarif",
        ] {
            assert!(
                message.contains(&format!("`{input}`")),
                "{input}: {message}"
            );
        }
        for (name, is_valid) in [
            ("leakgate (gcc, 14)", true),
            ("a--b", false),
            ("a\nb", false),
            ("", false),
            (" a", false),
        ] {
            assert_eq!(
                validate_artifact_name(name).is_ok() && !name.is_empty(),
                is_valid,
                "{name:?}"
            );
        }
    }
}
