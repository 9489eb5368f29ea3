//! Splits bytes that arrive in chunks of any size into numbered lines.
//!
//! Two questions are settled here for all other modules. Chunk boundaries have no meaning, and a
//! line that is too long is split into pieces (see [`crate::Options::max_line`]). This module
//! doesn't interpret lines.

use alloc::vec::Vec;
use memchr::memchr;

/// A line without its line feed, or a piece of a line that is longer than the maximum.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'a> {
    pub(crate) bytes: &'a [u8],
    /// The line's number, from 1.
    pub(crate) number: u64,
    /// True if the next piece continues the same line.
    pub(crate) continues: bool,
}

impl Line<'_> {
    /// Returns a part of the line as a line of its own. If each of its parts kept the whole line,
    /// a line with many parts would take quadratic time.
    pub(crate) fn part<'a>(&self, bytes: &'a [u8]) -> Line<'a> {
        Line {
            bytes,
            number: self.number,
            continues: self.continues,
        }
    }
}

/// The beginning of a line whose rest is in the next chunk.
#[derive(Clone, Debug, Default)]
pub(crate) struct PartialLine {
    bytes: Vec<u8>,
}

impl PartialLine {
    /// Returns true if no part of a line is pending.
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Takes the pending bytes.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.bytes)
    }

    /// Returns a buffer that [`Self::take`] handed out, so that the next line reuses its memory.
    pub(crate) fn reuse_buffer(&mut self, mut bytes: Vec<u8>) {
        bytes.clear();
        self.bytes = bytes;
    }

    /// Appends bytes without a line feed. Each time `max` bytes are pending and more follow, passes
    /// them to `piece`.
    pub(crate) fn push(&mut self, mut bytes: &[u8], max: usize, mut piece: impl FnMut(&[u8])) {
        while self.bytes.len() + bytes.len() > max {
            let (head, tail) = bytes.split_at(max - self.bytes.len());
            self.bytes.extend_from_slice(head);
            piece(&self.bytes);
            self.bytes.clear();
            bytes = tail;
        }
        self.bytes.extend_from_slice(bytes);
    }
}

/// Returns the number of line feeds.
pub(crate) fn count_lines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

/// Returns the first line and the bytes after its line feed. Without a line feed, all bytes are the
/// line.
pub(crate) fn split_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    match memchr(b'\n', bytes) {
        Some(end) => (&bytes[..end], &bytes[end + 1..]),
        None => (bytes, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_do_not_depend_on_chunks() {
        let whole = b"0123456789";
        for cut in 0..=whole.len() {
            let mut partial = PartialLine::default();
            let mut pieces = Vec::new();
            partial.push(&whole[..cut], 4, |p| pieces.push(p.to_vec()));
            partial.push(&whole[cut..], 4, |p| pieces.push(p.to_vec()));
            assert_eq!(pieces, [b"0123".to_vec(), b"4567".to_vec()], "cut at {cut}");
            assert_eq!(partial.take(), b"89");
        }
    }
}
