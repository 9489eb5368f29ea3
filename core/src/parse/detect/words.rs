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
    "valgrindoutput",
    "<unique>0x",
    "<kind>",
    "<fatal_signal>",
    "<error",
    "valgrind: ",
    "'valgrind'",
    ": valgrind",
    "runtime error: ",
    "ubsan: ",
    "Scudo ERROR: ",
    "*** GWP-ASan",
    "*** Error in",
    "*** stack smash",
    "*** buffer over",
    "ElectricFence",
    "jemalloc",
    "Leak check ",
    "Leak of ",
    "No leaks found",
    "No memory leaks.",
    "DATA RACE",
    "data race(s)",
    "BUG: K",
    "UBSAN: ",
    "kmemleak: ",
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
    "Detected memory leaks!",
    "HEAP CORRUPTION",
    "unreferenced object",
];

/// Words that are searched together with the tags, whose list is short.
pub(super) const MORE_WORDS: &[&str] = &[
    "KASAN: ",
    "GWP-ASan]: ",
    "in loss record ",
    "buggy address",
    " thread T",
    " #0 0x",
    // Tags whose pid was masked.
    "==***==",
    "==PID==",
    "==pid==",
    "==XXXX",
];
