//! Colours of the terminal, and its width.

use alloc::borrow::Cow;
use alloc::format;

use crate::emit::Style;
use crate::emit::words::shortened;

/// Colours text, or does not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    on: bool,
    width: Option<usize>,
}

impl Paint {
    pub(crate) fn of(style: &Style<'_>) -> Self {
        Self {
            on: style.colour,
            width: style.width,
        }
    }

    /// A name that gives way to what else stands in its line, `taken` columns, where the terminal
    /// is too narrow for both.
    pub(crate) fn fit<'a>(self, name: &'a str, taken: usize) -> Cow<'a, str> {
        const SHORTEST: usize = 24;
        self.width.map_or(Cow::Borrowed(name), |width| {
            shortened(name, width.saturating_sub(taken).max(SHORTEST))
        })
    }

    fn wrap<'a>(self, code: &str, text: &'a str) -> Cow<'a, str> {
        if self.on {
            Cow::Owned(format!("\x1b[{code}m{text}\x1b[0m"))
        } else {
            Cow::Borrowed(text)
        }
    }

    pub(crate) fn bad<'a>(self, text: &'a str) -> Cow<'a, str> {
        self.wrap("1;31", text)
    }

    pub(crate) fn good<'a>(self, text: &'a str) -> Cow<'a, str> {
        self.wrap("1;32", text)
    }

    pub(crate) fn strong<'a>(self, text: &'a str) -> Cow<'a, str> {
        self.wrap("1", text)
    }

    pub(crate) fn dim<'a>(self, text: &'a str) -> Cow<'a, str> {
        self.wrap("2", text)
    }

    pub(crate) fn mark<'a>(self, text: &'a str) -> Cow<'a, str> {
        self.wrap("1;36", text)
    }
}
