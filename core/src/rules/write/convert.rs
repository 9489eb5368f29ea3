//! Rules of one language in another, as far as it can say the same.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::toml::{list, quoted};
use super::{Language, comment, entry_name};
use crate::model::Kind;
use crate::rules::glob::Glob;
use crate::rules::sanitizer::Suppression;
use crate::rules::selector::KindSet;
use crate::rules::stack::{Item, What};
use crate::rules::valgrind::kinds::{Extra, Family};
use crate::rules::valgrind::{Entry, Location, Name};
use crate::rules::{Matcher, Rule, Source};
use crate::symbol;

/// A rule in another language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    /// The rule's name.
    pub id: String,
    /// The rule; or what can't be said.
    pub text: Result<String, String>,
    /// What it matches otherwise than before, where that can't be said.
    pub narrower: Option<String>,
}

/// Writes rules in another language. The languages compare different names, so a written rule is to be looked at: `narrower` tells.
pub fn convert(rules: &[Rule], to: Language) -> Vec<Converted> {
    let one = |rule: &Rule| {
        let mut narrower = None;
        let text = match to {
            Language::Toml => to_toml(rule, &mut narrower),
            Language::Valgrind => to_valgrind(rule, &mut narrower),
            Language::Lsan => to_lsan(rule, &mut narrower),
        };
        Converted { id: rule.id.clone(), narrower: narrower.filter(|_| text.is_ok()), text }
    };
    rules.iter().map(one).collect()
}

const FUNCTIONS_ONLY: &str = "the sanitizer compares modules and files with the template, too, and functions with their arguments; this compares functions, with or without";

fn to_toml(rule: &Rule, narrower: &mut Option<String>) -> Result<String, String> {
    let mut out = format!("[[allow]]\nid = {}\n", quoted(&rule.id));
    match &rule.matcher {
        Matcher::Stack(_) => return Err(String::from("it is an entry of leakgate.toml already")),
        Matcher::Valgrind(entry) => out += &from_valgrind(entry)?,
        Matcher::Sanitizer(suppression) => {
            if suppression.kind != "leak" {
                return Err(format!("`{}` says how the sanitizer works, not which finding is accepted", suppression.kind));
            }
            *narrower = Some(String::from(FUNCTIONS_ONLY));
            let stack = [String::from("..."), format!("fun:{}", template(&suppression.template)?)];
            out += &format!("tools = [\"lsan\"]\nstack = {}\n", list(&stack));
        }
    }
    let reason = if rule.about.reason.is_empty() {
        format!("taken over from {}, which says no reason", rule.origin.file)
    } else {
        rule.about.reason.clone()
    };
    out += &format!("reason = {}\n", quoted(&reason));
    Ok(out)
}

/// Tools, kinds and stack of an entry.
fn from_valgrind(entry: &Entry) -> Result<String, String> {
    let [family] = entry.families.as_slice() else {
        return Err(format!("`{}` names no single tool that leakgate reads", entry.tools));
    };
    let tool =
        family.tool().ok_or("errors about descriptors are the same for all tools of valgrind; write the entry by its kind")?;
    let (kinds, title) = kinds(*family, entry)?;
    let stack: Vec<String> = entry.locations.iter().map(item).collect::<Result<_, _>>()?;
    let title = title.map_or(String::new(), |t| format!("title = {}\n", quoted(&t)));
    Ok(format!("tools = [{}]\nkinds = {}\n{title}stack = {}\n", quoted(tool.as_str()), list(&kinds), list(&stack)))
}

/// Kinds of findings, and the pattern of the headline where the kind alone says too much.
fn kinds(family: Family, entry: &Entry) -> Result<(Vec<String>, Option<String>), String> {
    let many = |kinds: &[&str]| kinds.iter().map(ToString::to_string).collect();
    let kind = entry.kind.as_str();
    if family != Family::Memcheck {
        let kind = if kind == "PthAPIerror" { String::from("pth-api-error") } else { Kind::from_name(kind).as_str().into() };
        return Ok(([kind].into(), None));
    }
    Ok(match (kind, &entry.extra) {
        ("Leak", Extra::Leaks(kinds)) if kinds.is_empty() => return Err(String::from("it matches nothing")),
        ("Leak", Extra::Leaks(kinds)) => (kinds.iter().map(|k| k.as_str().into()).collect(), None),
        ("Param", Extra::Parameter(name)) => (many(&["syscall-param"]), Some(format!("Syscall param {} *", Glob::escape(name)))),
        ("FishyValue", Extra::Argument(function, argument)) => {
            let title = format!("Argument '{}' of function {} has a fishy*", Glob::escape(argument), Glob::escape(function));
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
            (Some(size), _) => (many(&["invalid-read", "invalid-write"]), Some(format!("Invalid * of size {size}"))),
            (_, Some(size)) => (many(&["uninit-value"]), Some(format!("Use of uninitialised value of size {size}"))),
            _ => return Err(format!("`{kind}` matches nothing that memcheck reports")),
        },
    })
}

/// A location on demangled names.
fn item(location: &Location) -> Result<String, String> {
    let mangled = |name: &str| name.starts_with("_Z") || name.starts_with("_R");
    match location {
        Location::Dots => Ok(String::from("...")),
        Location::Function(Name { glob: Glob::Exact(name), .. }) => {
            let name = symbol::demangle(name).unwrap_or_else(|| name.clone());
            Ok(format!("fun:{}", Glob::escape(&name)))
        }
        Location::Function(name) if mangled(&name.glob.to_escaped()) => Err(format!(
            "`{}` has a wildcard inside a mangled name; entries of leakgate.toml are about demangled names",
            location.text()
        )),
        Location::Function(name) => Ok(format!("fun:{}", name.glob.to_escaped())),
        Location::Object(glob) => {
            let pattern = glob.to_escaped();
            let anchored = pattern.starts_with(['/', '*']);
            if anchored {
                Ok(format!("obj:{pattern}"))
            } else {
                Err(format!("`{}` matches nothing: valgrind compares whole paths", location.text()))
            }
        }
        Location::File(glob, line) => {
            let line = line.map_or(String::new(), |n| format!(":{n}"));
            Ok(format!("src:{}{line}", glob.to_escaped()))
        }
    }
}

/// A template as a pattern for a whole name.
fn template(template: &str) -> Result<String, String> {
    let (body, end) = template.split_once('$').map_or((template, "*"), |(body, _)| (body, ""));
    let (body, start) = body.strip_prefix('^').map_or((body, "*"), |body| (body, ""));
    if body.is_empty() {
        return Err(String::from("an empty template accepts every leak"));
    }
    let pieces: Vec<String> = body.split('*').map(Glob::escape).collect();
    Ok(format!("{start}{}{end}", pieces.join("*")).replace("**", "*"))
}

/// Nothing but what a suppression file can say.
fn only_stack(rule: &Rule, tools: &[&str]) -> Result<(), String> {
    let selector = &rule.selector;
    let said = [
        (selector.fingerprint.is_some(), "a fingerprint"),
        (!selector.bytes.is_open() || !selector.blocks.is_open(), "sizes"),
        (selector.title.is_some(), "a headline"),
        (rule.expires.is_some(), "a last day"),
        (rule.limit != super::super::Limit::default(), "a limit"),
        (rule.expect.is_some(), "an expectation"),
        (selector.tools.iter().any(|t| !tools.contains(&t.as_str())), "other tools"),
    ];
    let lost: Vec<&str> = said.iter().filter(|(is, _)| *is).map(|(_, what)| *what).collect();
    if lost.is_empty() { Ok(()) } else { Err(format!("a suppression file can't say {}", lost.join(", "))) }
}

/// The kinds of leaks that a rule names; all of them where it names none.
fn leak_kinds(rule: &Rule) -> Result<Vec<Kind>, String> {
    let all = [Kind::LEAK_DEFINITE, Kind::LEAK_INDIRECT, Kind::LEAK_POSSIBLE, Kind::LEAK_REACHABLE];
    let mut out = Vec::new();
    for set in &rule.selector.kinds {
        match set {
            KindSet::Leaks => out.extend(all.clone()),
            KindSet::One(kind) if kind.is_leak() => out.push(kind.clone()),
            other => return Err(format!("an entry for leaks can't say `{}`", other.as_str())),
        }
    }
    if out.is_empty() { Err(String::from("it is about errors, too; a suppression is about one kind")) } else { Ok(out) }
}

fn to_valgrind(rule: &Rule, narrower: &mut Option<String>) -> Result<String, String> {
    let head = format!("{}{{\n   {}\n   Memcheck:Leak\n", comment(&rule.about.reason), entry_name(&rule.id));
    let (kinds, lines) = match &rule.matcher {
        Matcher::Valgrind(_) => return Err(String::from("it is an entry of a valgrind suppression file already")),
        Matcher::Sanitizer(Suppression { kind, template: t }) if kind == "leak" => {
            *narrower = Some(String::from(FUNCTIONS_ONLY));
            (Extra::Leaks(Vec::new()), alloc::vec![String::from("..."), format!("fun:{}", plain(&template(t)?)?)])
        }
        Matcher::Sanitizer(suppression) => return Err(format!("memcheck knows nothing like `{}`", suppression.kind)),
        Matcher::Stack(items) => {
            only_stack(rule, &["memcheck"])?;
            *narrower = Some(String::from("valgrind compares mangled names: of C++ and Rust it matches what `*word*` finds"));
            (Extra::Leaks(leak_kinds(rule)?), items.iter().map(valgrind_line).collect::<Result<_, _>>()?)
        }
    };
    let extra = if kinds == Extra::Leaks(Vec::new()) { String::new() } else { kinds.text() };
    let lines: Vec<String> =
        core::iter::once(extra).chain(lines).filter(|l| !l.is_empty()).map(|l| format!("   {l}\n")).collect();
    Ok(format!("{head}{}}}\n", lines.concat()))
}

/// An item as valgrind says it; names of C alone are the same before demangling.
fn valgrind_line(item: &Item) -> Result<String, String> {
    let unsaid = |why: &str| Err(format!("`{}`: {why}", item.text));
    match &item.what {
        What::Dots => Ok(String::from("...")),
        What::Runtime => unsaid("valgrind knows no tables of runtimes, and `...` would match more"),
        What::Expression(_) => unsaid("valgrind knows no regular expressions"),
        What::Function(glob) => match glob.to_plain() {
            Some(name) if !name.contains(['(', '<', ':', ' ']) => Ok(format!("fun:{name}")),
            Some(_) => unsaid("valgrind compares names before demangling"),
            None => unsaid("valgrind has no escapes"),
        },
        What::Object(path) => match path.glob.to_plain() {
            Some(path) if path.starts_with(['/', '*']) => Ok(format!("obj:{path}")),
            _ => unsaid("valgrind compares whole paths, without escapes"),
        },
        What::File(path, line) => match path.glob.to_plain() {
            Some(file) if !file.contains('/') => Ok(format!("src:{file}{}", line.map_or(String::new(), |n| format!(":{n}")))),
            _ => unsaid("valgrind compares the name of the file without its folder"),
        },
    }
}

/// A pattern of leakgate.toml as valgrind writes it.
fn plain(pattern: &str) -> Result<String, String> {
    Glob::escaped(pattern).to_plain().ok_or_else(|| String::from("valgrind has no escapes"))
}

fn to_lsan(rule: &Rule, narrower: &mut Option<String>) -> Result<String, String> {
    if rule.origin.source == Source::Sanitizer {
        return Err(String::from("it is a line of a sanitizer's suppression file already"));
    }
    only_stack(rule, &["lsan"])?;
    let glob = match &rule.matcher {
        Matcher::Stack(items) => match items.as_slice() {
            [Item { what: What::Dots, .. }, Item { what: What::Function(glob), .. }] => glob,
            _ => return Err(String::from("a template names one frame, anywhere in the stack: `...` and one `fun:`")),
        },
        Matcher::Valgrind(Entry { locations, kind, extra, .. }) => match (locations.as_slice(), kind.as_str(), extra) {
            ([Location::Dots, Location::Function(name)], "Leak", Extra::Leaks(kinds)) if kinds.len() == 4 => &name.glob,
            _ => {
                return Err(String::from(
                    "a template names one frame, anywhere in the stack: `Leak` of all kinds, `...` and one `fun:`",
                ));
            }
        },
        Matcher::Sanitizer(_) => return Err(String::from("it is one already")),
    };
    if rule.selector.kinds.iter().any(|k| *k != KindSet::Leaks) {
        return Err(String::from("LeakSanitizer can't tell kinds of leaks apart"));
    }
    let pattern =
        glob.to_plain().filter(|p| !p.contains(['?', '$', '^'])).ok_or("a template has no way to write this pattern")?;
    if pattern.contains(['(', '<', ':', ' ']) || pattern.starts_with("_Z") {
        return Err(String::from("LeakSanitizer compares demangled names with their arguments, which the rule leaves out"));
    }
    *narrower = (!pattern.ends_with('*'))
        .then(|| String::from("of C++ functions the name would have arguments behind it; this matches those of C"));
    let start = pattern.strip_prefix('*').map_or_else(|| format!("^{pattern}"), String::from);
    let template = start.strip_suffix('*').map_or_else(|| format!("{start}$"), String::from);
    if template.trim_matches(['*', '^', '$']).is_empty() {
        return Err(String::from("it would accept every leak"));
    }
    Ok(format!("{}leak:{template}\n", comment(&rule.about.reason)))
}
