//! MemorySanitizer's messages, including the origins of uninitialized values.
//!
//! Source: compiler-rt `msan/msan_report.cpp` (`DescribeOrigin`, `ReportUMR`,
//! `ReportAtExitStatistics`, `ReportUMRInsideAddressRange`).

use super::asan::ErrorLine;
use crate::bytes::{contains, number, trim_start};
use crate::model::Role;

/// The only headline with the level `WARNING`.
const HEADLINE: &str = "use-of-uninitialized-value";

/// Returns true for the text after `WARNING: MemorySanitizer: ` in a headline. Without a tag it may
/// be prose, so nothing may follow.
pub(crate) fn is_headline(message: &str, is_tagged: bool) -> bool {
    message == HEADLINE || (is_tagged && message.starts_with(HEADLINE))
}

/// Returns true for `Uninitialized bytes in strlen at offset 0 inside [0x701000000000, 1)`, the
/// line before the headline of an error in a C library function.
pub(crate) fn is_preamble(text: &[u8]) -> bool {
    text.starts_with(b"Uninitialized bytes in ") && contains(text, b" inside [0x")
}

/// Parses the text after `MemorySanitizer: ` at the end of a process that continued after its
/// errors: `3 warnings reported.`
pub(crate) fn total(message: &[u8]) -> Option<u64> {
    number(message)
        .filter(|(_, rest)| rest.starts_with(b" warnings reported"))
        .map(|(warnings, _)| warnings)
}

/// Returns true for the last line of a process, after its report.
pub(crate) fn is_end(text: &[u8]) -> bool {
    text.trim_ascii() == b"Exiting"
}

/// Recognizes the lines between the stacks. Each describes the following stack.
pub(crate) fn error_line(line: &[u8]) -> Option<ErrorLine> {
    let text = trim_start(line);
    let starts = |start: &&&str| text.starts_with(start.as_bytes());
    ORIGINS
        .iter()
        .find(starts)
        .map(|_| ErrorLine::Stack(Role::Origin))
}

/// Starts of lines that introduce the stack of an origin.
const ORIGINS: &[&str] = &[
    "Uninitialized value was stored to memory at",
    "Uninitialized value was created",
    "Memory was marked as uninitialized",
    "Member fields were destroyed",
    "Virtual table ptr was destroyed",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_recognized() {
        assert!(is_headline("use-of-uninitialized-value", false));
        assert!(is_headline("use-of-uninitialized-value in f", true));
        assert!(!is_headline(
            "use-of-uninitialized-value is what it finds",
            false
        ));
        assert!(is_preamble(
            b"Uninitialized bytes in strlen at offset 0 inside [0x701000000000, 1)"
        ));
        assert!(!is_preamble(b"Uninitialized bytes in a struct are padding"));
        assert_eq!(total(b"3 warnings reported."), Some(3));
        assert_eq!(total(b"many warnings reported."), None);
        let origin = Some(ErrorLine::Stack(Role::Origin));
        assert_eq!(
            error_line(b"  Uninitialized value was created by a heap deallocation"),
            origin
        );
        assert_eq!(error_line(b"  Uninitialized values"), None);
    }
}
