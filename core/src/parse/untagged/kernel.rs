//! The kernel's sanitizers, as `dmesg` shows them: KASAN, KMSAN, KCSAN, KFENCE, UBSAN.
//!
//! Sources: Linux `mm/kasan/report.c`, `mm/kmsan/report.c`, `kernel/kcsan/report.c`,
//! `mm/kfence/report.c`, `lib/ubsan.c`. Each report ends with a line of `=`. Frames that the
//! unwinder only guesses at (`? FUNCTION`) are left out.

use alloc::boxed::Box;

use super::{Desk, Opened, Reading, Step};
use crate::bytes::{after, before, contains, find, hex, trim_start};
use crate::model::{Kind, Role, Tool};
use crate::parse::collect::{Grammar, text_of};
use crate::parse::draft::Draft;
use crate::parse::frame::Head;
use crate::parse::ubsan;

/// What follows `BUG: K…: `, where its first word is not the kind itself.
pub(in crate::parse) const KINDS: &[(&str, &str)] = &[
    ("double-free or invalid-free", "invalid-free"),
    ("null-ptr-deref", "null-pointer-use"),
    ("memory corruption", "heap-corruption"),
    ("invalid free", "invalid-free"),
    ("invalid read", "invalid-read"),
    ("invalid write", "invalid-write"),
    ("assert: race", "data-race"),
];

pub(super) fn opens(text: &[u8], desk: &mut Desk<'_>) -> Opened {
    let (tool, kind, title) = if let Some((kind, title)) = bug(text) {
        (Tool::Kasan, Some(kind), title)
    } else if let Some(said) = text
        .strip_prefix(b"UBSAN: ")
        .filter(|said| contains(said, b" in "))
    {
        (Tool::Ubsan, None, said)
    } else {
        return Opened::No;
    };
    let report = desk.report(&tool, None);
    desk.out.reports[report].complete = false;
    let needs_words = kind.is_none();
    let draft = desk.draft(tool, kind.unwrap_or(Kind::UNKNOWN), &text_of(title));
    Opened::Report(Box::new(Bug {
        report,
        draft: Some(draft),
        needs_words,
        expects: true,
    }))
}

/// `BUG: KASAN: slab-out-of-bounds in FUNCTION+0x1/0x2`: the kind, and what to call it.
fn bug(text: &[u8]) -> Option<(Kind, &[u8])> {
    let said = after(text, b"BUG: K")?;
    let said = [&b"ASAN: "[..], b"MSAN: ", b"CSAN: ", b"FENCE: "]
        .into_iter()
        .find_map(|name| said.strip_prefix(name))?
        .trim_ascii();
    let said = said.strip_prefix(b"maybe ").unwrap_or(said);
    let title = &said[..find(said, b"+0x").unwrap_or(said.len())];
    let words = text_of(before(said, b" in ").unwrap_or(said));
    let word = words.split(" on address").next().unwrap_or_default();
    let known = KINDS.iter().find(|(part, _)| word.starts_with(part));
    let kind = known.map_or_else(
        || Kind::from_name(word.split(' ').next().unwrap_or_default()),
        |(_, kind)| Kind::of(kind),
    );
    Some((kind, title))
}

/// A report that is being read.
#[derive(Clone, Debug)]
struct Bug {
    report: usize,
    draft: Option<Draft>,
    /// UBSAN's second line says what it is.
    needs_words: bool,
    /// The next frame opens the stack of the error itself.
    expects: bool,
}

impl Reading for Bug {
    fn line(&mut self, text: &[u8], desk: &mut Desk<'_>) -> Step {
        let said = text.trim_ascii();
        let is_bar = said.len() > 40 && said.iter().all(|b| *b == b'=');
        if is_bar || said.starts_with(b"---[ end trace ") {
            desk.end(self.report, &mut self.draft, true);
            return Step::Last;
        }
        let Some(draft) = &mut self.draft else {
            return Step::Over;
        };
        if core::mem::take(&mut self.needs_words) {
            let place = core::mem::replace(&mut draft.title, text_of(said));
            draft.kind = ubsan::kind(&draft.title);
            draft.note(place.as_bytes());
            draft.last_line = desk.line;
            return Step::Own;
        }
        if let Some(role) = role(said, self.expects) {
            self.expects &= role != Role::Access;
            draft.expect_stack(role, if said.ends_with(b"Trace:") { b"" } else { said });
        } else if let Some(head) = frame(text) {
            self.expects = false;
            if let Some(head) = head {
                desk.frame(draft, Grammar::Kernel, head);
            }
        } else if said.is_empty() {
            draft.close_stack();
            draft.last_line = desk.line;
        } else if said.starts_with(b"<") && said.ends_with(b">") {
            draft.last_line = desk.line;
        } else if is_note(said) {
            draft.note(said);
            draft.last_line = desk.line;
        } else {
            return Step::Foreign;
        }
        Step::Own
    }

    fn finish(&mut self, desk: &mut Desk<'_>) {
        desk.end(self.report, &mut self.draft, false);
    }

    fn report(&self) -> Option<usize> {
        Some(self.report)
    }
}

/// What stack a line announces.
fn role(said: &[u8], expects: bool) -> Option<Role> {
    let says = |words: &[u8]| contains(said, words);
    if said.eq_ignore_ascii_case(b"call trace:") || said == b"Backtrace:" {
        return Some(if expects { Role::Access } else { Role::Other });
    }
    if !said.ends_with(b":") {
        return None;
    }
    // KCSAN names two sides, KFENCE repeats the error with its address.
    let side = [
        &b"read "[..],
        b"write ",
        b"race at unknown origin",
        b"assert no ",
    ]
    .iter()
    .any(|word| said.starts_with(word));
    if side && (says(b" by task ") || says(b" by interrupt")) {
        return Some(if expects {
            Role::Access
        } else {
            Role::Conflict
        });
    }
    if says(b" (in kfence-#") || says(b" of kfence-#") || says(b" right of kfence") {
        return Some(Role::Access);
    }
    let lower = said.to_ascii_lowercase();
    let says = |words: &[u8]| contains(&lower, words);
    if says(b"freed by task") {
        Some(Role::Free)
    } else if says(b"allocated by task") {
        Some(Role::Allocation)
    } else if says(b"created at:") || says(b"stored to memory at:") {
        Some(Role::Origin)
    } else if says(b"work creation:") || says(b"stack is:") {
        Some(Role::Other)
    } else {
        None
    }
}

/// A frame; nothing for one that the unwinder guesses at.
pub(super) fn frame(text: &[u8]) -> Option<Option<Head<'_>>> {
    let said = text.trim_ascii();
    let (address, site) = match said.strip_prefix(b"[<").and_then(hex) {
        Some((address, rest)) => (Some(address), trim_start(rest.strip_prefix(b">]")?)),
        None => (None, said),
    };
    let guessed = site.strip_prefix(b"? ");
    let site = guessed.unwrap_or(site);
    let name = site.split(|b| *b == b' ').next()?;
    let sized = after(name, b"+0x")
        .and_then(hex)
        .is_some_and(|(_, rest)| rest.starts_with(b"/0x"));
    if !(sized || site.ends_with(b"[inline]") || (address.is_some() && !name.is_empty())) {
        return None;
    }
    Some(guessed.is_none().then_some(Head {
        index: None,
        address,
        site,
    }))
}

/// A line that explains.
fn is_note(said: &[u8]) -> bool {
    const WORDS: &[&[u8]] = &[
        b"Read of size ",
        b"Write of size ",
        b"Write at addr ",
        b"Read at addr ",
        b"Free of addr ",
        b"The buggy address ",
        b"which belongs to ",
        b"The buggy address is located ",
        b"Bytes ",
        b"Memory access of size ",
        b"Data copied to user address ",
        b"kfence-#",
        b"value changed: ",
        b"Local variable ",
        b"freed via ",
    ];
    WORDS.iter().any(|words| said.starts_with(words))
}
