//! Values that were never set, and what a language leaves undefined.

use super::{Help, Risk, entry};

const ORIGINS: &str = "--track-origins=yes shows where the value was created (twice as slow).";
const LIBRARIES: &str = "Code that is not instrumented (MemorySanitizer) or hand-written vector code that reads whole words (valgrind) can be wrong about this.";

pub(super) const TABLE: &[Help] = &[
    entry("uninit-condition", "Decision by a value that was never set", Risk::Security("5.5"))
        .cwe(457)
        .means("What the program does next depends on memory that nobody wrote to, so it can differ from run to run.")
        .fix("Set the variable or the whole struct where it is made; check that a function that fills a buffer really filled all that is read.")
        .harmless(LIBRARIES)
        .more(ORIGINS),
    entry("uninit-value", "Use of a value that was never set", Risk::Security("5.5"))
        .cwe(457)
        .means("A value that nobody wrote is used as an address or in a calculation that matters.")
        .fix("Set the variable or the whole struct where it is made.")
        .harmless(LIBRARIES)
        .more(ORIGINS),
    entry("use-of-uninitialized-value", "Use of a value that was never set", Risk::Security("5.5"))
        .cwe(457)
        .means("What the program does depends on memory that nobody wrote to.")
        .fix("Set the variable or the whole struct where it is made.")
        .harmless(LIBRARIES)
        .more("Build with -fsanitize-memory-track-origins=2 to see where the value came from."),
    entry("syscall-param", "System call with memory that was never set, or is not there", Risk::Security("5.5"))
        .cwe(908)
        .means("Bytes go to the system that nobody wrote to, or that are not the program's. Written to a file or a socket, they give away what was there before.")
        .fix("Set the whole buffer or struct, gaps between members included: `memset` it before its members are set.")
        .harmless("Padding of a struct that the system does not look at.")
        .more(ORIGINS),
    entry("signed-integer-overflow", "Signed number that overflows", Risk::Error)
        .cwe(190)
        .means("A calculation leaves the range of its signed type, which C and C++ leave undefined.")
        .fix("Use a wider or an unsigned type, or check before: `__builtin_add_overflow`, `std::cmp_less`."),
    entry("unsigned-integer-overflow", "Unsigned number that wraps", Risk::Untidy)
        .cwe(190)
        .means("A calculation with unsigned numbers wraps around. That is defined, but often not meant.")
        .fix("Check before, or mark the function where wrapping is meant.")
        .harmless("Hashes and counters wrap on purpose."),
    entry("implicit-*", "Number that changes by a conversion", Risk::Untidy)
        .cwe(681)
        .means("A value does not fit the type that it is silently converted to.")
        .fix("Convert explicitly where it is meant, or use a type that holds it."),
    entry("float-cast-overflow", "Floating-point number that does not fit", Risk::Error)
        .cwe(681)
        .means("A floating-point number is converted to a type that can't hold it.")
        .fix("Check the range before the conversion, NaN included."),
    entry("integer-divide-by-zero", "Division by zero", Risk::Error)
        .cwe(369)
        .means("An integer is divided by zero, or the smallest by -1.")
        .fix("Check the divisor."),
    entry("float-divide-by-zero", "Division by zero", Risk::Untidy)
        .cwe(369)
        .means("A floating-point number is divided by zero; what comes out is infinite or no number.")
        .fix("Check the divisor where that is not meant."),
    entry("invalid-shift*", "Shift that is not defined", Risk::Error)
        .cwe(1335)
        .means("A value is shifted by a negative number, by more bits than it has, or a negative value is shifted to the left.")
        .fix("Check the exponent, and shift unsigned values."),
    entry("null-pointer-use", "Use of a null pointer", Risk::Error)
        .cwe(476)
        .means("A null pointer is read, written, or a member of it is called.")
        .fix("Check it before, or make it a reference where it can't be null."),
    entry("nullptr-*", "Calculation with a null pointer", Risk::Error)
        .cwe(476)
        .means("An offset is added to a null pointer, or one comes out of it.")
        .fix("Check the pointer before the calculation.")
        .harmless("`NULL + 0` does no harm on any common system, and C++ allows it."),
    entry("pointer-overflow", "Pointer that wraps around", Risk::Error)
        .cwe(469)
        .means("A calculation with a pointer leaves the address space.")
        .fix("Check the offset before it is added; compare lengths, not pointers."),
    entry("misaligned-pointer-use", "Use of a pointer that is not aligned", Risk::Error)
        .cwe(704)
        .means("A value is read or written at an address that does not suit its type.")
        .fix("Copy the bytes by `memcpy` instead of casting the pointer."),
    entry("alignment-assumption", "Alignment that was promised and is not there", Risk::Error)
        .cwe(704)
        .means("The compiler was told of an alignment that the pointer does not have.")
        .fix("Correct the promise, or the allocation."),
    entry("out-of-bounds-index", "Index outside of an array", Risk::Security("7.5"))
        .cwe(129)
        .means("An array whose size the compiler knows is indexed outside of it.")
        .fix("Check the index."),
    entry("insufficient-object-size", "Access that is larger than its object", Risk::Security("7.5"))
        .cwe(119)
        .means("The object behind the pointer is smaller than what is read or written.")
        .fix("Check the cast that the pointer comes from."),
    entry("unreachable-call", "A place that was said to be out of reach", Risk::Error)
        .means("`__builtin_unreachable` was reached.")
        .fix("Treat the value that led there: often an enum with a value that no case names."),
    entry("missing-return", "Function that ends without its value", Risk::Error)
        .means("A function with a result reached its end without `return`.")
        .fix("Return a value on every path."),
    entry("non-positive-vla-index", "Array of no or negative length", Risk::Error)
        .cwe(131)
        .means("A variable-length array was asked for with a length below one.")
        .fix("Check the length before."),
    entry("invalid-bool-load", "Truth value that is neither", Risk::Error)
        .cwe(843)
        .means("A `bool` holds something else than 0 and 1, mostly because nobody set it.")
        .fix("Set it where it is made."),
    entry("invalid-enum-load", "Enum with a value that it does not have", Risk::Error)
        .cwe(843)
        .means("An enum holds a value outside of its range, mostly because nobody set it or it came from outside unchecked.")
        .fix("Check the number before it becomes an enum."),
    entry("invalid-builtin-use", "Builtin with a value that it does not take", Risk::Error)
        .cwe(628)
        .means("For example `__builtin_clz(0)`, which has no result.")
        .fix("Treat zero apart; `std::countl_zero` does."),
    entry("invalid-null-*", "Null where none was promised", Risk::Error)
        .cwe(476)
        .means("A null pointer is passed or returned where an attribute or an annotation says that there is none.")
        .fix("Check the pointer before the call. `memcpy` with size 0 and a null pointer is the usual case."),
    entry("function-type-mismatch", "Function called as another type", Risk::Error)
        .cwe(843)
        .means("A function is called by a pointer of another type than its own.")
        .fix("Give the function the type of the pointer, and cast its arguments inside."),
    entry("dynamic-type-mismatch", "Object used as another type", Risk::Security("7.5"))
        .cwe(843)
        .means("The object is not of the class that it is used as, or is gone already.")
        .fix("Use `dynamic_cast`, and look for a use after free."),
    entry("cfi-bad-type", "Call that control-flow integrity refuses", Risk::Security("7.5"))
        .cwe(843)
        .means("A call goes to a function or class that does not fit its type.")
        .fix("Check the cast, and look for memory that was overwritten."),
    entry("undefined-behavior", "Undefined behaviour", Risk::Error)
        .cwe(758)
        .means("The program does what its language leaves undefined; compilers assume that it never happens.")
        .fix("The headline says what was done. Treat the value before it comes to that."),
    entry("aliasing-violation", "Reference that is used after another took its place", Risk::Error)
        .cwe(758)
        .means("Rust's rules of borrowing are broken behind the compiler's back: a reference or pointer is used after a newer one to the same memory has made it invalid.")
        .fix("Derive raw pointers once and use them throughout, or end the use of the one before the other begins.")
        .harmless("The rules (Stacked Borrows, Tree Borrows) are still experimental; code that breaks only one of them may become allowed.")
        .more("-Zmiri-tree-borrows tells whether the other set of rules allows it."),
    entry("invalid-value", "Value that its type does not have", Risk::Error)
        .cwe(704)
        .means("A value is made that its type forbids: a null reference, a `bool` that is neither, an enum without such a variant, memory that was never set.")
        .fix("Check what comes from outside before it becomes the type; use `MaybeUninit` for memory that is not set yet."),
    entry("kernel-*", "Memory that was never set leaves the kernel", Risk::Security("5.5"))
        .cwe(908)
        .means("Bytes that nobody wrote to go to a program, a device or the network, and may tell secrets of others.")
        .fix("Clear the whole object where it is made, gaps between members included."),
    entry("gdi-usage-error", "Wrong use of a graphics handle", Risk::Error)
        .cwe(404)
        .means("A handle of the graphics system is released by the wrong function, or while something still uses it.")
        .fix("Select the old object back before the new one is deleted, and release by the function that belongs to the one that made it."),
    entry("*-overflow", "Calculation that leaves the range of its type", Risk::Error)
        .cwe(190)
        .means("A calculation leaves the range of its type, or a pointer wraps around. The short runtime does not say which type it was.")
        .fix("Use a wider type, or check before: `__builtin_add_overflow`, `std::cmp_less`.")
        .more("Build with the whole runtime (without -fsanitize-minimal-runtime) to see the values and the place."),
    entry("type-mismatch", "Use of a pointer that is null, not aligned, or too short", Risk::Security("7.5"))
        .cwe(476)
        .means("A pointer is used that is null, not aligned for its type, or points to less memory than an object of it needs.")
        .fix("Find where the pointer is made: a cast of raw bytes, an offset, or a value that was not checked."),
    entry("load-invalid-value", "Value that its type does not have", Risk::Error)
        .cwe(908)
        .means("A truth value is read that is neither true nor false, or an enum with a value that it does not have. Often the memory was never set.")
        .fix("Set the variable where it is made, and check what is read from outside."),
    entry("invalid-objc-cast", "Object of another class than its collection says", Risk::Error)
        .cwe(843)
        .means("A loop over a collection declares elements of a class that they do not have.")
        .fix("Find where the other object is put into the collection."),
];
