/* A leak on purpose. A run under a memory checker that does not report it has not looked.
 *
 * Call leakgate_canary() once, in one test, and put the rule of canary/README.md into leakgate.toml: it accepts this leak, and fails a
 * run in which it does not come back. For C and C++, under AddressSanitizer, LeakSanitizer and valgrind's memcheck.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef LEAKGATE_CANARY_H
#define LEAKGATE_CANARY_H

#include <stddef.h>
#include <stdlib.h>

/* How much is leaked, in one block. The rule says the same number. */
#define LEAKGATE_CANARY_BYTES 4242

#if defined(__GNUC__)
#define LEAKGATE_CANARY_APART __attribute__((noinline, unused))
#elif defined(_MSC_VER)
#define LEAKGATE_CANARY_APART __declspec(noinline)
#else
#define LEAKGATE_CANARY_APART
#endif

/* Overwrites what the allocator has left on the stack: a checker takes whatever looks like a pointer to the block for one. */
LEAKGATE_CANARY_APART static void leakgate_canary_sweep(void) {
    volatile char stack[4096];
    size_t at;
    for (at = 0; at < sizeof stack; at++) stack[at] = 0;
}

/* Leaks LEAKGATE_CANARY_BYTES bytes. Through a volatile pointer, so that no compiler leaves the allocation out. */
LEAKGATE_CANARY_APART static void leakgate_canary(void) {
    volatile char *volatile lost = (volatile char *)malloc(LEAKGATE_CANARY_BYTES);
    if (lost != NULL) lost[0] = 1;
    lost = NULL;
    leakgate_canary_sweep();
    /* The sweep is not the last thing here, so that this function stays on the stack of its calls. */
    lost = NULL;
}

#endif
