//! glibc before it aborts: one line on the heap's state, a smashed stack or an overflown buffer.
//! Before 2.26 with the program's name, an address, a backtrace and a map of the memory.
//!
//! Sources: glibc `malloc/malloc.c`, `malloc/mcheck.c`, `debug/fortify_fail.c`,
//! `debug/stack_chk_fail.c`, `sysdeps/posix/libc_fatal.c` of 2.25 and before.

use alloc::boxed::Box;

use super::{Desk, Opened, Reading, Step};
use crate::bytes::{after, before, contains, find};
use crate::model::{Kind, Tool};
use crate::parse::collect::{Grammar, text_of};
use crate::parse::draft::Draft;
use crate::parse::frame::{self, Head};

/// What a line is, or begins with where the words end in ` *`, and its kind. With `=` before them,
/// the words are the whole line: they could stand in a sentence.
pub(in crate::parse) const WORDS: &[(&str, &str)] = &[
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

/// What stands between three stars.
pub(in crate::parse) const STARRED: &[(&str, &str)] = &[
    ("stack smashing detected", "stack-buffer-overflow"),
    ("buffer overflow detected", "buffer-overflow"),
];

/// What may follow `malloc(): ` and its like: glibc's sentences are short, and say what is wrong.
const WRONG: &[&str] = &[
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

pub(super) fn opens(text: &[u8], desk: &mut Desk<'_>) -> Opened {
    let said = text.trim_ascii();
    if let Some((kind, title, with_map)) = starred(said) {
        if !with_map {
            desk.said(Tool::Glibc, kind, &title);
            return Opened::Line;
        }
        let draft = desk.draft(Tool::Glibc, kind, &title);
        let report = desk.report(&Tool::Glibc, None);
        desk.out.reports[report].complete = true;
        return Opened::Report(Box::new(Aborted {
            report,
            draft: Some(draft),
        }));
    }
    let Some((said, kind)) = sentence(said) else {
        return Opened::No;
    };
    desk.said(Tool::Glibc, kind, &text_of(said));
    Opened::Line
}

/// The sentence at the end of a line, and its kind: text that the program left without a line feed
/// may stand before it.
fn sentence(said: &[u8]) -> Option<(&[u8], Kind)> {
    const BEGINNINGS: &[&[u8]] = &[
        b"free(): ",
        b"double free or corruption (",
        b"malloc(): ",
        b"realloc(): ",
        b"munmap_chunk(): ",
        b"corrupted ",
    ];
    let is_start = |at: &usize| *at > 0 && said[at - 1] != b'_';
    let glued = BEGINNINGS
        .iter()
        .filter_map(|words| find(said, words))
        .filter(is_start)
        .map(|at| &said[at..]);
    core::iter::once(said)
        .chain(glued)
        .find_map(|said| Some((said, kind(said)?)))
}

/// The kind of a sentence of the heap's.
fn kind(said: &[u8]) -> Option<Kind> {
    let said = core::str::from_utf8(said)
        .ok()
        .filter(|said| said.len() < 100)?;
    let (words, kind) = WORDS
        .iter()
        .find(|(words, _)| match words.strip_prefix('=') {
            Some(whole) => said == whole,
            None => said.starts_with(words),
        })?;
    let rest = said.strip_prefix(words).unwrap_or_default();
    let known = !words.ends_with("(): ") || WRONG.iter().any(|wrong| rest.starts_with(wrong));
    known.then(|| Kind::of(kind))
}

/// `*** stack smashing detected ***: terminated`, ``*** Error in `./a': double free or corruption
/// (top): 0x0000000001234010 ***``; and whether a backtrace follows.
fn starred(said: &[u8]) -> Option<(Kind, alloc::sync::Arc<str>, bool)> {
    let words = after(said, b"*** ")?;
    let ended = before(words, b" ***")?;
    if let Some(error) = ended.strip_prefix(b"Error in `") {
        let said = &error[find(error, b"': ")? + 3..];
        let address = before(said, b": 0x").unwrap_or(said);
        return Some((kind(address)?, text_of(address), true));
    }
    let text = core::str::from_utf8(ended).ok()?;
    let (_, kind) = STARRED.iter().find(|(words, _)| text == *words)?;
    // Long ago the name of the program followed, and a backtrace.
    let with_map = contains(words, b"***: ") && words.ends_with(b" terminated");
    Some((Kind::of(kind), text_of(ended), with_map))
}

/// The backtrace of 2.25 and before.
#[derive(Clone, Debug)]
struct Aborted {
    report: usize,
    draft: Option<Draft>,
}

impl Reading for Aborted {
    fn line(&mut self, text: &[u8], desk: &mut Desk<'_>) -> Step {
        let said = text.trim_ascii();
        if said.starts_with(b"======= Memory map: ") {
            self.finish(desk);
            return Step::Last;
        }
        let Some(draft) = &mut self.draft else {
            return Step::Over;
        };
        if said.starts_with(b"======= Backtrace: ") {
            return Step::Own;
        }
        match frame::symbols(said) {
            Some((address, site)) => {
                let head = Head {
                    index: None,
                    address: Some(address),
                    site,
                };
                desk.frame(draft, Grammar::Symbols, head);
                Step::Own
            }
            None => {
                self.finish(desk);
                Step::Over
            }
        }
    }

    fn finish(&mut self, desk: &mut Desk<'_>) {
        desk.hand_in(self.report, &mut self.draft);
    }

    fn report(&self) -> Option<usize> {
        Some(self.report)
    }
}
