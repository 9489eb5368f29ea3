#include "runtime.h"

#include <stdio.h>
#include <string.h>

static char pool[1 << 16];
static unsigned used;

static struct counter {
    const char *name;
    unsigned allocs, frees;
} counters[8];

static struct counter *counter(const char *name) {
    struct counter *at = counters;
    while (at->name != NULL && strcmp(at->name, name) != 0) at++;
    at->name = name;
    return at;
}

void *pool_take(const char *checkpoint, unsigned size) {
    void *block = pool + used;
    used += size;
    counter(checkpoint)->allocs++;
    return block;
}

void pool_give(const char *checkpoint, void *block) {
    (void)block;
    counter(checkpoint)->frees++;
}

void pool_report(void) {
    int lost = 0;
    for (struct counter *at = counters; at->name != NULL; at++) {
        int differs = at->allocs != at->frees;
        lost += differs;
        printf("[TRACE] %s at %s: allocs=%u, frees=%u\n", differs ? "MEMORY LEAK" : "balance", at->name, at->allocs, at->frees);
    }
    if (lost == 0) puts("[TRACE] all memory was freed");
}
