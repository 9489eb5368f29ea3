//! GWP-ASan, which guards a few allocations of a process: a headline, the error, and stacks of
//! where it happened, of the free and of the allocation.
//!
//! Sources: compiler-rt `gwp_asan/optional/segv_handler_posix.cpp`; tcmalloc
//! `tcmalloc/segv_handler.cc`, which words it otherwise and ends without a last line.

use alloc::boxed::Box;

use super::{Desk, Opened, Reading, Step};
use crate::bytes::{contains, find, hex, trim_start};
use crate::model::{Kind, Role, Tool};
use crate::parse::collect::{Grammar, text_of};
use crate::parse::draft::Draft;
use crate::parse::frame::{self, Head};

/// What the error begins with, and its kind.
pub(in crate::parse) const WORDS: &[(&str, &str)] = &[
    ("Use After Free", "heap-use-after-free"),
    ("Use-after-free", "heap-use-after-free"),
    ("Double Free", "double-free"),
    ("Double free", "double-free"),
    ("Invalid (Wild) Free", "invalid-free"),
    ("Invalid free", "invalid-free"),
    ("Buffer Overflow", "heap-buffer-overflow"),
    ("Buffer overflow", "heap-buffer-overflow"),
    ("Buffer Underflow", "heap-buffer-overflow"),
    ("Buffer underflow", "heap-buffer-overflow"),
    ("Buffer Under/Overflow", "heap-buffer-overflow"),
    ("Mismatched-size-delete", "new-delete-type-mismatch"),
    ("Mismatched-free", "alloc-dealloc-mismatch"),
];

pub(super) fn opens(text: &[u8], desk: &mut Desk<'_>) -> Opened {
    let is_headline =
        contains(text, b"*** GWP-ASan ") && contains(text, b"detected a memory error");
    if !is_headline {
        return Opened::No;
    }
    let report = desk.report(&Tool::GwpAsan, None);
    desk.out.reports[report].complete = false;
    let has_end = !contains(text, b" has detected ");
    Opened::Report(Box::new(Error {
        report,
        draft: None,
        first: desk.line,
        has_end,
    }))
}

/// An error that is being read.
#[derive(Clone, Debug)]
struct Error {
    report: usize,
    /// Absent until the line that says what it is.
    draft: Option<Draft>,
    first: u64,
    /// tcmalloc's ends without a last line.
    has_end: bool,
}

impl Reading for Error {
    fn line(&mut self, text: &[u8], desk: &mut Desk<'_>) -> Step {
        let said = words(text);
        if said.starts_with(b"*** End GWP-ASan report") {
            // Without the line that says what it is, nothing was read of the error.
            let whole = self.draft.is_some();
            desk.end(self.report, &mut self.draft, whole);
            return Step::Last;
        }
        let kind = WORDS
            .iter()
            .find(|(words, _)| said.starts_with(words.as_bytes()));
        let Some(draft) = &mut self.draft else {
            let kind = kind
                .map(|(_, kind)| Kind::of(kind))
                .or_else(|| contains(said, b" at 0x").then_some(Kind::UNKNOWN));
            let Some(kind) = kind else {
                return if said.is_empty() {
                    Step::Own
                } else {
                    Step::Foreign
                };
            };
            let mut draft = desk.draft(Tool::GwpAsan, kind, &text_of(said.trim_ascii_end()));
            draft.first_line = self.first;
            draft.expect_stack(Role::Access, b"");
            self.draft = Some(draft);
            return Step::Own;
        };
        if let Some(role) = role(said) {
            draft.expect_stack(role, said);
        } else if let Some(head) = frame::numbered(said).or_else(|| at(said)) {
            let (grammar, head) = match frame::symbols(head.site) {
                Some((address, site)) => (
                    Grammar::Symbols,
                    Head {
                        address: Some(address),
                        site,
                        ..head
                    },
                ),
                None => (Grammar::Sanitizer, head),
            };
            desk.frame(draft, grammar, head);
        } else if said.is_empty() {
            draft.close_stack();
        } else if kind.is_none() && !is_note(said) {
            return Step::Foreign;
        } else {
            draft.note(said);
        }
        Step::Own
    }

    fn finish(&mut self, desk: &mut Desk<'_>) {
        let whole = !self.has_end && self.draft.is_some();
        desk.end(self.report, &mut self.draft, whole);
    }

    fn report(&self) -> Option<usize> {
        Some(self.report)
    }
}

/// A line without what tcmalloc's log writes before it: the time, the thread, `FILE.cc:LINE] `.
fn words(text: &[u8]) -> &[u8] {
    let said = text.trim_ascii();
    let Some(at) = find(said, b"] ").filter(|at| contains(&said[..*at], b".cc:")) else {
        return said;
    };
    said[at + 2..].trim_ascii()
}

/// `@ 0x55d1d3d45164  leaker`
fn at(said: &[u8]) -> Option<Head<'_>> {
    let (address, rest) = hex(trim_start(said.strip_prefix(b"@")?).strip_prefix(b"0x")?)?;
    Some(Head {
        index: None,
        address: Some(address),
        site: trim_start(rest),
    })
}

/// What stack a line announces.
fn role(said: &[u8]) -> Option<Role> {
    if !(said.ends_with(b" here:") || said.ends_with(b" at:")) {
        return None;
    }
    let says = |words: &[u8]| contains(said, words);
    Some(if says(b"deallocated") || says(b"freed") {
        Role::Free
    } else if says(b"allocated") && !says(b"allocation) by thread") {
        Role::Allocation
    } else {
        Role::Access
    })
}

/// A line that explains: tcmalloc's `>>> Access at offset …`, Scudo's on the memory of its
/// allocator.
fn is_note(said: &[u8]) -> bool {
    said.starts_with(b">>> ")
        || contains(said, b" at 0x")
        || said.starts_with(b"Error originates from")
}
