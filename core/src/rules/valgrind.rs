//! valgrind's suppression files, read as valgrind reads them.
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
//! An entry for a tool that leakgate does not read is skipped up to its `}` without a look at what
//! it holds, as valgrind does.
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
use super::steps::Step;
use super::{About, Matcher, Origin, Rule, Source};
use crate::mistake::{Mistake, nearest};
use crate::symbol;

/// No stack has more frames (`VG_DEEPEST_BACKTRACE`), so what an entry says beyond is never
/// compared.
const DEEPEST: usize = 500;

/// An entry that some tool of valgrind's looks at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Entry {
    /// The tools that look at it. Empty where leakgate reads none of them.
    pub(crate) families: Vec<Family>,
    /// The list of tools, as it is written.
    pub(crate) tools: String,
    /// The kind of error, as it is written.
    pub(crate) kind: String,
    pub(crate) extra: Extra,
    pub(crate) locations: Vec<Location>,
}

impl Entry {
    /// What it matches, as a text.
    pub(crate) fn meaning(&self) -> String {
        let mut out = format!("\n{}:{}\n{}", self.tools, self.kind, self.extra.text());
        for location in &self.locations {
            out += &format!("\n{}", location.text());
        }
        out
    }
}

/// One line of an entry's stack.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Location {
    /// `...`
    Dots,
    /// `fun:`
    Function(Name),
    /// `obj:`
    Object(Glob),
    /// `src:FILE` or `src:FILE:LINE`
    File(Glob, Option<u32>),
}

/// A pattern for a function, and what it means after demangling.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    pub(crate) glob: Glob,
    /// The demangled form of a pattern without wildcards, where no other symbol has the same.
    pub(crate) demangled: Option<String>,
}

impl Name {
    fn new(pattern: &str) -> Self {
        let glob = Glob::plain(pattern);
        let demangled = match &glob {
            Glob::Exact(name) => {
                symbol::demangle(name).filter(|demangled| !frames::names_several(name, demangled))
            }
            Glob::Wild(_) => None,
        };
        Self { demangled, glob }
    }
}

impl Location {
    pub(crate) fn step(&self) -> Step {
        if matches!(self, Self::Dots) {
            Step::Gap
        } else {
            Step::One
        }
    }

    /// True when it takes any frame, so that it says nothing.
    pub(crate) fn is_any(&self) -> bool {
        match self {
            Self::Dots => true,
            Self::Function(Name { glob, .. }) | Self::Object(glob) | Self::File(glob, _) => {
                glob.is_any()
            }
        }
    }

    /// The line as it is written.
    pub(crate) fn text(&self) -> String {
        let plain = |glob: &Glob| glob.to_plain().unwrap_or_default();
        match self {
            Self::Dots => String::from("..."),
            Self::Function(name) => format!("fun:{}", plain(&name.glob)),
            Self::Object(glob) => format!("obj:{}", plain(glob)),
            Self::File(glob, None) => format!("src:{}", plain(glob)),
            Self::File(glob, Some(line)) => format!("src:{}:{line}", plain(glob)),
        }
    }

    /// Reads a line; nothing where it is no location.
    pub(crate) fn read(line: &str) -> Option<Self> {
        if line == "..." {
            return Some(Self::Dots);
        }
        if let Some(name) = line.strip_prefix("fun:") {
            return Some(Self::Function(Name::new(name)));
        }
        if let Some(path) = line.strip_prefix("obj:") {
            return Some(Self::Object(Glob::plain(path)));
        }
        let path = line.strip_prefix("src:")?;
        // What is no line number means any line.
        let (file, number) = path
            .rsplit_once(':')
            .map_or((path, None), |(file, n)| (file, n.parse().ok()));
        Some(Self::File(Glob::plain(file), number.filter(|n| *n > 0)))
    }
}

/// Reads a file: its rules, and every mistake for which a tool would refuse it.
pub(crate) fn read(name: &str, text: &str) -> (Vec<Rule>, Vec<Mistake>) {
    let mut lines = Lines {
        rest: text.lines().enumerate(),
        comment: Vec::new(),
        number: 0,
    };
    let (mut rules, mut mistakes) = (Vec::new(), Vec::new());
    while let Some(line) = lines.next() {
        let start = lines.number;
        let reason = core::mem::take(&mut lines.comment).join(" ");
        let entry = if line == "{" {
            entry(&mut lines)
        } else {
            Err(no_brace(line))
        };
        match entry {
            Ok((id, entry)) => {
                let origin = Origin {
                    source: Source::Valgrind,
                    file: name.into(),
                    line: start,
                };
                let about = About {
                    reason,
                    ..About::default()
                };
                rules.push(Rule {
                    about,
                    ..Rule::new(id, origin, Matcher::Valgrind(entry))
                });
            }
            Err(what) => {
                let what = if lines.number == 0 {
                    String::from("unexpected end of the file")
                } else {
                    what
                };
                mistakes.push(Mistake::at_line(name, text, lines.number.max(start), what));
                if line == "{" {
                    lines.skip_entry();
                } else {
                    lines.skip_to_brace();
                }
            }
        }
        lines.comment.clear();
    }
    if let Some(last) = text
        .lines()
        .next_back()
        .filter(|l| !text.ends_with('\n') && l.trim_start().starts_with('#'))
    {
        let number = u32::try_from(text.lines().count()).unwrap_or(u32::MAX);
        let what = format!(
            "`{}` has no line feed behind it; after a comment valgrind wants one",
            last.trim()
        );
        mistakes.push(Mistake::at_line(name, text, number, what));
    }
    (rules, mistakes)
}

fn no_brace(line: &str) -> String {
    if line.starts_with('{') {
        return String::from("`{` must stand on a line of its own");
    }
    format!("`{{` or the end of the file is expected, not `{line}`")
}

/// Lines that are neither blank nor comments, without blanks around them.
struct Lines<'a> {
    rest: core::iter::Enumerate<core::str::Lines<'a>>,
    /// The comment right above the line that was read last.
    comment: Vec<&'a str>,
    /// The number of that line.
    number: u32,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a str> {
        for (at, line) in self.rest.by_ref() {
            // `isspace`, which also takes vertical tabs.
            let line =
                line.trim_matches(|c: char| matches!(c, ' ' | '\t' | '\r' | '\x0b' | '\x0c'));
            if let Some(comment) = line.strip_prefix('#') {
                let words = comment.trim_matches(|c: char| c == '#' || c.is_whitespace());
                if !words.is_empty() {
                    self.comment.push(words);
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

    fn within(&mut self) -> Result<&'a str, String> {
        self.next()
            .ok_or_else(|| String::from("unexpected end of the file: an entry has no `}`"))
    }

    /// After a mistake: the rest of the entry.
    fn skip_entry(&mut self) {
        while self.next().is_some_and(|line| line != "}") {}
    }

    /// After something between entries: up to the next one, which is then read from its second line
    /// on.
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

fn entry(lines: &mut Lines<'_>) -> Result<(String, Entry), String> {
    let id = lines.within()?;
    if id == "}" {
        return Err(String::from("unexpected `}`: an entry needs a name"));
    }
    let kind_line = lines.within()?;
    let (tools, kind) = kind_line
        .split_once(':')
        .ok_or_else(|| format!("`{kind_line}` is no `tool:kind`, such as `Memcheck:Leak`"))?;
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
        while lines.within()? != "}" {}
        return Ok((id.into(), entry));
    }
    entry.families.retain(|family| family.knows(kind));
    if entry.families.is_empty() {
        let known = named
            .iter()
            .flat_map(|family| family.kinds().iter().copied());
        let help =
            nearest(kind, known).map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        return Err(format!(
            "`{kind}` is no kind of suppression that {} knows{help}",
            named[0].name()
        ));
    }
    let first = lines.within()?;
    let (extra, taken) = Extra::read(kind, first)?;
    entry.extra = extra;
    entry.locations = locations(lines, (!taken).then_some(first))?;
    Ok((id.into(), entry))
}

fn locations<'a>(lines: &mut Lines<'a>, first: Option<&'a str>) -> Result<Vec<Location>, String> {
    let mut locations = Vec::new();
    let mut line = match first {
        Some(line) => line,
        None => lines.within()?,
    };
    while line != "}" {
        let location = Location::read(line);
        let wrong = || {
            format!(
                "`{line}` is no location: it should be `...`, or begin with `fun:`, `obj:` or `src:`"
            )
        };
        let location = location.ok_or_else(wrong)?;
        if locations.len() < DEEPEST {
            locations.push(location);
        }
        line = lines.within()?;
    }
    if locations.is_empty() {
        return Err(String::from("the stack is missing"));
    }
    if locations.iter().all(|l| *l == Location::Dots) {
        return Err(String::from(
            "a stack needs at least one line that is not `...`",
        ));
    }
    Ok(locations)
}

/// What is probably meant by the name of a tool that no tool has: names are case-sensitive.
pub(crate) fn meant_tool(tools: &str) -> Option<&'static str> {
    let names = || Family::ALL.iter().map(|f| f.name());
    tools.split(',').find_map(|tool| {
        let tool = tool.trim();
        names()
            .find(|n| n.eq_ignore_ascii_case(tool))
            .or_else(|| nearest(tool, names()))
    })
}
