//! What can be said of a mangled name when only its demangled form is known.
//!
//! Mangling (Itanium C++ ABI, 5.1) writes scopes from the outside in, each as its length and its
//! letters, so the beginning of a mangled name follows from the demangled one; what comes last does
//! not: whether a function is `static`, which of its constructors it is, how its arguments are
//! abbreviated. A pattern that ends in `*` and matches the certain beginning matches every name
//! that begins so.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

/// Names of which one demangled form has one mangled form: the global allocation functions, on 64
/// and 32 bits.
const EXACT: &[(&str, &str)] = &[
    ("operator new(unsigned long)", "_Znwm"),
    ("operator new[](unsigned long)", "_Znam"),
    ("operator new(unsigned int)", "_Znwj"),
    ("operator new[](unsigned int)", "_Znaj"),
    (
        "operator new(unsigned long, std::nothrow_t const&)",
        "_ZnwmRKSt9nothrow_t",
    ),
    (
        "operator new[](unsigned long, std::nothrow_t const&)",
        "_ZnamRKSt9nothrow_t",
    ),
    (
        "operator new(unsigned long, std::align_val_t)",
        "_ZnwmSt11align_val_t",
    ),
    (
        "operator new[](unsigned long, std::align_val_t)",
        "_ZnamSt11align_val_t",
    ),
    ("operator delete(void*)", "_ZdlPv"),
    ("operator delete[](void*)", "_ZdaPv"),
    ("operator delete(void*, unsigned long)", "_ZdlPvm"),
    ("operator delete[](void*, unsigned long)", "_ZdaPvm"),
];

/// Names in `std` that mangling abbreviates.
const SHORT: &[&str] = &[
    "allocator",
    "basic_string",
    "string",
    "basic_istream",
    "basic_ostream",
    "basic_iostream",
    "istream",
    "ostream",
    "iostream",
];

/// Words of a demangled C++ name that do not stand in the mangled one as they are.
const ABBREVIATED: &[&str] = &[
    "std",
    "allocator",
    "basic_string",
    "string",
    "istream",
    "ostream",
    "iostream",
    "basic_istream",
    "basic_ostream",
    "basic_iostream",
    "char_traits",
    "operator",
    "lambda",
    "anonymous",
    "namespace",
    "clone",
    "unnamed",
    "type",
    "char",
    "int",
    "long",
    "short",
    "bool",
    "float",
    "double",
    "void",
    "unsigned",
    "signed",
    "const",
    "volatile",
    "auto",
    "decltype",
    "vtable",
    "guard",
    "thunk",
    "virtual",
    "non",
    "to",
    "for",
    "new",
    "delete",
    "construction",
    "typeinfo",
    "initializer",
    "reference",
];

/// The same for Rust.
const ABBREVIATED_IN_RUST: &[&str] =
    &["as", "impl", "dyn", "closure", "shim", "mut", "const", "fn"];

/// What stands between two certain pieces of a mangled name: anything, which only a `*` takes.
pub(crate) const GAP: u8 = 0;

/// What is certain of the mangled forms of a printed name: pieces in their order, with [`GAP`]
/// between them. Several, where the order is not certain.
pub(crate) fn skeletons(name: &str, simple: &str) -> Vec<String> {
    if let Some((_, mangled)) = EXACT.iter().find(|(demangled, _)| *demangled == name) {
        return [(*mangled).to_owned()].into();
    }
    // What a compiler puts before a function is named after it, and mangled otherwise.
    if name.starts_with('{') || name.contains("thunk to ") {
        return Vec::new();
    }
    let is_rust = !name.contains('(');
    let abbreviated = if is_rust {
        ABBREVIATED_IN_RUST
    } else {
        ABBREVIATED
    };
    let gap = char::from(GAP);
    let mut words: Vec<&str> = Vec::new();
    for word in simple.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
        // Rust's newer mangling puts `_` between the length and a name that begins with `_` or a
        // digit.
        let begins = word
            .bytes()
            .next()
            .is_some_and(|b| b.is_ascii_alphabetic() || (b == b'_' && !is_rust));
        if begins && !abbreviated.contains(&word) && !words.contains(&word) {
            words.push(word);
        }
    }
    if is_rust && (name.contains('<') || simple.contains(" as ")) {
        return words
            .iter()
            .map(|word| format!("{gap}{}{word}{gap}", word.len()))
            .collect();
    }
    let scopes = scopes(name);
    let mut out = scopes
        .as_ref()
        .filter(|_| !is_rust)
        .map(start)
        .unwrap_or_default();
    let begun = out.len();
    let mut identifier = String::new();
    for word in words {
        identifier.clear();
        push_identifier(&mut identifier, word);
        // What is in the beginning already stands there once.
        if !out[..begun].contains(&identifier) {
            out.push(gap);
            out += &identifier;
        }
    }
    match scopes.and_then(|scopes| end(name, &scopes, &out)) {
        Some(end) => out += end,
        None => out.push(gap),
    }
    [out].into()
}

/// A name behind its length.
fn push_identifier(out: &mut String, word: &str) {
    // Writing into a string can't fail.
    let _ = write!(out, "{}{word}", word.len());
}

/// What follows the last identifier of an ordinary function: `E` where it has a scope, and `v`
/// where it has no arguments.
fn end(name: &str, (scopes, qualifiers): &Scopes<'_>, before: &str) -> Option<&'static str> {
    let [outer @ .., last] = scopes.as_slice() else {
        return None;
    };
    let is_plain = last.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let mut identifier = String::new();
    push_identifier(&mut identifier, last);
    if !is_plain || *qualifiers == " other" || !before.ends_with(&identifier) {
        return None;
    }
    let is_nested = !matches!(outer, [] | ["std"]);
    let arguments = &name[name.find(last)? + last.len()..];
    let nothing = arguments == "()" || arguments == "() const";
    Some(match (is_nested, nothing) {
        (true, true) => "Ev",
        (false, true) => "v",
        (true, false) => "E\0",
        (false, false) => "\0",
    })
}

/// How the mangled form of an ordinary C++ function begins.
fn start((scopes, qualifiers): &Scopes<'_>) -> String {
    let [outer @ .., last] = scopes.as_slice() else {
        return String::new();
    };
    match outer {
        [] => String::from("_Z"),
        ["std"] => String::from("_ZSt"),
        _ => {
            // A const function's name begins with `_ZNK`; other qualifiers are left open.
            let mut start = match *qualifiers {
                "" => String::from("_ZN"),
                " const" => String::from("_ZNK"),
                _ => return String::from("_ZN"),
            };
            let whole = nested(outer, &mut start);
            let class = outer.last().copied().unwrap_or_default();
            if whole && last.strip_prefix('~') == Some(class) {
                start.push('D');
            } else if whole && *last == class {
                start.push('C');
            }
            start
        }
    }
}

/// Adds the scopes; false where one is a template or abbreviated, behind which nothing is certain.
fn nested(scopes: &[&str], out: &mut String) -> bool {
    for (at, scope) in scopes.iter().enumerate() {
        if at == 0 && *scope == "std" {
            out.push_str("St");
            continue;
        }
        if at == 1
            && scopes[0] == "std"
            && SHORT.contains(&scope.split('<').next().unwrap_or_default())
        {
            // `Sa`, `Ss`, …: take back the `t`.
            out.pop();
            return false;
        }
        if *scope == "(anonymous namespace)" {
            out.push_str("12_GLOBAL__N_1");
            continue;
        }
        let end = scope.find(['<', '[']).unwrap_or(scope.len());
        let identifier = &scope[..end];
        if identifier.is_empty()
            || !identifier
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_')
        {
            return false;
        }
        push_identifier(out, identifier);
        if end < scope.len() {
            return false;
        }
    }
    true
}

/// The scopes and the name of a function, and the qualifiers behind its arguments.
type Scopes<'a> = (Vec<&'a str>, &'static str);

/// Takes an ordinary function's name apart. Of Rust's names, of local entities and of what a
/// compiler adds (thunks, guards) nothing is said.
fn scopes(name: &str) -> Option<Scopes<'_>> {
    let (mut depth, mut start) = (0u32, 0);
    let mut parts = Vec::new();
    let bytes = name.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'(' if depth == 0 && name[at..].starts_with("(anonymous namespace)") => {
                at += "(anonymous namespace)".len() - 1
            }
            // The arguments: what stands before them is the name.
            b'(' if depth == 0 => {
                parts.push(&name[start..at]);
                let tail = &name[name.rfind(')')? + 1..];
                let outer = &parts[..parts.len() - 1];
                let whole = parts.iter().all(|p| !p.is_empty() && !p.contains('{'))
                    && !outer.iter().any(|p| p.starts_with("operator"));
                let qualifiers = match tail.split(" [clone").next().unwrap_or_default() {
                    "" => "",
                    " const" => " const",
                    _ => " other",
                };
                return whole.then_some((parts, qualifiers));
            }
            b'<' => depth += 1,
            b'>' if at > 0 && bytes[at - 1] != b'-' => depth = depth.saturating_sub(1),
            b'{' | b'\'' => return None,
            // A template's return type stands before its name; in front of anything else a blank
            // means a thunk or a guard.
            b' ' if depth == 0 => {
                if !name[at..].contains(">(") || name.contains(" for ") || name.contains(" to ") {
                    return None;
                }
                parts.clear();
                start = at + 1;
            }
            b':' if depth == 0 && bytes.get(at + 1) == Some(&b':') => {
                parts.push(&name[start..at]);
                at += 1;
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_a_mangled_name_follows_from_the_demangled_one() {
        let skeleton = |name: &str| {
            let all = skeletons(name, &crate::symbol::simple_name(name));
            all.join("|").replace(char::from(GAP), "*")
        };
        for (mangled, want) in [
            ("_Z4worki", "_Z*4work*"),
            ("_ZL4worki", "_Z*4work*"),
            ("_ZN2ns4workEi", "_ZN2ns*4workE*"),
            ("_ZN2nsL4workEi", "_ZN2ns*4workE*"),
            ("_ZN2ns4deep4workEi", "_ZN2ns4deep*4workE*"),
            ("_ZNK2ns4Pool4sizeEv", "_ZNK2ns4Pool*4sizeEv"),
            ("_ZN2ns4PoolC1Ei", "_ZN2ns4PoolC*"),
            ("_ZN2ns4PoolD2Ev", "_ZN2ns4PoolD*"),
            ("_ZN2ns3BoxIiE3getEv", "_ZN2ns3Box*3getEv"),
            ("_ZN2ns4makeIiEEvT_", "_ZN2ns*4make*"),
            ("_ZN12_GLOBAL__N_14workEv", "_ZN12_GLOBAL__N_1*4workEv"),
            (
                "_ZNSt6vectorIiSaIiEE9push_backERKi",
                "_ZNSt6vector*9push_backE*",
            ),
            ("_ZNSaIcEC1Ev", "_ZNS*"),
            ("_ZSt4swapIiEvRT_S1_", "_ZSt*4swap*"),
            ("_Znwm", "_Znwm"),
            (
                "_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE",
                "*4core*3fmt*5Write*9write_fmt*",
            ),
            ("_RNvCs1234_2ex4main", "*2ex*4main*"),
            ("_ZZ4mainENKUlvE_clEv", "*4main*"),
        ] {
            let name = crate::symbol::demangle(mangled).unwrap();
            assert_eq!(skeleton(&name), want, "{name}");
            assert!(
                want.split('|')
                    .all(|w| crate::rules::glob::Glob::plain(w).matches(mangled)),
                "{name}"
            );
        }
    }
}
