//! Suppressions that valgrind generates between its records (`--gen-suppressions`).
//!
//! They have no tag and follow their record:
//!
//! ```text
//! {
//!    <insert_a_suppression_name_here>
//!    Memcheck:Leak
//!    match-leak-kinds: definite
//!    fun:malloc
//!    fun:_ZN2ns4workEi
//! }
//! ```
//!
//! Source: `coregrind/m_errormgr.c` (`gen_suppression`).

use alloc::vec::Vec;

use super::collect::shared_text;
use super::sanitizer::is_sanitizer_line;
use super::tag;
use crate::model::{GeneratedSuppression, Text};

/// An incomplete suppression.
#[derive(Clone, Debug, Default)]
pub(crate) struct Block {
    lines: Vec<Text>,
}

/// The result of [`Block::line`].
pub(crate) enum BlockLine {
    /// The block continues.
    Continues,
    /// The block is complete.
    Done(GeneratedSuppression),
    /// The line isn't part of a suppression.
    Unrelated,
}

impl Block {
    /// Returns true for the line that opens a block.
    pub(crate) fn is_start(line: &[u8]) -> bool {
        line.trim_ascii() == b"{"
    }

    /// Reads a line after the opening one.
    pub(crate) fn line(&mut self, line: &[u8]) -> BlockLine {
        /// More lines than valgrind ever writes.
        const MAX: usize = 520;
        let line = line.trim_ascii();
        if line == b"}" {
            return parse(&self.lines).map_or(BlockLine::Unrelated, BlockLine::Done);
        }
        // The program may print a brace, too, and the checker's output continues after it.
        let is_other = line.is_empty() || tag::find(line).is_some() || is_sanitizer_line(line);
        if self.lines.len() >= MAX || is_other {
            return BlockLine::Unrelated;
        }
        self.lines.push(shared_text(line));
        BlockLine::Continues
    }
}

/// Parses the lines between the braces: a name, tool and kind, an optional extra line, and the
/// frames.
pub(crate) fn parse(lines: &[Text]) -> Option<GeneratedSuppression> {
    let [_, kind, rest @ ..] = lines else {
        return None;
    };
    let is_frame = |line: &Text| line.starts_with("fun:") || line.starts_with("obj:");
    let (extra, frames) = match rest {
        [extra, frames @ ..] if !is_frame(extra) => (Some(extra.clone()), frames),
        frames => (None, frames),
    };
    let whole = kind.contains(':') && frames.iter().all(is_frame);
    whole.then(|| GeneratedSuppression {
        kind: kind.clone(),
        extra,
        frames: frames.to_vec(),
    })
}
