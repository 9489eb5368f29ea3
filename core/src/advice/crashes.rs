//! Crashes and fatal signals.

use super::{Help, Risk, SYMBOLS, entry};

const CHECK_POINTER: &str = "Check the pointer before using it. If the address looks random, look \
     for an earlier use after free or overflow.";

pub(super) const TABLE: &[Help] = &[
    entry("segv", "Segmentation fault", Risk::Security("5.9"))
        .cwe(476)
        .meaning(
            "The process accessed an address that isn't mapped, or that doesn't permit this kind \
             of access. An address near zero is a null pointer plus an offset.",
        )
        .fix(CHECK_POINTER)
        .more(SYMBOLS),
    entry("bus", "Bus error", Risk::Security("5.9"))
        .cwe(119)
        .meaning("The address is misaligned, or past the end of a mapped file.")
        .fix(
            "Check the alignment when casting bytes to larger types, and make sure that mapped \
             files aren't truncated.",
        ),
    entry("stack-overflow", "Stack overflow", Risk::Error)
        .cwe(674)
        .meaning(
            "The stack of the thread is exhausted because of endless recursion or large local \
             variables.",
        )
        .fix("Look for repeating functions in the stack, and move large arrays to the heap.")
        .harmless(
            "Sanitizers need more stack than a regular build. Deep but finite recursion may only \
             need a higher limit (`ulimit -s`).",
        ),
    entry(
        "access-violation",
        "Access violation",
        Risk::Security("5.9"),
    )
    .cwe(119)
    .meaning(
        "The process accessed an address that isn't mapped, or that doesn't permit this kind of \
         access.",
    )
    .fix(CHECK_POINTER),
    entry("fpe", "Arithmetic exception", Risk::Error)
        .cwe(369)
        .meaning("An integer was divided by zero, or the smallest integer by -1.")
        .fix("Check the divisor."),
    entry("ill", "Illegal instruction", Risk::Error)
        .meaning(
            "The process executed bytes that are not a valid instruction: a trap that the compiler \
             inserted for undefined behavior, data, or code for a newer processor.",
        )
        .fix(
            "Check the source line for undefined behavior, such as a function that ends without \
             `return`, and check the -march option.",
        ),
    entry("abrt", "Program aborted", Risk::Error)
        .cwe(617)
        .meaning(
            "`abort` was called by a failed assertion, an uncaught exception, a panic, or the C \
             library after it detected heap corruption.",
        )
        .fix("Read the lines that the program printed before. They usually state the cause."),
    entry("trap", "Program stopped at a trap", Risk::Error)
        .meaning(
            "The program executed a trap instruction, which compilers and hardened libraries \
             insert for failed checks.",
        )
        .fix("Look at the source line for the failed check."),
    entry("fatal-signal", "Process killed by a signal", Risk::Error)
        .meaning(
            "The process was killed by a signal that indicates a crash, such as an invalid access, \
             a failed assertion, an illegal instruction or an exceeded time limit.",
        )
        .fix(
            "Fix the errors that were reported earlier first. They often show what corrupted the \
             memory.",
        ),
];
