//! MemorySanitizer's words: where a value that was never set comes from.
//!
//! Source: compiler-rt `msan/msan_report.cpp` (`DescribeOrigin`, `ReportUMR`,
//! `ReportAtExitStatistics`, `ReportUMRInsideAddressRange`).

use super::asan::Section;
use crate::bytes::{contains, number, trim_start};
use crate::model::Role;

/// The only headline with the word `WARNING`.
const HEADLINE: &str = "use-of-uninitialized-value";

/// What follows `WARNING: MemorySanitizer: `. Without a tag it may be prose, so nothing may follow.
pub(crate) fn is_headline(said: &str, is_tagged: bool) -> bool {
    said == HEADLINE || (is_tagged && said.starts_with(HEADLINE))
}

/// `Uninitialized bytes in strlen at offset 0 inside [0x701000000000, 1)`, the line before the
/// headline of a report in which the C library was called.
pub(crate) fn is_lead(text: &[u8]) -> bool {
    text.starts_with(b"Uninitialized bytes in ") && contains(text, b" inside [0x")
}

/// What follows `MemorySanitizer: ` at the end of a process that went on: `3 warnings reported.`
pub(crate) fn total(said: &[u8]) -> Option<u64> {
    number(said)
        .filter(|(_, rest)| rest.starts_with(b" warnings reported"))
        .map(|(warnings, _)| warnings)
}

/// True for the word with which the process ends behind its report.
pub(crate) fn is_end(text: &[u8]) -> bool {
    text.trim_ascii() == b"Exiting"
}

/// Recognises the lines between the stacks: each is about the one that follows.
pub(crate) fn section(line: &[u8]) -> Option<Section> {
    let text = trim_start(line);
    let starts = |words: &&&str| text.starts_with(words.as_bytes());
    ORIGINS
        .iter()
        .find(starts)
        .map(|_| Section::Stack(Role::Origin))
}

/// How a line begins that tells of an origin.
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
    fn words() {
        assert!(is_headline("use-of-uninitialized-value", false));
        assert!(is_headline("use-of-uninitialized-value in f", true));
        assert!(!is_headline(
            "use-of-uninitialized-value is what it finds",
            false
        ));
        assert!(is_lead(
            b"Uninitialized bytes in strlen at offset 0 inside [0x701000000000, 1)"
        ));
        assert!(!is_lead(b"Uninitialized bytes in a struct are padding"));
        assert_eq!(total(b"3 warnings reported."), Some(3));
        assert_eq!(total(b"many warnings reported."), None);
        let origin = Some(Section::Stack(Role::Origin));
        assert_eq!(
            section(b"  Uninitialized value was created by a heap deallocation"),
            origin
        );
        assert_eq!(section(b"  Uninitialized values"), None);
    }
}
