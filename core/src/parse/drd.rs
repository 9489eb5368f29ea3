//! drd's messages.
//!
//! Source: `drd/drd_error.c` (`drd_tool_error_pp`).

use crate::bytes::{after, contains};
use crate::model::{Kind, Role};

/// Starts of headlines, and the kinds of the errors.
pub(super) const HEADLINES: &[(&str, &str)] = &[
    ("Conflicting load by thread", "conflicting-access"),
    ("Conflicting store by thread", "conflicting-access"),
    ("Mutex ", "mutex-err"),
    ("The object at address", "mutex-err"),
    ("Recursive locking not allowed", "mutex-err"),
    ("Not a mutex", "mutex-err"),
    ("Destroying locked mutex", "mutex-err"),
    ("Invalid mutex type", "mutex-err"),
    ("The impossible happened: mutex is locked", "mutex-err"),
    ("Probably a race condition", "cond-race-err"),
    ("Destroying condition variable", "cond-destr-err"),
    ("destruction of condition variable", "cond-err"),
    ("condition variable has not been initialized", "cond-err"),
    ("condition variable has been destroyed", "cond-err"),
    ("not a condition variable", "cond-err"),
    ("initialized twice", "cond-err"),
    (
        "Inconsistent association of condition variable",
        "cond-wait-err",
    ),
    ("Semaphore", "semaphore-err"),
    ("semaphore", "semaphore-err"),
    ("Invalid semaphore", "semaphore-err"),
    ("Destruction of semaphore", "semaphore-err"),
    ("Barrier", "barrier-err"),
    ("barrier", "barrier-err"),
    ("Destruction of a barrier", "barrier-err"),
    ("Destruction of barrier", "barrier-err"),
    ("Reinitialization of barrier", "barrier-err"),
    ("Number of concurrent pthread_barrier_wait()", "barrier-err"),
    ("Error in barrier implementation", "barrier-err"),
    ("pthread_barrier_init: 'count' argument", "barrier-err"),
    ("Reader-writer lock", "rwlock-err"),
    ("Already locked for writing by calling thread", "rwlock-err"),
    ("Recursive writer locking not allowed", "rwlock-err"),
    ("Destroying locked rwlock", "rwlock-err"),
    ("Attempt to use a user-defined rwlock", "rwlock-err"),
    ("Attempt to use a POSIX rwlock", "rwlock-err"),
    ("Acquired at:", "holdtime-err"),
    ("Not a reader-writer lock", "generic-err"),
    ("Not a semaphore", "generic-err"),
    ("Not a barrier", "generic-err"),
    ("wrong type of synchronization object", "generic-err"),
    ("missing happens-before annotation", "generic-err"),
    ("Invalid VG_USERREQ__", "generic-err"),
    ("unimplemented pthread", "unimp-hg-cl-req"),
];

/// The objects that a headline names at its end, and the kinds of the errors. They are more exact
/// than the words before them.
const OBJECTS: &[(&str, &str)] = &[
    (": mutex 0x", "mutex-err"),
    (": condition variable 0x", "cond-wait-err"),
    (": semaphore 0x", "semaphore-err"),
    (": barrier 0x", "barrier-err"),
    (": rwlock 0x", "rwlock-err"),
];

/// Returns the kind of a headline.
pub(crate) fn headline_kind(text: &str) -> Option<Kind> {
    // `Probably a race condition: condition variable 0x… has been signaled`.
    let is_race = text.starts_with("Probably a race condition");
    let object = || OBJECTS.iter().find(|(object, _)| text.contains(object));
    let kind = if let Some((_, kind)) = object().filter(|_| !is_race) {
        kind
    } else if let Some(at) = text.find(": cond 0x") {
        if text[at..].contains(", mutex 0x") {
            "cond-destr-err"
        } else {
            "cond-err"
        }
    } else if text.starts_with("The annotation macro ") {
        if text.contains("<valgrind/helgrind.h>") {
            "unimp-hg-cl-req"
        } else {
            "unimp-drd-cl-req"
        }
    } else if let Some((_, kind)) = HEADLINES.iter().find(|(start, _)| text.starts_with(start)) {
        kind
    } else if text.contains("invalid thread ID") {
        "invalid-thread-id"
    } else if is_hold_time(text) {
        "holdtime-err"
    } else {
        return None;
    };
    Some(Kind::from_static(kind))
}

/// Returns true for the line that names a lock which was held too long. It follows the stack
/// of its acquisition.
pub(crate) fn is_hold_time(text: &str) -> bool {
    text.starts_with("Lock on ") && text.contains(" was held during ")
}

/// Returns the role of the stack that a line within an error introduces.
pub(crate) fn stack_role(text: &[u8]) -> Option<Role> {
    let text = text.trim_ascii();
    if text.starts_with(b"Other segment start")
        || text.starts_with(b"Other segment end")
        || text.starts_with(b"Conflicting wait call")
    {
        Some(Role::Conflict)
    } else if after(text, b"llocation context:").is_some_and(<[u8]>::is_empty) {
        Some(Role::Allocation)
    } else if contains(text, b"was first observed at:") || text.starts_with(b"Acquired at:") {
        Some(Role::Lock)
    } else {
        None
    }
}

/// Returns true for lines within an error that don't introduce a stack.
pub(crate) fn is_note(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    const STARTS: &[&[u8]] = &[
        b"Allocation context: ",
        b"(thread finished, call stack",
        // With `--read-var-info=yes`.
        b"Location 0x",
        b"declared at ",
        b"a global variable declared at ",
        b"in frame #",
    ];
    STARTS.iter().any(|start| text.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headlines_have_kinds() {
        for (text, want) in [
            (
                "Conflicting store by thread 2 at 0x0010c02c size 4",
                "conflicting-access",
            ),
            (
                "Mutex not locked: mutex 0x1ffe0, recursion count 0, owner 0.",
                "mutex-err",
            ),
            ("The object at address 0x1ffe0 is not a mutex.", "mutex-err"),
            (
                "Mutex locked recursively: mutex 0x1ffe0, recursion count 1, owner 1.",
                "mutex-err",
            ),
            (
                "destruction of condition variable being waited upon: cond 0x1ffe0",
                "cond-err",
            ),
            (
                "Destroying condition variable that is being waited upon: cond 0x1ffe0, mutex \
                 0x1fff0 locked by thread 1",
                "cond-destr-err",
            ),
            ("not a condition variable: cond 0x1ffe0", "cond-err"),
            (
                "Probably a race condition: condition variable 0x1 has been signaled but the \
                 associated mutex 0x2 is not locked by the signalling thread.",
                "cond-race-err",
            ),
            (
                "Inconsistent association of condition variable and mutex: condition variable \
                 0x1, mutexes 0x2 and 0x3",
                "cond-wait-err",
            ),
            (
                "Destruction of semaphore that is being waited upon: semaphore 0x1",
                "semaphore-err",
            ),
            (
                "Destruction of barrier not synchronized with barrier wait call: barrier 0x1",
                "barrier-err",
            ),
            (
                "pthread_barrier_init: 'count' argument is zero: barrier 0x1",
                "barrier-err",
            ),
            (
                "Attempt to use a POSIX rwlock as a user-defined rwlock: rwlock 0x1.",
                "rwlock-err",
            ),
            (
                "Lock on rwlock 0x1 was held during 12 ms (threshold: 10 ms).",
                "holdtime-err",
            ),
            ("Not a reader-writer lock", "generic-err"),
            (
                "pthread_cancel(): invalid thread ID 0x0",
                "invalid-thread-id",
            ),
            (
                "The annotation macro ANNOTATE_X has not yet been implemented in \
                 <valgrind/helgrind.h>",
                "unimp-hg-cl-req",
            ),
            (
                "The annotation macro ANNOTATE_X has not yet been implemented in <valgrind/drd.h>",
                "unimp-drd-cl-req",
            ),
        ] {
            let kind = headline_kind(text);
            assert_eq!(kind.as_ref().map(Kind::as_str), Some(want), "{text}");
        }
        assert_eq!(headline_kind("Thread 2:"), None);
    }
}
