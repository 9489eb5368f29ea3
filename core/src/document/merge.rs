//! Merging of several runs.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use hashbrown::HashMap;

use super::identity::{Frames, Identity};
use super::{Document, PriorFinding, claims};
use crate::model::{Finding, Input};
use crate::parse::Parsed;
use crate::problem::Problem;
use crate::reason::{Reason, ReasonCode};
use crate::triage::Disposition;
use crate::verdict::{Outcome, Source, Verdict};

/// Merges runs, such as the jobs of a matrix, into one. Each run has a name. Findings that are the
/// same in several runs become one finding.
///
/// Also returns the runs as sources for [`judge_merged`](crate::verdict::judge_merged): each run
/// must contain checker output. Runs whose own verdict already reports missing evidence, and runs
/// that leakgate observed, are no sources.
///
/// ```
/// use leakgate_core::document::{Document, merge};
/// use leakgate_core::emit::{self, Format, RenderOptions, Run};
/// use leakgate_core::triage::triage;
/// use leakgate_core::verdict::{Source, judge};
/// use leakgate_core::{Date, Gate, NoWorkspace, Options, Parser, Policy};
///
/// let mut parser = Parser::new(Options::default());
/// parser.begin("run.log");
/// parser.feed(b"==7==ERROR: LeakSanitizer: detected memory leaks\n\n\
///     Direct leak of 4 byte(s) in 1 object(s) allocated from:\n    #0 0x51 in make /src/a.c:3:9\n\n\
///     SUMMARY: LeakSanitizer: 4 byte(s) leaked in 1 allocation(s).\n");
/// let parsed = parser.finish();
/// let gate = Gate::new(Policy::default(), Date::constant(2026, 11, 22));
/// let triage = triage(&parsed, &gate, &NoWorkspace);
/// let sources = [Source { name: "run.log".into(), inputs: vec![0] }];
/// let verdict = judge(&parsed, &triage, &sources, &gate);
/// let run = Run::new(&parsed, &gate, &triage, &verdict);
/// let json = emit::render(&run, Format::Json, &RenderOptions::default());
///
/// let read = || Document::read("run.json", &json).unwrap();
/// let (merged, sources) = merge(vec![("gcc".into(), read()), ("clang".into(), read())]);
/// assert_eq!(merged.parsed.findings.len(), 1);
/// assert_eq!(merged.parsed.findings[0].occurrences, 2);
/// assert_eq!(sources[1].name, "clang");
/// ```
pub fn merge(legs: impl IntoIterator<Item = (String, Document)>) -> (Document, Vec<Source>) {
    let mut merger = Merger::new();
    for (name, document) in legs {
        merger.add(&name, document);
    }
    merger.finish()
}

/// Merges runs one after the other. See [`merge`].
#[derive(Debug)]
pub struct Merger {
    merged: Document,
    sources: Vec<Source>,
    /// Indices of the merged findings by their identity.
    findings: HashMap<Identity, usize>,
    frames: Frames,
}

impl Default for Merger {
    fn default() -> Self {
        Self {
            merged: Document {
                parsed: Parsed::default(),
                verdict: Verdict::empty(),
                findings: Vec::new(),
            },
            sources: Vec::new(),
            findings: HashMap::new(),
            frames: Frames::default(),
        }
    }
}

impl Merger {
    /// Creates a merger without any run.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the merged run, and the runs as sources.
    pub fn finish(self) -> (Document, Vec<Source>) {
        (self.merged, self.sources)
    }

    /// Adds a run with its name.
    pub fn add(&mut self, name: &str, document: Document) {
        let Document {
            mut parsed,
            verdict,
            findings,
        } = document;
        parsed.problems.extend(claims::unexplained(&parsed));
        claims::clear_unproven_output(&mut parsed);
        let reasons = claims::lasting_reasons(&verdict, &parsed, &findings);
        let first_input = self.merged.parsed.inputs.len();
        let first_report = self.merged.parsed.reports.len();
        self.add_verdict(
            name,
            verdict,
            reasons,
            first_input..first_input + parsed.inputs.len(),
        );
        self.frames.begin_run();
        let identify = |finding| self.frames.identify(finding);
        let identities: Vec<Identity> = parsed.findings.iter_mut().map(identify).collect();
        let found = parsed.findings.into_iter().zip(findings).zip(identities);
        let indices: Vec<usize> = found
            .map(|((mut finding, prior), identity)| {
                for instance in &mut finding.instances {
                    instance.input += first_input;
                    instance.report += first_report;
                }
                self.add_finding(finding, prior, identity)
            })
            .collect();
        let merged = &mut self.merged.parsed;
        merged.inputs.extend(parsed.inputs.into_iter().map(|input| {
            let leg = input.leg.unwrap_or_else(|| name.to_owned());
            Input {
                leg: Some(leg),
                ..input
            }
        }));
        for mut report in parsed.reports {
            report.input += first_input;
            for record in &mut report.records {
                record.finding = indices[record.finding];
            }
            merged.reports.push(report);
        }
        let problems = parsed.problems.into_iter().map(|problem| Problem {
            input: problem.input + first_input,
            ..problem
        });
        merged.problems.extend(problems);
    }

    /// Adds the parts of a run's verdict that the merged data doesn't show.
    fn add_verdict(
        &mut self,
        name: &str,
        verdict: Verdict,
        reasons: Vec<Reason>,
        inputs: core::ops::Range<usize>,
    ) {
        let is_silent = reasons.iter().any(|r| r.code == ReasonCode::NoEvidence);
        // Checkers that leakgate observed may print nothing.
        if !is_silent && verdict.verified.is_empty() {
            self.sources.push(Source {
                name: name.to_owned(),
                inputs: inputs.collect(),
            });
        }
        let merged = &mut self.merged.verdict;
        merged
            .reasons
            .extend(reasons.into_iter().map(|reason| Reason {
                message: format!("{name}: {}", reason.message),
                ..reason
            }));
        for checker in verdict.verified {
            checker.add_to(&mut merged.verified);
        }
        if verdict.outcome == Outcome::Error {
            merged.outcome = Outcome::Error;
        }
    }

    /// Adds a finding and returns its index in the merged run.
    fn add_finding(
        &mut self,
        mut finding: Finding,
        prior: PriorFinding,
        identity: Identity,
    ) -> usize {
        let merged = &mut self.merged;
        let next = merged.parsed.findings.len();
        let at = *self.findings.entry(identity).or_insert(next);
        if at == next {
            merged.parsed.findings.push(finding);
            merged.findings.push(prior);
        } else {
            let same = &mut merged.parsed.findings[at];
            same.add_tests(core::mem::take(&mut finding.tests), finding.more_tests);
            same.occurrences += finding.occurrences;
            same.inherited += finding.inherited;
            same.instances.append(&mut finding.instances);
            if prior.disposition() == Disposition::Unexpected {
                merged.findings[at].disposition = prior.disposition;
            }
        }
        at
    }
}
