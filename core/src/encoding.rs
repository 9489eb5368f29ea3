//! Byte-order marks: UTF-16 becomes UTF-8, a UTF-8 mark is taken off, everything else passes as it
//! is.
//!
//! Windows shells write UTF-16 when a console's output is redirected. Bytes that are valid in no
//! encoding pass untouched: a log is bytes, and only what is shown is made text.

use alloc::vec::Vec;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    /// The first bytes have not all come yet.
    #[default]
    Unknown,
    Bytes,
    Utf16 {
        big_endian: bool,
    },
}

/// Finds out the encoding from the first bytes and hands on UTF-8.
#[derive(Clone, Debug, Default)]
pub(crate) struct Decoder {
    kind: Kind,
    /// Bytes that can't be decided yet: an incomplete mark, half a UTF-16 unit.
    pending: Vec<u8>,
    high_surrogate: Option<u16>,
    out: Vec<u8>,
}

impl Decoder {
    /// Decodes a chunk; `sink` gets each stretch of text.
    pub(crate) fn feed(&mut self, chunk: &[u8], sink: &mut dyn FnMut(&[u8])) {
        match self.kind {
            Kind::Bytes => sink(chunk),
            Kind::Utf16 { big_endian } => self.utf16(chunk, big_endian, sink),
            Kind::Unknown => {
                self.pending.extend_from_slice(chunk);
                if self.pending.len() >= 3 {
                    self.decide(sink);
                }
            }
        }
    }

    /// Hands on what was held back. An incomplete UTF-16 unit becomes U+FFFD.
    pub(crate) fn finish(&mut self, sink: &mut dyn FnMut(&[u8])) {
        if self.kind == Kind::Unknown {
            self.decide(sink);
        }
        let rest = !self.pending.is_empty() || self.high_surrogate.is_some();
        if rest && matches!(self.kind, Kind::Utf16 { .. }) {
            sink("\u{fffd}".as_bytes());
        }
        *self = Self {
            out: core::mem::take(&mut self.out),
            ..Self::default()
        };
    }

    fn decide(&mut self, sink: &mut dyn FnMut(&[u8])) {
        let first = core::mem::take(&mut self.pending);
        let (kind, skip) = match first.as_slice() {
            [0xEF, 0xBB, 0xBF, ..] => (Kind::Bytes, 3),
            [0xFF, 0xFE, ..] => (Kind::Utf16 { big_endian: false }, 2),
            [0xFE, 0xFF, ..] => (Kind::Utf16 { big_endian: true }, 2),
            _ => (Kind::Bytes, 0),
        };
        self.kind = kind;
        self.feed(&first[skip..], sink);
    }

    fn utf16(&mut self, chunk: &[u8], big_endian: bool, sink: &mut dyn FnMut(&[u8])) {
        self.out.clear();
        let mut bytes = chunk;
        if let (Some(&half), Some((&first, rest))) = (self.pending.first(), bytes.split_first()) {
            self.pending.clear();
            self.unit(half, first, big_endian);
            bytes = rest;
        }
        let pairs = bytes.chunks_exact(2);
        self.pending.extend_from_slice(pairs.remainder());
        for pair in pairs {
            self.unit(pair[0], pair[1], big_endian);
        }
        sink(&self.out);
    }

    fn unit(&mut self, first: u8, second: u8, big_endian: bool) {
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

    fn decode(bytes: &[u8], step: usize) -> Vec<u8> {
        let (mut decoder, mut out) = (Decoder::default(), Vec::new());
        for chunk in bytes.chunks(step) {
            decoder.feed(chunk, &mut |text| out.extend_from_slice(text));
        }
        decoder.finish(&mut |text| out.extend_from_slice(text));
        out
    }

    #[test]
    fn utf16_becomes_utf8_in_any_chunks() {
        let text = "==1==ERROR: caf\u{e9} \u{1f600}\n";
        let mut le = alloc::vec![0xFF, 0xFE];
        let mut be = alloc::vec![0xFE, 0xFF];
        for unit in text.encode_utf16() {
            le.extend_from_slice(&unit.to_le_bytes());
            be.extend_from_slice(&unit.to_be_bytes());
        }
        for step in 1..8 {
            assert_eq!(decode(&le, step), text.as_bytes());
            assert_eq!(decode(&be, step), text.as_bytes());
        }
    }

    #[test]
    fn bytes_without_a_mark_pass_untouched() {
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
