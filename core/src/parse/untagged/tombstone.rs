//! The stacks of a crash on Android, which `debuggerd` writes below the message of an allocator.
//!
//! Source: Android `system/core/debuggerd/libdebuggerd/tombstone_proto_to_text.cpp`
//! (`print_main_thread`), `scudo.cpp`, `gwp_asan.cpp`, `unwindstack/Unwinder.cpp` (`FormatFrame`).

use super::{Context, CurrentReport, LineOutcome, ReportReader};
use crate::bytes::{hex, number, trim_start};
use crate::model::Role;
use crate::parse::collect::FrameSyntax;
use crate::parse::frame::SplitFrame;

/// Reads the stacks of a tombstone. They have no end marker.
#[derive(Clone, Debug, Default)]
pub(super) struct Tombstone {
    /// A stack was introduced, so frames belong to the finding.
    in_stack: bool,
}

impl ReportReader for Tombstone {
    fn read_line(
        &mut self,
        text: &[u8],
        current: &mut CurrentReport,
        context: &mut Context<'_>,
    ) -> LineOutcome {
        let text = text.trim_ascii();
        let Some(finding) = &mut current.finding else {
            return LineOutcome::EndedBefore;
        };
        if let Some(role) = stack_role(text) {
            // After the stacks of the error come those of all threads.
            if role == Role::Access && !finding.stacks.is_empty() {
                context.flush(current);
                return LineOutcome::EndedBefore;
            }
            self.in_stack = true;
            finding.expect_stack(role, if role == Role::Access { b"" } else { text });
        } else if let Some(frame) = parse_frame(text).filter(|_| self.in_stack) {
            context.push_frame(finding, FrameSyntax::Tombstone, frame);
        } else if is_cause(text) && finding.stacks.is_empty() {
            // The less likely causes of one crash.
            finding.add_note(text);
            finding.last_line = context.line;
        } else if is_cause(text)
            || text.starts_with(b"--- --- ---")
            || text.starts_with(b"*** *** ***")
        {
            context.flush(current);
            return LineOutcome::EndedBefore;
        } else {
            self.in_stack &= text.is_empty();
            return LineOutcome::Unrelated;
        }
        LineOutcome::Consumed
    }

    fn finish(&mut self, current: &mut CurrentReport, context: &mut Context<'_>) {
        context.flush(current);
    }
}

/// Returns true for a cause of the crash, or for the line that announces several ones.
fn is_cause(text: &[u8]) -> bool {
    text.starts_with(b"Cause: [") || text.starts_with(b"Note: multiple potential causes")
}

/// Returns the role of the stack that a line introduces.
fn stack_role(text: &[u8]) -> Option<Role> {
    if text == b"backtrace:" {
        return Some(Role::Access);
    }
    let thread = text
        .strip_suffix(b":")?
        .strip_prefix(b"deallocated by thread ")
        .map(|thread| (Role::Free, thread))
        .or_else(|| {
            let thread = text
                .strip_suffix(b":")?
                .strip_prefix(b"allocated by thread ")?;
            Some((Role::Allocation, thread))
        });
    thread
        .filter(|(_, thread)| number(thread).is_some())
        .map(|(role, _)| role)
}

/// Parses `#00 pc 0000000000017a8c  /data/libdemo.so (demo::use()+28) (BuildId: ab12)`. The address
/// is an offset in the module, so it stays in the text.
fn parse_frame(text: &[u8]) -> Option<SplitFrame<'_>> {
    let (index, rest) = number(text.strip_prefix(b"#")?)?;
    let site = trim_start(rest).strip_prefix(b"pc ")?;
    let (_, module) = hex(site)?;
    module.starts_with(b" ").then_some(SplitFrame {
        index: u32::try_from(index).ok(),
        address: None,
        text: site,
    })
}
