//! Formats of a project's own: lines that a program prints about its memory, read by regular
//! expressions of `leakgate.toml`.
//!
//! A format is a pattern for one line, or one for the start of a report, one for its frames, and
//! perhaps one for its end. Named groups say what was found: `function`, `file`, `line`, `bytes`,
//! `blocks`, `kind`, `message`; any other may stand in the condition.

mod condition;

use alloc::string::String;
use alloc::vec::Vec;

pub(crate) use self::condition::{Condition, number};
use crate::bytes::contains;
use crate::model::Kind;
use crate::rules::expression::Expression;

/// A format of the project's own.
#[derive(Clone, Debug)]
pub struct Format {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) shape: Shape,
    pub(crate) when: Option<Condition>,
    /// What a clean run prints.
    pub(crate) clean: Option<Expression>,
    /// Texts of which one stands in every line that opens a report or tells of a clean run.
    pub(crate) literals: Vec<String>,
}

/// How a report is laid out.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    /// A line is a finding.
    Line(Expression),
    /// A line opens a finding, and its frames follow.
    Block {
        start: Expression,
        frames: Expression,
        end: Option<Expression>,
    },
}

impl Shape {
    /// What opens a finding.
    pub(crate) fn opening(&self) -> &Expression {
        match self {
            Self::Line(pattern) => pattern,
            Self::Block { start, .. } => start,
        }
    }
}

impl Format {
    /// The name, as findings have it behind `custom:`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// True where the line may be of this format.
    pub(crate) fn may_be(&self, line: &[u8]) -> bool {
        self.literals
            .iter()
            .any(|literal| contains(line, literal.as_bytes()))
    }
}
