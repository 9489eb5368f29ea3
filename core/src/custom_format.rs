//! Custom formats: lines that a program prints about its memory, parsed with regular expressions
//! from `leakgate.toml`.
//!
//! A format has a pattern for one line, or patterns for the start of a report, its frames and
//! optionally its end. These named groups become parts of the finding: `function`, `file`, `line`,
//! `bytes`, `blocks`, `kind`, `message`. The condition may use these and any other groups.

mod condition;

use alloc::string::String;
use alloc::vec::Vec;

pub(crate) use self::condition::{Condition, parse_number};
use crate::bytes::contains;
use crate::expression::Expression;
use crate::model::Kind;

/// A custom format, defined by `[[format]]` in `leakgate.toml`.
#[derive(Clone, Debug)]
pub struct CustomFormat {
    pub(crate) name: String,
    /// The kind of findings without a `kind` group.
    pub(crate) kind: Kind,
    pub(crate) shape: Shape,
    /// The condition under which a match is a finding; `None` for always.
    pub(crate) when: Option<Condition>,
    /// Matches a line that a clean run prints.
    pub(crate) clean: Option<Expression>,
    /// Every line that starts a report or reports a clean run contains at least one of these texts.
    pub(crate) literals: Vec<String>,
}

/// The layout of a report.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    /// Each matching line is a finding.
    Line(Expression),
    /// A line starts a finding, and its frames follow.
    Block {
        start: Expression,
        frames: Expression,
        end: Option<Expression>,
    },
}

impl Shape {
    /// Returns the expression for the first line of a finding.
    pub(crate) fn opening(&self) -> &Expression {
        match self {
            Self::Line(pattern) => pattern,
            Self::Block { start, .. } => start,
        }
    }
}

impl CustomFormat {
    /// Returns the name, which findings have after `custom:`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns true if a line may start a report or report a clean run in this format.
    pub(crate) fn may_match(&self, line: &[u8]) -> bool {
        self.literals
            .iter()
            .any(|literal| contains(line, literal.as_bytes()))
    }
}
