//! Reports of checkers that leakgate can't read. Such a report is a problem: its findings would
//! otherwise be invisible, and a log that has nothing else would count as silent.
//!
//! The checkers are data: a row has words that its report contains, and a function that recognizes
//! the complete message. The words alone also occur in prose, source code and test names.

use alloc::format;

use super::collect::{Collector, shared_text};
use crate::bytes::{after, before, contains, hex, number};
use crate::line::Line;
use crate::problem::Code;

/// A checker, or a part of leakgate's own output, that can't be read as a report.
struct Reporter {
    /// What the message is, for people.
    name: &'static str,
    /// A text that the message contains. At least one marker of `detect/words.rs` is in each line
    /// with the message.
    word: &'static [u8],
    /// Returns true if a line with the word is a complete message of the checker.
    is_message: fn(&[u8]) -> bool,
}

/// All known messages. The first row that fits a line names it.
///
/// Sources: NVIDIA's compute-sanitizer manual; nanobind `src/nb_internals.cpp`; Zig
/// `lib/std/heap/debug_allocator.zig`; goleak `leaks.go`; leaktest `leaktest.go`; PHP
/// `Zend/zend_alloc.c`; Free Pascal `rtl/inc/heaptrc.pp`; Visual Leak Detector `src/vld.cpp`; Intel
/// Inspector's `inspxe-cl -report`; Apple libmalloc `src/magazine_malloc.c`; OpenBSD
/// `lib/libc/stdlib/malloc.c`; mimalloc `src/options.c`.
const REPORTERS: &[Reporter] = &[
    Reporter {
        name: "NVIDIA compute-sanitizer",
        word: b"========= ",
        is_message: is_compute_sanitizer,
    },
    Reporter {
        name: "nanobind",
        word: b"nanobind: leaked ",
        is_message: |text| counted(text, b"nanobind: leaked ").is_some_and(|n| n > 0),
    },
    Reporter {
        name: "Zig's debug allocator",
        word: b"memory address 0x",
        is_message: |text| {
            hex_after(text, b"memory address 0x").is_some_and(|rest| rest.starts_with(b" leaked:"))
        },
    },
    Reporter {
        name: "goleak",
        word: b"found unexpected goroutines:",
        is_message: |text| {
            let rest = after(text, b"found unexpected goroutines:").unwrap_or_default();
            let rest = rest.trim_ascii();
            rest.is_empty() || rest.starts_with(b"[")
        },
    },
    Reporter {
        name: "leaktest",
        word: b"leaktest: leaked goroutine",
        is_message: |text| contains(text, b"leaked goroutine: goroutine "),
    },
    Reporter {
        name: "PHP's memory manager",
        word: b"Freeing 0x",
        is_message: |text| {
            hex_after(text, b"Freeing 0x").is_some_and(|rest| {
                counted(rest, b" (").is_some() && contains(rest, b" bytes), script=")
            })
        },
    },
    Reporter {
        name: "PHP's memory manager",
        word: b" memory leaks detected ===",
        is_message: |text| counted(text, b"=== Total ").is_some_and(|n| n > 0),
    },
    Reporter {
        name: "Free Pascal's heaptrc",
        word: b" unfreed memory blocks : ",
        is_message: |text| counted(text, b" unfreed memory blocks : ").is_some_and(|n| n > 0),
    },
    Reporter {
        name: "Visual Leak Detector",
        word: b"-- Block ",
        is_message: |text| {
            let block = after(text, b"-- Block ").and_then(number);
            block.is_some_and(|(_, rest)| rest.starts_with(b" at 0x"))
                && (contains(text, b" bytes --") || contains(text, b" bytes (refs"))
        },
    },
    Reporter {
        name: "Visual Leak Detector",
        word: b"Visual Leak Detector detected ",
        is_message: |text| {
            contains(text, b"Visual Leak Detector detected memory leaks!")
                || counted(text, b"Visual Leak Detector detected ").is_some_and(|n| n > 0)
        },
    },
    Reporter {
        name: "Intel Inspector",
        word: b" problem(s) ",
        is_message: |text| {
            let counts = |word| count_before(text, word).is_some_and(|n| n > 0);
            counts(b" new problem(s) found") || is_inspector_row(text)
        },
    },
    Reporter {
        name: "Intel Inspector",
        word: b": Error: ",
        is_message: |text| {
            let id = before(text.trim_ascii_start(), b": Error: ").unwrap_or_default();
            let number = id.strip_prefix(b"P").unwrap_or_default();
            !number.is_empty() && number.iter().all(u8::is_ascii_digit) && ends_with_state(text)
        },
    },
    Reporter {
        name: "the allocator of macOS",
        word: b" malloc: *** error for object 0x",
        is_message: |text| {
            hex_after(text, b" malloc: *** error for object 0x")
                .is_some_and(|rest| rest.starts_with(b": "))
        },
    },
    Reporter {
        name: "the allocator of OpenBSD",
        word: b") in free(): ",
        is_message: |text| {
            let process = before(text, b") in free(): ").unwrap_or_default();
            let digits = process
                .iter()
                .rev()
                .take_while(|b| b.is_ascii_digit())
                .count();
            digits > 0 && process[..process.len() - digits].ends_with(b"(")
        },
    },
    Reporter {
        name: "mimalloc",
        word: b"mimalloc: error: ",
        is_message: is_mimalloc,
    },
    Reporter {
        name: "BoundsChecker",
        word: b"emory Leak Exiting Program: ",
        is_message: |text| contains(text, b" Program: Address 0x"),
    },
    Reporter {
        name: "a leak detector",
        word: b"emory leak",
        is_message: is_leak_warning,
    },
    Reporter {
        name: "leakgate's own JSON",
        word: b"\"leakgate",
        is_message: is_leakgate_json,
    },
];

/// Returns true for an error of mimalloc. Elsewhere than at the beginning of the line, only the
/// messages about the heap count.
fn is_mimalloc(text: &[u8]) -> bool {
    const MESSAGES: [&[u8]; 4] = [
        b"double free",
        b"corrupted",
        b"overflow",
        b"invalid pointer",
    ];
    let start = before(text, b"mimalloc: error: ").unwrap_or(text);
    let message = &text[start.len()..];
    let is_word = start.last().is_some_and(u8::is_ascii_alphanumeric);
    start.is_empty() || !is_word && MESSAGES.iter().any(|words| contains(message, words))
}

/// Reads a line that no other part of the parser knows. It contains a marker. Adds a problem if it
/// is a message of an unsupported checker.
pub(crate) fn read(text: &[u8], line: &Line<'_>, out: &mut Collector) {
    let text = text.trim_ascii();
    if contains(text, b"LeakSanitizer may hang") {
        let message = format!("LeakSanitizer failed: `{}`", shared_text(text));
        return out.add_problem(Code::CheckerFailed, line.number, None, message);
    }
    if is_end_of_lost_report(text) {
        let message = format!(
            "part of a report without its beginning: `{}`",
            shared_text(text)
        );
        return out.add_problem(Code::Truncated, line.number, None, message);
    }
    let is_from =
        |reporter: &&Reporter| contains(text, reporter.word) && (reporter.is_message)(text);
    let Some(reporter) = REPORTERS.iter().find(is_from) else {
        return;
    };
    const SHOWN: usize = 200;
    let shown = shared_text(&text[..text.len().min(SHOWN)]);
    let message = format!(
        "report of an unsupported checker ({}): `{shown}`",
        reporter.name
    );
    out.add_problem(Code::UnsupportedChecker, line.number, None, message);
}

/// Returns true for a part of a report of Dr. Memory or macOS `leaks` that states errors: a count
/// of the summary, or a leak with its stack. The reader of a whole report reads these lines itself.
fn is_end_of_lost_report(text: &[u8]) -> bool {
    let counts_errors = || {
        count_before(text, b" unique,").is_some_and(|n| n > 0)
            && contains(text, b" total")
            && [&b" access(es)"[..], b" leak(s)"]
                .iter()
                .any(|end| text.ends_with(end))
    };
    let is_stack = text.starts_with(b"STACK OF ") && contains(text, b"OF 'ROOT LEAK: ");
    let counts_leaks = || {
        let total = text.strip_suffix(b".").unwrap_or(text);
        total.ends_with(b" total leaked bytes")
            && count_before(total, b" total leaked bytes").is_some_and(|n| n > 0)
    };
    is_stack || counts_errors() || counts_leaks()
}

/// Returns the number that follows a text.
fn counted(text: &[u8], word: &[u8]) -> Option<u64> {
    Some(number(after(text, word)?)?.0)
}

/// Returns the number that precedes a text.
fn count_before(text: &[u8], word: &[u8]) -> Option<u64> {
    let head = before(text, word)?;
    let digits = head.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    Some(number(&head[head.len() - digits..])?.0)
}

/// Returns what follows a text and a hexadecimal number.
fn hex_after<'a>(text: &'a [u8], word: &[u8]) -> Option<&'a [u8]> {
    Some(hex(after(text, word)?)?.1)
}

/// Returns true for a line of NVIDIA's compute-sanitizer or cuda-memcheck, which begin each line
/// with nine `=`. Stacks and details follow these lines.
fn is_compute_sanitizer(text: &[u8]) -> bool {
    let rest = after(text, b"========= ").unwrap_or_default();
    let is_access = |kind: &[u8]| {
        let space = rest.strip_prefix(kind);
        space.is_some_and(|rest| rest.starts_with(b"__") && contains(rest, b"__ "))
    };
    let has_errors = |word: &[u8]| rest.starts_with(word) && counted(rest, word).is_some();
    rest == b"COMPUTE-SANITIZER"
        || rest == b"CUDA-MEMCHECK"
        || is_access(b"Invalid ")
        || is_access(b"Uninitialized ")
        || has_errors(b"ERROR SUMMARY: ")
        || has_errors(b"LEAK SUMMARY: ")
        || has_errors(b"RACECHECK SUMMARY: ")
}

/// Returns true for a row of Intel Inspector's summary: `1 Memory leak problem(s) detected`.
fn is_inspector_row(text: &[u8]) -> bool {
    let counted = text.strip_suffix(b" problem(s) detected").and_then(number);
    counted.is_some_and(|(n, rest)| n > 0 && rest.starts_with(b" "))
}

/// Returns true if the line ends with a state of Intel Inspector's problems.
fn ends_with_state(text: &[u8]) -> bool {
    [
        &b": New"[..],
        b": Not fixed",
        b": Confirmed",
        b": Regression",
    ]
    .iter()
    .any(|state| text.ends_with(state))
}

/// Returns true for a leak detector's message: `WARNING: Memory leak detected`, `Memory leak: 4
/// bytes`. It is at the start of the line or after a level, and not between quotes.
fn is_leak_warning(text: &[u8]) -> bool {
    let Some(head) = before(text, b"emory leak") else {
        return false;
    };
    let Some((b'M' | b'm', head)) = head.split_last() else {
        return false;
    };
    let level = head.trim_ascii_end();
    let follows_level = level.is_empty()
        || [
            &b"WARNING:"[..],
            b"WARN:",
            b"ERROR:",
            b"Warning:",
            b"Error:",
            b"warning:",
            b"error:",
        ]
        .iter()
        .any(|end| level.ends_with(end))
        || matches!(level, [b'*' | b'=' | b'!' | b'-' | b'#', ..] if !level.iter().any(u8::is_ascii_alphanumeric));
    let rest = after(text, b"emory leak").unwrap_or_default();
    let rest = rest.strip_prefix(b"s").unwrap_or(rest);
    let is_size = |rest: &[u8]| {
        let rest = rest.strip_prefix(b": ").and_then(number);
        rest.is_some_and(|(size, rest)| size > 0 && rest.starts_with(b" byte"))
    };
    let is_detected = |rest: &[u8]| {
        rest.strip_prefix(b" detected").is_some_and(|rest| {
            let is_none = rest
                .strip_prefix(b":")
                .and_then(number)
                .is_some_and(|(n, _)| n == 0)
                || rest
                    .strip_prefix(b": ")
                    .and_then(number)
                    .is_some_and(|(n, _)| n == 0);
            (matches!(rest, [] | [b'!' | b':' | b'.', ..]) && !is_none)
                || rest.starts_with(b" at 0x")
        })
    };
    follows_level && (is_size(rest) || is_detected(rest))
}

/// Returns true for the start of a JSON report, a comparison or a baseline of leakgate itself.
fn is_leakgate_json(text: &[u8]) -> bool {
    let key = after(text, b"\"schema\"").unwrap_or_default();
    let value = key.trim_ascii_start().strip_prefix(b":");
    value.is_some_and(|value| {
        let value = value.trim_ascii_start();
        value.starts_with(b"\"leakgate/") || value.starts_with(b"\"leakgate-")
    })
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::vec::Vec;

    use crate::Options;
    use crate::parse::Parser;

    fn problems(log: &str) -> Vec<alloc::string::String> {
        let mut parser = Parser::new(Options::default());
        parser.begin("log");
        parser.feed(log.as_bytes());
        let problems = parser.finish().problems;
        problems
            .into_iter()
            .map(|p| format!("{}: {}", p.code, p.message))
            .collect()
    }

    #[test]
    fn end_of_report_without_beginning_is_a_problem() {
        for (line, want) in [
            ("      2 unique,    13 total unaddressable access(es)", 1),
            (
                "~~Dr.M~~       1 unique,     1 total,     59 byte(s) of leak(s)",
                1,
            ),
            ("STACK OF 2 INSTANCES OF 'ROOT LEAK: <malloc in note>':", 1),
            ("or 224 total leaked bytes.", 1),
            ("0 leaks for 0 total leaked bytes.", 0),
            ("      0 unique,     0 total unaddressable access(es)", 0),
            ("2 leak(s) fixed, 3 unique, in total", 0),
        ] {
            let found = problems(&format!("{line}\n"));
            let cut = found
                .iter()
                .filter(|problem| problem.starts_with("truncated"));
            assert_eq!(cut.count(), want, "{line}: {found:?}");
        }
    }

    #[test]
    fn reports_of_unsupported_checkers_are_problems() {
        for line in [
            "========= COMPUTE-SANITIZER",
            "========= Invalid __global__ write of size 4 bytes",
            "========= ERROR SUMMARY: 2 errors",
            "nanobind: leaked 3 instances!",
            "error(gpa): memory address 0x7f5c4b3d0000 leaked:",
            "[gpa] (err): memory address 0x10a3c8000 leaked: ",
            "    leak_test.go:12: found unexpected goroutines:",
            "    pool_test.go:30: leaktest: leaked goroutine: goroutine 22 [chan receive]:",
            "/build/php/Zend/zend_alloc.c(2472) :  Freeing 0x00007f0d1e25c0a0 (32 bytes), script=/app/t.php",
            "=== Total 2 memory leaks detected ===",
            "3 unfreed memory blocks : 96",
            "---------- Block 5 at 0x000000000290F2B0: 40 bytes ----------",
            "WARNING: Visual Leak Detector detected memory leaks!",
            "Visual Leak Detector detected 2 memory leaks (104 bytes).",
            "P1: Error: Memory leak: New",
            "Memory Leak Exiting Program: Address 0x00A40B38 (76) allocated by malloc.",
            "a.out(4242,0x1f5f4c240) malloc: *** error for object 0x600002a1c000: pointer being freed was not allocated",
            "a.out(12345) in free(): bogus pointer (double free?) 0x12345",
            "mimalloc: error: thread 0x7f01: double free detected of block 0x1234 with size 16",
            "E   [stderr] mimalloc: error: corrupted thread-free list",
            "WARNING: Memory leak detected",
            "[12:00:01] ERROR: Memory leak: 48 bytes in pool",
            "{\"schema\":\"leakgate/v1\",\"version\":\"0.1.0\"}",
            "  \"schema\": \"leakgate-baseline/v1\",",
            "==7==ERROR: RealtimeSanitizer: unsafe-library-call",
            "==7==ERROR: TypeSanitizer: type-aliasing-violation on address 0x7ffe (pc 0x1 bp 0x2 sp 0x3 tid 7)",
            "WARNING: ptrace appears to be blocked (is seccomp enabled?). LeakSanitizer may hang.",
            "==7==WARNING: ptrace appears to be blocked (is seccomp enabled?). LeakSanitizer may hang.",
            "==7==Child exited with signal 15.",
        ] {
            let found = problems(&format!("building\n{line}\nok\n"));
            assert!(
                found.iter().any(|problem| {
                    [
                        "unsupported-checker: ",
                        "unknown-report: ",
                        "checker-failed: ",
                    ]
                    .iter()
                    .any(|code| problem.starts_with(code))
                }),
                "{line}: {found:?}"
            );
        }
    }

    #[test]
    fn words_of_unsupported_checkers_in_prose_are_ignored() {
        for line in [
            "========= test session starts =========",
            "printf(\"nanobind: leaked %zu instances!\\n\", n);",
            "HEAD is now at 3f2a9b1 Fix memory leak detected by the nightly job",
            "fix: memory leak in parser",
            "test memory_leak_detected ... ok",
            "    if (n) puts(\"WARNING: Memory leak detected\");",
            "0 unfreed memory blocks : 0",
            "Visual Leak Detector detected 0 memory leaks (0 bytes).",
            "0 new problem(s) found",
            "-- Block size: 4096",
            "the found unexpected goroutines: message comes from goleak",
            "Freeing 0x1234",
            "memory address 0x1234 mapped",
            "import \"leakgate\"",
            "BUILD SUMMARY: 3 errors",
        ] {
            assert_eq!(problems(&format!("{line}\n")), [""; 0], "{line}");
        }
    }
}
