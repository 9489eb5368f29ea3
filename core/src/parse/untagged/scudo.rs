//! Scudo, the hardened allocator. It prints one line, then the process aborts.
//!
//! Source: compiler-rt `scudo/standalone/report.cpp`, `report_linux.cpp`.

use super::{Context, Start};
use crate::bytes::after;
use crate::model::{Kind, Tool};
use crate::parse::collect::shared_text;

/// Prefixes of the message after `Scudo ERROR: `, and their kinds.
pub(in crate::parse) const KINDS: &[(&str, &str)] = &[
    ("corrupted chunk header", "heap-corruption"),
    ("race on chunk header", "heap-corruption"),
    ("corrupted batch", "heap-corruption"),
    ("invalid chunk state", "double-free"),
    ("misaligned pointer", "invalid-free"),
    ("allocation type mismatch", "alloc-dealloc-mismatch"),
    ("invalid sized delete", "new-delete-type-mismatch"),
    (
        "invalid allocation alignment",
        "invalid-allocation-alignment",
    ),
    (
        "invalid alignment requested in posix_memalign",
        "invalid-posix-memalign-alignment",
    ),
    (
        "invalid alignment requested in aligned_alloc",
        "invalid-aligned-alloc-alignment",
    ),
    ("requested allocation size", "allocation-size-too-big"),
    ("out of memory", "out-of-memory"),
    ("calloc parameters overflow", "calloc-overflow"),
    ("reallocarray parameters overflow", "reallocarray-overflow"),
    ("pvalloc parameters overflow", "pvalloc-overflow"),
    ("internal map", "out-of-memory"),
];

pub(super) fn start(text: &[u8], context: &mut Context<'_>) -> Start {
    let Some(message) = after(text, b"Scudo ERROR: ") else {
        return Start::No;
    };
    let title = shared_text(message.trim_ascii());
    let kind = KINDS
        .iter()
        .find(|(prefix, _)| title.starts_with(prefix))
        .map_or(Kind::UNKNOWN, |(_, kind)| Kind::from_static(kind));
    context.record_single_line(Tool::Scudo, kind, &title);
    Start::Line
}
