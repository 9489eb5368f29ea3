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
    ("Not a reader-writer lock", "generic-err"),
    ("Destroying locked mutex", "mutex-err"),
    ("Invalid mutex type", "mutex-err"),
    ("Probably a race condition", "cond-race-err"),
    ("Destroying condition variable", "cond-destr-err"),
    ("destruction of condition variable", "cond-destr-err"),
    (
        "Inconsistent association of condition variable",
        "cond-wait-err",
    ),
    ("Semaphore", "semaphore-err"),
    ("semaphore", "semaphore-err"),
    ("Destruction of a barrier", "barrier-err"),
    ("Barrier", "barrier-err"),
    ("barrier", "barrier-err"),
    ("Reader-writer lock", "rwlock-err"),
    ("Acquired at:", "holdtime-err"),
    ("unimplemented pthread", "unimp-hg-cl-req"),
    ("The annotation macro", "unimp-drd-cl-req"),
];

/// Returns the kind of a headline.
pub(crate) fn headline_kind(text: &str) -> Option<Kind> {
    let known = HEADLINES.iter().find(|(start, _)| text.starts_with(start));
    known.map(|(_, kind)| Kind::from_static(kind)).or_else(|| {
        text.ends_with("invalid thread ID")
            .then(|| Kind::from_static("invalid-thread-id"))
    })
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
    text.starts_with(b"Allocation context: ") || text.starts_with(b"(thread finished, call stack")
}
