//! How documents are laid out.

use alloc::string::String;
use alloc::vec::Vec;

use crate::culprit::NoWorkspace;
use crate::parse::Parsed;
use crate::rules::{Language, Wording, Written};
use crate::triage::Triage;

/// How documents are laid out, and what they hold beside what every document holds.
#[derive(Clone, Copy, Debug)]
pub struct Style<'a> {
    /// Colours, by ANSI sequences. Only text has them.
    pub colour: bool,
    /// How many columns the terminal has; without it, lines are as long as they are. Only text
    /// heeds it.
    pub width: Option<usize>,
    /// Findings that do not fail stand in the document, too: in SARIF marked as accepted, in
    /// folded stacks beside the others.
    pub accepted: bool,
    /// The most characters of a document that goes to a service with a limit (markdown). Counted
    /// are UTF-16 code units: each of the other ways to count characters gives as many or
    /// fewer.
    pub budget: usize,
    /// What tells a SARIF document from others about the same commit, such as the leg of a matrix.
    pub category: &'a str,
    /// What writes the entries that accept findings: [`crate::suppress`]. Without it markdown
    /// shows none; a page that has no use for them need not carry what reads them back.
    pub suppress: Option<Suppress>,
}

/// The type of [`crate::suppress`].
pub type Suppress = fn(&Parsed, &Triage, &[String], Language, &Wording) -> Vec<Written>;

impl Style<'_> {
    /// What a comment of GitHub may hold, 65,536 characters, less a margin for what somebody puts
    /// before it.
    pub const BUDGET: usize = 65_000;

    /// The least that holds the verdict.
    pub const LEAST: usize = 2000;

    /// The category where none is named.
    pub const CATEGORY: &'static str = "leakgate";
}

impl Default for Style<'_> {
    fn default() -> Self {
        Self {
            colour: false,
            width: None,
            accepted: false,
            budget: Self::BUDGET,
            category: Self::CATEGORY,
            suppress: None,
        }
    }
}

/// Lines of source files, for those who may show them.
pub trait Excerpt {
    /// A line, from 1, of a file of the repository, by the path that [`crate::Workspace::resolve`]
    /// gave.
    fn line(&self, file: &str, line: u32) -> Option<String>;
}

/// Where there is no repository, there is no source.
impl Excerpt for NoWorkspace {
    fn line(&self, _: &str, _: u32) -> Option<String> {
        None
    }
}
