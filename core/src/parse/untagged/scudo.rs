//! Scudo, the hardened allocator. It prints one line, then the process aborts. On processors with
//! memory tagging (MTE) it describes invalid accesses, which Android prints in a tombstone.
//!
//! Source: compiler-rt `scudo/standalone/report.cpp`, `report_linux.cpp`.

use super::gwp_asan::cause_kind;
use super::message::fits;
use super::tombstone::Tombstone;
use super::{Context, CurrentReport, Start};
use crate::bytes::contains;
use crate::model::{Kind, Tool};
use crate::parse::collect::shared_text;

/// The beginnings of headlines. A tombstone of Android quotes the message.
pub(super) const HEADS: &[&str] = &[
    "Scudo ERROR: ",
    "Abort message: 'Scudo ERROR: ",
    "Cause: [MTE]: ",
];

/// Templates of the message after `Scudo ERROR: `, and their kinds. The first one with the same
/// beginning decides.
pub(in crate::parse) const KINDS: &[(&str, &str)] = &[
    ("corrupted chunk header at address %x%s", "heap-corruption"),
    ("race on chunk header at address %x", "heap-corruption"),
    ("corrupted batch%s", "heap-corruption"),
    ("invalid chunk state when %s address %x", "double-free"),
    ("misaligned pointer when %s address %x", "invalid-free"),
    (
        "allocation type mismatch when %s address %x (%d vs %d)",
        "alloc-dealloc-mismatch",
    ),
    (
        "invalid sized delete when %s address %x (%d vs %d)",
        "new-delete-type-mismatch",
    ),
    (
        "invalid allocation alignment: %d%s",
        "invalid-allocation-alignment",
    ),
    (
        "invalid alignment requested in posix_memalign: %d%s",
        "invalid-posix-memalign-alignment",
    ),
    (
        "invalid alignment requested in aligned_alloc: %d%s",
        "invalid-aligned-alloc-alignment",
    ),
    (
        "requested allocation size %d (%d after%s",
        "allocation-size-too-big",
    ),
    ("out of memory trying to allocate %d bytes", "out-of-memory"),
    ("calloc parameters overflow: %s", "calloc-overflow"),
    (
        "reallocarray parameters overflow: %s",
        "reallocarray-overflow",
    ),
    ("pvalloc parameters overflow: %s", "pvalloc-overflow"),
    ("internal map %s", "out-of-memory"),
];

pub(super) fn start(text: &[u8], context: &mut Context<'_>) -> Start {
    let text = text.trim_ascii();
    if let Some(cause) = text.strip_prefix(b"Cause: [MTE]: ") {
        if !contains(cause, b" at 0x") {
            return Start::No;
        }
        return tombstone(cause_kind(cause), cause, context);
    }
    let quoted = text.strip_prefix(b"Abort message: '");
    let Some(message) = quoted.unwrap_or(text).strip_prefix(b"Scudo ERROR: ") else {
        return Start::No;
    };
    let message = message.strip_suffix(b"'").unwrap_or(message).trim_ascii();
    let known = KINDS.iter().find(|(template, _)| {
        let words = template.split('%').next().unwrap_or_default();
        message.starts_with(words.as_bytes())
    });
    if known.is_some_and(|(template, _)| !fits(message, template)) {
        return Start::No;
    }
    let kind = known.map_or(Kind::UNKNOWN, |(_, kind)| Kind::from_static(kind));
    if quoted.is_some() {
        return tombstone(kind, message, context);
    }
    context.record_single_line(Tool::Scudo, kind, &shared_text(message));
    Start::Line
}

/// Starts the report of an error in a tombstone, where its stacks follow.
fn tombstone(kind: Kind, message: &[u8], context: &mut Context<'_>) -> Start {
    let report = context.complete_report(&Tool::Scudo, None);
    let finding = context.new_finding(Tool::Scudo, kind, &shared_text(message));
    Start::report(
        CurrentReport::new(report).with_finding(finding),
        Tombstone::default(),
    )
}
