/* Leaks a block on purpose. If a memory checker does not report it, the checker did not look for
 * leaks.
 *
 * Call leakgate_canary() once, in one test, and copy the rule in canary/README.md to leakgate.toml.
 * The rule accepts this leak, and fails a run that does not report it. For C and C++, under
 * AddressSanitizer, LeakSanitizer and valgrind's memcheck.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef LEAKGATE_CANARY_H
#define LEAKGATE_CANARY_H

#include <stddef.h>
#include <stdlib.h>

/* Size of the leaked block. The rule contains the same number. */
#define LEAKGATE_CANARY_BYTES 4242

#if defined(__GNUC__)
#define LEAKGATE_CANARY_APART __attribute__((noinline, unused))
#elif defined(_MSC_VER)
#define LEAKGATE_CANARY_APART __declspec(noinline)
#else
#define LEAKGATE_CANARY_APART
#endif

/* Overwrites values that the allocator has left on the stack, because a checker treats any value
 * that looks like a pointer to the block as a pointer to it. */
LEAKGATE_CANARY_APART static void leakgate_canary_sweep(void) {
    volatile char stack[4096];
    size_t at;
    for (at = 0; at < sizeof stack; at++) stack[at] = 0;
}

/* Leaks LEAKGATE_CANARY_BYTES bytes. The pointer is volatile, so that compilers do not remove the
 * allocation. */
LEAKGATE_CANARY_APART static void leakgate_canary(void) {
    volatile char *volatile lost = (volatile char *)malloc(LEAKGATE_CANARY_BYTES);
    if (lost != NULL) lost[0] = 1;
    lost = NULL;
    leakgate_canary_sweep();
    /* Prevents a tail call, which would remove this function from the stack. */
    lost = NULL;
}

#endif
