//! Suppression files of the sanitizers: one `type:template` per line.
//!
//! Source: compiler-rt `sanitizer_common/sanitizer_suppressions.cpp` (`SuppressionContext::Parse`),
//! `lsan/lsan_common.cpp`, `asan/asan_suppressions.cpp`, `tsan/rtl/tsan_suppressions.cpp`,
//! `ubsan/ubsan_diag.cpp`.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::glob::{Glob, template_matches};
use super::{Matcher, Origin, ReadError, Rule, RuleMetadata, Source};
use crate::culprit::{Class, FrameCache, allocator_names};
use crate::diagnostic::{Diagnostic, nearest};
use crate::model::{Finding, FrameInfo, Tool};

/// The sanitizers that read suppression files, and the suppression types of each.
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

/// The checks of `-fsanitize=undefined` and related groups, and `vptr_check`, which matches a type
/// name.
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

/// One line of a suppression file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Suppression {
    /// `leak`, `race`, …
    pub(crate) kind: String,
    pub(crate) template: String,
}

impl Suppression {
    /// Returns the name of the sanitizer that reads this type of suppression.
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

/// Returns the message for an unknown suppression type. It suggests a similar type. If no type is
/// similar, it lists all but those of UndefinedBehaviorSanitizer, which are the names of its
/// checks.
pub(crate) fn unknown_type(kind: &str) -> String {
    let types = || OWNERS.iter().flat_map(|(_, kinds)| kinds.iter().copied());
    let help = match nearest(kind, types()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let all: Vec<&str> = types().filter(|kind| !UBSAN.contains(kind)).collect();
            format!("expected one of: {}, or a check of UBSan", all.join(", "))
        }
    };
    format!("unknown suppression type `{kind}`; {help}")
}

/// Returns true if the line starts with a suppression type and a colon.
pub(crate) fn is_line(line: &str) -> bool {
    line.split_once(':')
        .is_some_and(|(kind, _)| owner(kind).is_some())
}

/// Parses a suppression file. Returns its rules, and every error for which the sanitizer would
/// reject the file.
pub(crate) fn read(name: &str, text: &str) -> (Vec<Rule>, Vec<Diagnostic>) {
    let mut rules = Vec::new();
    let mut errors = Vec::new();
    let mut comment: Vec<&str> = Vec::new();
    let mut is_comment_open = true;
    let mut file_owner: Option<&'static str> = None;
    // The sanitizers read the file as one C string.
    let text = text.split('\0').next().unwrap_or_default();
    for (at, line) in text.split('\n').enumerate() {
        let line = line
            .trim_start_matches([' ', '\t'])
            .trim_end_matches([' ', '\t', '\r']);
        let number = u32::try_from(at + 1).unwrap_or(u32::MAX);
        if let Some(comment_line) = line.strip_prefix('#') {
            if !is_comment_open {
                comment.clear();
            }
            is_comment_open = true;
            comment.push(comment_line.trim_matches(|c: char| c == '#' || c.is_whitespace()));
            continue;
        }
        if line.is_empty() {
            comment.clear();
            continue;
        }
        is_comment_open = false;
        match parse_line(line, &mut file_owner) {
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
                rules.push(Rule {
                    metadata: RuleMetadata::new(reason),
                    ..Rule::new(line.into(), origin, Matcher::Sanitizer(suppression))
                });
            }
            Err(error) => errors.push(Diagnostic::at_line(name, text, number, error)),
        }
    }
    (rules, errors)
}

/// Parses one line. `file_owner` is the sanitizer of the first suppression in the file.
fn parse_line(line: &str, file_owner: &mut Option<&'static str>) -> Result<Suppression, ReadError> {
    let (kind, template) = line.split_once(':').ok_or_else(|| {
        format!("invalid suppression `{line}`; expected `type:template`, such as `leak:name`")
    })?;
    let owner = owner(kind).ok_or_else(|| unknown_type(kind))?;
    match *file_owner.get_or_insert(owner) {
        same if same == owner => Ok(Suppression {
            kind: kind.into(),
            template: template.into(),
        }),
        other => Err(format!(
            "suppression type `{kind}` is for {owner}, but the lines above are for {other}; no \
             sanitizer accepts such a file"
        )
        .into()),
    }
}

/// Returns true if the sanitizer is certain to match the suppression against a frame of the
/// finding.
/// `known` returns the cached result for zero and the index of a frame, or `None` if there isn't
/// one.
pub(crate) fn matches(
    suppression: &Suppression,
    finding: &Finding,
    cache: &mut FrameCache,
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
                    known(0, at).unwrap_or_else(|| matches_frame(suppression, &frame.info, cache))
                })
        }
        ("odr_violation", Tool::Asan) if finding.kind.as_str() == "odr-violation" => {
            matches_odr_violation(&suppression.template, finding)
        }
        ("interceptor_name" | "interceptor_via_fun" | "interceptor_via_lib", Tool::Asan) => {
            matches_interceptor(suppression, finding, cache)
        }
        _ => false,
    }
}

/// Returns true if the template matches the module, function or file of a frame, as far as the log
/// shows them.
pub(crate) fn matches_frame(
    suppression: &Suppression,
    info: &Arc<FrameInfo>,
    cache: &mut FrameCache,
) -> bool {
    let template = &suppression.template;
    let module = info
        .module
        .as_deref()
        .unwrap_or(if has_unknown_module(&info.raw) {
            "<unknown module>"
        } else {
            ""
        });
    template_matches(template, module)
        || info
            .file
            .as_deref()
            .is_some_and(|file| template_matches(template, file))
        || matches_function(template, info, cache)
}

/// Returns true if the frame's text says that its module is unknown.
pub(crate) fn has_unknown_module(raw: &[u8]) -> bool {
    raw.ends_with(b"(<unknown module>)")
}

/// Allocating functions of the C library that the sanitizers intercept.
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

/// Returns true if the pattern may match a function that the sanitizer knows with the prefix
/// `__interceptor_`.
pub(crate) fn is_intercepted(pattern: &Glob) -> bool {
    allocator_names()
        .chain(INTERCEPTED.iter().copied())
        .any(|name| pattern.matches(name))
}

/// Returns true if the template matches the function of a frame. Reports may omit the prefix
/// `__interceptor_`, but the sanitizer compares names with it. The template must therefore match an
/// allocator's name both with and without the prefix.
fn matches_function(template: &str, info: &Arc<FrameInfo>, cache: &mut FrameCache) -> bool {
    let Some(function) = info.function.as_deref() else {
        return false;
    };
    if !template_matches(template, function) {
        return false;
    }
    let allocates = cache.get(info).class == Class::Allocator || INTERCEPTED.contains(&function);
    let may_be_prefixed = allocates && !function.starts_with('_') && !function.contains('(');
    let prefixed = |prefix: &str| template_matches(template, &format!("{prefix}{function}"));
    !may_be_prefixed || (prefixed("__interceptor_") && prefixed("___interceptor_"))
}

/// Returns true if the template matches the global variable of an ODR violation, as in
/// `[1] size=4 'global' a.cc:3`.
fn matches_odr_violation(template: &str, finding: &Finding) -> bool {
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

/// Returns true if an `interceptor_*` suppression matches. AddressSanitizer only suppresses
/// accesses inside intercepted C library functions (memcpy, strlen, …), never direct accesses of
/// the program.
fn matches_interceptor(
    suppression: &Suppression,
    finding: &Finding,
    cache: &mut FrameCache,
) -> bool {
    let Some(stack) = finding.primary() else {
        return false;
    };
    let Some(top) = stack.frames.first() else {
        return false;
    };
    let name = top.info.function.as_deref().unwrap_or_default();
    let base_name = name
        .trim_start_matches('_')
        .strip_prefix("interceptor_")
        .unwrap_or(name);
    let file = top.info.file.as_deref().unwrap_or_default();
    let is_interceptor = base_name != name
        || file.contains("sanitizer_common_interceptors")
        || file.contains("asan_interceptors");
    let template = &suppression.template;
    is_interceptor
        && match suppression.kind.as_str() {
            "interceptor_name" => template_matches(template, base_name),
            "interceptor_via_lib" => stack.frames.iter().any(|f| {
                f.info
                    .module
                    .as_deref()
                    .is_some_and(|m| template_matches(template, m))
            }),
            _ => stack
                .frames
                .iter()
                .any(|f| matches_function(template, &f.info, cache)),
        }
}
