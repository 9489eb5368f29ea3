//! Whether an entry's stack takes a printed stack, as far as the log can prove it.
//!
//! valgrind compares names before demangling, and every frame of the stack. A log shows less:
//! demangled names, no frame below `main`, either the source file or the object of a frame. What it
//! does not show is never guessed: an entry matches when the tool is sure to have matched it, so
//! the gate errs towards not allowing.
//!
//! Names are known for sure in logs of `--demangle=no`, in those that hold generated suppressions,
//! for all functions of C, and for inlined functions (whose plain names valgrind compares). A
//! demangled name is compared with the demangled form of a pattern without wildcards, and with
//! `*word*` where the word is part of one identifier, since identifiers stand in a mangled
//! name as they are.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::sync::Arc;

use super::super::glob::Glob;
use super::super::steps::takes_prefix;
use super::{Entry, Location, Name, mangled};
use crate::culprit::Names;
use crate::model::{Finding, Frame, Site};
use crate::symbol;

/// What is compared where a tool knows no name.
const UNKNOWN: &str = "???";

/// True when the tool is sure to have matched the entry's stack. `callers` is how many frames it
/// keeps, where the log tells; `known` tells of a function's pattern and a frame what was found out
/// before.
pub(crate) fn matches(
    entry: &Entry,
    finding: &Finding,
    callers: Option<u32>,
    names: &mut Names,
    known: impl Fn(usize, usize) -> Option<bool>,
) -> bool {
    let Some(stack) = finding.primary() else {
        return false;
    };
    let frames = stack.frames.as_slice();
    let generated = finding
        .generated
        .as_ref()
        .map(|g| g.frames.as_slice())
        .filter(|g| g.len() == frames.len());
    // An entry with more locations than the tool keeps frames is cut to so many.
    let kept = callers.map_or(entry.locations.len(), |n| {
        entry.locations.len().min(n as usize)
    });
    let locations = &entry.locations[..kept];
    let takes = |location: usize, at: usize| match &locations[location] {
        Location::Dots => true,
        Location::Function(name) => match generated.map(|g| &*g[at]) {
            Some(written) => name
                .glob
                .matches(written.strip_prefix("fun:").unwrap_or(UNKNOWN)),
            None => {
                let frame = &frames[at];
                known(location, at)
                    .unwrap_or_else(|| takes_function(name, &frame.site, frame.inlined, names))
            }
        },
        Location::Object(glob) => object(glob, &frames[at], generated.map(|g| &*g[at])),
        Location::File(glob, line) => {
            at_address(frames, at).is_some_and(|frame| file(glob, *line, frame, frames))
        }
    };
    takes_prefix(
        kept,
        frames.len(),
        |location| locations[location].step(),
        takes,
    )
}

/// The frame whose file the tool compares at a place of the stack: it counts addresses there, not
/// frames, so that behind inlined functions it looks at another one. Of each address it takes the
/// innermost location.
///
/// Source: `coregrind/m_errormgr.c` (`supp_pattEQinp`), which uses the index of the expanded stack
/// for the addresses.
fn at_address(frames: &[Frame], place: usize) -> Option<&Frame> {
    // A function that calls itself has the same address twice, at the same site.
    let goes_on =
        |at: usize| at > 0 && frames[at - 1].inlined && frames[at - 1].site != frames[at].site;
    (0..frames.len())
        .filter(|at| !goes_on(*at))
        .nth(place)
        .map(|at| &frames[at])
}

/// True when the tool is sure to have matched the pattern of a name at a site.
pub(crate) fn takes_function(
    pattern: &Name,
    site: &Arc<Site>,
    inlined: bool,
    names: &mut Names,
) -> bool {
    if pattern.glob.is_any() {
        return true;
    }
    let Some(name) = site.function.as_deref() else {
        return pattern.glob.matches(UNKNOWN);
    };
    let name = symbol::without_offset(name);
    let same = pattern.glob.matches(name);
    if same && is_known(name, inlined) {
        return true;
    }
    // Whether the pattern matches every mangled name that has this demangled form.
    let any = match (&pattern.glob, &pattern.demangled) {
        (_, Some(demangled)) => demangled
            .chars()
            .filter(|c| *c != ' ')
            .eq(name.chars().filter(|c| *c != ' ')),
        (Glob::Wild(_), _) => skeletons(site, inlined, names)
            .iter()
            .any(|skeleton| pattern.glob.matches_around_gaps(skeleton)),
        _ => false,
    };
    any && !is_known(name, inlined)
}

/// What is certain of the names that a tool compares at a site, where the log shows only their
/// demangled form.
pub(crate) fn skeletons(site: &Arc<Site>, inlined: bool, names: &mut Names) -> Arc<[String]> {
    let name = symbol::without_offset(site.function.as_deref().unwrap_or(UNKNOWN));
    if is_known(name, inlined) {
        return Arc::default();
    }
    names.derived(site, |simple| mangled::skeletons(name, simple))
}

/// True where a printed name is the one that the tool compares, not the demangled form of one that
/// the log does not show.
fn is_known(name: &str, inlined: bool) -> bool {
    let mangled = name.starts_with("_Z") || name.starts_with("_R");
    let plain = !name.contains(['(', '<', ' ', '~', '[', '{', ',']) && !name.contains("::");
    // Inlined functions have their plain name: no scope and no arguments outside of its template
    // arguments.
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

/// Two different symbols demangle to one name: the constructors of a class (complete, base), its
/// destructors, and Rust's instances of a generic function, which the older mangling tells apart by
/// nothing but a hash.
pub(crate) fn names_several(pattern: &str, name: &str) -> bool {
    let hash = pattern
        .strip_suffix('E')
        .and_then(|p| p.rsplit_once("17h"))
        .map(|(_, hash)| hash);
    let hashed = hash.is_some_and(|h| h.len() == 16 && h.bytes().all(|b| b.is_ascii_hexdigit()));
    let simple = symbol::simple_name(name);
    let mut parts = simple.rsplit("::");
    let (last, class) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    hashed || last.starts_with('~') || (last == class && !last.is_empty())
}

/// The pattern to write for a printed name: the name itself where it is known before demangling,
/// else all that is certain of it.
pub(crate) fn written(name: &str, inlined: bool) -> Option<String> {
    let name = symbol::without_offset(name);
    if is_known(name, inlined) {
        return (!name.contains(['*', '?'])).then(|| name.into());
    }
    let skeletons = mangled::skeletons(name, &symbol::simple_name(name));
    let [skeleton] = skeletons.as_slice() else {
        return None;
    };
    let pattern = skeleton.replace(char::from(mangled::GAP), "*");
    (pattern.bytes().filter(u8::is_ascii_alphanumeric).count() > 2).then_some(pattern)
}

/// Demanglers differ in blanks: `> >`, `>>`.
pub(crate) fn squeezed(name: &str) -> Cow<'_, str> {
    if name.contains(' ') {
        Cow::Owned(name.chars().filter(|c| *c != ' ').collect::<String>())
    } else {
        Cow::Borrowed(name)
    }
}

/// A text log shows the object only of frames without a source file.
fn object(glob: &Glob, frame: &Frame, generated: Option<&str>) -> bool {
    if glob.is_any() {
        return true;
    }
    let written = generated
        .and_then(|g| g.strip_prefix("obj:"))
        .filter(|path| *path != "*");
    match (
        frame.site.module.as_deref().or(written),
        frame.site.file.as_deref(),
    ) {
        (Some(path), _) => glob.matches(path),
        (None, Some(_)) => false,
        (None, None) => glob.matches(UNKNOWN),
    }
}

/// The tool compares the name of the file as the compiler stored it, mostly without its folder.
fn file(glob: &Glob, line: Option<u32>, frame: &Frame, frames: &[Frame]) -> bool {
    let Some(path) = frame.site.file.as_deref() else {
        return false;
    };
    if line.is_some() && line != frame.site.line {
        return false;
    }
    if let Some(stored) = xml_file(&frame.site.raw) {
        return glob.matches(&stored);
    }
    let base = path.rsplit('/').next().unwrap_or(path);
    // A path with folders was stored so, or valgrind was told to show them (`--fullpath-after`);
    // then no file is without.
    let shows_folders = !frames
        .iter()
        .filter_map(|f| f.site.file.as_deref())
        .any(|f| !f.contains('/'));
    glob.matches(path) && (!shows_folders || glob.matches(base))
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

    fn site(function: &str) -> Arc<Site> {
        Arc::new(Site {
            function: Some(function.into()),
            ..Site::default()
        })
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
            ("_ZN2ns*", "ns::work(int)", false, true),
            ("_ZN2ns4work*", "ns::work(int)", false, false),
            ("_ZN2n*", "ns::work(int)", false, true),
            ("*4work*", "ns::work(int)", false, true),
            ("*3work*", "ns::work(int)", false, false),
            ("_Znw*", "operator new(unsigned long)", false, true),
            ("_Zn?j", "operator new(unsigned long)", false, false),
            ("_ZN1AC*", "A::A()", false, true),
            ("ns::work(int)", "ns::work(int)", false, false),
            ("*ns::work*", "ns::work(int)", false, false),
            ("*work*", "ns::work(int)", false, true),
            ("*work", "ns::work(int)", false, false),
            ("*std*", "std::work(int)", false, false),
            ("*int*", "ns::work(int)", false, false),
            ("*ns*work*", "ns::work(int)", false, true),
            ("*work*ns*", "ns::work(int)", false, false),
            ("*ex*main*", "ex::main", false, true),
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
            let took = takes_function(
                &Name::new(pattern),
                &site(name),
                inlined,
                &mut Names::default(),
            );
            assert_eq!(took, want, "{pattern} {name}");
        }
    }
}
