//! The identity of a finding, stable across builds, machines and versions of the checker.
//!
//! `lg1-` and the first 32 hex digits of the SHA-256 of lines: the class (`leak`, or the kind of
//! the error), then the simple names of the primary stack's functions from top to bottom, at most
//! eight, without allocators and runtimes; where a frame has no name, the base name of its module;
//! where nothing in the stack has either, the base name of the file and the headline of the error
//! without its numbers (UndefinedBehaviorSanitizer names a place and no function, glibc no place at
//! all). It depends on nothing but the finding. Addresses, lines, sizes, pids and the kind of a
//! leak are not in it: they change from run to run.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use sha2::{Digest, Sha256};

use crate::culprit::{Class, Names};
use crate::model::{Finding, Frame};

/// How many functions count.
pub(crate) const DEPTH: usize = 8;

/// The identity of a finding.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint {
    text: String,
    weak: bool,
}

impl Fingerprint {
    /// `lg1-…`
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// True when no function but allocators and runtimes has a name in the stack: many different
    /// findings may look like this one.
    pub fn is_weak(&self) -> bool {
        self.weak
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The fingerprint of a finding.
pub(crate) fn of(finding: &Finding, names: &mut Names) -> Fingerprint {
    let class = if finding.kind.is_leak() {
        "leak"
    } else {
        finding.kind.as_str()
    };
    let (lines, weak) = lines(finding, names);
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

/// What the fingerprint is made of; and whether nothing but allocators and runtimes was there to
/// make it of.
pub(crate) fn lines(finding: &Finding, names: &mut Names) -> (Vec<String>, bool) {
    let frames = finding
        .primary()
        .map(|s| s.frames.as_slice())
        .unwrap_or_default();
    let mut lines: Vec<String> = Vec::with_capacity(DEPTH);
    let mut named = false;
    for frame in frames {
        let known = names.get(&frame.site);
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
        .all(|f| names.get(&f.site).name.is_empty() && module(f).is_empty())
    {
        return (bare(finding, frames), true);
    }
    if lines.is_empty() {
        lines = frames
            .iter()
            .take(DEPTH)
            .map(|f| format!("{} in {}", names.get(&f.site).name, module(f)))
            .collect();
    }
    // Of a binary without names every leak looks like every other.
    (lines, !named)
}

fn module(frame: &Frame) -> &str {
    base_name(frame.site.module.as_deref())
}

fn base_name(path: Option<&str>) -> &str {
    path.and_then(|path| path.rsplit(['/', '\\']).next())
        .unwrap_or_default()
}

/// What is left where no frame has a function or a module.
fn bare(finding: &Finding, frames: &[Frame]) -> Vec<String> {
    let files = frames
        .iter()
        .take(DEPTH)
        .map(|f| String::from(base_name(f.site.file.as_deref())));
    let mut lines: Vec<String> = files.filter(|file| !file.is_empty()).collect();
    if !finding.kind.is_leak() {
        lines.push(without_numbers(&finding.title));
    }
    lines
}

/// A headline without what changes from run to run: values, sizes, addresses.
fn without_numbers(title: &str) -> String {
    let mut out = String::with_capacity(title.len());
    let (mut in_word, mut in_number) = (false, false);
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
    use crate::{Options, Parser};

    fn prints(log: &str) -> Vec<Fingerprint> {
        let mut parser = Parser::new(Options::default());
        parser.begin("log");
        parser.feed(log.as_bytes());
        let mut names = Names::default();
        parser
            .finish()
            .findings
            .iter()
            .map(|f| of(f, &mut names))
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
    fn one_leak_has_one_fingerprint_whoever_found_it() {
        let (a, b) = (prints(MEMCHECK), prints(LSAN));
        assert_eq!(a.len(), 1);
        assert_eq!(a, b);
        assert!(!a[0].is_weak());
        // The value is a contract: it stands in baselines and pull requests.
        assert_eq!(a[0].as_str(), "lg1-73df1754221917cfdbe42d4b9f3e6e1e");
    }

    #[test]
    fn another_function_or_error_is_another_finding() {
        let other = LSAN.replace("ns::make", "ns::take");
        assert_ne!(prints(LSAN), prints(&other));
        let error = "==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x1 at pc 0x2 bp 0x3 sp 0x4\n    #0 0x5 in ns::make<int>(int) /src/a.cc:3\n    #1 0x6 in main /src/a.cc:9\n\n";
        assert_ne!(prints(LSAN), prints(error));
    }

    #[test]
    fn a_place_without_a_function_is_told_by_its_file_and_words() {
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
    fn a_stack_of_nothing_but_runtime_is_weak() {
        let bare = LSAN
            .replace(
                "ns::make<int>(int) /src/a.cc:30:57",
                "std::rt::lang_start (/bin/a+0x1)",
            )
            .replace("main /src/a.cc:90:17", "_start (/bin/a+0x2)");
        assert!(prints(&bare)[0].is_weak());
    }
}
