//! Fingerprints: the identity of a finding, stable across builds, machines and checker versions.
//!
//! A fingerprint is `lg1-` followed by the first 32 hex digits of the SHA-256 of these lines:
//!
//! 1. The class: `leak`, or the kind of the error.
//! 2. The simple names of the primary stack's functions from top to bottom, at most eight, without
//!    allocators and runtimes. A frame without a function contributes the base name of its module.
//! 3. If no frame has a function or a module: the base name of the file, and the headline of the
//!    error without its numbers. UndefinedBehaviorSanitizer reports a location without a function,
//!    and glibc reports no location.
//!
//! A fingerprint depends on the finding alone. Addresses, line numbers, sizes, pids and the kind of
//! a leak change from run to run and are not part of it.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use sha2::{Digest, Sha256};

use crate::culprit::{Class, FrameCache};
use crate::model::{Finding, Frame};

/// Number of functions that count.
pub(crate) const DEPTH: usize = 8;

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
/// assert!(fingerprint(3).starts_with("lg1-"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint {
    text: String,
    weak: bool,
}

impl Fingerprint {
    /// Returns the text: `lg1-` and 32 hex digits.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns true if the stack names only allocator and runtime functions. Many different findings
    /// may share a weak fingerprint.
    pub fn is_weak(&self) -> bool {
        self.weak
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Computes the fingerprint of a finding.
pub(crate) fn fingerprint(finding: &Finding, names: &mut FrameCache) -> Fingerprint {
    let class = if finding.kind.is_leak() {
        "leak"
    } else {
        finding.kind.as_str()
    };
    let (lines, weak) = hashed_lines(finding, names);
    let mut hash = Sha256::new();
    hash.update(class);
    for line in &lines {
        hash.update("\n");
        hash.update(line);
    }
    let mut text = String::from("lg1-");
    for byte in &hash.finalize()[..16] {
        text += &format!("{byte:02x}");
    }
    Fingerprint { text, weak }
}

/// Returns the lines that the fingerprint is made of, and whether the fingerprint is weak.
pub(crate) fn hashed_lines(finding: &Finding, names: &mut FrameCache) -> (Vec<String>, bool) {
    let frames = finding
        .primary()
        .map(|s| s.frames.as_slice())
        .unwrap_or_default();
    let mut lines: Vec<String> = Vec::with_capacity(DEPTH);
    let mut named = false;
    for frame in frames {
        let known = names.get(&frame.info);
        if lines.len() == DEPTH || matches!(known.class, Class::Allocator | Class::Runtime) {
            continue;
        }
        let line = if known.name.is_empty() {
            String::from(module(frame))
        } else {
            known.name.clone()
        };
        named |= !known.name.is_empty();
        if !line.is_empty() {
            lines.push(line);
        }
    }
    if frames
        .iter()
        .all(|f| names.get(&f.info).name.is_empty() && module(f).is_empty())
    {
        return (lines_without_names(finding, frames), true);
    }
    if lines.is_empty() {
        lines = frames
            .iter()
            .take(DEPTH)
            .map(|f| format!("{} in {}", names.get(&f.info).name, module(f)))
            .collect();
    }
    // In a binary without symbols, all leaks look the same.
    (lines, !named)
}

fn module(frame: &Frame) -> &str {
    base_name(frame.info.module.as_deref())
}

fn base_name(path: Option<&str>) -> &str {
    path.and_then(|path| path.rsplit(['/', '\\']).next())
        .unwrap_or_default()
}

/// Returns the lines for a stack without functions and modules.
fn lines_without_names(finding: &Finding, frames: &[Frame]) -> Vec<String> {
    let files = frames
        .iter()
        .take(DEPTH)
        .map(|f| String::from(base_name(f.info.file.as_deref())));
    let mut lines: Vec<String> = files.filter(|file| !file.is_empty()).collect();
    if !finding.kind.is_leak() {
        lines.push(without_numbers(&finding.title));
    }
    lines
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
        assert_eq!(a[0].as_str(), "lg1-73df1754221917cfdbe42d4b9f3e6e1e");
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
}
