//! Reads, writes and jumps to where a program must not go.

use super::{Help, Risk, entry};

const SYMBOLS: &str =
    "Build with -g and -fno-omit-frame-pointer, so that each frame has its file and line.";

pub(super) const TABLE: &[Help] = &[
    entry("heap-buffer-overflow", "Access outside of a heap block", Risk::Security("8.1"))
        .cwe(122)
        .means("The program reads or writes before or behind a block on the heap. The report says by how many bytes, and where the block was allocated.")
        .fix("Check the index or length against the size that was allocated: an end that is one too far, a missing byte for the terminating zero, a size counted in elements where bytes are meant.")
        .more(SYMBOLS),
    entry("stack-buffer-overflow", "Access outside of a variable on the stack", Risk::Security("8.1"))
        .cwe(121)
        .means("The program reads or writes beside a local variable. The report lists the variables of the frame and which one is overrun.")
        .fix("Check the index or length against the size of the variable, and give functions such as `snprintf` and `memcpy` the size of the target."),
    entry("stack-buffer-underflow", "Access before a variable on the stack", Risk::Security("7.5"))
        .cwe(124)
        .means("The program reads or writes in front of the first local variable of a frame, for example by a negative index.")
        .fix("Check indices for being negative, also those that come from a subtraction of unsigned numbers."),
    entry("dynamic-stack-buffer-overflow", "Access outside of an array of variable length", Risk::Security("8.1"))
        .cwe(121)
        .means("The program reads or writes beside memory of `alloca` or a variable-length array.")
        .fix("Check the index against the length that was asked for; better still, use a heap block or a fixed array."),
    entry("global-buffer-overflow", "Access outside of a global variable", Risk::Security("7.5"))
        .cwe(787)
        .means("The program reads or writes beside a global or static variable, or beside a string constant.")
        .fix("Check the index against the size of the array; a table that is indexed by an enum must have an entry for every value."),
    entry("container-overflow", "Access to elements that a container does not have", Risk::Security("7.5"))
        .cwe(119)
        .means("The access lies within the memory of a container such as `std::vector`, but behind its last element.")
        .fix("Check the index against `size()`, not `capacity()`, and do not keep pointers or iterators when elements are removed.")
        .harmless("Known to be wrong where only a part of the program, such as a prebuilt library, is built with AddressSanitizer: build all of it, or set detect_container_overflow=0."),
    entry("intra-object-overflow", "Access from one member of an object into the next", Risk::Security("7.5"))
        .cwe(787)
        .means("The access leaves the member that it began with, but not the object.")
        .fix("Check the index against the size of the member."),
    entry("heap-use-after-free", "Use of memory that was freed", Risk::Security("8.1"))
        .cwe(416)
        .means("The program reads or writes a block on the heap after it was given back. The second stack tells who freed it, the third who allocated it.")
        .fix("Let one owner decide when it ends, and let nobody keep pointers, references or iterators beyond that: a container that has grown since, a callback that is still registered, a count of references that is one too low."),
    entry("stack-use-after-return", "Use of a local variable after its function returned", Risk::Security("7.5"))
        .cwe(562)
        .means("A pointer or reference to a local variable outlives the function, and is used.")
        .fix("Return the value itself, or give it a longer life: the caller's, the heap's, a static's. A lambda that runs later must capture by value.")
        .more("Found with detect_stack_use_after_return=1; newer compilers turn it on by default on Linux."),
    entry("stack-use-after-scope", "Use of a local variable after its block ended", Risk::Security("7.5"))
        .cwe(562)
        .means("A pointer or reference to a variable of an inner block, or to a temporary, is used after the block or the statement.")
        .fix("Declare the variable outside, or copy the value. A `string_view` or a range of a temporary is the usual cause in C++."),
    entry("use-after-poison", "Use of memory that was closed by hand", Risk::Security("7.5"))
        .cwe(416)
        .means("The program, or an allocator of its own, marked this memory as out of use (ASAN_POISON_MEMORY_REGION), and it is used nevertheless.")
        .fix("Find who poisoned it: usually a pool took the object back. Then treat it as a use after free."),
    entry("initialization-order-fiasco", "Use of a global before it was made", Risk::Error)
        .cwe(696)
        .means("The constructor of a global uses a global of another file, and nothing says which of them is made first.")
        .fix("Put the global into a function as a local static, or make it `constinit`."),
    entry("unknown-crash", "Access to memory that is not there to be used", Risk::Security("7.5"))
        .cwe(119)
        .means("AddressSanitizer saw a wrong access of which it can't tell the kind; often an access far beyond a block.")
        .fix("Look at the address and size of the access, and at the variables it is computed from.")
        .more(SYMBOLS),
    entry("invalid-pointer-pair", "Comparison of pointers into different objects", Risk::Error)
        .cwe(469)
        .means("Two pointers are subtracted or compared by `<` although they do not point into the same object. What comes out is undefined.")
        .fix("Compare only pointers into one array; use `std::less` or `uintptr_t` where an order of any pointers is needed."),
    entry("*-param-overlap", "Source and target overlap", Risk::Error)
        .cwe(475)
        .means("A function of the C library that needs two memory areas apart was given areas that overlap.")
        .fix("Use `memmove` instead of `memcpy`, or another target."),
    entry("overlap", "Source and target overlap", Risk::Error)
        .cwe(475)
        .means("`memcpy`, `strcpy` or a relative of theirs was given areas that overlap; what is copied is undefined.")
        .fix("Use `memmove`, or another target."),
    entry("negative-size-param", "Negative size", Risk::Security("7.5"))
        .cwe(839)
        .means("A function such as `memcpy` was given a size that is negative, which it takes for a huge one.")
        .fix("Check the subtraction that the size comes from before it is used."),
    entry("invalid-read", "Read of memory that the program must not use", Risk::Security("7.5"))
        .cwe(125)
        .means("valgrind saw a read outside of every block, or in one that was freed. The lines behind the stack say which block is near, and where it came from.")
        .fix("Read them first: `0 bytes after a block` is an end that is one too far, `inside a block of size … free'd` a use after free.")
        .more("--read-var-info=yes names variables; --keep-stacktraces=alloc-and-free shows both stacks of a freed block."),
    entry("invalid-write", "Write to memory that the program must not use", Risk::Security("8.1"))
        .cwe(787)
        .means("valgrind saw a write outside of every block, or in one that was freed. The lines behind the stack say which block is near, and where it came from.")
        .fix("Read them first: `0 bytes after a block` is an end that is one too far, `inside a block of size … free'd` a use after free.")
        .more("--read-var-info=yes names variables; --keep-stacktraces=alloc-and-free shows both stacks of a freed block."),
    entry("invalid-jump", "Jump to where no code is", Risk::Security("8.1"))
        .cwe(824)
        .means("The program calls or returns to an address that holds no code: a function pointer that was never set, or one that was overwritten.")
        .fix("Look for the errors before this one first; a damaged stack or object is the usual cause."),
    entry("core-mem-error", "System call with memory that is not there", Risk::Error)
        .cwe(119)
        .means("A system call was given a pointer to memory that the program must not use.")
        .fix("Check the pointer and the length that go to the call."),
    entry("segv", "Crash by an access to memory", Risk::Security("5.9"))
        .cwe(476)
        .means("The process touched an address that is not mapped, or not in this way. An address near zero is a null pointer with an offset.")
        .fix("Check the pointer before it is used; where the address looks random, look for a use after free or an overflow before it.")
        .more(SYMBOLS),
    entry("bus", "Crash by an access that the hardware refuses", Risk::Security("5.9"))
        .cwe(119)
        .means("The address is misaligned, or lies in a mapped file behind its end.")
        .fix("Check alignment where bytes are cast to larger types; check that no mapped file was made shorter."),
    entry("stack-overflow", "Stack used up", Risk::Error)
        .cwe(674)
        .means("The stack of the thread is full: an endless recursion, or local variables that are too large.")
        .fix("Look for functions that repeat in the stack; put large arrays on the heap.")
        .harmless("Sanitizers need more stack than a usual build; a deep but finite recursion may only need `ulimit -s`."),
    entry("access-violation", "Crash by an access to memory", Risk::Security("5.9"))
        .cwe(119)
        .means("The process touched an address that is not mapped, or not in this way.")
        .fix("Check the pointer before it is used; where the address looks random, look for a use after free or an overflow before it."),
    entry("fpe", "Crash by a calculation", Risk::Error)
        .cwe(369)
        .means("An integer was divided by zero, or the smallest integer by -1.")
        .fix("Check the divisor."),
    entry("ill", "Crash by an instruction that does not exist", Risk::Error)
        .means("The process ran into bytes that are no instruction: a trap that the compiler put there for undefined behaviour, a jump into data, or code for a newer processor.")
        .fix("Look at the source line for undefined behaviour, such as the end of a function without `return`; check -march."),
    entry("abrt", "The program gave itself up", Risk::Error)
        .cwe(617)
        .means("`abort` was called: by an assertion, an uncaught exception, a panic, or the C library that found its heap damaged.")
        .fix("The lines that the program printed before usually say why."),
    entry("trap", "The program stopped at a trap", Risk::Error)
        .means("A trap instruction was reached, as compilers and checks of hardened libraries put them in.")
        .fix("Look at the source line for the check that failed."),
    entry("fatal-signal", "Process ended by a signal", Risk::Error)
        .means("The process was ended by a signal that stands for a crash: a wrong access, a failed assertion, an instruction that does not exist, or a time limit.")
        .fix("Look at the errors before it first: what broke the memory is often reported there."),
    entry("allocation-tail-overwritten", "Write just behind a heap block", Risk::Security("8.1"))
        .cwe(122)
        .means("When the block was freed, the bytes behind its end were not what the allocator had left there: somebody wrote over the end, in code that is not instrumented.")
        .fix("Look for what writes into the block, such as a function of a library that was given a wrong length.")
        .more("Build the code that writes with -fsanitize=hwaddress, too; the write itself is reported then."),
    entry("tag-mismatch", "Access with the wrong memory tag", Risk::Security("8.1"))
        .cwe(119)
        .means("The tag of the pointer is not that of the memory: an access outside of a block, or to one that was freed.")
        .fix("The report says which is more likely, and where the block came from."),
    entry("dangling-pointer", "Use of a pointer that points to nothing", Risk::Security("7.5"))
        .cwe(825)
        .means("The pointer was made of a number, or what it pointed to is gone.")
        .fix("Keep what it points to alive, and make pointers of pointers, not of numbers."),
    entry("write-to-constant", "Write to memory that must not change", Risk::Error)
        .cwe(471)
        .means("A constant or a string of the program itself is written to.")
        .fix("Copy it first, or find the cast that took `const` away."),
    entry("wild-memory-access", "Access through a pointer that cannot be right", Risk::Security("7.5"))
        .cwe(119)
        .means("The address is none that the kernel uses: the pointer was overwritten, or never set.")
        .fix("Find where the pointer is set, and what lies beside it in memory."),
    entry("user-memory-access", "Access to a program's memory without leave", Risk::Security("7.5"))
        .cwe(119)
        .means("The kernel uses an address of user space directly, often a null pointer with an offset.")
        .fix("Use `copy_from_user` and its like for addresses of a program; check the pointer for null."),
    entry("invalid-access", "Access with the wrong memory tag", Risk::Security("7.5"))
        .cwe(119)
        .means("The tag of the pointer is not that of the memory: it was freed, or the access is outside of the object.")
        .fix("Look at who allocated and who freed the object that is named."),
    entry("*out-of-bounds", "Access outside of an object", Risk::Security("8.1"))
        .cwe(119)
        .means("The access lies outside of the object it began with.")
        .fix("Check the index or length against the size of the object."),
    entry("*use-after-free", "Use of memory that was freed", Risk::Security("8.1"))
        .cwe(416)
        .means("Memory is used after it was given back.")
        .fix("Let one owner decide when it ends, and let nobody keep pointers beyond that."),
];
