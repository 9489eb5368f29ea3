//! Sanitizer lines that can be recognized without context: headlines, summaries, failures of the
//! sanitizer itself.

use super::super::{failures, lsan, ubsan};
use crate::bytes::{find, trim_start};

/// A line that names its sanitizer.
pub(crate) enum Standalone<'a> {
    /// `SUMMARY: NAMESanitizer: text`.
    Summary { name: &'a [u8], text: &'a [u8] },
    /// Every other line; the level is empty if the line has none.
    Message {
        level: &'a [u8],
        name: &'a [u8],
        text: &'a [u8],
    },
}

/// Parses `LEVEL: NAMESanitizer: text`.
pub(crate) fn standalone(line: &[u8]) -> Option<Standalone<'_>> {
    if trim_start(line).starts_with(b"#") {
        return None;
    }
    let at = find(line, b"Sanitizer")?;
    let head = &line[..at];
    let word = head
        .iter()
        .rposition(|b| !b.is_ascii_alphabetic())
        .map_or(0, |n| n + 1);
    let level = level(&head[..word])?;
    let name = &head[word..];
    if name.is_empty() {
        return None;
    }
    let text = &line[at + b"Sanitizer".len()..];
    if level == b"SUMMARY:" {
        return Some(Standalone::Summary {
            name,
            text: text.strip_prefix(b": ")?,
        });
    }
    Some(Standalone::Message { level, name, text })
}

/// Returns true for a line that a sanitizer writes without a tag.
pub(crate) fn is_sanitizer_line(text: &[u8]) -> bool {
    let is_report_line = || lsan::record(text).is_some() || standalone(text).is_some();
    !text.is_empty()
        && (is_report_line()
            || ubsan::headline(text).is_some()
            || failures::is_leak_after_prefix(text))
}

/// Returns true for `==PID==ERROR: `.
pub(crate) fn is_tagged_error(text: &[u8], pid: Option<u64>) -> bool {
    pid.is_some() && text.trim_ascii_start().starts_with(b"ERROR: ")
}

/// Returns the level before the sanitizer's name, which may be empty. The text before it may be an
/// unknown prefix, but not a sentence.
fn level(head: &[u8]) -> Option<&[u8]> {
    let head = head.trim_ascii();
    let known = [&b"SUMMARY:"[..], b"ERROR:", b"WARNING:", b"FATAL:"];
    let level = known
        .into_iter()
        .find(|level| head.ends_with(level))
        .unwrap_or_default();
    let before = head[..head.len() - level.len()].trim_ascii_end();
    // A damaged tag doesn't count as a tag.
    let ends_word = before.ends_with(b":") || before.starts_with(b"==") || before.ends_with(b"==");
    let is_word = ends_word && !before.contains(&b' ');
    (before.is_empty() || is_word || is_prefix(before)).then_some(level)
}

/// Returns true for text that may be an unknown prefix, or the end of one: it ends with a closing
/// bracket, or is a time.
pub(crate) fn is_prefix(text: &[u8]) -> bool {
    let is_time = |b: &u8| b.is_ascii_digit() || b"TZ:.,+-= ".contains(b);
    matches!(text.last(), Some(b']' | b'|' | b')' | b'>'))
        || (!text.is_empty() && text.iter().all(is_time))
}

/// Returns true if the sanitizer itself failed. The exit status doesn't reveal that, because it is
/// the same as for a finding.
pub(crate) fn is_failure(level: &[u8], message: &[u8]) -> bool {
    const FAILURES: &[&[u8]] = &[
        b"has encountered a fatal error",
        b"failed to parse suppressions",
        b"failed to read suppressions file",
        b"CHECK failed",
        b"nested bug in the same thread",
        b"ERROR: ",
        b"runtime does not come first",
        b"hard rss limit exhausted",
        b"Thread limit",
    ];
    let refused = level == b"ERROR:" && message.starts_with(b"failed to allocate");
    level == b"FATAL:" || refused || FAILURES.iter().any(|f| message.starts_with(f))
}
