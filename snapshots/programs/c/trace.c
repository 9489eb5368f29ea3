// A runtime with tracing of its own: every function counts what it allocates and frees, and says so at the end. The argument names the
// case.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *volatile sink;

static void trace(const char *function, int allocs, int frees) {
    if (allocs == frees)
        printf("[TRACE] %s: allocs=%d, frees=%d\n", function, allocs, frees);
    else
        printf("[TRACE] MEMORY LEAK at %s: allocs=%d, frees=%d\n", function, allocs, frees);
}

static void db_query(void) {
    for (int i = 0; i < 5; i++) {
        sink = malloc(100);
        if (i < 3)
            free(sink);
    }
    trace("db_query", 5, 3);
}

static void render(void) {
    sink = malloc(32);
    free(sink);
    trace("render", 1, 1);
}

static void pool(void) {
    puts("[POOL] 2 pages (8192 bytes) still held");
    puts("[POOL]   by session_open session.c:41");
    puts("[POOL]   by main app.c:9");
    puts("[POOL] end");
}

int main(int argc, char **argv) {
    const char *name = argc > 1 ? argv[1] : "";
    puts("listening on port 8080");
    render();
    if (strcmp(name, "leak") == 0)
        db_query();
    if (strcmp(name, "pool") == 0)
        pool();
    if (strcmp(name, "clean") == 0)
        puts("[TRACE] all memory was freed");
    return 0;
}
