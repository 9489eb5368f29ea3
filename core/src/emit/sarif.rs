//! SARIF 2.1.0, as supported by GitHub code scanning
//! (<https://docs.github.com/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning>).
//!
//! GitHub shows suppressed results as open alerts, so accepted findings are only included if
//! [`RenderOptions::show_accepted`] is set. A run without results is written as well, because it
//! closes the alerts of earlier runs.

mod finding;
mod frame_texts;
mod physical_location;
mod rule;
mod wire;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use hashbrown::HashMap;
use serde::Serialize;

use self::frame_texts::FrameTexts;
use self::wire::{
    AutomationDetails, BaseId, BaseIds, Driver, Invocation, Log, Message, Notification, Reference,
    Rule, RunObject, Tool,
};
use super::escape::{self, message as escaped};
use super::group::{Group, groups};
use super::location::Location;
use super::{RenderOptions, Run, location, summary};
use crate::problem::{Class, Problem};
use crate::reason::Reason;
use crate::triage::Disposition;
use crate::verdict::Outcome;

/// Maximum number of results per run that GitHub accepts.
const MAX_RESULTS: usize = 25_000;

/// Maximum number of frames in all results. With names of typical length, they take about 60 MB, or
/// 3 MB compressed.
const MAX_FRAMES: usize = 100_000;

/// Maximum number of notifications.
const MAX_NOTIFICATIONS: usize = 1000;

/// Maximum length of the message of a notification, in characters.
const MAX_MESSAGE: usize = 1000;

/// Writes the report, ending with a line feed.
pub(crate) fn write(
    run: &Run<'_>,
    options: &RenderOptions<'_>,
    out: &mut dyn fmt::Write,
) -> fmt::Result {
    let results = results(run, options);
    let (ids, rules) = rules(&results);
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
            // The category ends at the last `/`. An optional name of the run would follow.
            automation_details: AutomationDetails {
                id: format!("{}/", options.category),
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
            results: [],
        }],
    };
    let text = serialize(&log)?;
    let (head, tail) = text
        .len()
        .checked_sub(END.len())
        .and_then(|at| text.split_at_checked(at))
        .filter(|(_, tail)| *tail == END)
        .ok_or(fmt::Error)?;
    out.write_str(head)?;
    write_results(results, &ids, run, options, out)?;
    writeln!(out, "{tail}")
}

/// The end of a report without results. They are written one by one, because the text of all of
/// them is larger than everything else in memory.
const END: &str = "]}]}";

fn serialize(value: &impl Serialize) -> Result<String, fmt::Error> {
    let text = serde_json::to_string(value).map_err(|_| fmt::Error)?;
    Ok(escape::json(text))
}

/// Writes the results, separated by commas. `ids` has the index of each rule.
fn write_results(
    results: Vec<(Disposition, Group<'_>)>,
    ids: &HashMap<String, usize>,
    run: &Run<'_>,
    options: &RenderOptions<'_>,
    out: &mut dyn fmt::Write,
) -> fmt::Result {
    let mut texts = FrameTexts::default();
    let mut frames_left = MAX_FRAMES;
    for (at, (disposition, group)) in results.into_iter().enumerate() {
        if at > 0 {
            out.write_char(',')?;
        }
        let finding = group.first().finding;
        let id = rule::id(&finding.kind);
        let index = ids.get(&id).copied().unwrap_or_default();
        let shown = finding::shown_stacks(finding, &mut frames_left);
        texts.add(shown, run)?;
        let rule = (id, index);
        let result = finding::result(&group, rule, disposition, run, options, shown, &texts);
        out.write_str(&serialize(&result)?)?;
    }
    Ok(())
}

/// Returns the groups of findings to write, the worst first.
fn results<'a>(run: &Run<'a>, options: &RenderOptions<'_>) -> Vec<(Disposition, Group<'a>)> {
    let accepted = [
        Disposition::Allowed,
        Disposition::Baseline,
        Disposition::NotGated,
    ];
    let dispositions = [Disposition::Unexpected]
        .into_iter()
        .chain(accepted.into_iter().filter(|_| options.show_accepted));
    let all = dispositions.flat_map(|disposition| {
        groups(run, disposition)
            .into_iter()
            .map(move |group| (disposition, group))
    });
    all.take(MAX_RESULTS).collect()
}

/// Returns a rule for each kind of the results, and the index of each rule by its id.
fn rules(results: &[(Disposition, Group<'_>)]) -> (HashMap<String, usize>, Vec<Rule>) {
    let mut indices: HashMap<String, usize> = HashMap::new();
    let mut rules: Vec<Rule> = Vec::new();
    for (_, group) in results {
        let kind = &group.first().finding.kind;
        indices.entry(rule::id(kind)).or_insert_with(|| {
            rules.push(rule::rule(kind));
            rules.len() - 1
        });
    }
    (indices, rules)
}

/// Returns the reasons and problems as notifications. The run was only successful if no results may
/// be missing.
fn invocation<'a>(run: &Run<'a>) -> Invocation<'a> {
    let reasons = || {
        run.verdict
            .reasons
            .iter()
            .filter(|r| !r.code.is_about_findings())
    };
    // A reason that summarizes problems is represented by these problems.
    let problems = &run.parsed.problems;
    let without_problems = reasons().filter(|r| {
        problems
            .iter()
            .all(|problem| problem.code.reason() != Some(r.code))
    });
    let notifications = without_problems
        .map(|reason| reason_notification(reason, run))
        .chain(problems.iter().map(|p| problem_notification(p, run)));
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

fn reason_notification<'a>(reason: &'a Reason, run: &Run<'_>) -> Notification<'a> {
    let location = location::reason_location(reason.code, run);
    notification(reason.code.as_str(), "error", &reason.message, &location)
}

fn problem_notification<'a>(problem: &'a Problem, run: &Run<'_>) -> Notification<'a> {
    let level = match problem.code.class() {
        Class::Fatal => "error",
        Class::Note => "note",
    };
    let location = location::log_line_location(problem.input, problem.line, run);
    notification(problem.code.as_str(), level, &problem.message, &location)
}

fn notification<'a>(
    id: &'a str,
    level: &'static str,
    message: &str,
    location: &Location,
) -> Notification<'a> {
    Notification {
        descriptor: Reference { id },
        level,
        message: Message {
            text: format!("{}.", escaped(&summary::shortened(message, MAX_MESSAGE))),
        },
        locations: [physical_location::sarif_location(location, None)].into(),
    }
}
