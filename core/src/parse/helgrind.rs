//! helgrind's messages.
//!
//! Source: `helgrind/hg_errors.c` (`HG_(pp_Error)`). The text of an error contains blank lines, so
//! only a line of dashes, a thread announcement or a summary ends it.

use super::finding_builder::FindingBuilder;
use crate::model::{Kind, Role};

/// Returns the kind of a headline.
pub(crate) fn headline_kind(text: &str) -> Option<Kind> {
    if text.starts_with("Possible data race during") {
        return Some(Kind::from_static("race"));
    }
    let rest = text
        .strip_prefix("Thread #")?
        .trim_start_matches(|c: char| c.is_ascii_digit());
    let kind = if rest.starts_with(": lock order") {
        "lock-order"
    } else if rest.starts_with(" unlocked a not-locked lock") {
        "unlock-unlocked"
    } else if rest.starts_with(" unlocked an invalid lock") {
        "unlock-bogus"
    } else if rest.starts_with(" unlocked lock at") {
        "unlock-foreign"
    } else if rest.starts_with("'s call to ") {
        "pth-api-error"
    } else if rest.starts_with(": ") {
        "misc"
    } else {
        return None;
    };
    Some(Kind::from_static(kind))
}

/// Returns the role of the stack that a line within an error introduces.
pub(crate) fn stack_role(text: &[u8]) -> Option<Role> {
    let text = text.trim_ascii();
    let starts = |prefixes: &[&str]| prefixes.iter().any(|p| text.starts_with(p.as_bytes()));
    if starts(&["This conflicts with a previous"]) {
        Some(Role::Conflict)
    } else if starts(&[
        "Observed (incorrect) order is:",
        "followed by a later acquisition",
        "Required order was",
        "Lock at 0x",
    ]) || starts(&["Lock was previously acquired", "Lock was previously locked"])
        || text.ends_with(b"was first observed")
    {
        Some(Role::Lock)
    } else {
        None
    }
}

/// Parses the thread number of an announcement: `Thread #3 was created`.
pub(crate) fn announced_thread(text: &str) -> Option<u64> {
    let number = text.strip_prefix("Thread #")?;
    let number = number
        .strip_suffix(" was created")
        .or_else(|| number.strip_suffix(" is the program's root thread"))?;
    number.parse().ok()
}

/// Moves the stack of the later lock to the front, because a violation of the lock order happens
/// where the later lock is taken. The text output starts with the earlier lock, the XML doesn't,
/// and both must give the same fingerprint.
pub(crate) fn put_later_lock_first(draft: &mut FindingBuilder) {
    if draft.kind.as_str() != "lock-order" {
        return;
    }
    if let [first, second, ..] = draft.stacks.as_mut_slice() {
        core::mem::swap(first, second);
        first.role = Role::Access;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headlines_have_kinds() {
        for (text, want) in [
            (
                "Possible data race during read of size 4 at 0x10C080 by thread #3",
                Some("race"),
            ),
            (
                "Thread #5: lock order \"0x1 before 0x2\" violated",
                Some("lock-order"),
            ),
            (
                "Thread #1 unlocked a not-locked lock at 0x10C0A0 ",
                Some("unlock-unlocked"),
            ),
            (
                "Thread #1's call to pthread_mutex_destroy failed",
                Some("pth-api-error"),
            ),
            ("Thread #1: Exiting thread still holds 1 lock", Some("misc")),
            ("Thread #3 was created", None),
        ] {
            assert_eq!(
                headline_kind(text).as_ref().map(Kind::as_str),
                want,
                "{text}"
            );
        }
        assert_eq!(
            announced_thread("Thread #1 is the program's root thread"),
            Some(1)
        );
        assert_eq!(announced_thread("Thread #12 was created"), Some(12));
    }
}
