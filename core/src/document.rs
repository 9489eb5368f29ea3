//! Reading a `leakgate/v1` document back, so that several runs can be joined or compared.
//!
//! What the document does not hold (the raw text of a frame) stays empty; fields of a newer
//! leakgate are passed over.

mod bounds;
mod claims;
mod fields;
mod merge;
mod raw;

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

pub use self::claims::Claims;
pub use self::merge::merge;
use self::raw::{
    Raw, RawFinding, RawReason, RawVerdict, finding, inconsistent, input, problem, report,
};
use crate::mistake::Mistake;
use crate::parse::Parsed;
use crate::triage::Disposition;
use crate::verdict::{Outcome, Reason, ReasonCode, Verdict};

/// A run, as its document tells of it.
#[derive(Clone, Debug)]
pub struct Document {
    /// What was read.
    pub parsed: Parsed,
    /// How it ended, as the document says. A reason that this version does not know is a command
    /// that failed.
    pub verdict: Verdict,
    /// One for each finding of `parsed`.
    pub seen: Vec<Seen>,
}

/// What the document says of a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its identity.
    pub fingerprint: String,
    /// What became of it.
    pub disposition: String,
    /// The file, where it is known.
    pub file: Option<String>,
    /// The line in it.
    pub line: Option<u32>,
    /// The function to look at.
    pub function: Option<String>,
}

impl Seen {
    /// `file:line`, where it is known.
    pub fn place(&self) -> Option<String> {
        let file = self.file.as_deref()?;
        Some(
            self.line
                .map_or_else(|| file.to_owned(), |line| format!("{file}:{line}")),
        )
    }

    /// What the document says; what it does not say, or nobody knows, is unexpected.
    pub fn said(&self) -> Disposition {
        let known = [
            Disposition::Allowed,
            Disposition::Baseline,
            Disposition::NotGated,
        ];
        known
            .into_iter()
            .find(|d| d.as_str() == self.disposition)
            .unwrap_or(Disposition::Unexpected)
    }
}

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// One mistake, with its line.
    pub fn read(file: &str, text: &str) -> Result<Self, Mistake> {
        let raw: Raw = fields::read(text.trim_start_matches('\u{feff}')).map_err(|e| {
            let message = format!("{e}");
            let message = message
                .rsplit_once(" at line ")
                .map_or(message.as_str(), |(head, _)| head);
            let mut mistake = Mistake::at_line(
                file,
                "",
                u32::try_from(e.line()).unwrap_or(0),
                format!("this is no document of leakgate: {message}"),
            );
            mistake.column = u32::try_from(e.column()).unwrap_or(0);
            mistake
        })?;
        let wrong = |what: String| Mistake::at_line(file, "", 0, what);
        if raw.schema != "leakgate/v1" {
            return Err(wrong(format!(
                "the schema is `{}`, this version of leakgate reads `leakgate/v1`",
                raw.schema
            )));
        }
        let outcome = match raw.verdict.outcome.as_str() {
            "pass" => Outcome::Pass,
            "fail" => Outcome::Fail,
            "error" => Outcome::Error,
            other => return Err(wrong(format!("`{other}` is no outcome"))),
        };
        let (findings, inputs, reports) = (raw.findings.len(), raw.inputs.len(), raw.reports.len());
        let holds = raw
            .reports
            .iter()
            .all(|r| r.input < inputs && r.records.iter().all(|(f, _)| *f < findings))
            && raw.findings.iter().all(|f| {
                f.instances
                    .iter()
                    .all(|i| i.input < inputs && (i.report < reports || reports == 0))
            })
            && raw.problems.iter().all(|p| p.input < inputs || inputs == 0);
        if !holds {
            return Err(wrong(String::from(
                "the document refers to an input, a report or a finding that it does not hold",
            )));
        }
        if let Some(what) = bounds::exceeded(&raw).or_else(|| inconsistent(&raw)) {
            return Err(wrong(what));
        }
        Ok(Self::of(raw, outcome))
    }

    /// Reasons that can't be told again from what was read: silence, a command that failed.
    pub fn kept_reasons(&self) -> impl Iterator<Item = &Reason> {
        let kept = [
            ReasonCode::NoEvidence,
            ReasonCode::CommandFailed,
            ReasonCode::MissingReport,
        ];
        self.verdict
            .reasons
            .iter()
            .filter(move |reason| kept.contains(&reason.code))
    }

    /// Why the run did not see all that there was: what it does not tell of may still be there.
    pub fn unread(&self) -> Option<&str> {
        let cut = self
            .parsed
            .problems
            .iter()
            .find(|p| p.code.reason().is_some())
            .map(|p| p.message.as_str());
        let silent = || {
            self.kept_reasons()
                .next()
                .map(|reason| reason.message.as_str())
        };
        let failed =
            || (self.verdict.outcome == Outcome::Error).then_some("not everything could be read");
        cut.or_else(silent).or_else(failed)
    }

    fn of(raw: Raw, outcome: Outcome) -> Self {
        let RawVerdict {
            reasons,
            warnings,
            evidence,
            watched,
            ..
        } = raw.verdict;
        let verdict = Verdict {
            outcome,
            reasons: reasons.into_iter().map(reason).collect(),
            warnings: warnings.into_iter().map(reason).collect(),
            evidence,
            watched: watched.into_iter().map(raw::vouched).collect(),
        };
        let seen = raw.findings.iter().map(seen).collect();
        Self {
            verdict,
            seen,
            parsed: Parsed {
                inputs: raw.inputs.into_iter().map(input).collect(),
                reports: raw.reports.into_iter().map(report).collect(),
                findings: raw.findings.into_iter().map(finding).collect(),
                problems: raw.problems.into_iter().map(problem).collect(),
            },
        }
    }
}

fn reason(raw: RawReason) -> Reason {
    match ReasonCode::ALL
        .iter()
        .find(|code| code.as_str() == raw.code)
    {
        Some(code) => Reason {
            code: *code,
            count: raw.count,
            message: raw.message,
        },
        None => {
            let message = format!(
                "{} [{}, which this version does not know]",
                raw.message, raw.code
            );
            Reason {
                code: ReasonCode::CommandFailed,
                count: raw.count,
                message,
            }
        }
    }
}

fn seen(raw: &RawFinding) -> Seen {
    let location = raw.location.as_ref();
    Seen {
        fingerprint: raw.fingerprint.clone(),
        disposition: raw.disposition.clone(),
        file: location.and_then(|l| l.file.clone()),
        line: location.and_then(|l| l.line),
        function: location.and_then(|l| l.function.clone()),
    }
}
