//! Distinguishes line numbers from test numbers: both are `N: ` before a line.

use alloc::vec::Vec;

use super::pending::OwnedLine;
use crate::bytes::number;
use crate::line::Line;
use crate::parse::tag;

/// The numbers before the lines of an input.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbering {
    /// The first line with a number, until the next line shows what the number is.
    held: Option<OwnedLine>,
    /// What the numbers are, if it is known.
    kind: Option<Kind>,
}

/// What the numbers before lines are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Numbers of tests, or parts of the lines.
    Other,
    /// Numbers of lines, and whether a space follows the colon.
    Lines { has_space: bool },
}

/// Parses `N: text`.
fn parse(text: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = number(text)?;
    Some((number, rest.strip_prefix(b":")?))
}

impl Numbering {
    /// Returns true if a line waits for the next one.
    pub(super) fn holds_line(&self) -> bool {
        self.held.is_some()
    }

    /// Makes the first numbered line of an input wait. Returns `None` if the line can be read now,
    /// else the lines that can be read now instead.
    pub(super) fn hold(&mut self, text: &[u8], line: &Line<'_>) -> Option<Vec<OwnedLine>> {
        if self.kind.is_some() {
            return None;
        }
        let Some(first) = self.held.take() else {
            parse(text).filter(|_| !line.continues)?;
            self.held = Some(OwnedLine::new(&[], text, line));
            return Some(Vec::new());
        };
        let has_space = parse(&first.text).is_some_and(|(_, text)| text.starts_with(b" "));
        self.kind = Some(if is_next(&first, text, line) {
            Kind::Lines { has_space }
        } else {
            Kind::Other
        });
        Some([first, OwnedLine::new(&[], text, line)].into())
    }

    /// Returns the line that waits at the end of the input.
    pub(super) fn release(&mut self) -> Vec<OwnedLine> {
        let held = self.held.take();
        let number = held.as_ref().and_then(|held| parse(&held.text));
        if let Some((held, (number, text))) = held.as_ref().zip(number)
            && held.line().number == number
        {
            let has_space = text.starts_with(b" ");
            self.kind = Some(Kind::Lines { has_space });
        }
        held.into_iter().collect()
    }

    /// Strips the number of the line. grep prints `-` instead of `:` before lines without a match.
    pub(super) fn strip<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        let Some(Kind::Lines { has_space }) = self.kind else {
            return text;
        };
        match number(text) {
            Some((_, [b':' | b'-', rest @ ..])) => {
                let line = rest.strip_prefix(b" ").filter(|_| has_space);
                line.unwrap_or(rest)
            }
            _ => text,
        }
    }
}

/// Returns true if the numbers of two lines differ as the lines do. Two tests may print one line
/// each, but not as the same process.
fn is_next(first: &OwnedLine, text: &[u8], line: &Line<'_>) -> bool {
    let Some((before, after)) = parse(&first.text).zip(parse(text)) else {
        return false;
    };
    let is_consecutive = before.0 + 1 == after.0 && first.line().number + 1 == line.number;
    let pids = tag::find(before.1).zip(tag::find(after.1));
    is_consecutive && pids.is_none_or(|(before, after)| before.pid == after.pid)
}
