//! Terminal colors, parts of lines that are not broken, and whether stacks are complete.

use alloc::borrow::Cow;
use alloc::format;

use crate::emit::RenderOptions;
use crate::emit::wrap::unbroken;

/// Colors text if colors are enabled, and keeps names whole if lines are wrapped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    enabled: bool,
    wraps: bool,
    full_stacks: bool,
}

impl Paint {
    pub(crate) fn new(options: &RenderOptions<'_>) -> Self {
        Self {
            enabled: options.color,
            wraps: options.width.is_some(),
            full_stacks: options.full_stacks,
        }
    }

    /// Returns true if stacks have all frames, with complete names.
    pub(crate) fn shows_full_stacks(self) -> bool {
        self.full_stacks
    }

    /// Returns text in which no line is broken, such as a path or a symbol.
    pub(crate) fn whole<'a>(self, text: &'a str) -> Cow<'a, str> {
        if self.wraps {
            unbroken(text)
        } else {
            Cow::Borrowed(text)
        }
    }

    fn styled<'a>(self, code: &str, text: &'a str) -> Cow<'a, str> {
        if self.enabled {
            Cow::Owned(format!("\x1b[{code}m{text}\x1b[0m"))
        } else {
            Cow::Borrowed(text)
        }
    }

    pub(crate) fn bad<'a>(self, text: &'a str) -> Cow<'a, str> {
        self.styled("1;31", text)
    }

    pub(crate) fn good<'a>(self, text: &'a str) -> Cow<'a, str> {
        self.styled("1;32", text)
    }

    pub(crate) fn strong<'a>(self, text: &'a str) -> Cow<'a, str> {
        self.styled("1", text)
    }

    pub(crate) fn dim<'a>(self, text: &'a str) -> Cow<'a, str> {
        self.styled("2", text)
    }

    pub(crate) fn mark<'a>(self, text: &'a str) -> Cow<'a, str> {
        self.styled("1;36", text)
    }
}
