//! gperftools' heap checker, and what tcmalloc says of a wrong free.
//!
//! Source: gperftools 2.10 `src/heap-checker.cc`, `src/debugallocation.cc`, `src/tcmalloc.cc`.

use alloc::boxed::Box;

use super::{Desk, Opened, Reading, Step};
use crate::bytes::{after, contains, hex, number, trim_start};
use crate::model::{Amount, Kind, Leak, Role, Tool};
use crate::parse::collect::{Grammar, text_of};
use crate::parse::draft::Draft;
use crate::parse::frame::Head;

/// What an error of the allocator holds, and its kind.
pub(in crate::parse) const WORDS: &[(&str, &str)] = &[
    ("memory stomping bug", "heap-corruption"),
    ("has been already deallocated", "double-free"),
    ("Attempt to free invalid pointer", "invalid-free"),
    ("Attempt to realloc invalid pointer", "invalid-free"),
    ("mismatched by", "alloc-dealloc-mismatch"),
];

pub(super) fn opens(text: &[u8], desk: &mut Desk<'_>) -> Opened {
    let said = text.trim_ascii();
    if let Some(stated) =
        after(said, b"Leak check ").and_then(|rest| after(rest, b" detected leaks of "))
    {
        let Some(stated) = amount(stated) else {
            desk.unreadable(&Tool::Tcmalloc, said);
            return Opened::Line;
        };
        let report = checked(desk, stated);
        return Opened::Report(Box::new(Leaks {
            report,
            draft: None,
        }));
    }
    if let Some(leak) = said.strip_prefix(b"Leak of ").and_then(amount) {
        // The sum before it is not in the log.
        let report = desk.report(&Tool::Tcmalloc, None);
        let mut leaks = Leaks {
            report,
            draft: None,
        };
        desk.cut(report, "a leak of tcmalloc's without the sum before it");
        leaks.begin(leak, said, desk);
        return Opened::Report(Box::new(leaks));
    }
    if said.starts_with(b"No leaks found for check ") {
        checked(desk, Amount::default());
        return Opened::Line;
    }
    let is_allocator = said.starts_with(b"memory allocation")
        || contains(said, b"tcmalloc")
        || contains(said, b"memory stomping bug");
    let Some((_, kind)) = WORDS
        .iter()
        .find(|(words, _)| contains(said, words.as_bytes()))
        .filter(|_| is_allocator)
    else {
        return Opened::No;
    };
    // The one sentence names two errors, and the object says which was the first.
    let kind = if contains(said, b"already deallocated") {
        "double-free"
    } else {
        kind
    };
    desk.said(Tool::Tcmalloc, Kind::of(kind), &text_of(said));
    Opened::Line
}

/// A check of the heap has ended.
fn checked(desk: &mut Desk<'_>, leaked: Amount) -> usize {
    let report = desk.report(&Tool::Tcmalloc, None);
    let this = &mut desk.out.reports[report];
    this.complete = true;
    let stated = this.stated.leaked.get_or_insert_default();
    *stated = stated.plus(leaked);
    report
}

/// `1000000 bytes in 10 objects`
fn amount(text: &[u8]) -> Option<Amount> {
    let (bytes, rest) = number(text)?;
    let (blocks, rest) = number(rest.strip_prefix(b" bytes in ")?)?;
    rest.starts_with(b" objects")
        .then_some(Amount { bytes, blocks })
}

/// The leaks of one check.
#[derive(Clone, Debug)]
struct Leaks {
    report: usize,
    draft: Option<Draft>,
}

impl Reading for Leaks {
    fn line(&mut self, text: &[u8], desk: &mut Desk<'_>) -> Step {
        let said = text.trim_ascii();
        if let Some(leak) = said.strip_prefix(b"Leak of ").and_then(amount) {
            desk.hand_in(self.report, &mut self.draft);
            self.begin(leak, said, desk);
            return Step::Own;
        }
        // It lists twenty at most, so that the sum may be larger.
        if said.starts_with(b"The ") && said.ends_with(b" largest leaks:") {
            return Step::Own;
        }
        if said.starts_with(b"If the preceding stack traces are not enough")
            || said.starts_with(b"Exiting with error code")
        {
            desk.hand_in(self.report, &mut self.draft);
            return Step::Last;
        }
        let Some(draft) = &mut self.draft else {
            return Step::Foreign;
        };
        let frame = trim_start(text).strip_prefix(b"@ ").and_then(hex);
        let Some((address, rest)) = frame else {
            return if said.is_empty() {
                Step::Own
            } else {
                Step::Foreign
            };
        };
        let head = Head {
            index: None,
            address: Some(address),
            site: if trim_start(rest).is_empty() {
                said
            } else {
                trim_start(rest)
            },
        };
        desk.frame(draft, Grammar::Function, head);
        Step::Own
    }

    fn finish(&mut self, desk: &mut Desk<'_>) {
        desk.hand_in(self.report, &mut self.draft);
        desk.cut(self.report, "the list of tcmalloc's leaks has no end");
    }

    fn report(&self) -> Option<usize> {
        Some(self.report)
    }
}

impl Leaks {
    fn begin(&mut self, leak: Amount, said: &[u8], desk: &Desk<'_>) {
        let title = text_of(said.strip_suffix(b" allocated from:").unwrap_or(said));
        let mut draft = desk.draft(Tool::Tcmalloc, Kind::LEAK_DEFINITE, &title);
        draft.leak = Some(Leak::direct(leak.bytes, leak.blocks));
        draft.expect_stack(Role::Allocation, b"");
        self.draft = Some(draft);
    }
}
