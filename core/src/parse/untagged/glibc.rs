//! glibc's messages before it aborts: one line about the state of the heap, a smashed stack or a
//! buffer overflow. Before 2.26 the program's name, an address, a backtrace and a memory map
//! follow.
//!
//! Sources: glibc `malloc/malloc.c`, `malloc/mcheck.c`, `debug/fortify_fail.c`,
//! `debug/stack_chk_fail.c`, `sysdeps/posix/libc_fatal.c` of 2.25 and before.

use super::message::resembles;
use super::{Context, CurrentReport, LineOutcome, ReportReader, Start};
use crate::bytes::{after, before, contains};
use crate::model::{Kind, Tool};
use crate::parse::collect::{FrameSyntax, shared_text};
use crate::parse::frame::{self, SplitFrame};

/// The beginnings of headlines.
pub(super) const HEADS: &[&str] = &[
    "free(): ",
    "double free or corruption (",
    "malloc(): ",
    "realloc(): ",
    "munmap_chunk(): ",
    "mremap_chunk(): ",
    "malloc_consolidate(): ",
    "tcache_thread_shutdown(): ",
    "malloc_check_get_size: ",
    "corrupted double-linked list",
    "corrupted size vs. prev_size",
    "invalid fastbin entry (free)",
    "break adjusted to free malloc space",
    "memory clobbered ",
    "memory is consistent, library is buggy",
    "bogus mcheck_status, library is buggy",
    "block freed twice",
    "*** stack smashing detected ***",
    "*** buffer overflow detected ***",
    "*** Error in `",
    "*** glibc detected *** ",
    "Fatal glibc error: malloc",
    "sysmalloc: Assertion `",
    "_int_malloc: Assertion `",
    "__libc_malloc: Assertion `",
    "__libc_calloc: Assertion `",
    "_int_realloc: Assertion `",
];

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

/// The words of the messages after `malloc(): ` and similar prefixes.
const WORDS: &str = "invalid pointer size old next top mismatching corrupted unsorted smallbin \
    largebin fastbin tcache chunk chunks too many double free linked list unaligned detected in \
    memory corruption";

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
    if let Some(assertion) = failed_assertion(text) {
        let kind = Kind::from_static("heap-corruption");
        context.record_single_line(Tool::Glibc, kind, &shared_text(assertion));
        return Start::Line;
    }
    let Some(kind) = kind(text) else {
        return Start::No;
    };
    context.record_single_line(Tool::Glibc, kind, &shared_text(text));
    Start::Line
}

/// Returns the failed assertion of the allocator, which holds as long as the heap is intact. glibc
/// 2.35 and before print `sysmalloc: Assertion `…' failed.` after the program and the place, newer
/// ones `Fatal glibc error: malloc.c:2599 (sysmalloc): assertion failed: …`.
fn failed_assertion(text: &[u8]) -> Option<&[u8]> {
    if let Some(error) = text.strip_prefix(b"Fatal glibc error: ") {
        let is_failed = [
            &b"): assertion failed: "[..],
            b"malloc assertion failure in ",
        ]
        .iter()
        .any(|words| contains(error, words));
        return is_failed.then_some(error);
    }
    let is_allocator = HEADS
        .iter()
        .any(|head| head.ends_with(": Assertion `") && text.starts_with(head.as_bytes()));
    (is_allocator && text.ends_with(b" failed.")).then_some(text)
}

/// Returns the kind of a heap message. In glibc it is the whole line.
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
    let first = rest.split(' ').next().unwrap_or_default();
    let is_whole = match *prefix {
        "double free or corruption (" => !rest.contains(' '),
        // These words are also the names of functions.
        prefix if prefix.ends_with("(): ") => {
            !first.is_empty() && WORDS.split(' ').any(|word| first.starts_with(word))
        }
        _ => true,
    };
    (is_whole && resembles(rest.as_bytes(), WORDS)).then(|| Kind::from_static(kind))
}

/// Parses `*** stack smashing detected ***: terminated` and ``*** Error in `./a': double free or
/// corruption (top): 0x0000000001234010 ***`` into kind, title, and whether a backtrace follows.
fn parse_starred(text: &[u8]) -> Option<(Kind, alloc::sync::Arc<str>, bool)> {
    let after_stars = text.strip_prefix(b"*** ")?;
    // Until glibc 2.21 the program followed these words.
    let old = after_stars.strip_prefix(b"glibc detected *** ");
    let error = match old {
        Some(error) => after(error, b": "),
        None => after_stars
            .strip_prefix(b"Error in `")
            .and_then(|error| after(error, b"': ")),
    };
    if let Some(error) = error {
        let message = before(error, b" ***")?;
        let message = before(message, b": 0x").unwrap_or(message);
        return Some((kind(message)?, shared_text(message), true));
    }
    let starred = before(after_stars, b" ***")?;
    let message = core::str::from_utf8(starred).ok()?;
    let (_, kind) = STARRED_KINDS.iter().find(|(known, _)| message == *known)?;
    let rest = &after_stars[starred.len() + b" ***".len()..];
    // Old versions print the name of the program and a backtrace after it.
    let has_backtrace = rest.starts_with(b": ") && rest.ends_with(b" terminated");
    let is_whole = rest.is_empty() || rest.starts_with(b":");
    is_whole.then(|| (Kind::from_static(kind), shared_text(starred), has_backtrace))
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
