//! SARIF 2.1.0, as GitHub's code scanning takes it in
//! (<https://docs.github.com/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning>).
//!
//! GitHub shows a suppressed result as an open alert, so that accepted findings stand here only
//! where [`Style::accepted`] asks for them. A run without results is written, too: that closes the
//! alerts of earlier ones.

mod finding;
mod location;
mod rule;
mod wire;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use hashbrown::HashMap;

use self::wire::{
    AutomationDetails, BaseId, BaseIds, Driver, Invocation, Log, Message, Notification, Reference,
    ResultObject, Rule, RunObject, Tool,
};
use super::escape::{self, message as escaped};
use super::group::groups;
use super::{Run, Style, places, words};
use crate::problem::Class;
use crate::triage::Disposition;
use crate::verdict::{Outcome, Reason};

/// GitHub takes so many results of a run.
const MAX_RESULTS: usize = 25_000;

/// Frames in all results: with names of usual length some 60 MB, which are 3 MB packed.
const MAX_FRAMES: usize = 100_000;

/// Notifications about problems.
const MAX_NOTIFICATIONS: usize = 1000;

/// Writes the document and a line feed.
pub(crate) fn write(run: &Run<'_>, style: &Style<'_>, out: &mut dyn fmt::Write) -> fmt::Result {
    let (results, rules) = results(run, style);
    let driver = Driver {
        name: "leakgate",
        semantic_version: env!("CARGO_PKG_VERSION"),
        information_uri: env!("CARGO_PKG_REPOSITORY"),
        rules,
    };
    let log = Log {
        schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        version: "2.1.0",
        runs: [RunObject {
            tool: Tool { driver },
            // What stands before the last `/` is the category; behind it the run might be named.
            automation_details: AutomationDetails {
                id: format!("{}/", style.category),
            },
            invocations: [invocation(run)],
            original_uri_base_ids: BaseIds {
                source_root: BaseId {
                    description: Message {
                        text: "The root of the repository.".into(),
                    },
                },
            },
            column_kind: "unicodeCodePoints",
            results,
        }],
    };
    let text = serde_json::to_string(&log).map_err(|_| fmt::Error)?;
    writeln!(out, "{}", escape::json(text))
}

/// The results, the worst first, and a rule for each kind among them.
fn results<'a>(run: &Run<'a>, style: &Style<'_>) -> (Vec<ResultObject<'a>>, Vec<Rule>) {
    let accepted = [
        Disposition::Allowed,
        Disposition::Baseline,
        Disposition::NotGated,
    ];
    let dispositions = [Disposition::Unexpected]
        .into_iter()
        .chain(accepted.into_iter().filter(|_| style.accepted));
    let all = dispositions.flat_map(|disposition| {
        groups(run, disposition)
            .into_iter()
            .map(move |group| (disposition, group))
    });
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut rules: Vec<Rule> = Vec::new();
    let mut results = Vec::new();
    let mut frames_left = MAX_FRAMES;
    for (disposition, group) in all.take(MAX_RESULTS) {
        let kind = &group.first().0.kind;
        let id = rule::id(kind);
        let at = *places.entry(id.clone()).or_insert_with(|| {
            rules.push(rule::of(kind));
            rules.len() - 1
        });
        results.push(finding::of(
            &group,
            (id, at),
            disposition,
            run,
            style,
            &mut frames_left,
        ));
    }
    (results, rules)
}

/// Reasons and problems. Only where nothing may be missing from the results the run was a success.
fn invocation<'a>(run: &Run<'a>) -> Invocation<'a> {
    let reason = |reason: &'a Reason| {
        let text = format!("{}.", escaped(&words::shortened(&reason.message, 1000)));
        let locations = [location::location(
            &places::reason_spot(reason.code, run),
            None,
        )]
        .into();
        Notification {
            descriptor: Reference {
                id: reason.code.as_str(),
            },
            level: "error",
            message: Message { text },
            locations,
        }
    };
    let problem = |problem: &'a crate::Problem| {
        let fatal = problem.code.class() == Class::Fatal;
        let text = format!("{}.", escaped(&words::shortened(&problem.message, 1000)));
        let locations = [location::location(
            &places::log_line(problem.input, problem.line, run),
            None,
        )]
        .into();
        let level = if fatal { "error" } else { "note" };
        Notification {
            descriptor: Reference {
                id: problem.code.as_str(),
            },
            level,
            message: Message { text },
            locations,
        }
    };
    let reasons = || {
        run.verdict
            .reasons
            .iter()
            .filter(|r| !r.code.is_about_findings())
    };
    // A reason that sums up problems stands there by these.
    let by_itself = reasons().filter(|r| {
        run.parsed
            .problems
            .iter()
            .all(|p| p.code.reason() != Some(r.code))
    });
    let notifications = by_itself
        .map(reason)
        .chain(run.parsed.problems.iter().map(problem));
    Invocation {
        execution_successful: run.verdict.outcome != Outcome::Error && reasons().next().is_none(),
        exit_code: match run.verdict.outcome {
            Outcome::Pass => 0,
            Outcome::Fail => 1,
            Outcome::Error => 2,
        },
        tool_execution_notifications: notifications.take(MAX_NOTIFICATIONS).collect(),
    }
}
