//! The body of a Buildkite annotation, for `buildkite-agent annotate`
//! (<https://buildkite.com/docs/agent/v3/cli-annotate>). It's the Markdown report within
//! Buildkite's limit.

use core::fmt;

use super::{RenderOptions, Run, markdown};

/// Maximum length, in UTF-16 code units. Buildkite accepts 1 MiB, and a unit takes at most three
/// bytes.
const MAX_CHARACTERS: usize = (1 << 20) / 3;

/// Writes the body.
pub(crate) fn write(
    run: &Run<'_>,
    options: &RenderOptions<'_>,
    out: &mut dyn fmt::Write,
) -> fmt::Result {
    let options = RenderOptions {
        max_characters: MAX_CHARACTERS,
        ..*options
    };
    markdown::write(run, &options, out)
}
