//! Regular expressions for names, and the texts that every match contains.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use once_cell::race::OnceBox;
use regex::bytes::{Captures, Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Hir, HirKind};

use crate::full;

/// Maximum size of a compiled expression, in bytes.
const MAX_SIZE: usize = 1 << 20;

/// Maximum length of a pattern that is compiled when it is used first, in bytes. Without counted
/// repetitions, its size is far below [`MAX_SIZE`].
const MAX_LAZY: usize = 1 << 10;

/// A regular expression and its required literals.
#[derive(Clone, Debug)]
pub(crate) struct Expression {
    pattern: String,
    /// Most rules match no log, because it has none of their literals, and compiling takes longer
    /// than reading a small log.
    regex: Arc<OnceBox<Regex>>,
    /// Every match contains at least one of these texts. Empty if no such texts are known.
    pub(crate) literals: Vec<String>,
}

impl Expression {
    /// Parses an expression.
    ///
    /// # Errors
    ///
    /// Returns the message of the `regex` crate if the pattern is invalid or too large.
    pub(crate) fn new(pattern: &str) -> Result<Self, String> {
        let regex = OnceBox::new();
        if pattern.len() > MAX_LAZY || pattern.contains('{') {
            regex.get_or_try_init(|| compile(pattern).map(Box::new))?;
        }
        let parsed = ParserBuilder::new()
            .unicode(false)
            .utf8(false)
            .build()
            .parse(pattern)
            .map_err(|e| e.to_string())?;
        let bytes = required_literals(&parsed).unwrap_or_default();
        let texts: Result<Vec<String>, _> = bytes
            .into_iter()
            .map(|b| String::from_utf8(b.to_vec()))
            .collect();
        Ok(Self {
            pattern: pattern.to_string(),
            regex: Arc::new(regex),
            literals: texts.unwrap_or_default(),
        })
    }

    /// Returns the compiled expression; `None` if it can't be compiled, so that it matches nothing.
    fn regex(&self) -> Option<&Regex> {
        full::require();
        let compile = || compile(&self.pattern).map(Box::new);
        self.regex.get_or_try_init(compile).ok()
    }

    /// Returns the groups of the first match.
    pub(crate) fn captures<'a>(&self, text: &'a [u8]) -> Option<Captures<'a>> {
        self.regex()?.captures(text)
    }

    /// Returns the groups of each match, from left to right.
    pub(crate) fn all_captures<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = Captures<'a>> {
        let regex = self.regex().into_iter();
        regex.flat_map(|regex| regex.captures_iter(text))
    }

    /// Returns the names of the groups.
    pub(crate) fn group_names(&self) -> Vec<&str> {
        let regex = self.regex().into_iter();
        regex
            .flat_map(|regex| regex.capture_names().flatten())
            .collect()
    }

    /// Returns true if the text contains a match.
    pub(crate) fn is_match(&self, text: &[u8]) -> bool {
        self.regex().is_some_and(|regex| regex.is_match(text))
    }
}

/// Compiles a pattern. Names are compared byte by byte; Unicode tables would double the size of the
/// web page.
fn compile(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(pattern)
        .unicode(false)
        .size_limit(MAX_SIZE)
        .build()
        .map_err(|e| e.to_string())
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
    fn errors_do_not_depend_on_the_time_of_compiling() {
        for pattern in [
            "(",
            "a**b)",
            r"\p{Greek}",
            "[z-a]",
            r"\8",
            "x{1000}{1000}{1000}",
        ] {
            let error = Expression::new(pattern).map(|_| ()).unwrap_err();
            assert_eq!(Some(error), compile(pattern).err(), "{pattern}");
        }
    }

    #[test]
    fn expressions_that_are_compiled_late_are_small_enough() {
        for part in [
            r"\w",
            "[^a]",
            "(a|b)*",
            "(?i:k)",
            r"\b",
            "(((a?)*)+)?",
            ".*",
            "(x)",
        ] {
            let expression = Expression::new(&part.repeat(MAX_LAZY / part.len())).unwrap();
            assert!(expression.regex().is_some(), "{part}");
        }
    }

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
