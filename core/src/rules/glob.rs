//! Wildcard patterns of valgrind and `leakgate.toml`, and the templates of the sanitizers.

use alloc::string::String;
use alloc::vec::Vec;

/// A pattern with `*` (any text) and `?` (one byte) that must match the whole text.
///
/// Source for valgrind's syntax: `coregrind/m_seqmatch.c`, used with both ends anchored,
/// case-sensitive, without escapes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Glob {
    /// A text without wildcards.
    Exact(String),
    /// A pattern with at least one wildcard.
    Wild(Vec<Token>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Token {
    /// A literal byte.
    Byte(u8),
    /// `?`
    One,
    /// `*`
    Any,
}

impl Glob {
    /// Parses valgrind's syntax, which has no escapes.
    pub(crate) fn from_valgrind(pattern: &str) -> Self {
        let token = |b| match b {
            b'*' => Token::Any,
            b'?' => Token::One,
            b => Token::Byte(b),
        };
        Self::from_tokens(pattern.bytes().map(token).collect())
    }

    /// Parses the syntax of `leakgate.toml`, in which `\` escapes the next character. At the end of
    /// the pattern, `\` is a literal.
    pub(crate) fn from_toml(pattern: &str) -> Self {
        let mut tokens = Vec::with_capacity(pattern.len());
        let mut bytes = pattern.bytes();
        while let Some(b) = bytes.next() {
            tokens.push(match b {
                b'*' => Token::Any,
                b'?' => Token::One,
                b'\\' => Token::Byte(bytes.next().unwrap_or(b'\\')),
                b => Token::Byte(b),
            });
        }
        Self::from_tokens(tokens)
    }

    fn from_tokens(tokens: Vec<Token>) -> Self {
        let byte = |t: &Token| match t {
            Token::Byte(b) => Some(*b),
            _ => None,
        };
        let literal: Option<Vec<u8>> = tokens.iter().map(byte).collect();
        match literal.map(String::from_utf8) {
            Some(Ok(text)) => Self::Exact(text),
            _ => Self::Wild(tokens),
        }
    }

    /// Escapes a text so that [`Glob::from_toml`] parses it as a literal.
    pub(crate) fn escape(text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            if matches!(c, '*' | '?' | '\\') {
                out.push('\\');
            }
            out.push(c);
        }
        out
    }

    /// Returns the pattern in valgrind's syntax, or `None` if a byte would need an escape.
    pub(crate) fn to_valgrind(&self) -> Option<String> {
        let text = self.write(|_| None)?;
        (Self::from_valgrind(&text) == *self).then_some(text)
    }

    /// Returns the pattern in the syntax of [`Glob::from_toml`].
    pub(crate) fn to_toml(&self) -> String {
        self.write(|b| matches!(b, b'*' | b'?' | b'\\').then_some(b'\\'))
            .unwrap_or_default()
    }

    fn write(&self, escape: impl Fn(u8) -> Option<u8>) -> Option<String> {
        let tokens: Vec<Token> = match self {
            Self::Exact(text) => text.bytes().map(Token::Byte).collect(),
            Self::Wild(tokens) => tokens.clone(),
        };
        let mut out = Vec::with_capacity(tokens.len());
        for token in tokens {
            match token {
                Token::Any => out.push(b'*'),
                Token::One => out.push(b'?'),
                Token::Byte(b) => {
                    out.extend(escape(b));
                    out.push(b);
                }
            }
        }
        String::from_utf8(out).ok()
    }

    /// Returns true if the pattern matches any text.
    pub(crate) fn matches_anything(&self) -> bool {
        match self {
            Self::Exact(_) => false,
            Self::Wild(tokens) => {
                !tokens.is_empty() && tokens.iter().all(|token| *token == Token::Any)
            }
        }
    }

    /// Returns the longest run of literal bytes, which every matching text contains. Empty for
    /// [`Glob::Exact`].
    pub(crate) fn longest_literal(&self) -> &[Token] {
        match self {
            Self::Exact(_) => &[],
            Self::Wild(tokens) => tokens
                .split(|t| !matches!(t, Token::Byte(_)))
                .max_by_key(|run| run.len())
                .unwrap_or_default(),
        }
    }

    /// Returns the only run of literal bytes of a pattern such as `*word*`. Returns `None` for
    /// other patterns.
    pub(crate) fn inner_word(&self) -> Option<String> {
        let Self::Wild(tokens) = self else {
            return None;
        };
        let [Token::Any, inner @ .., Token::Any] = tokens.as_slice() else {
            return None;
        };
        let first = inner.iter().position(|t| *t != Token::Any)?;
        let last = inner.iter().rposition(|t| *t != Token::Any)?;
        literal_text(&inner[first..=last])
    }

    /// Returns true if the pattern matches the text whatever its gaps contain. A gap is a NUL byte,
    /// which `?` doesn't match.
    pub(crate) fn matches_around_gaps(&self, text: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == text,
            Self::Wild(tokens) => matches(tokens, text.as_bytes(), |b| b != 0),
        }
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == text,
            Self::Wild(tokens) => matches(tokens, text.as_bytes(), |_| true),
        }
    }
}

/// Returns literal bytes as text, or `None` if there is a wildcard among the tokens.
pub(crate) fn literal_text(tokens: &[Token]) -> Option<String> {
    let bytes: Option<Vec<u8>> = tokens
        .iter()
        .map(|t| {
            if let Token::Byte(b) = t {
                Some(*b)
            } else {
                None
            }
        })
        .collect();
    String::from_utf8(bytes?).ok()
}

/// Matches with backtracking. If two `*` could match a byte, only the later one has to be retried,
/// so the time is at most the length of the pattern times the length of the text.
fn matches(mut tokens: &[Token], mut text: &[u8], is_one: impl Fn(u8) -> bool) -> bool {
    // Most texts already differ at their end.
    while let [rest @ .., Token::Byte(b)] = tokens {
        match text {
            [before @ .., last] if last == b => (tokens, text) = (rest, before),
            _ => return false,
        }
    }
    let mut t = 0;
    let mut at = 0;
    let mut retry: Option<(usize, usize)> = None;
    loop {
        match tokens.get(t) {
            Some(Token::Any) => {
                t += 1;
                retry = Some((t, at));
                continue;
            }
            Some(Token::One) if text.get(at).is_some_and(|b| is_one(*b)) => {
                t += 1;
                at += 1;
                continue;
            }
            Some(Token::Byte(b)) if text.get(at) == Some(b) => {
                t += 1;
                at += 1;
                continue;
            }
            None if at == text.len() => return true,
            _ => {}
        }
        let Some((token, start)) = retry.filter(|(_, start)| *start < text.len()) else {
            return false;
        };
        t = token;
        at = start + 1;
        retry = Some((token, at));
    }
}

/// Returns true if a sanitizer's template matches: `*` is any text, a leading `^` and a `$` are the
/// ends, and all other characters are literals. The template is searched for within the text. Each
/// piece matches at its first position, without backtracking.
///
/// Source: compiler-rt `sanitizer_common/sanitizer_common.cpp` (`TemplateMatch`).
pub(crate) fn template_matches(template: &str, text: &str) -> bool {
    if text.is_empty() {
        return false;
    }
    let mut template = template.as_bytes();
    let mut text = text.as_bytes();
    let mut anchored = false;
    if let [b'^', rest @ ..] = template {
        (template, anchored) = (rest, true);
    }
    let mut gap = false;
    while let Some(first) = template.first() {
        match first {
            b'*' => {
                (template, anchored, gap) = (&template[1..], false, true);
                continue;
            }
            b'$' => return text.is_empty() || gap,
            _ => {}
        }
        if text.is_empty() {
            return false;
        }
        let end = template
            .iter()
            .position(|b| matches!(b, b'*' | b'$'))
            .unwrap_or(template.len());
        let (piece, rest) = template.split_at(end);
        match memchr::memmem::find(text, piece) {
            Some(at) if at == 0 || !anchored => text = &text[at + piece.len()..],
            _ => return false,
        }
        (template, anchored, gap) = (rest, false, false);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glob_matches_whole_text_with_backtracking() {
        for (pattern, text, want) in [
            ("malloc", "malloc", true),
            ("malloc", "mallocx", false),
            ("*", "", true),
            ("", "", true),
            ("", "x", false),
            ("a*b", "axbxb", true),
            ("a*b*c", "abbbc", true),
            ("*ab*ab", "abab", true),
            ("*ab*ab", "ab", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("???", "???", true),
            ("[a]", "[a]", true),
            ("a\\*", "a\\x", true),
        ] {
            assert_eq!(
                Glob::from_valgrind(pattern).matches(text),
                want,
                "{pattern} {text}"
            );
        }
        assert!(Glob::from_toml("f(int\\*, \\?\\\\)*").matches("f(int*, ?\\) const"));
        assert!(!Glob::from_toml("f(int\\*)").matches("f(intx)"));
        assert!(Glob::from_toml(&Glob::escape("*?\\[x]\"")).matches("*?\\[x]\""));
        assert!(
            Glob::from_valgrind("**").matches_anything()
                && !Glob::from_valgrind("*a").matches_anything()
                && !Glob::from_valgrind("").matches_anything()
        );
        assert_eq!(
            Glob::from_valgrind("**work*").inner_word().as_deref(),
            Some("work")
        );
        assert_eq!(Glob::from_valgrind("*a*b*").inner_word(), None);
    }

    #[test]
    fn long_pattern_of_stars_is_fast() {
        let pattern = "*a".repeat(200) + "b";
        assert!(!Glob::from_valgrind(&pattern).matches(&"a".repeat(20_000)));
    }

    /// The expected results are those of compiler-rt's `TemplateMatch`.
    #[test]
    fn templates_match_like_compiler_rt() {
        for (template, text, want) in [
            ("foo", "xfoox", true),
            ("", "abc", true),
            ("", "", false),
            ("^foo", "foobar", true),
            ("^foo", "xfoo", false),
            ("foo$", "xfoo", true),
            ("foo$", "foo_foo", false),
            ("*foo$", "foo_foo", false),
            ("foo*$", "foo_bar", true),
            ("^foo$", "foo", true),
            ("^foo$", "foox", false),
            ("^*foo", "xfoo", true),
            ("a*b", "xaxxbx", true),
            ("a*b$", "xaxbxb", false),
            ("a**b", "ab", true),
            ("a?b", "axb", false),
            ("a?b", "a?b", true),
            ("f^o", "f^o", true),
            ("foo$bar", "foo", true),
            ("$", "a", false),
            ("*", "a", true),
            ("*$", "a", true),
            ("^$", "a", false),
            ("^$", "", false),
            ("malloc", "__interceptor_malloc", true),
            ("a.b", "a.b", true),
            ("*libfoo.so", "/usr/lib/libfoo.so.1", true),
            ("std::*::get", "std::x::y::get()", true),
            ("FOO", "foo", false),
            ("a*", "b", false),
            ("aab$", "aaab", true),
            ("^a*a$", "aa", true),
            ("^a*a$", "aaxa", false),
        ] {
            assert_eq!(template_matches(template, text), want, "{template} {text}");
        }
    }
}
