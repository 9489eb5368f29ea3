//! Wildcards: those of valgrind, those of `leakgate.toml`, and the templates of the sanitizers.

use alloc::string::String;
use alloc::vec::Vec;

/// A pattern with `*` (any run) and `?` (one byte) that the whole text must match.
///
/// Source for valgrind's: `coregrind/m_seqmatch.c`, used with both ends anchored, case-sensitive,
/// without escapes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Glob {
    /// No wildcard.
    Exact(String),
    Wild(Vec<Token>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Token {
    Byte(u8),
    One,
    Any,
}

impl Glob {
    /// A pattern of valgrind's: nothing can be escaped.
    pub(crate) fn plain(pattern: &str) -> Self {
        let token = |b| match b {
            b'*' => Token::Any,
            b'?' => Token::One,
            b => Token::Byte(b),
        };
        Self::of(pattern.bytes().map(token).collect())
    }

    /// A pattern of `leakgate.toml`: `\` makes the next character an ordinary one. At the end of
    /// the pattern it is one itself.
    pub(crate) fn escaped(pattern: &str) -> Self {
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
        Self::of(tokens)
    }

    fn of(tokens: Vec<Token>) -> Self {
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

    /// The text that stands for itself in [`Glob::escaped`].
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

    /// The pattern as valgrind writes it. Nothing where a byte would need an escape, which valgrind
    /// has not.
    pub(crate) fn to_plain(&self) -> Option<String> {
        let text = self.write(|_| None)?;
        (Self::plain(&text) == *self).then_some(text)
    }

    /// The pattern as [`Glob::escaped`] reads it.
    pub(crate) fn to_escaped(&self) -> String {
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

    /// True when it matches any text.
    pub(crate) fn is_any(&self) -> bool {
        matches!(self, Self::Wild(tokens) if !tokens.is_empty() && tokens.iter().all(|t| *t == Token::Any))
    }

    /// The longest run of ordinary bytes: whatever matches holds it.
    pub(crate) fn needle(&self) -> &[Token] {
        match self {
            Self::Exact(_) => &[],
            Self::Wild(tokens) => tokens
                .split(|t| !matches!(t, Token::Byte(_)))
                .max_by_key(|run| run.len())
                .unwrap_or_default(),
        }
    }

    /// The one run of ordinary bytes of a pattern such as `*word*` that has no `?`.
    pub(crate) fn inner_word(&self) -> Option<String> {
        let Self::Wild(tokens) = self else {
            return None;
        };
        let [Token::Any, inner @ .., Token::Any] = tokens.as_slice() else {
            return None;
        };
        let first = inner.iter().position(|t| *t != Token::Any)?;
        let last = inner.iter().rposition(|t| *t != Token::Any)?;
        text_of(&inner[first..=last])
    }

    /// True when it matches whatever stands in the gaps of a text; a gap is a NUL, which `?` does
    /// not take.
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

/// Ordinary bytes as text; nothing where a wildcard is among them.
pub(crate) fn text_of(tokens: &[Token]) -> Option<String> {
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

/// Where two `*` could both take a byte, only the later one has to be tried again, so this takes at
/// most length x length steps.
fn matches(mut tokens: &[Token], mut text: &[u8], is_one: impl Fn(u8) -> bool) -> bool {
    // Most texts differ at their end already.
    while let [rest @ .., Token::Byte(b)] = tokens {
        match text {
            [before @ .., last] if last == b => (tokens, text) = (rest, before),
            _ => return false,
        }
    }
    let (mut t, mut at) = (0, 0);
    let mut again: Option<(usize, usize)> = None;
    loop {
        match tokens.get(t) {
            Some(Token::Any) => {
                t += 1;
                again = Some((t, at));
                continue;
            }
            Some(Token::One) if text.get(at).is_some_and(|b| is_one(*b)) => {
                (t, at) = (t + 1, at + 1);
                continue;
            }
            Some(Token::Byte(b)) if text.get(at) == Some(b) => {
                (t, at) = (t + 1, at + 1);
                continue;
            }
            None if at == text.len() => return true,
            _ => {}
        }
        let Some((token, start)) = again.filter(|(_, start)| *start < text.len()) else {
            return false;
        };
        (t, at) = (token, start + 1);
        again = Some((token, start + 1));
    }
}

/// A sanitizer's template: `*` is a gap, a leading `^` and a `$` are the ends, anything else stands
/// for itself. It is searched within the text, and each piece takes its first place: there is no
/// way back.
///
/// Source: compiler-rt `sanitizer_common/sanitizer_common.cpp` (`TemplateMatch`).
pub(crate) fn template_matches(template: &str, text: &str) -> bool {
    if text.is_empty() {
        return false;
    }
    let (mut template, mut text) = (template.as_bytes(), text.as_bytes());
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
    fn the_whole_text_must_match_and_stars_try_again() {
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
            assert_eq!(Glob::plain(pattern).matches(text), want, "{pattern} {text}");
        }
        assert!(Glob::escaped("f(int\\*, \\?\\\\)*").matches("f(int*, ?\\) const"));
        assert!(!Glob::escaped("f(int\\*)").matches("f(intx)"));
        assert!(Glob::escaped(&Glob::escape("*?\\[x]\"")).matches("*?\\[x]\""));
        assert!(
            Glob::plain("**").is_any() && !Glob::plain("*a").is_any() && !Glob::plain("").is_any()
        );
        assert_eq!(Glob::plain("**work*").inner_word().as_deref(), Some("work"));
        assert_eq!(Glob::plain("*a*b*").inner_word(), None);
    }

    #[test]
    fn a_long_pattern_of_stars_takes_no_long_time() {
        let pattern = "*a".repeat(200) + "b";
        assert!(!Glob::plain(&pattern).matches(&"a".repeat(20_000)));
    }

    /// What the sanitizers' own function says of each pair.
    #[test]
    fn templates() {
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
