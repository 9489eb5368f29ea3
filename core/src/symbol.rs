//! Function names: demangling, and simple names that identify a function across builds.

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt::{self, Write as _};

use crate::full;

/// Maximum length of a symbol, in bytes. Longer symbols stay mangled, because demangling them can
/// take very long.
const MAX_SYMBOL: usize = 8192;

/// Demangles a C++ or Rust symbol. Returns `None` if the name isn't mangled, or if the symbol or
/// its demangled form is too long.
pub fn demangle(name: &str) -> Option<String> {
    let symbol = name
        .strip_prefix("_")
        .filter(|s| s.starts_with("_Z"))
        .unwrap_or(name);
    if name.len() > MAX_SYMBOL || !(symbol.starts_with("_Z") || symbol.starts_with("_R")) {
        return None;
    }
    full::require();
    let symbol = symbol.split_once("@@").map_or(symbol, |(head, _)| head);
    if let Ok(rust) = rustc_demangle::try_demangle(symbol) {
        let mut out = BoundedString(String::new());
        write!(out, "{rust:#}").ok()?;
        return Some(out.0);
    }
    let parsed = cpp_demangle::Symbol::new(symbol.as_bytes()).ok()?;
    let mut out = BoundedString(String::new());
    parsed
        .structured_demangle(&mut out, &cpp_demangle::DemangleOptions::default())
        .ok()?;
    Some(out.0)
}

/// A string with a maximum length. A few bytes of a mangled name can expand to gigabytes, because
/// parts refer to other parts.
struct BoundedString(String);

impl fmt::Write for BoundedString {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        const MAX: usize = 16 << 10;
        if self.0.len() + text.len() > MAX {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

/// Returns the simple name of a function: the demangled name without arguments, template arguments,
/// hashes, versions and clone suffixes.
///
/// It is the same in every build and for every checker, so fingerprints and tables can use it.
///
/// ```
/// use leakgate_core::symbol::simple_name;
///
/// assert_eq!(
///     simple_name("std::vector<int, std::allocator<int> >::push_back(int const&)"),
///     "std::vector::push_back"
/// );
/// assert_eq!(simple_name("alloc::alloc::alloc::h1e8b1da56f3ff6d9"), "alloc::alloc::alloc");
/// assert_eq!(simple_name("work.part.0.isra.1"), "work");
/// ```
pub fn simple_name(name: &str) -> String {
    let demangled = demangle(name);
    let name = demangled.as_deref().unwrap_or(name);
    let name = name_anonymous(unescape_legacy_rust(strip_offset(name)));
    let mut out = strip_groups(strip_suffixes(&name));
    if out.contains('[')
        && let Some(at) = out.rfind(" [clone")
    {
        out.truncate(at);
    }
    for end in [" const", " volatile", " &", " &&", "&", " noexcept"] {
        if out.ends_with(end) {
            out.truncate(out.len() - end.len());
        }
    }
    let short = strip_hash(strip_return_type(out.trim())).trim_start_matches("::");
    if short.len() == out.len() && !short.contains('{') {
        return out;
    }
    unify_closures(short)
}

/// Replaces the names of anonymous namespaces and classes by `{anonymous}`.
fn name_anonymous(name: Cow<'_, str>) -> Cow<'_, str> {
    if !name.contains("(anonymous ") {
        return name;
    }
    let name = name.replace("(anonymous namespace)", "{anonymous}");
    Cow::Owned(name.replace("(anonymous class)", "{anonymous}"))
}

/// Returns a Rust name as people read it: without the hash and without generic arguments.
///
/// ```
/// use leakgate_core::symbol::short_rust_name;
///
/// assert_eq!(short_rust_name("alloc::vec::Vec<T,A>::push::h1e8b1da56f3ff6d9"), "alloc::vec::Vec::push");
/// assert_eq!(short_rust_name("<a::B<u8, 3> as core::ops::Drop>::drop"), "<a::B as core::ops::Drop>::drop");
/// assert_eq!(short_rust_name("a::call::<u8>::{closure#0}"), "a::call::{closure#0}");
/// ```
pub fn short_rust_name(name: &str) -> String {
    let name = unescape_legacy_rust(strip_offset(name));
    without_generics(strip_hash(strip_suffixes(&name)), 0)
}

/// Removes generic arguments. At the start, brackets contain the type of a method, which stays; they
/// are removed only if no trait follows.
fn without_generics(name: &str, depth: usize) -> String {
    /// Maximum number of brackets in brackets at the start of a name.
    const MAX_DEPTH: usize = 16;
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    if depth < MAX_DEPTH
        && let Some((inner, after)) = split_brackets(name)
    {
        let short = match split_as(inner) {
            Some((of, by)) => {
                let of = without_generics(of, depth + 1);
                let by = without_generics(by, depth + 1);
                alloc::format!("<{of} as {by}>")
            }
            None => without_generics(inner, depth + 1),
        };
        out.push_str(&short);
        rest = after;
    }
    while let Some(at) = rest.find('<') {
        let Some((_, after)) = split_brackets(&rest[at..]) else {
            break;
        };
        out.push_str(rest[..at].strip_suffix("::").unwrap_or(&rest[..at]));
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Splits a text that starts with `<` at the bracket that closes it. `None` if there is none.
fn split_brackets(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('<')?;
    let at = find_at_top(inner, |rest| rest.starts_with('>'))?;
    Some((&inner[..at], &inner[at + 1..]))
}

/// Splits `Type as Trait`.
fn split_as(text: &str) -> Option<(&str, &str)> {
    const AS: &str = " as ";
    let at = find_at_top(text, |rest| rest.starts_with(AS))?;
    Some((&text[..at], &text[at + AS.len()..]))
}

/// Returns the first position outside of inner brackets at which the rest of the text fits. The
/// `>` of `->` is no bracket.
fn find_at_top(text: &str, fits: impl Fn(&str) -> bool) -> Option<usize> {
    let mut depth = 0usize;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        let is_arrow = c == '>' && before == '-';
        before = c;
        if depth == 0 && !is_arrow && fits(&text[at..]) {
            return Some(at);
        }
        match c {
            '<' => depth += 1,
            '>' if !is_arrow => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// Unifies Rust's closure names: the v0 mangling numbers closures (`{closure#0}`), the legacy
/// mangling doesn't (`{{closure}}`).
fn unify_closures(name: &str) -> String {
    let mut out = name.replace("{{closure}}", "{closure}");
    while let Some(at) = out.find("{closure#") {
        let Some(end) = out[at..].find('}') else {
            break;
        };
        out.replace_range(at..at + end, "{closure");
    }
    out
}

/// Strips the offset that valgrind's `--sym-offsets=yes` adds to a name: `+12`.
pub(crate) fn strip_offset(name: &str) -> &str {
    match name.rsplit_once('+') {
        Some((head, digits))
            if !digits.is_empty()
                && !head.ends_with("operator")
                && digits.bytes().all(|b| b.is_ascii_digit()) =>
        {
            head
        }
        _ => name,
    }
}

/// Replaces the escapes of Rust's legacy mangling, which LLVM's symbolizer leaves in names:
/// `RawVec$LT$A$GT$`, `_$u7b$$u7b$closure`.
fn unescape_legacy_rust(name: &str) -> Cow<'_, str> {
    if !name.contains('$') {
        return Cow::Borrowed(name);
    }
    const ESCAPES: &[(&str, &str)] = &[
        ("$LT$", "<"),
        ("$GT$", ">"),
        ("$RF$", "&"),
        ("$BP$", "*"),
        ("$LP$", "("),
        ("$RP$", ")"),
        ("$C$", ","),
        ("$SP$", "@"),
        ("$u20$", " "),
        ("$u27$", "'"),
        ("$u5b$", "["),
        ("$u5d$", "]"),
        ("$u7b$", "{"),
        ("$u7d$", "}"),
        ("$u7e$", "~"),
        ("$u3b$", ";"),
        ("$u2b$", "+"),
    ];
    // The mangling adds `_` before an escape at the start of a name.
    let mut out = name.replace("_$", "$");
    for (from, to) in ESCAPES {
        out = out.replace(from, to);
    }
    Cow::Owned(out.replace("..", "::"))
}

/// Strips version suffixes (`@@GLIBC_2.34`, `@*`) and the suffixes of compiler-made copies:
/// `.part.0`, `.isra.1`, `.cold`, `.llvm.123`.
fn strip_suffixes(name: &str) -> &str {
    let mut name = name.split_once('@').map_or(name, |(head, _)| head);
    while let Some((head, last)) = name.rsplit_once('.') {
        let clone_suffixes = [
            "part",
            "isra",
            "constprop",
            "cold",
            "lto_priv",
            "llvm",
            "localalias",
            "clone",
            "warm",
            "resume",
            "destroy",
        ];
        let is_number = !last.is_empty() && last.bytes().all(|b| b.is_ascii_digit());
        if head.is_empty() || !(is_number || clone_suffixes.contains(&last)) {
            break;
        }
        name = head;
    }
    name
}

/// Strips arguments and template arguments, but keeps `operator()`, `operator<` and Rust's
/// `<Type as Trait>::name`.
fn strip_groups(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut depth = 0usize;
    let mut leading = 0usize;
    // The end of the last operator: what follows it isn't compared with its characters.
    let mut operator_end = 0;
    // The start of the text that isn't copied yet.
    let mut start = 0;
    let mut at = 0;
    let bytes = name.as_bytes();
    while let Some(byte) = bytes.get(at) {
        let before = match at == operator_end {
            true => b' ',
            false => bytes[at - 1],
        };
        if depth == 0
            && *byte == b'o'
            && let Some(length) = operator_length(name, at, operator_end)
        {
            at += length;
            operator_end = at;
            continue;
        }
        let is_group = matches!(byte, b'<' | b'>' | b'(' | b')' | b'[' | b']');
        if is_group {
            if depth == 0 {
                out.push_str(&name[start..at]);
            }
            start = at + 1;
        }
        match byte {
            // Rust's `<Type as Trait>::name`: brackets at the start contain a part of the name.
            b'<' if depth == 0 && (out.is_empty() || out.ends_with('<')) => leading += 1,
            b'>' if depth == 0 && leading > 0 && before != b'-' => leading -= 1,
            b'<' | b'(' | b'[' => depth += 1,
            b'>' if before == b'-' || before == b'=' => {}
            b'>' | b')' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    if depth == 0 {
        out.push_str(&name[start..]);
    }
    while out.contains("::::") {
        out = out.replace("::::", "::");
    }
    out
}

/// Returns the length of `operator` and its symbol at a position of a name, in bytes. `None` if
/// there is none, or if the word began earlier, but not before `start`.
fn operator_length(name: &str, at: usize, start: usize) -> Option<usize> {
    let symbol = name[at..].strip_prefix("operator")?;
    let before = name[start..at].chars().next_back();
    if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
        return None;
    }
    const SYMBOLS: &[&str] = &[
        "()", "[]", "<=>", "<<=", ">>=", "->*", "->", "<<", ">>", "<=", ">=", "<", ">",
    ];
    let found = SYMBOLS.iter().find(|s| symbol.starts_with(**s))?;
    Some("operator".len() + found.len())
}

/// Strips the return type, which demangled templates start with: `void run<int>(int)`.
fn strip_return_type(name: &str) -> &str {
    let Some((_, last)) = name.rsplit_once(' ') else {
        return name;
    };
    if name.contains("operator") || name.contains(" as ") || name.starts_with('{') {
        return name;
    }
    last.trim_start_matches(['*', '&'])
}

/// Strips the hash at the end of names in Rust's legacy mangling: `::h1e8b1da56f3ff6d9`.
fn strip_hash(name: &str) -> &str {
    const DIGITS: usize = 16;
    let is_hash = |hash: &str| hash.bytes().all(|b| b.is_ascii_hexdigit());
    let start = name.len().checked_sub(DIGITS);
    let parts = start.and_then(|start| name.split_at_checked(start));
    match parts.and_then(|(head, hash)| Some((head.strip_suffix("::h")?, hash))) {
        Some((head, hash)) if is_hash(hash) => head,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simple_names_are_stable() {
        for (name, want) in [
            ("main", "main"),
            ("f(int)", "f"),
            ("operator new[](unsigned long)", "operator new"),
            ("operator new(unsigned long)", "operator new"),
            ("_Znam", "operator new"),
            (
                "ns::(anonymous namespace)::In<int>::operator()(int) const",
                "ns::{anonymous}::In::operator()",
            ),
            ("bool operator< <int>(A<int> const&)", "bool operator<"),
            ("void run<int>(int)", "run"),
            (
                "std::function<void (int)>::operator()(int) const",
                "std::function::operator()",
            ),
            (
                "<alloc::vec::Vec<u64>>::with_capacity",
                "alloc::vec::Vec::with_capacity",
            ),
            ("<A as core::ops::Drop>::drop", "A as core::ops::Drop::drop"),
            (
                "alloc::raw_vec::RawVecInner$LT$A$GT$::with_capacity_in::h2f85a0b1c2d3e4f5",
                "alloc::raw_vec::RawVecInner::with_capacity_in",
            ),
            ("ex::main::{closure#0}", "ex::main::{closure}"),
            (
                "ex::main::_$u7b$$u7b$closure$u7d$$u7d$::h3aef85a0b1c2d3e4",
                "ex::main::{closure}",
            ),
            ("pthread_create@@GLIBC_2.34", "pthread_create"),
            ("f.cold.3", "f"),
            ("main+12", "main"),
            ("(below main)", ""),
            (
                "_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE",
                "core::fmt::Write::write_fmt",
            ),
            ("_ZN1a1bIiE1cEi", "a::b::c"),
        ] {
            assert_eq!(simple_name(name), want, "{name}");
        }
    }

    #[test]
    fn rust_names_are_shortened() {
        for (name, want) in [
            ("main", "main"),
            ("<leaks::Shelf<u16, 33>>::new", "leaks::Shelf::new"),
            ("leaks::Shelf<T,_>::new", "leaks::Shelf::new"),
            (
                "<fn() -> a::R<u8> as core::ops::FnOnce<()>>::call_once",
                "<fn() -> a::R as core::ops::FnOnce>::call_once",
            ),
            (
                "<<a::B<u8> as a::C<u8>>::D as a::E>::f::<u8>",
                "<<a::B as a::C>::D as a::E>::f",
            ),
            (
                "std::ptr::const_ptr::<impl *const u8>::add",
                "std::ptr::const_ptr::add",
            ),
            (
                "leaks::closures::_$u7b$$u7b$closure$u7d$$u7d$::h3aef86ae93a85402",
                "leaks::closures::{{closure}}",
            ),
            (
                "_$LT$alloc..vec..Vec$LT$T$GT$$u20$as$u20$core..ops..Drop$GT$::drop::h3aef86ae93a85402",
                "<alloc::vec::Vec as core::ops::Drop>::drop",
            ),
            ("broken<a::<", "broken<a::<"),
            ("a>b::c", "a>b::c"),
        ] {
            assert_eq!(short_rust_name(name), want, "{name}");
        }
        let deep = alloc::format!("{}x{}", "<".repeat(9000), ">".repeat(9000));
        assert!(short_rust_name(&deep).len() <= deep.len());
    }

    #[test]
    fn exploding_name_stays_mangled() {
        let mut bomb = String::from("_Z1f1AIiiE");
        for n in 0..40 {
            let part = if n == 0 {
                String::from("S_")
            } else {
                alloc::format!("S{}_", char::from_digit(n - 1, 36).unwrap_or('Z')).to_uppercase()
            };
            bomb += &alloc::format!("S_I{part}{part}E");
        }
        assert!(demangle(&bomb).is_none_or(|name| name.len() <= 16 << 10));
    }
}
