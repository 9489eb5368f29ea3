//! The end of a log that broke off just when a checker began to speak, before there was a report
//! that could be incomplete.

use alloc::vec::Vec;

use super::tag::{self, Tag};
use super::ubsan;
use crate::prefix;

/// True when the last line is the start of a report and nothing more.
pub(crate) fn is_cut(tail: &[u8]) -> bool {
    let ended = tail.last() == Some(&b'\n');
    let mut lines = tail
        .split(|b| *b == b'\n')
        .rev()
        .map(bare)
        .filter(|line| !line.is_empty());
    let Some(last) = lines.next() else {
        return false;
    };
    // A prefix that breaks off hides nothing but that the line before it was the last whole one.
    let separator =
        is_separator(&last) || (!ended && lines.next().is_some_and(|line| is_separator(&line)));
    separator || last.starts_with(b"<?xml") || (!ended && is_start(&last))
}

/// A line without prefixes and colours.
fn bare(line: &[u8]) -> Vec<u8> {
    let (mut text, mut scratch) = (Vec::new(), Vec::new());
    let line = line
        .strip_prefix(b"{\"log\":\"")
        .filter(|_| !line.ends_with(b"}"))
        .unwrap_or(line);
    let line = prefix::without_colours(prefix::unwrapped(line, &mut text), &mut scratch);
    prefix::strip(line).rest.trim_ascii().to_vec()
}

/// The line of 65 `=` before a headline (`sanitizer_common/sanitizer_report_decorator.h` and its
/// users). Test runners draw lines, too, as wide as their terminal.
fn is_separator(line: &[u8]) -> bool {
    line.len() == 65 && line.iter().all(|b| *b == b'=')
}

/// A line without its line feed: the start of a separator, of a tag, of XML, or what a checker says
/// without having finished.
fn is_start(line: &[u8]) -> bool {
    let bars = line.len() <= 65 && !line.is_empty() && line.iter().all(|b| *b == b'=');
    let markup =
        line.len() > 1 && (b"<valgrindoutput>".starts_with(line) || b"<?xml".starts_with(line));
    bars || markup
        || is_open_tag(line)
        || ubsan::breaks_off(line)
        || tag::find(line).is_some_and(|tag| tag.at == 0 && breaks_off(&tag))
}

/// `==12`, `==123=`
fn is_open_tag(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"==") else {
        return false;
    };
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let said = &rest[digits..];
    digits > 0 && said.len() < 2 && b"==".starts_with(said)
}

/// A line with a tag whose last line feed was trimmed off may be whole: the last line of a log, or
/// what a sanitizer's runtime says at its end (LeakSanitizer of LLVM 18 and 19 writes no line feed
/// there).
fn breaks_off(tag: &Tag<'_>) -> bool {
    let said = tag.rest.trim_ascii();
    if !tag.is_valgrind() {
        return b"ERROR: ".starts_with(said) || said.starts_with(b"ERROR: ");
    }
    let summed_up = said.starts_with(b"ERROR SUMMARY: ") && said.ends_with(b")");
    !summed_up && !said.ends_with(b"(--exit-on-first-error=yes)")
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
