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

/// Starts of the second line of a report, besides frames.
const SECOND_LINES: &[&[u8]] = &[
    b"READ of size ",
    b"WRITE of size ",
    b"Read of size ",
    b"Write of size ",
    b"Read at 0x",
    b"Write at 0x",
    b"--> ",
];

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
    /// True if the report goes on without the text before its headline.
    is_unprefixed: bool,
}

impl Pending {
    pub(super) fn new(head: Head, first: OwnedLine) -> Self {
        Self {
            head,
            lines: [first].into(),
            prefix: None,
            of_source: 0,
            is_unprefixed: false,
        }
    }

    /// Adds the next line.
    pub(super) fn push(&mut self, line: OwnedLine) {
        let first = &self.lines[0];
        if first.key == line.key && !line.text.trim_ascii().is_empty() {
            self.of_source += 1;
            self.prefix = LearnedPrefix::learn(&first.text, self.head.at, &line.text);
            self.is_unprefixed = self.prefix.is_none() && is_second_line(&line.text);
        }
        self.lines.push(line);
    }

    /// Returns true if no more lines are needed.
    pub(super) fn is_decided(&self) -> bool {
        self.prefix.is_some()
            || self.is_unprefixed
            || self.of_source >= MAX_OF_SOURCE
            || self.lines.len() >= MAX_LINES
    }
}

/// Returns true for the second line of a report without a prefix. After it, a line with the text
/// before the headline comes from the program: `> ` is also the prompt of R.
fn is_second_line(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    matches!(text, [b'#', b'0'..=b'9', ..])
        || SECOND_LINES.iter().any(|start| text.starts_with(start))
}
