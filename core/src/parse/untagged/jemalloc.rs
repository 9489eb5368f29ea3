//! jemalloc: the leak summary of its profiler, and the errors of its checks in `free`. The messages
//! contain no stack; the profiler's dump does.
//!
//! Source: jemalloc 5.3 `src/prof_data.c` (`prof_leakcheck`), `src/safety_check.c`,
//! `src/jemalloc.c`.

use super::{Context, Start};
use crate::bytes::{after, number};
use crate::model::{Amount, Kind, Leak, Tool};
use crate::parse::collect::shared_text;
use crate::problem::Code;

/// The beginnings of headlines.
pub(super) const HEADS: &[&str] = &["<jemalloc>: ", "jemalloc>: "];

/// Parts of an error message, and their kinds.
pub(in crate::parse) const KINDS: &[(&str, &str)] = &[
    ("size mismatch detected", "new-delete-type-mismatch"),
    ("Use after free error", "heap-use-after-free"),
    ("Write-after-free detected", "heap-use-after-free"),
    ("double free", "double-free"),
    ("Invalid deallocation detected", "invalid-free"),
    ("Buffer overflow error", "heap-buffer-overflow"),
    ("heap corruption", "heap-corruption"),
];

pub(super) fn start(text: &[u8], context: &mut Context<'_>) -> Start {
    let text = text.trim_ascii();
    let text = text.strip_prefix(b"<").unwrap_or(text);
    let Some(message) = text.strip_prefix(b"jemalloc>: ") else {
        return Start::No;
    };
    let title = shared_text(message.trim_ascii());
    if let Some((leaked, contexts)) = parse_summary(message) {
        let report = context.complete_report(&Tool::Jemalloc, None);
        let totals = &mut context.report_mut(report).totals;
        let total = totals.leaked.get_or_insert_default();
        *total = total.plus(leaked);
        if leaked.bytes > 0 || contexts > 0 {
            let mut finding = context.new_finding(Tool::Jemalloc, Kind::LEAK_DEFINITE, &title);
            finding.leak = Some(Leak::direct(leaked.bytes, leaked.blocks));
            context.record(report, finding);
        }
    } else if title.starts_with("Leak ") {
        context.unreadable(&Tool::Jemalloc, message);
    } else if title.starts_with("Invalid conf") || title.starts_with("Error in") {
        context.problem(
            Code::CheckerFailed,
            &alloc::format!("jemalloc rejected an option: `{title}`"),
        );
    } else if let Some((_, kind)) = KINDS.iter().find(|(part, _)| title.contains(part)) {
        context.record_single_line(Tool::Jemalloc, Kind::from_static(kind), &title);
    }
    Start::Line
}

/// Parses `Leak approximation summary: ~1228800 bytes, ~11 objects, >= 2 contexts` into the leaked
/// amount and the number of contexts.
fn parse_summary(text: &[u8]) -> Option<(Amount, u64)> {
    let (bytes, rest) = number(text.strip_prefix(b"Leak approximation summary: ~")?)?;
    let (blocks, rest) = number(after(rest, b", ~")?)?;
    let (contexts, _) = number(after(rest, b", >= ")?)?;
    Some((Amount { bytes, blocks }, contexts))
}
