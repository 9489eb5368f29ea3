//! The verdict: pass or fail, with every reason.
//!
//! A verdict is computed before any report is written. Report formats never influence it.

mod evidence;
mod findings;
pub(crate) mod observed;
mod tools;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

pub(crate) use self::evidence::NO_OUTPUT;
pub use self::observed::{Canary, CheckerRun, ObservedRuns, Termination, VerifiedChecker};
use crate::advice::startup_hint;
use crate::parse::Parsed;
use crate::policy::{Policy, Silence};
use crate::problem::{Code, Problem};
use crate::reason::{Reason, ReasonCode};
use crate::triage::{Gate, Triage};

/// The result of a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The run is proven clean.
    Pass,
    /// At least one reason prevents a pass.
    Fail,
    /// leakgate could not read all of its input. Reports show the part that it could read.
    Error,
}

impl Outcome {
    /// Returns the name used in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Error => "error",
        }
    }
}

/// An argument of a check, and the inputs that it resolved to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The argument: a path, a glob, or `-` for standard input.
    pub name: String,
    /// Indices into [`Parsed::inputs`]. Empty if a glob matches no file.
    pub inputs: Vec<usize>,
}

/// Pass or fail, with every reason.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verdict {
    /// The result.
    pub outcome: Outcome,
    /// Every reason for a failure, the most important first. Empty for a pass.
    pub reasons: Vec<Reason>,
    /// Conditions that the policy reports without failing.
    pub warnings: Vec<Reason>,
    /// One line about the checker output: which checkers ran on how many processes, and their
    /// totals.
    pub evidence: String,
    /// Checkers whose silence proves that they found nothing, because leakgate observed them.
    pub verified: Vec<VerifiedChecker>,
}

impl Verdict {
    /// Creates a passing verdict without evidence.
    pub(crate) fn empty() -> Self {
        Self {
            outcome: Outcome::Pass,
            reasons: Vec::new(),
            warnings: Vec::new(),
            evidence: String::new(),
            verified: Vec::new(),
        }
    }

    /// Adds the reasons that the merged runs' own reports give. Some of them, such as a failed
    /// command, can't be derived from the merged data.
    #[must_use]
    fn with_reasons_of(mut self, legs: &Self) -> Self {
        self.reasons.extend(legs.reasons.iter().cloned());
        if !self.reasons.is_empty() && self.outcome == Outcome::Pass {
            self.outcome = Outcome::Fail;
        }
        if legs.outcome == Outcome::Error {
            self.outcome = Outcome::Error;
        }
        self
    }
}

/// The evidence of a run, apart from its findings.
#[derive(Clone, Copy)]
enum Basis<'a> {
    /// Logs that the user names. Each of them must contain checker output.
    Logs(&'a [Source]),
    /// Runs that leakgate observed from their start.
    Observed(&'a ObservedRuns),
}

/// Computes the verdict on logs.
///
/// Each source must contain checker output, unless the policy accepts silent logs.
///
/// ```
/// use leakgate_core::triage::triage;
/// use leakgate_core::verdict::{Source, judge};
/// use leakgate_core::{Date, Gate, NoWorkspace, Options, Outcome, Parser, Policy};
///
/// let mut parser = Parser::new(Options::default());
/// parser.begin("empty.log");
/// let parsed = parser.finish();
/// let gate = Gate::new(Policy::default(), Date::constant(2026, 11, 22));
/// let triage = triage(&parsed, &gate, &NoWorkspace);
///
/// // An empty log proves nothing: maybe the checker never ran.
/// let sources = [Source { name: "empty.log".into(), inputs: vec![0] }];
/// let verdict = judge(&parsed, &triage, &sources, &gate);
/// assert_eq!(verdict.outcome, Outcome::Fail);
/// assert_eq!(verdict.reasons[0].code.as_str(), "no-evidence");
/// ```
pub fn judge(parsed: &Parsed, triage: &Triage, sources: &[Source], gate: &Gate) -> Verdict {
    decide(parsed, triage, Basis::Logs(sources), Vec::new(), gate)
}

/// Computes the verdict on runs that leakgate observed. The silence of a checker that was seen to
/// work proves that it found nothing.
///
/// ```
/// use leakgate_core::triage::triage;
/// use leakgate_core::verdict::{Canary, CheckerRun, ObservedRuns, Termination, judge_observed};
/// use leakgate_core::{Date, Gate, NoWorkspace, Outcome, Parsed, Policy, Tool};
///
/// let parsed = Parsed::default();
/// let gate = Gate::new(Policy::default(), Date::constant(2026, 11, 22));
/// let triage = triage(&parsed, &gate, &NoWorkspace);
/// let mut run = CheckerRun {
///     tools: vec![Tool::Asan],
///     command: "./tests".into(),
///     termination: Termination::Status(0),
///     processes: 3,
///     unchecked_programs: Vec::new(),
///     canary: Canary::Seen,
///     missing: Vec::new(),
///     unproven: Vec::new(),
///     leak_check_disabled: None,
/// };
/// let runs = ObservedRuns { runs: vec![run.clone()] };
/// let verdict = judge_observed(&parsed, &triage, &runs, &gate);
/// assert_eq!(verdict.outcome, Outcome::Pass);
///
/// run.missing.push("process 4711 (./tests) left no report".into());
/// let runs = ObservedRuns { runs: vec![run] };
/// let verdict = judge_observed(&parsed, &triage, &runs, &gate);
/// assert_eq!(verdict.reasons[0].code.as_str(), "missing-report");
/// ```
pub fn judge_observed(
    parsed: &Parsed,
    triage: &Triage,
    observed: &ObservedRuns,
    gate: &Gate,
) -> Verdict {
    let verified = observed.verified_checkers();
    decide(parsed, triage, Basis::Observed(observed), verified, gate)
}

/// Computes the verdict on merged runs, keeping each run's own reasons and verified checkers.
///
/// `legs` is the merged runs' own verdict, as returned by
/// [`document::merge`](crate::document::merge), and `unexpected` states for each finding whether a
/// run failed because of it. Only a rule or the baseline accepts such a finding; a policy that
/// ignores its kind doesn't.
pub fn judge_merged(
    parsed: &Parsed,
    triage: &Triage,
    sources: &[Source],
    legs: &Verdict,
    unexpected: &[bool],
    gate: &Gate,
) -> Verdict {
    let verified = legs.verified.clone();
    let mut legs = legs.clone();
    legs.reasons
        .extend(findings::ignored_by_merge(triage, unexpected));
    decide(parsed, triage, Basis::Logs(sources), verified, gate).with_reasons_of(&legs)
}

fn decide(
    parsed: &Parsed,
    triage: &Triage,
    basis: Basis<'_>,
    verified: Vec<VerifiedChecker>,
    gate: &Gate,
) -> Verdict {
    let policy = &gate.policy;
    let mut reasons = Vec::new();
    let mut warnings = Vec::new();
    findings::unexpected(parsed, triage, gate, &mut reasons);
    findings::expectations(triage, gate, &mut reasons);
    let is_observed = matches!(basis, Basis::Observed(_));
    problems(parsed, policy, is_observed, &mut reasons);
    tools::suppressed(parsed, policy, &mut reasons, &mut warnings);
    tools::missing(parsed, &verified, policy, &mut reasons);
    findings::unused(triage, gate, &mut reasons);
    findings::third_party(parsed, triage, gate, &mut warnings);
    match basis {
        Basis::Logs(sources) => silence(parsed, sources, policy, &mut reasons),
        Basis::Observed(observed) => observed.reasons(parsed, policy, &mut reasons),
    }
    let outcome = if reasons.is_empty() {
        Outcome::Pass
    } else {
        Outcome::Fail
    };
    Verdict {
        outcome,
        reasons,
        warnings,
        evidence: evidence::describe(parsed, triage, &verified),
        verified,
    }
}

/// Appends one reason for each code that fatal problems lead to.
fn problems(parsed: &Parsed, policy: &Policy, is_observed: bool, reasons: &mut Vec<Reason>) {
    for problem in &parsed.problems {
        let code = if is_observed {
            observed::observed_reason(problem)
        } else {
            problem.code.reason()
        };
        let Some(code) = code else { continue };
        if problem.code == Code::LeaksNotShown && !policy.gates_leaks() {
            continue;
        }
        match reasons.iter_mut().find(|r| r.code == code) {
            Some(reason) => reason.count += 1,
            None => reasons.push(Reason {
                code,
                count: 1,
                message: message_with_hint(problem),
            }),
        }
    }
}

/// Returns the problem's message. If the checker failed to start, a known remedy is added.
fn message_with_hint(problem: &Problem) -> String {
    let hint = startup_hint(&problem.message).filter(|_| problem.code == Code::CheckerFailed);
    match hint {
        Some(hint) => format!("{}; {hint}", problem.message.trim_end_matches(':')),
        None => problem.message.clone(),
    }
}

/// Appends the reason for sources without checker output, unless the policy accepts them.
fn silence(parsed: &Parsed, sources: &[Source], policy: &Policy, reasons: &mut Vec<Reason>) {
    if policy.silence == Silence::Pass {
        return;
    }
    // If a fatal problem explains the missing output, silence is not a second reason.
    let has_fatal_problem = |input: usize| {
        let mut problems = parsed.problems.iter();
        problems.any(|p| p.input == input && p.code.reason().is_some())
    };
    let is_explained = |input: &usize| {
        let has_output = parsed.inputs.get(*input).is_some_and(|i| i.has_output);
        has_output || has_fatal_problem(*input)
    };
    let silent: Vec<&Source> = sources
        .iter()
        .filter(|source| !source.inputs.iter().any(is_explained))
        .collect();
    let Some(first) = silent.first() else {
        return;
    };
    let name = match first.name.as_str() {
        "-" => "standard input",
        name => name,
    };
    const NO_FILE_HELP: &str = "check the path, and that the tests wrote their logs";
    const NO_OUTPUT_HELP: &str = "if the tests ran under a sanitizer, set `verbosity=1` in its \
                                  options (such as `ASAN_OPTIONS`), or start them with \
                                  `leakgate run`; set `silence` to `pass` if an empty log \
                                  means success";
    let message = match silent.len() {
        1 if first.inputs.is_empty() => format!("{name} matches no file; {NO_FILE_HELP}"),
        1 => format!("no checker output in {name}; {NO_OUTPUT_HELP}"),
        n => format!(
            "no checker output in {name} and {} more; {NO_OUTPUT_HELP}",
            n - 1
        ),
    };
    reasons.push(Reason {
        code: ReasonCode::NoEvidence,
        count: silent.len() as u64,
        message,
    });
}
