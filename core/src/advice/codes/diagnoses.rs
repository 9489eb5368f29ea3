//! Explanations of the diagnoses of `leakgate doctor`.

use super::{CodeHelp, entry};

/// The explanations of the codes that aren't reasons or problems, too.
pub(super) const TABLE: &[CodeHelp] = &[
    entry("silent", "A log without any output of a checker")
        .meaning(
            "The log doesn't show that a checker ran. Most sanitizers print nothing if they find \
             nothing, and so does valgrind with `-q`.",
        )
        .why("It's a diagnosis: in a check, such a log fails with `no-evidence`.")
        .fix(
            "Let the checker report that it ran: `verbosity=1` for LeakSanitizer, and valgrind \
             without `-q`. Or start the tests with `leakgate run`, for which silence is proof.",
        ),
    entry("cut-stacks", "Stacks end at the frame limit of the checker")
        .meaning(
            "Stacks have as many frames as the checker keeps, so callers are missing, and your own \
             function may be one of them.",
        )
        .why("It's a diagnosis: the findings are complete without these callers.")
        .fix(
            "Raise the limit: `--num-callers=40` for valgrind, `malloc_context_size=100` for the \
             sanitizers.",
        ),
    entry("collapsed-stacks", "Stacks lack frames in the middle")
        .meaning(
            "The fast unwinder of a sanitizer follows frame pointers. Code without them, such as \
             an optimized library, makes it skip callers or end early.",
        )
        .why("It's a diagnosis: the findings are complete, but different bugs may look the same.")
        .fix(
            "Set `fast_unwind_on_malloc=0`, which is slower, or build with \
             -fno-omit-frame-pointer.",
        ),
    entry("no-symbols", "Frames have no function names")
        .meaning("Frames show only a module and an offset.")
        .why("It's a diagnosis: a finding without names has a weak fingerprint, and rules can't name its functions.")
        .fix(
            "Don't strip the program, or install its debug symbols. For a sanitizer, put \
             llvm-symbolizer into `PATH`. `leakgate check --symbolize` adds names afterwards.",
        ),
    entry("no-debug-info", "Frames have no source lines")
        .meaning("Frames have functions, but neither files nor lines.")
        .why("It's a diagnosis: without a line, a finding can't be shown at its place in a pull request.")
        .fix("Build with -g."),
    entry("no-stacks", "Findings have no stack")
        .meaning(
            "The checker prints only the place of an error, or only the size of a leak. This is \
             the default of UndefinedBehaviorSanitizer, macOS `leaks` and the CRT debug heap.",
        )
        .why("It's a diagnosis: the findings count, but nothing shows how the program got there.")
        .fix(
            "Set `print_stacktrace=1` in `UBSAN_OPTIONS` and don't use the minimal runtime, set \
             `MallocStackLogging=1` for `leaks`, or define `_CRTDBG_MAP_ALLOC` before the headers \
             of the CRT.",
        ),
    entry("collapsed-spaces", "The log lost its indentation")
        .meaning(
            "A program that handled the log removed spaces. Miri and Go's race detector print \
             stacks without any other mark than indentation.",
        )
        .why("It's a diagnosis: the headlines are read, but stacks may be missing.")
        .fix("Pass the log as the program wrote it, for example from a file instead of a web page."),
    entry("no-origins", "The origin of undefined values is unknown")
        .meaning("A report shows where an undefined value was used, but not where it comes from.")
        .why("It's a diagnosis: the finding is complete without its origin.")
        .fix(
            "Pass `--track-origins=yes` to memcheck, or build with -fsanitize-memory-track-origins \
             for MemorySanitizer. Both are slower.",
        ),
    entry("allocators", "Functions of the project allocate for others")
        .meaning(
            "Most leaks have the same function of the project at the top of their stack, such as \
             a wrapper of malloc. The bug is in one of its callers.",
        )
        .why("It's a diagnosis: only the line at which the finding is shown is affected.")
        .fix(
            "List these functions in `[files] allocators` of `leakgate.toml`. The caller then \
             counts as the place of the leak.",
        ),
];
