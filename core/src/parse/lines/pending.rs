//! Lines that wait until it is clear whether the text before a headline is a prefix.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::line::Line;
use crate::parse::heads::Head;
use crate::parse::learned_prefix::LearnedPrefix;

/// Maximum number of lines of the same source that wait.
const MAX_OF_SOURCE: usize = 8;

/// Maximum number of lines that wait.
const MAX_LINES: usize = 64;

/// A line that waits.
#[derive(Clone, Debug)]
pub(super) struct OwnedLine {
    /// The key of its source.
    pub(super) key: Box<[u8]>,
    /// The text without known prefixes.
    pub(super) text: Box<[u8]>,
    bytes: Box<[u8]>,
    number: u64,
    continues: bool,
}

impl OwnedLine {
    pub(super) fn new(key: &[u8], text: &[u8], line: &Line<'_>) -> Self {
        Self {
            key: key.into(),
            text: text.into(),
            bytes: line.bytes.into(),
            number: line.number,
            continues: line.continues,
        }
    }

    /// Returns the original line.
    pub(super) fn line(&self) -> Line<'_> {
        Line {
            bytes: &self.bytes,
            number: self.number,
            continues: self.continues,
        }
    }
}

/// A headline after other text, and the lines after it.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) head: Head,
    /// The line with the headline comes first.
    pub(super) lines: Vec<OwnedLine>,
    /// The prefix, if one of the lines has it.
    pub(super) prefix: Option<LearnedPrefix>,
    /// Number of lines after the headline that have the same source and aren't blank.
    of_source: usize,
}

impl Pending {
    pub(super) fn new(head: Head, first: OwnedLine) -> Self {
        Self {
            head,
            lines: [first].into(),
            prefix: None,
            of_source: 0,
        }
    }

    /// Adds the next line.
    pub(super) fn push(&mut self, line: OwnedLine) {
        let first = &self.lines[0];
        if first.key == line.key && !line.text.trim_ascii().is_empty() {
            self.of_source += 1;
            self.prefix = LearnedPrefix::learn(&first.text, self.head.at, &line.text);
        }
        self.lines.push(line);
    }

    /// Returns true if no more lines are needed.
    pub(super) fn is_decided(&self) -> bool {
        self.prefix.is_some() || self.of_source >= MAX_OF_SOURCE || self.lines.len() >= MAX_LINES
    }
}
