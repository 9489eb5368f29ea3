//! Terminal colors and width.

use alloc::borrow::Cow;
use alloc::format;

use crate::emit::RenderOptions;
use crate::emit::summary::shortened;

/// Colors text if colors are enabled, and shortens names to the width of the terminal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    enabled: bool,
    width: Option<usize>,
}

impl Paint {
    pub(crate) fn new(options: &RenderOptions<'_>) -> Self {
        Self {
            enabled: options.color,
            width: options.width,
        }
    }

    /// Shortens a name to fit in a line in which `taken` columns are used by other text. Does
    /// nothing if the width of the terminal is unknown.
    pub(crate) fn fit<'a>(self, name: &'a str, taken: usize) -> Cow<'a, str> {
        const MIN_WIDTH: usize = 24;
        self.width.map_or(Cow::Borrowed(name), |width| {
            shortened(name, width.saturating_sub(taken).max(MIN_WIDTH))
        })
    }

    fn wrap<'a>(self, code: &str, text: &'a str) -> Cow<'a, str> {
        if self.enabled {
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
