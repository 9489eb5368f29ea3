//! Leaks of memory, file descriptors and threads.

use super::{Help, Risk, entry};

pub(super) const TABLE: &[Help] = &[
    entry("leak-definite", "Leaked memory", Risk::Leak)
        .cwe(401)
        .meaning(
            "When the leak check ran, usually at process exit, no pointer to the block existed. \
             The program can no longer free it.",
        )
        .fix(
            "Free the block when its owner ends, or give it an owner that does so, such as a \
             destructor, `unique_ptr` or `Box`. In C, free it on every path out of the function, \
             especially on early returns and after errors.",
        )
        .harmless(
            "If the program keeps the memory until it exits, store the pointer in a static \
             variable. The memory is then still reachable and not a leak.",
        )
        .more(
            "For complete stacks, use --num-callers=50 (valgrind) or fast_unwind_on_malloc=0 \
             (sanitizers). --keep-debuginfo=yes shows the names of frames in unloaded libraries.",
        ),
    entry(
        "leak-indirect",
        "Memory that is only reachable from leaked memory",
        Risk::Leak,
    )
    .cwe(401)
    .meaning(
        "Only other leaked blocks point to the block, for example if it's a node of a list whose \
         head is lost. The blocks may also point to each other.",
    )
    .fix(
        "Find the leaked block that owns this one, and free it with everything it holds. If no \
         direct leak is reported, look for a reference cycle, such as two `shared_ptr` or `Rc` \
         that own each other.",
    )
    .more(
        "LeakSanitizer always shows these records. valgrind shows them with --show-leak-kinds=all.",
    ),
    entry("leak-possible", "Possibly leaked memory", Risk::Possible)
        .cwe(401)
        .meaning(
            "Only pointers to the interior of the block remain. Either the pointer to its start is \
             lost, or the program keeps interior pointers on purpose.",
        )
        .fix(
            "Find the owner of the block. If it no longer exists, free the block as for a definite \
             leak.",
        )
        .harmless(
            "This is normal for threads that still run at exit (their stacks and thread-local \
             storage), C++ arrays that store their length first, objects with several base \
             classes, and allocators that return interior pointers.",
        )
        .more(
            "Join threads before exit. valgrind recognizes common C++ layouts by default \
             (--leak-check-heuristics=all).",
        ),
    entry(
        "leak-reachable",
        "Memory still reachable at exit",
        Risk::Untidy,
    )
    .cwe(401)
    .meaning(
        "A pointer to the block still existed when the process ended. The system then frees the \
         memory.",
    )
    .fix(
        "Nothing has to be fixed if the block lives as long as the program. If the amount grows \
         with the workload, look for blocks that are no longer needed, as in an unbounded cache or \
         a list that is never cleared.",
    )
    .harmless(
        "Caches, interned strings, initialization data of libraries and the buffer of standard \
         output are usually harmless.",
    ),
    entry("leak-*", "Leaked memory", Risk::Leak)
        .cwe(401)
        .meaning("The checker reports this memory as leaked.")
        .fix("Free the block when its owner ends, or give it an owner that does so."),
    entry("fd-leak", "File descriptor left open", Risk::Leak)
        .cwe(775)
        .meaning(
            "A file, pipe or socket that the process opened was still open when it ended. A \
             long-running process eventually runs out of descriptors.",
        )
        .fix(
            "Close it on every path, especially after errors. In C++ and Rust, give it an owner \
             that closes it.",
        )
        .harmless("A log file or lock file may stay open until the program exits.")
        .more(
            "--track-fds=yes shows where each descriptor was opened. --track-fds=all also shows \
             the standard streams.",
        ),
    entry(
        "fd-inherited",
        "File descriptor inherited from the parent process",
        Risk::Untidy,
    )
    .meaning("The descriptor was already open when the process started, and still is.")
    .fix(
        "Nothing has to be fixed, unless the child process must not access the parent's files. In \
         that case, open them with O_CLOEXEC in the parent.",
    )
    .harmless("CI runners often leave descriptors open in the processes that they start."),
    entry("fd-bad-close", "File descriptor closed twice", Risk::Error)
        .cwe(1341)
        .meaning(
            "The descriptor was already closed. Its number may have been reused for another file, \
             which is then closed by mistake.",
        )
        .fix("Give the descriptor a single owner, and set the variable to -1 after closing it.")
        .more("--track-fds=yes shows where it was opened and first closed."),
    entry(
        "fd-bad-use",
        "Use of a file descriptor that isn't open",
        Risk::Error,
    )
    .cwe(910)
    .meaning("A system call was given a descriptor that is closed or was never opened.")
    .fix(
        "Check the results of `open`, `socket` and `accept` before using them, and don't use a \
         descriptor after closing it.",
    )
    .harmless(
        "Some programs intentionally close all possible descriptors before they start another \
         program.",
    )
    .more("--track-fds=yes shows where it was opened and closed."),
    entry(
        "thread-leak",
        "Thread neither joined nor detached",
        Risk::Leak,
    )
    .cwe(772)
    .meaning(
        "A thread ended without being joined or detached, so its stack and bookkeeping data remain \
         allocated.",
    )
    .fix("Join the thread, or detach it if no other thread waits for it."),
];
