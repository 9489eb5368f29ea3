//! Converts rules to valgrind suppressions.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::super::{Unsupported, comment, entry_name};
use super::toml::template_pattern;
use super::{
    C_FUNCTIONS_ONLY, FUNCTIONS_ONLY, Narrowing, OTHER_FILE, ensure_expressible, is_c_name,
    is_mangled,
};
use crate::model::{Kind, Tool};
use crate::policy::KindSet;
use crate::rules::glob::Glob;
use crate::rules::sanitizer::Suppression;
use crate::rules::stack::{FramePattern, StackPattern};
use crate::rules::valgrind::kinds::Extra;
use crate::rules::{Matcher, Rule};

/// Returns an equivalent suppression.
pub(super) fn write(rule: &Rule, narrowing: &mut Narrowing) -> Result<String, Unsupported> {
    let (kinds, lines) = match &rule.matcher {
        Matcher::Valgrind(_) => {
            return Err(Unsupported::new("it is already a valgrind suppression"));
        }
        Matcher::Sanitizer(Suppression { kind, template }) if kind == "leak" => {
            narrowing.add(FUNCTIONS_ONLY);
            narrowing.add(C_FUNCTIONS_ONLY);
            let kinds = [Kind::LEAK_DEFINITE, Kind::LEAK_INDIRECT].into();
            (
                kinds,
                vec![String::from("..."), template_line(template, narrowing)?],
            )
        }
        Matcher::Sanitizer(suppression) => {
            return Err(Unsupported::new(format!(
                "memcheck has no equivalent of `{}`",
                suppression.kind
            )));
        }
        Matcher::Stack(patterns) => {
            ensure_expressible(rule, &Tool::Memcheck)?;
            let lines = patterns
                .iter()
                .map(|pattern| stack_line(pattern, narrowing))
                .collect::<Result<_, _>>()?;
            (leak_kinds(rule)?, lines)
        }
    };
    let extra = if kinds.len() == LEAK_KINDS.len() {
        String::new()
    } else {
        Extra::Leaks(kinds).text()
    };
    let lines: Vec<String> = core::iter::once(extra)
        .chain(lines)
        .filter(|l| !l.is_empty())
        .map(|l| format!("   {l}\n"))
        .collect();
    Ok(format!(
        "{}{{\n   {}\n   Memcheck:Leak\n{}}}\n",
        comment(&rule.metadata.reason),
        entry_name(&rule.id),
        lines.concat()
    ))
}

const LEAK_KINDS: [Kind; 4] = [
    Kind::LEAK_DEFINITE,
    Kind::LEAK_INDIRECT,
    Kind::LEAK_POSSIBLE,
    Kind::LEAK_REACHABLE,
];

/// Returns the kinds of leaks that a rule accepts. Fails if it also accepts errors.
fn leak_kinds(rule: &Rule) -> Result<Vec<Kind>, Unsupported> {
    let mut out: Vec<Kind> = Vec::new();
    for set in &rule.selector.kinds {
        let more: &[Kind] = match set {
            KindSet::Leaks => &LEAK_KINDS,
            KindSet::One(kind) if kind.is_leak() => core::slice::from_ref(kind),
            other => {
                return Err(Unsupported::new(format!(
                    "a leak suppression cannot accept `{}`",
                    other.as_str()
                )));
            }
        };
        out.extend(
            more.iter()
                .filter(|kind| !out.contains(kind))
                .cloned()
                .collect::<Vec<_>>(),
        );
    }
    if out.is_empty() {
        Err(Unsupported::new(
            "the rule also accepts errors, but a suppression has a single kind",
        ))
    } else {
        Ok(out)
    }
}

/// Converts a pattern to a line of a suppression.
fn stack_line(pattern: &StackPattern, narrowing: &mut Narrowing) -> Result<String, Unsupported> {
    let unsupported = |reason: &str| Err(Unsupported::new(format!("`{}`: {reason}", pattern.text)));
    match &pattern.parsed {
        FramePattern::AnyFrames => Ok(String::from("...")),
        FramePattern::RuntimeFrames => {
            unsupported("valgrind has no equivalent, and `...` would match more")
        }
        FramePattern::Expression(_) => unsupported("valgrind has no regular expressions"),
        FramePattern::Function(glob) | FramePattern::Symbol(glob) => match glob.to_valgrind() {
            Some(name) => {
                function_line(&name, narrowing).or_else(|error| unsupported(&error.to_string()))
            }
            None => unsupported("valgrind has no escapes"),
        },
        FramePattern::Object(path) => match path.glob.to_valgrind() {
            Some(path) if path.starts_with(['/', '*']) => Ok(format!("obj:{path}")),
            // The pattern also matches the end of a path, after any `/`.
            Some(path) => Ok(format!("obj:*/{path}")),
            None => unsupported("valgrind has no escapes"),
        },
        FramePattern::File(path, line) => match path.glob.to_valgrind() {
            Some(file) if !file.contains(['/', '*', '?']) => {
                narrowing.add(OTHER_FILE);
                Ok(format!(
                    "src:{file}{}",
                    line.map_or(String::new(), |n| format!(":{n}"))
                ))
            }
            _ => unsupported("valgrind compares file names without their directories"),
        },
    }
}

/// Converts a pattern for printed names. Fails if a mangled name, which starts with `_Z` or `_R`,
/// could match it.
fn function_line(name: &str, narrowing: &mut Narrowing) -> Result<String, Unsupported> {
    if !is_c_name(name) {
        return Err(Unsupported::new(
            "valgrind compares names before demangling",
        ));
    }
    let start = name.split(['*', '?']).next().unwrap_or_default();
    if start.len() < name.len() && (start.is_empty() || start == "_") {
        return Err(Unsupported::new(
            "valgrind compares names before demangling, so the pattern would also match parts of \
             mangled names",
        ));
    }
    narrowing.add(C_FUNCTIONS_ONLY);
    Ok(format!("fun:{name}"))
}

/// Converts a template to a line for the C functions that start with it. After a `*`, valgrind
/// would also find the text within mangled names.
fn template_line(template: &str, narrowing: &mut Narrowing) -> Result<String, Unsupported> {
    let pattern = template_pattern(template)?;
    let prefix = pattern.strip_prefix('*').unwrap_or(&pattern);
    if prefix != pattern {
        narrowing.add("the converted rule only matches names that start with the template");
    }
    let name = Glob::from_toml(prefix)
        .to_valgrind()
        .filter(|name| !is_mangled(name))
        .ok_or_else(|| Unsupported::new("valgrind has no escapes"))?;
    function_line(&name, narrowing)
}
