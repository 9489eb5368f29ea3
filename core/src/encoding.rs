//! Decodes input by its byte-order mark: UTF-16 becomes UTF-8, a UTF-8 mark is removed, and all
//! other input stays unchanged.
//!
//! Windows shells write UTF-16 when a console's output is redirected. Invalid bytes stay unchanged,
//! because a log is a sequence of bytes. Only text that is displayed is converted.

use alloc::vec::Vec;

/// The encoding of the input.
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

/// Detects the encoding from the first bytes, and passes on UTF-8.
#[derive(Clone, Debug, Default)]
pub(crate) struct Decoder {
    encoding: Encoding,
    /// Bytes that can't be decoded yet: an incomplete mark, or half a UTF-16 unit.
    pending: Vec<u8>,
    high_surrogate: Option<u16>,
    out: Vec<u8>,
}

impl Decoder {
    /// Decodes a chunk, and passes the text to `sink`.
    pub(crate) fn feed(&mut self, chunk: &[u8], sink: &mut dyn FnMut(&[u8])) {
        match self.encoding {
            Encoding::Bytes => sink(chunk),
            Encoding::Utf16 { big_endian } => self.decode_utf16(chunk, big_endian, sink),
            Encoding::Unknown => {
                self.pending.extend_from_slice(chunk);
                if self.pending.len() >= 3 {
                    self.detect(sink);
                }
            }
        }
    }

    /// Passes on the pending bytes at the end of the input. An incomplete UTF-16 unit becomes
    /// U+FFFD.
    pub(crate) fn finish(&mut self, sink: &mut dyn FnMut(&[u8])) {
        if self.encoding == Encoding::Unknown {
            self.detect(sink);
        }
        let is_incomplete = !self.pending.is_empty() || self.high_surrogate.is_some();
        if is_incomplete && matches!(self.encoding, Encoding::Utf16 { .. }) {
            sink("\u{fffd}".as_bytes());
        }
        *self = Self {
            out: core::mem::take(&mut self.out),
            ..Self::default()
        };
    }

    /// Detects the encoding from the pending bytes, and decodes them.
    fn detect(&mut self, sink: &mut dyn FnMut(&[u8])) {
        let first = core::mem::take(&mut self.pending);
        let (encoding, skip) = match first.as_slice() {
            [0xEF, 0xBB, 0xBF, ..] => (Encoding::Bytes, 3),
            [0xFF, 0xFE, ..] => (Encoding::Utf16 { big_endian: false }, 2),
            [0xFE, 0xFF, ..] => (Encoding::Utf16 { big_endian: true }, 2),
            _ => (Encoding::Bytes, 0),
        };
        self.encoding = encoding;
        self.feed(&first[skip..], sink);
    }

    fn decode_utf16(&mut self, chunk: &[u8], big_endian: bool, sink: &mut dyn FnMut(&[u8])) {
        self.out.clear();
        let mut bytes = chunk;
        if let (Some(&half), Some((&first, rest))) = (self.pending.first(), bytes.split_first()) {
            self.pending.clear();
            self.push_unit(half, first, big_endian);
            bytes = rest;
        }
        let pairs = bytes.chunks_exact(2);
        self.pending.extend_from_slice(pairs.remainder());
        for pair in pairs {
            self.push_unit(pair[0], pair[1], big_endian);
        }
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
    fn bytes_without_mark_are_unchanged() {
        for bytes in [
            &b""[..],
            b"a",
            b"\xEF\xBB",
            b"\xFF\xFF\xFFx",
            b"\xF0\x28\x8C\xBC",
        ] {
            assert_eq!(decode(bytes, 1), bytes);
        }
        assert_eq!(decode(b"\xEF\xBB\xBFx", 2), b"x");
    }
}
