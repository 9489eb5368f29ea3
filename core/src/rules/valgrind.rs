//! valgrind suppression files, parsed like valgrind does.
//!
//! ```text
//! # The comment above an entry is its reason.
//! {
//!    name
//!    Memcheck:Leak
//!    match-leak-kinds: definite
//!    fun:malloc
//!    ...
//!    fun:main
//! }
//! ```
//!
//! The contents of an entry for a tool that leakgate doesn't support are skipped up to its `}`,
//! like valgrind skips entries for other tools.
//!
//! Source: `coregrind/m_errormgr.c` (`load_one_suppressions_file`, `setLocationTy`,
//! `tool_name_present`), `memcheck/mc_errors.c` (`MC_(read_extra_suppression_info)`).

pub(crate) mod frames;
pub(crate) mod kinds;
mod mangled;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use self::kinds::{Extra, Family};
use super::glob::Glob;
use super::steps::StackStep;
use super::{Matcher, Origin, ReadError, Rule, RuleMetadata, Source};
use crate::diagnostic::{Diagnostic, nearest};
use crate::symbol;

/// Maximum number of frames of a stack (`VG_DEEPEST_BACKTRACE`). Lines of an entry beyond that are
/// never compared.
const MAX_FRAMES: usize = 500;

/// One suppression.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Entry {
    /// The tools that use the entry. Empty if leakgate supports none of them.
    pub(crate) families: Vec<Family>,
    /// The list of tools, as written.
    pub(crate) tools: String,
    /// The kind of error, as written.
    pub(crate) kind: String,
    /// The data between the kind and the stack.
    pub(crate) extra: Extra,
    /// The lines of the stack.
    pub(crate) locations: Vec<SuppressionFrame>,
}

impl Entry {
    /// Returns a text for the entry's conditions that is equal for entries with equal conditions.
    pub(crate) fn canonical_text(&self) -> String {
        let mut out = format!("\n{}:{}\n{}", self.tools, self.kind, self.extra.text());
        for location in &self.locations {
            out += &format!("\n{}", location.to_line());
        }
        out
    }
}

/// One line of an entry's stack.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum SuppressionFrame {
    /// `...`
    AnyFrames,
    /// `fun:`
    Function(FunctionPattern),
    /// `obj:`
    Object(Glob),
    /// `src:FILE` or `src:FILE:LINE`
    File(Glob, Option<u32>),
}

/// A pattern for a function name before demangling, and its demangled form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FunctionPattern {
    pub(crate) glob: Glob,
    /// The demangled form of a pattern without wildcards, if no other symbol has the same form.
    pub(crate) demangled: Option<String>,
}

impl FunctionPattern {
    fn new(pattern: &str) -> Self {
        let glob = Glob::from_valgrind(pattern);
        let demangled = match &glob {
            Glob::Exact(name) => {
                symbol::demangle(name).filter(|demangled| !frames::is_ambiguous(name, demangled))
            }
            Glob::Wild(_) => None,
        };
        Self { demangled, glob }
    }
}

impl SuppressionFrame {
    pub(crate) fn step(&self) -> StackStep {
        if matches!(self, Self::AnyFrames) {
            StackStep::AnyFrames
        } else {
            StackStep::One
        }
    }

    /// Returns true if the line matches any frame and therefore narrows nothing.
    pub(crate) fn matches_any_frame(&self) -> bool {
        match self {
            Self::AnyFrames => true,
            Self::Function(FunctionPattern { glob, .. })
            | Self::Object(glob)
            | Self::File(glob, _) => glob.matches_anything(),
        }
    }

    /// Returns the line in the syntax of a suppression file.
    pub(crate) fn to_line(&self) -> String {
        let pattern = |glob: &Glob| glob.to_valgrind().unwrap_or_default();
        match self {
            Self::AnyFrames => String::from("..."),
            Self::Function(name) => format!("fun:{}", pattern(&name.glob)),
            Self::Object(glob) => format!("obj:{}", pattern(glob)),
            Self::File(glob, None) => format!("src:{}", pattern(glob)),
            Self::File(glob, Some(line)) => format!("src:{}:{line}", pattern(glob)),
        }
    }

    /// Parses a line of a stack. Returns `None` for any other line.
    pub(crate) fn read(line: &str) -> Option<Self> {
        if line == "..." {
            return Some(Self::AnyFrames);
        }
        if let Some(name) = line.strip_prefix("fun:") {
            return Some(Self::Function(FunctionPattern::new(name)));
        }
        if let Some(path) = line.strip_prefix("obj:") {
            return Some(Self::Object(Glob::from_valgrind(path)));
        }
        let path = line.strip_prefix("src:")?;
        // An invalid line number matches any line.
        let (file, number) = path
            .rsplit_once(':')
            .map_or((path, None), |(file, n)| (file, n.parse().ok()));
        Some(Self::File(
            Glob::from_valgrind(file),
            number.filter(|n| *n > 0),
        ))
    }
}

/// Parses a suppression file. Returns its rules, and every error for which a tool would reject the
/// file.
pub(crate) fn read(name: &str, text: &str) -> (Vec<Rule>, Vec<Diagnostic>) {
    let mut lines = Lines {
        rest: text.lines().enumerate(),
        comment: Vec::new(),
        number: 0,
    };
    let mut rules = Vec::new();
    let mut errors = Vec::new();
    while let Some(line) = lines.next() {
        let start = lines.number;
        let reason = core::mem::take(&mut lines.comment).join(" ");
        let entry = if line == "{" {
            parse_entry(&mut lines)
        } else {
            Err(missing_brace(line))
        };
        match entry {
            Ok((id, entry)) => {
                let origin = Origin {
                    source: Source::Valgrind,
                    file: name.into(),
                    line: start,
                };
                rules.push(Rule {
                    metadata: RuleMetadata::new(reason),
                    ..Rule::new(id, origin, Matcher::Valgrind(entry))
                });
            }
            Err(error) => {
                errors.push(Diagnostic::at_line(name, text, lines.number, error));
                if line == "{" {
                    lines.skip_entry();
                } else {
                    lines.skip_to_brace();
                }
            }
        }
        lines.comment.clear();
    }
    errors.extend(unterminated_comment(name, text));
    (rules, errors)
}

/// Returns an error if the file ends with a comment without a line feed, which valgrind rejects.
fn unterminated_comment(name: &str, text: &str) -> Option<Diagnostic> {
    let last = text.lines().next_back()?.trim();
    if text.ends_with('\n') || !last.starts_with('#') {
        return None;
    }
    let number = u32::try_from(text.lines().count()).unwrap_or(u32::MAX);
    let message = format!("missing line feed after the comment `{last}`; valgrind requires one");
    Some(Diagnostic::at_line(name, text, number, message))
}

fn missing_brace(line: &str) -> ReadError {
    if line.starts_with('{') {
        return "`{` must be on its own line".into();
    }
    format!("expected `{{` or the end of the file, found `{line}`").into()
}

/// Iterates over lines that are neither blank nor comments, trimmed.
struct Lines<'a> {
    rest: core::iter::Enumerate<core::str::Lines<'a>>,
    /// The comment directly above the current line.
    comment: Vec<&'a str>,
    /// Number of the current line, counted from 1.
    number: u32,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a str> {
        for (at, line) in self.rest.by_ref() {
            // The same characters as `isspace`, which includes vertical tabs.
            let line =
                line.trim_matches(|c: char| matches!(c, ' ' | '\t' | '\r' | '\x0b' | '\x0c'));
            if let Some(comment) = line.strip_prefix('#') {
                let text = comment.trim_matches(|c: char| c == '#' || c.is_whitespace());
                if !text.is_empty() {
                    self.comment.push(text);
                }
            } else if line.is_empty() {
                self.comment.clear();
            } else {
                self.number = u32::try_from(at + 1).unwrap_or(u32::MAX);
                return Some(line);
            }
        }
        None
    }

    /// Returns the next line of an entry, which must not be the end of the file.
    fn next_in_entry(&mut self) -> Result<&'a str, ReadError> {
        self.next()
            .ok_or_else(|| "unexpected end of file: missing `}`".into())
    }

    /// Skips the rest of an entry after an error.
    fn skip_entry(&mut self) {
        while self.next().is_some_and(|line| line != "}") {}
    }

    /// Skips invalid lines between entries, up to the next line that is `{`.
    fn skip_to_brace(&mut self) {
        let mut ahead = self.rest.clone();
        while let Some((_, line)) = ahead.next() {
            if line.trim() == "{" {
                return;
            }
            self.rest = ahead.clone();
        }
    }
}

/// Parses an entry after its `{`. Returns its name and the entry.
fn parse_entry(lines: &mut Lines<'_>) -> Result<(String, Entry), ReadError> {
    let id = lines.next_in_entry()?;
    if id == "}" {
        return Err("unexpected `}`: missing name of the entry".into());
    }
    let kind_line = lines.next_in_entry()?;
    let (tools, kind) = kind_line.split_once(':').ok_or_else(|| {
        format!(
            "invalid suppression kind `{kind_line}`; expected `tool:kind`, such as `Memcheck:Leak`"
        )
    })?;
    let named: Vec<Family> = Family::ALL
        .iter()
        .copied()
        .filter(|f| f.is_named_in(tools))
        .collect();
    let mut entry = Entry {
        families: named.clone(),
        tools: tools.into(),
        kind: kind.into(),
        extra: Extra::None,
        locations: Vec::new(),
    };
    if named.is_empty() {
        while lines.next_in_entry()? != "}" {}
        return Ok((id.into(), entry));
    }
    entry.families.retain(|family| family.has_kind(kind));
    if entry.families.is_empty() {
        let known = named
            .iter()
            .flat_map(|family| family.kinds().iter().copied());
        let help =
            nearest(kind, known).map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        let tool = named[0].name();
        return Err(format!("unknown {tool} suppression kind `{kind}`{help}").into());
    }
    let first = lines.next_in_entry()?;
    let (extra, is_consumed) = Extra::read(kind, first)?;
    entry.extra = extra;
    entry.locations = parse_stack(lines, (!is_consumed).then_some(first))?;
    Ok((id.into(), entry))
}

/// Parses the stack of an entry, up to and including its `}`. `first` is its first line if that was
/// already read.
fn parse_stack<'a>(
    lines: &mut Lines<'a>,
    first: Option<&'a str>,
) -> Result<Vec<SuppressionFrame>, ReadError> {
    let mut locations = Vec::new();
    let mut line = match first {
        Some(line) => line,
        None => lines.next_in_entry()?,
    };
    while line != "}" {
        let location = SuppressionFrame::read(line).ok_or_else(|| {
            format!("invalid stack line `{line}`; expected one of: `...`, `fun:`, `obj:`, `src:`")
        })?;
        if locations.len() < MAX_FRAMES {
            locations.push(location);
        }
        line = lines.next_in_entry()?;
    }
    if locations.is_empty() {
        return Err("missing stack".into());
    }
    if locations.iter().all(|l| *l == SuppressionFrame::AnyFrames) {
        return Err("invalid stack: expected at least one line other than `...`".into());
    }
    Ok(locations)
}

/// Returns the tool that an unknown name probably refers to. valgrind's tool names are
/// case-sensitive.
pub(crate) fn suggest_tool(tools: &str) -> Option<&'static str> {
    let names = || Family::ALL.iter().map(|f| f.name());
    tools.split(',').find_map(|tool| {
        let tool = tool.trim();
        names()
            .find(|n| n.eq_ignore_ascii_case(tool))
            .or_else(|| nearest(tool, names()))
    })
}
