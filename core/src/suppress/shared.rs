//! Generates one rule for all unexpected findings of a function or of a source line.
//!
//! Like every generated rule, it is parsed again and matched against all findings. It is discarded
//! if it doesn't match exactly these findings; only those that an earlier rule of `leakgate.toml`
//! decides about, or that the policy ignores, may match as well.

mod error;
mod task;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

pub use self::error::SharedRuleError;
use self::task::SharedTask;
use super::toml::render;
use super::{Generator, RuleOptions, Target, Unsupported};
use crate::culprit::Workspace;
use crate::parse::Parsed;
use crate::policy::KindSet;
use crate::rules::Source;
use crate::symbol::simple_name;
use crate::triage::spot::Spot;
use crate::triage::{Disposition, Gate, Triage, TriagedFinding};

/// What findings have in common that one rule accepts: where the frame to look at is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SharedPlace {
    /// A function: its name with or without arguments, or the end of the name without arguments
    /// after any `::`.
    Function(String),
    /// A line of a source file.
    Site(Site),
}

impl fmt::Display for SharedPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Function(name) => write!(f, "`{name}`"),
            Self::Site(site) => write!(f, "{site}"),
        }
    }
}

/// A line of a source file, and optionally a column.
///
/// ```
/// use leakgate_core::suppress::Site;
///
/// let site: Site = "src/list.c:12:9".parse().unwrap();
/// assert_eq!(site.to_string(), "src/list.c:12:9");
/// assert!("src/list.c".parse::<Site>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// The path as reports show it, or its end after any `/`.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1. `None` means any column.
    pub column: Option<u32>,
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)?;
        match self.column {
            Some(column) => write!(f, ":{column}"),
            None => Ok(()),
        }
    }
}

/// The reason why a text isn't a [`Site`]: it has no file or no line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidSite;

impl fmt::Display for InvalidSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected FILE:LINE or FILE:LINE:COLUMN")
    }
}

impl core::error::Error for InvalidSite {}

/// Parses `FILE:LINE` or `FILE:LINE:COLUMN`.
impl FromStr for Site {
    type Err = InvalidSite;

    fn from_str(text: &str) -> Result<Self, InvalidSite> {
        let number = |text: &str| text.parse::<u32>().ok().filter(|n| *n > 0);
        let split = |text: &str| {
            let (head, last) = text.rsplit_once(':')?;
            Some((String::from(head), number(last)?))
        };
        let (head, last) = split(text).ok_or(InvalidSite)?;
        let (file, line, column) = match split(&head) {
            Some((file, line)) => (file, line, Some(last)),
            None => (head, last, None),
        };
        match file.trim_start_matches("./") {
            "" => Err(InvalidSite),
            file => Ok(Self {
                file: file.into(),
                line,
                column,
            }),
        }
    }
}

/// A rule that accepts several findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedRule {
    /// Text of the rule, in the syntax of `leakgate.toml`.
    pub text: String,
    /// Indices of the accepted findings.
    pub findings: Vec<usize>,
}

/// Generates a rule for `leakgate.toml` that accepts all unexpected findings of a place, which must
/// be leaks, or have the same kind. `kinds` selects some of the findings; `None` means all.
///
/// With [`RuleOptions::limits`], the rule accepts no more than there is now: bytes and blocks of
/// leaks, and for other kinds the number of places in one process. Without, it must name every
/// function between the allocation and the place.
///
/// # Errors
/// Returns an error if there is no such finding, if the place is ambiguous, if the findings have
/// different kinds, or if no rule matches exactly these findings.
pub fn suppress_shared(
    parsed: &Parsed,
    gate: &Gate,
    triage: &Triage,
    workspace: &dyn Workspace,
    place: &SharedPlace,
    kinds: Option<&KindSet>,
    options: &RuleOptions,
) -> Result<SharedRule, SharedRuleError> {
    let mut generator = Generator::new(parsed, triage, options);
    let candidates = candidates(&mut generator, workspace, kinds);
    let chosen = select(&candidates, place)?;
    let findings: Vec<usize> = chosen.iter().map(|found| found.at).collect();
    ensure_same_kind(parsed, &findings)?;
    let shared = SharedTask::new(&mut generator, place, &chosen);
    let unsupported = |cause| SharedRuleError::unsupported(cause, triage, &findings);
    if let Some(reason) = shared.obstacle() {
        return Err(unsupported(Unsupported::new(reason)));
    }
    let is_ignored = |triaged: &TriagedFinding| {
        let rule = triaged.rule.and_then(|at| gate.rules.get(at));
        rule.is_some_and(|rule| rule.origin.source == Source::Config)
            || triaged.disposition == Disposition::NotGated
    };
    let goals = [findings.clone()];
    let entry = generator
        .choose_unless(&goals, is_ignored, |_, number, _| shared.attempt(number))
        .pop()
        .unwrap_or_else(|| Err(Unsupported::new("")))
        .map_err(unsupported)?;
    let id = generator.new_id(&Target {
        parsed,
        triage,
        findings: findings.clone(),
    });
    Ok(SharedRule {
        text: render(&id, &entry, options),
        findings,
    })
}

/// An unexpected finding and its location.
#[derive(Clone, Debug)]
struct Located {
    /// Index of the finding.
    at: usize,
    spot: Spot,
}

/// Returns all unexpected findings of these kinds that no rule matches and that have a location.
fn candidates(
    generator: &mut Generator<'_>,
    workspace: &dyn Workspace,
    kinds: Option<&KindSet>,
) -> Vec<Located> {
    let cache = &mut generator.cache;
    let all = generator.triage.iter(generator.parsed).enumerate();
    all.filter(|(_, (finding, triaged))| {
        triaged.disposition == Disposition::Unexpected
            && triaged.rule.is_none()
            && kinds.is_none_or(|kinds| kinds.contains(&finding.kind))
    })
    .filter_map(|(at, (finding, triaged))| {
        let spot = Spot::of(finding, triaged.culprit, workspace, cache)?;
        Some(Located { at, spot })
    })
    .collect()
}

/// Returns the findings at a place.
fn select(all: &[Located], place: &SharedPlace) -> Result<Vec<Located>, SharedRuleError> {
    let found: Vec<Located> = match place {
        SharedPlace::Function(name) => {
            // A name may be copied with its arguments.
            let simple = simple_name(name);
            let is_exact = |found: &&Located| [name, &simple].contains(&&found.spot.function);
            let suffix = format!("::{name}");
            let is_end = |found: &&Located| found.spot.function.ends_with(&suffix);
            let exact: Vec<Located> = all.iter().filter(is_exact).cloned().collect();
            if exact.is_empty() {
                all.iter().filter(is_end).cloned().collect()
            } else {
                exact
            }
        }
        SharedPlace::Site(site) => {
            let is_there = |found: &&Located| is_at(&found.spot, site);
            all.iter().filter(is_there).cloned().collect()
        }
    };
    let name = |found: &Located| match place {
        SharedPlace::Function(_) => error::function_and_file(&found.spot),
        SharedPlace::Site(_) => error::file_and_line(&found.spot),
    };
    let mut names: Vec<String> = found.iter().map(name).collect();
    names.sort_unstable();
    names.dedup();
    match names.len() {
        0 => Err(SharedRuleError::not_found(place, all)),
        1 => Ok(found),
        _ => Err(SharedRuleError::Ambiguous { names }),
    }
}

/// Returns true if a location is on the line (and column) of a site.
fn is_at(spot: &Spot, site: &Site) -> bool {
    let has_file = |file: &String| {
        let end = common_end(file, &site.file);
        end.is_some_and(|end| end.len() == site.file.len())
    };
    spot.line == Some(site.line)
        && site.column.is_none_or(|column| spot.column == Some(column))
        && spot.file.as_ref().is_some_and(has_file)
}

/// Returns the longest end of the second path, cut only after slashes, that the first one ends
/// with. `None` if there isn't any.
fn common_end<'a>(path: &str, end: &'a str) -> Option<&'a str> {
    let starts = core::iter::once(0).chain(end.match_indices('/').map(|(at, _)| at + 1));
    let mut ends = starts.map(|at| &end[at..]).filter(|end| !end.is_empty());
    ends.find(|end| {
        let head = path.strip_suffix(*end);
        head.is_some_and(|head| {
            head.is_empty() || head.ends_with(['/', '\\']) || end.starts_with('/')
        })
    })
}

/// Fails unless the findings are leaks or have the same kind.
fn ensure_same_kind(parsed: &Parsed, findings: &[usize]) -> Result<(), SharedRuleError> {
    let kinds = findings.iter().map(|at| &parsed.findings[*at].kind);
    let mut names: Vec<String> = kinds
        .map(|kind| {
            if kind.is_leak() {
                "leaks"
            } else {
                kind.as_str()
            }
            .into()
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    match names.len() {
        0 | 1 => Ok(()),
        _ => Err(SharedRuleError::SeveralKinds { kinds: names }),
    }
}
