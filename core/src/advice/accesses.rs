//! Invalid reads, writes and jumps.

use super::{Help, Risk, SYMBOLS, entry};

const START_WITH_NOTES: &str = "Start with the lines after the stack: `0 bytes after a block` is \
     an off-by-one access past the end, `inside a block of size … free'd` is a use after free.";
const VALGRIND_OPTIONS: &str = "--read-var-info=yes shows variable names. \
     --keep-stacktraces=alloc-and-free shows where a freed block was allocated and where it was \
     freed.";

pub(super) const TABLE: &[Help] = &[
    entry(
        "heap-buffer-overflow",
        "Out-of-bounds access to a heap block",
        Risk::Security("8.1"),
    )
    .cwe(122)
    .meaning(
        "The program reads or writes memory before or after a heap block. The report states the \
         distance in bytes and where the block was allocated.",
    )
    .fix(
        "Check the index or length against the allocated size. Typical causes are an off-by-one \
         end, a missing byte for the terminating null character, and a size in elements that is \
         used as a size in bytes.",
    )
    .more(SYMBOLS),
    entry(
        "stack-buffer-overflow",
        "Out-of-bounds access to a stack variable",
        Risk::Security("8.1"),
    )
    .cwe(121)
    .meaning(
        "The program reads or writes memory next to a local variable. The report lists the \
         variables of the frame and which of them is overrun.",
    )
    .fix(
        "Check the index or length against the size of the variable, and pass the size of the \
         destination to functions such as `snprintf` and `memcpy`.",
    ),
    entry(
        "stack-buffer-underflow",
        "Access before a stack variable",
        Risk::Security("7.5"),
    )
    .cwe(124)
    .meaning(
        "The program reads or writes memory before the first local variable of a frame, for \
         example with a negative index.",
    )
    .fix(
        "Check for negative indices, including those that result from subtracting unsigned \
         numbers.",
    ),
    entry(
        "dynamic-stack-buffer-overflow",
        "Out-of-bounds access to a variable-length array",
        Risk::Security("8.1"),
    )
    .cwe(121)
    .meaning(
        "The program reads or writes memory next to a variable-length array or to memory returned \
         by `alloca`.",
    )
    .fix(
        "Check the index against the requested length. Preferably, use a heap block or an array of \
         fixed size.",
    ),
    entry(
        "global-buffer-overflow",
        "Out-of-bounds access to a global variable",
        Risk::Security("7.5"),
    )
    .cwe(787)
    .meaning(
        "The program reads or writes memory next to a global variable, a static variable or a \
         string constant.",
    )
    .fix(
        "Check the index against the size of the array. A table that is indexed by an enum needs \
         an entry for every value.",
    ),
    entry(
        "container-overflow",
        "Out-of-bounds access within a container",
        Risk::Security("7.5"),
    )
    .cwe(119)
    .meaning(
        "The access is within the memory of a container such as `std::vector`, but after its last \
         element.",
    )
    .fix(
        "Check the index against `size()` instead of `capacity()`, and don't keep pointers or \
         iterators when elements are removed.",
    )
    .harmless(
        "This is a known false positive if only part of the program is built with \
         AddressSanitizer, for example if it uses a prebuilt library. Build everything with it, or \
         set detect_container_overflow=0.",
    ),
    entry(
        "intra-object-overflow",
        "Access beyond a member of an object",
        Risk::Security("7.5"),
    )
    .cwe(787)
    .meaning("The access leaves the member that it started in, but not the object.")
    .fix("Check the index against the size of the member."),
    entry(
        "heap-use-after-free",
        "Use of memory that was freed",
        Risk::Security("8.1"),
    )
    .cwe(416)
    .meaning(
        "The program reads or writes a heap block after it was freed. The second stack shows where \
         it was freed, the third where it was allocated.",
    )
    .fix(
        "Give the block a single owner, and don't keep pointers, references or iterators past its \
         lifetime. Typical causes are a container that has grown since, a callback that is still \
         registered, and a reference count that is one too low.",
    ),
    entry(
        "stack-use-after-return",
        "Use of a local variable after its function returned",
        Risk::Security("7.5"),
    )
    .cwe(562)
    .meaning(
        "The program uses a pointer or reference to a local variable after the function has \
         returned.",
    )
    .fix(
        "Return the value itself, or store it where it lives longer: in the caller, on the heap or \
         in a static variable. Lambdas that run later must capture by value.",
    )
    .more(
        "The check requires detect_stack_use_after_return=1, which newer compilers enable by \
         default on Linux.",
    ),
    entry(
        "stack-use-after-scope",
        "Use of a local variable outside of its scope",
        Risk::Security("7.5"),
    )
    .cwe(562)
    .meaning(
        "The program uses a pointer or reference to a variable of an inner block after the block, \
         or to a temporary after its statement.",
    )
    .fix(
        "Declare the variable in the outer scope, or copy the value. In C++, the usual cause is a \
         `string_view` or range that refers to a temporary.",
    ),
    entry(
        "use-after-poison",
        "Use of manually poisoned memory",
        Risk::Security("7.5"),
    )
    .cwe(416)
    .meaning(
        "The program or its custom allocator marked this memory as unusable \
         (ASAN_POISON_MEMORY_REGION) and used it afterwards.",
    )
    .fix(
        "Find the code that poisoned the memory, usually a pool to which the object was returned. \
         Then fix it like a use after free.",
    ),
    entry(
        "initialization-order-fiasco",
        "Use of a global variable before its initialization",
        Risk::Error,
    )
    .cwe(696)
    .meaning(
        "The constructor of a global variable uses a global variable of another file, and their \
         order of initialization is unspecified.",
    )
    .fix(
        "Turn the global variable into a local static variable of a function, or make it \
         `constinit`.",
    ),
    entry(
        "unknown-crash",
        "Invalid memory access of unknown kind",
        Risk::Security("7.5"),
    )
    .cwe(119)
    .meaning(
        "AddressSanitizer detected an invalid access but could not determine its kind. It's often \
         an access far beyond a block.",
    )
    .fix("Check the address and size of the access, and the variables that they are computed from.")
    .more(SYMBOLS),
    entry(
        "invalid-pointer-pair",
        "Comparison of pointers to different objects",
        Risk::Error,
    )
    .cwe(469)
    .meaning(
        "Two pointers are subtracted or compared with `<`, although they don't point into the same \
         object. The result is undefined.",
    )
    .fix(
        "Compare only pointers into the same array. To order arbitrary pointers, use `std::less` \
         or `uintptr_t`.",
    ),
    entry(
        "*-param-overlap",
        "Overlapping source and destination",
        Risk::Error,
    )
    .cwe(475)
    .meaning(
        "A C library function that requires separate memory areas was called with overlapping \
         ones.",
    )
    .fix("Use `memmove` instead of `memcpy`, or a different destination."),
    entry("overlap", "Overlapping source and destination", Risk::Error)
        .cwe(475)
        .meaning(
            "`memcpy`, `strcpy` or a similar function was called with overlapping memory areas. \
             The result is undefined.",
        )
        .fix("Use `memmove`, or a different destination."),
    entry(
        "negative-size-param",
        "Negative size",
        Risk::Security("7.5"),
    )
    .cwe(839)
    .meaning(
        "A function such as `memcpy` was called with a negative size, which it treats as a very \
         large one.",
    )
    .fix("Check the result of the subtraction before using it as a size."),
    entry(
        "invalid-read",
        "Read of invalid memory",
        Risk::Security("7.5"),
    )
    .cwe(125)
    .meaning(
        "valgrind detected a read outside of all blocks, or in a freed block. The lines after the \
         stack state which block is near and where it was allocated or freed.",
    )
    .fix(START_WITH_NOTES)
    .more(VALGRIND_OPTIONS),
    entry(
        "invalid-write",
        "Write to invalid memory",
        Risk::Security("8.1"),
    )
    .cwe(787)
    .meaning(
        "valgrind detected a write outside of all blocks, or in a freed block. The lines after the \
         stack state which block is near and where it was allocated or freed.",
    )
    .fix(START_WITH_NOTES)
    .more(VALGRIND_OPTIONS),
    entry(
        "invalid-jump",
        "Jump to a non-executable address",
        Risk::Security("8.1"),
    )
    .cwe(824)
    .meaning(
        "The program called or returned to an address that contains no code, for example because a \
         function pointer is uninitialized or was overwritten.",
    )
    .fix(
        "Fix the errors that were reported earlier first. The usual cause is a corrupted stack or \
         object.",
    ),
    entry(
        "core-mem-error",
        "System call with an invalid memory address",
        Risk::Error,
    )
    .cwe(119)
    .meaning("A system call was given a pointer to memory that the program may not access.")
    .fix("Check the pointer and the length that are passed to the system call."),
    entry(
        "allocation-tail-overwritten",
        "Write past the end of a heap block",
        Risk::Security("8.1"),
    )
    .cwe(122)
    .meaning(
        "When the block was freed, the bytes after its end had been overwritten by code that isn't \
         instrumented.",
    )
    .fix(
        "Look for code that writes to the block, such as a library function that was called with a \
         wrong length.",
    )
    .more(
        "Build the code that writes with -fsanitize=hwaddress as well. The write itself is then \
         reported.",
    ),
    entry(
        "tag-mismatch",
        "Access with a wrong memory tag",
        Risk::Security("8.1"),
    )
    .cwe(119)
    .meaning(
        "The tag of the pointer differs from the tag of the memory. The access is outside of a \
         block, or the block was freed.",
    )
    .fix("The report states which cause is more likely, and where the block was allocated."),
    entry(
        "dangling-pointer",
        "Use of a dangling pointer",
        Risk::Security("7.5"),
    )
    .cwe(825)
    .meaning(
        "The pointer was created from a number, or the object that it pointed to no longer exists.",
    )
    .fix("Keep the object alive, and derive pointers from pointers instead of numbers."),
    entry("write-to-constant", "Write to constant memory", Risk::Error)
        .cwe(471)
        .meaning("The program writes to a constant or to a string literal.")
        .fix("Copy the data first, or find the cast that removes `const`."),
    entry(
        "wild-memory-access",
        "Access through a corrupted pointer",
        Risk::Security("7.5"),
    )
    .cwe(119)
    .meaning(
        "The address is outside of the ranges that the kernel uses, because the pointer is \
         uninitialized or was overwritten.",
    )
    .fix("Find where the pointer is set, and what is adjacent to it in memory."),
    entry(
        "user-memory-access",
        "Direct access to user memory in the kernel",
        Risk::Security("7.5"),
    )
    .cwe(119)
    .meaning(
        "The kernel accesses a user-space address directly. It's often a null pointer plus an \
         offset.",
    )
    .fix(
        "Use `copy_from_user` and similar functions for user-space addresses, and check for null \
         pointers.",
    ),
    entry(
        "invalid-access",
        "Access with a wrong memory tag",
        Risk::Security("7.5"),
    )
    .cwe(119)
    .meaning(
        "The tag of the pointer differs from the tag of the memory. The object was freed, or the \
         access is outside of it.",
    )
    .fix("Check where the object was allocated and freed."),
    entry(
        "*out-of-bounds",
        "Out-of-bounds access",
        Risk::Security("8.1"),
    )
    .cwe(119)
    .meaning("The access is outside of the object that it started in.")
    .fix("Check the index or length against the size of the object."),
    entry(
        "*use-after-free",
        "Use of memory that was freed",
        Risk::Security("8.1"),
    )
    .cwe(416)
    .meaning("Memory is used after it was freed.")
    .fix("Give the block a single owner, and don't keep pointers past its lifetime."),
];
