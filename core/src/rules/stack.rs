//! The `stack` of an `[[allow]]`: valgrind's grammar on demangled names, and a little more.
//!
//! | item | takes |
//! |---|---|
//! | `fun:PATTERN` | a frame whose function matches: its name as printed (demangled), or its simple name |
//! | `sym:PATTERN` | the same, but only the name as printed, with its scope and arguments |
//! | `obj:PATTERN` | a frame whose binary or library matches |
//! | `src:PATTERN`, `src:PATTERN:LINE` | a frame whose source file (and line) matches |
//! | `re:REGEX` | a frame in whose function's name the expression is found |
//! | `...` | any number of frames |
//! | `runtime...` | any number of frames that are an allocator's or a runtime's by the built-in tables |
//!
//! The items take frames from the top of the primary stack; what follows the last one is free. In patterns `*` is any run of
//! characters, `?` is one, `\` makes the next one ordinary. A pattern of `obj:` and `src:` that begins neither with `/` nor with `*` may
//! match the end of a path from any `/` on.

use alloc::format;
use alloc::string::String;

use regex::bytes::{Regex, RegexBuilder};

use super::glob::Glob;
use super::steps::{Step, takes_prefix};
use crate::culprit::{Class, Names};
use crate::model::{Finding, Frame};
use crate::symbol::without_offset;

/// One item, and how it is written.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) text: String,
    pub(crate) what: What,
}

/// What an item takes.
#[derive(Clone, Debug)]
pub(crate) enum What {
    Dots,
    Runtime,
    Function(Glob),
    Symbol(Glob),
    Object(Path),
    File(Path, Option<u32>),
    Expression(Regex),
}

/// A pattern of a path.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    pub(crate) glob: Glob,
    /// It may match from any `/` on.
    loose: bool,
}

impl Path {
    fn new(pattern: &str) -> Self {
        Self { glob: Glob::escaped(pattern), loose: !pattern.starts_with(['/', '*']) }
    }

    fn matches(&self, path: &str) -> bool {
        self.glob.matches(path)
            || (self.loose && path.match_indices(['/', '\\']).any(|(at, _)| self.glob.matches(&path[at + 1..])))
    }
}

impl Item {
    /// Reads an item.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        What::read(text).map(|what| Self { text: text.into(), what })
    }

    pub(crate) fn step(&self) -> Step {
        if self.what.is_gap() { Step::Gap } else { Step::One }
    }
}

impl What {
    fn read(text: &str) -> Result<Self, String> {
        match text {
            "..." => return Ok(Self::Dots),
            "runtime..." => return Ok(Self::Runtime),
            _ => {}
        }
        let (kind, pattern) = text.split_once(':').unwrap_or(("", text));
        if pattern.is_empty() {
            return Err(format!("`{text}` has no pattern"));
        }
        match kind {
            "fun" => Ok(Self::Function(Glob::escaped(pattern))),
            "sym" => Ok(Self::Symbol(Glob::escaped(pattern))),
            "obj" => Ok(Self::Object(Path::new(pattern))),
            "src" => {
                let numbered = pattern.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse().ok()?)));
                let (file, line) = numbered.map_or((pattern, None), |(file, line)| (file, Some(line)));
                Ok(Self::File(Path::new(file), line))
            }
            "re" => {
                // Names are compared byte by byte; tables of Unicode would double the size of the page.
                let built = RegexBuilder::new(pattern).unicode(false).size_limit(1 << 20).build();
                built
                    .map(Self::Expression)
                    .map_err(|e| format!("`{pattern}` is no regular expression: {}", last_line(&format!("{e}"))))
            }
            _ => Err(format!(
                "`{text}` is no item of a stack; there are `...`, `runtime...`, `fun:`, `sym:`, `obj:`, `src:` and `re:`"
            )),
        }
    }

    fn is_gap(&self) -> bool {
        matches!(self, Self::Dots | Self::Runtime)
    }

    /// True when it takes any frame, so that it says nothing.
    pub(crate) fn is_any(&self) -> bool {
        match self {
            Self::Dots | Self::Runtime => true,
            Self::Function(glob) | Self::Symbol(glob) => glob.is_any(),
            Self::Object(path) | Self::File(path, None) => path.glob.is_any(),
            Self::File(..) => false,
            Self::Expression(regex) => regex.is_match(b"") && regex.is_match(b"\x01"),
        }
    }

    fn hits(&self, frame: &Frame, names: &mut Names) -> bool {
        let site = &frame.site;
        match self {
            Self::Dots => true,
            Self::Runtime => matches!(names.get(site).class, Class::Allocator | Class::Runtime),
            Self::Function(glob) => {
                site.name().is_some_and(|name| glob.matches(without_offset(name)))
                    || (!names.get(site).name.is_empty() && glob.matches(&names.get(site).name))
            }
            Self::Symbol(glob) => site.name().is_some_and(|name| glob.matches(without_offset(name))),
            Self::Object(path) => site.module.as_deref().is_some_and(|m| path.matches(m)),
            Self::File(path, line) => {
                line.is_none_or(|l| site.line == Some(l)) && site.file.as_deref().is_some_and(|f| path.matches(f))
            }
            Self::Expression(regex) => site.name().is_some_and(|name| regex.is_match(without_offset(name).as_bytes())),
        }
    }
}

/// True when the items take the top of the finding's primary stack.
pub(crate) fn matches(items: &[Item], finding: &Finding, names: &mut Names) -> bool {
    if items.is_empty() {
        return true;
    }
    let frames = finding.primary().map(|s| s.frames.as_slice()).unwrap_or_default();
    takes_prefix(items, frames.len(), Item::step, |item, at| item.what.hits(&frames[at], names))
}

fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or(text).trim_start_matches("error: ")
}
