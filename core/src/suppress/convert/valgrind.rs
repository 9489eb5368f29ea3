//! Entries of valgrind's suppression files.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::super::{comment, entry_name};
use super::{Losses, is_mangled, is_plain, only_stack};
use crate::model::{Kind, Tool};
use crate::rules::glob::Glob;
use crate::rules::sanitizer::Suppression;
use crate::rules::selector::KindSet;
use crate::rules::stack::{Item, What};
use crate::rules::valgrind::kinds::Extra;
use crate::rules::{Matcher, Rule};

const DEMANGLED: &str =
    "valgrind compares names before demangling; this takes functions of C alone";

/// The entry that says the same.
pub(super) fn write(rule: &Rule, losses: &mut Losses) -> Result<String, String> {
    let (kinds, lines) = match &rule.matcher {
        Matcher::Valgrind(_) => {
            return Err(String::from(
                "it is an entry of a valgrind suppression file already",
            ));
        }
        Matcher::Sanitizer(Suppression { kind, template }) if kind == "leak" => {
            losses.say("the sanitizer compares modules and files with the template, too; this compares functions");
            losses.say(DEMANGLED);
            let kinds = [Kind::LEAK_DEFINITE, Kind::LEAK_INDIRECT].into();
            (
                kinds,
                alloc::vec![String::from("..."), from_template(template, losses)?],
            )
        }
        Matcher::Sanitizer(suppression) => {
            return Err(format!(
                "memcheck knows nothing like `{}`",
                suppression.kind
            ));
        }
        Matcher::Stack(items) => {
            only_stack(rule, &Tool::Memcheck)?;
            let lines = items
                .iter()
                .map(|item| line(item, losses))
                .collect::<Result<_, _>>()?;
            (leak_kinds(rule)?, lines)
        }
    };
    let extra = if kinds.len() == ALL.len() {
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
        comment(&rule.about.reason),
        entry_name(&rule.id),
        lines.concat()
    ))
}

const ALL: [Kind; 4] = [
    Kind::LEAK_DEFINITE,
    Kind::LEAK_INDIRECT,
    Kind::LEAK_POSSIBLE,
    Kind::LEAK_REACHABLE,
];

/// The kinds of leaks that a rule names.
fn leak_kinds(rule: &Rule) -> Result<Vec<Kind>, String> {
    let mut out: Vec<Kind> = Vec::new();
    for set in &rule.selector.kinds {
        let more: &[Kind] = match set {
            KindSet::Leaks => &ALL,
            KindSet::One(kind) if kind.is_leak() => core::slice::from_ref(kind),
            other => return Err(format!("an entry for leaks can't say `{}`", other.as_str())),
        };
        out.extend(
            more.iter()
                .filter(|kind| !out.contains(kind))
                .cloned()
                .collect::<Vec<_>>(),
        );
    }
    if out.is_empty() {
        Err(String::from(
            "it is about errors, too; a suppression is about one kind",
        ))
    } else {
        Ok(out)
    }
}

/// An item as valgrind says it.
fn line(item: &Item, losses: &mut Losses) -> Result<String, String> {
    let unsaid = |why: &str| Err(format!("`{}`: {why}", item.text));
    match &item.what {
        What::Dots => Ok(String::from("...")),
        What::Runtime => unsaid("valgrind knows no tables of runtimes, and `...` would match more"),
        What::Expression(_) => unsaid("valgrind knows no regular expressions"),
        What::Function(glob) | What::Symbol(glob) => match glob.to_plain() {
            Some(name) => function(&name, losses).or_else(|why| unsaid(&why)),
            None => unsaid("valgrind has no escapes"),
        },
        What::Object(path) => match path.glob.to_plain() {
            Some(path) if path.starts_with(['/', '*']) => Ok(format!("obj:{path}")),
            // It may begin behind any `/`.
            Some(path) => Ok(format!("obj:*/{path}")),
            None => unsaid("valgrind has no escapes"),
        },
        What::File(path, line) => {
            match path.glob.to_plain() {
                Some(file) if !file.contains(['/', '*', '?']) => {
                    losses.say("of files behind inlined functions valgrind compares the one of another frame");
                    Ok(format!(
                        "src:{file}{}",
                        line.map_or(String::new(), |n| format!(":{n}"))
                    ))
                }
                _ => unsaid("valgrind compares the name of the file without its folder"),
            }
        }
    }
}

/// A pattern of printed names, where no mangled name can match it: these begin with `_Z` and `_R`.
fn function(name: &str, losses: &mut Losses) -> Result<String, String> {
    if !is_plain(name) {
        return Err(String::from("valgrind compares names before demangling"));
    }
    let start = name.split(['*', '?']).next().unwrap_or_default();
    if start.len() < name.len() && (start.is_empty() || start == "_") {
        return Err(String::from(
            "valgrind compares names before demangling, of which this would match parts that no log shows",
        ));
    }
    losses.say(DEMANGLED);
    Ok(format!("fun:{name}"))
}

/// The functions of C that begin with a template: behind a `*` valgrind would find it within
/// mangled names, too.
fn from_template(template: &str, losses: &mut Losses) -> Result<String, String> {
    let pattern = super::toml::template(template)?;
    let begins = pattern.strip_prefix('*').unwrap_or(&pattern);
    if begins != pattern {
        losses.say("this takes only names that begin so");
    }
    let plain = Glob::escaped(begins)
        .to_plain()
        .filter(|name| !is_mangled(name))
        .ok_or("valgrind has no escapes")?;
    function(&plain, losses)
}
