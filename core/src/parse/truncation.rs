//! Detection of a log that ends in the first line of a report, before a report was opened that
//! could be incomplete.

use alloc::vec::Vec;

use super::tag::{self, Tag};
use super::{lsan, ubsan, untagged};
use crate::carrier::Carriers;
use crate::{plain, prefix};

/// Returns true if the last line is only the start of a report.
pub(crate) fn is_cut(tail: &[u8]) -> bool {
    // A preallocated file ends with zeros.
    let padding = tail.iter().rev().take_while(|byte| **byte == 0).count();
    let tail = &tail[..tail.len() - padding];
    let is_line_end = |byte: &u8| matches!(byte, b'\n' | b'\r' | 0x85);
    let ended = tail.last().is_some_and(is_line_end);
    let last = tail
        .strip_suffix(b"\n")
        .and_then(|tail| tail.rsplit(|b| *b == b'\n').next());
    if last.is_some_and(lsan::is_whole_summary) {
        return false;
    }
    let mut lines = tail
        .split(is_line_end)
        .map(|line| line.strip_suffix(b"\xC2").unwrap_or(line))
        .rev()
        .map(bare)
        .filter(|line| !line.is_empty());
    let Some(last) = lines.next() else {
        return false;
    };
    // If only a prefix is cut, the line before is the last one with content.
    let separator =
        is_separator(&last) || (!ended && lines.next().is_some_and(|line| is_separator(&line)));
    separator || last.starts_with(b"<?xml") || (!ended && is_start(&last))
}

/// Returns the line without prefixes, colors and carriers.
fn bare(line: &[u8]) -> Vec<u8> {
    let mut scratch = Vec::new();
    let text = prefix::strip(plain::plain(line, &mut scratch)).rest;
    let is_start = |text: &[u8]| is_start(text.trim_ascii()) || is_separator(text.trim_ascii());
    let inner = Carriers::default().unwrap_fields(text, &is_start);
    let inner = inner.as_ref().map_or(text, |inner| &inner.text);
    prefix::strip(inner).rest.trim_ascii().to_vec()
}

/// Returns true for the line of 65 `=` before a headline
/// (`sanitizer_common/sanitizer_report_decorator.h` and its users). Test runners also print lines
/// of `=`, but as wide as their terminal.
fn is_separator(line: &[u8]) -> bool {
    line.len() == 65 && line.iter().all(|b| *b == b'=')
}

/// Returns true for a line without line feed that is the start of a separator, of a tag, of XML, or
/// of a checker's message.
fn is_start(line: &[u8]) -> bool {
    let bars = line.len() <= 65 && !line.is_empty() && line.iter().all(|b| *b == b'=');
    let markup =
        line.len() > 1 && (b"<valgrindoutput>".starts_with(line) || b"<?xml".starts_with(line));
    bars || markup
        || is_open_tag(line)
        || ubsan::is_cut(line)
        || untagged::is_cut_headline(line)
        || tag::find(line).is_some_and(|tag| tag.at == 0 && is_cut_after_tag(&tag))
}

/// Returns true for `==12` and `==123=`.
fn is_open_tag(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"==") else {
        return false;
    };
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let rest = &rest[digits..];
    digits > 0 && rest.len() < 2 && b"==".starts_with(rest)
}

/// Returns true if a line with a tag is cut. A line that lacks only its line feed may be complete:
/// the last line of a log, or the last message of a sanitizer runtime (LeakSanitizer of LLVM 18 and
/// 19 writes no line feed there).
fn is_cut_after_tag(tag: &Tag<'_>) -> bool {
    let rest = tag.rest.trim_ascii();
    if !tag.is_valgrind() {
        return b"ERROR: ".starts_with(rest) || rest.starts_with(b"ERROR: ");
    }
    let summed_up = rest.starts_with(b"ERROR SUMMARY: ") && rest.ends_with(b")");
    !summed_up && !rest.ends_with(b"(--exit-on-first-error=yes)")
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::is_cut;

    #[test]
    fn start_of_report_at_end_of_log_is_cut() {
        let bars = "=".repeat(65);
        for (tail, want) in [
            ("ok\n==12", true),
            ("ok\n==12== \n\0\0", false),
            ("ok\n==12=", true),
            ("ok\n==12==", true),
            ("ok\n==12==ERR", true),
            ("ok\n\x1b[1m\x1b[31m==12==ERROR: LeakSan", true),
            ("ok\n==12== 40 bytes in 1 blocks are def", true),
            (
                "ok\n==12== ERROR SUMMARY: 0 errors from 0 contexts (suppressed: 0 from 0)",
                false,
            ),
            ("ok\n==12==LeakSanitizer: checking for leaks", false),
            ("ok\n==12==ABORTING", false),
            ("ok\n/src/a.c:3:4: runtime err", true),
            ("ok\n/src/a.c:3:4: runtime error: division by zero", false),
            ("ok\n==12==\n", false),
            ("ok\n==12==T0 exited", false),
            (
                "{\"log\":\"ok\\n\"}\n{\"log\":\"==12== Memcheck, a mem",
                true,
            ),
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
        assert!(is_cut(
            format!("2026-05-01T12:34:56.1234567Z {bars}").as_bytes()
        ));
        assert!(!is_cut(format!("={bars}").as_bytes()));
        assert!(is_cut(format!("{bars}\n2026-05-01T12:3").as_bytes()));
    }
}
