//! Logs with an empty line after every line, as copied from web pages and mail.

use crate::line::Line;

/// Number of alternations after which empty lines are extra.
const MIN_ALTERNATIONS: u32 = 2;

/// The same number, after two lines without an empty line between.
const MIN_LATER_ALTERNATIONS: u32 = 6;

/// The empty lines of an input.
#[derive(Clone, Debug, Default)]
pub(super) struct Spacing {
    /// The number of the last line.
    last: u64,
    /// True if the last line was empty.
    was_empty: bool,
    /// Number of times that an empty line followed another line, or the other way around, without
    /// two lines of one kind between.
    alternations: u32,
    /// Two lines had no empty line between, since the last gap in the numbers.
    was_dense: bool,
    /// An empty line follows every other line.
    is_doubled: bool,
}

impl Spacing {
    /// Returns true if the line is empty only because an empty line follows every line.
    pub(super) fn is_extra(&mut self, line: &Line<'_>) -> bool {
        self.add(line.number, line.bytes.trim_ascii().is_empty())
    }

    /// Adds lines that aren't empty. `first` is the number of the first one.
    pub(super) fn add_text(&mut self, first: u64, lines: u64) {
        // From the second line on, only the number changes.
        (first..first + lines.min(2)).for_each(|number| {
            self.add(number, false);
        });
        if lines > 0 {
            self.last = first + lines - 1;
        }
    }

    /// Adds a line. Returns true if it is extra.
    fn add(&mut self, number: u64, is_empty: bool) -> bool {
        let is_next = self.last > 0 && number == self.last + 1;
        let alternates = is_next && is_empty != self.was_empty;
        if alternates {
            self.alternations += 1;
        } else {
            self.alternations = 0;
            self.was_dense = is_next && (self.was_dense || !is_empty);
            self.is_doubled &= is_next && is_empty;
        }
        let needed = if self.was_dense {
            MIN_LATER_ALTERNATIONS
        } else {
            MIN_ALTERNATIONS
        };
        self.is_doubled |= self.alternations >= needed;
        let is_first = alternates && is_empty;
        self.last = number;
        self.was_empty = is_empty;
        self.is_doubled && is_first
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::vec::Vec;

    use super::*;

    /// Returns the numbers of the lines that are kept.
    fn kept(log: &str) -> Vec<u64> {
        let mut spacing = Spacing::default();
        let lines = log.lines().enumerate().map(|(at, text)| Line {
            bytes: text.as_bytes(),
            number: at as u64 + 1,
            continues: false,
        });
        let kept = lines.filter(|line| !spacing.is_extra(line));
        kept.map(|line| line.number).collect()
    }

    #[test]
    fn lines_of_text_are_added_together() {
        for lines in 0..4 {
            let [mut together, mut alone] = [(); 2].map(|()| Spacing {
                last: 4,
                was_empty: true,
                alternations: 1,
                is_doubled: true,
                ..Spacing::default()
            });
            together.add_text(5, lines);
            (5..5 + lines).for_each(|number| {
                alone.add(number, false);
            });
            assert_eq!(format!("{together:?}"), format!("{alone:?}"), "{lines}");
        }
    }

    #[test]
    fn extra_empty_lines_are_dropped() {
        assert_eq!(
            kept("a\n\nb\n\nc\n\nd\n\n\n\ne\n\nf\ng\n\nh"),
            [1, 2, 3, 5, 7, 9, 10, 11, 13, 14, 15, 16]
        );
        assert_eq!(kept("a\n\nb\nc\n\nd\n"), [1, 2, 3, 4, 5, 6]);
    }
}
