//! Scudo, the hardened allocator: one line, then the process aborts.
//!
//! Source: compiler-rt `scudo/standalone/report.cpp`, `report_linux.cpp`.

use super::{Desk, Opened};
use crate::bytes::after;
use crate::model::{Kind, Tool};
use crate::parse::collect::text_of;

/// What the line says behind `Scudo ERROR: `, and its kind.
pub(in crate::parse) const WORDS: &[(&str, &str)] = &[
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

pub(super) fn opens(text: &[u8], desk: &mut Desk<'_>) -> Opened {
    let Some(said) = after(text, b"Scudo ERROR: ") else {
        return Opened::No;
    };
    let title = text_of(said.trim_ascii());
    let kind = WORDS
        .iter()
        .find(|(words, _)| title.starts_with(words))
        .map_or(Kind::UNKNOWN, |(_, kind)| Kind::of(kind));
    desk.said(Tool::Scudo, kind, &title);
    Opened::Line
}
