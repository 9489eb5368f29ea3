//! ThreadSanitizer's messages: headlines, and the lines between the stacks of a warning.
//!
//! Sources: compiler-rt `tsan/rtl/tsan_report.cpp` (`ReportTypeString`, `PrintReport` and its
//! callees), `tsan_rtl.cpp` (`Finalize`), `tsan_suppressions.cpp` (`PrintMatchedSuppressions`).

use super::asan::ErrorLine;
use crate::bytes::{after, contains, number};
use crate::model::{Kind, Role};

/// Headlines and their kinds. The kind omits the comment in parentheses that some headlines have.
pub(super) const HEADLINES: &[(&str, &str)] = &[
    ("data race", "data-race"),
    (
        "data race on vptr (ctor/dtor vs virtual call)",
        "data-race-on-vptr",
    ),
    ("heap-use-after-free", "heap-use-after-free"),
    (
        "heap-use-after-free (virtual call vs free)",
        "heap-use-after-free-by-virtual-call",
    ),
    ("race on external object", "race-on-external-object"),
    ("race on a library object", "race-on-a-library-object"),
    ("Swift access race", "race-of-swift-accesses"),
    ("thread leak", "thread-leak"),
    ("destroy of a locked mutex", "destroy-of-a-locked-mutex"),
    ("double lock of a mutex", "double-lock-of-a-mutex"),
    (
        "use of an invalid mutex (e.g. uninitialized or destroyed)",
        "use-of-an-invalid-mutex",
    ),
    (
        "unlock of an unlocked mutex (or by a wrong thread)",
        "unlock-of-an-unlocked-mutex",
    ),
    (
        "read lock of a write locked mutex",
        "read-lock-of-a-write-locked-mutex",
    ),
    (
        "read unlock of a write locked mutex",
        "read-unlock-of-a-write-locked-mutex",
    ),
    (
        "signal-unsafe call inside of a signal",
        "signal-unsafe-call-inside-of-a-signal",
    ),
    ("signal handler spoils errno", "signal-handler-spoils-errno"),
    (
        "lock-order-inversion (potential deadlock)",
        "lock-order-inversion",
    ),
    (
        "mutex held in the wrong context",
        "mutex-held-in-the-wrong-context",
    ),
];

/// Parses the text after `WARNING: ThreadSanitizer: `, such as `data race (pid=4201)`. Returns the
/// kind, the headline without its pid, and the pid.
///
/// The line has no tag and may be prose, so a headline without a pid must be a known one.
pub(crate) fn headline(text: &str) -> Option<(Kind, &str, Option<u64>)> {
    let pid = pid(text.as_bytes());
    let title = text.split(" (pid=").next().unwrap_or(text).trim();
    match HEADLINES.iter().find(|(name, _)| *name == title) {
        Some((_, kind)) => Some((Kind::from_static(kind), title, pid)),
        None => pid.map(|pid| (Kind::from_name(title), title, Some(pid))),
    }
}

/// Parses `(pid=4201)`.
fn pid(text: &[u8]) -> Option<u64> {
    let (pid, rest) = number(after(text, b"(pid=")?)?;
    rest.starts_with(b")").then_some(pid)
}

/// Parses the text after `ThreadSanitizer: ` at the end of a process: `reported 6 warnings`.
pub(crate) fn total(message: &[u8]) -> Option<u64> {
    let (warnings, rest) = number(message.strip_prefix(b"reported ")?)?;
    rest.starts_with(b" warnings").then_some(warnings)
}

/// Parses `Matched 2 suppressions (pid=4201):` into the number of hidden warnings and the pid.
pub(crate) fn suppressed(message: &[u8]) -> Option<(u64, u64)> {
    let (hidden, rest) = number(message.strip_prefix(b"Matched ")?)?;
    Some((hidden, pid(rest.strip_prefix(b" suppressions")?)?))
}

/// Returns true for the line of 18 `=` before and after each warning.
pub(crate) fn is_bar(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    text.len() == 18 && text.iter().all(|b| *b == b'=')
}

/// Recognizes the lines between the stacks.
pub(crate) fn error_line(line: &[u8]) -> Option<ErrorLine> {
    let text = line.trim_ascii();
    let starts = |prefixes: &[&str]| prefixes.iter().any(|p| text.starts_with(p.as_bytes()));
    if starts(&["Previous "]) {
        Some(ErrorLine::Stack(Role::Conflict))
    } else if is_access(text) {
        Some(ErrorLine::Stack(Role::Access))
    } else if text == b"and:" || (starts(&["Mutex M"]) && text.ends_with(b":")) {
        Some(ErrorLine::Stack(Role::Lock))
    } else if starts(&["Thread T"]) && text.ends_with(b":") {
        Some(ErrorLine::Stack(Role::Thread))
    } else if starts(&["Location is "]) {
        Some(location(text))
    } else if text == b"As if synchronized via sleep:" {
        Some(ErrorLine::Stack(Role::Other))
    } else if starts(NOTES) || (starts(&["And "]) && text.ends_with(b" more similar thread leaks."))
    {
        Some(ErrorLine::Note)
    } else {
        None
    }
}

/// Returns true for `Write of size 4 at 0x72 by thread T2:`, and for `Signal 14 handler invoked
/// at:` of a handler that changes errno.
fn is_access(text: &[u8]) -> bool {
    let accesses = ACCESSES.iter().any(|w| text.starts_with(w.as_bytes()))
        && contains(text, b" by ")
        && text.ends_with(b":");
    accesses || (text.starts_with(b"Signal ") && text.ends_with(b" handler invoked at:"))
}

/// Recognizes `Location is heap block of size 40 at 0x72 allocated by main thread:`. The location
/// of a global or stack variable has no stack.
fn location(text: &[u8]) -> ErrorLine {
    if !text.ends_with(b":") {
        ErrorLine::Note
    } else if contains(text, b" destroyed by ") {
        ErrorLine::Stack(Role::Free)
    } else {
        ErrorLine::Stack(Role::Allocation)
    }
}

/// Starts of lines that introduce the stack of an access.
const ACCESSES: &[&str] = &[
    "Read of size ",
    "Write of size ",
    "Atomic read of size ",
    "Atomic write of size ",
    "Mutating access of ",
    "Modifying access of ",
    "Read-only access of ",
];

/// Starts of lines that explain the warning.
const NOTES: &[&str] = &[
    "Cycle in lock order graph: ",
    "Mutex M",
    "Thread T",
    "Hint: ",
    "[failed to restore the stack]",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headlines_are_parsed() {
        for (text, want) in [
            (
                "data race (pid=7)",
                Some(("data-race", "data race", Some(7))),
            ),
            (
                "lock-order-inversion (potential deadlock) (pid=7)",
                Some((
                    "lock-order-inversion",
                    "lock-order-inversion (potential deadlock)",
                    Some(7),
                )),
            ),
            (
                "something new (pid=7)",
                Some(("something-new", "something new", Some(7))),
            ),
            ("data race", Some(("data-race", "data race", None))),
            ("data race is what we look for", None),
            ("data race (pid=", Some(("data-race", "data race", None))),
        ] {
            let found = headline(text);
            assert_eq!(
                found
                    .as_ref()
                    .map(|(kind, title, pid)| (kind.as_str(), *title, *pid)),
                want,
                "{text}"
            );
        }
    }

    #[test]
    fn totals_are_parsed() {
        assert_eq!(total(b"reported 6 warnings"), Some(6));
        assert_eq!(total(b"reported many warnings"), None);
        assert_eq!(
            suppressed(b"Matched 2 suppressions (pid=31):"),
            Some((2, 31))
        );
        assert_eq!(suppressed(b"Matched 2 suppressions"), None);
        assert!(is_bar(b"==================") && !is_bar(b"==================="));
    }

    #[test]
    fn lines_between_stacks_are_recognized() {
        for (line, want) in [
            (
                "  Write of size 4 at 0x1 by thread T2 (mutexes: write M0):",
                Some(ErrorLine::Stack(Role::Access)),
            ),
            (
                "  Atomic read of size 1 at 0x1 by main thread:",
                Some(ErrorLine::Stack(Role::Access)),
            ),
            (
                "  Previous atomic write of size 4 at 0x1 by thread T1:",
                Some(ErrorLine::Stack(Role::Conflict)),
            ),
            ("  and:", Some(ErrorLine::Stack(Role::Lock))),
            (
                "  Mutex M1 acquired here while holding mutex M0 in thread T3:",
                Some(ErrorLine::Stack(Role::Lock)),
            ),
            (
                "    Mutex M0 previously acquired by the same thread here:",
                Some(ErrorLine::Stack(Role::Lock)),
            ),
            ("  Mutex M0 is already destroyed.", Some(ErrorLine::Note)),
            (
                "  Thread T1 'x y' (tid=2, running) created by main thread at:",
                Some(ErrorLine::Stack(Role::Thread)),
            ),
            (
                "  Thread T1 (tid=2, running) is a GCD worker thread",
                Some(ErrorLine::Note),
            ),
            (
                "  Location is heap block of size 40 at 0x1 allocated by main thread:",
                Some(ErrorLine::Stack(Role::Allocation)),
            ),
            (
                "  Location is file descriptor 3 destroyed by thread T1 at:",
                Some(ErrorLine::Stack(Role::Free)),
            ),
            ("  Location is stack of main thread.", Some(ErrorLine::Note)),
            (
                "  Signal 10 handler invoked at:",
                Some(ErrorLine::Stack(Role::Access)),
            ),
            (
                "  As if synchronized via sleep:",
                Some(ErrorLine::Stack(Role::Other)),
            ),
            ("  And 3 more similar thread leaks.", Some(ErrorLine::Note)),
            ("what the program prints", None),
        ] {
            assert_eq!(error_line(line.as_bytes()), want, "{line}");
        }
    }
}
