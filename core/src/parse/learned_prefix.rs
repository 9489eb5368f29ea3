//! Unknown line prefixes, learned from the first line of a report.

use alloc::vec::Vec;

/// The unknown text before a headline in its line. Lines with the same prefix are assumed to come
/// from the same source. Digits may differ, because most of these prefixes contain a time.
#[derive(Clone, Debug, Default)]
pub(crate) struct LearnedPrefix {
    bytes: Vec<u8>,
}

impl LearnedPrefix {
    /// Stores a prefix.
    pub(crate) fn learn(&mut self, head: &[u8]) {
        self.bytes.clear();
        self.bytes.extend_from_slice(head);
    }

    /// Returns true if there is nothing to strip.
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Strips the prefix, if the line has it.
    pub(crate) fn strip<'a>(&self, line: &'a [u8]) -> &'a [u8] {
        // Blank lines lose the trailing spaces of the prefix.
        match after(&self.bytes, line) {
            Some(rest) => rest,
            None if after(self.bytes.trim_ascii_end(), line).is_some_and(<[u8]>::is_empty) => &[],
            None => line,
        }
    }
}

/// Returns the text after the prefix, in which a run of digits matches any other.
fn after<'a>(prefix: &[u8], line: &'a [u8]) -> Option<&'a [u8]> {
    let mut prefix = prefix;
    let mut line = line;
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
    fn learned_prefix_is_stripped() {
        let mut prefix = LearnedPrefix::default();
        prefix.learn(b"worker[12]: ");
        assert_eq!(prefix.strip(b"worker[13]:     #0 0x1"), b"    #0 0x1");
        assert_eq!(prefix.strip(b"worker[1345]: x"), b"x");
        assert_eq!(prefix.strip(b"worker[13]:"), b"");
        assert_eq!(prefix.strip(b"other"), b"other");
    }
}
