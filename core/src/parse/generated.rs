//! Suppressions that valgrind writes between its records (`--gen-suppressions`).
//!
//! They stand without a tag, right after the record that they are for:
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

use super::body::speaks;
use super::collect::text_of;
use super::tag;
use crate::model::{Generated, Text};

/// Such a block on its way; more lines than valgrind ever writes are none of its own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Block {
    lines: Vec<Text>,
}

/// What became of a line.
pub(crate) enum Step {
    /// The block goes on.
    More,
    /// The block is complete.
    Done(Generated),
    /// The line is none of the block's.
    Foreign,
}

impl Block {
    /// True for the line that opens a block.
    pub(crate) fn opens(line: &[u8]) -> bool {
        line.trim_ascii() == b"{"
    }

    /// Reads a line after the opening one.
    pub(crate) fn line(&mut self, line: &[u8]) -> Step {
        const MAX: usize = 520;
        let line = line.trim_ascii();
        if line == b"}" {
            return read(&self.lines).map_or(Step::Foreign, Step::Done);
        }
        // A program may print a bracket, too, and what a checker says goes on behind it.
        let is_other = line.is_empty() || tag::find(line).is_some() || speaks(line);
        if self.lines.len() >= MAX || is_other {
            return Step::Foreign;
        }
        self.lines.push(text_of(line));
        Step::More
    }
}

/// The lines between the brackets: a name, tool and kind, perhaps something besides, and the
/// frames.
pub(crate) fn read(lines: &[Text]) -> Option<Generated> {
    let [_, kind, rest @ ..] = lines else {
        return None;
    };
    let is_frame = |line: &Text| line.starts_with("fun:") || line.starts_with("obj:");
    let (extra, frames) = match rest {
        [extra, frames @ ..] if !is_frame(extra) => (Some(extra.clone()), frames),
        frames => (None, frames),
    };
    let whole = kind.contains(':') && frames.iter().all(is_frame);
    whole.then(|| Generated {
        kind: kind.clone(),
        extra,
        frames: frames.to_vec(),
    })
}
