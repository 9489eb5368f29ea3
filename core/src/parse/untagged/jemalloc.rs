//! jemalloc: the sum of the leaks that its profiler saw, and what its checks of a free say. It
//! names no place; its dump does.
//!
//! Source: jemalloc 5.3 `src/prof_data.c` (`prof_leakcheck`), `src/safety_check.c`,
//! `src/jemalloc.c`.

use super::{Desk, Opened};
use crate::bytes::{after, number};
use crate::model::{Amount, Kind, Leak, Tool};
use crate::parse::collect::text_of;
use crate::problem::Code;

/// What an error of its own begins with or holds, and its kind.
pub(in crate::parse) const WORDS: &[(&str, &str)] = &[
    ("size mismatch detected", "new-delete-type-mismatch"),
    ("Use after free error", "heap-use-after-free"),
    ("Write-after-free detected", "heap-use-after-free"),
    ("double free", "double-free"),
    ("Invalid deallocation detected", "invalid-free"),
    ("Buffer overflow error", "heap-buffer-overflow"),
    ("heap corruption", "heap-corruption"),
];

pub(super) fn opens(text: &[u8], desk: &mut Desk<'_>) -> Opened {
    let Some(said) = after(text, b"jemalloc>: ") else {
        return Opened::No;
    };
    let title = text_of(said.trim_ascii());
    if let Some((leaked, contexts)) = summary(said) {
        let report = desk.report(&Tool::Jemalloc, None);
        desk.out.reports[report].complete = true;
        let stated = desk.out.reports[report]
            .stated
            .leaked
            .get_or_insert_default();
        *stated = stated.plus(leaked);
        if leaked.bytes > 0 || contexts > 0 {
            let mut draft = desk.draft(Tool::Jemalloc, Kind::LEAK_DEFINITE, &title);
            draft.leak = Some(Leak::direct(leaked.bytes, leaked.blocks));
            desk.record(report, draft);
        }
    } else if title.starts_with("Leak ") {
        desk.unreadable(&Tool::Jemalloc, said);
    } else if title.starts_with("Invalid conf") || title.starts_with("Error in") {
        desk.problem(
            Code::CheckerFailed,
            &alloc::format!("jemalloc does not take an option: `{title}`"),
        );
    } else if let Some((_, kind)) = WORDS.iter().find(|(words, _)| title.contains(words)) {
        desk.said(Tool::Jemalloc, Kind::of(kind), &title);
    }
    Opened::Line
}

/// `Leak approximation summary: ~1228800 bytes, ~11 objects, >= 2 contexts`
fn summary(said: &[u8]) -> Option<(Amount, u64)> {
    let (bytes, rest) = number(said.strip_prefix(b"Leak approximation summary: ~")?)?;
    let (blocks, rest) = number(after(rest, b", ~")?)?;
    let (contexts, _) = number(after(rest, b", >= ")?)?;
    Some((Amount { bytes, blocks }, contexts))
}
