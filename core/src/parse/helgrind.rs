//! helgrind's words.
//!
//! Source: `helgrind/hg_errors.c` (`HG_(pp_Error)`). An error's text holds blank lines, so only the
//! rule of dashes, an announcement of a thread or a summary ends it.

use super::draft::Draft;
use crate::model::{Kind, Role};

/// The kind of error that a headline announces.
pub(crate) fn title(text: &str) -> Option<Kind> {
    if text.starts_with("Possible data race during") {
        return Some(Kind::of("race"));
    }
    let said = text
        .strip_prefix("Thread #")?
        .trim_start_matches(|c: char| c.is_ascii_digit());
    let kind = if said.starts_with(": lock order") {
        "lock-order"
    } else if said.starts_with(" unlocked a not-locked lock") {
        "unlock-unlocked"
    } else if said.starts_with(" unlocked an invalid lock") {
        "unlock-bogus"
    } else if said.starts_with(" unlocked lock at") {
        "unlock-foreign"
    } else if said.starts_with("'s call to ") {
        "pth-api-error"
    } else if said.starts_with(": ") {
        "misc"
    } else {
        return None;
    };
    Some(Kind::of(kind))
}

/// The stack that a line within an error introduces.
pub(crate) fn part(text: &[u8]) -> Option<Role> {
    let text = text.trim_ascii();
    let starts = |words: &[&str]| words.iter().any(|w| text.starts_with(w.as_bytes()));
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

/// Lines of a thread's announcement: `Thread #3 was created`.
pub(crate) fn announced_thread(text: &str) -> Option<u64> {
    let number = text.strip_prefix("Thread #")?;
    let number = number
        .strip_suffix(" was created")
        .or_else(|| number.strip_suffix(" is the program's root thread"))?;
    number.parse().ok()
}

/// A violated lock order happened where the later lock was taken. The text tells of the earlier one
/// first, the XML does not; so that both give one fingerprint, the later one leads.
pub(crate) fn put_in_order(draft: &mut Draft) {
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
    fn headlines() {
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
            assert_eq!(title(text).as_ref().map(Kind::as_str), want, "{text}");
        }
        assert_eq!(
            announced_thread("Thread #1 is the program's root thread"),
            Some(1)
        );
        assert_eq!(announced_thread("Thread #12 was created"), Some(12));
    }
}
