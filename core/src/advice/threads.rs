//! Incorrect use of synchronization objects, as reported by drd.

use super::{Help, Risk, entry};

const LIFETIME: &str =
    "Initialize it before the threads that use it start, and destroy it after they are joined.";

pub(super) const TABLE: &[Help] = &[
    entry("mutex-err", "Incorrect use of a mutex", Risk::Error)
        .cwe(667)
        .meaning(
            "A mutex is unlocked by a thread that doesn't hold it, locked twice, or destroyed \
             while locked, or the object isn't a mutex.",
        )
        .fix(
            "Release each lock exactly once, in the thread that acquired it. A guard object does \
             so on every path.",
        ),
    entry(
        "rwlock-err",
        "Incorrect use of a reader-writer lock",
        Risk::Error,
    )
    .cwe(667)
    .meaning(
        "A reader-writer lock is unlocked by a thread that doesn't hold it, locked twice for \
         writing, or destroyed while locked.",
    )
    .fix("Release each lock exactly once, in the thread that acquired it."),
    entry(
        "cond-err",
        "Incorrect use of a condition variable",
        Risk::Error,
    )
    .cwe(667)
    .meaning("A condition variable is used that is not initialized, or was destroyed.")
    .fix(LIFETIME),
    entry(
        "cond-race-err",
        "Condition variable signaled without its mutex",
        Risk::Untidy,
    )
    .cwe(662)
    .meaning(
        "No thread holds the mutex of the waiting threads when the condition variable is signaled. \
         A waiting thread may miss the signal.",
    )
    .fix("Change the state, and preferably also signal, while holding the mutex.")
    .harmless(
        "This is permitted, and no wakeup is lost if the state is changed while holding the mutex.",
    ),
    entry(
        "cond-destr-err",
        "Condition variable destroyed while a thread waits",
        Risk::Error,
    )
    .cwe(667)
    .meaning("A condition variable is destroyed while a thread waits for it.")
    .fix(LIFETIME),
    entry(
        "cond-wait-err",
        "Condition variable used with two mutexes",
        Risk::Error,
    )
    .cwe(667)
    .meaning(
        "Two threads wait for a condition variable with different mutexes, or a waiting thread \
         doesn't hold its mutex.",
    )
    .fix("Use one mutex for each condition variable."),
    entry("semaphore-err", "Incorrect use of a semaphore", Risk::Error)
        .cwe(667)
        .meaning(
            "A semaphore is used before its initialization or after its destruction, initialized \
             twice, or posted beyond its limit.",
        )
        .fix(LIFETIME),
    entry("barrier-err", "Incorrect use of a barrier", Risk::Error)
        .cwe(667)
        .meaning(
            "A barrier is used before its initialization, initialized twice, or destroyed while \
             threads wait for it.",
        )
        .fix(LIFETIME),
    entry("holdtime-err", "Lock held for too long", Risk::Untidy)
        .cwe(667)
        .meaning("A lock was held longer than the limit that drd was started with.")
        .fix("Do less work while holding the lock.")
        .more("--exclusive-threshold and --shared-threshold set the limits."),
    entry(
        "generic-err",
        "Incorrect use of the thread library",
        Risk::Error,
    )
    .cwe(667)
    .meaning(
        "An object of one kind is used as another, for example a mutex as a reader-writer lock.",
    )
    .fix("Check the call against the type of the object."),
    entry("invalid-thread-id", "Invalid thread id", Risk::Error)
        .cwe(667)
        .meaning(
            "A function was called with the id of a thread that never existed or was already \
             joined.",
        )
        .fix("Join each thread once."),
    entry("unimp-*", "Unsupported client request", Risk::Untidy)
        .meaning(
            "The program or a library sends the checker a client request that this version doesn't \
             support.",
        )
        .fix("Use headers and a checker of the same version.")
        .harmless("The request has no effect on the program itself."),
    entry("unknown-error", "Unknown error", Risk::Error)
        .meaning(
            "leakgate doesn't know this headline and therefore counts it as an error. The text is \
             shown as printed by the checker.",
        )
        .fix("Check the headline and the marked frame."),
];
