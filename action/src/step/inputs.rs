//! Inputs of the action. `action.yml` passes each in an environment variable and never as part of a
//! script.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use leakgate_core::policy::Silence;

use crate::args::{GateArgs, NoLogs};
use crate::error::Error;
use crate::github::Token;
use crate::run::{self, Checker};

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
    /// Time after which the command is stopped. `None` means no limit.
    pub(crate) timeout: Option<Duration>,
    /// Rules and baseline to apply.
    pub(crate) gate: GateArgs,
    /// Which findings to annotate.
    pub(crate) annotations: AnnotationMode,
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
    /// What a failed gate means.
    pub(crate) mode: Mode,
}

/// What a failed gate means. An error fails the job in every mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It fails the job and the check run.
    Gate,
    /// It fails neither.
    ReportOnly,
}

impl Mode {
    const VALUES: &[(&str, Self)] = &[("gate", Self::Gate), ("report-only", Self::ReportOnly)];
}

/// When to comment on a pull request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CommentMode {
    /// While the gate fails. The comment is removed when it passes.
    OnFindings,
    /// Always.
    Always,
    /// While there are new findings. The comment is removed when there are none.
    OnNew,
    /// Never.
    Never,
}

impl CommentMode {
    /// Values of the action's input.
    pub(crate) const VALUES: &[(&str, Self)] = &[
        ("on-findings", Self::OnFindings),
        ("always", Self::Always),
        ("on-new", Self::OnNew),
        ("never", Self::Never),
    ];

    /// Values for results that are compared with no other run.
    pub(crate) const VALUES_WITHOUT_BASE: &[(&str, Self)] = &[
        ("on-findings", Self::OnFindings),
        ("always", Self::Always),
        ("never", Self::Never),
    ];
}

/// Which findings to annotate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AnnotationMode {
    /// All findings.
    All,
    /// Findings at lines that the pull request changes, in the check run, too.
    ChangedLines,
    /// None, except in the check run.
    None,
}

impl AnnotationMode {
    const VALUES: &[(&str, Self)] = &[
        ("true", Self::All),
        ("changed-lines", Self::ChangedLines),
        ("false", Self::None),
    ];
}

/// Maximum number of days that a repository can keep an artifact.
const MAX_RETENTION_DAYS: u32 = 400;

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
        let timeout = read_timeout(variable, &mut errors);
        let gate = read_gate(variable, &mut errors);
        let allow_no_logs = read_flag(variable, "allow-no-logs", false, &mut errors);
        let annotations = read_choice(
            variable,
            "annotations",
            AnnotationMode::VALUES,
            AnnotationMode::All,
            &mut errors,
        );
        let summary = read_flag(variable, "summary", true, &mut errors);
        let upload = read_flag(variable, "upload-reports", true, &mut errors);
        // These two are only validated, because action.yml uploads the reports.
        read_flag(variable, "sarif", false, &mut errors);
        validate_retention_days(variable, &mut errors);
        let report = ReportSettings::from_env(variable, CommentMode::VALUES, &mut errors);
        if !errors.is_empty() {
            return Err(Error::Several(errors));
        }
        Ok(Self {
            reports,
            no_logs: NoLogs::allowed_if(allow_no_logs),
            command,
            tools,
            timeout,
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
    pub(crate) fn from_env(
        variable: Variable<'_>,
        comment_modes: &[(&str, CommentMode)],
        errors: &mut Vec<Error>,
    ) -> Self {
        let name = variable("LEAKGATE_NAME").unwrap_or_else(|| DEFAULT_NAME.to_owned());
        if let Err(error) = validate_artifact_name(&name) {
            errors.push(error);
        }
        let on_findings = CommentMode::OnFindings;
        let comment = read_choice(variable, "comment", comment_modes, on_findings, errors);
        let mode = read_choice(variable, "mode", Mode::VALUES, Mode::Gate, errors);
        let check_run = read_flag(variable, "check-run", true, errors);
        Self {
            name,
            token: variable("LEAKGATE_TOKEN").map(|token| Token::new(&token)),
            check_run,
            comment,
            mode,
        }
    }
}

/// Reads the inputs about rules and the baseline.
fn read_gate(variable: Variable<'_>, errors: &mut Vec<Error>) -> GateArgs {
    let silence = variable("LEAKGATE_SILENCE").and_then(|value| {
        let parsed = value.to_ascii_lowercase().parse::<Silence>();
        parsed
            .map_err(|_| errors.push(unexpected("silence", "fail, pass", &value)))
            .ok()
    });
    GateArgs {
        config: variable("LEAKGATE_CONFIG").map(PathBuf::from),
        baseline: variable("LEAKGATE_BASELINE").map(PathBuf::from),
        fail_on: read_lines(variable, "LEAKGATE_FAIL_ON")
            .iter()
            .flat_map(|line| split_list(line))
            .collect(),
        silence,
        ..GateArgs::default()
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
            .map_err(|_| errors.push(unexpected("tool", &checker_names(), &name)))
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
    let values = [("true", true), ("false", false)];
    read_choice(variable, input, &values, default, errors)
}

/// Reads an input with a fixed set of values. Its variable is derived from its name.
fn read_choice<T: Copy>(
    variable: Variable<'_>,
    input: &str,
    values: &[(&str, T)],
    default: T,
    errors: &mut Vec<Error>,
) -> T {
    let Some(text) = variable(&variable_name(input)) else {
        return default;
    };
    let known = values.iter().find(|(name, _)| *name == text);
    known.map_or_else(
        || {
            let names: Vec<_> = values.iter().map(|(name, _)| *name).collect();
            errors.push(unexpected(input, &names.join(", "), &text));
            default
        },
        |(_, value)| *value,
    )
}

/// Reads the time limit of the command.
fn read_timeout(variable: Variable<'_>, errors: &mut Vec<Error>) -> Option<Duration> {
    let text = variable(&variable_name("timeout"))?;
    if variable("LEAKGATE_RUN").is_none() {
        errors.push(Error::Usage(
            "the input `timeout` requires the input `run`".into(),
        ));
    }
    run::duration(&text)
        .map_err(|cause| errors.push(invalid("timeout", &text, &cause)))
        .ok()
}

fn validate_retention_days(variable: Variable<'_>, errors: &mut Vec<Error>) {
    let Some(text) = variable(&variable_name("retention-days")) else {
        return;
    };
    let is_valid = text.bytes().all(|byte| byte.is_ascii_digit())
        && text
            .parse::<u32>()
            .is_ok_and(|days| (1..=MAX_RETENTION_DAYS).contains(&days));
    if !is_valid {
        let cause = format!("expected a number of days from 1 to {MAX_RETENTION_DAYS}");
        errors.push(invalid("retention-days", &text, &cause));
    }
}

/// Returns the variable of an input: `LEAKGATE_FAIL_ON` for `fail-on`.
fn variable_name(input: &str) -> String {
    format!("LEAKGATE_{}", input.replace('-', "_").to_uppercase())
}

fn invalid(input: &str, value: &str, cause: &str) -> Error {
    Error::Usage(format!(
        "invalid value `{value}` of the input `{input}`: {cause}"
    ))
}

fn unexpected(input: &str, expected: &str, value: &str) -> Error {
    invalid(input, value, &format!("expected one of: {expected}"))
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
        assert!(inputs.annotations == AnnotationMode::All && !inputs.summary && inputs.upload);
        assert_eq!((inputs.timeout, inputs.report.mode), (None, Mode::Gate));
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
                .contains("of the input `tool`: expected one of: memcheck, helgrind")
        );
    }

    #[test]
    fn timeout_is_a_duration_and_needs_a_command() {
        let with = |name, timeout| read(&[(name, "./a"), ("LEAKGATE_TIMEOUT", timeout)]);
        let inputs = with("LEAKGATE_RUN", "10m").unwrap();
        assert_eq!(inputs.timeout, Some(Duration::from_secs(600)));
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
    fn retention_is_a_number_of_days() {
        let with = |days| read(&[("LEAKGATE_REPORTS", "x"), ("LEAKGATE_RETENTION_DAYS", days)]);
        for days in ["", "1", "90", "400"] {
            assert!(with(days).is_ok(), "{days}");
        }
        for days in ["0", "401", "+5", "-1", "1.5", "ten", "99999999999"] {
            let want = format!(
                "invalid value `{days}` of the input `retention-days`: expected a number of days \
                 from 1 to 400"
            );
            let message = with(days).unwrap_err().to_string();
            assert!(message.contains(&want), "{message}");
        }
    }

    #[test]
    fn all_errors_name_their_input() {
        let result = read(&[
            ("LEAKGATE_ANNOTATIONS", "yes"),
            ("LEAKGATE_COMMENT", "sometimes"),
            ("LEAKGATE_SILENCE", "golden"),
            ("LEAKGATE_NAME", "a/b"),
            ("LEAKGATE_SARIF", "on"),
            ("LEAKGATE_MODE", "report"),
        ]);
        let message = result.unwrap_err().to_string();
        for input in [
            "reports",
            "annotations",
            "comment",
            "silence",
            "artifact-name",
            "sarif",
            "mode",
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
