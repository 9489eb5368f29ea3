//! Regular expressions for names, and the texts that every match contains.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use regex::bytes::{Captures, Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Hir, HirKind};

/// Maximum size of a compiled expression, in bytes.
const MAX_SIZE: usize = 1 << 20;

/// A regular expression and its required literals.
#[derive(Clone, Debug)]
pub(crate) struct Expression {
    regex: Regex,
    /// Every match contains at least one of these texts. Empty if no such texts are known.
    pub(crate) literals: Vec<String>,
}

impl Expression {
    /// Compiles an expression.
    ///
    /// # Errors
    ///
    /// Returns the message of the `regex` crate if the pattern is invalid or too large.
    pub(crate) fn new(pattern: &str) -> Result<Self, String> {
        // Names are compared byte by byte. Unicode tables would double the size of the web page.
        let regex = RegexBuilder::new(pattern)
            .unicode(false)
            .size_limit(MAX_SIZE)
            .build()
            .map_err(|e| e.to_string())?;
        let parsed = ParserBuilder::new()
            .unicode(false)
            .utf8(false)
            .build()
            .parse(pattern)
            .ok();
        let bytes = parsed
            .as_ref()
            .and_then(required_literals)
            .unwrap_or_default();
        let texts: Result<Vec<String>, _> = bytes
            .into_iter()
            .map(|b| String::from_utf8(b.to_vec()))
            .collect();
        Ok(Self {
            regex,
            literals: texts.unwrap_or_default(),
        })
    }

    /// Returns the groups of the first match.
    pub(crate) fn captures<'a>(&self, text: &'a [u8]) -> Option<Captures<'a>> {
        self.regex.captures(text)
    }

    /// Returns the groups of each match, from left to right.
    pub(crate) fn all_captures<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = Captures<'a>> {
        self.regex.captures_iter(text)
    }

    /// Returns the names of the groups.
    pub(crate) fn group_names(&self) -> Vec<&str> {
        self.regex.capture_names().flatten().collect()
    }

    /// Returns true if the text contains a match.
    pub(crate) fn is_match(&self, text: &[u8]) -> bool {
        self.regex.is_match(text)
    }
}

/// Returns texts of which every match contains at least one, or `None` if no such texts are known.
/// If there are several such sets, returns the one whose shortest text is longest.
fn required_literals(expression: &Hir) -> Option<Vec<&[u8]>> {
    match expression.kind() {
        HirKind::Literal(literal) => Some([&*literal.0].into()),
        HirKind::Capture(capture) => required_literals(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => required_literals(&repetition.sub),
        HirKind::Concat(parts) => parts
            .iter()
            .filter_map(required_literals)
            .max_by_key(|all| all.iter().map(|l| l.len()).min()),
        HirKind::Alternation(parts) => Some(
            parts
                .iter()
                .map(required_literals)
                .collect::<Option<Vec<_>>>()?
                .concat(),
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn required_literals_are_found() {
        for (pattern, want) in [
            ("^(net|ui)::S.*_gone1[a-z]", "_gone1"),
            ("ab|cd+", "ab d"),
            ("ab|.*", ""),
            ("(?:work)?", ""),
            ("(work){2,}x?", "work"),
            ("(?i)work", ""),
            (r"\bA::\w+::get\(", "::get("),
            (r"\xff", ""),
        ] {
            let expression = Expression::new(pattern).unwrap();
            assert_eq!(expression.literals.join(" "), want, "{pattern}");
        }
    }
}
