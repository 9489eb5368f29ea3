//! macOS's `leaks`: the total, then each leak with its tree of blocks, and in some reports the
//! stack of the allocation.
//!
//! Sources: `leaks(1)`; published reports of versions 1 to 4. A stack is numbered from the bottom:
//! its last line is the top. The size of a whole tree is rounded. The sizes of its blocks (`[32]`)
//! aren't, and they add up to the report's total.

mod tree;

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use self::tree::{Root, block_size, parse_root};
use super::{Context, CurrentReport, LineOutcome, ReportReader, Start};
use crate::bytes::{after, before, contains, find, hex, lossy, number};
use crate::model::{Amount, Kind, Leak, Role, Tool};
use crate::parse::collect::{FrameSyntax, shared_text};
use crate::parse::frame::SplitFrame;

/// The beginnings of headlines.
pub(super) const HEADS: &[&str] = &["leaks Report Version: ", "Process "];

pub(super) fn start(text: &[u8], context: &mut Context<'_>) -> Start {
    let text = text.trim_ascii();
    let mut current = CurrentReport::default();
    let leaks = Leaks {
        stack: Vec::new(),
        tree: Tree::default(),
    };
    if text.starts_with(b"leaks Report Version: ") {
        return Start::report(current, leaks);
    }
    match read_total(text, &mut current, context) {
        Some(true) => Start::report(current, leaks),
        Some(false) => Start::Line,
        None => Start::No,
    }
}

/// Parses `Process 8311: 1 leak for 32 total leaked bytes.` into the pid and the total.
fn parse_total(text: &[u8]) -> Option<(u64, Amount)> {
    let (pid, rest) = number(text.strip_prefix(b"Process ")?)?;
    let (blocks, rest) = number(rest.strip_prefix(b": ")?)?;
    let rest = rest
        .strip_prefix(b" leaks for ")
        .or_else(|| rest.strip_prefix(b" leak for "))?;
    let (bytes, rest) = number(rest)?;
    rest.starts_with(b" total leaked byte")
        .then_some((pid, Amount { bytes, blocks }))
}

/// Parses `3 leaks excluded (not printed)`, the leaks that `-exclude` hides.
fn parse_excluded(text: &[u8]) -> Option<u64> {
    let (excluded, rest) = number(text)?;
    let rest = rest
        .strip_prefix(b" leaks")
        .or_else(|| rest.strip_prefix(b" leak"))?;
    rest.starts_with(b" excluded (not printed)")
        .then_some(excluded)
}

/// Reads the total, which opens the report. Returns true if there are leaks, and `None` if the line
/// isn't a total.
fn read_total(text: &[u8], current: &mut CurrentReport, context: &mut Context<'_>) -> Option<bool> {
    let Some((pid, leaked)) = parse_total(text) else {
        let is_total = text.starts_with(b"Process ") && contains(text, b" total leaked byte");
        return is_total
            .then(|| context.unreadable(&Tool::Leaks, text))
            .map(|()| false);
    };
    let report = context.complete_report(&Tool::Leaks, Some(pid));
    let totals = &mut context.report_mut(report).totals;
    let total = totals.leaked.get_or_insert_default();
    *total = total.plus(leaked);
    current.index = Some(report);
    Some(leaked.blocks > 0)
}

/// Reads the leaks of one process. The report is opened by the total.
#[derive(Clone, Debug)]
struct Leaks {
    /// The stack of the following leaks in printed order: the top comes last.
    stack: Vec<Box<[u8]>>,
    /// The size of the current leak so far.
    tree: Tree,
}

/// The size of a tree of blocks.
#[derive(Clone, Copy, Debug, Default)]
struct Tree {
    /// Size of the root block, in bytes.
    root: u64,
    /// All blocks, including the root.
    total: Amount,
}

impl Tree {
    /// Starts a tree with a root of `size` bytes.
    fn new(size: u64) -> Self {
        Self {
            root: size,
            total: block(size),
        }
    }

    /// Returns the leak that the tree amounts to.
    fn leak(&self) -> Leak {
        Leak {
            bytes: self.total.bytes,
            blocks: self.total.blocks,
            direct_bytes: self.root,
            indirect_bytes: self.total.bytes.saturating_sub(self.root),
        }
    }
}

/// Returns the amount of one block of `bytes` bytes.
fn block(bytes: u64) -> Amount {
    Amount { bytes, blocks: 1 }
}

impl ReportReader for Leaks {
    fn read_line(
        &mut self,
        text: &[u8],
        current: &mut CurrentReport,
        context: &mut Context<'_>,
    ) -> LineOutcome {
        let text = text.trim_ascii();
        if text.starts_with(b"leaks Report Version")
            || (current.index.is_some() && parse_total(text).is_some())
        {
            self.finish(current, context);
            return LineOutcome::EndedBefore;
        }
        if current.index.is_none() {
            return match read_total(text, current, context) {
                Some(true) => LineOutcome::Consumed,
                Some(false) => LineOutcome::Finished,
                None => LineOutcome::Unrelated,
            };
        }
        if text.starts_with(b"STACK OF ") {
            self.flush(current, context);
            self.stack.clear();
        } else if let Some(frame) = parse_frame(text) {
            if self.stack.len() < context.out.options.max_frames {
                self.stack.push(frame.into());
            }
        } else if let Some(root) = parse_root(text) {
            self.flush(current, context);
            self.start_tree(&root, current, context);
        } else if let Some(leak) = text.strip_prefix(b"Leak: 0x") {
            self.flush(current, context);
            self.start_single(leak, current, context);
        } else if let Some(calls) = after(text, b"Call stack: ") {
            push_call_stack(calls, current, context);
        } else if let Some(excluded) = parse_excluded(text) {
            self.flush(current, context);
            if let Some(report) = current.index {
                let leaks = context
                    .report_mut(report)
                    .totals
                    .leaks
                    .get_or_insert_default();
                leaks.suppressed.blocks = leaks.suppressed.blocks.saturating_add(excluded);
            }
        } else if text.starts_with(b"Binary Images:") {
            self.flush(current, context);
            return LineOutcome::Finished;
        } else if let Some(finding) = &mut current.finding
            && let Some(size) = block_size(text)
        {
            self.tree.total = self.tree.total.plus(block(size));
            finding.last_line = context.line;
        } else if !is_ignored(text) {
            return LineOutcome::Unrelated;
        }
        LineOutcome::Consumed
    }

    fn finish(&mut self, current: &mut CurrentReport, context: &mut Context<'_>) {
        self.flush(current, context);
        if current.index.is_none() {
            context.mark_truncated(current, "the leaks report has no total");
        }
    }
}

impl Leaks {
    /// Starts the finding of a tree.
    fn start_tree(
        &mut self,
        root: &Root<'_>,
        current: &mut CurrentReport,
        context: &mut Context<'_>,
    ) {
        let mut finding = context.new_finding(Tool::Leaks, Kind::LEAK_DEFINITE, &root.title());
        finding.expect_stack(Role::Allocation, b"");
        for frame in self.stack.iter().rev() {
            let address = after(frame, b" 0x")
                .and_then(hex)
                .map(|(address, _)| address);
            context.push_frame(
                &mut finding,
                FrameSyntax::Image,
                SplitFrame {
                    index: None,
                    address,
                    text: without_address(frame).as_slice(),
                },
            );
        }
        current.finding = Some(finding);
        self.tree = Tree::new(root.size);
    }

    /// Starts the finding of a single block, in the form of versions before 4:
    /// `100100080  size=32  zone: DefaultMallocZone_0x100004000   CFString …`.
    fn start_single(
        &mut self,
        leak: &[u8],
        current: &mut CurrentReport,
        context: &mut Context<'_>,
    ) {
        let Some((size, _)) = after(leak, b"size=").and_then(number) else {
            return;
        };
        let class = after(leak, b"zone: ").and_then(|zone| {
            zone.iter()
                .position(|b| *b == b' ')
                .map(|at| zone[at..].trim_ascii())
        });
        let title = format!("Leak: {size} bytes {}", lossy(class.unwrap_or_default()));
        let mut finding = context.new_finding(Tool::Leaks, Kind::LEAK_DEFINITE, title.trim());
        finding.expect_stack(Role::Allocation, b"");
        current.finding = Some(finding);
        self.tree = Tree::new(size);
    }

    /// Adds the open finding, if any, with the size of its tree to the report.
    fn flush(&mut self, current: &mut CurrentReport, context: &mut Context<'_>) {
        if let Some(finding) = &mut current.finding {
            finding.leak = Some(self.tree.leak());
        }
        context.flush(current);
    }
}

/// Adds the frames of `[thread 0x7fff70a]: | 0x1 | start | main | f | malloc ` to the open finding.
/// The top comes last.
fn push_call_stack(calls: &[u8], current: &mut CurrentReport, context: &mut Context<'_>) {
    let Some(finding) = &mut current.finding else {
        return;
    };
    let names: Vec<_> = calls
        .split(|b| *b == b'|')
        .skip(1)
        .map(<[u8]>::trim_ascii)
        .filter(|name| !name.is_empty() && !name.starts_with(b"0x"))
        .collect();
    for name in names.into_iter().rev() {
        context.push_site(finding, FrameSyntax::Function, name);
    }
}

/// Returns true for a row that isn't a block: a total, a reference back to a root, a hex dump.
fn is_ignored(text: &[u8]) -> bool {
    let is_row =
        text.starts_with(b"====") || text.starts_with(b"0x") || contains(text, b"<< TOTAL >>");
    text.is_empty() || is_row || contains(text, b" --> ")
}

/// Parses `34  dyld                                  0x10e47e51e start + 462`. Returns the text
/// from the image on.
fn parse_frame(text: &[u8]) -> Option<&[u8]> {
    let (_, rest) = number(text)?;
    let image = rest.strip_prefix(b" ")?.trim_ascii();
    let at = find(image, b" 0x")?;
    let (_, rest) = hex(&image[at + 3..])?;
    let is_frame =
        !image[..at].trim_ascii().is_empty() && !image.starts_with(b"(") && rest.starts_with(b" ");
    (is_frame && before(rest, b" + ").is_some()).then_some(image)
}

/// Returns the frame without its address, which differs between processes, but with its offset.
fn without_address(frame: &[u8]) -> Vec<u8> {
    let Some(at) = find(frame, b" 0x") else {
        return frame.to_vec();
    };
    let rest = hex(&frame[at + 3..]).map_or(&b""[..], |(_, rest)| rest);
    let text = shared_text(frame[..at].trim_ascii());
    format!("{text} 0x0 {}", lossy(rest.trim_ascii())).into_bytes()
}
