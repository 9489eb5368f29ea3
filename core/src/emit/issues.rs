//! Issues, as services list them: a reason of the verdict, or a group of unexpected findings, each
//! with one place.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use hashbrown::HashSet;

use super::annotations::{self, Annotation};
use super::group::{Group, groups};
use super::location::{self, Location};
use super::{FindingInRun, Run, summary};
use crate::advice::{self, Help, Risk};
use crate::reason::Reason;
use crate::triage::Disposition;

/// A reason of the verdict, or a group of unexpected findings. Its texts are not escaped.
pub(super) struct Issue<'a> {
    /// The fingerprint of the findings, or a name for the reason. Unique within the run, and the
    /// same in other runs.
    pub(super) id: String,
    /// The kind of the findings, or the code of the reason.
    pub(super) code: String,
    pub(super) severity: Severity,
    /// A sentence without a full stop.
    pub(super) headline: String,
    /// The place in the repository, or else in the log or in a file of rules.
    pub(super) location: Location,
    subject: Subject<'a>,
}

enum Subject<'a> {
    Reason(&'a Reason),
    Findings(Group<'a>),
}

/// How bad an issue is. All of them fail the gate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Severity {
    /// The result is incomplete.
    Blocker,
    /// The program may read or write memory that it doesn't own.
    Critical,
    Major,
    Minor,
    Info,
}

/// Returns the reasons that aren't about findings, then the unexpected findings, the worst first.
pub(super) fn issues<'a>(run: &Run<'a>) -> Vec<Issue<'a>> {
    let reasons = run.verdict.reasons.iter();
    let reasons = reasons
        .filter(|reason| !reason.code.is_about_findings())
        .map(|reason| Issue::of_reason(reason, run));
    let findings = groups(run, Disposition::Unexpected).into_iter();
    let findings = findings.map(|group| Issue::of_findings(group, run));
    let mut issues: Vec<Issue<'a>> = reasons.chain(findings).collect();
    let mut used = HashSet::new();
    for issue in &mut issues {
        // A leak may be definite in one process and possible in another.
        if !used.insert(issue.id.clone()) {
            issue.id = format!("{}-{}", issue.id, issue.code);
        }
    }
    issues
}

impl<'a> Issue<'a> {
    fn of_reason(reason: &'a Reason, run: &Run<'_>) -> Self {
        Self {
            id: format!("leakgate-{}", reason.code),
            code: reason.code.to_string(),
            severity: Severity::Blocker,
            headline: reason.message.clone(),
            location: location::reason_location(reason.code, run),
            subject: Subject::Reason(reason),
        }
    }

    fn of_findings(group: Group<'a>, run: &Run<'_>) -> Self {
        let FindingInRun {
            finding, triaged, ..
        } = group.first();
        let severity = match advice::for_kind(&finding.kind).risk {
            Risk::Security(_) => Severity::Critical,
            Risk::Error | Risk::Leak => Severity::Major,
            Risk::Possible => Severity::Minor,
            Risk::Untidy => Severity::Info,
        };
        let location = location::finding_location(finding, triaged, run);
        Self {
            id: triaged.fingerprint.to_string(),
            code: finding.kind.to_string(),
            severity,
            headline: summary::headline(&group, run),
            location: location.unwrap_or_else(|| location::log_location(finding, run)),
            subject: Subject::Findings(group),
        }
    }

    /// Returns the advice about the findings. `None` for a reason.
    pub(super) fn help(&self) -> Option<&'static Help> {
        self.group()
            .map(|group| advice::for_kind(&group.first().finding.kind))
    }

    /// Returns the findings. `None` for a reason.
    pub(super) fn group(&self) -> Option<&Group<'a>> {
        match &self.subject {
            Subject::Findings(group) => Some(group),
            Subject::Reason(_) => None,
        }
    }

    /// Returns a message of several lines and the stacks. Both are escaped for terminals.
    pub(super) fn annotation(&self, run: &Run<'_>) -> Annotation {
        match &self.subject {
            Subject::Findings(group) => annotations::of_findings(group, run),
            Subject::Reason(reason) => annotations::of_reason(reason, run),
        }
    }
}
