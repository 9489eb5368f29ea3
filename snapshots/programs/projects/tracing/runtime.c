#include "runtime.h"

#include <stdio.h>
#include <string.h>

static char pool[1 << 16];
static unsigned used;

static struct counter {
    const char *name;
    unsigned allocs, frees, bytes;
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
    counter(checkpoint)->bytes += size;
    return block;
}

void pool_give(const char *checkpoint, void *block, unsigned size) {
    (void)block;
    counter(checkpoint)->frees++;
    counter(checkpoint)->bytes -= size;
}

void pool_report(void) {
    int lost = 0;
    for (struct counter *at = counters; at->name != NULL; at++) {
        int differs = at->allocs != at->frees;
        lost += differs;
        printf("[TRACE] %s at %s: allocs=%u, frees=%u", differs ? "MEMORY LEAK" : "balance", at->name, at->allocs, at->frees);
        printf(differs ? ", bytes=%u\n" : "\n", at->bytes);
    }
    if (lost == 0) puts("[TRACE] all memory was freed");
}
