//! Parts of reports whose headline is missing, because the log begins in the middle of a report.

use super::super::asan::ErrorLine;
use super::super::tsan;
use crate::bytes::{before, contains, hex, trim_start};

/// Returns true for a line that introduces a stack and that nothing but a sanitizer prints.
pub(super) fn is_part(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    let is_thread = text.starts_with(b"Thread T");
    if !is_thread && !contains(text, b" thread T") && !text.ends_with(b" main thread:") {
        return false;
    }
    let is_access = (text.starts_with(b"READ of size ") || text.starts_with(b"WRITE of size "))
        && contains(text, b" at 0x");
    let is_block = [
        &b"freed by thread T"[..],
        b"previously allocated by thread T",
        b"allocated by thread T",
    ]
    .iter()
    .any(|words| text.starts_with(words) && text.ends_with(b" here:"));
    let is_created = is_thread && contains(text, b" created by ") && text.ends_with(b":");
    let is_race =
        || contains(text, b" at 0x") && matches!(tsan::error_line(text), Some(ErrorLine::Stack(_)));
    is_access || is_block || is_created || (!is_thread && is_race())
}

/// Returns true for the first line of the list of threads that AddressSanitizer prints at exit:
/// `Thread T0/123 was created by T-1`. The stacks in it belong to no report. Source: compiler-rt
/// `lib/asan/asan_thread.cpp`.
pub(super) fn is_thread(text: &[u8]) -> bool {
    text.starts_with(b"Thread T") && contains(text, b" was created by T")
}

/// Returns true for an error of UBSan whose file is lost: `:39:5: runtime error: `.
pub(super) fn is_error_without_place(text: &[u8]) -> bool {
    let place = before(text, b": runtime error: ").unwrap_or_default();
    place.contains(&b':') && place.iter().all(|b| b.is_ascii_digit() || *b == b':')
}

/// Returns true for an error whose tag or name is damaged: `1==ERROR: AddressSanitizer`,
/// `WARNING: T?readSanitizer: `.
pub(super) fn is_damaged_error(text: &[u8]) -> bool {
    let text = trim_start(text);
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let after_tag = text[digits..].strip_prefix(b"==").filter(|_| digits > 0);
    let body = after_tag.unwrap_or(text);
    let mut levels = [&b"ERROR: "[..], b"WARNING: "].into_iter();
    let Some(message) = levels.find_map(|level| body.strip_prefix(level)) else {
        return false;
    };
    let name = message.split(|b| *b == b' ').next().unwrap_or_default();
    name.ends_with(b"Sanitizer:") || (after_tag.is_some() && name.ends_with(b"Sanitizer"))
}

/// Returns true for the first frame of a stack: four spaces, then `#0 0x51ab in f /src/a.c:3:9` or
/// `#0 0x51ab  (/bin/a+0x1ab)`. Debuggers print two spaces after the number.
pub(super) fn is_first_frame(text: &[u8]) -> bool {
    let Some(frame) = trim_start(text).strip_prefix(b"#0 0x") else {
        return false;
    };
    let is_indented = text.starts_with(b"    #");
    is_indented
        && hex(frame).is_some_and(|(_, site)| {
            let in_module = site.starts_with(b"  (") && contains(site, b"+0x");
            site.starts_with(b" in ") || in_module
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_recognized() {
        for line in [
            "READ of size 4 at 0x680600000000 tags: 07/8f (ptr/mem) in thread T0",
            "WRITE of size 1 at 0x602 thread T3",
            "previously allocated by thread T0 here:",
            "freed by thread T12 (worker) here:",
            "    Thread T1 created by T0 here:",
            "  Previous write of size 4 at 0x72 by thread T1:",
            "  Write of size 8 at 0x7b by main thread:",
            "  Thread T2 (tid=5, running) created by main thread at:",
        ] {
            assert!(is_part(line.as_bytes()), "{line}");
        }
        for line in [
            "started thread T1",
            "Thread T1 created by the pool",
            "the block was freed by thread T1",
            "Read of size 4 by thread T1",
        ] {
            assert!(!is_part(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn first_frames_are_recognized() {
        for line in [
            "    #0 0x51ab in f /src/a.c:3:9",
            "    #0 0x51ab  (/bin/a+0x1ab)",
        ] {
            assert!(is_first_frame(line.as_bytes()), "{line}");
        }
        for line in [
            "    #1 0x51ab in f /src/a.c:3:9",
            "#0 0x51ab in f a.c:3",
            "    #0  0x51ab in f () at a.c:3",
            "    #0 0x51ab llvm::sys::PrintStackTrace()",
        ] {
            assert!(!is_first_frame(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn damaged_errors_are_recognized() {
        for line in [
            "1==ERROR: AddressSanitizer failed to allocate",
            "WARNING: T=readSanitizer: signal handler spoils errno (pid=1)",
            "12==WARNING: MemorySanitizer: x",
        ] {
            assert!(is_damaged_error(line.as_bytes()), "{line}");
        }
        for line in [
            "grep -q \"==ERROR: AddressSanitizer\" log",
            "WARNING: no AddressSanitizer",
            "WARNING: AddressSanitizer is off",
            "==ERROR: x",
        ] {
            assert!(!is_damaged_error(line.as_bytes()), "{line}");
        }
        assert!(is_error_without_place(
            b":39: runtime error: signed integer overflow: 1"
        ));
        assert!(is_error_without_place(b"3:39: runtime error: x"));
        assert!(!is_error_without_place(
            b"panic: runtime error: index out of range"
        ));
        assert!(!is_error_without_place(b": runtime error: x"));
    }
}
