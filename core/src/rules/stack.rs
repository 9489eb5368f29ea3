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
//! The items take frames from the top of the primary stack; what follows the last one is free. In
//! patterns `*` is any run of characters, `?` is one, `\` makes the next one ordinary. A pattern of
//! `obj:` and `src:` that begins neither with `/` nor with `*` may match the end of a path from any
//! `/` on.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use core::hash::{Hash, Hasher};

use super::expression::Expression;
use super::glob::Glob;
use super::steps::{Step, takes_prefix};
use crate::culprit::{Class, Names};
use crate::model::{Finding, Site};
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
    Expression(Expression),
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
        Self {
            glob: Glob::escaped(pattern),
            loose: !pattern.starts_with(['/', '*']),
        }
    }

    fn matches(&self, path: &str) -> bool {
        self.glob.matches(path)
            || (self.loose
                && path
                    .match_indices(['/', '\\'])
                    .any(|(at, _)| self.glob.matches(&path[at + 1..])))
    }
}

impl Item {
    /// Reads an item.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        What::read(text).map(|what| Self {
            text: text.into(),
            what,
        })
    }

    pub(crate) fn step(&self) -> Step {
        if self.what.is_gap() {
            Step::Gap
        } else {
            Step::One
        }
    }
}

/// What is written the same means the same.
impl PartialEq for Item {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Item {}

impl Hash for Item {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
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
                let numbered = pattern
                    .rsplit_once(':')
                    .and_then(|(file, line)| Some((file, line.parse().ok()?)));
                let (file, line) =
                    numbered.map_or((pattern, None), |(file, line)| (file, Some(line)));
                Ok(Self::File(Path::new(file), line))
            }
            "re" => {
                let wrong =
                    |e: String| format!("`{pattern}` is no regular expression: {}", last_line(&e));
                Expression::read(pattern)
                    .map(Self::Expression)
                    .map_err(wrong)
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
            Self::Expression(expression) => {
                expression.is_found_in(b"") && expression.is_found_in(b"\x01")
            }
        }
    }

    pub(crate) fn takes(&self, site: &Arc<Site>, names: &mut Names) -> bool {
        match self {
            Self::Dots => true,
            Self::Runtime => matches!(names.get(site).class, Class::Allocator | Class::Runtime),
            Self::Function(glob) => {
                site.name()
                    .is_some_and(|name| glob.matches(without_offset(name)))
                    || (!names.get(site).name.is_empty() && glob.matches(&names.get(site).name))
            }
            Self::Symbol(glob) => site
                .name()
                .is_some_and(|name| glob.matches(without_offset(name))),
            Self::Object(path) => site.module.as_deref().is_some_and(|m| path.matches(m)),
            Self::File(path, line) => {
                line.is_none_or(|l| site.line == Some(l))
                    && site.file.as_deref().is_some_and(|f| path.matches(f))
            }
            Self::Expression(expression) => site
                .name()
                .is_some_and(|name| expression.is_found_in(without_offset(name).as_bytes())),
        }
    }
}

/// True when the items take the top of the finding's primary stack. `known` tells of an item and a
/// frame what was found out before.
pub(crate) fn matches(
    items: &[Item],
    finding: &Finding,
    names: &mut Names,
    known: impl Fn(usize, usize) -> Option<bool>,
) -> bool {
    if items.is_empty() {
        return true;
    }
    let frames = finding
        .primary()
        .map(|s| s.frames.as_slice())
        .unwrap_or_default();
    let takes = |item: usize, at: usize| {
        known(item, at).unwrap_or_else(|| items[item].what.takes(&frames[at].site, names))
    };
    takes_prefix(items.len(), frames.len(), |item| items[item].step(), takes)
}

fn last_line(text: &str) -> &str {
    text.lines()
        .last()
        .unwrap_or(text)
        .trim_start_matches("error: ")
}
