//! Runs that can't be points, because a part of their report is missing. It would look as if
//! memory had been freed.

use alloc::format;
use alloc::string::String;

use crate::model::{Kind, Report, Tool};
use crate::numbers::count;
use crate::parse::Parsed;
use crate::problem::Code;
use crate::reason::ReasonCode;
use crate::verdict::{Outcome, Verdict};

/// The reason why a run can't be a point.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Gap {
    /// What is missing.
    pub message: String,
    /// How to get it. `None` if the message says so, or if it is unknown.
    pub help: Option<&'static str>,
}

const SHOW_ALL: &str = "run memcheck with --leak-check=full --show-leak-kinds=all";

/// Returns the reason why a run can't be a point. `None` if its reports are complete and list all
/// memory that was in use.
///
/// What a verdict says about findings and rules doesn't matter.
///
/// ```
/// use leakgate_core::growth::gap;
/// use leakgate_core::triage::triage;
/// use leakgate_core::verdict::{Source, judge};
/// use leakgate_core::{Date, Gate, NoWorkspace, Options, Parser, Policy};
///
/// let mut parser = Parser::new(Options::default());
/// parser.begin("run.log");
/// let parsed = parser.finish();
/// let gate = Gate::new(Policy::default(), Date::constant(2026, 11, 22));
/// let triage = triage(&parsed, &gate, &NoWorkspace);
/// let sources = [Source { name: "run.log".into(), inputs: vec![0] }];
/// let verdict = judge(&parsed, &triage, &sources, &gate);
/// assert!(gap(&parsed, &verdict).unwrap().message.starts_with("no checker output"));
/// ```
pub fn gap(parsed: &Parsed, verdict: &Verdict) -> Option<Gap> {
    let mut problems = parsed.problems.iter();
    if let Some(problem) = problems.find(|problem| problem.code == Code::LeaksNotShown) {
        return Some(Gap {
            message: problem.message.clone(),
            help: None,
        });
    }
    let is_gap = |code: ReasonCode| {
        !code.is_about_findings()
            && !matches!(
                code,
                ReasonCode::ExpectationMissed
                    | ReasonCode::ToolSuppressed
                    | ReasonCode::UnusedRule
                    | ReasonCode::ThirdParty
            )
    };
    if let Some(reason) = verdict.reasons.iter().find(|reason| is_gap(reason.code)) {
        return Some(Gap {
            message: reason.message.clone(),
            help: None,
        });
    }
    if verdict.outcome == Outcome::Error {
        return Some(Gap {
            message: "some inputs could not be read".into(),
            help: None,
        });
    }
    if !parsed.reports.is_empty() && parsed.reports.iter().all(|report| ignores_leaks(report)) {
        return Some(Gap {
            message: "none of its reports is about leaks".into(),
            help: Some(SHOW_ALL),
        });
    }
    let mut reports = parsed.reports.iter();
    reports.find_map(|report| hidden_reachable(report, parsed))
}

/// Returns true if a report comes from a checker that looks for other errors only.
fn ignores_leaks(report: &Report) -> bool {
    let is_other = matches!(
        report.tool,
        Tool::Helgrind | Tool::Drd | Tool::Tsan | Tool::Msan | Tool::Ubsan | Tool::GoRace
    );
    is_other && report.totals.leaked.is_none()
}

/// Returns the gap if memcheck doesn't list reachable blocks, and a log without them isn't proof
/// that there are none.
fn hidden_reachable(report: &Report, parsed: &Parsed) -> Option<Gap> {
    let is_reachable = |at: usize| {
        let finding = parsed.findings.get(at);
        finding.filter(|finding| finding.kind == Kind::LEAK_REACHABLE)
    };
    let blocks = report.records.iter().filter_map(|record| {
        let leak = is_reachable(record.finding)?.leak?;
        Some(leak.times(record.count).blocks)
    });
    let listed = blocks.fold(0, u64::saturating_add);
    let message = match (report.totals.leaks, report.shown_leaks) {
        (Some(totals), _) if totals.reachable.blocks > listed => format!(
            "{} counted {}, but lists {}",
            report.tool,
            count(
                totals.reachable.blocks,
                "reachable block",
                "reachable blocks"
            ),
            match listed {
                0 => String::from("none of them"),
                listed => format!("only {listed}"),
            }
        ),
        (None, Some(shown)) if !shown.reachable && !report.totals.all_freed => {
            format!("{} was run without listing reachable blocks", report.tool)
        }
        _ => return None,
    };
    Some(Gap {
        message,
        help: Some(SHOW_ALL),
    })
}
