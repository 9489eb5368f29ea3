//! Checkers that could not do their work. They say so outside of any report, and end with an exit
//! status like another.
//!
//! Sources: valgrind `coregrind/m_main.c`, `m_libcassert.c`, `launcher-linux.c`; compiler-rt
//! `asan/asan_linux.cpp`, `asan_rtl.cpp`, `sanitizer_common/sanitizer_common.cpp`.

use alloc::format;

use super::body::is_prefix;
use super::collect::{Collector, text_of};
use super::lsan;
use crate::bytes::{before, contains, trim_start};
use crate::line::Line;
use crate::problem::Code;

/// What follows `valgrind: ` when it can't go on.
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

/// How a line ends that names the program which valgrind could not start.
const NOT_STARTED: &[&[u8]] = &[
    b": No such file or directory",
    b": Permission denied",
    b"command not found",
    b": Is a directory",
    b": Exec format error",
];

/// Words of AddressSanitizer's start that end the process before there is a report.
const ASAN: &[&[u8]] = &[
    b"ASan runtime does not come first",
    b"incompatible ASan runtimes",
    b"Shadow memory range interleaves",
    b"ASan shadow was supposed to be located",
    b"ReserveShadowMemoryRange failed",
];

/// Reads a line without a tag.
pub(crate) fn outside_of_reports(text: &[u8], line: &Line<'_>, out: &mut Collector) {
    if text.is_empty() {
        return;
    }
    if contains(text, b"=\0=\0") {
        let message = "the line is UTF-16, and the log does not begin with a mark that says so; convert it to UTF-8";
        return out.problem(Code::UnknownReport, line.number, None, message);
    }
    if is_leak_behind_prefix(text) || is_beheaded(text) {
        return out.problem(
            Code::Truncated,
            line.number,
            None,
            "a line of a sanitizer whose beginning is not in the log",
        );
    }
    let text = text.trim_ascii();
    let said = text
        .strip_prefix(b"valgrind: ")
        .map(<[u8]>::trim_ascii_start);
    let failed = said.is_some_and(|s| {
        VALGRIND.iter().any(|f| s.starts_with(f)) || NOT_STARTED.iter().any(|f| s.ends_with(f))
    });
    if failed || is_not_there(text) {
        out.problem(
            Code::CheckerFailed,
            line.number,
            None,
            format!("valgrind failed: `{}`", text_of(text)),
        );
    }
}

/// A record of LeakSanitizer that is cut, or behind a prefix that no headline has told.
pub(crate) fn is_leak_behind_prefix(text: &[u8]) -> bool {
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

/// A headline whose tag is cut: `01==ERROR: AddressSanitizer: `, at the start of a line or within a
/// frame.
fn is_beheaded(text: &[u8]) -> bool {
    let Some(tag) = before(text, b"ERROR: ").filter(|_| contains(text, b"Sanitizer: ")) else {
        return false;
    };
    tag.ends_with(b"=")
        && (tag.iter().all(|b| b.is_ascii_digit() || b"= ".contains(b))
            || trim_start(tag).starts_with(b"#"))
}

/// A shell, `make`, `env` or `timeout` did not find valgrind. A configure script may say `valgrind:
/// not found`, too, and mean no harm.
fn is_not_there(text: &[u8]) -> bool {
    if !contains(text, b"valgrind") {
        return false;
    }
    let caller = [
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
    let called = caller.iter().any(|c| text.starts_with(c)) || contains(text, b": line ");
    let missing = [
        &b"valgrind: not found"[..],
        b"valgrind: command not found",
        b"valgrind: Command not found",
        b"not found: valgrind",
    ];
    let no_file = text.ends_with(b"No such file or directory");
    called && (no_file || missing.iter().any(|m| text.ends_with(m)))
}

/// True for what a sanitizer's runtime says with a tag when it can't start.
pub(crate) fn is_start_of_asan(text: &[u8]) -> bool {
    ASAN.iter().any(|words| contains(text, words))
}
