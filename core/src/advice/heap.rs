//! Memory asked for or given back in a wrong way, and limits of allocators.

use super::{Help, Risk, entry};

const LIMIT: &str = "Check where the number comes from: a length out of a file or a packet, an overflow, a negative number taken as unsigned. Bound it before it is used.";

pub(super) const TABLE: &[Help] = &[
    entry("double-free", "Block freed twice", Risk::Security("8.1"))
        .cwe(415)
        .means("The same block was given back a second time. Between the two, somebody else may have got it.")
        .fix("Let one owner free it. In C set the pointer to NULL where it is freed; in C++ a class with a raw pointer needs its own copy constructor and assignment, or none."),
    entry("bad-free", "Free of what was never allocated", Risk::Security("7.5"))
        .cwe(590)
        .means("The address does not begin a block of the heap: a pointer into the middle of one, to a variable, or to memory of another allocator.")
        .fix("Free the pointer that the allocation returned; give memory back to the library that handed it out."),
    entry("invalid-free", "Free of what was not allocated, or freed before", Risk::Security("7.5"))
        .cwe(590)
        .means("The address does not begin a live block: it was freed before, or it is no block at all. The lines behind the stack say which.")
        .fix("Let one owner free it, by the pointer that the allocation returned.")
        .harmless("At the very end of a process, some C libraries free their own data by hand in a way that valgrind can't follow; --run-libc-freeres=no leaves that out.")
        .more("--keep-stacktraces=alloc-and-free shows where it was allocated and freed."),
    entry("alloc-dealloc-mismatch", "Block freed by another family of functions", Risk::Error)
        .cwe(762)
        .means("Memory of `malloc` goes back by `delete`, of `new[]` by `delete`, and so on.")
        .fix("Use the partner: `malloc` and `free`, `new` and `delete`, `new[]` and `delete[]`. A string that a library returned goes back by that library's own function.")
        .harmless("Where only one side of a program replaces `operator new`, this can be wrong; alloc_dealloc_mismatch=0 turns it off."),
    entry("mismatched-free", "Block freed by another family of functions", Risk::Error)
        .cwe(762)
        .means("Memory of `malloc` goes back by `delete`, of `new[]` by `delete`, and so on.")
        .fix("Use the partner: `malloc` and `free`, `new` and `delete`, `new[]` and `delete[]`.")
        .harmless("A program whose `operator new` was inlined looks like this; --show-mismatched-frees=no turns it off."),
    entry("new-delete-type-mismatch", "Object deleted as another type", Risk::Error)
        .cwe(762)
        .means("`delete` was told another size or alignment than `new`: mostly an object that is deleted by a pointer to its base.")
        .fix("Give the base a virtual destructor, or delete by the type that was made."),
    entry("mismatched-allocate-deallocate-*", "Block freed with another size or alignment", Risk::Error)
        .cwe(762)
        .means("The size or alignment that `delete` was told is not that of `new`.")
        .fix("Delete by the type that was made; give a base class a virtual destructor."),
    entry("realloc-size-zero", "Call of realloc with size 0", Risk::Untidy)
        .cwe(687)
        .means("What `realloc(p, 0)` does differs between C libraries: some free the block, some return a new one. C23 calls it undefined.")
        .fix("Call `free` where that is meant."),
    entry("invalid-size-and-alignment", "Allocation with an impossible size or alignment", Risk::Error)
        .cwe(687)
        .means("An aligned allocation was asked for with a size that is no multiple of the alignment.")
        .fix("Round the size up to a multiple of the alignment."),
    entry("invalid-alignment", "Allocation with an impossible alignment", Risk::Error)
        .cwe(687)
        .means("An alignment must be a power of two, and for `posix_memalign` a multiple of the size of a pointer.")
        .fix("Check the number that is given as alignment."),
    entry("invalid-size", "Allocation of no bytes", Risk::Untidy)
        .cwe(687)
        .means("An aligned allocation of size zero: some C libraries return a null pointer for it, some a block.")
        .fix("Treat zero apart before the call."),
    entry("fishy-value", "Size that was probably negative", Risk::Error)
        .cwe(195)
        .means("A size for an allocation is so large that it was most likely a negative number.")
        .fix("Check the subtraction or the length that it comes from."),
    entry("allocation-size-too-big", "Allocation that is too large", Risk::Error)
        .cwe(789)
        .means("A size was asked for that no allocator can give.")
        .fix(LIMIT)
        .harmless("A test of how a program bears a failed allocation does this on purpose; allocator_may_return_null=1 lets it go on."),
    entry("calloc-overflow", "Size that overflows", Risk::Error).cwe(190).means("The product of number and size does not fit.").fix(LIMIT),
    entry("reallocarray-overflow", "Size that overflows", Risk::Error)
        .cwe(190)
        .means("The product of number and size does not fit.")
        .fix(LIMIT),
    entry("pvalloc-overflow", "Size that overflows", Risk::Error)
        .cwe(190)
        .means("The size, rounded up to whole pages, does not fit.")
        .fix(LIMIT),
    entry("invalid-aligned-alloc-alignment", "Allocation with an impossible alignment", Risk::Error)
        .cwe(687)
        .means("`aligned_alloc` takes a power of two as alignment, and a size that is a multiple of it.")
        .fix("Check both numbers."),
    entry("invalid-posix-memalign-alignment", "Allocation with an impossible alignment", Risk::Error)
        .cwe(687)
        .means("`posix_memalign` takes a power of two that is a multiple of the size of a pointer.")
        .fix("Check the number that is given as alignment."),
    entry("invalid-allocation-alignment", "Allocation with an impossible alignment", Risk::Error)
        .cwe(687)
        .means("An alignment must be a power of two.")
        .fix("Check the number that is given as alignment."),
    entry("rss-limit-exceeded", "Memory limit reached", Risk::Error)
        .cwe(770)
        .means("The process uses more memory than hard_rss_limit_mb allows.")
        .fix("Look for what grows: the stack is that of the allocation that came last, not always of the one that matters."),
    entry("out-of-memory", "No memory left", Risk::Error)
        .cwe(770)
        .means("The allocator could not get more memory from the system.")
        .fix("Look for what grows. Under a limit of address space (`ulimit -v`) sanitizers can't work at all: take it away for them."),
    entry("bad-malloc_usable_size", "Question about a block that is none", Risk::Error)
        .cwe(763)
        .means("`malloc_usable_size` was asked about an address that does not begin a live block.")
        .fix("Ask before the block is freed, and by the pointer that the allocation returned."),
    entry("bad-__sanitizer_get_allocated_size", "Question about a block that is none", Risk::Error)
        .cwe(763)
        .means("The size of an allocation was asked for by an address that does not begin a live block.")
        .fix("Ask before the block is freed, and by the pointer that the allocation returned."),
    entry("bad-__sanitizer_*", "Wrong annotation of a container", Risk::Error)
        .means("A container told AddressSanitizer about its memory in a way that makes no sense: bounds in the wrong order, or not of the same block.")
        .fix("Check the calls of `__sanitizer_annotate_…` in the container; where it is not yours, check that all parts of the program are built with the same options."),
    entry("odr-violation", "One global, defined twice", Risk::Error)
        .cwe(758)
        .means("Two parts of the program define a global of the same name, often because one object file is linked into two libraries.")
        .fix("Define it once; link the file into one of them only, or hide the symbol.")
        .harmless("Two copies of the same constant do no harm; detect_odr_violation=1 reports only those that differ in size."),
    entry("invalid-mem-pool", "Use of a memory pool that is none", Risk::Error)
        .cwe(763)
        .means("A client request to valgrind names a pool that was not made, or is gone.")
        .fix("Check the order of VALGRIND_CREATE_MEMPOOL and its relatives in the allocator."),
    entry("client-check", "Check of the program's own failed", Risk::Error)
        .cwe(457)
        .means("The program asked valgrind whether memory is addressable or initialised (VALGRIND_CHECK_MEM_…), and it is not.")
        .fix("The stack shows the place of the question; see above it who was to fill the memory.")
        .more("--track-origins=yes shows where the value came from."),
    entry("heap-corruption", "Heap that was overwritten", Risk::Security("7.5"))
        .cwe(787)
        .means("The allocator's own records are damaged: the program wrote outside of a block, or into one that it had freed. It is noticed later than it happened.")
        .fix("Run the same under AddressSanitizer or memcheck: they stop at the write itself.")
        .more("The stack, where there is one, shows who noticed, not who wrote."),
    entry("buffer-overflow", "Copy that is larger than its target", Risk::Security("9.8"))
        .cwe(120)
        .means("A function of the C library was told to write more bytes than its target has; the compiler knew how many there are.")
        .fix("Check the length before the copy, or give the function the size of the target."),
];
