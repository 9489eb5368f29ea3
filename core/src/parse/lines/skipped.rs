//! The last lines that the parser skipped. Lines of test harnesses are no reason to read a log more
//! slowly, so they are looked for only when a report begins, in the lines before it.

use alloc::vec::Vec;
use core::cell::OnceCell;

use super::router::Router;
use crate::line::{Line, count_lines, split_line};
use crate::parse::collect::Collector;
use crate::parse::detect::Markers;

/// Maximum number of bytes before a report in which tests are looked for. It only bounds the time:
/// if a test began before them, the error isn't assigned to a test.
const MAX_BYTES: usize = 256 << 10;

/// The last lines that were skipped, up to [`MAX_BYTES`].
#[derive(Clone, Debug, Default)]
pub(super) struct SkippedLines {
    /// Ends with a line feed, unless a piece of an overlong line comes last.
    bytes: Vec<u8>,
    /// Earlier lines were dropped.
    is_cut: bool,
    /// The search for the words of test harnesses, which is built when it is first needed.
    words: OnceCell<Markers>,
}

impl SkippedLines {
    /// Adds complete lines.
    pub(super) fn push(&mut self, text: &[u8]) {
        if text.len() >= MAX_BYTES {
            self.is_cut |= text.len() > MAX_BYTES || !self.bytes.is_empty();
            self.bytes.clear();
            self.bytes
                .extend_from_slice(&text[text.len() - MAX_BYTES..]);
            return;
        }
        // Bytes are moved only after as many new ones.
        if self.bytes.len() + text.len() > 2 * MAX_BYTES {
            self.cut();
        }
        self.bytes.extend_from_slice(text);
    }

    /// Adds a line, or a piece of one that goes on.
    pub(super) fn push_line(&mut self, line: &[u8], continues: bool) {
        self.push(line);
        if !continues {
            self.push(b"\n");
        }
    }

    /// Removes all but the last bytes.
    fn cut(&mut self) {
        if let Some(extra) = self.bytes.len().checked_sub(MAX_BYTES).filter(|n| *n > 0) {
            self.bytes.drain(..extra);
            self.is_cut = true;
        }
    }

    /// Returns true if no line was skipped since the last one that was read.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Forgets all lines.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.is_cut = false;
    }

    /// Lets the router look at the skipped lines of test harnesses. `next` is the number of the
    /// line after them.
    pub(super) fn observe(&mut self, next: u64, router: &mut Router, out: &mut Collector) {
        self.cut();
        let mut text = core::mem::take(&mut self.bytes);
        let number = next - count_lines(&text);
        let start = match core::mem::take(&mut self.is_cut) {
            true => {
                out.tests.forget();
                memchr::memchr(b'\n', &text).map_or(text.len(), |at| at + 1)
            }
            false => 0,
        };
        let words = self.words.get_or_init(Markers::of_harnesses);
        let mut lines = Lines {
            number: number + count_lines(&text[..start]),
            text: &text[start..],
        };
        let mut finder = words.find_iter(lines.text);
        let all = lines.text;
        while let Some(at) = finder.next_from(all.len() - lines.text.len()) {
            let line = lines.skip_to(at - (all.len() - lines.text.len()));
            router.observe(&line, words, out);
        }
        text.clear();
        self.bytes = text;
    }
}

/// The rest of a text, with the number of its first line.
struct Lines<'a> {
    text: &'a [u8],
    number: u64,
}

impl<'a> Lines<'a> {
    /// Returns the line at a position, and goes on after it.
    fn skip_to(&mut self, at: usize) -> Line<'a> {
        let start = memchr::memrchr(b'\n', &self.text[..at]).map_or(0, |n| n + 1);
        self.number += count_lines(&self.text[..start]);
        let (bytes, rest) = split_line(&self.text[start..]);
        let line = Line {
            bytes,
            number: self.number,
            continues: false,
        };
        self.number += 1;
        self.text = rest;
        line
    }
}
