//! Small parsers for the bytes of a log. Each one returns its value and the remaining bytes.

use alloc::borrow::Cow;
use alloc::string::String;

use memchr::arch::all::is_prefix;

/// Converts bytes to text. Invalid UTF-8 becomes U+FFFD.
pub(crate) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    // Nearly everything is UTF-8, and a plain check is faster than a search for invalid bytes.
    core::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// Removes leading spaces and tabs.
pub(crate) fn trim_start(bytes: &[u8]) -> &[u8] {
    let n = bytes
        .iter()
        .position(|b| !matches!(b, b' ' | b'\t'))
        .unwrap_or(bytes.len());
    &bytes[n..]
}

/// Parses a decimal number. Returns `None` if there is no digit or the number doesn't fit into a
/// `u64`.
pub(crate) fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    // This many digits always fit. The unchecked path matters because WebAssembly has no
    // multiplication with an overflow flag.
    const SAFE: usize = 19;
    let mut value = 0u64;
    let mut rest = bytes;
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

/// Parses a decimal number with `,` as the thousands separator, which is valgrind's format.
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

/// Parses a hexadecimal number of 1 to 16 digits without `0x`.
pub(crate) fn hex(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0u64;
    let mut rest = bytes;
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

/// Returns the position of the first `needle`. It is meant for needles whose first byte is rare: it
/// builds no searcher, which matters on short lines.
pub(crate) fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    // Unlike `starts_with`, this calls no function of the C library, which is slow in musl.
    memchr::memchr_iter(first, hay).find(|at| is_prefix(&hay[*at..], needle))
}

/// Returns the position of the first `needle`, whatever its bytes are. A searcher is built only for
/// texts that are longer than most lines: to build one takes as long as to search such a line.
pub(crate) fn position(hay: &[u8], needle: &[u8]) -> Option<usize> {
    const SHORT: usize = 256;
    if hay.len() <= SHORT {
        find(hay, needle)
    } else {
        memchr::memmem::find(hay, needle)
    }
}

/// Returns true if `hay` contains `needle`.
pub(crate) fn contains(hay: &[u8], needle: &[u8]) -> bool {
    position(hay, needle).is_some()
}

/// Returns the bytes after the first `needle` in `hay`.
pub(crate) fn after<'a>(hay: &'a [u8], needle: &[u8]) -> Option<&'a [u8]> {
    position(hay, needle).map(|at| &hay[at + needle.len()..])
}

/// Returns the bytes before the first `needle` in `hay`.
pub(crate) fn before<'a>(hay: &'a [u8], needle: &[u8]) -> Option<&'a [u8]> {
    position(hay, needle).map(|at| &hay[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_parsed() {
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
