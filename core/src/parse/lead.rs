//! Prefixes that are not known, learned from the line in which a report begins.

use alloc::vec::Vec;

/// What stood before a headline in its line, when no known prefix accounts for it: lines that begin alike are taken as the
/// same source's. Digits may differ, since most such prefixes hold a time.
#[derive(Debug, Default)]
pub(crate) struct Lead {
    bytes: Vec<u8>,
}

impl Lead {
    pub(crate) fn learn(&mut self, head: &[u8]) {
        self.bytes.clear();
        self.bytes.extend_from_slice(head);
    }

    pub(crate) fn strip<'a>(&self, line: &'a [u8]) -> &'a [u8] {
        let same = |(p, b): (&u8, &u8)| p == b || (p.is_ascii_digit() && b.is_ascii_digit());
        // Trailing blanks of the prefix are lost on blank lines.
        let bare = self.bytes.trim_ascii_end().len();
        match line.len() {
            n if n >= self.bytes.len() && self.bytes.iter().zip(line).all(same) => &line[self.bytes.len()..],
            n if n == bare && self.bytes.iter().zip(line).all(same) => &[],
            _ => line,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lead_is_taken_off_lines_that_begin_alike() {
        let mut lead = Lead::default();
        lead.learn(b"worker[12]: ");
        assert_eq!(lead.strip(b"worker[13]:     #0 0x1"), b"    #0 0x1");
        assert_eq!(lead.strip(b"worker[13]:"), b"");
        assert_eq!(lead.strip(b"other"), b"other");
    }
}
