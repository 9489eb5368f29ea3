//! Whether an entry's stack takes a printed stack, as far as the log can prove it.
//!
//! valgrind compares names before demangling, and every frame of the stack. A log shows less: demangled names, no frame below
//! `main`, either the source file or the object of a frame. What it does not show is never guessed: an entry matches when the tool
//! is sure to have matched it, so the gate errs towards not allowing.
//!
//! Names are known for sure in logs of `--demangle=no`, in those that hold generated suppressions, for all functions of C, and for
//! inlined functions (whose plain names valgrind compares). A demangled name is compared with the demangled form of a pattern
//! without wildcards, and with `*word*` where the word is part of one identifier, since identifiers stand in a mangled
//! name as they are.

use alloc::borrow::Cow;
use alloc::string::String;

use super::super::glob::Glob;
use super::super::steps::takes_prefix;
use super::{Entry, Location, Name};
use crate::culprit::Names;
use crate::model::{Finding, Frame};
use crate::symbol;

/// What is compared where a tool knows no name.
const UNKNOWN: &str = "???";

/// True when the tool is sure to have matched the entry's stack. `callers` is how many frames it keeps, where the log tells.
pub(crate) fn matches(entry: &Entry, finding: &Finding, callers: Option<u32>, names: &mut Names) -> bool {
    let Some(stack) = finding.primary() else { return false };
    let frames = stack.frames.as_slice();
    let generated = finding.generated.as_ref().map(|g| g.frames.as_slice()).filter(|g| g.len() == frames.len());
    // An entry with more locations than the tool keeps frames is cut to so many.
    let kept = callers.map_or(entry.locations.len(), |n| entry.locations.len().min(n as usize));
    takes_prefix(&entry.locations[..kept], frames.len(), Location::step, |location, at| match location {
        Location::Dots => true,
        Location::Function(name) => match generated.map(|g| &*g[at]) {
            Some(written) => name.glob.matches(written.strip_prefix("fun:").unwrap_or(UNKNOWN)),
            None => function(name, &frames[at], names),
        },
        Location::Object(glob) => object(glob, &frames[at], generated.map(|g| &*g[at])),
        // The tool looks the file up at the wrong frame once one was inlined above.
        Location::File(glob, line) => !frames[..=at].iter().any(|f| f.inlined) && file(glob, *line, &frames[at]),
    })
}

fn function(pattern: &Name, frame: &Frame, names: &mut Names) -> bool {
    if pattern.glob.is_any() {
        return true;
    }
    let Some(name) = frame.site.function.as_deref() else { return pattern.glob.matches(UNKNOWN) };
    let name = symbol::without_offset(name);
    let same = pattern.glob.matches(name);
    // Whether the pattern matches every mangled name that demangles to this one.
    let any = match (&pattern.demangled, &pattern.word) {
        (Some(demangled), _) => demangled.chars().filter(|c| *c != ' ').eq(name.chars().filter(|c| *c != ' ')),
        (_, Some(word)) => same && is_in_identifier(word, &names.get(&frame.site).name),
        _ => false,
    };
    (same && is_known(name, frame.inlined)) || (any && !is_known(name, frame.inlined))
}

/// True where a printed name is the one that the tool compares, not the demangled form of one that the log does not show.
fn is_known(name: &str, inlined: bool) -> bool {
    let mangled = name.starts_with("_Z") || name.starts_with("_R");
    let plain = !name.contains(['(', '<', ' ', '~', '[', '{', ',']) && !name.contains("::");
    // Inlined functions have their plain name: no scope and no arguments outside of its template arguments.
    mangled || plain || (inlined && is_plain_inlined(name)) || name == "(below main)"
}

fn is_plain_inlined(name: &str) -> bool {
    let name = name.strip_prefix("operator()").unwrap_or(name);
    let mut depth = 0u32;
    let mut before = ' ';
    for c in name.chars() {
        match c {
            '<' | '{' => depth += 1,
            '>' if before != '-' => depth = depth.saturating_sub(1),
            '}' => depth = depth.saturating_sub(1),
            '(' if depth == 0 => return false,
            ':' if depth == 0 && before == ':' => return false,
            _ => {}
        }
        before = c;
    }
    true
}

/// Two different symbols demangle to one name: the constructors of a class (complete, base), its destructors, and Rust's
/// instances of a generic function, which the older mangling tells apart by nothing but a hash.
pub(super) fn names_several(pattern: &str, name: &str) -> bool {
    let hash = pattern.strip_suffix('E').and_then(|p| p.rsplit_once("17h")).map(|(_, hash)| hash);
    let hashed = hash.is_some_and(|h| h.len() == 16 && h.bytes().all(|b| b.is_ascii_hexdigit()));
    let simple = symbol::simple_name(name);
    let mut parts = simple.rsplit("::");
    let (last, class) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    hashed || last.starts_with('~') || (last == class && !last.is_empty())
}

/// The pattern to write for a printed name: the name itself where it is known before demangling, else the longest identifier in
/// it that a mangled name is sure to hold.
pub(crate) fn written(name: &str, inlined: bool) -> Option<String> {
    let name = symbol::without_offset(name);
    if is_known(name, inlined) {
        return (!name.contains(['*', '?'])).then(|| name.into());
    }
    let simple = symbol::simple_name(name);
    let words = simple.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let longest = words.filter(|w| is_in_identifier(w, &simple)).max_by_key(|w| w.len())?;
    Some(alloc::format!("*{longest}*"))
}

/// Demanglers differ in blanks: `> >`, `>>`.
pub(crate) fn squeezed(name: &str) -> Cow<'_, str> {
    if name.contains(' ') { Cow::Owned(name.chars().filter(|c| *c != ' ').collect::<String>()) } else { Cow::Borrowed(name) }
}

/// True where the word is part of one identifier of a simple name: the function's own scopes and name. Of the words of the language and the parts of the
/// standard library that mangling abbreviates, none counts.
fn is_in_identifier(word: &str, own: &str) -> bool {
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
        "as",
        "impl",
        "dyn",
        "closure",
        "shim",
        "core",
        "alloc",
    ];
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if word.is_empty() || !word.chars().all(is_word) {
        return false;
    }
    own.split(|c: char| !is_word(c)).any(|identifier| identifier.contains(word) && !ABBREVIATED.contains(&identifier))
}

/// A text log shows the object only of frames without a source file.
fn object(glob: &Glob, frame: &Frame, generated: Option<&str>) -> bool {
    if glob.is_any() {
        return true;
    }
    let written = generated.and_then(|g| g.strip_prefix("obj:")).filter(|path| *path != "*");
    match (frame.site.module.as_deref().or(written), frame.site.file.as_deref()) {
        (Some(path), _) => glob.matches(path),
        (None, Some(_)) => false,
        (None, None) => glob.matches(UNKNOWN),
    }
}

/// The tool compares the name of the file without its folder, as the compiler stored it.
fn file(glob: &Glob, line: Option<u32>, frame: &Frame) -> bool {
    let Some(path) = frame.site.file.as_deref() else { return false };
    if line.is_some() && line != frame.site.line {
        return false;
    }
    if let Some(stored) = xml_file(&frame.site.raw) {
        return glob.matches(&stored);
    }
    let base = path.rsplit('/').next().unwrap_or(path);
    // A path with folders was stored so, or valgrind was told to show them.
    glob.matches(base) && glob.matches(path)
}

/// XML tells the file apart from its folder.
fn xml_file(raw: &[u8]) -> Option<String> {
    let text = core::str::from_utf8(raw).ok()?;
    let (_, rest) = text.split_once("<file>")?;
    let (file, _) = rest.split_once("</file>")?;
    Some(crate::parse::unescape(file.trim()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Site;
    use alloc::sync::Arc;

    fn frame(function: &str, inlined: bool) -> Frame {
        let site = Site { function: Some(function.into()), ..Site::default() };
        Frame { index: 0, address: None, inlined, site: Arc::new(site) }
    }

    #[test]
    fn names_match_only_where_the_tool_is_sure_to() {
        for (pattern, name, inlined, want) in [
            ("work", "work", false, true),
            ("wor?", "work", false, true),
            ("_ZN2ns4workEi", "_ZN2ns4workEi", false, true),
            ("_ZN2ns*", "_ZN2ns4workEi", false, true),
            ("_ZN2ns4workEi", "ns::work(int)", false, true),
            ("_ZN2ns4workEl", "ns::work(int)", false, false),
            ("_ZN2ns*", "ns::work(int)", false, false),
            ("ns::work(int)", "ns::work(int)", false, false),
            ("*ns::work*", "ns::work(int)", false, false),
            ("*work*", "ns::work(int)", false, true),
            ("*work", "ns::work(int)", false, false),
            ("*std*", "std::work(int)", false, false),
            ("*int*", "ns::work(int)", false, false),
            ("_ZN1AC1Ev", "A::A()", false, false),
            ("_ZN1AD1Ev", "A::~A()", false, false),
            ("_ZN2ex4main17h0123456789abcdefE", "ex::main", false, false),
            ("operator()", "operator()", true, true),
            ("push_back<int>", "push_back<int>", true, true),
            ("rec(int)", "rec(int)", true, false),
            ("_Z3reci", "rec(int)", true, true),
            ("*", "ns::work(int)", false, true),
            ("main", "main+12", false, true),
            ("(below main)", "(below main)", false, true),
        ] {
            assert_eq!(function(&Name::new(pattern), &frame(name, inlined), &mut Names::default()), want, "{pattern} {name}");
        }
    }
}
