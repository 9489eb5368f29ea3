// More errors and leaks than the checkers are willing to tell. The argument names the case.
#include <stdlib.h>
#include <string.h>

static volatile int sink;

#define TEN(what) what what what what what what what what what what
#define DECIDE if (*value) sink = 1;

// 120 places that decide on a value that nobody set.
static void __attribute__((noinline)) many_errors(void) {
    volatile int *value = malloc(sizeof(int));
    TEN(TEN(DECIDE))
    TEN(DECIDE) TEN(DECIDE)
    free((void *)value);
}

// One place, more than ten million times.
static void __attribute__((noinline)) endless_errors(void) {
    volatile int *value = malloc(sizeof(int));
    for (long i = 0; i < 10000100; i++)
        DECIDE
    free((void *)value);
}

// A tree of calls: every leaf loses a block, and no two leaves have one stack.
static void __attribute__((noinline)) grow(int levels) {
    if (levels == 0) {
        sink = malloc(16) != NULL;
        return;
    }
    grow(levels - 1);
    grow(levels - 1);
}

int main(int argc, char **argv) {
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "many-errors") == 0)
        many_errors();
    if (strcmp(name, "endless-errors") == 0)
        endless_errors();
    if (strcmp(name, "many-leaks") == 0)
        grow(13);
    return 0;
}
