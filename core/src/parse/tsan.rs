//! ThreadSanitizer's words: headlines, and the lines between the stacks of a warning.
//!
//! Source: compiler-rt `tsan/rtl/tsan_report.cpp` (`ReportTypeString`, `PrintReport` and what it
//! calls), `tsan_rtl.cpp` (`Finalize`), `tsan_suppressions.cpp` (`PrintMatchedSuppressions`).

use super::asan::Section;
use crate::bytes::{after, contains, number};
use crate::model::{Kind, Role};

/// The headlines. A mistake that has a comment in brackets keeps its name without it.
pub(super) const TYPES: &[(&str, &str)] = &[
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

/// What follows `WARNING: ThreadSanitizer: `: the kind, the headline without its pid, and the pid.
/// `data race (pid=4201)`
///
/// The line has no tag, so that a headline without its pid must be one that is known; a sentence
/// about it is none.
pub(crate) fn headline(text: &str) -> Option<(Kind, &str, Option<u64>)> {
    let pid = pid(text.as_bytes());
    let title = text.split(" (pid=").next().unwrap_or(text).trim();
    match TYPES.iter().find(|(name, _)| *name == title) {
        Some((_, kind)) => Some((Kind::of(kind), title, pid)),
        None => pid.map(|pid| (Kind::from_name(title), title, Some(pid))),
    }
}

/// `(pid=4201)`
fn pid(text: &[u8]) -> Option<u64> {
    let (pid, rest) = number(after(text, b"(pid=")?)?;
    rest.starts_with(b")").then_some(pid)
}

/// What follows `ThreadSanitizer: ` at the end of a process: `reported 6 warnings`.
pub(crate) fn total(said: &[u8]) -> Option<u64> {
    let (warnings, rest) = number(said.strip_prefix(b"reported ")?)?;
    rest.starts_with(b" warnings").then_some(warnings)
}

/// How many warnings suppressions hid, and the process: `Matched 2 suppressions (pid=4201):`
pub(crate) fn suppressed(said: &[u8]) -> Option<(u64, u64)> {
    let (hidden, rest) = number(said.strip_prefix(b"Matched ")?)?;
    Some((hidden, pid(rest.strip_prefix(b" suppressions")?)?))
}

/// The line of 18 `=` that stands before and behind each warning.
pub(crate) fn is_bar(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    text.len() == 18 && text.iter().all(|b| *b == b'=')
}

/// Recognises the lines between the stacks.
pub(crate) fn section(line: &[u8]) -> Option<Section> {
    let text = line.trim_ascii();
    let starts = |words: &[&str]| words.iter().any(|w| text.starts_with(w.as_bytes()));
    if starts(&["Previous "]) {
        Some(Section::Stack(Role::Conflict))
    } else if is_access(text) {
        Some(Section::Stack(Role::Access))
    } else if text == b"and:" || (starts(&["Mutex M"]) && text.ends_with(b":")) {
        Some(Section::Stack(Role::Lock))
    } else if starts(&["Thread T"]) && text.ends_with(b":") {
        Some(Section::Stack(Role::Thread))
    } else if starts(&["Location is "]) {
        Some(location(text))
    } else if text == b"As if synchronized via sleep:" {
        Some(Section::Stack(Role::Other))
    } else if starts(NOTES) || (starts(&["And "]) && text.ends_with(b" more similar thread leaks."))
    {
        Some(Section::Note)
    } else {
        None
    }
}

/// `Write of size 4 at 0x72 by thread T2:`, and of a handler that changes errno, `Signal 14 handler
/// invoked at:`.
fn is_access(text: &[u8]) -> bool {
    let accesses = ACCESSES.iter().any(|w| text.starts_with(w.as_bytes()))
        && contains(text, b" by ")
        && text.ends_with(b":");
    accesses || (text.starts_with(b"Signal ") && text.ends_with(b" handler invoked at:"))
}

/// `Location is heap block of size 40 at 0x72 allocated by main thread:`; of a global or a stack
/// there is no more to say.
fn location(text: &[u8]) -> Section {
    if !text.ends_with(b":") {
        Section::Note
    } else if contains(text, b" destroyed by ") {
        Section::Stack(Role::Free)
    } else {
        Section::Stack(Role::Allocation)
    }
}

/// How a line begins that tells of an access.
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
    fn headlines_name_their_process() {
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
    fn totals() {
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
    fn lines_between_stacks() {
        for (line, want) in [
            (
                "  Write of size 4 at 0x1 by thread T2 (mutexes: write M0):",
                Some(Section::Stack(Role::Access)),
            ),
            (
                "  Atomic read of size 1 at 0x1 by main thread:",
                Some(Section::Stack(Role::Access)),
            ),
            (
                "  Previous atomic write of size 4 at 0x1 by thread T1:",
                Some(Section::Stack(Role::Conflict)),
            ),
            ("  and:", Some(Section::Stack(Role::Lock))),
            (
                "  Mutex M1 acquired here while holding mutex M0 in thread T3:",
                Some(Section::Stack(Role::Lock)),
            ),
            (
                "    Mutex M0 previously acquired by the same thread here:",
                Some(Section::Stack(Role::Lock)),
            ),
            ("  Mutex M0 is already destroyed.", Some(Section::Note)),
            (
                "  Thread T1 'x y' (tid=2, running) created by main thread at:",
                Some(Section::Stack(Role::Thread)),
            ),
            (
                "  Thread T1 (tid=2, running) is a GCD worker thread",
                Some(Section::Note),
            ),
            (
                "  Location is heap block of size 40 at 0x1 allocated by main thread:",
                Some(Section::Stack(Role::Allocation)),
            ),
            (
                "  Location is file descriptor 3 destroyed by thread T1 at:",
                Some(Section::Stack(Role::Free)),
            ),
            ("  Location is stack of main thread.", Some(Section::Note)),
            (
                "  Signal 10 handler invoked at:",
                Some(Section::Stack(Role::Access)),
            ),
            (
                "  As if synchronized via sleep:",
                Some(Section::Stack(Role::Other)),
            ),
            ("  And 3 more similar thread leaks.", Some(Section::Note)),
            ("what the program prints", None),
        ] {
            assert_eq!(section(line.as_bytes()), want, "{line}");
        }
    }
}
