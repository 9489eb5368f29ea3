//! Data races, order of locks, and threads as ThreadSanitizer and helgrind see them.

use super::{Help, Risk, entry};

const RACE: &str = "Protect both sides by the same lock, make the variable atomic, or hand the data over so that one thread has it at a time.";
const UNSEEN: &str = "Synchronisation that the checker does not see (futex, hand-written atomics in code that is not instrumented, OpenMP's runtime) looks like none.";

pub(super) const TABLE: &[Help] = &[
    entry("race", "Data race", Risk::Error)
        .cwe(362)
        .means("Two threads use the same memory without anything that orders them, and at least one writes. helgrind lists the locks that each of them held.")
        .fix(RACE)
        .harmless(UNSEEN)
        .more("--history-level=full (the default) shows the stack of the other access; --read-var-info=yes names the variable."),
    entry("data-race*", "Data race", Risk::Error)
        .cwe(362)
        .means("Two threads use the same memory without anything that orders them, and at least one writes.")
        .fix(RACE)
        .harmless(UNSEEN)
        .more("history_size=7 keeps more of the other thread's past."),
    entry("race-*", "Data race", Risk::Error)
        .cwe(362)
        .means("Two threads use the same memory without anything that orders them, and at least one writes.")
        .fix(RACE),
    entry("conflicting-access", "Data race", Risk::Error)
        .cwe(362)
        .means("Two threads use the same memory without anything that orders them, and at least one writes. drd shows between which points of the other thread its access lies.")
        .fix(RACE)
        .harmless(UNSEEN)
        .more("--read-var-info=yes names the variable; helgrind shows the other access itself."),
    entry("lock-order", "Locks taken in different orders", Risk::Error)
        .cwe(833)
        .means("Two locks are taken in one order here and in the other order elsewhere. Two threads that do so at once wait for each other for ever.")
        .fix("Always take them in the same order, or both at once: `std::scoped_lock`.")
        .harmless("Where a third lock is held around both, no deadlock can happen.")
        .more("--track-lockorders=no turns this check off."),
    entry("lock-order-inversion", "Locks taken in different orders", Risk::Error)
        .cwe(833)
        .means("Two or more locks are taken in different orders. Threads that do so at once wait for each other for ever.")
        .fix("Always take them in the same order, or all at once: `std::scoped_lock`.")
        .more("second_deadlock_stack=1 shows where the first lock was taken."),
    entry("unlock-unlocked", "Unlock of a lock that is not locked", Risk::Error)
        .cwe(832)
        .means("The lock was not held by anybody when it was given back.")
        .fix("Pair each lock with one unlock; a guard object does it on every path."),
    entry("unlock-foreign", "Unlock of another thread's lock", Risk::Error)
        .cwe(832)
        .means("A thread gives back a lock that another thread holds. Mutexes forbid it.")
        .fix("Unlock in the thread that locked; use a semaphore or a condition variable to signal another thread."),
    entry("unlock-bogus", "Unlock of what is no lock", Risk::Error)
        .cwe(667)
        .means("The address is not that of a lock, or the lock was destroyed.")
        .fix("Check the object's life: who destroys it, and who still uses it."),
    entry("pth-api-error", "Call of the thread library that failed", Risk::Error)
        .cwe(252)
        .means("A function of POSIX threads returned an error, which programs seldom look at.")
        .fix("The headline names the function and the error; look at what was given to it."),
    entry("misc", "Wrong use of the thread library", Risk::Error)
        .cwe(667)
        .means("helgrind names it in its headline: a thread that ends with a lock held, a condition variable signalled without its mutex, a semaphore posted too often.")
        .fix("The headline says which it is: give every lock back before its thread ends, take it only once, and signal while the mutex is held.")
        .harmless("Signalling a condition variable without its mutex (`dubious`) is allowed, and loses a wake-up only where the state is changed without the mutex, too."),
    entry("dubious", "Condition variable signalled without its mutex", Risk::Untidy)
        .cwe(662)
        .means("The associated lock is not held by any thread while the condition variable is signalled.")
        .fix("Signal while the mutex is held, or at least change the state under it.")
        .harmless("It is allowed, and loses a wake-up only where the state is changed without the mutex, too."),
    entry("destroy-of-a-locked-mutex", "Mutex destroyed while it is locked", Risk::Error)
        .cwe(667)
        .means("A mutex goes away while somebody holds it.")
        .fix("Join the threads that use it before its owner ends."),
    entry("double-lock-of-a-mutex", "Mutex locked twice by one thread", Risk::Error)
        .cwe(667)
        .means("A thread takes a lock that it already holds, and waits for itself.")
        .fix("Split the function into one that locks and one that expects the lock to be held."),
    entry("unlock-of-*", "Unlock of a lock that is not held", Risk::Error)
        .cwe(832)
        .means("A thread gives back a lock that it does not hold, or that nobody holds.")
        .fix("Pair each lock with one unlock in the same thread; a guard object does it on every path."),
    entry("heap-use-after-free-by-virtual-call", "Call of a virtual function while its object is freed", Risk::Security("8.1"))
        .cwe(416)
        .means("A thread calls a virtual function of an object that another thread frees, and nothing orders the two.")
        .fix("Join the thread, or take the object away from it, before the object is deleted; share it by `std::shared_ptr` where neither can be first."),
    entry("use-of-an-invalid-mutex", "Use of a mutex that is none", Risk::Error)
        .cwe(667)
        .means("A mutex is used that was never made, or that was destroyed.")
        .fix("Make it before the threads that use it begin, and destroy it after they were joined."),
    entry("read-lock-of-a-write-locked-mutex", "Lock taken for reading that is held for writing", Risk::Error)
        .cwe(667)
        .means("A thread asks to read under a lock that it holds for writing already, and waits for itself.")
        .fix("Split the function into one that locks and one that expects the lock to be held."),
    entry("read-unlock-of-a-write-locked-mutex", "Lock given back as if it were held for reading", Risk::Error)
        .cwe(667)
        .means("A lock that is held for writing is given back by the function for readers.")
        .fix("Give it back by the partner of the function that took it; a guard object does it by itself."),
    entry("mutex-held-in-the-wrong-context", "Lock held where none may be", Risk::Error)
        .cwe(667)
        .means("The program told ThreadSanitizer that no lock may be held at this place, and one is.")
        .fix("Give the lock back before: what runs here may wait for a thread that needs it."),
    entry("signal-handler-spoils-errno", "Signal handler that changes errno", Risk::Error)
        .cwe(479)
        .means("The code that was interrupted may look at `errno` next, and finds the handler's.")
        .fix("Keep `errno` at the beginning of the handler and set it back at its end."),
    entry("signal-unsafe-call-*", "Call that a signal handler must not make", Risk::Error)
        .cwe(479)
        .means("A signal handler calls a function, such as `malloc` or `printf`, that may be running already.")
        .fix("Only set a flag, or write to a pipe, and do the work outside of the handler."),
    entry("deadlock", "Threads that wait for each other", Risk::Error)
        .cwe(833)
        .means("Every thread waits for something that only another waiting thread could do.")
        .fix("Take locks in one order everywhere, and join or signal threads before waiting for what they hold."),
];
