//! The `stack` of an `[[allow]]`: valgrind's suppression syntax on demangled names, with additions.
//!
//! | pattern | matches |
//! |---|---|
//! | `fun:PATTERN` | a frame whose function matches: its name as printed, or its simple name |
//! | `sym:PATTERN` | the same, but only the name as printed, with its scope and arguments |
//! | `obj:PATTERN` | a frame whose binary or library matches |
//! | `src:PATTERN`, `src:PATTERN:LINE` | a frame whose source file (and line) matches |
//! | `re:REGEX` | a frame whose function name contains a match of the regular expression |
//! | `...` | any number of frames |
//! | `runtime...` | any number of allocator and runtime frames, according to the built-in tables |
//!
//! The patterns match frames from the top of the primary stack. Frames after the last pattern are
//! ignored. In patterns, `*` matches any text, `?` matches one byte, and `\` escapes the next
//! character. An `obj:` or `src:` pattern that starts with neither `/` nor `*` also matches the end
//! of a path, after any `/`.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use core::hash::{Hash, Hasher};

use super::ReadError;
use super::glob::Glob;
use super::steps::{StackStep, matches_prefix};
use crate::culprit::{Class, FrameCache};
use crate::expression::Expression;
use crate::model::{Finding, FrameInfo};
use crate::symbol::strip_offset;

/// One pattern of a stack and its text.
#[derive(Clone, Debug)]
pub(crate) struct StackPattern {
    pub(crate) text: String,
    pub(crate) parsed: FramePattern,
}

/// A parsed pattern for one or more frames.
#[derive(Clone, Debug)]
pub(crate) enum FramePattern {
    /// `...`
    AnyFrames,
    /// `runtime...`
    RuntimeFrames,
    /// `fun:`
    Function(Glob),
    /// `sym:`
    Symbol(Glob),
    /// `obj:`
    Object(Path),
    /// `src:`, with an optional line
    File(Path, Option<u32>),
    /// `re:`
    Expression(Expression),
}

/// A pattern for a path.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    pub(crate) glob: Glob,
    /// Whether the pattern also matches the end of a path, after any `/`.
    loose: bool,
}

impl Path {
    fn new(pattern: &str) -> Self {
        Self {
            glob: Glob::from_toml(pattern),
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

impl StackPattern {
    /// Parses a pattern.
    ///
    /// # Errors
    /// Returns the message for the user.
    pub(crate) fn read(text: &str) -> Result<Self, ReadError> {
        FramePattern::read(text).map(|pattern| Self {
            text: text.into(),
            parsed: pattern,
        })
    }

    pub(crate) fn step(&self) -> StackStep {
        match self.parsed {
            FramePattern::AnyFrames => StackStep::AnyFrames,
            FramePattern::RuntimeFrames => StackStep::Gap,
            _ => StackStep::One,
        }
    }
}

/// Patterns with the same text are equal.
impl PartialEq for StackPattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for StackPattern {}

impl Hash for StackPattern {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl FramePattern {
    fn read(text: &str) -> Result<Self, ReadError> {
        match text {
            "..." => return Ok(Self::AnyFrames),
            "runtime..." => return Ok(Self::RuntimeFrames),
            _ => {}
        }
        let (kind, pattern) = text.split_once(':').unwrap_or(("", text));
        if pattern.is_empty() {
            return Err(format!("`{text}` has no pattern").into());
        }
        match kind {
            "fun" => Ok(Self::Function(Glob::from_toml(pattern))),
            "sym" => Ok(Self::Symbol(Glob::from_toml(pattern))),
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
                let expression = Expression::new(pattern).map_err(|error| {
                    format!(
                        "invalid regular expression `{pattern}`: {}",
                        last_line(&error)
                    )
                })?;
                Ok(Self::Expression(expression))
            }
            _ => Err(format!(
                "invalid stack pattern `{text}`; expected one of: `...`, `runtime...`, `fun:`, \
                 `sym:`, `obj:`, `src:`, `re:`"
            )
            .into()),
        }
    }

    /// Returns true if the pattern matches any frame and therefore narrows nothing. `runtime...`
    /// counts, because it can match nothing but frames that most stacks contain.
    pub(crate) fn matches_any_frame(&self) -> bool {
        match self {
            Self::AnyFrames | Self::RuntimeFrames => true,
            Self::Function(glob) | Self::Symbol(glob) => glob.matches_anything(),
            Self::Object(path) | Self::File(path, None) => path.glob.matches_anything(),
            Self::File(..) => false,
            Self::Expression(expression) => {
                expression.literals.is_empty()
                    && expression.is_match(b"")
                    && expression.is_match(b"\x01")
            }
        }
    }

    pub(crate) fn matches(&self, info: &Arc<FrameInfo>, cache: &mut FrameCache) -> bool {
        match self {
            Self::AnyFrames => true,
            Self::RuntimeFrames => {
                matches!(cache.get(info).class, Class::Allocator | Class::Runtime)
            }
            Self::Function(_) | Self::Symbol(_) | Self::Expression(_) => {
                let printed = info.name().map(strip_offset);
                self.matches_function(printed, &cache.get(info).name)
            }
            Self::Object(path) => info.module.as_deref().is_some_and(|m| path.matches(m)),
            Self::File(path, line) => {
                line.is_none_or(|l| info.line == Some(l))
                    && info.file.as_deref().is_some_and(|f| path.matches(f))
            }
        }
    }

    /// Returns true if a pattern for functions matches a name: as printed, without its offset, or
    /// the simple name.
    pub(crate) fn matches_function(&self, printed: Option<&str>, simple: &str) -> bool {
        match self {
            Self::Function(glob) => {
                printed.is_some_and(|name| glob.matches(name))
                    || (!simple.is_empty() && glob.matches(simple))
            }
            Self::Symbol(glob) => printed.is_some_and(|name| glob.matches(name)),
            Self::Expression(expression) => {
                printed.is_some_and(|name| expression.is_match(name.as_bytes()))
            }
            _ => false,
        }
    }
}

/// Returns true if the patterns match the top of the finding's primary stack. An empty list matches
/// any stack. `known` returns the cached result for the indices of a pattern and a frame, or `None`
/// if there isn't one.
pub(crate) fn matches(
    patterns: &[StackPattern],
    finding: &Finding,
    cache: &mut FrameCache,
    known: impl Fn(usize, usize) -> Option<bool>,
) -> bool {
    if patterns.is_empty() {
        return true;
    }
    let frames = finding
        .primary()
        .map(|s| s.frames.as_slice())
        .unwrap_or_default();
    let hit = |at: usize, frame: usize| {
        known(at, frame).unwrap_or_else(|| patterns[at].parsed.matches(&frames[frame].info, cache))
    };
    matches_prefix(patterns.len(), frames.len(), |at| patterns[at].step(), hit)
}

fn last_line(text: &str) -> &str {
    text.lines()
        .last()
        .unwrap_or(text)
        .trim_start_matches("error: ")
}
