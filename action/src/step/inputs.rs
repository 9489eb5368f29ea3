//! Inputs of the action. `action.yml` passes each in an environment variable and never as part of a
//! script.

mod evidence;

use std::path::PathBuf;

use leakgate_core::policy::Silence;

pub(crate) use self::evidence::{ArtifactNames, Evidence, NeededJob, NeededJobs};
use crate::args::GateArgs;
use crate::error::Error;
use crate::github::Token;

/// The parsed inputs.
#[derive(Debug)]
pub(crate) struct Inputs {
    /// What to evaluate.
    pub(crate) evidence: Evidence,
    /// Name of the results. `None` for the default name.
    pub(crate) name: Option<String>,
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

type Variable<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Inputs {
    /// Reads the inputs. Reports all errors at once.
    pub(crate) fn from_env(variable: Variable<'_>) -> Result<Self, Error> {
        let mut errors = Vec::new();
        let evidence = Evidence::from_env(variable, &mut errors);
        let gate = read_gate(variable, &mut errors);
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
        let name = variable("LEAKGATE_NAME");
        errors.extend(
            name.as_deref()
                .and_then(|name| validate_artifact_name(name).err()),
        );
        let evidence = match evidence {
            Some(evidence) if errors.is_empty() => evidence,
            _ => return Err(Error::Several(errors)),
        };
        Ok(Self {
            evidence,
            name,
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
        let on_findings = CommentMode::OnFindings;
        let comment = read_choice(variable, "comment", comment_modes, on_findings, errors);
        let mode = read_choice(variable, "mode", Mode::VALUES, Mode::Gate, errors);
        let check_run = read_flag(variable, "check-run", true, errors);
        Self {
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
            "invalid value `{name}` of the input `name`: it must have at most 200 bytes \
             and must not contain `--` or any of \" : < > | * ? \\ /"
        ))),
        false => Ok(()),
    }
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
pub(super) mod tests {
    use super::*;

    pub(in crate::step) fn read(values: &[(&str, &str)]) -> Result<Inputs, Error> {
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
        let Evidence::Logs { patterns, .. } = &inputs.evidence else {
            panic!("{inputs:?}");
        };
        assert_eq!(patterns, &["logs/*.log", "my logs/a b.log"]);
        assert_eq!(inputs.gate.fail_on, ["errors", "leak-definite", "fd-leak"]);
        assert!(inputs.gate.config.is_none() && inputs.gate.silence.is_some());
        assert!(inputs.annotations == AnnotationMode::All && !inputs.summary && inputs.upload);
        assert_eq!((inputs.name, inputs.report.mode), (None, Mode::Gate));
        assert_eq!(inputs.report.comment, CommentMode::OnFindings);
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
            "name",
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
