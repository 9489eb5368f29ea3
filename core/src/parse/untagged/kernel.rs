//! The kernel's sanitizers in the output of `dmesg`: KASAN, KMSAN, KCSAN, KFENCE, UBSAN.
//!
//! Sources: Linux `mm/kasan/report.c`, `mm/kmsan/report.c`, `kernel/kcsan/report.c`,
//! `mm/kfence/report.c`, `lib/ubsan.c`. Each report ends with a line of `=`. Frames that the
//! unwinder marks as unreliable (`? FUNCTION`) are skipped.

use super::{Context, CurrentReport, LineOutcome, ReportReader, Start};
use crate::bytes::{after, before, contains, find, hex, trim_start};
use crate::model::{Kind, Role, Tool};
use crate::parse::collect::{FrameSyntax, shared_text};
use crate::parse::frame::SplitFrame;
use crate::parse::ubsan;

/// The beginnings of headlines.
pub(super) const HEADS: &[&str] = &["BUG: K", "UBSAN: "];

/// Prefixes of the text after `BUG: K…: ` whose first word isn't the kind, and their kinds.
pub(in crate::parse) const KINDS: &[(&str, &str)] = &[
    ("double-free or invalid-free", "invalid-free"),
    ("null-ptr-deref", "null-pointer-use"),
    ("memory corruption", "heap-corruption"),
    ("invalid free", "invalid-free"),
    ("invalid read", "invalid-read"),
    ("invalid write", "invalid-write"),
    ("assert: race", "data-race"),
];

pub(super) fn start(text: &[u8], context: &mut Context<'_>) -> Start {
    let text = text.trim_ascii();
    let (tool, kind, title) = if let Some((kind, title)) = bug(text) {
        (Tool::Kasan, Some(kind), title)
    } else if let Some(title) = text
        .strip_prefix(b"UBSAN: ")
        .filter(|title| contains(title, b" in "))
    {
        (Tool::Ubsan, None, title)
    } else {
        return Start::No;
    };
    let report = context.incomplete_report(&tool, None);
    let needs_message = kind.is_none();
    let finding = context.new_finding(tool, kind.unwrap_or(Kind::UNKNOWN), &shared_text(title));
    let reader = Bug {
        needs_message,
        needs_error_stack: true,
    };
    Start::report(CurrentReport::new(report).with_finding(finding), reader)
}

/// Parses `BUG: KASAN: slab-out-of-bounds in FUNCTION+0x1/0x2` into kind and title.
fn bug(text: &[u8]) -> Option<(Kind, &[u8])> {
    let name = text.strip_prefix(b"BUG: K")?;
    let message = [&b"ASAN: "[..], b"MSAN: ", b"CSAN: ", b"FENCE: "]
        .into_iter()
        .find_map(|rest| name.strip_prefix(rest))?
        .trim_ascii();
    let message = message.strip_prefix(b"maybe ").unwrap_or(message);
    let title = &message[..find(message, b"+0x").unwrap_or(message.len())];
    let error = shared_text(before(message, b" in ").unwrap_or(message));
    let error = error.split(" on address").next().unwrap_or_default();
    let known = KINDS.iter().find(|(prefix, _)| error.starts_with(prefix));
    let kind = known.map_or_else(
        || Kind::from_name(error.split(' ').next().unwrap_or_default()),
        |(_, kind)| Kind::from_static(kind),
    );
    Some((kind, title))
}

/// Reads a report.
#[derive(Clone, Debug)]
struct Bug {
    /// The next line is UBSAN's second line, which names the error.
    needs_message: bool,
    /// The stack of the error itself is yet to come.
    needs_error_stack: bool,
}

impl ReportReader for Bug {
    fn read_line(
        &mut self,
        text: &[u8],
        current: &mut CurrentReport,
        context: &mut Context<'_>,
    ) -> LineOutcome {
        let text = text.trim_ascii();
        let is_bar = text.len() > 40 && text.iter().all(|b| *b == b'=');
        if is_bar || text.starts_with(b"---[ end trace ") {
            context.complete(current);
            return LineOutcome::Finished;
        }
        let Some(finding) = &mut current.finding else {
            return LineOutcome::EndedBefore;
        };
        if core::mem::take(&mut self.needs_message) {
            let location = core::mem::replace(&mut finding.title, shared_text(text));
            finding.kind = ubsan::kind(&finding.title);
            finding.add_note(location.as_bytes());
            finding.last_line = context.line;
            return LineOutcome::Consumed;
        }
        if let Some(role) = stack_role(text, self.needs_error_stack) {
            self.needs_error_stack &= role != Role::Access;
            finding.expect_stack(role, if text.ends_with(b"Trace:") { b"" } else { text });
        } else if let Some(frame) = parse_frame(text) {
            self.needs_error_stack = false;
            if let Some(frame) = frame {
                context.push_frame(finding, FrameSyntax::Kernel, frame);
            }
        } else if text.is_empty() {
            finding.close_stack();
            finding.last_line = context.line;
        } else if text.starts_with(b"<") && text.ends_with(b">") {
            finding.last_line = context.line;
        } else if is_note(text) {
            finding.add_note(text);
            finding.last_line = context.line;
        } else {
            return LineOutcome::Unrelated;
        }
        LineOutcome::Consumed
    }
}

/// Returns the role of the stack that a line introduces. `needs_error_stack` is true until the
/// stack of the error itself was read.
fn stack_role(text: &[u8], needs_error_stack: bool) -> Option<Role> {
    let has = |part: &[u8]| contains(text, part);
    if text.eq_ignore_ascii_case(b"call trace:") || text == b"Backtrace:" {
        return Some(if needs_error_stack {
            Role::Access
        } else {
            Role::Other
        });
    }
    if !text.ends_with(b":") {
        return None;
    }
    // KCSAN names both accesses. KFENCE repeats the error with its address.
    let is_access = [
        &b"read "[..],
        b"write ",
        b"race at unknown origin",
        b"assert no ",
    ]
    .iter()
    .any(|prefix| text.starts_with(prefix));
    if is_access && (has(b" by task ") || has(b" by interrupt")) {
        return Some(if needs_error_stack {
            Role::Access
        } else {
            Role::Conflict
        });
    }
    if has(b" (in kfence-#") || has(b" of kfence-#") || has(b" right of kfence") {
        return Some(Role::Access);
    }
    let lower = text.to_ascii_lowercase();
    let has = |part: &[u8]| contains(&lower, part);
    if has(b"freed by task") {
        Some(Role::Free)
    } else if has(b"allocated by task") {
        Some(Role::Allocation)
    } else if has(b"created at:") || has(b"stored to memory at:") {
        Some(Role::Origin)
    } else if has(b"work creation:") || has(b"stack is:") {
        Some(Role::Other)
    } else {
        None
    }
}

/// Parses a frame. Returns `Some(None)` for a frame that the unwinder marks as unreliable, and
/// `None` for a line that isn't a frame.
pub(super) fn parse_frame(text: &[u8]) -> Option<Option<SplitFrame<'_>>> {
    let text = text.trim_ascii();
    let (address, site) = match text.strip_prefix(b"[<").and_then(hex) {
        Some((address, rest)) => (Some(address), trim_start(rest.strip_prefix(b">]")?)),
        None => (None, text),
    };
    let unreliable = site.strip_prefix(b"? ");
    let site = unreliable.unwrap_or(site);
    let name = site.split(|b| *b == b' ').next()?;
    let has_size = after(name, b"+0x")
        .and_then(hex)
        .is_some_and(|(_, rest)| rest.starts_with(b"/0x"));
    if !(has_size || site.ends_with(b"[inline]") || (address.is_some() && !name.is_empty())) {
        return None;
    }
    Some(unreliable.is_none().then_some(SplitFrame {
        index: None,
        address,
        text: site,
    }))
}

/// Returns true for a line with an explanation of the error.
fn is_note(text: &[u8]) -> bool {
    const PREFIXES: &[&[u8]] = &[
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
    PREFIXES.iter().any(|prefix| text.starts_with(prefix))
}
