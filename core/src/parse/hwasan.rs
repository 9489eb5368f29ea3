//! HWAddressSanitizer's messages, as far as they differ from AddressSanitizer's.
//!
//! Source: compiler-rt `hwasan/hwasan_report.cpp` (`BaseReport` and the classes made of it,
//! `PrintAddressDescription`).

use super::asan::ErrorLine;
use crate::bytes::{contains, trim_start};
use crate::model::Role;

/// Recognizes the lines between the stacks.
pub(crate) fn error_line(line: &[u8]) -> Option<ErrorLine> {
    let text = trim_start(line);
    let starts = |prefixes: &[&str]| prefixes.iter().any(|p| text.starts_with(p.as_bytes()));
    if starts(&["deallocated here:"]) {
        Some(ErrorLine::Stack(Role::Free))
    } else if starts(&["allocated here:"]) {
        Some(ErrorLine::Stack(Role::Allocation))
    } else if starts(NOTES)
        || (text.starts_with(b"[0x") && contains(text, b" heap chunk; size: "))
        || is_record(text)
    {
        Some(ErrorLine::Note)
    } else {
        None
    }
}

/// Returns true for a frame of an earlier stack, or a variable of it: `record_addr:0x72 record:0x4a
/// (bin+0x10)`.
fn is_record(text: &[u8]) -> bool {
    text.starts_with(b"record_addr:0x")
        || (text.starts_with(b"0x") && contains(text, b"-byte local variable "))
}

/// Starts of lines that explain the error.
const NOTES: &[&str] = &[
    "tags: ",
    "Cause: ",
    "Potential Cause: ",
    "Invalid access starting at offset ",
    "Stack of invalid access unknown",
    "Tail contains: ",
    "Expected:      ",
    "Previously allocated frames:",
    "Potentially referenced stack objects:",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_between_stacks_are_recognized() {
        for (line, want) in [
            ("deallocated here:", Some(ErrorLine::Stack(Role::Free))),
            ("allocated here:", Some(ErrorLine::Stack(Role::Allocation))),
            ("Cause: use-after-free", Some(ErrorLine::Note)),
            ("tags: 07/fe (ptr/mem)", Some(ErrorLine::Note)),
            (
                "[0x1,0x2) is a small unallocated heap chunk; size: 32 offset: 0",
                Some(ErrorLine::Note),
            ),
            (
                "  record_addr:0x1 record:0x2 (bin+0x3)",
                Some(ErrorLine::Note),
            ),
            ("  0x680400000000: 03  03 [08] 00", None),
        ] {
            assert_eq!(error_line(line.as_bytes()), want, "{line}");
        }
    }
}
