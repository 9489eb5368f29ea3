//! Fingerprints: the identity of a finding, stable across builds, machines and checker versions.
//!
//! A fingerprint is `lg2-` followed by the first 32 hex digits of the SHA-256 of these lines:
//!
//! 1. The class: `leak`, or the kind of the error.
//! 2. The frames of the primary stack from top to bottom, at most eight, without allocators and
//!    runtimes. A frame with a function contributes its simple name and the base name of its file,
//!    or of its module if it has no file. A frame without a function contributes the base name of
//!    its file, which UndefinedBehaviorSanitizer states, or of its module.
//! 3. For a race, the frames of the other access in the same form. The two accesses are sorted,
//!    because either thread may report the race.
//! 4. If no frame has a function: also the offsets and build ids of the modules, the base name of the
//!    file, and the headline of an error without its numbers.
//! 5. The class of a leaked object on macOS, and the types in messages of
//!    UndefinedBehaviorSanitizer.
//!
//! A fingerprint depends on the finding alone. Addresses, line numbers, sizes, pids and the kind of
//! a leak change from run to run and are not part of it.

mod place;

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use sha2::{Digest, Sha256};

pub(crate) use self::place::Place;
use self::place::{base_name, has_module, module_name};
use crate::culprit::{Class, FrameCache};
use crate::model::{Finding, Frame, Kind, Role, Stack, Tool};

/// Number of functions that count.
pub(crate) const DEPTH: usize = 8;

/// The start of every fingerprint: the version of the algorithm.
pub(crate) const PREFIX: &str = "lg2-";

/// The identity of a finding, as described in the [module documentation](self).
///
/// ```
/// use leakgate_core::triage::triage;
/// use leakgate_core::{Date, Gate, NoWorkspace, Options, Parser, Policy};
///
/// fn fingerprint(line: u32) -> String {
///     let mut parser = Parser::new(Options::default());
///     parser.begin("run.log");
///     let log = format!("==7==ERROR: LeakSanitizer: detected memory leaks\n\n\
///         Direct leak of 4 byte(s) in 1 object(s) allocated from:\n    #0 0x51 in make /src/a.c:{line}\n\n\
///         SUMMARY: LeakSanitizer: 4 byte(s) leaked in 1 allocation(s).\n");
///     parser.feed(log.as_bytes());
///     let gate = Gate::new(Policy::default(), Date::constant(2026, 11, 22));
///     let triage = triage(&parser.finish(), &gate, &NoWorkspace);
///     triage.findings[0].fingerprint.to_string()
/// }
///
/// // The line may change; the function may not.
/// assert_eq!(fingerprint(3), fingerprint(30));
/// assert!(fingerprint(3).starts_with("lg2-"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint {
    text: String,
    strength: Strength,
}

/// How well a fingerprint identifies a bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Strength {
    /// A function outside of allocators and runtimes is part of it.
    Strong,
    /// Different bugs may share it.
    Weak,
    /// It contains nothing but the kind and the headline, although the checker prints a stack with
    /// each such record. The stack was lost.
    Lost,
}

impl Fingerprint {
    /// Returns the text: `lg2-` and 32 hex digits.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns true if no function outside of allocators and runtimes is part of the fingerprint.
    /// Different bugs may share a weak fingerprint.
    pub fn is_weak(&self) -> bool {
        self.strength != Strength::Strong
    }

    /// Returns true if the log contains nothing that distinguishes the finding from others of its
    /// kind: the record lost its stack. Such a finding can't be accepted by its fingerprint.
    pub fn is_lost(&self) -> bool {
        self.strength == Strength::Lost
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Computes the fingerprint of a finding.
pub(crate) fn fingerprint(finding: &Finding, names: &mut FrameCache) -> Fingerprint {
    /// Bytes of the hash that count.
    const BYTES: usize = 16;
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let class = if finding.kind.is_leak() {
        "leak"
    } else {
        finding.kind.as_str()
    };
    let (lines, strength) = hashed_lines(finding, names);
    let mut hash = Sha256::new();
    hash.update(class);
    for line in &lines {
        hash.update("\n");
        hash.update(&**line);
    }
    let mut text = String::with_capacity(PREFIX.len() + 2 * BYTES);
    text.push_str(PREFIX);
    for byte in &hash.finalize()[..BYTES] {
        // Formatting would take longer than hashing.
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    Fingerprint { text, strength }
}

/// The lines of one stack.
#[derive(Default)]
struct StackLines {
    lines: Vec<Arc<str>>,
    /// True if a function outside of allocators and runtimes is among the lines.
    is_named: bool,
}

/// Returns the lines that the fingerprint is made of, and how well they identify the finding.
pub(crate) fn hashed_lines(finding: &Finding, names: &mut FrameCache) -> (Vec<Arc<str>>, Strength) {
    let mut sides: Vec<StackLines> = accesses(finding)
        .map(|stack| stack_lines(&stack.frames, names))
        .collect();
    sides.sort_by(|a, b| a.lines.cmp(&b.lines));
    let is_named = sides.iter().any(|side| side.is_named);
    let mut lines: Vec<Arc<str>> = Vec::with_capacity(DEPTH);
    for (at, side) in sides.into_iter().enumerate() {
        if at > 0 {
            lines.push("and".into());
        }
        lines.extend(side.lines);
    }
    let has_stack = lines.iter().any(|line| **line != *"and");
    lines.extend(object_class(finding).map(Arc::from));
    let is_described = finding.tool == Tool::Leaks;
    if !is_named && !is_described && (!finding.kind.is_leak() || !has_stack) {
        lines.push(without_numbers(&finding.title).into());
    }
    let strength = match (is_named, has_stack) {
        (true, _) => Strength::Strong,
        (false, false) if prints_stacks(finding) => Strength::Lost,
        (false, _) => Strength::Weak,
    };
    (lines, strength)
}

/// Returns the stacks that identify a finding: the primary one and, for a race, that of the
/// conflicting access. Other kinds have a fixed primary stack, and not all versions of a checker
/// print their other stacks.
fn accesses(finding: &Finding) -> impl Iterator<Item = &Stack> {
    let is_race = finding.kind.as_str().contains("race");
    let mut rest = finding.stacks.iter().skip(1).filter(move |_| is_race);
    let conflict = rest.find(|stack| stack.role == Role::Conflict);
    finding.primary().into_iter().chain(conflict)
}

fn stack_lines(frames: &[Frame], names: &mut FrameCache) -> StackLines {
    let mut counted: Vec<&Frame> = Vec::with_capacity(DEPTH);
    for frame in frames {
        let is_skipped = matches!(
            names.get(&frame.info).class,
            Class::Allocator | Class::Runtime
        );
        if !is_skipped && (frame.info.name().is_some() || has_module(frame)) {
            counted.push(frame);
        }
        if counted.len() == DEPTH {
            break;
        }
    }
    let is_named = has_names(&counted, names);
    let mut lines: Vec<Arc<str>> = counted
        .iter()
        .enumerate()
        .map(|(depth, frame)| line(frame, depth, is_named, names))
        .collect();
    if lines.is_empty() {
        // Only allocators and runtimes, or locations without functions.
        lines = frames
            .iter()
            .take(DEPTH)
            .map(|frame| bare_line(frame, names))
            .filter(|line| !line.is_empty())
            .map(Arc::from)
            .collect();
    }
    StackLines { lines, is_named }
}

/// Returns true if the frames have a function that identifies the code. `main` below frames without
/// names doesn't: every finding of the program has it.
fn has_names(counted: &[&Frame], names: &mut FrameCache) -> bool {
    let mut after_unnamed = false;
    counted.iter().any(|frame| {
        let name = names.get(&frame.info).name.as_str();
        let is_named = !(name.is_empty() || after_unnamed && name == "main");
        after_unnamed |= name.is_empty();
        is_named
    })
}

/// Returns the line of a frame. `is_named` is true if the stack has names; then a frame without a
/// name contributes only its module, because its offset changes with each version of a library.
fn line(frame: &Frame, depth: usize, is_named: bool, names: &mut FrameCache) -> Arc<str> {
    let info = &frame.info;
    let name = names.get(info).name.as_str();
    if name.is_empty() {
        if let Some(file) = info.file.as_deref() {
            return base_name(file).into();
        }
        let module = module_name(frame);
        let line = match (is_named, info.offset, info.build_id.as_deref()) {
            (true, ..) | (_, None, _) => module,
            (_, Some(offset), None) => format!("{module}+{offset:#x}"),
            (_, Some(offset), Some(id)) => format!("{module}+{offset:#x} {id}"),
        };
        return line.into();
    }
    // Rust's `main` calls that of the program, which has a file.
    if info.file.is_none() && depth > 0 && name == "main" {
        return name.into();
    }
    names.line(info, |name| {
        let place = match info.file.as_deref() {
            Some(file) => String::from(base_name(file)),
            None => module_name(frame),
        };
        let name = without_lambda(name);
        if place.is_empty() {
            String::from(name)
        } else {
            format!("{name} in {place}")
        }
    })
}

/// Returns the name of a function. Compilers name the same lambda differently and number lambdas:
/// `auto f::$_0::operator()`, `f::{lambda#1}::operator()`, `operator()`.
fn without_lambda(name: &str) -> &str {
    const CALL: &str = "operator()";
    let is_lambda = name.ends_with(CALL) && (name.contains("::$_") || name.contains("lambda"));
    if is_lambda { CALL } else { name }
}

/// Returns the line of a frame in a stack without code that may be the project's own.
fn bare_line(frame: &Frame, names: &mut FrameCache) -> String {
    let name = &names.get(&frame.info).name;
    let module = module_name(frame);
    let place = match frame.info.file.as_deref() {
        Some(file) if module.is_empty() => base_name(file),
        _ => module.as_str(),
    };
    match (name.is_empty(), place.is_empty()) {
        (true, _) => String::from(place),
        (_, true) => name.clone(),
        _ => format!("{name} in {place}"),
    }
}

/// Returns the class of the object that a finding is about, if its checker states it: macOS's
/// `leaks` prints the class of a leaked object, and UndefinedBehaviorSanitizer prints types in
/// quotes.
fn object_class(finding: &Finding) -> Option<String> {
    let title = &*finding.title;
    match finding.tool {
        Tool::Leaks => Some(without_numbers(title)),
        Tool::Ubsan => class_in_quotes(title),
        _ => None,
    }
}

/// Returns the first name between single quotes that isn't one of a built-in type. gcc and clang
/// print built-in types differently: `'unsigned long'`, `'long unsigned int'`.
fn class_in_quotes(title: &str) -> Option<String> {
    const BUILT_IN: &[&str] = &[
        "struct", "class", "union", "enum", "const", "volatile", "restrict", "signed", "unsigned",
        "char", "short", "int", "long", "float", "double", "bool", "_Bool", "void", "__int128",
        "size_t", "wchar_t",
    ];
    let mut names =
        title.split('\'').skip(1).step_by(2).flat_map(|quoted| {
            quoted.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
        });
    let is_class = |name: &&str| {
        name.starts_with(|c: char| c.is_alphabetic() || c == '_') && !BUILT_IN.contains(name)
    };
    names.find(is_class).map(String::from)
}

/// Returns true if the checker prints a stack with each record of this kind.
fn prints_stacks(finding: &Finding) -> bool {
    let always = matches!(
        finding.tool,
        Tool::Memcheck
            | Tool::Helgrind
            | Tool::Drd
            | Tool::Asan
            | Tool::Lsan
            | Tool::Tsan
            | Tool::Msan
            | Tool::Hwasan
            | Tool::GoRace
    );
    // The title of an open descriptor has its path.
    always && finding.kind != Kind::FD_LEAK && finding.kind != Kind::FD_INHERITED
}

/// Replaces numbers in a headline by `#`: values, sizes and addresses change from run to run.
fn without_numbers(title: &str) -> String {
    let mut out = String::with_capacity(title.len());
    let mut in_word = false;
    let mut in_number = false;
    for c in title.chars() {
        let goes_on = in_number && (c.is_ascii_alphanumeric() || c == '.');
        let begins = !in_word && c.is_ascii_digit();
        if begins {
            let sign = usize::from(out.ends_with(" -"));
            out.truncate(out.len() - sign);
        }
        if !goes_on {
            out.push(if begins { '#' } else { c });
        }
        in_number = begins || goes_on;
        in_word = goes_on || c.is_ascii_alphanumeric() || c == '_';
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Options;
    use crate::parse::Parser;

    fn prints(log: &str) -> Vec<Fingerprint> {
        let mut parser = Parser::new(Options::default());
        parser.begin("log");
        parser.feed(log.as_bytes());
        let mut names = FrameCache::default();
        parser
            .finish()
            .findings
            .iter()
            .map(|f| fingerprint(f, &mut names))
            .collect()
    }

    const MEMCHECK: &str = "==1== 40 (16 direct, 24 indirect) bytes in 1 blocks are possibly lost in loss record 3 of 4
==1==    at 0x48417B4: malloc (in /usr/libexec/valgrind/vgpreload_memcheck-amd64-linux.so)
==1==    by 0x109166: ns::make<int>(int) (a.cc:3)
==1==    by 0x10918C: main (a.cc:9)
==1== 
";

    const LSAN: &str = "==7==ERROR: LeakSanitizer: detected memory leaks

Direct leak of 16 byte(s) in 1 object(s) allocated from:
    #0 0x55f8efec90d9 in malloc (/bin/a+0x340d9) (BuildId: 48ec)
    #1 0x55f8efecc431 in ns::make<int>(int) /src/a.cc:30:57
    #2 0x55f8efecc4b3 in main /src/a.cc:90:17
    #3 0x7ffb87645249 in __libc_start_call_main csu/../sysdeps/nptl/libc_start_call_main.h:58:16
    #4 0x55f8efe0c3b0 in _start (/bin/a+0x2c3b0)

SUMMARY: LeakSanitizer: 16 byte(s) leaked in 1 allocation(s).
";

    #[test]
    fn checkers_agree_on_the_fingerprint_of_a_leak() {
        let a = prints(MEMCHECK);
        let b = prints(LSAN);
        assert_eq!(a.len(), 1);
        assert_eq!(a, b);
        assert!(!a[0].is_weak());
        // The value is a contract: baselines and pull requests contain it.
        assert_eq!(a[0].as_str(), "lg2-381ecb60d39b5b0d311ca4094ae020a7");
    }

    #[test]
    fn function_and_kind_change_the_fingerprint() {
        let other = LSAN.replace("ns::make", "ns::take");
        assert_ne!(prints(LSAN), prints(&other));
        let error = "==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x1 at pc 0x2 bp 0x3 sp 0x4\n    #0 0x5 in ns::make<int>(int) /src/a.cc:3\n    #1 0x6 in main /src/a.cc:9\n\n";
        assert_ne!(prints(LSAN), prints(error));
    }

    #[test]
    fn finding_without_functions_is_identified_by_file_and_headline() {
        let print = |log: &str| prints(log).remove(0);
        let one = print(
            "/src/a.c:3:4: runtime error: signed integer overflow: 2147483647 + 1 cannot be represented in type 'int'\n",
        );
        let moved = print(
            "/ci/a.c:9:1: runtime error: signed integer overflow: -7 + -2147483648 cannot be represented in type 'int'\n",
        );
        let wider = print(
            "/src/a.c:3:4: runtime error: signed integer overflow: 2147483647 + 1 cannot be represented in type 'long'\n",
        );
        let elsewhere = print(
            "/src/b.c:3:4: runtime error: signed integer overflow: 2147483647 + 1 cannot be represented in type 'int'\n",
        );
        assert_eq!(one, moved);
        assert!(one.is_weak() && one != wider && one != elsewhere);
        assert_eq!(
            without_numbers("a -0x5f x86 1.5, v2 in int32_t"),
            "a # x86 #, v2 in int32_t"
        );
    }

    #[test]
    fn runtime_only_stack_is_weak() {
        let bare = LSAN
            .replace(
                "ns::make<int>(int) /src/a.cc:30:57",
                "std::rt::lang_start (/bin/a+0x1)",
            )
            .replace("main /src/a.cc:90:17", "_start (/bin/a+0x2)");
        assert!(prints(&bare)[0].is_weak());
    }

    fn print(log: &str) -> Fingerprint {
        prints(log).remove(0)
    }

    #[test]
    fn file_and_module_change_the_fingerprint() {
        let file = LSAN.replace("/src/a.cc", "/src/b.cc");
        let folder = LSAN.replace("/src/a.cc", "/ci/build/a.cc");
        assert_ne!(print(LSAN), print(&file));
        assert_eq!(print(LSAN), print(&folder));
        let library = |name: &str| MEMCHECK.replace("(a.cc:3)", &format!("(in /usr/lib/{name})"));
        assert_eq!(
            print(&library("libwork.so.1.2")),
            print(&library("libwork.so.1"))
        );
        assert_ne!(print(&library("libwork.so")), print(&library("libplay.so")));
    }

    #[test]
    fn unnamed_frames_are_identified_by_module_offset_and_build_id() {
        let error = |address: &str, module: &str| {
            print(&format!(
                "==9==WARNING: MemorySanitizer: use-of-uninitialized-value\n    \
                #0 {address} ({module})\n    #1 0x7f01 (/lib/libc.so.6+0x29d8f)\n\n\
                SUMMARY: MemorySanitizer: use-of-uninitialized-value ({module})\n"
            ))
        };
        let one = error("0x55d0", "/bin/calc+0x11c0");
        assert!(one.is_weak() && !one.is_lost());
        assert_eq!(one, error("0x5601", "/ci/calc+0x11c0"));
        for other in [
            "/bin/calc+0x9fff",
            "/bin/sum+0x11c0",
            "/bin/calc+0x11c0) (BuildId: 48ec",
        ] {
            assert_ne!(one, error("0x55d0", other), "{other}");
        }
        let below_main = "==9==WARNING: MemorySanitizer: use-of-uninitialized-value\n    \
            #0 0x1 (/bin/calc+0x11c0)\n    #1 0x2 in main (/bin/calc+0x2000)\n\n\
            SUMMARY: MemorySanitizer: use-of-uninitialized-value (/bin/calc+0x11c0)\n";
        assert!(print(below_main).is_weak());
    }

    #[test]
    fn race_has_the_same_fingerprint_from_either_side() {
        let race = |first: &str, second: &str| {
            print(&format!(
                "==================\nWARNING: ThreadSanitizer: data race (pid=7)\n  \
                Write of size 4 at 0x1 by thread T1:\n    #0 {first} /src/a.c:3 (a+0x1)\n\n  \
                Previous write of size 4 at 0x1 by thread T2:\n    #0 {second} /src/a.c:9 (a+0x2)\n\n\
                SUMMARY: ThreadSanitizer: data race /src/a.c:3 in {first}\n==================\n"
            ))
        };
        assert_eq!(race("put", "get"), race("get", "put"));
        assert_ne!(race("put", "get"), race("put", "clear"));
    }

    #[test]
    fn classes_of_objects_and_types_are_part_of_the_fingerprint() {
        let leak = |class: &str| {
            print(&format!(
                "Process 7: 1 leak for 48 total leaked bytes.\n\n    \
                1 (48 bytes) ROOT LEAK: <{class} 0x600000010940> [48]\n"
            ))
        };
        assert_eq!(leak("Node"), leak("Node"));
        assert_ne!(leak("Node"), leak("Session"));
        let call = |class: &str, int: &str| {
            print(&format!(
                "a.cc:3:4: runtime error: member call on address 0x1 which does not point to an \
                object of type '{class}'\n    #0 0x1 in draw(shape&, {int}) /src/a.cc:3:4\n\n"
            ))
        };
        assert_ne!(call("Circle", "int"), call("Square", "int"));
        assert_eq!(call("Circle", "int"), call("struct Circle", "long"));
        assert_eq!(
            class_in_quotes("load of type 'unsigned long const *'"),
            None
        );
    }

    #[test]
    fn record_that_lost_its_stack_is_recognized() {
        let lost = print("==9== Invalid read of size 8\n==9== ...\n==9== \n");
        assert!(lost.is_lost() && lost.is_weak());
        let message = print("free(): invalid pointer\n");
        assert!(message.is_weak() && !message.is_lost());
    }

    #[test]
    fn lambdas_have_one_name() {
        for name in ["auto f::$_0::operator()", "f::{lambda#2}::operator()"] {
            assert_eq!(without_lambda(name), "operator()");
        }
        assert_eq!(without_lambda("Less::operator()"), "Less::operator()");
    }
}
