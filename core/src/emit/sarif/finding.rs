//! SARIF results, one for each group of findings.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use serde_json::value::RawValue;

use super::frame_texts::FrameTexts;
use super::physical_location::{MAX_NAME, SarifLocation, function, sarif_location};
use super::wire::{
    CodeFlow, Fingerprints, FrameObject, Message, ResultObject, ResultProperties, StackObject,
    Suppression, ThreadFlow, ThreadFlowLocation,
};
use crate::emit::escape::{message as escaped, terminal};
use crate::emit::group::Group;
use crate::emit::location::{self, Location};
use crate::emit::summary::{self, shortened};
use crate::emit::{FindingInRun, RenderOptions, Run};
use crate::model::{Finding, Frame, Stack};
use crate::rules::Rule;
use crate::triage::{Cause, Disposition, TriagedFinding};

/// Maximum number of frames per stack.
const MAX_FRAMES: usize = 60;

/// Maximum number of stacks per result.
const MAX_STACKS: usize = 8;

/// Returns the result for a group, with the stacks of [`shown_stacks`], whose frames have texts.
/// `rule` is the id and index of its rule.
pub(super) fn result<'a, 't>(
    group: &Group<'a>,
    rule: (String, usize),
    disposition: Disposition,
    run: &Run<'a>,
    options: &RenderOptions<'_>,
    shown: &[Stack],
    texts: &'t FrameTexts,
) -> ResultObject<'a, 't> {
    let FindingInRun {
        finding,
        triaged,
        rule: matching_rule,
    } = group.first();
    let related = related(shown, run);
    let location = location::finding_location(finding, triaged, run);
    let log = location::log_location(finding, run);
    let tests = group.tests();
    let gated = disposition != Disposition::NotGated;
    ResultObject {
        rule_id: rule.0,
        rule_index: rule.1,
        kind: if gated { "fail" } else { "informational" },
        level: if gated { "error" } else { "none" },
        message: Message {
            text: text(group, &related, location.is_none().then_some(&log), run),
        },
        locations: [sarif_location(
            location.as_ref().unwrap_or(&log),
            location::culprit_frame(finding, triaged),
        )],
        partial_fingerprints: Fingerprints {
            line_hash: triaged.fingerprint.as_str(),
            leakgate: triaged.fingerprint.as_str(),
        },
        occurrence_count: group.records(),
        baseline_state: run
            .gate
            .baseline
            .is_some()
            .then(|| baseline_state(disposition, triaged)),
        suppressions: options
            .show_accepted
            .then(|| suppressions(disposition, matching_rule)),
        related_locations: related,
        code_flows: flows(shown, texts),
        stacks: stacks(shown, texts),
        properties: (!tests.is_empty()).then_some(ResultProperties { tests }),
    }
}

/// Returns the stacks to include. `frames_left` limits the total number of frames, because GitHub
/// limits the size of a report to 10 MB; when it's too small, the result has no stacks.
pub(super) fn shown_stacks<'a>(finding: &'a Finding, frames_left: &mut usize) -> &'a [Stack] {
    let stacks = &finding.stacks[..finding.stacks.len().min(MAX_STACKS)];
    let frames = stacks.iter().map(|s| s.frames.len().min(MAX_FRAMES)).sum();
    match frames_left.checked_sub(frames) {
        Some(left) => {
            *frames_left = left;
            stacks
        }
        None => &[],
    }
}

/// Returns the message: a sentence about the group, and links to related locations. `log` is the
/// location in the log if none is in the repository.
fn text(
    group: &Group<'_>,
    related: &[SarifLocation],
    log: Option<&Location>,
    run: &Run<'_>,
) -> String {
    let mut out = format!("{}.", escaped(&summary::headline(group, run)));
    let links: Vec<String> = related
        .iter()
        .filter_map(|l| Some(format!("[{}]({})", l.message.as_ref()?.text, l.id?)))
        .collect();
    if !links.is_empty() {
        out += &format!(" See: {}.", links.join(", "));
    }
    if let Some(log) = log {
        out += &escaped(&format!(
            " No frame is in the repository. The log reports it at {log}."
        ));
    }
    out
}

/// Returns the label of a stack.
fn label(stack: &Stack) -> String {
    shortened(summary::label(stack), MAX_NAME).into_owned()
}

/// Returns the innermost frame in the repository of each stack but the first.
fn related(stacks: &[Stack], run: &Run<'_>) -> Vec<SarifLocation> {
    let related = |stack: &Stack| {
        let (location, frame) = stack
            .frames
            .iter()
            .find_map(|f| Some((location::repository_location(&f.info, run)?, f)))?;
        Some(SarifLocation {
            message: Some(Message {
                text: escaped(&label(stack)),
            }),
            ..sarif_location(&location, Some(frame))
        })
    };
    stacks
        .iter()
        .skip(1)
        .filter_map(related)
        .enumerate()
        .map(|(at, location)| SarifLocation {
            id: Some(at + 1),
            ..location
        })
        .collect()
}

/// Returns a code flow for each stack: its frames in the repository, the outermost first. Empty if
/// there is only one such frame.
fn flows<'t>(stacks: &[Stack], texts: &'t FrameTexts) -> Vec<CodeFlow<'t>> {
    let flow = |stack: &Stack| {
        let mut steps: Vec<&RawValue> = stack
            .frames
            .iter()
            .take(MAX_FRAMES)
            .filter_map(|frame| texts.step(frame))
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
    let flows: Vec<CodeFlow<'_>> = stacks.iter().filter_map(flow).collect();
    let steps: usize = flows
        .iter()
        .map(|f| f.thread_flows[0].locations.len())
        .sum();
    if steps > 1 { flows } else { Vec::new() }
}

/// Returns the step of a frame. `None` if it isn't in the repository.
pub(super) fn step(frame: &Frame, run: &Run<'_>) -> Option<ThreadFlowLocation> {
    let location = location::repository_location(&frame.info, run)?;
    let text = escaped(&shortened(frame.info.name().unwrap_or("?"), MAX_NAME));
    Some(ThreadFlowLocation {
        location: SarifLocation {
            message: Some(Message { text }),
            ..sarif_location(&location, Some(frame))
        },
    })
}

/// Returns the stacks without duplicates, which checkers may print but SARIF forbids.
fn stacks<'t>(stacks: &[Stack], texts: &'t FrameTexts) -> Vec<StackObject<'t>> {
    let mut out: Vec<StackObject<'_>> = Vec::new();
    for stack in stacks
        .iter()
        .filter(|s| !s.frames.is_empty())
        .map(|s| stack(s, texts))
    {
        if !out.contains(&stack) {
            out.push(stack);
        }
    }
    out
}

/// Converts a frame. Frames outside of the repository have no physical location.
pub(super) fn frame(frame: &Frame, run: &Run<'_>) -> FrameObject {
    let elsewhere = || {
        Some(location::display_location(&frame.info, run))
            .filter(|p| !p.is_empty() && frame.info.file.is_some())
    };
    let location = match location::repository_location(&frame.info, run) {
        Some(location) => sarif_location(&location, Some(frame)),
        None => SarifLocation {
            logical_locations: function(frame),
            message: elsewhere().map(|p| Message {
                text: escaped(&shortened(&p, MAX_NAME)),
            }),
            ..SarifLocation::default()
        },
    };
    let module = frame.info.module.as_deref();
    FrameObject {
        location,
        module: module.map(|m| shortened(m, MAX_NAME).into_owned()),
    }
}

/// Converts a stack.
fn stack<'t>(stack: &Stack, texts: &'t FrameTexts) -> StackObject<'t> {
    let message = Message {
        text: escaped(&label(stack)),
    };
    StackObject {
        message,
        frames: stack
            .frames
            .iter()
            .take(MAX_FRAMES)
            .filter_map(|frame| texts.frame(frame))
            .collect(),
    }
}

/// Returns the state of a result compared with the baseline.
fn baseline_state(disposition: Disposition, triaged: &TriagedFinding) -> &'static str {
    match (disposition, triaged.cause) {
        (Disposition::Baseline, _) => "unchanged",
        (_, Some(Cause::Grown)) => "updated",
        _ => "new",
    }
}

/// Returns the suppression of an accepted finding. An empty list means that the result isn't
/// suppressed.
fn suppressions(disposition: Disposition, rule: Option<&Rule>) -> Vec<Suppression> {
    let justification = match disposition {
        Disposition::Allowed => rule.map(|rule| {
            let reason = if rule.metadata.reason.is_empty() {
                "no reason given"
            } else {
                rule.metadata.reason.as_str()
            };
            format!("{reason} ({} at {})", rule.id, rule.origin)
        }),
        Disposition::Baseline => Some(String::from("in the baseline, not grown")),
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
