//! macOS's `leaks`: the sum, then each leak with its tree of blocks, and perhaps the stack of the
//! allocation.
//!
//! Sources: `leaks(1)`; reports of version 1 to 4 that people posted. A stack is numbered from the
//! bottom: its last line is the top. The sizes of a tree are rounded, those of its blocks (`[32]`)
//! are not, and they add up to what the report states.

mod tree;

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use self::tree::{Root, block, root};
use super::{Desk, Opened, Reading, Step};
use crate::bytes::{after, before, contains, find, hex, lossy, number};
use crate::model::{Amount, Kind, Leak, Role, Tool};
use crate::parse::collect::{Grammar, text_of};
use crate::parse::draft::Draft;
use crate::parse::frame::Head;
use crate::problem::Code;

pub(super) fn opens(text: &[u8], desk: &mut Desk<'_>) -> Opened {
    let said = text.trim_ascii();
    let mut leaks = Leaks {
        report: None,
        stack: Vec::new(),
        open: None,
    };
    if said.starts_with(b"leaks Report Version: ") {
        return Opened::Report(Box::new(leaks));
    }
    match leaks.sum(said, desk) {
        Some(true) => Opened::Report(Box::new(leaks)),
        Some(false) => Opened::Line,
        None => Opened::No,
    }
}

/// `Process 8311: 1 leak for 32 total leaked bytes.`
fn total(said: &[u8]) -> Option<(u64, Amount)> {
    let (pid, rest) = number(said.strip_prefix(b"Process ")?)?;
    let (blocks, rest) = number(rest.strip_prefix(b": ")?)?;
    let rest = rest
        .strip_prefix(b" leaks for ")
        .or_else(|| rest.strip_prefix(b" leak for "))?;
    let (bytes, rest) = number(rest)?;
    rest.starts_with(b" total leaked byte")
        .then_some((pid, Amount { bytes, blocks }))
}

/// The leaks of one process.
#[derive(Clone, Debug)]
struct Leaks {
    /// Absent until the sum.
    report: Option<usize>,
    /// The stack of the leaks that follow, as it is printed: the top comes last.
    stack: Vec<Box<[u8]>>,
    open: Option<Open>,
}

/// A leak whose blocks are being added up.
#[derive(Clone, Debug)]
struct Open {
    draft: Draft,
    root: u64,
    sum: Amount,
}

impl Reading for Leaks {
    fn line(&mut self, text: &[u8], desk: &mut Desk<'_>) -> Step {
        let said = text.trim_ascii();
        if said.starts_with(b"leaks Report Version")
            || (self.report.is_some() && total(said).is_some())
        {
            self.finish(desk);
            return Step::Over;
        }
        if self.report.is_none() {
            return match self.sum(said, desk) {
                Some(true) => Step::Own,
                Some(false) => Step::Last,
                None => Step::Foreign,
            };
        }
        if said.starts_with(b"STACK OF ") {
            self.hand_in(desk);
            self.stack.clear();
        } else if let Some(frame) = frame(said) {
            if self.stack.len() < desk.out.options.max_frames {
                self.stack.push(frame.into());
            }
        } else if let Some(root) = root(said) {
            self.hand_in(desk);
            self.begin(&root, desk);
        } else if let Some(leak) = said.strip_prefix(b"Leak: 0x") {
            self.hand_in(desk);
            self.single(leak, desk);
        } else if let Some(calls) = after(said, b"Call stack: ") {
            self.call_stack(calls, desk);
        } else if said.starts_with(b"Binary Images:") {
            self.hand_in(desk);
            return Step::Last;
        } else if let Some(size) = self.open.as_ref().and_then(|_| block(said)) {
            if let Some(open) = &mut self.open {
                open.sum = open.sum.plus(Amount {
                    bytes: size,
                    blocks: 1,
                });
                open.draft.last_line = desk.line;
            }
        } else if !is_of_tree(said) {
            return Step::Foreign;
        }
        Step::Own
    }

    fn finish(&mut self, desk: &mut Desk<'_>) {
        self.hand_in(desk);
        if self.report.is_none() {
            desk.problem(Code::Truncated, "a report of leaks without its sum");
        }
    }

    fn report(&self) -> Option<usize> {
        self.report
    }
}

impl Leaks {
    /// Reads the sum, which opens the report. False where there are no leaks.
    fn sum(&mut self, said: &[u8], desk: &mut Desk<'_>) -> Option<bool> {
        let Some((pid, stated)) = total(said) else {
            let is_sum = said.starts_with(b"Process ") && contains(said, b" total leaked byte");
            return is_sum
                .then(|| desk.unreadable(&Tool::Leaks, said))
                .map(|()| false);
        };
        let report = desk.report(&Tool::Leaks, Some(pid));
        let this = &mut desk.out.reports[report];
        this.complete = true;
        let sum = this.stated.leaked.get_or_insert_default();
        *sum = sum.plus(stated);
        self.report = Some(report);
        Some(stated.blocks > 0)
    }

    fn begin(&mut self, root: &Root<'_>, desk: &mut Desk<'_>) {
        let mut draft = desk.draft(Tool::Leaks, Kind::LEAK_DEFINITE, &root.title());
        draft.expect_stack(Role::Allocation, b"");
        for frame in self.stack.iter().rev() {
            let address = after(frame, b" 0x")
                .and_then(hex)
                .map(|(address, _)| address);
            desk.frame(
                &mut draft,
                Grammar::Image,
                Head {
                    index: None,
                    address,
                    site: without_address(frame).as_slice(),
                },
            );
        }
        self.open = Some(Open {
            draft,
            root: root.size,
            sum: Amount {
                bytes: root.size,
                blocks: 1,
            },
        });
    }

    /// `100100080  size=32  zone: DefaultMallocZone_0x100004000   CFString …`, as versions before 4
    /// have it.
    fn single(&mut self, leak: &[u8], desk: &mut Desk<'_>) {
        let Some((size, _)) = after(leak, b"size=").and_then(number) else {
            return;
        };
        let class = after(leak, b"zone: ").and_then(|zone| {
            zone.iter()
                .position(|b| *b == b' ')
                .map(|at| zone[at..].trim_ascii())
        });
        let title = format!("Leak: {size} bytes {}", lossy(class.unwrap_or_default()));
        let mut draft = desk.draft(Tool::Leaks, Kind::LEAK_DEFINITE, title.trim());
        draft.expect_stack(Role::Allocation, b"");
        self.open = Some(Open {
            draft,
            root: size,
            sum: Amount {
                bytes: size,
                blocks: 1,
            },
        });
    }

    /// `[thread 0x7fff70a]: | 0x1 | start | main | f | malloc `: the top comes last.
    fn call_stack(&mut self, calls: &[u8], desk: &mut Desk<'_>) {
        let Some(open) = &mut self.open else { return };
        let names = calls
            .split(|b| *b == b'|')
            .skip(1)
            .map(<[u8]>::trim_ascii)
            .filter(|name| !name.is_empty());
        for name in names
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .filter(|name| !name.starts_with(b"0x"))
        {
            desk.frame(
                &mut open.draft,
                Grammar::Function,
                Head {
                    index: None,
                    address: None,
                    site: name,
                },
            );
        }
    }

    fn hand_in(&mut self, desk: &mut Desk<'_>) {
        let Some(Open {
            mut draft,
            root,
            sum,
        }) = self.open.take()
        else {
            return;
        };
        let indirect_bytes = sum.bytes.saturating_sub(root);
        draft.leak = Some(Leak {
            bytes: sum.bytes,
            blocks: sum.blocks,
            direct_bytes: root,
            indirect_bytes,
        });
        if let Some(report) = self.report {
            desk.record(report, draft);
        }
    }
}

/// A row that counts nothing: a sum, a way back to a root, a dump of the bytes.
fn is_of_tree(said: &[u8]) -> bool {
    let is_row =
        said.starts_with(b"====") || said.starts_with(b"0x") || contains(said, b"<< TOTAL >>");
    said.is_empty() || is_row || contains(said, b" --> ")
}

/// `34  dyld                                  0x10e47e51e start + 462`
fn frame(said: &[u8]) -> Option<&[u8]> {
    let (_, rest) = number(said)?;
    let image = rest.strip_prefix(b" ")?.trim_ascii();
    let at = find(image, b" 0x")?;
    let (_, behind) = hex(&image[at + 3..])?;
    let is_frame = !image[..at].trim_ascii().is_empty()
        && !image.starts_with(b"(")
        && behind.starts_with(b" ");
    (is_frame && before(behind, b" + ").is_some()).then_some(image)
}

/// The frame as it is in every process: with its offset, without its address.
fn without_address(frame: &[u8]) -> Vec<u8> {
    let Some(at) = find(frame, b" 0x") else {
        return frame.to_vec();
    };
    let behind = hex(&frame[at + 3..]).map_or(&b""[..], |(_, behind)| behind);
    let text = text_of(frame[..at].trim_ascii());
    format!("{text} 0x0 {}", lossy(behind.trim_ascii())).into_bytes()
}
