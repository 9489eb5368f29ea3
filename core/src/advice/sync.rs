//! Data races, lock order and thread errors, as reported by ThreadSanitizer and helgrind.

use super::{Help, Risk, entry};

const RACE: &str =
    "Two threads access the same memory without synchronization, and at least one of them writes.";
const SYNCHRONIZE: &str = "Protect both accesses with the same lock, make the variable atomic, or \
     transfer the data so that only one thread uses it at a time.";
const UNRECOGNIZED: &str = "False positives occur if the checker doesn't recognize the \
     synchronization: futexes, hand-written atomics in code that isn't instrumented, or the OpenMP \
     runtime.";
const RELEASE_ONCE: &str = "Release each lock exactly once. A guard object does so on every path.";
const SIGNAL_PERMITTED: &str =
    "This is permitted. A wakeup is lost only if the state is also changed without the mutex.";
const SPLIT: &str =
    "Split the function into one that locks and one that expects the lock to be held.";

pub(super) const TABLE: &[Help] = &[
    entry("race", "Data race", Risk::Error)
        .cwe(362)
        .meaning(
            "Two threads access the same memory without synchronization, and at least one of them \
             writes. helgrind lists the locks that each thread held.",
        )
        .fix(SYNCHRONIZE)
        .harmless(UNRECOGNIZED)
        .more(
            "--history-level=full (the default) shows the stack of the other access. \
             --read-var-info=yes shows the name of the variable.",
        ),
    entry("data-race*", "Data race", Risk::Error)
        .cwe(362)
        .meaning(RACE)
        .fix(SYNCHRONIZE)
        .harmless(UNRECOGNIZED)
        .more("history_size=7 keeps more of the other thread's history."),
    entry("race-*", "Data race", Risk::Error)
        .cwe(362)
        .meaning(RACE)
        .fix(SYNCHRONIZE),
    entry("conflicting-access", "Data race", Risk::Error)
        .cwe(362)
        .meaning(
            "Two threads access the same memory without synchronization, and at least one of them \
             writes. drd shows the start and end of the code of the other thread that contains its \
             access.",
        )
        .fix(SYNCHRONIZE)
        .harmless(UNRECOGNIZED)
        .more(
            "--read-var-info=yes shows the name of the variable. helgrind shows the stack of the \
             other access.",
        ),
    entry("lock-order", "Inconsistent lock order", Risk::Error)
        .cwe(833)
        .meaning(
            "Two locks are acquired in one order here and in the opposite order elsewhere. Two \
             threads that do so at the same time wait for each other forever.",
        )
        .fix("Always acquire the locks in the same order, or both at once with `std::scoped_lock`.")
        .harmless("No deadlock can happen if a third lock is always held around both.")
        .more("--track-lockorders=no disables this check."),
    entry(
        "lock-order-inversion",
        "Inconsistent lock order",
        Risk::Error,
    )
    .cwe(833)
    .meaning(
        "Two or more locks are acquired in different orders. Threads that do so at the same time \
         wait for each other forever.",
    )
    .fix("Always acquire the locks in the same order, or all at once with `std::scoped_lock`.")
    .more("second_deadlock_stack=1 shows where the first lock was acquired."),
    entry("unlock-unlocked", "Unlock of an unlocked lock", Risk::Error)
        .cwe(832)
        .meaning("No thread held the lock when it was released.")
        .fix(RELEASE_ONCE),
    entry(
        "unlock-foreign",
        "Unlock of another thread's lock",
        Risk::Error,
    )
    .cwe(832)
    .meaning("A thread releases a lock that another thread holds, which mutexes don't permit.")
    .fix(
        "Unlock in the thread that locked. To signal another thread, use a semaphore or a \
         condition variable.",
    ),
    entry("unlock-bogus", "Unlock of an invalid lock", Risk::Error)
        .cwe(667)
        .meaning("The address isn't that of a lock, or the lock was destroyed.")
        .fix("Check the lifetime of the lock: where it's destroyed, and which code still uses it."),
    entry(
        "pth-api-error",
        "Failed call of the thread library",
        Risk::Error,
    )
    .cwe(252)
    .meaning("A POSIX threads function returned an error, which programs often don't check.")
    .fix("The headline states the function and the error. Check the arguments of the call."),
    entry("misc", "Incorrect use of the thread library", Risk::Error)
        .cwe(667)
        .meaning(
            "The headline states the error, such as a thread that exits while holding a lock, a \
             condition variable that is signaled without its mutex, or a semaphore that is posted \
             too often.",
        )
        .fix(
            "Release every lock before its thread exits, acquire it only once, and signal while \
             holding the mutex.",
        )
        .harmless(
            "Signaling a condition variable without its mutex (`dubious`) is permitted. A wakeup \
             is lost only if the state is also changed without the mutex.",
        ),
    entry(
        "dubious",
        "Condition variable signaled without its mutex",
        Risk::Untidy,
    )
    .cwe(662)
    .meaning("No thread holds the associated mutex when the condition variable is signaled.")
    .fix("Signal while holding the mutex, or at least change the state while holding it.")
    .harmless(SIGNAL_PERMITTED),
    entry(
        "destroy-of-a-locked-mutex",
        "Locked mutex destroyed",
        Risk::Error,
    )
    .cwe(667)
    .meaning("A mutex is destroyed while a thread holds it.")
    .fix("Join the threads that use the mutex before destroying it."),
    entry(
        "double-lock-of-a-mutex",
        "Mutex locked twice by the same thread",
        Risk::Error,
    )
    .cwe(667)
    .meaning("A thread locks a mutex that it already holds, and waits for itself.")
    .fix(SPLIT),
    entry(
        "unlock-of-*",
        "Unlock of a lock that isn't held",
        Risk::Error,
    )
    .cwe(832)
    .meaning("A thread releases a lock that it doesn't hold.")
    .fix(
        "Release each lock exactly once, in the thread that acquired it. A guard object does so on \
         every path.",
    ),
    entry(
        "heap-use-after-free-by-virtual-call",
        "Virtual call of an object that is being freed",
        Risk::Security("8.1"),
    )
    .cwe(416)
    .meaning(
        "A thread calls a virtual function of an object that another thread frees without \
         synchronization.",
    )
    .fix(
        "Join the thread, or remove the object from it, before deleting the object. If neither \
         order can be guaranteed, share the object with `std::shared_ptr`.",
    ),
    entry(
        "use-of-an-invalid-mutex",
        "Use of an invalid mutex",
        Risk::Error,
    )
    .cwe(667)
    .meaning("The mutex was never initialized, or was destroyed.")
    .fix(
        "Initialize it before the threads that use it start, and destroy it after they are joined.",
    ),
    entry(
        "read-lock-of-a-write-locked-mutex",
        "Read lock of a lock that is held for writing",
        Risk::Error,
    )
    .cwe(667)
    .meaning(
        "A thread acquires a lock for reading that it already holds for writing, and waits for \
         itself.",
    )
    .fix(SPLIT),
    entry(
        "read-unlock-of-a-write-locked-mutex",
        "Read unlock of a lock that is held for writing",
        Risk::Error,
    )
    .cwe(667)
    .meaning("A lock that is held for writing is released with the function for readers.")
    .fix(
        "Release the lock with the counterpart of the function that acquired it. A guard object \
         does so automatically.",
    ),
    entry(
        "mutex-held-in-the-wrong-context",
        "Lock held where it isn't permitted",
        Risk::Error,
    )
    .cwe(667)
    .meaning(
        "The program declared to ThreadSanitizer that no lock may be held at this point, but one \
         is.",
    )
    .fix(
        "Release the lock before this point, because the code here may wait for a thread that \
         needs it.",
    ),
    entry(
        "signal-handler-spoils-errno",
        "Signal handler that changes errno",
        Risk::Error,
    )
    .cwe(479)
    .meaning("The interrupted code may read `errno` next and get the value set by the handler.")
    .fix("Save `errno` at the start of the handler and restore it at the end."),
    entry(
        "signal-unsafe-call-*",
        "Unsafe call in a signal handler",
        Risk::Error,
    )
    .cwe(479)
    .meaning(
        "A signal handler calls a function, such as `malloc` or `printf`, that the interrupted \
         code may be executing.",
    )
    .fix("In the handler, only set a flag or write to a pipe. Do the work outside of it."),
    entry("deadlock", "Deadlock", Risk::Error)
        .cwe(833)
        .meaning("Every thread waits for something that only another waiting thread can provide.")
        .fix(
            "Acquire locks in the same order everywhere, and join or signal threads before waiting \
             for a resource that they hold.",
        ),
];
