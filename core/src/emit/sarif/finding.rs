//! A result for each group of findings.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::location::{Location, MAX_NAME, function, location};
use super::wire::{
    CodeFlow, Fingerprints, FrameObject, Message, ResultObject, StackObject, Step, Suppression,
    ThreadFlow,
};
use crate::emit::escape::{message as escaped, terminal};
use crate::emit::group::Group;
use crate::emit::places::{self, Spot};
use crate::emit::words::{self, shortened};
use crate::emit::{Run, Style};
use crate::model::{Frame, Stack};
use crate::triage::{Cause, Disposition, Item};

/// Frames of a stack.
const MAX_FRAMES: usize = 60;

/// Stacks of a result.
const MAX_STACKS: usize = 8;

/// The result of a group. `frames_left` bounds what all results hold in stacks: a document has a
/// limit of 10 MB.
pub(super) fn of<'a>(
    group: &Group<'a>,
    rule: (String, usize),
    disposition: Disposition,
    run: &Run<'a>,
    style: &Style<'_>,
    frames_left: &mut usize,
) -> ResultObject<'a> {
    let (finding, item) = group.first();
    let frames: usize = finding
        .stacks
        .iter()
        .take(MAX_STACKS)
        .map(|s| s.frames.len().min(MAX_FRAMES))
        .sum();
    let in_full = frames <= *frames_left;
    if in_full {
        *frames_left -= frames;
    }
    let shown: &[Stack] = if in_full {
        &finding.stacks[..finding.stacks.len().min(MAX_STACKS)]
    } else {
        &[]
    };
    let related = related(shown, run);
    let spot = places::spot(finding, item, run);
    let log = places::log_spot(finding, run);
    let gated = disposition != Disposition::NotGated;
    ResultObject {
        rule_id: rule.0,
        rule_index: rule.1,
        kind: if gated { "fail" } else { "informational" },
        level: if gated { "error" } else { "none" },
        message: Message {
            text: text(group, &related, spot.is_none().then_some(&log), run),
        },
        locations: [location(
            spot.as_ref().unwrap_or(&log),
            places::culprit(finding, item),
        )],
        partial_fingerprints: Fingerprints {
            line_hash: item.fingerprint.as_str(),
            own: item.fingerprint.as_str(),
        },
        occurrence_count: group.records(),
        baseline_state: run
            .gate
            .baseline
            .is_some()
            .then(|| baseline_state(disposition, item)),
        suppressions: style.accepted.then(|| suppressions(disposition, item, run)),
        related_locations: related,
        code_flows: flows(shown, run),
        stacks: stacks(shown, run),
    }
}

/// What was found, with a link to each place that belongs to it.
fn text(group: &Group<'_>, related: &[Location], log: Option<&Spot>, run: &Run<'_>) -> String {
    let mut out = format!("{}.", escaped(&words::sentence(group, run)));
    let links: Vec<String> = related
        .iter()
        .filter_map(|l| Some(format!("[{}]({})", l.message.as_ref()?.text, l.id?)))
        .collect();
    if !links.is_empty() {
        out += &format!(" See: {}.", links.join(", "));
    }
    if let Some(log) = log {
        out += &escaped(&format!(
            " No frame lies in the repository; the log tells of it at {log}."
        ));
    }
    out
}

/// In which stack, for people.
fn label(stack: &Stack) -> String {
    shortened(words::label(stack), MAX_NAME).into_owned()
}

/// The innermost frame of the repository of each further stack.
fn related(stacks: &[Stack], run: &Run<'_>) -> Vec<Location> {
    let place = |stack: &Stack| {
        let (spot, frame) = stack
            .frames
            .iter()
            .find_map(|f| Some((places::in_repository(&f.site, run)?, f)))?;
        Some(Location {
            message: Some(Message {
                text: escaped(&label(stack)),
            }),
            ..location(&spot, Some(frame))
        })
    };
    let places = stacks.iter().skip(1).filter_map(place);
    places
        .enumerate()
        .map(|(at, place)| Location {
            id: Some(at + 1),
            ..place
        })
        .collect()
}

/// The way through the repository's own files to the end of each stack, outermost frame first. One
/// place is no way.
fn flows(stacks: &[Stack], run: &Run<'_>) -> Vec<CodeFlow> {
    let step = |frame: &Frame| {
        let spot = places::in_repository(&frame.site, run)?;
        let text = escaped(&shortened(frame.site.name().unwrap_or("?"), MAX_NAME));
        Some(Step {
            location: Location {
                message: Some(Message { text }),
                ..location(&spot, Some(frame))
            },
        })
    };
    let flow = |stack: &Stack| {
        let mut steps: Vec<Step> = stack
            .frames
            .iter()
            .take(MAX_FRAMES)
            .filter_map(step)
            .collect();
        steps.reverse();
        let message = Message {
            text: escaped(&label(stack)),
        };
        (!steps.is_empty()).then_some(CodeFlow {
            message,
            thread_flows: [ThreadFlow { locations: steps }],
        })
    };
    let flows: Vec<CodeFlow> = stacks.iter().filter_map(flow).collect();
    let steps: usize = flows
        .iter()
        .map(|f| f.thread_flows[0].locations.len())
        .sum();
    if steps > 1 { flows } else { Vec::new() }
}

/// Each stack once: a checker may print the same twice, and SARIF forbids it.
fn stacks(stacks: &[Stack], run: &Run<'_>) -> Vec<StackObject> {
    let mut out: Vec<StackObject> = Vec::new();
    for stack in stacks
        .iter()
        .filter(|s| !s.frames.is_empty())
        .map(|s| stack(s, run))
    {
        if !out.contains(&stack) {
            out.push(stack);
        }
    }
    out
}

fn stack(stack: &Stack, run: &Run<'_>) -> StackObject {
    let frame = |frame: &Frame| {
        let spot = places::in_repository(&frame.site, run);
        let elsewhere = || {
            Some(places::place(&frame.site, run))
                .filter(|p| !p.is_empty() && frame.site.file.is_some())
        };
        let location = match &spot {
            Some(spot) => location(spot, Some(frame)),
            None => Location {
                logical_locations: function(frame),
                message: elsewhere().map(|p| Message {
                    text: escaped(&shortened(&p, MAX_NAME)),
                }),
                ..Location::default()
            },
        };
        FrameObject {
            location,
            module: frame
                .site
                .module
                .as_deref()
                .map(|m| shortened(m, MAX_NAME).into_owned()),
        }
    };
    let message = Message {
        text: escaped(&label(stack)),
    };
    StackObject {
        message,
        frames: stack.frames.iter().take(MAX_FRAMES).map(frame).collect(),
    }
}

fn baseline_state(disposition: Disposition, item: &Item) -> &'static str {
    match (disposition, item.cause) {
        (Disposition::Baseline, _) => "unchanged",
        (_, Some(Cause::Grown)) => "updated",
        _ => "new",
    }
}

/// An empty list says that the result is not suppressed.
fn suppressions(disposition: Disposition, item: &Item, run: &Run<'_>) -> Vec<Suppression> {
    let justification = match disposition {
        Disposition::Allowed => item.rule.and_then(|at| run.gate.rules.get(at)).map(|rule| {
            let reason = if rule.about.reason.is_empty() {
                "no reason is given"
            } else {
                rule.about.reason.as_str()
            };
            format!("{reason} ({} at {})", rule.id, rule.origin)
        }),
        Disposition::Baseline => Some(String::from(
            "It is known to the baseline, and has not grown.",
        )),
        _ => None,
    };
    justification.map_or(Vec::new(), |text| {
        vec![Suppression {
            kind: "external",
            status: "accepted",
            justification: terminal(&text).to_string(),
        }]
    })
}
