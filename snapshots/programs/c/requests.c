// Talks to valgrind: messages, leak searches in the middle of the run, memory pools.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/memcheck.h>

static volatile int sink;
static char *kept;

static void messages(void) {
    VALGRIND_PRINTF("one line\n");
    VALGRIND_PRINTF("two\nlines, the last without an end");
    VALGRIND_PRINTF_BACKTRACE("with a stack\n");
    kept = malloc(20);
    kept = NULL;
    VALGRIND_PRINTF("{\n   not a suppression\n}\n");
}

// The sums of the second and third search come with differences.
static void searches(void) {
    kept = malloc(50);
    VALGRIND_DO_LEAK_CHECK;
    kept = NULL;
    VALGRIND_DO_ADDED_LEAK_CHECK;
    kept = malloc(1200);
    kept = malloc(1200);
    VALGRIND_DO_CHANGED_LEAK_CHECK;
}

static void quick_search(void) {
    kept = malloc(50);
    kept = NULL;
    VALGRIND_DO_QUICK_LEAK_CHECK;
}

static void pool(void) {
    char *area = malloc(1000);
    VALGRIND_MAKE_MEM_NOACCESS(area, 1000);
    VALGRIND_CREATE_MEMPOOL(area, 16, 0);
    VALGRIND_MEMPOOL_ALLOC(area, area + 100, 40);
    VALGRIND_MAKE_MEM_DEFINED(area + 100, 40);
    sink = ((volatile char *)area)[141]; // in the pool, past the piece
    VALGRIND_MEMPOOL_FREE(area, area + 100);
    sink = ((volatile char *)area)[110]; // the piece was given back
    VALGRIND_MEMPOOL_FREE(area, area + 300); // never was a piece
    VALGRIND_MEMPOOL_FREE(area + 1, area); // not a pool
    VALGRIND_DESTROY_MEMPOOL(area);
    free(area);
}

static void blocks(void) {
    static char arena[256];
    VALGRIND_MALLOCLIKE_BLOCK(arena, 64, 8, 0); // an allocator of one's own; never given back
    sink = ((volatile char *)arena)[66];
}

static void described(void) {
    static char area[64];
    unsigned id = VALGRIND_CREATE_BLOCK(area, 64, "the area");
    VALGRIND_MAKE_MEM_NOACCESS(area, 64);
    sink = ((volatile char *)area)[9];
    VALGRIND_DISCARD(id);
}

int main(int argc, char **argv) {
    struct { const char *name; void (*run)(void); } cases[] = {
        {"client-messages", messages}, {"leak-searches", searches}, {"quick-leak-search", quick_search},
        {"memory-pool", pool}, {"malloc-like-block", blocks}, {"client-defined-block", described},
    };
    for (size_t i = 0; argc > 1 && i < sizeof cases / sizeof *cases; i++)
        if (strcmp(argv[1], cases[i].name) == 0)
            cases[i].run();
    return 0;
}
