//! Unknown prefixes of lines, learned from the first lines of a report.
//!
//! A prefix that `prefix.rs` doesn't know is whatever comes before the headline of a report in its
//! line, if one of the next lines begins with the same text. Otherwise the program wrote that text
//! without a line feed. Text after the lines is learned in the same way: a closing quote or
//! element, or columns that a log collector appends.

use alloc::vec::Vec;

/// The unknown text before the lines of a report, and after them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LearnedPrefix {
    bytes: Vec<u8>,
    suffix: Vec<u8>,
    key: Vec<u8>,
}

impl LearnedPrefix {
    /// Learns from the first line of a report, which has the headline at a position, and a later
    /// line. Returns `None` if the lines have no common prefix or suffix.
    pub(crate) fn learn(first: &[u8], at: usize, later: &[u8]) -> Option<Self> {
        let prefix = Self {
            bytes: first[..at].to_vec(),
            suffix: Vec::new(),
            key: key(&first[..at]),
        };
        let rest = prefix.strip(later)?;
        let is_quoted = matches!(first[..at].last(), Some(b'"' | b'\''));
        let suffix = common_suffix(&first[at..], rest, is_quoted).to_vec();
        (!first[..at].trim_ascii().is_empty() || !suffix.is_empty())
            .then_some(Self { suffix, ..prefix })
    }

    /// Returns the line without the prefix and the suffix, or `None` if it doesn't have the prefix.
    pub(crate) fn strip<'a>(&self, line: &'a [u8]) -> Option<&'a [u8]> {
        let rest = match after(&self.bytes, line) {
            Some(rest) => rest,
            // Blank lines lose the trailing spaces of the prefix.
            None => after(self.bytes.trim_ascii_end(), line).filter(|rest| rest.is_empty())?,
        };
        let without = rest.strip_suffix(self.suffix.as_slice());
        match without {
            None if self.bytes.is_empty() => None,
            _ => Some(without.unwrap_or(rest)),
        }
    }

    /// Returns the key of the source of the lines.
    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }
}

/// Returns a key for the source of the lines with a prefix: the prefix without its numbers.
fn key(prefix: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(prefix.len() + 1);
    key.push(0);
    for byte in prefix {
        if !byte.is_ascii_digit() {
            key.push(*byte);
        } else if key.last() != Some(&b'0') {
            key.push(b'0');
        }
    }
    key
}

/// Returns the text after the prefix, in which a run of digits matches any other, because most
/// prefixes contain a time. Before the text of a matching line, grep prints `:` after the number,
/// and `-` before all others.
fn after<'a>(prefix: &[u8], line: &'a [u8]) -> Option<&'a [u8]> {
    let mut prefix = prefix;
    let mut line = line;
    let mut after_number = false;
    while let [first, rest @ ..] = prefix {
        let number = prefix.trim_ascii_start();
        if number.first().is_some_and(u8::is_ascii_digit) && number.len() < prefix.len() {
            // Numbers may be padded.
            prefix = number;
            line = line.trim_ascii_start();
        } else if first.is_ascii_digit() {
            let digits = |bytes: &[u8]| bytes.iter().take_while(|b| b.is_ascii_digit()).count();
            let found = digits(line);
            if found == 0 {
                return None;
            }
            prefix = &prefix[digits(prefix)..];
            line = &line[found..];
            after_number = true;
        } else {
            let is_grep = prefix == b":" && after_number && line.first() == Some(&b'-');
            let expected = if is_grep { b'-' } else { *first };
            line = line.strip_prefix(&[expected])?;
            prefix = rest;
            after_number = false;
        }
    }
    Some(line)
}

/// Returns the text with which both lines end, if it can't be part of a checker's output. A quote
/// is a suffix only if the lines begin with a quote.
fn common_suffix<'a>(a: &'a [u8], b: &[u8], is_quoted: bool) -> &'a [u8] {
    let pairs = a.iter().rev().zip(b.iter().rev());
    let length = pairs.take_while(|(a, b)| a == b).count();
    let common = &a[a.len() - length..];
    let quote = match common {
        [.., b'"' | b'\''] => common.len() - 1,
        [.., b'"' | b'\'', b','] => common.len() - 2,
        _ => common.len(),
    };
    if is_quoted && quote < common.len() {
        return &common[quote..];
    }
    let element = memchr::memmem::find(common, b"</");
    element.map_or_else(|| trailing_pairs(common), |at| &common[at..])
}

/// Returns the pairs ` NAME=VALUE` with which a text ends.
fn trailing_pairs(text: &[u8]) -> &[u8] {
    let mut start = text.len();
    while let Some(space) = memchr::memrchr(b' ', &text[..start])
        && is_pair(&text[space + 1..start])
    {
        start = space;
    }
    &text[start..]
}

/// Returns true for `NAME=VALUE`, as log collectors append it to lines. It is neither a tag nor the
/// attribute of an XML element.
pub(super) fn is_pair(word: &[u8]) -> bool {
    let Some(end) = memchr::memchr(b'=', word) else {
        return false;
    };
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let value = &word[end + 1..];
    end > 0 && word[..end].iter().all(is_name) && !value.starts_with(b"=") && !word.ends_with(b">")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn learned_prefix_is_stripped() {
        let prefix = LearnedPrefix::learn(b"worker[12]: WARNING", 12, b"worker[12]:   x").unwrap();
        assert_eq!(
            prefix.strip(b"worker[13]:     #0 0x1"),
            Some(&b"    #0 0x1"[..])
        );
        assert_eq!(prefix.strip(b"worker[1345]: x"), Some(&b"x"[..]));
        assert_eq!(prefix.strip(b"worker[13]:"), Some(&b""[..]));
        let padded = LearnedPrefix::learn(b"a [  9s] x", 9, b"a [ 10s] y").unwrap();
        assert_eq!(padded.strip(b"a [100s]  z"), Some(&b" z"[..]));
        assert_eq!(prefix.strip(b"other"), None);
        assert_eq!(prefix.key(), b"\0worker[0]: ");
    }

    #[test]
    fn text_before_headline_of_a_program_is_no_prefix() {
        assert_eq!(
            LearnedPrefix::learn(b"test a ... error: x", 11, b" --> a.rs:1:2"),
            None
        );
        assert_eq!(
            LearnedPrefix::learn(b"  error: x", 2, b"   --> a.rs:1:2"),
            None
        );
    }

    #[test]
    fn suffix_is_learned_and_stripped() {
        for (first, at, later, line, want) in [
            ("- '==1==x'", 3, "- 'READ of'", "- '  #0 0x1'", "  #0 0x1"),
            ("    \"==1==x\",", 5, "    \"READ\",", "    \"a\",", "a"),
            (
                "WARNING a=b c=d",
                0,
                "Read a=b c=d",
                "  f() a=b c=d",
                "  f()",
            ),
            (
                "<p>WARNING: x</p>",
                3,
                "<p>Read</p>",
                "<p>  f()</p>",
                "  f()",
            ),
            ("101:==1==x", 4, "102-READ", "103-  #0 0x1", "  #0 0x1"),
        ] {
            let prefix = LearnedPrefix::learn(first.as_bytes(), at, later.as_bytes()).unwrap();
            assert_eq!(
                prefix.strip(line.as_bytes()),
                Some(want.as_bytes()),
                "{first}"
            );
        }
    }
}
