// Memory that glibc's mtrace watches. The argument names the case.
#include <mcheck.h>
#include <stdlib.h>
#include <string.h>

static void *opaque(void *pointer) {
    __asm__ volatile("" : "+r"(pointer));
    return pointer;
}

static void two_leaks(void) {
    opaque(malloc(100));
    opaque(calloc(3, 11));
    free(opaque(malloc(7)));
}

static void wrong_free(void) {
    char *block = opaque(malloc(64));
    free(block);
    muntrace();
    void *before = opaque(malloc(32)); // the trace does not know of it
    mtrace();
    free(before);
}

static void clean(void) {
    free(opaque(malloc(64)));
}

int main(int argc, char **argv) {
    struct { const char *name; void (*run)(void); } cases[] = {
        {"two-leaks", two_leaks}, {"wrong-free", wrong_free}, {"clean", clean},
    };
    mtrace();
    for (size_t i = 0; argc > 1 && i < sizeof cases / sizeof *cases; i++)
        if (strcmp(argv[1], cases[i].name) == 0)
            cases[i].run();
    return 0;
}
