//! kmemleak: objects of the kernel to which it found no pointer, from `/sys/kernel/debug/kmemleak`
//! or a log.
//!
//! Source: Linux `mm/kmemleak.c` (`print_unreferenced`). Each object has its size, who allocated
//! it, a dump, and a backtrace.

use alloc::boxed::Box;
use alloc::format;

use super::{Desk, Opened, Reading, Step, kernel};
use crate::bytes::{after, contains, number};
use crate::model::{Kind, Leak, Role, Tool};
use crate::parse::collect::{Grammar, text_of};
use crate::parse::draft::Draft;
use crate::problem::Code;

pub(super) fn opens(text: &[u8], desk: &mut Desk<'_>) -> Opened {
    if let Some(size) = object(text) {
        let report = desk.report(&Tool::Kmemleak, None);
        desk.out.reports[report].complete = true;
        let mut objects = Objects {
            report,
            draft: None,
        };
        objects.begin(size, desk);
        return Opened::Report(Box::new(objects));
    }
    let found = after(text, b"kmemleak: ")
        .and_then(number)
        .filter(|(_, rest)| rest.starts_with(b" new suspected memory leak"));
    if let Some((found, _)) = found {
        // The kernel's log says how many; the objects are in another file.
        let report = desk.report(&Tool::Kmemleak, None);
        let report = &mut desk.out.reports[report];
        report.complete = true;
        let stated = report.stated.errors.get_or_insert(0);
        *stated = stated.saturating_add(found);
        return Opened::Line;
    }
    if contains(text, b"kmemleak: ")
        && (contains(text, b"Kernel memory leak detector disabled")
            || contains(text, b"Automatic memory scanning thread ended"))
    {
        desk.problem(
            Code::CheckerFailed,
            &format!("kmemleak stopped: `{}`", text_of(text.trim_ascii())),
        );
        return Opened::Line;
    }
    Opened::No
}

/// `unreferenced object 0xffff880039a55260 (size 64):`
fn object(text: &[u8]) -> Option<u64> {
    let said = text.trim_ascii();
    let rest = said
        .strip_prefix(b"unreferenced object ")
        .or_else(|| said.strip_prefix(b"unreferenced percpu object "))?;
    let (size, rest) = number(after(rest, b"(size ")?)?;
    rest.starts_with(b")").then_some(size)
}

/// The objects of one scan.
#[derive(Clone, Debug)]
struct Objects {
    report: usize,
    draft: Option<Draft>,
}

impl Reading for Objects {
    fn line(&mut self, text: &[u8], desk: &mut Desk<'_>) -> Step {
        if let Some(size) = object(text) {
            self.finish(desk);
            self.begin(size, desk);
            return Step::Own;
        }
        let said = text.trim_ascii();
        let Some(draft) = &mut self.draft else {
            return Step::Over;
        };
        if let Some(head) = kernel::frame(text) {
            if let Some(head) = head {
                desk.frame(draft, Grammar::Kernel, head);
            }
        } else if said.starts_with(b"comm \"")
            || said.starts_with(b"hex dump ")
            || said.starts_with(b"backtrace")
            || is_dump(said)
        {
            draft.last_line = desk.line;
        } else if said.is_empty() {
            return Step::Foreign;
        } else {
            self.finish(desk);
            return Step::Over;
        }
        Step::Own
    }

    fn finish(&mut self, desk: &mut Desk<'_>) {
        desk.hand_in(self.report, &mut self.draft);
    }

    fn report(&self) -> Option<usize> {
        Some(self.report)
    }
}

impl Objects {
    fn begin(&mut self, size: u64, desk: &Desk<'_>) {
        let mut draft = desk.draft(
            Tool::Kmemleak,
            Kind::LEAK_DEFINITE,
            &format!("unreferenced object of {size} bytes"),
        );
        draft.leak = Some(Leak::direct(size, 1));
        draft.expect_stack(Role::Allocation, b"");
        self.draft = Some(draft);
    }
}

/// `2f 00 00 00  /...`
fn is_dump(said: &[u8]) -> bool {
    let mut words = said.split(|b| *b == b' ');
    words
        .next()
        .is_some_and(|word| word.len() == 2 && word.iter().all(u8::is_ascii_hexdigit))
}
