//! Entries of `leakgate.toml`.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::super::toml::{list, quoted};
use super::{Losses, is_mangled, is_plain};
use crate::model::Kind;
use crate::rules::glob::{Glob, Token};
use crate::rules::sanitizer::{Suppression, is_intercepted};
use crate::rules::valgrind::frames::names_several;
use crate::rules::valgrind::kinds::{Extra, Family};
use crate::rules::valgrind::{Entry, Location, Name};
use crate::rules::{Matcher, Rule};
use crate::symbol;

/// The entry that says the same.
pub(super) fn write(rule: &Rule, losses: &mut Losses) -> Result<String, String> {
    let matcher = match &rule.matcher {
        Matcher::Stack(_) => return Err(String::from("it is an entry of leakgate.toml already")),
        Matcher::Valgrind(entry) => from_valgrind(entry, losses)?,
        Matcher::Sanitizer(suppression) => from_sanitizer(suppression, losses)?,
    };
    let reason = if rule.about.reason.is_empty() {
        format!("taken over from {}, which says no reason", rule.origin.file)
    } else {
        rule.about.reason.clone()
    };
    Ok(format!(
        "[[allow]]\nid = {}\n{matcher}reason = {}\n",
        quoted(&rule.id),
        quoted(&reason)
    ))
}

/// Tool and stack of a template.
fn from_sanitizer(suppression: &Suppression, losses: &mut Losses) -> Result<String, String> {
    if suppression.kind != "leak" {
        return Err(format!(
            "`{}` says how the sanitizer works, not which finding is accepted",
            suppression.kind
        ));
    }
    losses.say(
        "the sanitizer compares modules and files with the template, too; this compares functions",
    );
    let stack = [
        String::from("..."),
        format!("sym:{}", template(&suppression.template)?),
    ];
    Ok(format!("tools = [\"lsan\"]\nstack = {}\n", list(&stack)))
}

/// A template as a pattern for a whole name.
pub(super) fn template(template: &str) -> Result<String, String> {
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
        return Err(String::from(
            "an empty template accepts every leak, or none",
        ));
    }
    if ends && !(anchored && pieces.len() == 1) {
        return Err(String::from(
            "of a piece before `$` the sanitizer takes the first place and no other (`foo$` takes `a_foo` and not `foo_foo`), which a pattern can't say",
        ));
    }
    let edge = |is_free: bool| if is_free { "*" } else { "" };
    let pattern = format!("{}{}{}", edge(!anchored), pieces.join("*"), edge(!ends));
    if anchored && is_intercepted(&Glob::escaped(&pattern)) {
        return Err(String::from(
            "the sanitizer may compare `__interceptor_malloc` where the log shows `malloc`",
        ));
    }
    Ok(pattern)
}

/// Tools, kinds and stack of an entry.
fn from_valgrind(entry: &Entry, losses: &mut Losses) -> Result<String, String> {
    let [family] = entry.families.as_slice() else {
        return Err(format!(
            "`{}` names no single tool that leakgate reads",
            entry.tools
        ));
    };
    let tool =
        family.tool().ok_or("errors about descriptors are the same for all tools of valgrind; write the entry by its kind")?;
    let (kinds, title) = kinds(*family, entry)?;
    let stack: Vec<String> = entry
        .locations
        .iter()
        .map(|location| item(location, losses))
        .collect::<Result<_, _>>()?;
    let title = title.map_or(String::new(), |t| format!("title = {}\n", quoted(&t)));
    Ok(format!(
        "tools = [{}]\nkinds = {}\n{title}stack = {}\n",
        quoted(tool.as_str()),
        list(&kinds),
        list(&stack)
    ))
}

/// Kinds of findings, and the pattern of the headline where the kind alone says too much.
fn kinds(family: Family, entry: &Entry) -> Result<(Vec<String>, Option<String>), String> {
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
            return Err(String::from("it matches nothing"));
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
            _ => return Err(format!("`{kind}` matches nothing that memcheck reports")),
        },
    })
}

/// A location as an item of `stack`.
fn item(location: &Location, losses: &mut Losses) -> Result<String, String> {
    match location {
        Location::Dots => Ok(String::from("...")),
        Location::Function(name) => function(name, losses),
        Location::Object(glob) => {
            let pattern = glob.to_escaped();
            if pattern.starts_with(['/', '*']) {
                losses.say("a text log shows no object of frames that have a source file");
                Ok(format!("obj:{pattern}"))
            } else {
                Err(format!(
                    "`{}` matches nothing: valgrind compares whole paths",
                    location.text()
                ))
            }
        }
        Location::File(glob, _) if glob.to_escaped().is_empty() => {
            Err(String::from("`src:` alone matches nothing"))
        }
        Location::File(glob, line) => {
            losses.say(
                "of files behind inlined functions valgrind compares the one of another frame",
            );
            let line = line.map_or(String::new(), |n| format!(":{n}"));
            Ok(format!("src:{}{line}", glob.to_escaped()))
        }
    }
}

/// A pattern of names before demangling as one of printed names.
fn function(name: &Name, losses: &mut Losses) -> Result<String, String> {
    let written = name.glob.to_escaped();
    match &name.glob {
        glob if glob.is_any() => Ok(String::from("sym:*")),
        Glob::Exact(exact) if exact.is_empty() => Err(String::from("`fun:` alone matches nothing")),
        Glob::Exact(exact) if is_mangled(exact) => {
            let demangled = symbol::demangle(exact).unwrap_or_else(|| exact.clone());
            if names_several(exact, &demangled) {
                return Err(format!(
                    "`fun:{exact}` is one of several functions that a log shows as `{demangled}`"
                ));
            }
            Ok(format!("sym:{}", Glob::escape(&demangled)))
        }
        Glob::Exact(exact) if is_plain(exact) || exact == "(below main)" => {
            Ok(format!("sym:{written}"))
        }
        Glob::Exact(exact) => Err(format!(
            "valgrind compares names before demangling, and none is `{exact}`"
        )),
        Glob::Wild(_) if is_mangled(&written) => Err(format!(
            "`fun:{written}` has a wildcard inside a mangled name; entries of leakgate.toml are about demangled names"
        )),
        Glob::Wild(_) if !is_plain(&written) => Err(format!(
            "valgrind compares names before demangling, and none is like `{written}`"
        )),
        Glob::Wild(tokens) => {
            if !matches!(tokens.first(), Some(Token::Byte(b)) if *b != b'_') {
                losses.say(
                    "valgrind compares names before demangling; this takes functions of C alone",
                );
            }
            Ok(format!("re:^{}$", expression(tokens)))
        }
    }
}

/// Wildcards that take what stands in names of C.
fn expression(tokens: &[Token]) -> String {
    const PLAIN: &str = "[^(<: ,~\\[{]";
    let one = |token: &Token| match token {
        Token::Any => format!("{PLAIN}*"),
        Token::One => String::from(PLAIN),
        Token::Byte(b) if b.is_ascii() => regex::escape(&char::from(*b).to_string()),
        Token::Byte(b) => format!("(?-u:\\x{b:02X})"),
    };
    tokens.iter().map(one).collect()
}
