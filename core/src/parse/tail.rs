//! The end of a log that broke off just when a checker began to speak, before there was a report that could be incomplete.

use alloc::vec::Vec;

use super::tag;
use crate::prefix;

/// True when the last line is the start of a report and nothing more.
pub(crate) fn is_cut(tail: &[u8]) -> bool {
    let ended = tail.last() == Some(&b'\n');
    let mut scratch = Vec::new();
    let lines = tail.split(|b| *b == b'\n').rev();
    let Some(last) = lines.map(<[u8]>::trim_ascii).find(|line| !line.is_empty()) else { return false };
    let line = prefix::strip(prefix::without_colours(last, &mut scratch)).rest.trim_ascii();
    is_separator(line) || line.starts_with(b"<?xml") || (!ended && is_start(line))
}

/// The line of 65 `=` before a headline (`sanitizer_common/sanitizer_report_decorator.h` and its users). Test runners draw lines,
/// too, as wide as their terminal.
fn is_separator(line: &[u8]) -> bool {
    line.len() == 65 && line.iter().all(|b| *b == b'=')
}

/// A line without its line feed: the start of a separator, of a tag, of XML, or what a checker says without having finished.
fn is_start(line: &[u8]) -> bool {
    let bars = line.len() <= 65 && !line.is_empty() && line.iter().all(|b| *b == b'=');
    let markup = line.len() > 1 && (b"<valgrindoutput>".starts_with(line) || b"<?xml".starts_with(line));
    bars || markup || is_open_tag(line) || tag::find(line).is_some_and(|tag| tag.at == 0 && !is_last_word(tag.rest))
}

/// `==12`, `==123=`
fn is_open_tag(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"==") else { return false };
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let said = &rest[digits..];
    digits > 0 && said.len() < 2 && b"==".starts_with(said)
}

/// What may end a log whose last line feed was trimmed off. LeakSanitizer writes none after its word (LLVM 18 and 19).
fn is_last_word(said: &[u8]) -> bool {
    let said = said.trim_ascii();
    (said.starts_with(b"ERROR SUMMARY: ") && said.ends_with(b")"))
        || said == b"ABORTING"
        || said.ends_with(b"LeakSanitizer: checking for leaks")
        || said.ends_with(b"(--exit-on-first-error=yes)")
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::is_cut;

    #[test]
    fn the_start_of_a_report_at_the_end_of_a_log() {
        let bars = "=".repeat(65);
        for (tail, want) in [
            ("ok\n==12", true),
            ("ok\n==12=", true),
            ("ok\n==12==", true),
            ("ok\n==12==ERR", true),
            ("ok\n\x1b[1m\x1b[31m==12==ERROR: LeakSan", true),
            ("ok\n==12== 40 bytes in 1 blocks are def", true),
            ("ok\n==12== ERROR SUMMARY: 0 errors from 0 contexts (suppressed: 0 from 0)", false),
            ("ok\n==12==LeakSanitizer: checking for leaks", false),
            ("ok\n==12==ABORTING", false),
            ("ok\n==12==\n", false),
            ("ok\n====", true),
            ("ok\n====\n", false),
            ("ok\n<valgrindoutp", true),
            ("ok\n<?xml version=\"1.0\"?>\n\n", true),
            ("ok\n<", false),
            ("ok\n", false),
            ("", false),
        ] {
            assert_eq!(is_cut(tail.as_bytes()), want, "{tail:?}");
        }
        assert!(is_cut(format!("ok\n{bars}\n\n").as_bytes()));
        assert!(is_cut(format!("2026-05-01T12:34:56.1234567Z {bars}").as_bytes()));
        assert!(!is_cut(format!("={bars}").as_bytes()));
    }
}
