//! Triage and policy become pass or fail, with every reason.
//!
//! Nothing here looks at how a verdict is shown, and no document decides anything.

mod findings;
mod tools;
pub(crate) mod watched;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::model::{Kind, Tool};
use crate::parse::Parsed;
use crate::problem::{Code, Problem};
use crate::rules::config::{kind_named, tool_named};
use crate::rules::selector::KindSet;
use crate::triage::{Gate, Triage};

pub use self::watched::{Canary, End, Ran, Vouched, Watched};

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// Why a gate fails.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum ReasonCode { $($(#[$doc])* $name,)* }

        impl ReasonCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name, in kebab-case.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

reasons! {
    /// A finding that nobody accepted.
    UnexpectedFinding = "unexpected-finding";
    /// A rule matched more than its limit; all of it fails.
    OverLimit = "over-limit";
    /// A rule that matches has expired.
    ExpiredRule = "expired-rule";
    /// A rule did not match as often as it must, so the run is not trusted.
    ExpectationMissed = "expectation-missed";
    /// A known finding has grown.
    GrownFinding = "grown-finding";
    /// A report ends before its end, or can't be read.
    TruncatedReport = "truncated-report";
    /// Two processes wrote into one report.
    InterleavedReport = "interleaved-report";
    /// What a checker stated differs from what was read.
    UnreconciledReport = "unreconciled-report";
    /// A checker did not show all that it found.
    UnseenFindings = "unseen-findings";
    /// Leaks were counted and not shown.
    LeaksNotShown = "leaks-not-shown";
    /// A checker's own suppressions hid something.
    ToolSuppressed = "tool-suppressed";
    /// A report that the policy requires is not there.
    MissingReport = "missing-report";
    /// The tested command failed.
    CommandFailed = "command-failed";
    /// A rule matches nothing.
    UnusedRule = "unused-rule";
    /// A finding without a frame of one's own.
    ThirdParty = "third-party";
    /// An input holds nothing that a checker said.
    NoEvidence = "no-evidence";
}

impl ReasonCode {
    /// True when it is about findings, each of which stands in a document by itself.
    pub const fn is_about_findings(self) -> bool {
        matches!(
            self,
            Self::UnexpectedFinding | Self::OverLimit | Self::ExpiredRule | Self::GrownFinding
        )
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Proved clean.
    Pass,
    /// At least one reason against it.
    Fail,
    /// leakgate could not do its work; what it could read is still shown.
    Error,
}

impl Outcome {
    /// The name, as it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Error => "error",
        }
    }
}

/// One reason of a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// What it is.
    pub code: ReasonCode,
    /// How many findings, problems or inputs stand behind it.
    pub count: u64,
    /// In words.
    pub message: String,
}

/// What an input without any checker output means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Silence {
    /// It proves nothing: the gate fails.
    #[default]
    Fail,
    /// A silent log is what a clean run looks like.
    Pass,
}

/// How much something matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Not at all.
    Allow,
    /// It is said.
    #[default]
    Warn,
    /// It fails.
    Fail,
}

impl Level {
    /// The name, as it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// What fails the gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Kinds of findings to fail on.
    pub(crate) fail_on: Vec<KindSet>,
    /// Tools of which a complete report is needed.
    pub require: Vec<Tool>,
    /// What silence means.
    pub silence: Silence,
    /// Rules that match nothing although their tool ran.
    pub unused_rules: Level,
    /// Findings in a library of somebody else, without a frame that may be one's own; below
    /// [`Level::Fail`] they are not gated.
    pub third_party: Level,
    /// What a checker's own suppressions hid.
    pub tool_suppressed: Level,
    /// So many days before a rule expires it is said.
    pub expiry_warning_days: u32,
}

impl Default for Policy {
    fn default() -> Self {
        let kinds = [
            Kind::LEAK_DEFINITE,
            Kind::LEAK_INDIRECT,
            Kind::LEAK_POSSIBLE,
            Kind::FD_LEAK,
        ];
        Self {
            fail_on: core::iter::once(KindSet::Errors)
                .chain(kinds.map(KindSet::One))
                .collect(),
            require: Vec::new(),
            silence: Silence::Fail,
            unused_rules: Level::Warn,
            third_party: Level::Fail,
            tool_suppressed: Level::Allow,
            expiry_warning_days: 14,
        }
    }
}

impl Policy {
    /// True when a finding of this kind fails the gate unless somebody accepted it.
    pub fn gates(&self, kind: &Kind) -> bool {
        self.fail_on.iter().any(|set| set.holds(kind))
    }

    /// True when leaks of any kind fail the gate.
    pub fn gates_leaks(&self) -> bool {
        let leaks = [
            Kind::LEAK_DEFINITE,
            Kind::LEAK_INDIRECT,
            Kind::LEAK_POSSIBLE,
            Kind::LEAK_REACHABLE,
        ];
        leaks.iter().any(|kind| self.gates(kind))
    }

    /// A tool by the name that a person writes.
    ///
    /// # Errors
    /// What was probably meant.
    pub fn tool(name: &str) -> Result<Tool, String> {
        tool_named(name)
    }

    /// Sets the kinds to fail on, by the words of `fail-on`.
    ///
    /// # Errors
    /// What is wrong with a word, and what was probably meant.
    pub fn set_fail_on<'a>(
        &mut self,
        words: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), (String, Option<String>)> {
        self.fail_on = words
            .into_iter()
            .map(kind_named)
            .collect::<Result<_, _>>()?;
        Ok(())
    }
}

/// Something that was named to be checked, and the inputs that it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// As it was named: a path, a pattern, `-`.
    pub name: String,
    /// Indices into the inputs; empty when a pattern matches nothing.
    pub inputs: Vec<usize>,
}

/// Pass or fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// How it ended.
    pub outcome: Outcome,
    /// Every reason against it, most important first.
    pub reasons: Vec<Reason>,
    /// What the policy wants said although it does not fail.
    pub warnings: Vec<Reason>,
    /// What was proved, in one line; what was seen, where the gate fails.
    pub evidence: String,
    /// Checkers whose silence is a proof, since they were watched.
    pub watched: Vec<Vouched>,
}

impl Verdict {
    /// The verdict of a run that was merged of legs: with what they say against themselves that
    /// can't be told again.
    #[must_use]
    fn of_legs(mut self, legs: &Self) -> Self {
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

/// What a verdict rests on, beside findings.
#[derive(Clone, Copy)]
enum Basis<'a> {
    /// Logs that somebody named: each has to say something.
    Logs(&'a [Source]),
    /// A command that was watched from its start.
    Watched(&'a Watched),
}

/// Decides about logs.
pub fn judge(parsed: &Parsed, triage: &Triage, sources: &[Source], gate: &Gate) -> Verdict {
    decide(parsed, triage, Basis::Logs(sources), Vec::new(), gate)
}

/// Decides about a command that ran under checkers: silence of a checker that was seen to work is a
/// proof.
pub fn judge_watched(parsed: &Parsed, triage: &Triage, watched: &Watched, gate: &Gate) -> Verdict {
    decide(
        parsed,
        triage,
        Basis::Watched(watched),
        watched.vouched(),
        gate,
    )
}

/// Decides about runs that were merged of legs, with what these say for and against themselves that
/// can't be told again.
pub fn judge_legs(
    parsed: &Parsed,
    triage: &Triage,
    sources: &[Source],
    legs: &Verdict,
    gate: &Gate,
) -> Verdict {
    decide(
        parsed,
        triage,
        Basis::Logs(sources),
        legs.watched.clone(),
        gate,
    )
    .of_legs(legs)
}

fn decide(
    parsed: &Parsed,
    triage: &Triage,
    basis: Basis<'_>,
    vouched: Vec<Vouched>,
    gate: &Gate,
) -> Verdict {
    let mut reasons = Vec::new();
    let mut warnings = Vec::new();
    findings::unexpected(parsed, triage, gate, &mut reasons);
    findings::expectations(triage, gate, &mut reasons);
    problems(
        parsed,
        &gate.policy,
        matches!(basis, Basis::Watched(_)),
        &mut reasons,
    );
    tools::suppressed(parsed, &gate.policy, &mut reasons, &mut warnings);
    tools::missing(parsed, &vouched, &gate.policy, &mut reasons);
    findings::unused(triage, gate, &mut reasons);
    findings::third_party(parsed, triage, gate, &mut warnings);
    match basis {
        Basis::Logs(sources) => silence(parsed, sources, &gate.policy, &mut reasons),
        Basis::Watched(watched) => watched.reasons(parsed, &gate.policy, &mut reasons),
    }
    let outcome = if reasons.is_empty() {
        Outcome::Pass
    } else {
        Outcome::Fail
    };
    let evidence = crate::evidence::sentence(parsed, triage, &vouched);
    Verdict {
        outcome,
        reasons,
        warnings,
        evidence,
        watched: vouched,
    }
}

fn problems(parsed: &Parsed, policy: &Policy, is_watched: bool, reasons: &mut Vec<Reason>) {
    let ungated = !policy.gates_leaks();
    for problem in &parsed.problems {
        let code = if is_watched {
            watched::reason_of(problem)
        } else {
            problem.code.reason()
        };
        let Some(code) = code else { continue };
        if ungated && problem.code == Code::LeaksNotShown {
            continue;
        }
        match reasons.iter_mut().find(|r| r.code == code) {
            Some(reason) => reason.count += 1,
            None => reasons.push(Reason {
                code,
                count: 1,
                message: explained(problem),
            }),
        }
    }
}

/// What happened, and where a checker failed, what helps.
fn explained(problem: &Problem) -> String {
    match crate::advice::refusal(&problem.message).filter(|_| problem.code == Code::CheckerFailed) {
        Some(help) => format!("{}; {help}", problem.message.trim_end_matches(':')),
        None => problem.message.clone(),
    }
}

fn silence(parsed: &Parsed, sources: &[Source], policy: &Policy, reasons: &mut Vec<Reason>) {
    if policy.silence == Silence::Pass {
        return;
    }
    // Where a fatal problem tells why nothing was proved, silence is no second reason.
    let failed = |input: &usize| {
        parsed
            .problems
            .iter()
            .any(|p| p.input == *input && p.code.reason().is_some())
    };
    let speaks =
        |input: &usize| parsed.inputs.get(*input).is_some_and(|i| i.spoke) || failed(input);
    let silent: Vec<&str> = sources
        .iter()
        .filter(|s| !s.inputs.iter().any(speaks))
        .map(|s| s.name.as_str())
        .collect();
    let (Some(first), count) = (silent.first(), silent.len() as u64) else {
        return;
    };
    let nothing = sources
        .iter()
        .any(|s| s.name == *first && s.inputs.is_empty());
    let what = match count {
        1 if nothing => format!("{first} matches no file"),
        1 => format!("{first} holds no output of a checker"),
        n => format!("{first} and {} more hold no output of a checker", n - 1),
    };
    let ways = "a silent log is no proof: have the checker speak (verbosity=1), or say --silence pass if silence is what a clean run looks like";
    reasons.push(Reason {
        code: ReasonCode::NoEvidence,
        count,
        message: format!("{what}; {ways}"),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_gate_lets_reachable_blocks_and_inherited_descriptors_pass() {
        let policy = Policy::default();
        for (kind, gated) in [
            (Kind::LEAK_DEFINITE, true),
            (Kind::LEAK_INDIRECT, true),
            (Kind::LEAK_POSSIBLE, true),
            (Kind::LEAK_REACHABLE, false),
            (Kind::FD_LEAK, true),
            (Kind::FD_INHERITED, false),
            (Kind::own("heap-use-after-free"), true),
        ] {
            assert_eq!(policy.gates(&kind), gated, "{kind}");
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = ReasonCode::ALL.iter().map(|c| c.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ReasonCode::ALL.len());
    }
}
