//! Two runs against each other, as text and as JSON.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::Serialize;

use super::escape::{self, terminal};
use super::text::paint::Paint;
use super::{Run, Style, places};
use crate::compare::{Change, Side, What, compare_with, sized, summary};
use crate::document::{Document, Seen};
use crate::model::Finding;
use crate::triage::Item;

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
    before: Option<SideV1<'a>>,
    after: Option<SideV1<'a>>,
}

#[derive(Serialize)]
struct SideV1<'a> {
    kind: &'a str,
    bytes: u64,
    blocks: u64,
    place: Option<&'a str>,
    disposition: &'a str,
}

impl<'a> From<&'a Change> for ChangeV1<'a> {
    fn from(change: &'a Change) -> Self {
        Self {
            change: change.what.as_str(),
            fingerprint: &change.fingerprint,
            kind: &change.kind,
            function: change.function.as_deref(),
            before: change.before.as_ref().map(SideV1::from),
            after: change.after.as_ref().map(SideV1::from),
        }
    }
}

impl<'a> From<&'a Side> for SideV1<'a> {
    fn from(side: &'a Side) -> Self {
        Self {
            kind: &side.kind,
            bytes: side.bytes,
            blocks: side.blocks,
            place: side.place.as_deref(),
            disposition: &side.disposition,
        }
    }
}

/// What has changed since an earlier run.
pub fn changes_since(base: &Document, run: &Run<'_>) -> Vec<Change> {
    let seen = |(finding, item): (&Finding, &Item)| {
        let site = places::culprit(finding, item).map(|frame| &*frame.site);
        Seen {
            fingerprint: item.fingerprint.as_str().into(),
            disposition: item.disposition.as_str().into(),
            file: site.and_then(|site| places::file(site, run)),
            line: site.and_then(|site| site.line),
            function: site.and_then(|site| site.name()).map(String::from),
        }
    };
    let seen: Vec<Seen> = run
        .parsed
        .findings
        .iter()
        .zip(&run.triage.items)
        .map(seen)
        .collect();
    compare_with(base, run.parsed, &seen)
}

/// Writes the changes as JSON.
///
/// # Errors
/// Only those of `out`.
pub fn changes_as_json(changes: &[Change], out: &mut dyn fmt::Write) -> fmt::Result {
    let change = ChangeV1::from;
    let document = ChangesV1 {
        schema: "leakgate-diff/v1",
        changes: changes.iter().map(change).collect(),
    };
    let text = serde_json::to_string(&document).map_err(|_| fmt::Error)?;
    writeln!(out, "{}", escape::json(text))
}

/// Writes the changes for people, a line each.
///
/// # Errors
/// Only those of `out`.
pub fn changes_as_text(
    changes: &[Change],
    style: &Style<'_>,
    out: &mut dyn fmt::Write,
) -> fmt::Result {
    let paint = Paint::of(style);
    for change in changes {
        let word = change.what.as_str();
        let head = match change.what {
            What::New | What::Grown => paint.bad(word),
            What::Fixed => paint.good(word),
            What::Moved => paint.dim(word),
        };
        let function = change
            .function
            .as_deref()
            .map_or(String::new(), |f| format!(" in {}", terminal(f)));
        let fingerprint = paint.dim(&change.fingerprint).into_owned();
        writeln!(
            out,
            "{head} {}{function}: {} {fingerprint}",
            terminal(&change.kind),
            terminal(&told(change))
        )?;
    }
    writeln!(out, "{}", summary(changes))
}

fn told(change: &Change) -> String {
    let place = |side: &Side| {
        side.place
            .clone()
            .unwrap_or_else(|| String::from("no place known"))
    };
    match (&change.before, &change.after) {
        (Some(before), Some(after)) if change.what == What::Moved => {
            format!("{} -> {}", place(before), place(after))
        }
        (Some(before), Some(after)) => {
            format!("{} -> {}, {}", sized(before), sized(after), place(after))
        }
        (None, Some(side)) | (Some(side), None) => format!("{}, {}", sized(side), place(side)),
        (None, None) => String::new(),
    }
}
