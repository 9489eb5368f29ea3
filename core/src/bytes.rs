//! Small readers for bytes of a log. Each returns what it read and what follows it.

/// Without blanks and tabs in front.
pub(crate) fn trim_start(bytes: &[u8]) -> &[u8] {
    let n = bytes.iter().position(|b| !matches!(b, b' ' | b'\t')).unwrap_or(bytes.len());
    &bytes[n..]
}

/// A decimal number. More digits than a `u64` holds are no number.
pub(crate) fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let n = bytes.iter().position(|b| !b.is_ascii_digit()).unwrap_or(bytes.len());
    let mut value = 0u64;
    for digit in &bytes[..n] {
        value = value.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
    }
    (n > 0).then_some((value, &bytes[n..]))
}

/// A decimal number with `,` between its thousands, as valgrind prints them.
pub(crate) fn grouped(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (mut value, mut rest) = number(bytes)?;
    while let [b',', a, b, c, tail @ ..] = rest
        && [a, b, c].iter().all(|d| d.is_ascii_digit())
        && !tail.first().is_some_and(u8::is_ascii_digit)
    {
        let group = [a, b, c].iter().fold(0, |sum, d| sum * 10 + u64::from(**d - b'0'));
        value = value.checked_mul(1000)?.checked_add(group)?;
        rest = tail;
    }
    Some((value, rest))
}

/// A hexadecimal number without its `0x`.
pub(crate) fn hex(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let n = bytes.iter().position(|b| !b.is_ascii_hexdigit()).unwrap_or(bytes.len());
    if n == 0 || n > 16 {
        return None;
    }
    let value = bytes[..n].iter().fold(0u64, |sum, d| {
        let digit = match d {
            b'0'..=b'9' => d - b'0',
            b'a'..=b'f' => d - b'a' + 10,
            _ => d - b'A' + 10,
        };
        (sum << 4) | u64::from(digit)
    });
    Some((value, &bytes[n..]))
}

/// True when `needle` stands somewhere in `hay`.
pub(crate) fn contains(hay: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(hay, needle).is_some()
}

/// What follows `needle` where it first stands in `hay`.
pub(crate) fn after<'a>(hay: &'a [u8], needle: &[u8]) -> Option<&'a [u8]> {
    memchr::memmem::find(hay, needle).map(|at| &hay[at + needle.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(number(b"12x"), Some((12, &b"x"[..])));
        assert_eq!(number(b"99999999999999999999"), None);
        assert_eq!(number(b"x"), None);
        assert_eq!(grouped(b"4,510,308 b"), Some((4_510_308, &b" b"[..])));
        assert_eq!(grouped(b"12,34"), Some((12, &b",34"[..])));
        assert_eq!(grouped(b"1,2345"), Some((1, &b",2345"[..])));
        assert_eq!(hex(b"2A:"), Some((42, &b":"[..])));
        assert_eq!(hex(b"12345678123456789"), None);
    }
}
