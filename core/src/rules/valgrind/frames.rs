//! Matches the stack of an entry against a printed stack, as far as the log proves a match.
//!
//! valgrind compares names before demangling, and every frame of the stack. A log shows less:
//! demangled names, no frames below `main`, and either the source file or the object of a frame.
//! leakgate never guesses the missing data: an entry matches only if the tool is certain to have
//! matched it, so in doubt the gate doesn't accept a finding.
//!
//! Names are certain in logs made with `--demangle=no`, in logs with generated suppressions, for
//! C functions, and for inlined functions (whose plain names valgrind compares). Other demangled
//! names are compared with the demangled form of a pattern without wildcards, and with the certain
//! parts of the mangled name. A pattern `*word*` matches if the word is part of one identifier,
//! because mangled names contain identifiers unchanged.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::sync::Arc;

use super::super::glob::Glob;
use super::super::steps::matches_prefix;
use super::{Entry, FunctionPattern, SuppressionFrame, mangled};
use crate::culprit::FrameCache;
use crate::model::{Finding, Frame, FrameInfo};
use crate::symbol;

/// The name that valgrind compares for a frame without a name.
const UNKNOWN: &str = "???";

/// Returns true if the tool is certain to have matched the entry's stack.
///
/// `callers` is the number of frames that the tool keeps, or `None` if the log doesn't show it.
/// `known` returns the cached result for the indices of a function pattern and a frame, or `None`
/// if there isn't one.
pub(crate) fn matches(
    entry: &Entry,
    finding: &Finding,
    callers: Option<u32>,
    cache: &mut FrameCache,
    known: impl Fn(usize, usize) -> Option<bool>,
) -> bool {
    let Some(stack) = finding.primary() else {
        return false;
    };
    let frames = stack.frames.as_slice();
    let generated = finding
        .generated_suppression
        .as_ref()
        .map(|g| g.frames.as_slice())
        .filter(|g| g.len() == frames.len());
    // valgrind ignores the lines of an entry beyond the number of frames that it keeps.
    let kept = callers.map_or(entry.locations.len(), |n| {
        entry.locations.len().min(n as usize)
    });
    let locations = &entry.locations[..kept];
    let hit = |location: usize, at: usize| match &locations[location] {
        SuppressionFrame::AnyFrames => true,
        SuppressionFrame::Function(name) => match generated.map(|g| &*g[at]) {
            Some(line) => name
                .glob
                .matches(line.strip_prefix("fun:").unwrap_or(UNKNOWN)),
            None => {
                let frame = &frames[at];
                known(location, at)
                    .unwrap_or_else(|| matches_function(name, &frame.info, frame.inlined, cache))
            }
        },
        SuppressionFrame::Object(glob) => {
            matches_object(glob, &frames[at], generated.map(|g| &*g[at]))
        }
        SuppressionFrame::File(glob, line) => frame_at_address(frames, at)
            .is_some_and(|frame| matches_file(glob, *line, frame, frames)),
    };
    matches_prefix(
        kept,
        frames.len(),
        |location| locations[location].step(),
        hit,
    )
}

/// Returns the frame whose file the tool compares for the line with this index. valgrind counts
/// addresses instead of frames, so after inlined functions it compares the file of another frame.
/// For each address, it uses the innermost frame.
///
/// Source: `coregrind/m_errormgr.c` (`supp_pattEQinp`), which uses the index of the expanded stack
/// for the addresses.
fn frame_at_address(frames: &[Frame], index: usize) -> Option<&Frame> {
    // A recursive function has the same address twice, with the same data.
    let shares_address =
        |at: usize| at > 0 && frames[at - 1].inlined && frames[at - 1].info != frames[at].info;
    (0..frames.len())
        .filter(|at| !shares_address(*at))
        .nth(index)
        .map(|at| &frames[at])
}

/// Returns true if the tool is certain to have matched the pattern against the function of a frame.
pub(crate) fn matches_function(
    pattern: &FunctionPattern,
    info: &Arc<FrameInfo>,
    inlined: bool,
    cache: &mut FrameCache,
) -> bool {
    if pattern.glob.matches_anything() {
        return true;
    }
    let Some(name) = info.function.as_deref() else {
        return pattern.glob.matches(UNKNOWN);
    };
    let name = symbol::strip_offset(name);
    if is_symbol(name, inlined) {
        return pattern.glob.matches(name);
    }
    // Checks that the pattern matches every mangled name with this demangled form.
    match (&pattern.glob, &pattern.demangled) {
        (_, Some(demangled)) => demangled
            .chars()
            .filter(|c| *c != ' ')
            .eq(name.chars().filter(|c| *c != ' ')),
        (Glob::Wild(_), _) => skeletons(info, inlined, cache)
            .iter()
            .any(|skeleton| pattern.glob.matches_around_gaps(skeleton)),
        _ => false,
    }
}

/// Returns the certain parts of the mangled names that the tool may have compared for a frame.
/// Empty if the log shows the compared name itself.
pub(crate) fn skeletons(
    info: &Arc<FrameInfo>,
    inlined: bool,
    cache: &mut FrameCache,
) -> Arc<[String]> {
    let name = symbol::strip_offset(info.function.as_deref().unwrap_or(UNKNOWN));
    if is_symbol(name, inlined) {
        return Arc::default();
    }
    cache.derived(info, |simple| mangled::skeletons(name, simple))
}

/// Returns true if the printed name is the name that the tool compared, and not its demangled form.
fn is_symbol(name: &str, inlined: bool) -> bool {
    let mangled = name.starts_with("_Z") || name.starts_with("_R");
    let plain = !name.contains(['(', '<', ' ', '~', '[', '{', ',']) && !name.contains("::");
    // Inlined functions have plain names, with scopes and arguments only inside template arguments.
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

/// Returns true if other symbols demangle to the same name: the constructors of a class (complete,
/// base), its destructors, and Rust's instances of a generic function, which differ only in their
/// hash in the legacy mangling.
pub(crate) fn is_ambiguous(pattern: &str, name: &str) -> bool {
    let hash = pattern
        .strip_suffix('E')
        .and_then(|p| p.rsplit_once("17h"))
        .map(|(_, hash)| hash);
    let hashed = hash.is_some_and(|h| h.len() == 16 && h.bytes().all(|b| b.is_ascii_hexdigit()));
    let simple = symbol::simple_name(name);
    let mut parts = simple.rsplit("::");
    let last = parts.next().unwrap_or_default();
    let class = parts.next().unwrap_or_default();
    hashed || last.starts_with('~') || (last == class && !last.is_empty())
}

/// Returns the pattern to generate for a printed name: the name itself if it is the symbol, or else
/// its certain parts. Returns `None` if too little is certain.
pub(crate) fn suggest_pattern(name: &str, inlined: bool) -> Option<String> {
    let name = symbol::strip_offset(name);
    if is_symbol(name, inlined) {
        return (!name.contains(['*', '?'])).then(|| name.into());
    }
    let skeletons = mangled::skeletons(name, &symbol::simple_name(name));
    let [skeleton] = skeletons.as_slice() else {
        return None;
    };
    let pattern = skeleton.replace(char::from(mangled::GAP), "*");
    (pattern.bytes().filter(u8::is_ascii_alphanumeric).count() > 2).then_some(pattern)
}

/// Removes spaces, in which demanglers differ: `> >`, `>>`.
pub(crate) fn without_spaces(name: &str) -> Cow<'_, str> {
    if name.contains(' ') {
        let mut out = String::with_capacity(name.len());
        out.extend(name.split(' '));
        Cow::Owned(out)
    } else {
        Cow::Borrowed(name)
    }
}

/// Returns true if the pattern is certain to match the object of a frame. A text log shows the
/// object only for frames without a source file.
fn matches_object(glob: &Glob, frame: &Frame, generated: Option<&str>) -> bool {
    if glob.matches_anything() {
        return true;
    }
    let generated_path = generated
        .and_then(|g| g.strip_prefix("obj:"))
        .filter(|path| *path != "*");
    match (
        frame.info.module.as_deref().or(generated_path),
        frame.info.file.as_deref(),
    ) {
        (Some(path), _) => glob.matches(path),
        (None, Some(_)) => false,
        (None, None) => glob.matches(UNKNOWN),
    }
}

/// Returns true if the pattern is certain to match the file of a frame. The tool compares the file
/// name as the compiler stored it, usually without its directory.
fn matches_file(glob: &Glob, line: Option<u32>, frame: &Frame, frames: &[Frame]) -> bool {
    let Some(path) = frame.info.file.as_deref() else {
        return false;
    };
    if line.is_some() && line != frame.info.line {
        return false;
    }
    if let Some(stored) = xml_file(&frame.info.raw) {
        return glob.matches(&stored);
    }
    let base = path.rsplit('/').next().unwrap_or(path);
    // A path with directories was either stored in this form, or valgrind shows full paths
    // (`--fullpath-after`). In the latter case, every file has directories.
    let may_be_full_path = !frames
        .iter()
        .filter_map(|f| f.info.file.as_deref())
        .any(|f| !f.contains('/'));
    glob.matches(path) && (!may_be_full_path || glob.matches(base))
}

/// Returns the file name of a frame in XML, which separates it from the directory.
fn xml_file(raw: &[u8]) -> Option<String> {
    let text = core::str::from_utf8(raw).ok()?;
    let (_, rest) = text.split_once("<file>")?;
    let (file, _) = rest.split_once("</file>")?;
    Some(crate::parse::unescape(file.trim()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(function: &str) -> Arc<FrameInfo> {
        Arc::new(FrameInfo {
            function: Some(function.into()),
            ..FrameInfo::default()
        })
    }

    #[test]
    fn names_match_only_if_tool_certainly_matched() {
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
            let matched = matches_function(
                &FunctionPattern::new(pattern),
                &info(name),
                inlined,
                &mut FrameCache::default(),
            );
            assert_eq!(matched, want, "{pattern} {name}");
        }
    }
}
