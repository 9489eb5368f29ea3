//! The position of a headline in a line: a report may begin after a prefix that no list contains,
//! or after text of the program without a line feed.

use super::collect::Collector;
use super::{learned_prefix, tag, ubsan, untagged};
use crate::bytes::{position, trim_start};
use crate::problem::Code;

/// First lines of the sanitizers and valgrind that have no tag.
const TAGLESS: &[&str] = &[
    "Direct leak of ",
    "Indirect leak of ",
    "Suppressions used:",
    "Uninitialized bytes in ",
    "ubsan: ",
    "<valgrindoutput>",
];

/// Levels before the name of a sanitizer.
const LEVELS: &[&[u8]] = &[b"SUMMARY: ", b"WARNING: ", b"ERROR: ", b"FATAL: "];

/// Starts of lines that quote a headline: the commit that actions/checkout prints, comments, traced
/// shell commands.
const QUOTATIONS: &[&[u8]] = &[b"HEAD is now at ", b"//", b"# ", b"/*", b"* ", b"+ ", b"$ "];

/// Beginnings of reports with one line, other than those of allocators.
const SINGLE_LINES: &[&str] = &[
    "ubsan: ",
    "<jemalloc>: ",
    "ElectricFence ",
    "Leak check ",
    "kmemleak: ",
];

/// A headline after other text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The position of the headline in its line.
    pub(super) at: usize,
    /// True if the line is only a headline if the text before it is a prefix.
    pub(super) needs_prefix: bool,
    /// True if the headline begins with a tag.
    pub(super) has_tag: bool,
}

/// Finds the first headline of a line. Returns `None` if there is none, and if the line begins with
/// one.
pub(super) fn find(text: &[u8]) -> Option<Head> {
    let start = text.len() - trim_start(text).len();
    let tag = tag::find(text);
    if ends_with_pair(text) {
        let at = match tag {
            Some(tag) => Some(tag.at),
            None => begins_with_headline(&text[start..]).then_some(0),
        };
        if let Some(at) = at {
            return Some(Head {
                at,
                needs_prefix: true,
                has_tag: false,
            });
        }
    }
    if let Some(tag) = tag {
        let is_report = !tag.is_valgrind()
            && (tag.rest.starts_with(b"ERROR: ") || tag.rest.starts_with(b"WARNING: "));
        return (is_report && tag.at > start).then(|| Head::new(text, tag.at, true));
    }
    if let Some(tag) = tag::find_quoted(text) {
        return Some(Head::new(text, tag.at, !opens_string(text, tag.at)));
    }
    let at = if begins_with_headline(&text[start..]) {
        // Most headlines are alone in their lines.
        start
    } else {
        let untagged = untagged::HEADS.iter().copied().flatten();
        untagged
            .chain(TAGLESS)
            .filter_map(|head| find_head(text, head.as_bytes()))
            .chain(sanitizer(text))
            .chain(ubsan::headline_start(text))
            .min()?
    };
    let at = if at > start {
        at
    } else {
        start + 1 + abort(&text[start + 1..])?
    };
    Some(Head::new(text, at, false))
}

/// Returns true if the text contains the beginning of a headline that is too long to be part of a
/// prefix or a name.
pub(super) fn contains_any(text: &[u8]) -> bool {
    const LONG: usize = 12;
    let untagged = untagged::HEADS.iter().copied().flatten();
    let mut heads = untagged
        .chain(TAGLESS)
        .chain(untagged::ABORTS)
        .filter(|head| head.len() >= LONG);
    ubsan::headline_start(text).is_some()
        || heads.any(|head| position(text, head.as_bytes()).is_some())
}

/// Adds a problem if a line of a process contains the headline of another report.
pub(super) fn report_inner(text: &[u8], pid: u64, line: u64, out: &mut Collector) {
    if contains_any(text) {
        let message = "two processes wrote to the same line; the second report is unreadable";
        out.add_problem(Code::Interleaved, line, Some(pid), message);
    }
}

/// Returns true if the text ends with `NAME=VALUE`.
fn ends_with_pair(text: &[u8]) -> bool {
    let word = text.rsplit(|byte| *byte == b' ').next();
    word.is_some_and(learned_prefix::is_pair)
}

fn begins_with_headline(text: &[u8]) -> bool {
    let mut heads = untagged::HEADS.iter().copied().flatten().chain(TAGLESS);
    sanitizer(text) == Some(0)
        || ubsan::headline_start(text) == Some(0)
        || heads.any(|head| text.starts_with(head.as_bytes()))
}

/// Returns the position of an allocator's message in a line that begins with other output, because
/// the process aborted before it wrote the rest of the line.
fn abort(text: &[u8]) -> Option<usize> {
    let contains_another = [&b"** Error in"[..], b"** glibc detected", b"bort message"];
    if contains_another.iter().any(|start| text.starts_with(start)) {
        return None;
    }
    let heads = untagged::ABORTS.iter().copied();
    heads
        .filter_map(|head| position(text, head.as_bytes()))
        .min()
}

/// Returns the position of a beginning. A short one may be part of a sentence, unless it comes
/// after a sign or a column.
fn find_head(text: &[u8], head: &[u8]) -> Option<usize> {
    const SHORT: usize = 7;
    let at = position(text, head)?;
    let before = &text[..at];
    let is_clear = before.ends_with(b"  ")
        || before.ends_with(b"\t")
        || before
            .trim_ascii_end()
            .last()
            .is_none_or(|byte| !byte.is_ascii_alphanumeric());
    (head.len() > SHORT || is_clear).then_some(at)
}

/// Returns the position of `LEVEL: NAMESanitizer` or `NAMESanitizer:`.
fn sanitizer(text: &[u8]) -> Option<usize> {
    let end = position(text, b"Sanitizer")?;
    let name = text[..end]
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_alphabetic())
        .count();
    let head = &text[..end - name];
    let level = LEVELS.iter().find(|level| head.ends_with(level));
    let is_name = text[head.len()].is_ascii_uppercase();
    let is_named = is_name && text[end..].starts_with(b"Sanitizer:");
    let start = head.len() - level.map_or(0, |level| level.len());
    // A damaged tag or summary must stay in its line, which is reported.
    let is_damaged = text[..start].ends_with(b"=") || text[..start].starts_with(b"SUMMARY: ");
    ((is_named || level.is_some()) && !is_damaged).then_some(start)
}

impl Head {
    fn new(text: &[u8], at: usize, has_tag: bool) -> Self {
        let before = text[..at].trim_ascii_start();
        let is_quoted = matches!(before.last(), Some(b'"' | b'\'' | b'`'))
            && !opens_string(text, at)
            || is_quotation(before, &text[at..])
            || is_directive(before)
            || is_test_name(before);
        Self {
            at,
            needs_prefix: is_quoted || (!has_tag && is_sentence(before) && is_message(&text[at..])),
            has_tag,
        }
    }
}

/// Returns true if the text before a headline is the beginning of a line that quotes it. After `# `,
/// a report with one line may be a diagnostic of the Test Anything Protocol. Other reports have
/// more lines with the same prefix, which is learned.
fn is_quotation(before: &[u8], headline: &[u8]) -> bool {
    let is_diagnostic = || {
        let mut heads = untagged::ABORTS.iter().chain(SINGLE_LINES);
        before.trim_ascii_end().iter().all(|byte| *byte == b'#')
            && heads.any(|head| headline.starts_with(head.as_bytes()))
    };
    let mut quotations = QUOTATIONS.iter();
    let opens_comment = [b"//", b"/*"]
        .iter()
        .any(|sign| before.trim_ascii_end().ends_with(*sign));
    opens_comment || (quotations.any(|start| before.starts_with(start)) && !is_diagnostic())
}

/// Returns true if the text ends with a directive of FileCheck: `CHECK: `, `CHECK-NEXT: `.
fn is_directive(before: &[u8]) -> bool {
    let directive = before.trim_ascii_end().strip_suffix(b":");
    let word = directive.and_then(|text| {
        text.rsplit(|b| !b.is_ascii_uppercase() && *b != b'-')
            .next()
    });
    word.is_some_and(|word| word.starts_with(b"CHECK"))
}

/// Returns true if the text is the beginning of a line of the Test Anything Protocol, with the name
/// of the test after it: `ok 12 - `.
fn is_test_name(before: &[u8]) -> bool {
    let number = before
        .trim_ascii_end()
        .strip_suffix(b" -")
        .unwrap_or_default();
    let digits = number
        .iter()
        .rev()
        .take_while(|b| b.is_ascii_digit())
        .count();
    digits > 0 && number[..number.len() - digits].ends_with(b"ok ")
}

/// Returns true if the text after a position is the first line of a string with several lines: a
/// field of CSV, whose quote isn't closed in this line, or the message in a tombstone of Android.
fn opens_string(text: &[u8], at: usize) -> bool {
    let before = text[..at].trim_ascii_end();
    before.ends_with(b"Abort message: '")
        || (before.ends_with(b"\"") && memchr::memchr(b'"', &text[at..]).is_none())
}

/// Returns true if the text ends with a word and a space. A word in capitals is a level.
fn is_sentence(text: &[u8]) -> bool {
    let words = text.trim_ascii_end();
    let last = words.rsplit(|b| *b == b' ').next().unwrap_or(words);
    let is_word = last.len() > 1 && last.iter().all(u8::is_ascii_alphabetic);
    words.len() < text.len() && is_word && !last.iter().all(u8::is_ascii_uppercase)
}

/// Returns true for a short message, such as glibc's, that may be part of a sentence.
fn is_message(headline: &[u8]) -> bool {
    headline.first().is_some_and(u8::is_ascii_lowercase)
        && !headline.starts_with(b"error: ")
        && !headline.starts_with(b"unreferenced object 0x")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headlines_are_found_after_other_text() {
        for (text, want) in [
            (
                "[a] WARNING: ThreadSanitizer: data race (pid=1)",
                Some((4, false)),
            ),
            ("WARNING: ThreadSanitizer: data race (pid=1)", None),
            ("  WARNING: DATA RACE", None),
            ("> WARNING: DATA RACE", Some((2, false))),
            ("test a ... error: Undefined Behavior: x", Some((11, false))),
            (
                "E    src/a.c:1:2: runtime error: division by zero",
                Some((5, false)),
            ),
            ("x ==1==ERROR: AddressSanitizer: y", Some((2, false))),
            ("- '==1==ERROR: AddressSanitizer: y'", Some((3, true))),
            (
                "    \"==1== Memcheck, a memory error detector\",",
                Some((5, true)),
            ),
            ("x ==1== Invalid read of size 4", None),
            (
                "HEAD is now at 1a BUG: KASAN: x in f+0x1/0x2",
                Some((18, true)),
            ),
            ("Fix double free or corruption (!prev)", Some((4, true))),
            ("# CHECK: WARNING: DATA RACE", Some((9, true))),
            ("> // CHECK-NEXT: WARNING: DATA RACE", Some((17, true))),
            ("ok 12 - free(): invalid pointer", Some((8, true))),
            ("    # free(): invalid pointer", Some((6, false))),
            ("# ubsan: mul-overflow", Some((2, false))),
            ("# call free(): invalid pointer", Some((7, true))),
            ("// free(): invalid pointer", Some((3, true))),
            ("# WARNING: DATA RACE", Some((2, true))),
            ("1,\"==1== Invalid read of size 4", Some((3, false))),
            ("1,\"==1== Invalid read of size 4\"", Some((3, true))),
            (
                "Abort message: '==1==ERROR: AddressSanitizer: x'",
                Some((16, false)),
            ),
            ("WARNING: DATA RACE source=\"x\" host=a", Some((0, true))),
            ("nothing", None),
        ] {
            let found = find(text.as_bytes()).map(|head| (head.at, head.needs_prefix));
            assert_eq!(found, want, "{text}");
        }
    }
}
