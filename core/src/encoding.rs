//! Decodes UTF-16 to UTF-8, also in a part of the input. All other bytes stay unchanged.
//!
//! Windows shells write UTF-16 when a console's output is redirected, and PowerShell's `>>` appends
//! it to files of any encoding. UTF-16 is recognized by a byte-order mark, or by the zero that is
//! half of each ASCII character. Invalid bytes stay unchanged, because a log is a sequence of
//! bytes. Only text that is displayed is converted.

use alloc::vec::Vec;

use memchr::memchr3;

/// Number of zeros, one after every other byte, by which UTF-16 is recognized.
const MIN_ZEROS: usize = 4;

/// Number of units in which both bytes are ASCII, after which the text is no longer UTF-16. Rare
/// Chinese text has as many.
const MIN_ASCII_UNITS: usize = 12;

/// The encoding of the current text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Encoding {
    /// Not known yet: fewer than three bytes have arrived.
    #[default]
    Unknown,
    /// UTF-8 or anything else, which needs no decoding.
    Bytes,
    Utf16 {
        big_endian: bool,
    },
}

/// Whether UTF-16 begins at a byte.
enum Start {
    No,
    /// More bytes are needed.
    Unknown,
    /// UTF-16 begins after `skip` bytes.
    Utf16 {
        big_endian: bool,
        skip: usize,
    },
}

impl Start {
    /// Examines bytes that begin with a zero or with half a mark. `last` is the byte before them.
    ///
    /// In little-endian order, a zero is the second byte of a character. Its first byte was passed
    /// on as ASCII, which is the same.
    fn of(bytes: &[u8], last: u8) -> Self {
        let (first_zero, big_endian, skip) = match bytes {
            [0, ..] if last == b'\n' => (0, true, 0),
            [0, ..] => (0, false, 1),
            [0xFF, 0xFE, ..] => (3, false, 2),
            [0xFE, 0xFF, ..] => (2, true, 2),
            [_] => return Self::Unknown,
            _ => return Self::No,
        };
        for zero in 0..MIN_ZEROS {
            match bytes.get(first_zero + 2 * zero) {
                Some(0) => {}
                Some(_) => return Self::No,
                None => return Self::Unknown,
            }
        }
        Self::Utf16 { big_endian, skip }
    }
}

/// Detects the encoding, and passes on UTF-8.
#[derive(Clone, Debug, Default)]
pub(crate) struct Decoder {
    encoding: Encoding,
    /// Bytes that can't be decoded yet: an incomplete mark, a zero that may begin UTF-16, or UTF-16
    /// units that may be ASCII.
    pending: Vec<u8>,
    high_surrogate: Option<u16>,
    /// The last byte before the pending ones.
    last: u8,
    out: Vec<u8>,
}

impl Decoder {
    /// Decodes a chunk, and passes the text to `sink`.
    pub(crate) fn feed(&mut self, chunk: &[u8], sink: &mut dyn FnMut(&[u8])) {
        if self.encoding == Encoding::Bytes && self.pending.is_empty() {
            return self.bytes(chunk, sink);
        }
        let mut bytes = core::mem::take(&mut self.pending);
        bytes.extend_from_slice(chunk);
        match self.encoding {
            Encoding::Unknown if bytes.len() < 3 => self.pending = bytes,
            Encoding::Unknown => self.detect(&bytes, sink),
            Encoding::Bytes => self.bytes(&bytes, sink),
            Encoding::Utf16 { big_endian } => self.utf16(&bytes, big_endian, false, sink),
        }
    }

    /// Returns true if a chunk without bytes that can begin UTF-16 needs no decoding. The caller
    /// then passes it on.
    pub(crate) fn passes_bytes(&mut self, chunk: &[u8]) -> bool {
        let passes = self.encoding == Encoding::Bytes && self.pending.is_empty();
        if passes {
            self.last = chunk.last().copied().unwrap_or(self.last);
        }
        passes
    }

    /// Passes on the pending bytes at the end of the input. An incomplete UTF-16 unit becomes
    /// U+FFFD.
    pub(crate) fn finish(&mut self, sink: &mut dyn FnMut(&[u8])) {
        let bytes = core::mem::take(&mut self.pending);
        if self.encoding == Encoding::Unknown {
            self.detect(&bytes, sink);
        } else if let Encoding::Utf16 { big_endian } = self.encoding {
            self.utf16(&bytes, big_endian, true, sink);
        } else {
            sink(&bytes);
        }
        let rest = core::mem::take(&mut self.pending);
        match self.encoding {
            Encoding::Utf16 { .. } if !rest.is_empty() || self.high_surrogate.is_some() => {
                sink("\u{fffd}".as_bytes());
            }
            _ => sink(&rest),
        }
        *self = Self {
            out: core::mem::take(&mut self.out),
            ..Self::default()
        };
    }

    /// Detects the encoding from the first bytes, and decodes them.
    fn detect(&mut self, first: &[u8], sink: &mut dyn FnMut(&[u8])) {
        let (encoding, skip) = match first {
            [0xEF, 0xBB, 0xBF, ..] => (Encoding::Bytes, 3),
            [0xFF, 0xFE, ..] => (Encoding::Utf16 { big_endian: false }, 2),
            [0xFE, 0xFF, ..] => (Encoding::Utf16 { big_endian: true }, 2),
            _ => (Encoding::Bytes, 0),
        };
        self.encoding = encoding;
        self.last = b'\n';
        self.feed(&first[skip..], sink);
    }

    /// Passes on bytes up to the first ones that begin UTF-16.
    fn bytes(&mut self, bytes: &[u8], sink: &mut dyn FnMut(&[u8])) {
        let mut from = 0;
        while let Some(at) = memchr3(0, 0xFE, 0xFF, &bytes[from..]).map(|at| from + at) {
            let last = bytes[..at].last().copied().unwrap_or(self.last);
            match Start::of(&bytes[at..], last) {
                Start::No => from = at + 1,
                Start::Unknown => {
                    self.pending.extend_from_slice(&bytes[at..]);
                    self.last = last;
                    return sink(&bytes[..at]);
                }
                Start::Utf16 { big_endian, skip } => {
                    sink(&bytes[..at]);
                    self.encoding = Encoding::Utf16 { big_endian };
                    return self.utf16(&bytes[at + skip..], big_endian, false, sink);
                }
            }
        }
        self.last = bytes.last().copied().unwrap_or(self.last);
        sink(bytes);
    }

    /// Decodes UTF-16, as long as the text isn't ASCII again. `is_end` is true for the last bytes.
    fn utf16(&mut self, bytes: &[u8], big_endian: bool, is_end: bool, sink: &mut dyn FnMut(&[u8])) {
        let is_text = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~');
        self.out.clear();
        let units = bytes.len() / 2;
        let mut at = 0;
        while at < units {
            let rest = &bytes[2 * at..];
            let ascii = rest
                .chunks_exact(2)
                .take(MIN_ASCII_UNITS)
                .take_while(|unit| unit.iter().all(is_text))
                .count();
            if ascii == MIN_ASCII_UNITS {
                self.encoding = Encoding::Bytes;
                sink(&self.out);
                return self.bytes(rest, sink);
            }
            if ascii > 0 && ascii == rest.len() / 2 && !is_end {
                break;
            }
            for unit in rest.chunks_exact(2).take(ascii.max(1)) {
                self.push_unit(unit[0], unit[1], big_endian);
            }
            at += ascii.max(1);
        }
        self.pending.extend_from_slice(&bytes[2 * at..]);
        sink(&self.out);
    }

    /// Decodes a UTF-16 unit, or keeps it if it is a high surrogate.
    fn push_unit(&mut self, first: u8, second: u8, big_endian: bool) {
        let pair = [first, second];
        let unit = if big_endian {
            u16::from_be_bytes(pair)
        } else {
            u16::from_le_bytes(pair)
        };
        let high = self.high_surrogate.take();
        if high.is_none() && (0xD800..0xDC00).contains(&unit) {
            self.high_surrogate = Some(unit);
            return;
        }
        let units = high.into_iter().chain([unit]);
        for c in char::decode_utf16(units) {
            let c = c.unwrap_or(char::REPLACEMENT_CHARACTER);
            self.out
                .extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8], chunk_size: usize) -> Vec<u8> {
        let mut decoder = Decoder::default();
        let mut out = Vec::new();
        for chunk in bytes.chunks(chunk_size) {
            decoder.feed(chunk, &mut |text| out.extend_from_slice(text));
        }
        decoder.finish(&mut |text| out.extend_from_slice(text));
        out
    }

    #[test]
    fn utf16_is_decoded_in_any_chunks() {
        let text = "==1==ERROR: caf\u{e9} \u{1f600}\n";
        let mut le = alloc::vec![0xFF, 0xFE];
        let mut be = alloc::vec![0xFE, 0xFF];
        for unit in text.encode_utf16() {
            le.extend_from_slice(&unit.to_le_bytes());
            be.extend_from_slice(&unit.to_be_bytes());
        }
        for chunk_size in 1..8 {
            assert_eq!(decode(&le, chunk_size), text.as_bytes());
            assert_eq!(decode(&be, chunk_size), text.as_bytes());
        }
    }

    #[test]
    fn utf16_within_other_text_is_decoded() {
        let utf16 = |text: &str, big_endian: bool| -> Vec<u8> {
            let units = text.encode_utf16();
            units
                .flat_map(|unit| {
                    if big_endian {
                        unit.to_be_bytes()
                    } else {
                        unit.to_le_bytes()
                    }
                })
                .collect()
        };
        let inner = "==1==ERROR: caf\u{e9}\r\n";
        for (mark, big_endian) in [
            (&[][..], false),
            (&[], true),
            (&[0xFF, 0xFE], false),
            (&[0xFE, 0xFF], true),
        ] {
            let inner_bytes = utf16(inner, big_endian);
            let after = "plain text, long enough to be recognized\n";
            let log = [b"before\n", mark, &inner_bytes, after.as_bytes()].concat();
            let want = alloc::format!("before\n{inner}{after}");
            for chunk_size in 1..40 {
                let got = decode(&log, chunk_size);
                assert_eq!(
                    alloc::string::String::from_utf8_lossy(&got),
                    want,
                    "{big_endian} {mark:?} {chunk_size}"
                );
            }
            if mark.is_empty() {
                assert_eq!(decode(&inner_bytes, 5), inner.as_bytes(), "{big_endian}");
            }
        }
    }

    #[test]
    fn bytes_without_mark_are_unchanged() {
        for bytes in [
            &b""[..],
            b"a",
            b"\xEF\xBB",
            b"\xFF\xFF\xFFx",
            b"\xF0\x28\x8C\xBC",
            b"a\0b\0\0c",
            b"\0",
        ] {
            assert_eq!(decode(bytes, 1), bytes);
        }
        assert_eq!(decode(b"\xEF\xBB\xBFx", 2), b"x");
    }
}
