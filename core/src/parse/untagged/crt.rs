//! The debug heap of Microsoft's C runtime: what it dumps at the end of a program, and what it says
//! of a damaged block.
//!
//! Source: <https://learn.microsoft.com/en-us/cpp/c-runtime-library/find-memory-leaks-using-the-crt-library>. A block has no stack, only
//! the place of its allocation, and that where `_CRTDBG_MAP_ALLOC` was defined.

use alloc::boxed::Box;
use alloc::format;

use super::{Desk, Opened, Reading, Step};
use crate::bytes::{contains, find, lossy, number};
use crate::model::{Kind, Leak, Role, Tool};
use crate::parse::collect::{Grammar, text_of};
use crate::parse::draft::Draft;
use crate::parse::frame::Head;

pub(super) fn opens(text: &[u8], desk: &mut Desk<'_>) -> Opened {
    let said = text.trim_ascii();
    if said.ends_with(b"Detected memory leaks!") {
        let report = desk.report(&Tool::Crt, None);
        desk.out.reports[report].complete = false;
        return Opened::Report(Box::new(Dump { report }));
    }
    if let Some(draft) = block(said, desk) {
        let report = desk.report(&Tool::Crt, None);
        desk.record(report, draft);
        desk.cut(
            report,
            "a block of the debug heap without the beginning of the dump",
        );
        return Opened::Report(Box::new(Dump { report }));
    }
    if said.starts_with(b"HEAP CORRUPTION DETECTED: ") {
        desk.said(Tool::Crt, Kind::of("heap-corruption"), &text_of(said));
        return Opened::Line;
    }
    Opened::No
}

/// The dump of what was not freed.
#[derive(Clone, Debug)]
struct Dump {
    report: usize,
}

impl Reading for Dump {
    fn line(&mut self, text: &[u8], desk: &mut Desk<'_>) -> Step {
        let said = text.trim_ascii();
        if said.ends_with(b"Detected memory leaks!") {
            self.finish(desk);
            return Step::Over;
        }
        if said.starts_with(b"Object dump complete") {
            desk.out.reports[self.report].complete = true;
            return Step::Last;
        }
        if let Some(draft) = block(said, desk) {
            desk.record(self.report, draft);
            return Step::Own;
        }
        // MFC tells of a client block once more, by its class.
        let is_named = said.starts_with(b"a ") && contains(said, b" at $");
        if contains(said, b" bytes long") && !is_named {
            desk.unreadable(&Tool::Crt, said);
            return Step::Own;
        }
        let is_own = is_named
            || said.is_empty()
            || said.starts_with(b"Dumping objects ->")
            || said.starts_with(b"Data: <");
        if is_own { Step::Own } else { Step::Foreign }
    }

    fn finish(&mut self, desk: &mut Desk<'_>) {
        desk.cut(self.report, "the dump of the debug heap has no end");
    }

    fn report(&self) -> Option<usize> {
        Some(self.report)
    }
}

/// `C:\src\a.cpp(10) : {813} normal block at 0x00C08E80, 16 bytes long.`
fn block(said: &[u8], desk: &mut Desk<'_>) -> Option<Draft> {
    let open = find(said, b"{")?;
    let (_, what) = number(&said[open + 1..])?;
    let what = what.strip_prefix(b"} ")?;
    let name = &what[..find(what, b" at ")?];
    let size = what
        .strip_suffix(b" bytes long.")
        .or_else(|| what.strip_suffix(b" bytes long"))?;
    let (bytes, _) = number(size.rsplit(|b| *b == b' ').next()?)?;
    if !contains(name, b"block") && !contains(name, b"a C") {
        return None;
    }
    let mut draft = desk.draft(
        Tool::Crt,
        Kind::LEAK_DEFINITE,
        &format!("{}, {bytes} bytes long", lossy(name)),
    );
    draft.leak = Some(Leak::direct(bytes, 1));
    draft.expect_stack(Role::Allocation, b"");
    if let Some(place) = said[..open].strip_suffix(b" : ") {
        desk.frame(
            &mut draft,
            Grammar::Place,
            Head {
                index: Some(0),
                address: None,
                site: place,
            },
        );
    }
    Some(draft)
}
