//! Reports of the changes between two runs, as text and as JSON.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write};

use serde::Serialize;

use super::escape::{self, terminal};
use super::text::paint::Paint;
use super::wrap::Wrapped;
use super::{FindingInRun, RenderOptions, Run, location};
use crate::compare::{Change, ChangeKind, FindingState, compare_with, describe_size, summary};
use crate::document::{Document, PriorFinding};

#[derive(Serialize)]
struct ChangesV1<'a> {
    schema: &'static str,
    changes: Vec<ChangeV1<'a>>,
}

#[derive(Serialize)]
struct ChangeV1<'a> {
    change: &'static str,
    fingerprint: &'a str,
    kind: &'a str,
    function: Option<&'a str>,
    before: Option<FindingStateV1<'a>>,
    after: Option<FindingStateV1<'a>>,
}

#[derive(Serialize)]
struct FindingStateV1<'a> {
    kind: &'a str,
    bytes: u64,
    blocks: u64,
    place: Option<&'a str>,
    disposition: &'a str,
}

impl<'a> From<&'a Change> for ChangeV1<'a> {
    fn from(change: &'a Change) -> Self {
        Self {
            change: change.change.as_str(),
            fingerprint: &change.fingerprint,
            kind: &change.kind,
            function: change.function.as_deref(),
            before: change.before.as_ref().map(FindingStateV1::from),
            after: change.after.as_ref().map(FindingStateV1::from),
        }
    }
}

impl<'a> From<&'a FindingState> for FindingStateV1<'a> {
    fn from(state: &'a FindingState) -> Self {
        Self {
            kind: &state.kind,
            bytes: state.bytes,
            blocks: state.blocks,
            place: state.place.as_deref(),
            disposition: &state.disposition,
        }
    }
}

/// Returns the changes since an earlier run.
pub fn changes_since(base: &Document, run: &Run<'_>) -> Vec<Change> {
    let as_prior = |FindingInRun {
                        finding, triaged, ..
                    }| {
        let info = location::culprit_frame(finding, triaged).map(|frame| &*frame.info);
        PriorFinding {
            fingerprint: triaged.fingerprint.clone(),
            disposition: triaged.disposition.as_str().into(),
            file: info
                .and_then(|info| location::display_file(info, run))
                .map(Cow::into_owned),
            line: info.and_then(|info| info.line),
            function: info.and_then(|info| info.name()).map(String::from),
        }
    };
    let current: Vec<PriorFinding> = run.findings().map(as_prior).collect();
    compare_with(base, run.parsed, &current)
}

/// Writes the changes as JSON, schema `leakgate-diff/v1`.
///
/// # Errors
/// Returns an error only if `out` does.
pub fn changes_as_json(changes: &[Change], out: &mut dyn fmt::Write) -> fmt::Result {
    let document = ChangesV1 {
        schema: "leakgate-diff/v1",
        changes: changes.iter().map(ChangeV1::from).collect(),
    };
    escape::write_json(&document, out)
}

/// Writes the changes as text: a line for each change, then a summary.
///
/// # Errors
/// Returns an error only if `out` does.
pub fn changes_as_text(
    changes: &[Change],
    options: &RenderOptions<'_>,
    out: &mut dyn fmt::Write,
) -> fmt::Result {
    let paint = Paint::new(options);
    let mut out = Wrapped::new(out, options.width);
    for change in changes {
        let label = change.change.as_str();
        let head = match change.change {
            ChangeKind::New | ChangeKind::Grown => paint.bad(label),
            ChangeKind::Fixed => paint.good(label),
            ChangeKind::Moved => paint.dim(label),
        };
        let function = change.function.as_deref().map_or(String::new(), |f| {
            format!(" {}", paint.whole(&format!("in {}", terminal(f))))
        });
        let fingerprint = paint.dim(&change.fingerprint).into_owned();
        writeln!(
            out,
            "{head} {}{function}: {} {fingerprint}",
            terminal(&change.kind),
            describe(change, paint)
        )?;
    }
    writeln!(out, "{}", summary(changes))?;
    out.finish()
}

/// Returns the states before and after a change.
fn describe(change: &Change, paint: Paint) -> String {
    let place = |state: &FindingState| {
        let place = state.place.as_deref().unwrap_or("unknown location");
        paint.whole(&terminal(place)).into_owned()
    };
    let describe_size = |state: &FindingState| terminal(&describe_size(state)).into_owned();
    match (&change.before, &change.after) {
        (Some(before), Some(after)) if change.change == ChangeKind::Moved => {
            format!("{} -> {}", place(before), place(after))
        }
        (Some(before), Some(after)) => {
            format!(
                "{} -> {}, {}",
                describe_size(before),
                describe_size(after),
                place(after)
            )
        }
        (None, Some(state)) | (Some(state), None) => {
            format!("{}, {}", describe_size(state), place(state))
        }
        (None, None) => String::new(),
    }
}
