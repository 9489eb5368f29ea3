//! Colours of the terminal.

use alloc::borrow::Cow;
use alloc::format;

/// Colours text, or does not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    pub(crate) on: bool,
}

impl Paint {
    fn wrap<'a>(self, code: &str, text: &'a str) -> Cow<'a, str> {
        if self.on { Cow::Owned(format!("\x1b[{code}m{text}\x1b[0m")) } else { Cow::Borrowed(text) }
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
