//! Scudo, the hardened allocator. It prints one line, then the process aborts. On processors with
//! memory tagging (MTE) it describes invalid accesses, which Android prints in a tombstone.
//!
//! Source: compiler-rt `scudo/standalone/report.cpp`, `report_linux.cpp`.

use super::gwp_asan::cause_kind;
use super::message::resembles;
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

/// Wordings of the message after `Scudo ERROR: `, without numbers, and their kinds. The first one
/// with the same beginning decides.
pub(in crate::parse) const KINDS: &[(&str, &str)] = &[
    (
        "corrupted chunk header at address zero and might indicate memory corruption or a \
         double free most likely due to",
        "heap-corruption",
    ),
    ("race on chunk header at address", "heap-corruption"),
    ("corrupted batch ...", "heap-corruption"),
    (
        "invalid chunk state when deallocating address",
        "double-free",
    ),
    (
        "misaligned pointer when deallocating address",
        "invalid-free",
    ),
    (
        "allocation type mismatch when deallocating address vs",
        "alloc-dealloc-mismatch",
    ),
    (
        "invalid sized delete when deallocating address vs",
        "new-delete-type-mismatch",
    ),
    (
        "invalid allocation alignment: ...",
        "invalid-allocation-alignment",
    ),
    (
        "invalid alignment requested in posix_memalign: ...",
        "invalid-posix-memalign-alignment",
    ),
    (
        "invalid alignment requested in aligned_alloc: ...",
        "invalid-aligned-alloc-alignment",
    ),
    (
        "requested allocation size after adjustments exceeds maximum supported size of",
        "allocation-size-too-big",
    ),
    ("out of memory trying to allocate bytes", "out-of-memory"),
    ("calloc parameters overflow: ...", "calloc-overflow"),
    (
        "reallocarray parameters overflow: ...",
        "reallocarray-overflow",
    ),
    ("pvalloc parameters overflow: ...", "pvalloc-overflow"),
    ("internal map ...", "out-of-memory"),
];

/// Number of words of a wording that distinguish it.
const MAX_WORDS: usize = 3;

pub(super) fn start(text: &[u8], context: &mut Context<'_>) -> Start {
    let text = text.trim_ascii();
    if let Some(cause) = text.strip_prefix(b"Cause: [MTE]: ") {
        if !contains(cause, b" at 0x") {
            return Start::No;
        }
        return tombstone(cause_kind(cause), cause, context);
    }
    let quoted = text.strip_prefix(b"Abort message: '");
    let Some(message) = quoted.unwrap_or(text).strip_prefix(b"Scudo ERROR:") else {
        return Start::No;
    };
    let message = message.strip_suffix(b"'").unwrap_or(message).trim_ascii();
    let known = KINDS.iter().find(|(form, _)| begins_alike(message, form));
    // Prose about an error has no numbers, but a message with other output in its line does.
    let is_damaged = || message.iter().any(|b| b.is_ascii_digit() || *b == b':');
    if known.is_some_and(|(form, _)| !resembles(message, form)) && !is_damaged() {
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

/// Returns true if the message begins with the first words of the form.
fn begins_alike(message: &[u8], form: &str) -> bool {
    let mut words = message.split(|b| *b == b' ');
    form.trim_end_matches(" ...")
        .split(' ')
        .take(MAX_WORDS)
        .all(|word| words.next() == Some(word.as_bytes()))
}
