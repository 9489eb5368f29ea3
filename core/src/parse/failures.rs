//! Failures of the checkers themselves. Their messages are outside of any report, and the exit
//! status doesn't reveal them.
//!
//! Sources: valgrind `coregrind/m_main.c`, `m_libcassert.c`, `launcher-linux.c`; compiler-rt
//! `asan/asan_linux.cpp`, `asan_rtl.cpp`, `sanitizer_common/sanitizer_common.cpp`,
//! `sanitizer_posix_libcdep.cpp`, `lsan/lsan_common.cpp`.

use alloc::format;

use super::collect::{Collector, shared_text};
use super::lsan;
use super::sanitizer::is_prefix;
use super::valgrind::Panic;
use crate::bytes::{after, before, contains, trim_start};
use crate::line::Line;
use crate::problem::Code;

/// Starts of the text after `valgrind: ` in a fatal message.
const VALGRIND: &[&[u8]] = &[
    b"fatal",
    b"Fatal error",
    b"the 'impossible' happened",
    b"failed to start tool",
    b"Unknown option",
    b"Bad option",
    b"m_",
    b"no program",
];

/// Ends of lines that name a program which valgrind could not start.
const NOT_STARTED: &[&[u8]] = &[
    b": No such file or directory",
    b": Permission denied",
    b"command not found",
    b": Is a directory",
    b": Exec format error",
];

/// Messages of AddressSanitizer's startup, after which the process ends without a report.
const ASAN: &[&[u8]] = &[
    b"ASan runtime does not come first",
    b"incompatible ASan runtimes",
    b"Shadow memory range interleaves",
    b"ASan shadow was supposed to be located",
    b"ReserveShadowMemoryRange failed",
];

/// Messages of LeakSanitizer if it can't search for leaks.
const LSAN: &[&[u8]] = &[
    b"ptrace appears to be blocked",
    b"LeakSanitizer may hang",
    b"Child exited with signal ",
];

/// Reads a line without a tag, and adds a problem if it reveals a failure.
pub(crate) fn outside_of_reports(text: &[u8], line: &Line<'_>, out: &mut Collector) {
    if text.is_empty() {
        return;
    }
    if is_leak_after_prefix(text) || has_cut_tag(text) {
        return out.add_problem(
            Code::Truncated,
            line.number,
            None,
            "the beginning of a sanitizer's line is missing from the log",
        );
    }
    let text = text.trim_ascii();
    let message = after(text, b"valgrind: ").map(<[u8]>::trim_ascii_start);
    let failed = message.is_some_and(|s| {
        VALGRIND.iter().any(|f| s.starts_with(f)) || NOT_STARTED.iter().any(|f| s.ends_with(f))
    });
    if failed || is_not_found(text) || Panic::is_message(text) {
        out.add_problem(
            Code::CheckerFailed,
            line.number,
            None,
            format!("valgrind failed: `{}`", shared_text(text)),
        );
    }
}

/// Returns true for a leak record of LeakSanitizer that is cut, or that follows an unknown prefix.
pub(crate) fn is_leak_after_prefix(text: &[u8]) -> bool {
    let Some(head) = before(text, b"irect leak of ").filter(|_| contains(text, b" byte(s) in "))
    else {
        return false;
    };
    let prefix = head
        .strip_suffix(b"D")
        .or_else(|| head.strip_suffix(b"Ind"))
        .unwrap_or(head)
        .trim_ascii();
    let is_cut = prefix.is_empty() && lsan::record(text).is_none();
    matches!(head, b"" | b"d" | b"nd") || is_cut || is_prefix(prefix)
}

/// Returns true for a headline whose tag is cut: `01==ERROR: AddressSanitizer: `, at the start of a
/// line or within a frame.
fn has_cut_tag(text: &[u8]) -> bool {
    let Some(tag) = before(text, b"ERROR: ").filter(|_| contains(text, b"Sanitizer: ")) else {
        return false;
    };
    tag.ends_with(b"=")
        && (tag.iter().all(|b| b.is_ascii_digit() || b"= ".contains(b))
            || trim_start(tag).starts_with(b"#"))
}

/// Returns true if a shell, `make`, `env` or `timeout` did not find valgrind. A configure script
/// that prints `valgrind: not found` doesn't count.
fn is_not_found(text: &[u8]) -> bool {
    if !contains(text, b"valgrind") {
        return false;
    }
    let callers = [
        &b"sh: "[..],
        b"bash: ",
        b"dash: ",
        b"zsh: ",
        b"make: ",
        b"make[",
        b"env: ",
        b"timeout: ",
        b"/bin/sh: ",
    ];
    let called = callers.iter().any(|c| text.starts_with(c)) || contains(text, b": line ");
    let missing = [
        &b"valgrind: not found"[..],
        b"valgrind: command not found",
        b"valgrind: Command not found",
        b"not found: valgrind",
    ];
    let no_file = text.ends_with(b"No such file or directory");
    called && (no_file || missing.iter().any(|m| text.ends_with(m)))
}

/// Returns the name of the sanitizer whose runtime cannot start or cannot work, for a message with
/// a tag.
pub(crate) fn failed_sanitizer(text: &[u8]) -> Option<&'static str> {
    let has_any = |messages: &[&[u8]]| messages.iter().any(|message| contains(text, message));
    match () {
        () if has_any(ASAN) => Some("AddressSanitizer"),
        () if has_any(LSAN) => Some("LeakSanitizer"),
        () => None,
    }
}
