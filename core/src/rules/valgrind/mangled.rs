//! Derives the certain parts of a mangled name from its demangled form.
//!
//! Mangling (Itanium C++ ABI, 5.1) writes scopes from the outside in, each as its length and its
//! characters, so the beginning of a mangled name follows from the demangled name. Other parts
//! don't follow: whether a function is `static`, the variant of a constructor, and how arguments
//! are abbreviated. A pattern that ends with `*` and matches the certain beginning matches every
//! name with this beginning.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::numbers::push_decimal;

/// Demangled names with exactly one mangled form: the global allocation functions, for 64 and 32
/// bits.
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

/// Names in `std` that the mangling abbreviates.
const ABBREVIATED_IN_STD: &[&str] = &[
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

/// Returns true for a word of a demangled C++ name that the mangled name doesn't contain unchanged.
fn is_abbreviated(word: &str) -> bool {
    matches!(
        word,
        "std"
            | "allocator"
            | "basic_string"
            | "string"
            | "istream"
            | "ostream"
            | "iostream"
            | "basic_istream"
            | "basic_ostream"
            | "basic_iostream"
            | "char_traits"
            | "operator"
            | "lambda"
            | "anonymous"
            | "namespace"
            | "clone"
            | "unnamed"
            | "type"
            | "char"
            | "int"
            | "long"
            | "short"
            | "bool"
            | "float"
            | "double"
            | "void"
            | "unsigned"
            | "signed"
            | "const"
            | "volatile"
            | "auto"
            | "decltype"
            | "vtable"
            | "guard"
            | "thunk"
            | "virtual"
            | "non"
            | "to"
            | "for"
            | "new"
            | "delete"
            | "construction"
            | "typeinfo"
            | "initializer"
            | "reference"
    )
}

/// Returns true for a word of a demangled Rust name that the mangled name doesn't contain unchanged.
fn is_abbreviated_in_rust(word: &str) -> bool {
    matches!(
        word,
        "as" | "impl" | "dyn" | "closure" | "shim" | "mut" | "const" | "fn"
    )
}

/// Placeholder for the unknown text between two certain pieces of a mangled name. Only `*` matches
/// it.
pub(crate) const GAP: u8 = 0;

/// Returns the certain parts of the mangled forms of a printed name: pieces in their order, with
/// [`GAP`] between them. Returns one text for each piece if their order isn't certain, and none if
/// nothing is certain.
pub(crate) fn skeletons(name: &str, simple: &str) -> Vec<String> {
    if let Some((_, mangled)) = EXACT.iter().find(|(demangled, _)| *demangled == name) {
        return [(*mangled).to_owned()].into();
    }
    // Thunks and other generated functions have the name of another function, but another mangling.
    if name.starts_with('{') || name.contains("thunk to ") {
        return Vec::new();
    }
    let is_rust = !name.contains('(');
    let abbreviated = if is_rust {
        is_abbreviated_in_rust
    } else {
        is_abbreviated
    };
    let gap = char::from(GAP);
    let mut words: Vec<&str> = Vec::new();
    for word in simple.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
        // Rust's v0 mangling inserts `_` between the length and a name that starts with `_` or a
        // digit.
        let starts_name = word
            .bytes()
            .next()
            .is_some_and(|b| b.is_ascii_alphabetic() || (b == b'_' && !is_rust));
        if starts_name && !abbreviated(word) && !words.contains(&word) {
            words.push(word);
        }
    }
    if is_rust && (name.contains('<') || simple.contains(" as ")) {
        return words
            .iter()
            .map(|word| format!("{gap}{}{word}{gap}", word.len()))
            .collect();
    }
    let parsed = FunctionName::parse(name);
    let mut out = parsed
        .as_ref()
        .filter(|_| !is_rust)
        .map(FunctionName::mangled_start)
        .unwrap_or_default();
    let start = out.len();
    out.reserve(2 * name.len());
    let mut identifier = String::with_capacity(name.len() + 2);
    for word in words {
        identifier.clear();
        push_identifier(&mut identifier, word);
        // The start already contains the identifiers of the scopes.
        if !out[..start].contains(&identifier) {
            out.push(gap);
            out += &identifier;
        }
    }
    match parsed.and_then(|parsed| parsed.mangled_end(name, &out)) {
        Some(end) => out += end,
        None => out.push(gap),
    }
    [out].into()
}

/// Appends an identifier with its length as prefix.
fn push_identifier(out: &mut String, word: &str) {
    push_decimal(word.len() as u64, out);
    out.push_str(word);
}

/// The parsed name of an ordinary C++ function.
struct FunctionName<'a> {
    /// The scopes, followed by the name of the function itself. Never empty.
    parts: Vec<&'a str>,
    qualifiers: Qualifiers,
}

/// The qualifiers after the arguments of a function.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Qualifiers {
    None,
    Const,
    Other,
}

impl<'a> FunctionName<'a> {
    /// Parses the name of an ordinary function. Returns `None` for Rust names, local entities and
    /// generated functions such as thunks and guards.
    fn parse(name: &'a str) -> Option<Self> {
        let mut depth = 0u32;
        let mut start = 0;
        let mut parts = Vec::new();
        let bytes = name.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            match bytes[at] {
                b'(' if depth == 0 && name[at..].starts_with("(anonymous namespace)") => {
                    at += "(anonymous namespace)".len() - 1
                }
                // The arguments, which follow the name.
                b'(' if depth == 0 => {
                    parts.push(&name[start..at]);
                    return Self::from_parts(parts, &name[name.rfind(')')? + 1..]);
                }
                b'<' => depth += 1,
                b'>' if at > 0 && bytes[at - 1] != b'-' => depth = depth.saturating_sub(1),
                b'{' | b'\'' => return None,
                // The name follows the return type of a template. In any other name, a space means
                // a thunk or a guard.
                b' ' if depth == 0 => {
                    if !name[at..].contains(">(") || name.contains(" for ") || name.contains(" to ")
                    {
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

    /// Creates a name from its parts and the text after its arguments.
    fn from_parts(parts: Vec<&'a str>, tail: &str) -> Option<Self> {
        let scopes = &parts[..parts.len() - 1];
        let is_ordinary = parts.iter().all(|p| !p.is_empty() && !p.contains('{'))
            && !scopes.iter().any(|p| p.starts_with("operator"));
        let qualifiers = match tail.find(" [clone").map_or(tail, |end| &tail[..end]) {
            "" => Qualifiers::None,
            " const" => Qualifiers::Const,
            _ => Qualifiers::Other,
        };
        is_ordinary.then_some(Self { parts, qualifiers })
    }

    /// Returns the certain beginning of the mangled name.
    fn mangled_start(&self) -> String {
        let [scopes @ .., last] = self.parts.as_slice() else {
            return String::new();
        };
        match scopes {
            [] => String::from("_Z"),
            ["std"] => String::from("_ZSt"),
            _ => {
                // A const function's name starts with `_ZNK`. Other qualifiers aren't handled.
                let mut start = match self.qualifiers {
                    Qualifiers::None => String::from("_ZN"),
                    Qualifiers::Const => String::from("_ZNK"),
                    Qualifiers::Other => return String::from("_ZN"),
                };
                let is_complete = push_scopes(scopes, &mut start);
                let class = scopes.last().copied().unwrap_or_default();
                if is_complete && last.strip_prefix('~') == Some(class) {
                    start.push('D');
                } else if is_complete && *last == class {
                    start.push('C');
                }
                start
            }
        }
    }

    /// Returns the end of the mangled name after the last identifier: `E` if the function has a
    /// scope, then `v` if it has no arguments. `before` is the certain part of the mangled name so
    /// far. Returns `None` if the end isn't certain.
    fn mangled_end(&self, name: &str, before: &str) -> Option<&'static str> {
        let [scopes @ .., last] = self.parts.as_slice() else {
            return None;
        };
        let is_plain = last.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !is_plain || self.qualifiers == Qualifiers::Other || !before.ends_with(last) {
            return None;
        }
        let mut identifier = String::with_capacity(last.len() + 2);
        push_identifier(&mut identifier, last);
        if !before.ends_with(&identifier) {
            return None;
        }
        let is_nested = !matches!(scopes, [] | ["std"]);
        let arguments = &name[name.find(last)? + last.len()..];
        let has_no_arguments = arguments == "()" || arguments == "() const";
        Some(match (is_nested, has_no_arguments) {
            (true, true) => "Ev",
            (false, true) => "v",
            (true, false) => "E\0",
            (false, false) => "\0",
        })
    }
}

/// Appends the scopes. Returns false after a template or an abbreviated scope, because nothing
/// after it is certain.
fn push_scopes(scopes: &[&str], out: &mut String) -> bool {
    for (at, scope) in scopes.iter().enumerate() {
        if at == 0 && *scope == "std" {
            out.push_str("St");
            continue;
        }
        if at == 1
            && scopes[0] == "std"
            && ABBREVIATED_IN_STD.contains(&scope.split('<').next().unwrap_or_default())
        {
            // The abbreviations are `Sa`, `Ss`, …: remove the `t`.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skeleton_matches_mangled_name() {
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
                    .all(|w| crate::rules::glob::Glob::from_valgrind(w).matches(mangled)),
                "{name}"
            );
        }
    }
}
