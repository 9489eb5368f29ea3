//! Memory and descriptors that are never given back.

use super::{Help, Risk, entry};

pub(super) const TABLE: &[Help] = &[
    entry("leak-definite", "Leaked memory", Risk::Leak)
        .cwe(401)
        .means("When the process ended, or when the search ran, no pointer led to this block any more: nobody can free it.")
        .fix("Free it where its owner ends, or give it an owner that does: a destructor, `unique_ptr`, `Box`, a free function on every path out, early returns and error paths first.")
        .harmless("Memory that a program keeps on purpose until its end is better kept in a static variable: then it is still reachable and no leak.")
        .more("Short stacks become whole with --num-callers=50 (valgrind) or fast_unwind_on_malloc=0 (sanitizers); --keep-debuginfo=yes names frames of libraries that were unloaded."),
    entry("leak-indirect", "Memory that is only reachable from leaked memory", Risk::Leak)
        .cwe(401)
        .means("Only other leaked blocks point to this block, for example the nodes of a list whose head is lost, or blocks that point to each other in a circle.")
        .fix("Find the leaked block that owns it and free that one with all it holds. Where there is no direct leak beside it, look for a cycle: a pair of `shared_ptr` or `Rc` that hold each other.")
        .more("valgrind shows these records with --show-leak-kinds=all; LeakSanitizer always does."),
    entry("leak-possible", "Memory that is perhaps leaked", Risk::Possible)
        .cwe(401)
        .means("Only pointers into the middle of the block are left. Either the pointer to its start is lost, or the program keeps such pointers on purpose.")
        .fix("Check who owns the block. If the owner is gone, free it there as for a definite leak.")
        .harmless("Threads that still run at the end (their stacks and thread-local storage), C++ arrays with a length in front, objects with several bases and allocators that hand out the inside of a block look like this.")
        .more("Join threads before the end; --leak-check-heuristics=all (valgrind's default) already knows the usual layouts of C++."),
    entry("leak-reachable", "Memory that is still in use at the end", Risk::Untidy)
        .cwe(401)
        .means("A pointer still led to the block when the process ended; the system takes it back.")
        .fix("Nothing has to be done where the block lives as long as the program. Where the number grows with the work, something collects blocks that it no longer needs: a cache without a bound, a list that is never emptied.")
        .harmless("Caches, interned strings, start-up data of libraries and the buffer of standard output belong here."),
    entry("leak-*", "Leaked memory", Risk::Leak)
        .cwe(401)
        .means("The checker counts this memory as leaked.")
        .fix("Free it where its owner ends, or give it an owner that does."),
    entry("fd-leak", "Descriptor left open", Risk::Leak)
        .cwe(775)
        .means("A file, pipe or socket that the process opened was still open at its end. A long-running process runs out of them.")
        .fix("Close it on every path out, errors first; in C++ and Rust give it an owner that closes it.")
        .harmless("A log file or a lock that is to stay open until the end of the program.")
        .more("--track-fds=yes shows where each was opened; --track-fds=all shows the standard streams, too."),
    entry("fd-inherited", "Descriptor that came from the parent process", Risk::Untidy)
        .means("The descriptor was open when the process began, and still is.")
        .fix("Nothing, unless the child is to be shut off from the parent's files: then open these with O_CLOEXEC.")
        .harmless("Runners of CI systems leave descriptors open in everything they start."),
    entry("fd-bad-close", "Descriptor closed twice", Risk::Error)
        .cwe(1341)
        .means("The descriptor was closed before. In between its number may have gone to another file, which is then closed under somebody's feet.")
        .fix("Let one place own the descriptor, and forget its number (-1) where it is closed.")
        .more("--track-fds=yes shows where it was opened and where it was closed first."),
    entry("fd-bad-use", "Use of a descriptor that is not open", Risk::Error)
        .cwe(910)
        .means("A system call was given a descriptor that was closed before, or was never opened.")
        .fix("Check what `open`, `socket` or `accept` returned before it is used, and do not use a number after `close`.")
        .harmless("Code that closes every possible descriptor before it starts another program does this on purpose.")
        .more("--track-fds=yes shows where it was opened and closed."),
    entry("thread-leak", "Thread that was never joined", Risk::Leak)
        .cwe(772)
        .means("A thread ended, and nobody joined or detached it, so that its stack and its record stay.")
        .fix("Join it, or detach it where nobody waits for it."),
];
