//! Converts rules to `[[allow]]` rules.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::super::Unsupported;
use super::super::toml::{quote, string_list};
use super::{C_FUNCTIONS_ONLY, FUNCTIONS_ONLY, Narrowing, OTHER_FILE, is_c_name, is_mangled};
use crate::model::Kind;
use crate::rules::glob::{Glob, Token};
use crate::rules::sanitizer::{Suppression, is_intercepted};
use crate::rules::valgrind::frames::is_ambiguous;
use crate::rules::valgrind::kinds::{Extra, Family};
use crate::rules::valgrind::{Entry, FunctionPattern, SuppressionFrame};
use crate::rules::{Matcher, Rule};
use crate::symbol;

/// Returns an equivalent rule.
pub(super) fn write(rule: &Rule, narrowing: &mut Narrowing) -> Result<String, Unsupported> {
    let matcher = match &rule.matcher {
        Matcher::Stack(_) => return Err(Unsupported::new("it is already a leakgate.toml rule")),
        Matcher::Valgrind(entry) => from_valgrind(entry, narrowing)?,
        Matcher::Sanitizer(suppression) => from_sanitizer(suppression, narrowing)?,
    };
    let reason = if rule.metadata.reason.is_empty() {
        format!("converted from {}, which gives no reason", rule.origin.file)
    } else {
        rule.metadata.reason.clone()
    };
    Ok(format!(
        "[[allow]]\nid = {}\n{matcher}reason = {}\n",
        quote(&rule.id),
        quote(&reason)
    ))
}

/// Returns the tools and the stack for a template.
fn from_sanitizer(
    suppression: &Suppression,
    narrowing: &mut Narrowing,
) -> Result<String, Unsupported> {
    if suppression.kind != "leak" {
        return Err(Unsupported::new(format!(
            "only `leak` suppressions can be converted, not `{}`",
            suppression.kind
        )));
    }
    narrowing.add(FUNCTIONS_ONLY);
    let stack = [
        String::from("..."),
        format!("sym:{}", template_pattern(&suppression.template)?),
    ];
    Ok(format!(
        "tools = [\"lsan\"]\nstack = {}\n",
        string_list(&stack)
    ))
}

/// Converts a template to a pattern for a whole name.
pub(super) fn template_pattern(template: &str) -> Result<String, Unsupported> {
    let (body, ends) = template
        .split_once('$')
        .map_or((template, false), |(body, _)| (body, !body.ends_with('*')));
    let (body, anchored) = body
        .strip_prefix('^')
        .map_or((body, false), |body| (body, !body.starts_with('*')));
    let pieces: Vec<String> = body
        .split('*')
        .filter(|piece| !piece.is_empty())
        .map(Glob::escape)
        .collect();
    if pieces.is_empty() {
        return Err(Unsupported::new(
            "an empty template matches every leak or none",
        ));
    }
    if ends && !(anchored && pieces.len() == 1) {
        return Err(Unsupported::new(
            "the sanitizer only compares the first occurrence of the text before `$` (`foo$` \
             matches `a_foo` but not `foo_foo`), which a pattern cannot express",
        ));
    }
    let edge = |is_free: bool| if is_free { "*" } else { "" };
    let pattern = format!("{}{}{}", edge(!anchored), pieces.join("*"), edge(!ends));
    if anchored && is_intercepted(&Glob::from_toml(&pattern)) {
        return Err(Unsupported::new(
            "the sanitizer may compare `__interceptor_malloc` even if the log shows `malloc`",
        ));
    }
    Ok(pattern)
}

/// Returns the tools, kinds and stack for a valgrind suppression.
fn from_valgrind(entry: &Entry, narrowing: &mut Narrowing) -> Result<String, Unsupported> {
    let [family] = entry.families.as_slice() else {
        return Err(Unsupported::new(format!(
            "`{}` is not exactly one supported valgrind tool",
            entry.tools
        )));
    };
    let tool = family.tool().ok_or_else(|| {
        Unsupported::new(
            "file descriptor errors are common to all valgrind tools; write a rule with `kinds` \
             instead",
        )
    })?;
    let (kinds, title) = kinds_and_title(*family, entry)?;
    let stack: Vec<String> = entry
        .locations
        .iter()
        .map(|location| frame_pattern(location, narrowing))
        .collect::<Result<_, _>>()?;
    let title = title.map_or(String::new(), |t| format!("title = {}\n", quote(&t)));
    Ok(format!(
        "tools = [{}]\nkinds = {}\n{title}stack = {}\n",
        quote(tool.as_str()),
        string_list(&kinds),
        string_list(&stack)
    ))
}

/// Returns the kinds, and a pattern for the headline if the kinds alone would match too much.
fn kinds_and_title(
    family: Family,
    entry: &Entry,
) -> Result<(Vec<String>, Option<String>), Unsupported> {
    let many = |kinds: &[&str]| kinds.iter().map(ToString::to_string).collect();
    let kind = entry.kind.as_str();
    if family != Family::Memcheck {
        let kind = if kind == "PthAPIerror" {
            String::from("pth-api-error")
        } else {
            Kind::from_name(kind).as_str().into()
        };
        return Ok(([kind].into(), None));
    }
    Ok(match (kind, &entry.extra) {
        ("Leak", Extra::Leaks(kinds)) if kinds.is_empty() => {
            return Err(Unsupported::new("it matches nothing"));
        }
        ("Leak", Extra::Leaks(kinds)) => (kinds.iter().map(|k| k.as_str().into()).collect(), None),
        ("Param", Extra::Parameter(name)) => (
            many(&["syscall-param"]),
            Some(format!("Syscall param {} *", Glob::escape(name))),
        ),
        ("FishyValue", Extra::Argument(function, argument)) => {
            let title = format!(
                "Argument '{}' of function {} has a fishy*",
                Glob::escape(argument),
                Glob::escape(function)
            );
            (many(&["fishy-value"]), Some(title))
        }
        ("User", _) => (many(&["client-check"]), None),
        ("Jump", _) => (many(&["invalid-jump"]), None),
        ("Free", _) => (many(&["invalid-free", "mismatched-free"]), None),
        ("Overlap", _) => (many(&["overlap"]), None),
        ("Mempool", _) => (many(&["invalid-mem-pool"]), None),
        ("Cond" | "Value0", _) => (many(&["uninit-condition"]), None),
        ("ReallocZero", _) => (many(&["realloc-size-zero"]), None),
        ("BadAlign", _) => (many(&["invalid-alignment"]), None),
        ("BadSize" | "UnsafeZeroSize", _) => (many(&["invalid-size"]), None),
        ("SizeMismatch", _) => (many(&["mismatched-allocate-deallocate-size"]), None),
        ("AlignMismatch", _) => (many(&["mismatched-allocate-deallocate-alignment"]), None),
        (kind, _) => match (kind.strip_prefix("Addr"), kind.strip_prefix("Value")) {
            (Some(size), _) => (
                many(&["invalid-read", "invalid-write"]),
                Some(format!("Invalid * of size {size}")),
            ),
            (_, Some(size)) => (
                many(&["uninit-value"]),
                Some(format!("Use of uninitialised value of size {size}")),
            ),
            _ => {
                return Err(Unsupported::new(format!(
                    "`{kind}` matches nothing that memcheck reports"
                )));
            }
        },
    })
}

/// Converts a line of a suppression to a pattern of a `stack`.
fn frame_pattern(
    location: &SuppressionFrame,
    narrowing: &mut Narrowing,
) -> Result<String, Unsupported> {
    match location {
        SuppressionFrame::AnyFrames => Ok(String::from("...")),
        SuppressionFrame::Function(name) => function_pattern(name, narrowing),
        SuppressionFrame::Object(glob) => {
            let pattern = glob.to_toml();
            if pattern.starts_with(['/', '*']) {
                narrowing.add("a text log doesn't show the object of frames with a source file");
                Ok(format!("obj:{pattern}"))
            } else {
                Err(Unsupported::new(format!(
                    "`{}` matches nothing, because valgrind compares full paths",
                    location.to_line()
                )))
            }
        }
        SuppressionFrame::File(glob, _) if glob.to_toml().is_empty() => {
            Err(Unsupported::new("`src:` alone matches nothing"))
        }
        SuppressionFrame::File(glob, line) => {
            narrowing.add(OTHER_FILE);
            let line = line.map_or(String::new(), |n| format!(":{n}"));
            Ok(format!("src:{}{line}", glob.to_toml()))
        }
    }
}

/// Converts a pattern for names before demangling to a pattern for printed names.
fn function_pattern(
    name: &FunctionPattern,
    narrowing: &mut Narrowing,
) -> Result<String, Unsupported> {
    let written = name.glob.to_toml();
    match &name.glob {
        glob if glob.matches_anything() => Ok(String::from("sym:*")),
        Glob::Exact(exact) if exact.is_empty() => {
            Err(Unsupported::new("`fun:` alone matches nothing"))
        }
        Glob::Exact(exact) if is_mangled(exact) => {
            let demangled = symbol::demangle(exact).unwrap_or_else(|| exact.clone());
            if is_ambiguous(exact, &demangled) {
                return Err(Unsupported::new(format!(
                    "`fun:{exact}` is one of several functions that a log shows as `{demangled}`"
                )));
            }
            Ok(format!("sym:{}", Glob::escape(&demangled)))
        }
        Glob::Exact(exact) if is_c_name(exact) || exact == "(below main)" => {
            Ok(format!("sym:{written}"))
        }
        Glob::Exact(exact) => Err(Unsupported::new(format!(
            "valgrind compares names before demangling, and `{exact}` isn't such a name"
        ))),
        Glob::Wild(_) if is_mangled(&written) => Err(Unsupported::new(format!(
            "`fun:{written}` has a wildcard in a mangled name, but leakgate.toml rules match \
             demangled names"
        ))),
        Glob::Wild(_) if !is_c_name(&written) => Err(Unsupported::new(format!(
            "valgrind compares names before demangling, and `{written}` matches no such name"
        ))),
        Glob::Wild(tokens) => {
            if !matches!(tokens.first(), Some(Token::Byte(b)) if *b != b'_') {
                narrowing.add(C_FUNCTIONS_ONLY);
            }
            Ok(format!("re:^{}$", c_name_regex(tokens)))
        }
    }
}

/// Converts a pattern to a regular expression whose wildcards only match characters of C names.
fn c_name_regex(tokens: &[Token]) -> String {
    const PLAIN: &str = "[^(<: ,~\\[{]";
    let one = |token: &Token| match token {
        Token::Any => format!("{PLAIN}*"),
        Token::One => String::from(PLAIN),
        Token::Byte(b) if b.is_ascii() => regex::escape(&char::from(*b).to_string()),
        Token::Byte(b) => format!("(?-u:\\x{b:02X})"),
    };
    tokens.iter().map(one).collect()
}
