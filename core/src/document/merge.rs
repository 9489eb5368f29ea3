//! Several runs as one.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use hashbrown::HashMap;

use super::Document;
use crate::model::{Finding, Input, Text};
use crate::parse::Parsed;
use crate::problem::Problem;
use crate::verdict::{Outcome, Reason, ReasonCode, Source, Verdict};

/// Joins the runs of several legs, each with its name, into one. Records that are the same in all
/// legs become one finding.
///
/// Beside the run come the legs as sources for [`crate::judge`]: each has to prove something,
/// unless its own verdict says already that it does not.
pub fn merge(legs: Vec<(String, Document)>) -> (Document, Vec<Source>) {
    let mut sources = Vec::new();
    let verdict = Verdict {
        outcome: Outcome::Pass,
        reasons: Vec::new(),
        warnings: Vec::new(),
        evidence: String::new(),
        watched: Vec::new(),
    };
    let mut all = Document {
        parsed: Parsed::default(),
        verdict,
        seen: Vec::new(),
    };
    let mut known: HashMap<String, usize> = HashMap::new();
    for (leg, document) in legs {
        let reasons: Vec<Reason> = document.kept_reasons().cloned().collect();
        let out = &mut all.parsed;
        let (inputs, reports) = (out.inputs.len(), out.reports.len());
        // A checker that was watched may have been silent.
        if reasons.iter().all(|r| r.code != ReasonCode::NoEvidence)
            && document.verdict.watched.is_empty()
        {
            sources.push(Source {
                name: leg.clone(),
                inputs: (inputs..inputs + document.parsed.inputs.len()).collect(),
            });
        }
        out.inputs
            .extend(document.parsed.inputs.into_iter().map(|i| Input {
                leg: Some(i.leg.unwrap_or_else(|| leg.clone())),
                ..i
            }));
        let mut places = Vec::with_capacity(document.parsed.findings.len());
        for (mut finding, seen) in document.parsed.findings.into_iter().zip(document.seen) {
            for instance in &mut finding.instances {
                (instance.input, instance.report) =
                    (instance.input + inputs, instance.report + reports);
            }
            let next = out.findings.len();
            let at = *known.entry(identity(&finding)).or_insert(next);
            places.push(at);
            if at == next {
                out.findings.push(finding);
                all.seen.push(seen);
            } else {
                let same = &mut out.findings[at];
                same.occurrences += finding.occurrences;
                same.inherited += finding.inherited;
                same.instances.append(&mut finding.instances);
            }
        }
        for mut report in document.parsed.reports {
            report.input += inputs;
            report
                .entries
                .iter_mut()
                .for_each(|e| e.finding = places[e.finding]);
            out.reports.push(report);
        }
        out.problems
            .extend(document.parsed.problems.into_iter().map(|p| Problem {
                input: p.input + inputs,
                ..p
            }));
        let told = reasons.into_iter().map(|reason| Reason {
            message: format!("{leg}: {}", reason.message),
            ..reason
        });
        all.verdict.reasons.extend(told);
        document
            .verdict
            .watched
            .into_iter()
            .for_each(|vouched| vouched.add_to(&mut all.verdict.watched));
        if document.verdict.outcome == Outcome::Error {
            all.verdict.outcome = Outcome::Error;
        }
    }
    (all, sources)
}

/// What makes two findings one: everything but addresses and places in logs.
fn identity(finding: &Finding) -> String {
    let mut out = format!("{}\n{}\n{}\n", finding.tool, finding.kind, finding.title);
    if let Some(leak) = finding.leak {
        out += &format!(
            "{} {} {} {}\n",
            leak.bytes, leak.blocks, leak.direct_bytes, leak.indirect_bytes
        );
    }
    for stack in &finding.stacks {
        out += stack.role.as_str();
        for frame in &stack.frames {
            let site = &frame.site;
            let text = |t: &Option<Text>| t.as_deref().unwrap_or("-").to_owned();
            out += &format!("\n{} {}", text(&site.function), text(&site.file));
            out += &format!(":{}:{}", site.line.unwrap_or(0), site.column.unwrap_or(0));
            out += &format!(
                " {} {:x} {}",
                text(&site.module),
                site.offset.unwrap_or(0),
                frame.inlined
            );
        }
        out.push('\n');
    }
    out
}
