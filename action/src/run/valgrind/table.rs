//! The options of valgrind that can lose a report, as a table.
//!
//! Sources: `valgrind --help-debug` of version 3.19 for each tool, and the release notes of 3.21
//! for `--show-realloc-size-zero`; the manuals of the core and the tools, on each option.

use super::super::checker::Checker;

/// An option without which a report, or a part of it, could be lost.
#[derive(Clone, Copy, Debug)]
pub(super) struct RequiredOption {
    pub(super) name: &'static str,
    pub(super) value: Value,
    /// What another value does, for messages: `--leak-check=no, which …`.
    pub(super) effect: &'static str,
}

/// The values of an option that lose no report.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value {
    /// Only this value.
    Only(&'static str),
    /// Any of these values. The first one is the default.
    AnyOf(&'static [&'static str]),
    /// This number, which is valgrind's default, or a larger one.
    AtLeast(u64),
    /// The first number, or a larger one. The second number is the default.
    AtLeastOr(u64, u64),
    /// Like [`Only`](Self::Only), for an option that older versions of valgrind don't know.
    /// leakgate passes it only if the user did.
    OnlyIfUsed(&'static str),
    /// A list that doesn't contain this item. The second value is the empty list. leakgate passes
    /// the option only if the user did.
    Without(&'static str, &'static str),
    /// No value, because a later option doesn't override an earlier one.
    Unused,
}

const fn required(name: &'static str, value: Value, effect: &'static str) -> RequiredOption {
    RequiredOption {
        name,
        value,
        effect,
    }
}

/// Options of all tools.
const CORE: &[RequiredOption] = &[
    required("--xml", Value::Only("yes"), "writes a less exact report"),
    required(
        "--trace-children",
        Value::Only("yes"),
        "excludes child processes from checking",
    ),
    required(
        "--trace-children-skip",
        Value::Only(""),
        "excludes programs from checking",
    ),
    required(
        "--trace-children-skip-by-arg",
        Value::Only(""),
        "excludes programs from checking",
    ),
    // A child that forks without exec writes its own report.
    required(
        "--child-silent-after-fork",
        Value::Only("no"),
        "hides errors in forked processes",
    ),
    // With `--log-file` or `--log-socket` and `--xml-file`, valgrind 3.19 gives a forked child a
    // new log, but leaves its XML in the file of its parent. The last log option counts.
    required("--log-fd", Value::Only("2"), "moves messages"),
    // Names as the linker knows them, because entries of suppression files use these.
    required("--demangle", Value::Only("no"), "changes function names"),
    required("--show-below-main", Value::Only("yes"), "cuts stacks"),
    // Records with the same stack are merged. valgrind's default of twelve frames does not reach
    // the program through Rust's standard library.
    required(
        "--num-callers",
        Value::AtLeastOr(12, 40),
        "merges different errors",
    ),
    // Frames of unloaded libraries keep their names.
    required(
        "--keep-debuginfo",
        Value::Only("yes"),
        "loses names of functions in unloaded libraries",
    ),
    // The exit status must be the program's, to see whether the program failed.
    required(
        "--error-exitcode",
        Value::Only("0"),
        "changes the exit status of the program",
    ),
    required(
        "--exit-on-first-error",
        Value::Only("no"),
        "hides all errors but the first",
    ),
    required(
        "--error-limit",
        Value::Only("no"),
        "hides errors after the first 1000",
    ),
    // Without it, valgrind omits the number of errors that suppressions hid.
    required(
        "--show-error-list",
        Value::Only("yes"),
        "hides the number of suppressed errors",
    ),
    required("--gen-suppressions", Value::Only("no"), "asks questions"),
    // The gdb server creates files in the temporary directory. If it cannot, the program ends.
    required("--vgdb", Value::Only("no"), "can end the program"),
    // Larger changes of the stack pointer count as a switch of the stack, and are not checked.
    required(
        "--max-stackframe",
        Value::AtLeast(2_000_000),
        "hides errors on the stack",
    ),
    required(
        "--sim-hints",
        Value::Without("lax-ioctls", "none"),
        "hides errors in arguments of ioctl",
    ),
    required(
        "--soname-synonyms",
        Value::Without("somalloc=nouserintercepts", ""),
        "hides errors in blocks of the program's own allocator",
    ),
];

/// Options of memcheck.
const MEMCHECK: &[RequiredOption] = &[
    required(
        "--leak-check",
        Value::AnyOf(&["full", "yes"]),
        "hides leaks",
    ),
    required("--show-leak-kinds", Value::Only("all"), "hides leaks"),
    // Leaks then go to a file for KCachegrind, not to the report.
    required("--xtree-leak", Value::Only("no"), "hides leaks"),
    // One record then stands for leaks with different stacks, and a rule for one accepts all.
    required(
        "--leak-resolution",
        Value::Only("high"),
        "merges different leaks",
    ),
    required(
        "--keep-stacktraces",
        Value::AnyOf(&["alloc-and-free", "alloc-then-free", "alloc"]),
        "merges different leaks",
    ),
    required(
        "--undef-value-errors",
        Value::Only("yes"),
        "hides uses of uninitialized values",
    ),
    required(
        "--show-mismatched-frees",
        Value::Only("yes"),
        "hides mismatched frees",
    ),
    required(
        "--show-realloc-size-zero",
        Value::OnlyIfUsed("yes"),
        "hides calls of realloc with size 0",
    ),
    // Accesses to a freed block are found only until the block is reused.
    required(
        "--freelist-vol",
        Value::AtLeast(20_000_000),
        "hides accesses to freed blocks",
    ),
    required(
        "--freelist-big-blocks",
        Value::Only("1000000"),
        "hides accesses to freed blocks",
    ),
    required(
        "--redzone-size",
        Value::AtLeast(16),
        "hides accesses near a block",
    ),
    required(
        "--workaround-gcc296-bugs",
        Value::Only("no"),
        "hides errors on the stack",
    ),
    required(
        "--ignore-range-below-sp",
        Value::Unused,
        "hides errors on the stack",
    ),
    required("--ignore-ranges", Value::Unused, "hides errors in a range"),
];

/// Options of helgrind.
const HELGRIND: &[RequiredOption] = &[
    required(
        "--track-lockorders",
        Value::Only("yes"),
        "hides wrong lock orders",
    ),
    required(
        "--check-stack-refs",
        Value::Only("yes"),
        "hides races on stacks",
    ),
    required(
        "--ignore-thread-creation",
        Value::Only("no"),
        "hides races while a thread starts",
    ),
    required(
        "--history-level",
        Value::AnyOf(&["full", "approx"]),
        "hides the other access of a race",
    ),
    required(
        "--conflict-cache-size",
        Value::AtLeast(2_000_000),
        "hides the other access of a race",
    ),
];

/// Options of drd.
const DRD: &[RequiredOption] = &[
    required(
        "--first-race-only",
        Value::Only("no"),
        "hides all races on a variable but the first",
    ),
    required(
        "--report-signal-unlocked",
        Value::Only("yes"),
        "hides signals without a locked mutex",
    ),
    required(
        "--ignore-thread-creation",
        Value::Only("no"),
        "hides races while a thread starts",
    ),
    required(
        "--join-list-vol",
        Value::AtLeast(10),
        "hides races with threads that have ended",
    ),
    required(
        "--show-confl-seg",
        Value::Only("yes"),
        "hides the other access of a race",
    ),
];

/// Older names of options.
pub(super) const ALIASES: &[(&str, &str)] = &[
    ("--show-reachable", "--show-leak-kinds"),
    ("--show-possibly-lost", "--show-leak-kinds"),
];

/// Returns the options without which a tool could lose reports.
pub(super) fn required_options(checker: Checker) -> impl Iterator<Item = &'static RequiredOption> {
    let of_tool = match checker {
        Checker::Helgrind => HELGRIND,
        Checker::Drd => DRD,
        _ => MEMCHECK,
    };
    CORE.iter().chain(of_tool)
}
