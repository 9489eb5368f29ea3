//! Comparison of a text with the wording of a message.
//!
//! The words of a checker also occur in prose: in the subject of a commit, in a manual, in the
//! source of a test. Prose goes on with other words than the message. A damaged message has at most
//! few other words, and must not be lost.

/// Maximum number of words that a message doesn't contain: a damaged one, and both parts of one in
/// which a space replaced a letter.
const MAX_FOREIGN: usize = 2;

/// Returns true if the text is a message of this form, possibly damaged, or the beginning of one.
/// Numbers, names and addresses fit any message. `...` at the end of the form matches any text.
pub(super) fn resembles(text: &[u8], form: &str) -> bool {
    if form.ends_with("...") {
        return true;
    }
    let is_foreign = |word: &&[u8]| {
        let word = word.trim_ascii();
        !word.is_empty()
            && word.iter().all(u8::is_ascii_alphabetic)
            && !form.split(' ').any(|known| known.as_bytes() == word)
    };
    let foreign = text.split(|b| *b == b' ').filter(is_foreign).count();
    foreign <= MAX_FOREIGN
}

#[cfg(test)]
mod tests {
    use super::resembles;

    #[test]
    fn damaged_message_resembles_its_form_but_prose_does_not() {
        const FORM: &str = "invalid sized delete when deallocating address vs";
        for (text, want) in [
            (
                "invalid sized delete when deallocating address 0x2000 (9 vs 8)",
                true,
            ),
            (
                "invalid sized delete when dealloc ting address 0x20?0 (9 vs 8)",
                true,
            ),
            ("invalid sized delete wh", true),
            ("invalid sized delete is now caught", false),
            ("invalid sized delete of the pool", false),
        ] {
            assert_eq!(resembles(text.as_bytes(), FORM), want, "{text}");
        }
        assert!(resembles(
            b"internal map of all the things",
            "internal map ..."
        ));
    }
}
