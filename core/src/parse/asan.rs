//! AddressSanitizer's messages: headlines, and the lines between the stacks of an error.
//!
//! Source: compiler-rt `asan/asan_errors.cpp`, `asan/asan_descriptions.cpp`; the kinds are those
//! that its `SUMMARY:` line gives.

use crate::bytes::{after, contains, trim_start};
use crate::model::{Kind, Role};

/// Headlines that do not begin with the kind.
pub(super) const HEADLINES: &[(&str, &str)] = &[
    ("attempting double-free", "double-free"),
    ("attempting free on address", "bad-free"),
    (
        "attempting to call malloc_usable_size()",
        "bad-malloc_usable_size",
    ),
    (
        "attempting to call __sanitizer_get_allocated_size()",
        "bad-__sanitizer_get_allocated_size",
    ),
    ("requested allocation size", "allocation-size-too-big"),
    ("calloc parameters overflow", "calloc-overflow"),
    ("reallocarray parameters overflow", "reallocarray-overflow"),
    ("pvalloc parameters overflow", "pvalloc-overflow"),
    (
        "invalid alignment requested in aligned_alloc",
        "invalid-aligned-alloc-alignment",
    ),
    (
        "invalid alignment requested in posix_memalign",
        "invalid-posix-memalign-alignment",
    ),
    (
        "invalid allocation alignment",
        "invalid-allocation-alignment",
    ),
    ("specified RSS limit exceeded", "rss-limit-exceeded"),
    ("out of memory", "out-of-memory"),
    ("allocator is out of memory", "out-of-memory"),
    (
        "bad parameters to __sanitizer_annotate_contiguous_container",
        "bad-__sanitizer_annotate_contiguous_container",
    ),
    (
        "bad parameters to __sanitizer_annotate_double_ended_contiguous_container",
        "bad-__sanitizer_annotate_double_ended_contiguous_container",
    ),
    (
        "bad parameters to __sanitizer_copy_contiguous_container_annotations",
        "bad-__sanitizer_copy_contiguous_container_annotations",
    ),
];

/// Returns the kind that a headline names; `text` is the text after `AddressSanitizer: `.
pub(crate) fn kind(text: &str) -> Kind {
    if let Some((_, kind)) = HEADLINES.iter().find(|(start, _)| text.starts_with(start)) {
        return Kind::from_static(kind);
    }
    let word = text.split([' ', ':', '(', ';']).next().unwrap_or_default();
    if word.is_empty() {
        Kind::UNKNOWN
    } else {
        Kind::from_checker(word)
    }
}

/// A line between the stacks of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorLine {
    /// The line introduces a stack.
    Stack(Role),
    /// The line explains the error.
    Note,
}

/// Recognizes the lines between the stacks.
pub(crate) fn error_line(line: &[u8]) -> Option<ErrorLine> {
    let text = trim_start(line);
    let starts = |prefixes: &[&str]| prefixes.iter().any(|p| text.starts_with(p.as_bytes()));
    if starts(&["freed by thread"]) {
        Some(ErrorLine::Stack(Role::Free))
    } else if starts(&["previously allocated by thread", "allocated by thread"]) {
        Some(ErrorLine::Stack(Role::Allocation))
    } else if text.starts_with(b"Thread T") && contains(text, b" created by ") {
        Some(ErrorLine::Stack(Role::Thread))
    } else if text.starts_with(b"Address 0x") && contains(text, b" in stack of thread ") {
        Some(ErrorLine::Stack(Role::Origin))
    } else if starts(&["Memory was manually poisoned by", "registered at:"])
        || is_registration(text)
    {
        Some(ErrorLine::Stack(Role::Declaration))
    } else if text.starts_with(b"0x") && contains(text, b" is located ")
        || starts(NOTES)
        || is_variable(text)
    {
        Some(ErrorLine::Note)
    } else {
        None
    }
}

/// Starts of lines that explain the error.
const NOTES: &[&str] = &[
    "READ of size",
    "WRITE of size",
    "ACCESS of size",
    "Address 0x",
    "The signal is caused by",
    "Hint: ",
    "HINT: ",
    "(longjmp and C++ exceptions",
    "object passed to delete",
    "size of the allocated type",
    "size of the deallocated type",
    "This frame has ",
    "These globals were registered",
    "AddressSanitizer can not",
];

/// Returns true for `[1]:` before the stack of an ODR violation.
fn is_registration(text: &[u8]) -> bool {
    matches!(text, [b'[', digit, b']', b':'] if digit.is_ascii_digit())
}

/// Returns true for `[32, 72) 'a' (line 27) <== Memory access at offset 72 overflows this variable`
/// and `[1] size=16 'g' FILE:1 in BIN`.
fn is_variable(text: &[u8]) -> bool {
    text.starts_with(b"[") && (contains(text, b") '") || after(text, b"] size=").is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headlines_have_kinds() {
        for (text, want) in [
            (
                "heap-buffer-overflow on address 0x60 at pc 0x1",
                "heap-buffer-overflow",
            ),
            (
                "attempting double-free on 0x60 in thread T0:",
                "double-free",
            ),
            (
                "attempting free on address which was not malloc()-ed: 0x1 in thread T0",
                "bad-free",
            ),
            (
                "alloc-dealloc-mismatch (malloc vs operator delete) on 0x1",
                "alloc-dealloc-mismatch",
            ),
            ("SEGV on unknown address (pc 0x1 bp 0x1 sp 0x1 T0)", "segv"),
            (
                "memcpy-param-overlap: memory ranges [0x1,0x2) and [0x1, 0x2) overlap",
                "memcpy-param-overlap",
            ),
            ("odr-violation (0x1):", "odr-violation"),
            ("negative-size-param: (size=-1)", "negative-size-param"),
            (
                "calloc parameters overflow: count * size (-1 * 2)",
                "calloc-overflow",
            ),
            ("", "unknown-error"),
        ] {
            assert_eq!(kind(text).as_str(), want);
        }
    }

    #[test]
    fn lines_between_stacks_are_recognized() {
        for (line, want) in [
            (
                "freed by thread T0 here:",
                Some(ErrorLine::Stack(Role::Free)),
            ),
            (
                "previously allocated by thread T0 here:",
                Some(ErrorLine::Stack(Role::Allocation)),
            ),
            (
                "Thread T1 (x) created by T0 here:",
                Some(ErrorLine::Stack(Role::Thread)),
            ),
            (
                "Address 0x7f is located in stack of thread T0 at offset 72 in frame",
                Some(ErrorLine::Stack(Role::Origin)),
            ),
            ("  [1]:", Some(ErrorLine::Stack(Role::Declaration))),
            ("READ of size 4 at 0x1 thread T0", Some(ErrorLine::Note)),
            (
                "    [32, 72) 'a' (line 27) <== Memory access",
                Some(ErrorLine::Note),
            ),
            (
                "0x60 is located 0 bytes after 40-byte region [0x1,0x2)",
                Some(ErrorLine::Note),
            ),
            ("program stderr line", None),
        ] {
            assert_eq!(error_line(line.as_bytes()), want, "{line}");
        }
    }
}
