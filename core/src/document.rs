//! JSON reports (`leakgate/v1`) of earlier runs, read back to be merged or compared.
//!
//! The report doesn't contain everything: the raw text of frames stays empty. Unknown fields, which
//! a newer leakgate may write, are ignored.

mod bounds;
mod claims;
mod identity;
mod merge;
mod untrusted;

use alloc::borrow::{Cow, ToOwned};
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

pub use self::merge::{Merger, merge};
pub use self::untrusted::UntrustedDocument;
use crate::culprit::FrameCache;
use crate::diagnostic::Diagnostic;
use crate::fingerprint::Fingerprint;
use crate::full;
use crate::model::Finding;
use crate::parse::Parsed;
use crate::reason::{Reason, ReasonCode};
use crate::schema::JsonKind;
use crate::triage::Disposition;
use crate::verdict::{Outcome, Verdict};
use crate::wire;

const KIND: JsonKind = JsonKind {
    schema: wire::SCHEMA,
    noun: "JSON report",
    help: "write one with `leakgate check --format json=FILE`",
};

/// A run that was read from its JSON report.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Document {
    /// Inputs, reports, findings and problems.
    pub parsed: Parsed,
    /// The verdict that the report states. Unknown reasons of a newer leakgate become
    /// [`ReasonCode::CommandFailed`].
    pub verdict: Verdict,
    /// The triage results that the report states, in the order of [`Parsed::findings`].
    pub findings: Vec<PriorFinding>,
}

/// The triage result of a finding in an earlier run, as its JSON report states it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PriorFinding {
    /// Identity of the finding. It fits the finding, which was checked when the report was read.
    pub fingerprint: Fingerprint,
    /// Name of the disposition. See [`PriorFinding::disposition`].
    pub disposition: String,
    /// File of the culprit frame. `None` if it is unknown.
    pub file: Option<String>,
    /// Line in the file, from 1. `None` if it is unknown.
    pub line: Option<u32>,
    /// Function of the culprit frame. `None` if it is unknown.
    pub function: Option<String>,
}

/// Reads several JSON reports. They share equal frames, so that similar runs take little memory.
#[derive(Debug, Default)]
pub struct DocumentReader {
    frames: wire::KnownFrames,
    names: FrameCache,
}

/// Why a JSON report can't be used.
enum Fault {
    /// A frame can't be parsed.
    Frame,
    /// A claim is wrong, as the message says.
    Claim(String),
}

impl From<String> for Fault {
    fn from(message: String) -> Self {
        Self::Claim(message)
    }
}

impl DocumentReader {
    /// Parses a JSON report as [`Document::read`] does.
    ///
    /// # Errors
    /// Returns the same errors as [`Document::read`].
    pub fn read(&mut self, file: &str, text: &str) -> Result<Document, Diagnostic> {
        Document::read_with(file, text, self)
    }

    /// Converts a finding, and checks what the report claims about it.
    fn finding(&mut self, mut wire: wire::Finding<'_>) -> Result<(Finding, PriorFinding), Fault> {
        let stated = mem::take(&mut wire.fingerprint);
        let severity = mem::take(&mut wire.severity);
        let disposition = mem::take(&mut wire.disposition).into_owned();
        let location = wire.location.take();
        let finding = wire.into_model(&mut self.frames);
        let finding = finding.map_err(|_| Fault::Frame)?;
        let fingerprint = claims::verified_fingerprint(&stated, &finding, &mut self.names)?;
        let (file, line, function) =
            location.map_or((None, None, None), |at| (at.file, at.line, at.function));
        let prior = PriorFinding {
            fingerprint,
            disposition,
            file: file.map(Cow::into_owned),
            line,
            function: function.map(Cow::into_owned),
        };
        claims::check_severity(&severity, &prior)?;
        Ok((finding, prior))
    }
}

impl PriorFinding {
    /// Returns the location as `FILE:LINE`. Returns `None` if the file is unknown.
    pub fn location(&self) -> Option<String> {
        let file = self.file.as_deref()?;
        Some(
            self.line
                .map_or_else(|| file.to_owned(), |line| format!("{file}:{line}")),
        )
    }

    /// Returns the disposition. An unknown name means [`Disposition::Unexpected`].
    pub fn disposition(&self) -> Disposition {
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
    /// Parses a JSON report. `file` is its name in error messages.
    ///
    /// ```
    /// use leakgate_core::document::Document;
    ///
    /// let error = Document::read("run.json", "{}").unwrap_err();
    /// assert_eq!(error.message, "not a leakgate JSON report");
    /// ```
    ///
    /// # Errors
    /// Returns one diagnostic with its line: malformed JSON, an unsupported schema, contradictory
    /// numbers, or more data than leakgate ever writes.
    pub fn read(file: &str, text: &str) -> Result<Self, Diagnostic> {
        DocumentReader::default().read(file, text)
    }

    fn read_with(file: &str, text: &str, reader: &mut DocumentReader) -> Result<Self, Diagnostic> {
        full::require();
        let text = text.trim_start_matches('\u{feff}');
        // A report has only one line, and a fork may have written it: the error doesn't quote it.
        let without_source = |error| Diagnostic {
            source: String::new(),
            ..KIND.parse_error(file, text, &error)
        };
        let report: wire::Report<'_> = serde_json::from_str(text).map_err(without_source)?;
        let invalid = |message: String| Diagnostic::at_line(file, "", 0, message);
        if report.schema != wire::SCHEMA {
            return Err(KIND.schema_error(file, &report.schema));
        }
        let outcome = match &*report.verdict.outcome {
            "pass" => Outcome::Pass,
            "fail" => Outcome::Fail,
            "error" => Outcome::Error,
            other => return Err(invalid(format!("unknown outcome `{other}`"))),
        };
        if !has_valid_indices(&report) {
            return Err(invalid(String::from(
                "an index of an input, a report or a finding is out of range",
            )));
        }
        if let Some(message) = bounds::exceeded(&report).or_else(|| bounds::contradiction(&report))
        {
            return Err(invalid(message));
        }
        Self::from_wire(report, outcome, reader).map_err(|fault| match fault {
            Fault::Claim(message) => invalid(message),
            Fault::Frame => match wire::frame_error(text) {
                Some(error) => without_source(error),
                None => invalid(String::from("a frame can't be parsed")),
            },
        })
    }

    /// Returns the fingerprint of each finding.
    pub fn fingerprints(&self) -> Vec<Fingerprint> {
        let findings = self.findings.iter();
        findings.map(|prior| prior.fingerprint.clone()).collect()
    }

    /// Returns for each finding whether the report states that it fails the gate.
    pub fn unexpected(&self) -> Vec<bool> {
        let findings = self.findings.iter();
        findings
            .map(|finding| finding.disposition() == Disposition::Unexpected)
            .collect()
    }

    /// Returns the reason why the run may have missed findings. Returns `None` if the run is
    /// complete, so findings that it doesn't have are fixed.
    pub fn incomplete_reason(&self) -> Option<&str> {
        let mut problems = self.parsed.problems.iter();
        if let Some(problem) = problems.find(|p| p.code.reason().is_some()) {
            return Some(&problem.message);
        }
        if let Some(reason) = underivable_reasons(&self.verdict).next() {
            return Some(&reason.message);
        }
        (self.verdict.outcome == Outcome::Error).then_some("some inputs could not be read")
    }

    fn from_wire(
        report: wire::Report<'_>,
        outcome: Outcome,
        reader: &mut DocumentReader,
    ) -> Result<Self, Fault> {
        let verdict = report.verdict;
        let mut findings = Vec::with_capacity(report.findings.len());
        let mut all = Vec::with_capacity(report.findings.len());
        for finding in report.findings {
            let (finding, prior) = reader.finding(finding)?;
            all.push(finding);
            findings.push(prior);
        }
        Ok(Self {
            parsed: Parsed {
                inputs: report.inputs.into_iter().map(Into::into).collect(),
                reports: report
                    .reports
                    .into_iter()
                    .map(|report| Box::new(report.into()))
                    .collect(),
                findings: all,
                problems: report.problems.into_iter().map(Into::into).collect(),
            },
            verdict: Verdict {
                outcome,
                reasons: verdict.reasons.into_iter().map(Into::into).collect(),
                warnings: verdict.warnings.into_iter().map(Into::into).collect(),
                evidence: verdict.evidence.into_owned(),
                verified: verdict.watched.into_iter().map(Into::into).collect(),
            },
            findings,
        })
    }
}

/// Returns the reasons that can't be derived from the parsed data: silence, a failed command, a
/// missing report.
fn underivable_reasons(verdict: &Verdict) -> impl Iterator<Item = &Reason> {
    verdict.reasons.iter().filter(|reason| {
        matches!(
            reason.code,
            ReasonCode::NoEvidence | ReasonCode::CommandFailed | ReasonCode::MissingReport
        )
    })
}

/// Returns true if every index refers to an existing input, report or finding.
fn has_valid_indices(report: &wire::Report<'_>) -> bool {
    let inputs = report.inputs.len();
    let reports = report.reports.len();
    let findings = report.findings.len();
    let is_valid_finding = |finding: &wire::Finding<'_>| {
        let mut instances = finding.instances.iter();
        instances.all(|i| i.input < inputs && (i.report < reports || reports == 0))
    };
    let is_valid_report = |report: &wire::CheckerReport<'_>| {
        let mut records = report.records.iter();
        report.input < inputs && records.all(|(finding, _)| *finding < findings)
    };
    let mut problems = report.problems.iter();
    report.reports.iter().all(is_valid_report)
        && report.findings.iter().all(is_valid_finding)
        && problems.all(|p| p.input < inputs || inputs == 0)
}
