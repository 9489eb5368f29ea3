//! Looks for markers in a chunk before the parser reaches it. Other threads can do that while the
//! parser reads earlier chunks.

use alloc::vec::Vec;

use memchr::{memchr, memchr3, memrchr};

use super::detect::Markers;
use crate::line::count_lines;

/// A search for the markers of a parser; see [`Parser::scanner`](super::Parser::scanner).
#[derive(Clone, Debug)]
pub struct Scanner {
    markers: Markers,
}

/// The markers in a chunk of bytes, for [`Parser::feed_scanned`](super::Parser::feed_scanned).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// Length of the chunk in bytes.
    pub(super) len: usize,
    /// The part of the chunk from its second line to its last line feed.
    pub(super) lines: core::ops::Range<usize>,
    /// Number of lines in this part.
    pub(super) count: u64,
    /// For each search, the position of its first marker in this part, or the length of the part.
    pub(super) first: Vec<usize>,
    /// True if no byte of the chunk can begin UTF-16.
    pub(super) is_utf8: bool,
}

impl Scanner {
    pub(super) fn new(markers: Markers) -> Self {
        Self { markers }
    }

    /// Looks for the first markers in a chunk.
    pub fn scan(&self, chunk: &[u8]) -> Scan {
        let start = memchr(b'\n', chunk).map_or(chunk.len(), |at| at + 1);
        let end = memrchr(b'\n', chunk).map_or(chunk.len(), |at| at + 1);
        let text = &chunk[start..end];
        Scan {
            len: chunk.len(),
            lines: start..end,
            count: count_lines(text),
            first: self.markers.find_first(text),
            is_utf8: memchr3(0, 0xFE, 0xFF, chunk).is_none(),
        }
    }
}
