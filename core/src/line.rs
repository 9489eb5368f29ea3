//! Bytes in chunks of any size become numbered lines.
//!
//! Two things are decided here, so that nobody else has to think of them: what a chunk boundary
//! means (nothing), and what happens to a line without end (it comes in pieces of at most the
//! bound, see [`crate::Options::max_line`]). What a line means is none of this file's business.

use alloc::vec::Vec;
use memchr::memchr;

/// A line without its line feed, or a piece of one that is longer than the bound.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'a> {
    pub(crate) bytes: &'a [u8],
    /// From 1.
    pub(crate) number: u64,
    /// More of the same line follows in the next piece.
    pub(crate) continues: bool,
}

/// The part of a line that waits for the next chunk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Carry {
    bytes: Vec<u8>,
}

impl Carry {
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn take(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.bytes)
    }

    /// Gives the buffer back, so that its memory serves the next line.
    pub(crate) fn give_back(&mut self, mut bytes: Vec<u8>) {
        bytes.clear();
        self.bytes = bytes;
    }

    /// Adds bytes that hold no line feed. What goes beyond the bound is handed out as pieces.
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

/// How many line feeds there are.
pub(crate) fn count_lines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

/// The first line and what follows its line feed; without one, all of it is the line.
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
    fn pieces_do_not_depend_on_how_the_bytes_came() {
        let whole = b"0123456789";
        for cut in 0..=whole.len() {
            let (mut carry, mut pieces) = (Carry::default(), Vec::new());
            carry.push(&whole[..cut], 4, |p| pieces.push(p.to_vec()));
            carry.push(&whole[cut..], 4, |p| pieces.push(p.to_vec()));
            assert_eq!(pieces, [b"0123".to_vec(), b"4567".to_vec()], "cut at {cut}");
            assert_eq!(carry.take(), b"89");
        }
    }
}
