//! glibc's messages before it aborts: one line about the state of the heap, a smashed stack or a
//! buffer overflow. Before 2.26 the program's name, an address, a backtrace and a memory map
//! follow.
//!
//! Sources: glibc `malloc/malloc.c`, `malloc/mcheck.c`, `debug/fortify_fail.c`,
//! `debug/stack_chk_fail.c`, `sysdeps/posix/libc_fatal.c` of 2.25 and before.

use super::{Context, CurrentReport, LineOutcome, ReportReader, Start};
use crate::bytes::{after, before, contains, find};
use crate::model::{Kind, Tool};
use crate::parse::collect::{FrameSyntax, shared_text};
use crate::parse::frame::{self, SplitFrame};

/// Prefixes of a message, and their kinds. With a leading `=` the text is the whole message,
/// because it could also occur in prose.
pub(in crate::parse) const KINDS: &[(&str, &str)] = &[
    ("free(): double free detected", "double-free"),
    ("double free or corruption (", "double-free"),
    ("=invalid fastbin entry (free)", "double-free"),
    ("free(): invalid pointer", "invalid-free"),
    ("munmap_chunk(): invalid pointer", "invalid-free"),
    ("realloc(): invalid pointer", "invalid-free"),
    ("free(): ", "heap-corruption"),
    ("malloc(): ", "heap-corruption"),
    ("realloc(): ", "heap-corruption"),
    ("malloc_consolidate(): ", "heap-corruption"),
    ("tcache_thread_shutdown(): ", "heap-corruption"),
    (
        "malloc_check_get_size: memory corruption",
        "heap-corruption",
    ),
    ("mremap_chunk(): invalid pointer", "invalid-free"),
    ("=corrupted double-linked list", "heap-corruption"),
    (
        "=corrupted double-linked list (not small)",
        "heap-corruption",
    ),
    ("=corrupted size vs. prev_size", "heap-corruption"),
    (
        "=corrupted size vs. prev_size in fastbins",
        "heap-corruption",
    ),
    (
        "=corrupted size vs. prev_size while consolidating",
        "heap-corruption",
    ),
    ("=break adjusted to free malloc space", "heap-corruption"),
    (
        "=memory clobbered before allocated block",
        "heap-corruption",
    ),
    (
        "=memory clobbered past end of allocated block",
        "heap-corruption",
    ),
    ("=block freed twice", "double-free"),
    ("=memory is consistent, library is buggy", "heap-corruption"),
    ("=bogus mcheck_status, library is buggy", "heap-corruption"),
];

/// Messages between `***`, and their kinds.
pub(in crate::parse) const STARRED_KINDS: &[(&str, &str)] = &[
    ("stack smashing detected", "stack-buffer-overflow"),
    ("buffer overflow detected", "buffer-overflow"),
];

/// Words that may follow `malloc(): ` and similar prefixes. glibc's messages are short and name the
/// error right there.
const ERROR_WORDS: &[&str] = &[
    "invalid",
    "corrupt",
    "unaligned",
    "mismatching",
    "unsorted",
    "smallbin",
    "largebin",
    "too many",
    "double",
    "memory corruption",
];

pub(super) fn start(text: &[u8], context: &mut Context<'_>) -> Start {
    let text = text.trim_ascii();
    if let Some((kind, title, has_backtrace)) = parse_starred(text) {
        if !has_backtrace {
            context.record_single_line(Tool::Glibc, kind, &title);
            return Start::Line;
        }
        let finding = context.new_finding(Tool::Glibc, kind, &title);
        let report = context.complete_report(&Tool::Glibc, None);
        return Start::report(CurrentReport::new(report).with_finding(finding), Backtrace);
    }
    let Some((message, kind)) = find_message(text) else {
        return Start::No;
    };
    context.record_single_line(Tool::Glibc, kind, &shared_text(message));
    Start::Line
}

/// Returns the message at the end of a line, and its kind. The program may have printed text
/// without a line feed before it.
fn find_message(text: &[u8]) -> Option<(&[u8], Kind)> {
    const BEGINNINGS: &[&[u8]] = &[
        b"free(): ",
        b"double free or corruption (",
        b"malloc(): ",
        b"realloc(): ",
        b"munmap_chunk(): ",
        b"corrupted ",
    ];
    let is_start = |at: &usize| *at > 0 && text[at - 1] != b'_';
    let glued = BEGINNINGS
        .iter()
        .filter_map(|prefix| find(text, prefix))
        .filter(is_start)
        .map(|at| &text[at..]);
    core::iter::once(text)
        .chain(glued)
        .find_map(|message| Some((message, kind(message)?)))
}

/// Returns the kind of a heap message.
fn kind(message: &[u8]) -> Option<Kind> {
    let message = core::str::from_utf8(message)
        .ok()
        .filter(|message| message.len() < 100)?;
    let (prefix, kind) = KINDS
        .iter()
        .find(|(prefix, _)| match prefix.strip_prefix('=') {
            Some(whole) => message == whole,
            None => message.starts_with(prefix),
        })?;
    let rest = message.strip_prefix(prefix).unwrap_or_default();
    let is_known =
        !prefix.ends_with("(): ") || ERROR_WORDS.iter().any(|word| rest.starts_with(word));
    is_known.then(|| Kind::from_static(kind))
}

/// Parses `*** stack smashing detected ***: terminated` and ``*** Error in `./a': double free or
/// corruption (top): 0x0000000001234010 ***`` into kind, title, and whether a backtrace follows.
fn parse_starred(text: &[u8]) -> Option<(Kind, alloc::sync::Arc<str>, bool)> {
    let after_stars = after(text, b"*** ")?;
    let starred = before(after_stars, b" ***")?;
    if let Some(error) = starred.strip_prefix(b"Error in `") {
        let message = &error[find(error, b"': ")? + 3..];
        let message = before(message, b": 0x").unwrap_or(message);
        return Some((kind(message)?, shared_text(message), true));
    }
    let message = core::str::from_utf8(starred).ok()?;
    let (_, kind) = STARRED_KINDS.iter().find(|(known, _)| message == *known)?;
    // Old versions print the name of the program and a backtrace after it.
    let has_backtrace = contains(after_stars, b"***: ") && after_stars.ends_with(b" terminated");
    Some((Kind::from_static(kind), shared_text(starred), has_backtrace))
}

/// Reads the backtrace of glibc 2.25 and before.
#[derive(Clone, Debug)]
struct Backtrace;

impl ReportReader for Backtrace {
    fn read_line(
        &mut self,
        text: &[u8],
        current: &mut CurrentReport,
        context: &mut Context<'_>,
    ) -> LineOutcome {
        let text = text.trim_ascii();
        if text.starts_with(b"======= Memory map: ") {
            context.flush(current);
            return LineOutcome::Finished;
        }
        let Some(finding) = &mut current.finding else {
            return LineOutcome::EndedBefore;
        };
        if text.starts_with(b"======= Backtrace: ") {
            return LineOutcome::Consumed;
        }
        match frame::split_backtrace_symbols(text) {
            Some((address, site)) => {
                let frame = SplitFrame {
                    index: None,
                    address: Some(address),
                    text: site,
                };
                context.push_frame(finding, FrameSyntax::BacktraceSymbols, frame);
                LineOutcome::Consumed
            }
            None => {
                context.flush(current);
                LineOutcome::EndedBefore
            }
        }
    }

    fn finish(&mut self, current: &mut CurrentReport, context: &mut Context<'_>) {
        context.flush(current);
    }
}
