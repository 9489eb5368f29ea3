//! Uninitialized values, and behavior that a language leaves undefined.

use super::{Help, Risk, entry};

const ORIGINS: &str = "--track-origins=yes shows where the value was created. It makes memcheck \
     about twice as slow.";
const UNINSTRUMENTED: &str = "False positives occur in code that isn't instrumented \
     (MemorySanitizer) and in hand-written vector code that reads whole words (valgrind).";
const INITIALIZE: &str = "Initialize the variable or the whole struct at its creation.";

pub(super) const TABLE: &[Help] = &[
    entry(
        "uninit-condition",
        "Condition that depends on an uninitialized value",
        Risk::Security("5.5"),
    )
    .cwe(457)
    .meaning(
        "The control flow of the program depends on uninitialized memory, so its behavior can \
         differ between runs.",
    )
    .fix(
        "Initialize the variable or the whole struct at its creation. If a function fills a \
         buffer, make sure that it fills everything that is read later.",
    )
    .harmless(UNINSTRUMENTED)
    .more(ORIGINS),
    entry(
        "uninit-value",
        "Use of an uninitialized value",
        Risk::Security("5.5"),
    )
    .cwe(457)
    .meaning(
        "An uninitialized value is used as an address or in a computation that affects the \
         behavior of the program.",
    )
    .fix(INITIALIZE)
    .harmless(UNINSTRUMENTED)
    .more(ORIGINS),
    entry(
        "use-of-uninitialized-value",
        "Use of an uninitialized value",
        Risk::Security("5.5"),
    )
    .cwe(457)
    .meaning("The behavior of the program depends on uninitialized memory.")
    .fix(INITIALIZE)
    .harmless(UNINSTRUMENTED)
    .more("Build with -fsanitize-memory-track-origins=2 to see where the value was created."),
    entry(
        "syscall-param",
        "System call with uninitialized or inaccessible memory",
        Risk::Security("5.5"),
    )
    .cwe(908)
    .meaning(
        "The program passes bytes to the system that are uninitialized or not accessible. \
         Uninitialized bytes that are written to a file or socket may disclose earlier data.",
    )
    .fix(
        "Initialize the whole buffer or struct, including padding: clear it with `memset` before \
         setting its members.",
    )
    .harmless("Uninitialized padding is harmless if the system call doesn't read it.")
    .more(ORIGINS),
    entry(
        "signed-integer-overflow",
        "Signed integer overflow",
        Risk::Error,
    )
    .cwe(190)
    .meaning(
        "The result of a computation is outside of the range of its signed type, which is \
         undefined behavior in C and C++.",
    )
    .fix(
        "Use a wider or an unsigned type, or check first with `__builtin_add_overflow` or \
         `std::cmp_less`.",
    ),
    entry(
        "unsigned-integer-overflow",
        "Unsigned integer overflow",
        Risk::Untidy,
    )
    .cwe(190)
    .meaning(
        "A computation with unsigned integers wraps around. This is defined, but often unintended.",
    )
    .fix("Check the operands first, or annotate functions that wrap intentionally.")
    .harmless("Hash functions and counters often wrap intentionally."),
    entry(
        "implicit-*",
        "Implicit conversion that changes a value",
        Risk::Untidy,
    )
    .cwe(681)
    .meaning("A value doesn't fit the type to which it's implicitly converted.")
    .fix("Convert it explicitly if that is intended, or use a type that can hold it."),
    entry(
        "float-cast-overflow",
        "Out-of-range floating-point conversion",
        Risk::Error,
    )
    .cwe(681)
    .meaning("A floating-point number is converted to a type that can't represent it.")
    .fix("Check the range before converting, including NaN."),
    entry(
        "integer-divide-by-zero",
        "Integer division by zero",
        Risk::Error,
    )
    .cwe(369)
    .meaning("An integer is divided by zero, or the smallest integer by -1.")
    .fix("Check the divisor."),
    entry(
        "float-divide-by-zero",
        "Floating-point division by zero",
        Risk::Untidy,
    )
    .cwe(369)
    .meaning("A floating-point number is divided by zero. The result is infinity or NaN.")
    .fix("Check the divisor if this is unintended."),
    entry("invalid-shift*", "Undefined shift", Risk::Error)
        .cwe(1335)
        .meaning(
            "A value is shifted by a negative amount or by more bits than it has, or a negative \
             value is shifted left.",
        )
        .fix("Check the shift amount, and shift unsigned values."),
    entry("null-pointer-use", "Use of a null pointer", Risk::Error)
        .cwe(476)
        .meaning(
            "The program reads or writes through a null pointer, or calls a member function on it.",
        )
        .fix("Check the pointer first, or use a reference if it can't be null."),
    entry("nullptr-*", "Arithmetic with a null pointer", Risk::Error)
        .cwe(476)
        .meaning(
            "An offset is added to a null pointer, or pointer arithmetic results in a null \
             pointer.",
        )
        .fix("Check the pointer before the computation.")
        .harmless("`NULL + 0` is harmless on all common systems, and C++ permits it."),
    entry("pointer-overflow", "Pointer overflow", Risk::Error)
        .cwe(469)
        .meaning("Pointer arithmetic leaves the address space.")
        .fix("Check the offset before adding it. Compare lengths instead of pointers."),
    entry(
        "misaligned-pointer-use",
        "Use of a misaligned pointer",
        Risk::Error,
    )
    .cwe(704)
    .meaning("A value is read or written at an address that isn't aligned for its type.")
    .fix("Copy the bytes with `memcpy` instead of casting the pointer."),
    entry(
        "alignment-assumption",
        "Incorrect alignment assumption",
        Risk::Error,
    )
    .cwe(704)
    .meaning("The code promises the compiler an alignment that the pointer doesn't have.")
    .fix("Correct the assumption or the allocation."),
    entry(
        "out-of-bounds-index",
        "Array index out of bounds",
        Risk::Security("7.5"),
    )
    .cwe(129)
    .meaning("The index is outside of an array whose size is known to the compiler.")
    .fix("Check the index against the size of the array."),
    entry(
        "insufficient-object-size",
        "Access larger than its object",
        Risk::Security("7.5"),
    )
    .cwe(119)
    .meaning("The object that the pointer refers to is smaller than the accessed memory.")
    .fix("Check the cast that creates the pointer."),
    entry("unreachable-call", "Unreachable code reached", Risk::Error)
        .meaning("The program reached `__builtin_unreachable`.")
        .fix("Handle the value that led there, often an enum value without a `case`."),
    entry("missing-return", "Missing return value", Risk::Error)
        .meaning("A function with a return type reached its end without `return`.")
        .fix("Return a value on every path."),
    entry(
        "non-positive-vla-index",
        "Non-positive array length",
        Risk::Error,
    )
    .cwe(131)
    .meaning("A variable-length array was created with a length less than one.")
    .fix("Check the length first."),
    entry("invalid-bool-load", "Invalid boolean value", Risk::Error)
        .cwe(843)
        .meaning("A `bool` holds a value other than 0 and 1, usually because it's uninitialized.")
        .fix("Initialize it at its creation."),
    entry("invalid-enum-load", "Invalid enum value", Risk::Error)
        .cwe(843)
        .meaning(
            "An enum holds a value outside of its range, usually because it's uninitialized or was \
             read from input without a check.",
        )
        .fix("Check the number before converting it to an enum."),
    entry(
        "invalid-builtin-use",
        "Invalid argument of a builtin",
        Risk::Error,
    )
    .cwe(628)
    .meaning(
        "A builtin was called with an argument for which its result is undefined, such as \
         `__builtin_clz(0)`.",
    )
    .fix("Handle zero separately, or use `std::countl_zero`, which is defined for it."),
    entry("invalid-null-*", "Unexpected null pointer", Risk::Error)
        .cwe(476)
        .meaning(
            "A null pointer is passed or returned although an attribute or annotation excludes it.",
        )
        .fix(
            "Check the pointer before the call. The usual case is `memcpy` with size 0 and a null \
             pointer.",
        ),
    entry(
        "function-type-mismatch",
        "Function call through a pointer of another type",
        Risk::Error,
    )
    .cwe(843)
    .meaning(
        "A function is called through a pointer whose type differs from the type of the function.",
    )
    .fix("Change the function to have the type of the pointer, and cast its arguments inside."),
    entry(
        "dynamic-type-mismatch",
        "Object used as another type",
        Risk::Security("7.5"),
    )
    .cwe(843)
    .meaning("The object isn't of the class that it's used as, or was already destroyed.")
    .fix("Use `dynamic_cast`, and look for a use after free."),
    entry(
        "cfi-bad-type",
        "Call rejected by control-flow integrity",
        Risk::Security("7.5"),
    )
    .cwe(843)
    .meaning("The type of the called function or class doesn't match the call.")
    .fix("Check the cast, and look for overwritten memory."),
    entry("undefined-behavior", "Undefined behavior", Risk::Error)
        .cwe(758)
        .meaning(
            "The program does something that its language leaves undefined. Compilers assume that \
             it never happens.",
        )
        .fix("The headline describes the operation. Check its operands first."),
    entry(
        "aliasing-violation",
        "Use of an invalidated reference",
        Risk::Error,
    )
    .cwe(758)
    .meaning(
        "The program breaks Rust's borrowing rules in unsafe code: it uses a reference or pointer \
         after a newer one to the same memory has invalidated it.",
    )
    .fix(
        "Derive raw pointers once and use only those, or end the use of one pointer before the use \
         of the next one starts.",
    )
    .harmless(
        "The rules (Stacked Borrows, Tree Borrows) are experimental. Code that breaks only one of \
         them may become valid.",
    )
    .more("-Zmiri-tree-borrows checks whether the code is valid under the other rules."),
    entry("invalid-value", "Invalid value for a type", Risk::Error)
        .cwe(704)
        .meaning(
            "The program creates a value that its type doesn't allow: a null reference, a `bool` \
             other than true and false, an unknown enum variant, or uninitialized memory.",
        )
        .fix(
            "Validate input before converting it to the type, and use `MaybeUninit` for \
             uninitialized memory.",
        ),
    entry(
        "kernel-*",
        "Uninitialized kernel memory disclosed",
        Risk::Security("5.5"),
    )
    .cwe(908)
    .meaning(
        "Uninitialized bytes are sent to a program, a device or the network, and may disclose \
         confidential data.",
    )
    .fix("Clear the whole object at its creation, including padding."),
    entry(
        "gdi-usage-error",
        "Incorrect use of a GDI handle",
        Risk::Error,
    )
    .cwe(404)
    .meaning(
        "A handle of the graphics system is released with the wrong function, or while it's still \
         in use.",
    )
    .fix(
        "Select the old object before deleting the new one, and release each handle with the \
         counterpart of the function that created it.",
    ),
    entry("*-overflow", "Overflow of a computation", Risk::Error)
        .cwe(190)
        .meaning(
            "The result of a computation is outside of the range of its type, or a pointer wraps \
             around. The minimal runtime doesn't report the type.",
        )
        .fix("Use a wider type, or check first with `__builtin_add_overflow` or `std::cmp_less`.")
        .more(
            "Build with the full runtime (without -fsanitize-minimal-runtime) to see the values \
             and the location.",
        ),
    entry(
        "type-mismatch",
        "Use of a null, misaligned or undersized pointer",
        Risk::Security("7.5"),
    )
    .cwe(476)
    .meaning(
        "The program uses a pointer that is null, not aligned for its type, or refers to less \
         memory than an object of the type needs.",
    )
    .fix(
        "Find where the pointer is created: a cast of raw bytes, an offset, or an unchecked value.",
    ),
    entry(
        "load-invalid-value",
        "Invalid value for a type",
        Risk::Error,
    )
    .cwe(908)
    .meaning(
        "The program reads a boolean that is neither true nor false, or an enum with an invalid \
         value. The memory is often uninitialized.",
    )
    .fix("Initialize the variable at its creation, and validate input."),
    entry(
        "invalid-objc-cast",
        "Object of an unexpected class in a collection",
        Risk::Error,
    )
    .cwe(843)
    .meaning(
        "A loop over a collection declares an element class that differs from the class of an \
         element.",
    )
    .fix("Find where the element is added to the collection."),
];
