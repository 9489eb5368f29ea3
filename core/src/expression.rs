//! Regular expressions on names, and what must stand in whatever they find.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use regex::bytes::{Captures, Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Hir, HirKind};

/// The most memory that a compiled expression may take, in bytes.
const MAX_SIZE: usize = 1 << 20;

/// A regular expression, and texts of which one stands in every name that it is found in. There are
/// none where that is not known.
#[derive(Clone, Debug)]
pub(crate) struct Expression {
    regex: Regex,
    pub(crate) literals: Vec<String>,
}

impl Expression {
    /// Reads an expression; the error is what a person is told.
    pub(crate) fn read(pattern: &str) -> Result<Self, String> {
        // Names are compared byte by byte; tables of Unicode would double the size of the page.
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
        let bytes = parsed.as_ref().and_then(literals).unwrap_or_default();
        let texts: Result<Vec<String>, _> = bytes
            .into_iter()
            .map(|b| String::from_utf8(b.to_vec()))
            .collect();
        Ok(Self {
            regex,
            literals: texts.unwrap_or_default(),
        })
    }

    /// What the groups of the first match hold.
    pub(crate) fn captures<'a>(&self, text: &'a [u8]) -> Option<Captures<'a>> {
        self.regex.captures(text)
    }

    /// The names of the groups.
    pub(crate) fn groups(&self) -> Vec<&str> {
        self.regex.capture_names().flatten().collect()
    }

    pub(crate) fn is_found_in(&self, text: &[u8]) -> bool {
        self.regex.is_match(text)
    }
}

/// Texts of which one stands in whatever the expression matches; of several such sets the one whose
/// shortest text is longest.
fn literals(expression: &Hir) -> Option<Vec<&[u8]>> {
    match expression.kind() {
        HirKind::Literal(literal) => Some([&*literal.0].into()),
        HirKind::Capture(capture) => literals(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => literals(&repetition.sub),
        HirKind::Concat(parts) => parts
            .iter()
            .filter_map(literals)
            .max_by_key(|all| all.iter().map(|l| l.len()).min()),
        HirKind::Alternation(parts) => Some(
            parts
                .iter()
                .map(literals)
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
    fn what_must_stand_in_a_match_is_known() {
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
            let expression = Expression::read(pattern).unwrap();
            assert_eq!(expression.literals.join(" "), want, "{pattern}");
        }
    }
}
