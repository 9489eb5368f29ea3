// Misuse of the heap that hardened allocators and the C library itself notice. The argument names
// the case.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static volatile int sink;

// The compiler must not see through this.
static void *opaque(void *pointer) {
    __asm__ volatile("" : "+r"(pointer));
    return pointer;
}

static void double_free(void) {
    void *block = malloc(24);
    free(block);
    free(opaque(block));
}

static void bad_free(void) {
    char *block = malloc(24);
    free((char *)opaque(block) + 8); // not where the block starts
}

static void overflow_read(void) {
    char *block = malloc(40);
    sink = ((volatile char *)opaque(block))[40];
    free(block);
}

static void after_free(void) {
    int *block = malloc(40);
    free(block);
    sink = *(volatile int *)opaque(block);
}

static void overflow_write(void) {
    char *block = malloc(24);
    memset(opaque(block), 'A', 64); // over the allocator's notes behind the block
    sink = malloc(2000) != NULL;
}

static void header_write(void) {
    char *block = malloc(24);
    memset(opaque(block - 16), 'A', 20); // over the allocator's notes before the block
    free(block);
}

static void stack_smash(void) {
    char text[8];
    strcpy(opaque(text), "much longer than the eight bytes that are there");
    sink = text[0];
}

static void fortified(void) {
    char text[8];
    strcpy(text, opaque("longer than eight"));
    sink = text[0];
}

static void no_bytes(void) {
    sink = opaque(malloc(0)) != NULL;
}

static void too_large(void) {
    sink = opaque(malloc((size_t)1 << 60)) != NULL;
}

static void odd_alignment(void) {
    void *block = NULL;
    sink = posix_memalign(&block, 3, 64) + (aligned_alloc(48, 100) != NULL);
}

static void calloc_overflow(void) {
    sink = opaque(calloc((size_t)1 << 40, (size_t)1 << 40)) != NULL;
}

int main(int argc, char **argv) {
    struct { const char *name; void (*run)(void); } cases[] = {
        {"double-free", double_free}, {"bad-free", bad_free}, {"overflow-read", overflow_read},
        {"use-after-free", after_free}, {"overflow-write", overflow_write},
        {"header-write", header_write}, {"stack-smash", stack_smash},
        {"fortified-copy", fortified}, {"no-bytes", no_bytes}, {"too-large", too_large},
        {"odd-alignment", odd_alignment}, {"calloc-overflow", calloc_overflow},
    };
    for (size_t i = 0; argc > 1 && i < sizeof cases / sizeof *cases; i++)
        if (strcmp(argv[1], cases[i].name) == 0)
            cases[i].run();
    return 0;
}
