//! Checkers that could not do their work. They say so outside of any report, and end with an exit status like another.
//!
//! Sources: valgrind `coregrind/m_main.c`, `m_libcassert.c`, `launcher-linux.c`; compiler-rt `asan/asan_linux.cpp`, `asan_rtl.cpp`,
//! `sanitizer_common/sanitizer_common.cpp`.

use alloc::format;

use super::collect::{Collector, text_of};
use crate::bytes::contains;
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
    b": command not found",
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
    if contains(text, b"=\0=\0") {
        let message = "the line is UTF-16, and the log does not begin with a mark that says so; convert it to UTF-8";
        return out.problem(Code::UnknownReport, line.number, None, message);
    }
    let text = text.trim_ascii();
    let said = text.strip_prefix(b"valgrind: ").map(<[u8]>::trim_ascii_start);
    let failed = said.is_some_and(|s| VALGRIND.iter().any(|f| s.starts_with(f)) || NOT_STARTED.iter().any(|f| s.ends_with(f)));
    if failed || text.ends_with(b"valgrind: command not found") || text.ends_with(b"valgrind: not found") {
        out.problem(Code::CheckerFailed, line.number, None, format!("valgrind failed: `{}`", text_of(text)));
    }
}

/// True for what a sanitizer's runtime says with a tag when it can't start.
pub(crate) fn is_start_of_asan(text: &[u8]) -> bool {
    ASAN.iter().any(|words| contains(text, words))
}
