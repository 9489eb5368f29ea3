//! Documents: each format in a file of its own, all from the same [`Run`]. No format decides
//! anything.

mod annotations;
mod changes;
mod escape;
mod folded;
mod gitlab;
mod group;
mod html;
mod json;
mod junit;
mod listing;
mod markdown;
mod places;
mod sarif;
mod style;
mod text;
mod words;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

pub use self::annotations::{Annotation, annotations, command};
pub use self::changes::{changes_as_json, changes_as_text, changes_since};
pub use self::escape::terminal;
pub use self::html::{Panes, panes};
pub use self::listing::Listing;
pub use self::places::Spot;
pub use self::style::{Excerpt, Style, Suppress};
use crate::compare::Change;
use crate::culprit::Workspace;
use crate::parse::Parsed;
use crate::triage::{Gate, Triage};
use crate::verdict::Verdict;

/// A format of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// For people at a terminal.
    Text,
    /// For machines: one object of the schema `leakgate/v1`.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// One page for a browser.
    Html,
    /// For the summary of a job, and for comments.
    Markdown,
    /// JUnit's XML, for dashboards.
    Junit,
    /// Workflow commands of GitHub Actions.
    Annotations,
    /// GitLab's Code Quality report.
    Gitlab,
    /// Folded stacks of leaks, for flame graphs.
    Folded,
}

impl Format {
    /// Every format, in the order in which help lists them.
    pub const ALL: &'static [Self] = &[
        Self::Text,
        Self::Json,
        Self::Html,
        Self::Sarif,
        Self::Markdown,
        Self::Junit,
        Self::Annotations,
        Self::Gitlab,
        Self::Folded,
    ];

    /// The name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Html => "html",
            Self::Sarif => "sarif",
            Self::Markdown => "markdown",
            Self::Junit => "junit",
            Self::Annotations => "annotations",
            Self::Gitlab => "gitlab",
            Self::Folded => "folded",
        }
    }
}

impl Format {
    /// The format of this name.
    ///
    /// # Errors
    /// There is none; the message names those that there are.
    pub fn named(name: &str) -> Result<Self, String> {
        let known = || {
            Self::ALL
                .iter()
                .map(|f| f.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        };
        let format = Self::ALL.iter().find(|f| f.as_str() == name);
        format
            .copied()
            .ok_or_else(|| format!("`{name}` is no format; there are {}", known()))
    }
}

/// Everything that a document may tell.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    /// What was read.
    pub parsed: &'a Parsed,
    /// What it was held against.
    pub gate: &'a Gate,
    /// What becomes of it.
    pub triage: &'a Triage,
    /// Pass or fail.
    pub verdict: &'a Verdict,
    /// The repository, by which paths are shown.
    pub workspace: &'a dyn Workspace,
    /// Lines of source files.
    pub sources: &'a dyn Excerpt,
    /// What has changed since an earlier run, where one is at hand.
    pub changes: Option<&'a [Change]>,
}

impl fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("parsed", self.parsed)
            .field("verdict", self.verdict)
            .finish_non_exhaustive()
    }
}

/// A document as text.
pub fn document(run: &Run<'_>, format: Format, style: &Style<'_>) -> String {
    let mut text = String::new();
    // Writing into a string can't fail.
    let _ = write(run, format, style, &mut text);
    text
}

/// Writes a document.
///
/// # Errors
/// Only those of `out`.
pub fn write(
    run: &Run<'_>,
    format: Format,
    style: &Style<'_>,
    out: &mut dyn fmt::Write,
) -> fmt::Result {
    match format {
        Format::Text => text::write(run, style, out),
        Format::Json => json::write(run, out),
        Format::Html => html::write(run, style, out),
        Format::Sarif => sarif::write(run, style, out),
        Format::Markdown => markdown::write(run, style, out),
        Format::Junit => junit::write(run, out),
        Format::Annotations => annotations::write(run, out),
        Format::Gitlab => gitlab::write(run, out),
        Format::Folded => folded::write(run, style, out),
    }
}
