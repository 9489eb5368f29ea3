//! Incorrect allocations and deallocations, and limits of allocators.

use super::{Help, Risk, entry};

const LIMIT: &str = "Check where the number comes from: a length from a file or packet, an \
     overflow, or a negative number converted to an unsigned type. Limit it before use.";
const MISMATCH: &str = "Memory is freed by a function that doesn't match its allocation, such as \
     `delete` for memory from `malloc` or `new[]`.";
const DELETE_AS_CREATED: &str =
    "Delete the object as the type that was created, and give base classes a virtual destructor.";
const PRODUCT_OVERFLOWS: &str = "The product of number and size overflows.";
const CHECK_ALIGNMENT: &str = "Check the value that is passed as alignment.";
const QUERY_EARLIER: &str =
    "Query the size before the block is freed, with the pointer that the allocation returned.";

pub(super) const TABLE: &[Help] = &[
    entry("double-free", "Block freed twice", Risk::Security("8.1"))
        .cwe(415)
        .meaning(
            "The block was freed a second time. In between, it may have been allocated for other \
             data.",
        )
        .fix(
            "Give the block a single owner that frees it. In C, set the pointer to NULL after \
             freeing. In C++, a class with a raw pointer needs its own copy constructor and copy \
             assignment, or must delete them.",
        ),
    entry(
        "bad-free",
        "Free of memory that wasn't allocated",
        Risk::Security("7.5"),
    )
    .cwe(590)
    .meaning(
        "The address isn't the start of a heap block. It points into a block, to a variable, or to \
         memory of another allocator.",
    )
    .fix(
        "Free the pointer that the allocation returned, and return memory to the library that \
         allocated it.",
    ),
    entry(
        "invalid-free",
        "Free of memory that isn't allocated",
        Risk::Security("7.5"),
    )
    .cwe(590)
    .meaning(
        "The address isn't the start of an allocated block: the block was already freed, or \
         nothing was allocated at the address. The lines after the stack state which.",
    )
    .fix(
        "Give the block a single owner that frees it, with the pointer that the allocation \
         returned.",
    )
    .harmless(
        "At process exit, some C libraries free their own data in a way that valgrind cannot \
         track. --run-libc-freeres=no disables this.",
    )
    .more("--keep-stacktraces=alloc-and-free shows where the block was allocated and freed."),
    entry(
        "alloc-dealloc-mismatch",
        "Mismatched allocation and deallocation",
        Risk::Error,
    )
    .cwe(762)
    .meaning(MISMATCH)
    .fix(
        "Use the matching function: `free` for `malloc`, `delete` for `new` and `delete[]` for \
         `new[]`. Free strings returned by a library with that library's own function.",
    )
    .harmless(
        "False positives occur if only part of a program replaces `operator new`. \
         alloc_dealloc_mismatch=0 disables the check.",
    ),
    entry("overlapping-blocks", "Blocks overlap", Risk::Error)
        .meaning(
            "Two blocks of a custom allocator, announced with VALGRIND_MALLOCLIKE_BLOCK, overlap. \
             memcheck can't continue.",
        )
        .fix(
            "Announce each block once, with its real size, and use VALGRIND_FREELIKE_BLOCK before \
             its memory is used again. Don't announce a pool that is itself split into blocks.",
        ),
    entry(
        "mismatched-free",
        "Mismatched allocation and deallocation",
        Risk::Error,
    )
    .cwe(762)
    .meaning(MISMATCH)
    .fix(
        "Use the matching function: `free` for `malloc`, `delete` for `new` and `delete[]` for \
         `new[]`.",
    )
    .harmless(
        "False positives occur if `operator new` is inlined. --show-mismatched-frees=no disables \
         the check.",
    ),
    entry(
        "new-delete-type-mismatch",
        "Object deleted as another type",
        Risk::Error,
    )
    .cwe(762)
    .meaning(
        "`delete` was called with another size or alignment than `new`, usually because an object \
         is deleted through a pointer to its base class.",
    )
    .fix(DELETE_AS_CREATED),
    entry(
        "mismatched-allocate-deallocate-*",
        "Block freed with another size or alignment",
        Risk::Error,
    )
    .cwe(762)
    .meaning("The size or alignment passed to `delete` differs from the one passed to `new`.")
    .fix(DELETE_AS_CREATED),
    entry(
        "realloc-size-zero",
        "Call of realloc with size 0",
        Risk::Untidy,
    )
    .cwe(687)
    .meaning(
        "The effect of `realloc(p, 0)` differs between C libraries: some free the block, some \
         return a new one. It's undefined in C23.",
    )
    .fix("Call `free` if that is intended."),
    entry(
        "invalid-size-and-alignment",
        "Allocation with an invalid size or alignment",
        Risk::Error,
    )
    .cwe(687)
    .meaning(
        "An aligned allocation was requested with a size that isn't a multiple of the alignment.",
    )
    .fix("Round the size up to a multiple of the alignment."),
    entry(
        "invalid-alignment",
        "Allocation with an invalid alignment",
        Risk::Error,
    )
    .cwe(687)
    .meaning(
        "An alignment must be a power of two, and for `posix_memalign` also a multiple of the size \
         of a pointer.",
    )
    .fix(CHECK_ALIGNMENT),
    entry("invalid-size", "Allocation of zero bytes", Risk::Untidy)
        .cwe(687)
        .meaning(
            "An aligned allocation of zero bytes returns a null pointer in some C libraries and a \
             block in others.",
        )
        .fix("Handle zero before the call."),
    entry(
        "fishy-value",
        "Size that was probably negative",
        Risk::Error,
    )
    .cwe(195)
    .meaning("The requested size is so large that it was most likely a negative number.")
    .fix("Check the subtraction or the length that the size is computed from."),
    entry(
        "allocation-size-too-big",
        "Allocation that is too large",
        Risk::Error,
    )
    .cwe(789)
    .meaning("The requested size exceeds the maximum that the allocator supports.")
    .fix(LIMIT)
    .harmless(
        "Tests of failed allocations do this intentionally. With allocator_may_return_null=1, the \
         allocation fails and the program continues.",
    ),
    entry(
        "calloc-overflow",
        "Overflow of an allocation size",
        Risk::Error,
    )
    .cwe(190)
    .meaning(PRODUCT_OVERFLOWS)
    .fix(LIMIT),
    entry(
        "reallocarray-overflow",
        "Overflow of an allocation size",
        Risk::Error,
    )
    .cwe(190)
    .meaning(PRODUCT_OVERFLOWS)
    .fix(LIMIT),
    entry(
        "pvalloc-overflow",
        "Overflow of an allocation size",
        Risk::Error,
    )
    .cwe(190)
    .meaning("The size overflows when it's rounded up to whole pages.")
    .fix(LIMIT),
    entry(
        "invalid-aligned-alloc-alignment",
        "Allocation with an invalid alignment",
        Risk::Error,
    )
    .cwe(687)
    .meaning(
        "`aligned_alloc` requires an alignment that is a power of two, and a size that is a \
         multiple of it.",
    )
    .fix("Check the size and the alignment."),
    entry(
        "invalid-posix-memalign-alignment",
        "Allocation with an invalid alignment",
        Risk::Error,
    )
    .cwe(687)
    .meaning(
        "`posix_memalign` requires an alignment that is a power of two and a multiple of the size \
         of a pointer.",
    )
    .fix(CHECK_ALIGNMENT),
    entry(
        "invalid-allocation-alignment",
        "Allocation with an invalid alignment",
        Risk::Error,
    )
    .cwe(687)
    .meaning("An alignment must be a power of two.")
    .fix(CHECK_ALIGNMENT),
    entry("rss-limit-exceeded", "Memory limit exceeded", Risk::Error)
        .cwe(770)
        .meaning("The process uses more memory than hard_rss_limit_mb permits.")
        .fix(
            "Look for growing data structures. The stack shows the latest allocation, which isn't \
             necessarily the cause.",
        ),
    entry("out-of-memory", "Out of memory", Risk::Error)
        .cwe(770)
        .meaning("The allocator could not get more memory from the system.")
        .fix(
            "Look for growing data structures. Sanitizers don't work with a limit on address space \
             (`ulimit -v`), so remove it.",
        ),
    entry(
        "bad-malloc_usable_size",
        "Size query for an invalid block",
        Risk::Error,
    )
    .cwe(763)
    .meaning(
        "`malloc_usable_size` was called with an address that isn't the start of an allocated \
         block.",
    )
    .fix(QUERY_EARLIER),
    entry(
        "bad-__sanitizer_get_allocated_size",
        "Size query for an invalid block",
        Risk::Error,
    )
    .cwe(763)
    .meaning(
        "The size of an allocation was queried with an address that isn't the start of an \
         allocated block.",
    )
    .fix(QUERY_EARLIER),
    entry(
        "bad-__sanitizer_*",
        "Invalid container annotation",
        Risk::Error,
    )
    .meaning(
        "A container's annotation for AddressSanitizer is invalid: its bounds are in the wrong \
         order or belong to different blocks.",
    )
    .fix(
        "Check the calls of `__sanitizer_annotate_…` in the container. If you don't maintain it, \
         check that all parts of the program are built with the same options.",
    ),
    entry(
        "odr-violation",
        "Global variable defined twice",
        Risk::Error,
    )
    .cwe(758)
    .meaning(
        "Two parts of the program define a global variable with the same name, often because an \
         object file is linked into two libraries.",
    )
    .fix("Define it once: link the file into only one library, or hide the symbol.")
    .harmless(
        "Identical copies of a constant are harmless. With detect_odr_violation=1, only variables \
         of different sizes are reported.",
    ),
    entry(
        "invalid-mem-pool",
        "Use of an invalid memory pool",
        Risk::Error,
    )
    .cwe(763)
    .meaning("A valgrind client request refers to a pool that doesn't exist or was destroyed.")
    .fix("Check the order of VALGRIND_CREATE_MEMPOOL and related requests in the allocator."),
    entry(
        "client-check",
        "Failed memory check of the program",
        Risk::Error,
    )
    .cwe(457)
    .meaning(
        "The program requested a valgrind check that memory is addressable or initialized \
         (VALGRIND_CHECK_MEM_…), and it isn't.",
    )
    .fix("The stack shows the check. Find the code that should have initialized the memory.")
    .more("--track-origins=yes shows where the value was created."),
    entry("heap-corruption", "Heap corruption", Risk::Security("7.5"))
        .cwe(787)
        .meaning(
            "The allocator's metadata is damaged, because the program wrote outside of a block or \
             to a freed block. The damage is only detected later.",
        )
        .fix("Run the program under AddressSanitizer or memcheck, which report the write itself.")
        .more(
            "The stack, if present, shows where the damage was detected, not where it was caused.",
        ),
    entry(
        "buffer-overflow",
        "Copy larger than its destination",
        Risk::Security("9.8"),
    )
    .cwe(120)
    .meaning(
        "A C library function was called to write more bytes than its destination holds. The \
         compiler knew the size of the destination.",
    )
    .fix("Check the length before copying, or pass the size of the destination to the function."),
];
