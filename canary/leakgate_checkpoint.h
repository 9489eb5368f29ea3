/* Checkpoints: which test leaked?
 *
 * A memory checker reports leaks when a process ends, and says nothing about the test that caused
 * them. With a checkpoint after each test, the checker looks for leaks while the process runs.
 * leakgate reads the names of the tests from the log, and assigns each leak to its test.
 *
 *     leakgate_test_begin("Parser.ReadsNames");
 *     ... the test ...
 *     leakgate_test_end("Parser.ReadsNames");
 *
 * leakgate_gtest.h, leakgate_catch2.h and leakgate_doctest.h do this for every test. Within a test,
 * LEAKGATE_CHECKPOINT("name") assigns what leaked since the last checkpoint to "name".
 *
 * For C and C++, under valgrind's memcheck (exact) and under LeakSanitizer, also as a part of
 * AddressSanitizer: its reports contain all leaks so far, so a leak may be older than its test.
 * Without a checker, nothing happens. With NDEBUG, the macros are empty. No library is necessary.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef LEAKGATE_CHECKPOINT_H
#define LEAKGATE_CHECKPOINT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#if defined(__unix__) || defined(__APPLE__)
#include <unistd.h>
#define LEAKGATE_HAS_PID 1
#endif

#if defined(__GNUC__)
#define LEAKGATE_UNUSED __attribute__((unused))
#else
#define LEAKGATE_UNUSED
#endif

/* Requests to valgrind: instructions without an effect, which valgrind recognizes. The sequences
 * and the numbers are those of valgrind.h and memcheck.h. */
#if defined(__GNUC__) && defined(__x86_64__) && !defined(__ILP32__)
#define LEAKGATE_HAS_VALGRIND 1
LEAKGATE_UNUSED static size_t leakgate_request(size_t request, size_t a, size_t b) {
    volatile size_t arguments[6] = {request, a, b, 0, 0, 0};
    volatile size_t *address = arguments;
    size_t result = 0;
    __asm__ volatile(
        "rolq $3, %%rdi\n\trolq $13, %%rdi\n\trolq $61, %%rdi\n\trolq $51, %%rdi\n\t"
        "xchgq %%rbx, %%rbx"
        : "+d"(result)
        : "a"(address)
        : "cc", "memory");
    return result;
}
#elif defined(__GNUC__) && defined(__aarch64__)
#define LEAKGATE_HAS_VALGRIND 1
LEAKGATE_UNUSED static size_t leakgate_request(size_t request, size_t a, size_t b) {
    volatile size_t arguments[6] = {request, a, b, 0, 0, 0};
    register volatile size_t *address __asm__("x4") = arguments;
    register size_t result __asm__("x3") = 0;
    __asm__ volatile(
        "ror x12, x12, #3\n\tror x12, x12, #13\n\tror x12, x12, #51\n\tror x12, x12, #61\n\t"
        "orr x10, x10, x10"
        : "+r"(result)
        : "r"(address)
        : "cc", "memory");
    return result;
}
#endif

#ifdef LEAKGATE_HAS_VALGRIND
enum {
    LEAKGATE_RUNNING_ON_VALGRIND = 0x1001,
    LEAKGATE_PRINTF_VALIST_BY_REF = 0x1403,
    LEAKGATE_DO_LEAK_CHECK = 0x4d430006,
    LEAKGATE_ADDED = 1
};

LEAKGATE_UNUSED static void leakgate_valgrind_print(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    leakgate_request(LEAKGATE_PRINTF_VALIST_BY_REF, (size_t)format, (size_t)&arguments);
    va_end(arguments);
}
#endif

#if defined(__GNUC__) && defined(__ELF__)
#ifdef __cplusplus
extern "C" {
#endif
/* Defined by the runtimes of LeakSanitizer and AddressSanitizer, if the program contains one. */
__attribute__((weak)) int __lsan_do_recoverable_leak_check(void);
/* Writes a line to the log of the sanitizer. */
__attribute__((weak)) void __sanitizer_report_error_summary(const char *line);
#ifdef __cplusplus
}
#endif
#define LEAKGATE_HAS_WEAK 1
#endif

/* Returns 1 under valgrind, 2 under LeakSanitizer, and 0 without either. */
LEAKGATE_UNUSED static int leakgate_checker(void) {
#ifdef LEAKGATE_HAS_VALGRIND
    if (leakgate_request(LEAKGATE_RUNNING_ON_VALGRIND, 0, 0) != 0) return 1;
#endif
#ifdef LEAKGATE_HAS_WEAK
    if (__lsan_do_recoverable_leak_check) return 2;
#endif
    return 0;
}

/* Writes a line to the log of the checker. leakgate reads these lines. */
LEAKGATE_UNUSED static void leakgate_mark(const char *what, const char *name) {
    int checker = leakgate_checker();
#ifdef LEAKGATE_HAS_VALGRIND
    if (checker == 1) leakgate_valgrind_print("leakgate: %s %s\n", what, name);
#endif
#ifdef LEAKGATE_HAS_WEAK
    if (checker == 2 && __sanitizer_report_error_summary) {
        char line[1024];
        long pid = 0;
#ifdef LEAKGATE_HAS_PID
        pid = (long)getpid();
#endif
        snprintf(line, sizeof line, "**%ld** leakgate: %s %s", pid, what, name);
        __sanitizer_report_error_summary(line);
    }
#endif
    (void)checker;
}

/* Lets the checker look for leaks. */
LEAKGATE_UNUSED static void leakgate_check(void) {
    int checker = leakgate_checker();
#ifdef LEAKGATE_HAS_VALGRIND
    if (checker == 1) leakgate_request(LEAKGATE_DO_LEAK_CHECK, 0, LEAKGATE_ADDED);
#endif
#ifdef LEAKGATE_HAS_WEAK
    if (checker == 2) (void)__lsan_do_recoverable_leak_check();
#endif
    (void)checker;
}

/* Begins a test. */
LEAKGATE_UNUSED static void leakgate_test_begin(const char *name) { leakgate_mark("begin", name); }

/* Ends a test, and lets the checker look for its leaks. */
LEAKGATE_UNUSED static void leakgate_test_end(const char *name) {
    leakgate_mark("leaks of", name);
    leakgate_check();
    leakgate_mark("end", name);
}

/* Lets the checker look for leaks that are older than the first test. Call it before that test. */
LEAKGATE_UNUSED static void leakgate_tests_begin(void) { leakgate_check(); }

#ifdef NDEBUG
#define LEAKGATE_CHECKPOINT(name) ((void)0)
#else
#define LEAKGATE_CHECKPOINT(name)       \
    do {                                \
        leakgate_mark("leaks of", name); \
        leakgate_check();               \
        leakgate_mark("checked", name); \
    } while (0)
#endif

#endif
