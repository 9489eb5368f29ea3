//! Parsing of stack frames: the syntaxes of valgrind and of the sanitizers, and in `frame/plain.rs`
//! those of all other checkers.
//!
//! A frame is parsed in two steps. [`numbered`] and [`valgrind`] split off the number and the
//! address, which change from run to run. The rest is the same for every occurrence of a place in
//! the code, so it is parsed once and shared (see `collect/intern.rs`). The second step,
//! [`parse_sanitizer`] and [`parse_valgrind`], never fails: text that can't be split stays in
//! [`FrameInfo::raw`].
//!
//! Sources: valgrind `coregrind/m_debuginfo/debuginfo.c` (`describe_IP`), compiler-rt
//! `sanitizer_common/sanitizer_stacktrace_printer.cpp`.

mod plain;

use alloc::borrow::Cow;

pub(crate) use self::plain::{
    parse_app_verifier, parse_at_location, parse_backtrace_symbols, parse_bracketed,
    parse_function, parse_image, parse_kernel, parse_tombstone, split_backtrace_symbols,
};
use crate::bytes::{hex, lossy, number, trim_start};
use crate::model::{FrameInfo, Text};
use crate::symbol;

/// A frame's line, split into its number, its address, and the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SplitFrame<'a> {
    pub(crate) index: Option<u32>,
    pub(crate) address: Option<u64>,
    /// The rest of the line. It contains the address if nothing else is known.
    pub(crate) text: &'a [u8],
}

/// Splits `#N 0xADDRESS in …`, `#N 0xADDRESS  (…)`, and TSan's `#N function …` without address.
pub(crate) fn split_numbered(line: &[u8]) -> Option<SplitFrame<'_>> {
    let rest = trim_start(line).strip_prefix(b"#")?;
    let (index, rest) = number(rest)?;
    let index = u32::try_from(index).ok();
    let text = trim_start(rest);
    if text.len() == rest.len() {
        return None;
    }
    let text = text.strip_prefix(b"pc ").map_or(text, trim_start);
    let Some((address, rest)) = text.strip_prefix(b"0x").and_then(hex) else {
        return Some(SplitFrame {
            index,
            address: None,
            text,
        });
    };
    let site = trim_start(rest);
    let site = if site.is_empty() { text } else { site };
    Some(SplitFrame {
        index,
        address: Some(address),
        text: site,
    })
}

/// Splits `   at 0xADDRESS: …` and `   by 0xADDRESS: …`. The flag is true for `at`, which starts a
/// stack. The spaces before may have been lost on the way.
pub(crate) fn split_valgrind(line: &[u8]) -> Option<(bool, SplitFrame<'_>)> {
    let text = trim_start(line);
    let (first, rest) = match text {
        [b'a', b't', b' ', rest @ ..] => (true, rest),
        [b'b', b'y', b' ', rest @ ..] => (false, rest),
        _ => return None,
    };
    let (address, tail) = hex(trim_start(rest).strip_prefix(b"0x")?)?;
    let site = trim_start(tail.strip_prefix(b":")?);
    let site = if site == b"???" { rest } else { site };
    Some((
        first,
        SplitFrame {
            index: None,
            address: Some(address),
            text: site,
        },
    ))
}

/// Parses `function (file:line)`, `function (in module)`, or a bare function.
pub(crate) fn parse_valgrind(raw: &[u8]) -> FrameInfo {
    let text = lossy(raw);
    // Trackers and mail programs replace spaces by no-break spaces.
    let text = match text.contains('\u{a0}') {
        true => Cow::Owned(text.replace('\u{a0}', " ")),
        false => text,
    };
    let text = text.trim();
    let mut info = FrameInfo {
        raw: raw.into(),
        ..FrameInfo::default()
    };
    if text.starts_with("0x") {
        return info;
    }
    let (name, location) = match text.rfind(" (") {
        Some(at) if text.ends_with(')') && is_location(&text[at + 2..text.len() - 1]) => {
            (&text[..at], &text[at + 2..text.len() - 1])
        }
        _ => (text, ""),
    };
    if let Some(module) = location.strip_prefix("in ") {
        info.module = (module != "???").then(|| module.into());
    } else if let Some((file, line)) = location.rsplit_once(':') {
        info.file = Some(file.into());
        info.line = line.parse().ok();
    }
    set_function(&mut info, name);
    info
}

/// Returns true for `in PATH` and `FILE:LINE`. The `(int)` and `(below main)` of function names
/// don't count.
fn is_location(text: &str) -> bool {
    text.starts_with("in ")
        || text
            .rsplit_once(':')
            .is_some_and(|(_, line)| !line.is_empty() && line.bytes().all(|b| b.is_ascii_digit()))
}

/// Parses the text after a sanitizer's address: `in FUNCTION LOCATION`, `(MODULE+0xOFFSET)
/// (BuildId: …)`, or TSan's `FUNCTION LOCATION (MODULE+0xOFFSET)`.
pub(crate) fn parse_sanitizer(raw: &[u8]) -> FrameInfo {
    let text = lossy(raw);
    let mut info = FrameInfo {
        raw: raw.into(),
        ..FrameInfo::default()
    };
    let mut rest = text.trim();
    if rest.starts_with("0x") {
        return info;
    }
    let in_form = rest.strip_prefix("in ");
    rest = in_form.unwrap_or(rest);
    rest = take_module(without_cut_module(rest), &mut info);
    if rest.is_empty() {
        return info;
    }
    let (before, line, column) = split_position(rest);
    let (function, file) = split_location(before, line.is_some(), info.module.is_some());
    let is_placeholder = |file: &str| matches!(file, "<null>" | "<compiler-generated>" | "??" | "");
    if let Some(file) = file.filter(|f| !is_placeholder(f)) {
        info.file = Some(file.into());
        // A sanitizer prints `a.c:0:0` if the debug information has no line.
        info.line = line.filter(|n| *n > 0);
        info.column = column.filter(|n| *n > 0);
    }
    set_function(&mut info, without_hex_offset(function));
    info
}

/// Parses a location without a function: `FILE:LINE:COLUMN`, `FILE(LINE,COLUMN)`,
/// `(MODULE+0xOFFSET)`.
pub(crate) fn parse_location(raw: &[u8]) -> FrameInfo {
    let text = lossy(raw);
    let mut info = FrameInfo {
        raw: raw.into(),
        ..FrameInfo::default()
    };
    let rest = take_module(text.trim(), &mut info);
    if rest.is_empty() || rest.starts_with("0x") {
        return info;
    }
    set_location(&mut info, rest);
    info
}

/// Sets file, line and column. Line 0 means that the debug information has none.
fn set_location(info: &mut FrameInfo, location: &str) {
    let (file, line, column) = split_position(location);
    info.file = (!file.is_empty()).then(|| file.into());
    info.line = line.filter(|n| *n > 0);
    info.column = column.filter(|n| *n > 0);
}

/// Sets the function, unless it is a placeholder.
fn set_function(info: &mut FrameInfo, name: &str) {
    let name = name.trim();
    if matches!(name, "" | "???" | "??" | "<null>") {
        return;
    }
    info.demangled = symbol::demangle(name).map(Text::from);
    info.function = Some(name.into());
}

/// Strips ` (MODULE+0xOFFSET)` and ` (BuildId: …)` off the end, and sets the module from them.
fn take_module<'a>(text: &'a str, info: &mut FrameInfo) -> &'a str {
    let mut rest = text;
    if let Some((before, inside)) = last_group(rest)
        && let Some(id) = inside.strip_prefix("BuildId: ")
    {
        info.build_id = Some(id.into());
        rest = before;
    }
    let Some((before, inside)) = last_group(rest) else {
        return rest;
    };
    if inside == "<unknown module>" {
        return before;
    }
    let Some((module, offset)) = inside
        .rsplit_once("+0x")
        .or_else(|| inside.rsplit_once("!+0x"))
    else {
        return rest;
    };
    let Ok(offset) = u64::from_str_radix(offset, 16) else {
        return rest;
    };
    info.module = Some(without_architecture(module).into());
    info.offset = Some(offset);
    before
}

/// Strips ` (MODULE` or ` (BuildId: …` off the end of a line that is cut there.
fn without_cut_module(text: &str) -> &str {
    let open = match text.rfind(" (") {
        _ if text.ends_with(')') => None,
        None => text.starts_with('(').then_some(0),
        found => found,
    };
    match open {
        Some(at) if !text[at..].contains(')') => &text[..at],
        _ => text,
    }
}

/// Returns the text before the last ` (…)`, and the contents of the parentheses.
pub(super) fn last_group(text: &str) -> Option<(&str, &str)> {
    let body = text.strip_suffix(')')?;
    let mut depth = 0u32;
    for (at, c) in body.char_indices().rev() {
        match c {
            ')' => depth += 1,
            '(' if depth == 0 => {
                let before = &body[..at];
                return (before.is_empty() || before.ends_with(' '))
                    .then(|| (before.trim_end(), &body[at + 1..]));
            }
            '(' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Strips the architecture that macOS adds to universal binaries: `lib.dylib:arm64`.
fn without_architecture(module: &str) -> &str {
    match module.rsplit_once(':') {
        Some((path, "x86_64" | "x86_64h" | "i386" | "arm64" | "arm64e" | "armv7")) => path,
        _ => module,
    }
}

/// Splits `:LINE:COLUMN`, `:LINE`, or Visual Studio's `(LINE,COLUMN)` and `(LINE)` off the end.
fn split_position(text: &str) -> (&str, Option<u32>, Option<u32>) {
    if let Some(open) = text.strip_suffix(')').and_then(|t| t.rfind('(')) {
        let inside = &text[open + 1..text.len() - 1];
        let (line, column) = inside
            .split_once(',')
            .map_or((inside, None), |(l, c)| (l, c.trim().parse().ok()));
        if let Ok(line) = line.parse() {
            return (&text[..open], Some(line), column);
        }
    }
    let Some((before, last)) = digits_after_colon(text) else {
        return (text, None, None);
    };
    match digits_after_colon(before) {
        Some((file, line)) => (file, Some(line), Some(last)),
        None => (before, Some(last), None),
    }
}

/// Splits `:NUMBER` off the end.
fn digits_after_colon(text: &str) -> Option<(&str, u32)> {
    let (before, digits) = text.rsplit_once(':')?;
    let number = digits
        .bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| digits.parse().ok())??;
    Some((before, number))
}

/// Splits `FUNCTION FILE`. Both may contain spaces, so the split is at the first space outside of
/// brackets that a path follows, or else at the last one.
fn split_location(text: &str, has_line: bool, has_module: bool) -> (&str, Option<&str>) {
    let mut last = None;
    let mut depth = 0u32;
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'<' | b'(' | b'[' | b'{' if !is_operator(&bytes[..at]) => depth += 1,
            b'>' if matches!(bytes[..at].last(), Some(b'-' | b'='))
                || is_operator(&bytes[..at]) => {}
            b'>' | b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b' ' if depth == 0 => {
                if starts_path(&bytes[at + 1..]) {
                    return (&text[..at], Some(&text[at + 1..]));
                }
                last = Some(at);
            }
            _ => {}
        }
    }
    match last {
        Some(at) if has_line || !has_module || is_source(&text[at + 1..]) => {
            (&text[..at], Some(&text[at + 1..]))
        }
        None if has_line && !has_module && starts_path(bytes) => ("", Some(text)),
        _ => (text, None),
    }
}

/// Returns true for the name of a source file, or for the placeholder that Swift's compiler has for
/// its own code. The debug information may have a file without lines.
fn is_source(text: &str) -> bool {
    const EXTENSIONS: &[&str] = &[
        ".swift", ".c", ".cc", ".cpp", ".cxx", ".m", ".mm", ".h", ".hpp", ".rs", ".go", ".d",
        ".zig",
    ];
    text == "<compiler-generated>" || EXTENSIONS.iter().any(|end| text.ends_with(end))
}

/// Returns true right after the word `operator` (or `operator<`, `operator-`), where a bracket is
/// part of a name.
fn is_operator(head: &[u8]) -> bool {
    // The longest symbols that continue here are `->*` and `<=>`.
    (0..=3).any(|n| {
        let (keyword, symbol) = head.split_at(head.len().saturating_sub(n));
        symbol.iter().all(|b| b"<>-=".contains(b)) && keyword.ends_with(b"operator")
    })
}

/// Returns true if the text begins with an absolute path, `./`, `../`, or `<null>`.
fn starts_path(text: &[u8]) -> bool {
    match text {
        [b'/', ..] | [b'.', b'/', ..] | [b'.', b'.', b'/', ..] | [b'\\', b'\\', ..] => true,
        [letter, b':', b'\\' | b'/', ..] => letter.is_ascii_alphabetic(),
        [b'<', ..] => text.starts_with(b"<null>"),
        _ => false,
    }
}

/// Strips the offset from `function+0x1a`, which is printed if there is only a symbol table.
fn without_hex_offset(name: &str) -> &str {
    if memchr::memchr(b'+', name.as_bytes()).is_none() {
        return name;
    }
    match name.rsplit_once("+0x") {
        Some((head, digits))
            if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit()) =>
        {
            head
        }
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use alloc::borrow::ToOwned;
    use alloc::string::{String, ToString};

    use super::*;

    /// Returns `function | file | line | column | module | offset`.
    fn summary(info: &FrameInfo) -> String {
        let text = |t: &Option<Text>| t.as_deref().unwrap_or("-").to_owned();
        let num = |n: Option<u64>| n.map_or("-".to_owned(), |n| n.to_string());
        [
            text(&info.function),
            text(&info.file),
            num(info.line.map(u64::from)),
            num(info.column.map(u64::from)),
            text(&info.module),
            num(info.offset),
        ]
        .join(" | ")
    }

    #[test]
    fn sanitizer_frames_are_parsed() {
        for (raw, want) in [
            (
                "in main /src/a.cc:24:18",
                "main | /src/a.cc | 24 | 18 | - | -",
            ),
            ("in main /src/a.c:24", "main | /src/a.c | 24 | - | - | -"),
            (
                "in f C:\\src\\a b.cc:7",
                "f | C:\\src\\a b.cc | 7 | - | - | -",
            ),
            ("in main C:\\a.cpp(7,3)", "main | C:\\a.cpp | 7 | 3 | - | -"),
            (
                "in _start (/bin/a+0x2c3b0) (BuildId: ab66)",
                "_start | - | - | - | /bin/a | 181168",
            ),
            (
                " (/path/bin+0x10f104) (BuildId: ab)",
                "- | - | - | - | /path/bin | 1110276",
            ),
            ("(<unknown module>)", "- | - | - | - | - | -"),
            (
                "in malloc+0x6c (lib.dylib:arm64+0x10)",
                "malloc | - | - | - | lib.dylib | 16",
            ),
            (
                "in operator new(unsigned long) (/a+0x1)",
                "operator new(unsigned long) | - | - | - | /a | 1",
            ),
            (
                "in int n::(anonymous namespace)::In::operator()<int>(int*, int) const /s/a.cc:12:3",
                "int n::(anonymous namespace)::In::operator()<int>(int*, int) const | /s/a.cc | 12 | 3 | - | -",
            ),
            (
                "in bool operator< <int>(A<int> const&, A<int> const&) /s/a b/c.cc:3:1",
                "bool operator< <int>(A<int> const&, A<int> const&) | /s/a b/c.cc | 3 | 1 | - | -",
            ),
            (
                "in T* A::operator->() /s/a.cc:3",
                "T* A::operator->() | /s/a.cc | 3 | - | - | -",
            ),
            (
                "in <fn() as F<()>>::call /rustc/x.rs:250:5",
                "<fn() as F<()>>::call | /rustc/x.rs | 250 | 5 | - | -",
            ),
            (
                "in __rust_try std.27036-cgu.07",
                "__rust_try | std.27036-cgu.07 | - | - | - | -",
            ),
            (
                "in start(void*) asan_interceptors.cpp.o",
                "start(void*) | asan_interceptors.cpp.o | - | - | - | -",
            ),
            ("in f <null>", "f | - | - | - | - | -"),
            (
                "w /src/a.c:7:3 (race+0x11a1) (BuildId: 00)",
                "w | /src/a.c | 7 | 3 | race | 4513",
            ),
            (
                "<null> <null> (libstdc++.so.6+0xd44a2)",
                "- | - | - | - | libstdc++.so.6 | 869538",
            ),
            ("in main", "main | - | - | - | - | -"),
            (
                "implicit closure #2 in Store.load() Store.swift (app:arm64+0x1f)",
                "implicit closure #2 in Store.load() | Store.swift | - | - | app | 31",
            ),
            (
                "thunk for @callee () -> () <compiler-generated> (app+0x2f)",
                "thunk for @callee () -> () | - | - | - | app | 47",
            ),
            (
                "in spin<A>(A) (/opt/build/ap",
                "spin<A>(A) | - | - | - | - | -",
            ),
            ("in spin(int", "spin(int | - | - | - | - | -"),
            (
                "in spin(int) (/opt/app+0x1f) (Build",
                "spin(int) | - | - | - | /opt/app | 31",
            ),
            (" (/opt/app+0x", "- | - | - | - | - | -"),
        ] {
            assert_eq!(summary(&parse_sanitizer(raw.as_bytes())), want, "{raw}");
        }
    }

    #[test]
    fn valgrind_frames_are_parsed() {
        for (raw, want) in [
            ("main (leak.c:12)", "main | leak.c | 12 | - | - | -"),
            (
                "malloc (in /usr/lib/vg.so)",
                "malloc | - | - | - | /usr/lib/vg.so | -",
            ),
            (
                "??? (in /usr/lib/x.so)",
                "- | - | - | - | /usr/lib/x.so | -",
            ),
            (
                "(below main) (libc-start.c:392)",
                "(below main) | libc-start.c | 392 | - | - | -",
            ),
            ("(below main)", "(below main) | - | - | - | - | -"),
            (
                "operator new[](unsigned long) (in /a b.so)",
                "operator new[](unsigned long) | - | - | - | /a b.so | -",
            ),
            (
                "a::(anonymous namespace)::B<int>::operator()(int) const (m.cc:6)",
                "a::(anonymous namespace)::B<int>::operator()(int) const | m.cc | 6 | - | - | -",
            ),
            ("main+12 (a.c:3)", "main+12 | a.c | 3 | - | - | -"),
            ("f (/src/dir/a.c:3)", "f | /src/dir/a.c | 3 | - | - | -"),
            ("0x4853116: ???", "- | - | - | - | - | -"),
            ("f() (in ???)", "f() | - | - | - | - | -"),
            ("\u{a0}f(int)\u{a0}(a.c:3)", "f(int) | a.c | 3 | - | - | -"),
        ] {
            assert_eq!(summary(&parse_valgrind(raw.as_bytes())), want, "{raw}");
        }
    }

    #[test]
    fn numbers_and_addresses_are_split_off() {
        let head = split_numbered(b"    #1 0x2a in f a.c:1").unwrap();
        assert_eq!(
            (head.index, head.address, head.text),
            (Some(1), Some(42), &b"in f a.c:1"[..])
        );
        assert_eq!(split_numbered(b"#0 f a.c:1").unwrap().text, b"f a.c:1");
        assert_eq!(split_numbered(b"#2 0x2a").unwrap().text, b"0x2a");
        assert!(split_numbered(b"#include <x>").is_none());
        let (first, head) = split_valgrind(b"   at 0x2A: f (a.c:1)").unwrap();
        assert_eq!(
            (first, head.address, head.text),
            (true, Some(42), &b"f (a.c:1)"[..])
        );
        assert_eq!(
            split_valgrind(b"   by 0x2A: ???").unwrap().1.text,
            b"0x2A: ???"
        );
        assert_eq!(split_valgrind(b"at 0x2A: f").unwrap().1.text, b"f");
        assert!(split_valgrind(b"at the end: f").is_none());
    }
}
