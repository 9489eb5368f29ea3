//! Prefixes that are not known, learned from the line in which a report begins.

use alloc::vec::Vec;

/// What stood before a headline in its line, when no known prefix accounts for it: lines that begin
/// alike are taken as the same source's. Digits may differ, since most such prefixes hold a time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lead {
    bytes: Vec<u8>,
}

impl Lead {
    pub(crate) fn learn(&mut self, head: &[u8]) {
        self.bytes.clear();
        self.bytes.extend_from_slice(head);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn strip<'a>(&self, line: &'a [u8]) -> &'a [u8] {
        // Trailing blanks of the prefix are lost on blank lines.
        match after(&self.bytes, line) {
            Some(rest) => rest,
            None if after(self.bytes.trim_ascii_end(), line).is_some_and(<[u8]>::is_empty) => &[],
            None => line,
        }
    }
}

/// What follows the prefix, where a run of digits stands for any other.
fn after<'a>(prefix: &[u8], line: &'a [u8]) -> Option<&'a [u8]> {
    let (mut prefix, mut line) = (prefix, line);
    while let [first, rest @ ..] = prefix {
        if first.is_ascii_digit() {
            let digits = |bytes: &[u8]| bytes.iter().take_while(|b| b.is_ascii_digit()).count();
            let found = digits(line);
            if found == 0 {
                return None;
            }
            prefix = &prefix[digits(prefix)..];
            line = &line[found..];
        } else {
            line = line.strip_prefix(&[*first])?;
            prefix = rest;
        }
    }
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lead_is_taken_off_lines_that_begin_alike() {
        let mut lead = Lead::default();
        lead.learn(b"worker[12]: ");
        assert_eq!(lead.strip(b"worker[13]:     #0 0x1"), b"    #0 0x1");
        assert_eq!(lead.strip(b"worker[1345]: x"), b"x");
        assert_eq!(lead.strip(b"worker[13]:"), b"");
        assert_eq!(lead.strip(b"other"), b"other");
    }
}
