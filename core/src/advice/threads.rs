//! Synchronisation objects as drd sees them.

use super::{Help, Risk, entry};

const LIVES: &str =
    "Make it before the threads that use it begin, and destroy it after they were joined.";

pub(super) const TABLE: &[Help] = &[
    entry("mutex-err", "Wrong use of a mutex", Risk::Error)
        .cwe(667)
        .means("A mutex is unlocked by a thread that does not hold it, locked twice, destroyed while it is locked, or is none.")
        .fix("Pair each lock with one unlock in the same thread; a guard object does it on every path."),
    entry("rwlock-err", "Wrong use of a reader-writer lock", Risk::Error)
        .cwe(667)
        .means("A reader-writer lock is unlocked by a thread that does not hold it, locked twice for writing, or destroyed while it is locked.")
        .fix("Pair each lock with one unlock in the same thread."),
    entry("cond-err", "Wrong use of a condition variable", Risk::Error)
        .cwe(667)
        .means("A condition variable is used that was not made, or is gone.")
        .fix(LIVES),
    entry("cond-race-err", "Condition variable signalled without its mutex", Risk::Untidy)
        .cwe(662)
        .means("The condition variable is signalled while nobody holds the mutex that its waiters use. A waiter may miss it.")
        .fix("Change the state, and best also signal, while the mutex is held.")
        .harmless("It is allowed, and no wake-up is lost where the state is changed under the mutex."),
    entry("cond-destr-err", "Condition variable destroyed while somebody waits", Risk::Error)
        .cwe(667)
        .means("A condition variable goes away while a thread waits for it.")
        .fix(LIVES),
    entry("cond-wait-err", "Condition variable with two mutexes", Risk::Error)
        .cwe(667)
        .means("Two threads wait for one condition variable with different mutexes, or a waiter does not hold its own.")
        .fix("Use one mutex for each condition variable."),
    entry("semaphore-err", "Wrong use of a semaphore", Risk::Error)
        .cwe(667)
        .means("A semaphore is used that was not made or is gone, is made twice, or is posted beyond its bound.")
        .fix(LIVES),
    entry("barrier-err", "Wrong use of a barrier", Risk::Error)
        .cwe(667)
        .means("A barrier is used that was not made, is made twice, or is destroyed while threads wait at it.")
        .fix(LIVES),
    entry("holdtime-err", "Lock held for long", Risk::Untidy)
        .cwe(667)
        .means("A lock was held longer than the limit that drd was given.")
        .fix("Do less while the lock is held.")
        .more("--exclusive-threshold and --shared-threshold set the limits."),
    entry("generic-err", "Wrong use of the thread library", Risk::Error)
        .cwe(667)
        .means("An object of one kind is used as another, for example a mutex as a reader-writer lock.")
        .fix("Check the call against the type of the object."),
    entry("invalid-thread-id", "Thread that does not exist", Risk::Error)
        .cwe(667)
        .means("A function was given the id of a thread that never was, or was joined before.")
        .fix("Join each thread once."),
    entry("unimp-*", "Request that the checker does not know", Risk::Untidy)
        .means("The program, or a library, tells the checker something that this version does not understand.")
        .fix("Use headers and a checker of the same version.")
        .harmless("The program itself does nothing wrong."),
    entry("unknown-error", "Error that the checker names itself", Risk::Error)
        .means("leakgate does not know this headline, so that it counts as an error; its text is shown as it was printed.")
        .fix("Look at the headline and the frame that is marked."),
];
