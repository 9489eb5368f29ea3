//! Small readers for bytes of a log. Each returns what it read and what follows it.

use alloc::borrow::Cow;
use alloc::string::String;

/// Bytes as text: what is not UTF-8 becomes U+FFFD.
pub(crate) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    // Nearly everything is UTF-8, and checking is faster than looking for what is not.
    core::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// Without blanks and tabs in front.
pub(crate) fn trim_start(bytes: &[u8]) -> &[u8] {
    let n = bytes
        .iter()
        .position(|b| !matches!(b, b' ' | b'\t'))
        .unwrap_or(bytes.len());
    &bytes[n..]
}

/// A decimal number. More digits than a `u64` holds are no number.
pub(crate) fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    // So many digits always fit, and WebAssembly has no multiplication that tells of an overflow.
    const SAFE: usize = 19;
    let (mut value, mut rest) = (0u64, bytes);
    while let [digit @ b'0'..=b'9', tail @ ..] = rest {
        let digit = u64::from(digit - b'0');
        value = if bytes.len() - rest.len() < SAFE {
            value * 10 + digit
        } else {
            value.checked_mul(10)?.checked_add(digit)?
        };
        rest = tail;
    }
    (rest.len() < bytes.len()).then_some((value, rest))
}

/// A decimal number with `,` between its thousands, as valgrind prints them.
pub(crate) fn grouped(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (mut value, mut rest) = number(bytes)?;
    while let [b',', a, b, c, tail @ ..] = rest
        && [a, b, c].iter().all(|d| d.is_ascii_digit())
        && !tail.first().is_some_and(u8::is_ascii_digit)
    {
        let group = [a, b, c]
            .iter()
            .fold(0, |sum, d| sum * 10 + u64::from(**d - b'0'));
        value = value.checked_mul(1000)?.checked_add(group)?;
        rest = tail;
    }
    Some((value, rest))
}

/// A hexadecimal number without its `0x`.
pub(crate) fn hex(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (mut value, mut rest) = (0u64, bytes);
    while let [first, tail @ ..] = rest {
        let digit = match first {
            b'0'..=b'9' => first - b'0',
            b'a'..=b'f' => first - b'a' + 10,
            b'A'..=b'F' => first - b'A' + 10,
            _ => break,
        };
        value = (value << 4) | u64::from(digit);
        rest = tail;
    }
    let digits = bytes.len() - rest.len();
    (1..=16).contains(&digits).then_some((value, rest))
}

/// Where `needle` first stands, for a needle whose first byte is rare: no searcher is built, which
/// counts on short lines.
pub(crate) fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    memchr::memchr_iter(first, hay).find(|at| hay[*at..].starts_with(needle))
}

/// True when `needle` stands somewhere in `hay`.
pub(crate) fn contains(hay: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(hay, needle).is_some()
}

/// What follows `needle` where it first stands in `hay`.
pub(crate) fn after<'a>(hay: &'a [u8], needle: &[u8]) -> Option<&'a [u8]> {
    memchr::memmem::find(hay, needle).map(|at| &hay[at + needle.len()..])
}

/// What stands before `needle` where it first stands in `hay`.
pub(crate) fn before<'a>(hay: &'a [u8], needle: &[u8]) -> Option<&'a [u8]> {
    memchr::memmem::find(hay, needle).map(|at| &hay[..at])
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
