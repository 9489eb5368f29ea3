// What MemorySanitizer finds. The argument names the case.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static volatile int sink;

static void __attribute__((noinline)) branch(int *value) {
    if (*value > 3) // decides on bytes that nobody set
        sink = 1;
}

static void heap(void) {
    int *volatile value = malloc(sizeof(int));
    branch(value);
    free(value);
}

static void stack(void) {
    int local;
    int *volatile value = &local;
    branch(value);
}

static void after_free(void) {
    int *volatile value = malloc(sizeof(int));
    *value = 1;
    free(value);
    branch(value);
}

static void copied(void) {
    int *volatile from = malloc(sizeof(int));
    int *volatile to = malloc(sizeof(int));
    *to = *from + 1; // the origin is found through the copy
    branch(to);
}

static void in_call(void) {
    char *volatile text = malloc(8);
    sink = (int)strlen(text); // inside a function of the C library
}

int main(int argc, char **argv) {
    struct { const char *name; void (*run)(void); } cases[] = {
        {"heap", heap}, {"stack", stack}, {"after-free", after_free}, {"copied", copied},
        {"in-library-call", in_call},
    };
    for (size_t i = 0; argc > 1 && i < sizeof cases / sizeof *cases; i++)
        if (strcmp(argv[1], cases[i].name) == 0)
            cases[i].run();
    return 0;
}
