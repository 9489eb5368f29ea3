//! The words by which reports are found.
//!
//! Each word is longer than five bytes, so that the portable search can skip most of a text. None
//! begins with four bytes that are common in other output, because the vectorized search compares
//! these.

/// The words of valgrind and the sanitizers, and as many others as the list has room for.
pub(super) const SANITIZER_WORDS: &[&str] = &[
    "Sanitizer",
    "Uninitialized bytes in ",
    "irect leak of ",
    "Suppressions used:",
    "<kind>",
    "<fatal_signal>",
    "<error",
    "valgrind",
    "runtime error: ",
    "ubsan: ",
    "Scudo ERROR: ",
    "GWP-ASan",
    "*** Error in",
    "*** stack smash",
    "*** buffer over",
    "ElectricFence",
    "jemalloc",
    "Leak check ",
    "Leak of ",
    "No leaks found",
    "y leak",
    "DATA RACE",
    "data race(s)",
    "BUG: K",
    "KASAN: ",
    "): Assertion '",
    "'impossible' happened",
    "UBSAN: ",
    "kmemleak: ",
    "kfence-#",
    "_ubsan_handle_",
    "k at 0x",
];

/// The words of the other checkers.
pub(super) const OTHER_WORDS: &[&str] = &[
    "free(): ",
    "lloc(): ",
    "chunk(): ",
    "idate(): ",
    "tdown(): ",
    "rruption",
    "rrupted ",
    "stbin entry (free)",
    "adjusted to free",
    "clobbered ",
    "freed twice",
    " is buggy",
    "tomping bug",
    "id pointer 0x",
    "Memory not freed:",
    " never alloc",
    "duplicate: ",
    "aked: ",
    "aked bytes",
    "Undefined Behavior: ",
    "uated program",
    "abnormal term",
    "unsupported operation: ",
    "Dr. Memory",
    "Error #",
    "ks Report Version",
    "avrf:log",
    "VERIFIER STOP",
    "y Leak",
    "HEAP CORRUPTION",
    "unreferenced object",
    "[MTE]: ",
];

/// Words of lost beginnings, and of checkers that leakgate cannot read. Together with the tags, whose
/// three bytes are too few to skip by, they would take twice as long.
pub(super) const MORE_WORDS: &[&str] = &[
    "loss record ",
    // Parts of reports whose beginning is lost.
    "buggy address",
    "thread T",
    "y main thread:",
    " #0 0x",
    "Uninit was ",
    "libFuzzer: ",
    "f size ",
    "uninitialised ",
    "nvalid free() /",
    // Tags whose pid was masked.
    "==***==",
    "<unique>0x",
    // Checkers that leakgate can't read.
    "COMPUTE-SANITIZER",
    " SUMMARY: ",
    "__global__ ",
    "nanobind: ",
    "address 0x",
    "goroutine",
    "Freeing 0x",
    "unfreed memory",
    "-- Block ",
    "\"leakgate",
];
