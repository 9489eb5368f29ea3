//! Skips parts of a line. Each function returns the rest of the line.

/// Strips a text that has the pattern's form. `0` matches any digit, and all other bytes match
/// themselves.
pub(super) fn strip_digits_like<'a>(line: &'a [u8], pattern: &[u8]) -> Option<&'a [u8]> {
    if line.len() < pattern.len() {
        return None;
    }
    let matches = pattern.iter().zip(line).all(|(p, b)| {
        if *p == b'0' {
            b.is_ascii_digit()
        } else {
            p == b
        }
    });
    matches.then(|| &line[pattern.len()..])
}

/// Skips leading bytes for which `skip` returns true.
pub(super) fn skip_while(line: &[u8], skip: impl Fn(u8) -> bool) -> &[u8] {
    let n = line.iter().position(|b| !skip(*b)).unwrap_or(line.len());
    &line[n..]
}

/// Skips one or more digits.
pub(super) fn skip_digits(line: &[u8]) -> Option<&[u8]> {
    let rest = skip_while(line, |b| b.is_ascii_digit());
    (rest.len() < line.len()).then_some(rest)
}

/// Skips a fraction of a second, if any: `.1234567` or `,123`.
pub(super) fn skip_fraction(line: &[u8]) -> &[u8] {
    match line.split_first() {
        Some((b'.' | b',', rest)) => skip_digits(rest).unwrap_or(line),
        _ => line,
    }
}

/// Skips one space or tab. Also accepts the end of the line, because editors strip trailing spaces.
pub(super) fn skip_blank(line: &[u8]) -> Option<&[u8]> {
    match line.split_first() {
        None => Some(line),
        Some((b' ' | b'\t', rest)) => Some(rest),
        _ => None,
    }
}
