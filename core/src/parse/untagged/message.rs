//! Comparison of a text with the template of a message.
//!
//! The words of a checker also occur in prose: in the subject of a commit, in a manual, in the
//! source of a test. A message is complete if the whole text fits its template, up to the end of
//! the line.

/// Returns true if the text is a message of this form, or the beginning of one, because a log may
/// end in the middle of a line.
///
/// In the template, `%d` is a decimal number, `%x` a hexadecimal number with or without `0x`, and
/// `%s` is any text up to the next words of the template, or the word at the end of a cut line.
pub(super) fn fits(text: &[u8], template: &str) -> bool {
    let mut text = text.trim_ascii_end();
    let mut parts = template.split('%');
    let first = parts.next().unwrap_or_default().as_bytes();
    let Some(rest) = strip(text, first) else {
        return false;
    };
    text = rest;
    for part in parts {
        let (kind, words) = part.split_at(part.len().min(1));
        let words = words.as_bytes();
        let length = match kind {
            "d" => count(text, |b| b.is_ascii_digit() || b == b'-'),
            "x" => {
                let digits = text.strip_prefix(b"0x").unwrap_or(text);
                text.len() - digits.len() + count(digits, |b| b.is_ascii_hexdigit())
            }
            _ if words.is_empty() => text.len(),
            _ => match memchr::memmem::find(text, words) {
                Some(length) => length,
                None if text.contains(&b' ') => return false,
                None => text.len(),
            },
        };
        if text.is_empty() {
            return true;
        }
        let Some(rest) = strip(&text[length..], words).filter(|_| length > 0) else {
            return false;
        };
        text = rest;
    }
    text.is_empty()
}

/// Strips the words off the beginning. Returns an empty text if it ends within the words.
fn strip<'a>(text: &'a [u8], words: &[u8]) -> Option<&'a [u8]> {
    text.strip_prefix(words)
        .or_else(|| words.starts_with(text).then_some(&[]))
}

/// Returns the number of bytes at the beginning with this property.
fn count(text: &[u8], is: impl Fn(u8) -> bool) -> usize {
    text.iter().take_while(|b| is(**b)).count()
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn text_fits_its_template_up_to_the_end() {
        const OVERFLOW: &str = "overflow: %d + %d at %x in type '%s'";
        for (text, want) in [
            ("overflow: 1 + -2 at 0x7f in type 'long int'", true),
            ("overflow: 1 + 2 at 7f in type 'int' \r", true),
            ("overflow: 1 + 2 at 0x7f in ty", true),
            ("overflow: 1 +", true),
            ("overflow: ", true),
            ("overflow: 1 + 2 at 0x7f in type 'int' is caught", false),
            ("overflow: one + two", false),
            ("overflow", true),
            ("overflows: 1", false),
            ("an overflow: 1", false),
        ] {
            assert_eq!(fits(text.as_bytes(), OVERFLOW), want, "{text}");
        }
        assert!(fits(b"a 1", "a %d") && !fits(b"a 1 b", "a %d") && fits(b"a b c", "a %s"));
        assert!(fits(b"free", "free") && !fits(b"free it", "free"));
    }
}
