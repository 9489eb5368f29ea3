//! Suppression files of the sanitizers: a `type:template` a line.
//!
//! Source: compiler-rt `sanitizer_common/sanitizer_suppressions.cpp` (`SuppressionContext::Parse`),
//! `lsan/lsan_common.cpp`, `asan/asan_suppressions.cpp`, `tsan/rtl/tsan_suppressions.cpp`,
//! `ubsan/ubsan_diag.cpp`.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::glob::{Glob, template_matches};
use super::{About, Matcher, Origin, Rule, Source};
use crate::culprit::{Class, Names, allocators};
use crate::mistake::{Mistake, nearest};
use crate::model::{Finding, Site, Tool};

/// The sanitizers that read such files, and the types that each knows.
const OWNERS: &[(&str, &[&str])] = &[
    ("lsan", &["leak"]),
    (
        "asan",
        &[
            "interceptor_name",
            "interceptor_via_fun",
            "interceptor_via_lib",
            "odr_violation",
        ],
    ),
    (
        "tsan",
        &[
            "race",
            "race_top",
            "mutex",
            "thread",
            "signal",
            "called_from_lib",
            "deadlock",
        ],
    ),
    ("ubsan", UBSAN),
];

/// The checks of `-fsanitize=undefined` and its kin, and `vptr_check`, which matches the name of a
/// type.
const UBSAN: &[&str] = &[
    "undefined",
    "null",
    "misaligned-pointer-use",
    "alignment",
    "object-size",
    "signed-integer-overflow",
    "unsigned-integer-overflow",
    "integer-divide-by-zero",
    "float-divide-by-zero",
    "invalid-builtin-use",
    "builtin",
    "invalid-objc-cast",
    "objc-cast",
    "implicit-unsigned-integer-truncation",
    "implicit-signed-integer-truncation",
    "implicit-integer-sign-change",
    "implicit-signed-integer-truncation-or-sign-change",
    "implicit-bitfield-conversion",
    "shift-base",
    "shift-exponent",
    "shift",
    "bounds",
    "local-bounds",
    "array-bounds",
    "unreachable",
    "return",
    "vla-bound",
    "float-cast-overflow",
    "bool",
    "enum",
    "function",
    "returns-nonnull-attribute",
    "nonnull-attribute",
    "vptr",
    "vptr_check",
    "cfi",
    "pointer-overflow",
    "nullability-arg",
    "nullability-return",
    "nullability-assign",
    "integer",
    "implicit-conversion",
];

/// One line of such a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Suppression {
    /// `leak`, `race`, …
    pub(crate) kind: String,
    pub(crate) template: String,
}

impl Suppression {
    /// The sanitizer that reads it.
    pub(crate) fn owner(&self) -> &'static str {
        owner(&self.kind).unwrap_or("")
    }
}

fn owner(kind: &str) -> Option<&'static str> {
    OWNERS
        .iter()
        .find(|(_, kinds)| kinds.contains(&kind))
        .map(|(owner, _)| *owner)
}

/// True for a line of such a file: a type that some sanitizer knows, and a colon.
pub(crate) fn is_line(line: &str) -> bool {
    line.split_once(':')
        .is_some_and(|(kind, _)| owner(kind).is_some())
}

/// Reads a file: its rules, and every mistake for which the sanitizer would refuse it.
pub(crate) fn read(name: &str, text: &str) -> (Vec<Rule>, Vec<Mistake>) {
    let (mut rules, mut mistakes): (Vec<Rule>, Vec<Mistake>) = (Vec::new(), Vec::new());
    let mut comment: Vec<&str> = Vec::new();
    let mut fresh = true;
    let mut first: Option<&'static str> = None;
    // The sanitizers read the file as one C string.
    let text = text.split('\0').next().unwrap_or_default();
    for (at, line) in text.split('\n').enumerate() {
        let line = line
            .trim_start_matches([' ', '\t'])
            .trim_end_matches([' ', '\t', '\r']);
        let number = u32::try_from(at + 1).unwrap_or(u32::MAX);
        if let Some(words) = line.strip_prefix('#') {
            if !fresh {
                comment.clear();
            }
            fresh = true;
            comment.push(words.trim_matches(|c: char| c == '#' || c.is_whitespace()));
            continue;
        }
        if line.is_empty() {
            comment.clear();
            continue;
        }
        fresh = false;
        match suppression(line, &mut first) {
            Ok(suppression) => {
                let origin = Origin {
                    source: Source::Sanitizer,
                    file: name.into(),
                    line: number,
                };
                let reason = comment
                    .iter()
                    .filter(|c| !c.is_empty())
                    .copied()
                    .collect::<Vec<_>>()
                    .join(" ");
                let about = About {
                    reason,
                    ..About::default()
                };
                rules.push(Rule {
                    about,
                    ..Rule::new(line.into(), origin, Matcher::Sanitizer(suppression))
                });
            }
            Err(what) => mistakes.push(Mistake::at_line(name, text, number, what)),
        }
    }
    (rules, mistakes)
}

fn suppression(line: &str, first: &mut Option<&'static str>) -> Result<Suppression, String> {
    let kinds = || OWNERS.iter().flat_map(|(_, kinds)| kinds.iter().copied());
    let (kind, template) = line
        .split_once(':')
        .ok_or_else(|| format!("`{line}` is no `type:template`, such as `leak:name`"))?;
    let unknown = || {
        let near = nearest(kind, kinds())
            .map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        format!("`{kind}` is no type of suppression that a sanitizer knows{near}")
    };
    let owner = owner(kind).ok_or_else(unknown)?;
    match *first.get_or_insert(owner) {
        same if same == owner => Ok(Suppression {
            kind: kind.into(),
            template: template.into(),
        }),
        other => Err(format!(
            "`{kind}` is for {owner}, the lines above are for {other}: no sanitizer reads such a file"
        )),
    }
}

/// True when the sanitizer is sure to have matched it on a frame of the finding. `known` tells of a
/// frame, behind a zero, what was found out before.
pub(crate) fn matches(
    suppression: &Suppression,
    finding: &Finding,
    names: &mut Names,
    known: impl Fn(usize, usize) -> Option<bool>,
) -> bool {
    match (suppression.kind.as_str(), &finding.tool) {
        ("leak", _) => {
            let mut frames = finding
                .primary()
                .into_iter()
                .flat_map(|s| &s.frames)
                .enumerate();
            finding.tool == Tool::Lsan
                && finding.kind.is_leak()
                && frames.any(|(at, frame)| {
                    known(0, at).unwrap_or_else(|| on_site(suppression, &frame.site, names))
                })
        }
        ("odr_violation", Tool::Asan) if finding.kind.as_str() == "odr-violation" => {
            odr(&suppression.template, finding)
        }
        ("interceptor_name" | "interceptor_via_fun" | "interceptor_via_lib", Tool::Asan) => {
            interceptor(suppression, finding, names)
        }
        _ => false,
    }
}

/// Module, function and file of a frame, as far as the log shows them.
pub(crate) fn on_site(suppression: &Suppression, site: &Arc<Site>, names: &mut Names) -> bool {
    let template = &suppression.template;
    let module = site.module.as_deref().unwrap_or(if is_nowhere(&site.raw) {
        "<unknown module>"
    } else {
        ""
    });
    template_matches(template, module)
        || site
            .file
            .as_deref()
            .is_some_and(|file| template_matches(template, file))
        || on_function(template, site, names)
}

fn is_nowhere(raw: &[u8]) -> bool {
    raw.ends_with(b"(<unknown module>)")
}

/// Functions of the C library that allocate, and that the sanitizers intercept.
const INTERCEPTED: &[&str] = &[
    "strdup",
    "strndup",
    "wcsdup",
    "asprintf",
    "vasprintf",
    "getline",
    "getdelim",
    "realpath",
    "scandir",
];

/// True where a pattern may take a name that the sanitizer knows with `__interceptor_` before it.
pub(crate) fn is_intercepted(pattern: &Glob) -> bool {
    allocators()
        .chain(INTERCEPTED.iter().copied())
        .any(|name| pattern.matches(name))
}

/// Reports may leave `__interceptor_` out of a name, the match does not: an allocator's name may
/// have it or not.
fn on_function(template: &str, site: &Arc<Site>, names: &mut Names) -> bool {
    let Some(function) = site.function.as_deref() else {
        return false;
    };
    if !template_matches(template, function) {
        return false;
    }
    let allocates = names.get(site).class == Class::Allocator || INTERCEPTED.contains(&function);
    let either = allocates && !function.starts_with('_') && !function.contains('(');
    let prefixed = |prefix: &str| template_matches(template, &format!("{prefix}{function}"));
    !either || (prefixed("__interceptor_") && prefixed("___interceptor_"))
}

/// An ODR violation is suppressed by the name of a global: `[1] size=4 'global' a.cc:3`.
fn odr(template: &str, finding: &Finding) -> bool {
    let global = |note: &str| {
        note.split_once('\'')
            .and_then(|(_, rest)| rest.split_once('\''))
            .map(|(name, _)| name.into())
    };
    finding
        .notes
        .iter()
        .filter_map(|n| global(n))
        .any(|name: String| template_matches(template, &name))
}

/// Only what a function of the C library does on the program's behalf (memcpy, strlen, …) can be
/// suppressed, never an access of the program's own.
fn interceptor(suppression: &Suppression, finding: &Finding, names: &mut Names) -> bool {
    let Some(stack) = finding.primary() else {
        return false;
    };
    let Some(top) = stack.frames.first() else {
        return false;
    };
    let name = top.site.function.as_deref().unwrap_or_default();
    let own = name
        .trim_start_matches('_')
        .strip_prefix("interceptor_")
        .unwrap_or(name);
    let file = top.site.file.as_deref().unwrap_or_default();
    let is_interceptor = own != name
        || file.contains("sanitizer_common_interceptors")
        || file.contains("asan_interceptors");
    let template = &suppression.template;
    is_interceptor
        && match suppression.kind.as_str() {
            "interceptor_name" => template_matches(template, own),
            "interceptor_via_lib" => stack.frames.iter().any(|f| {
                f.site
                    .module
                    .as_deref()
                    .is_some_and(|m| template_matches(template, m))
            }),
            _ => stack
                .frames
                .iter()
                .any(|f| on_function(template, &f.site, names)),
        }
}
