/* Queries under stress, and what the runtime says of them at the end. */
#include "runtime.h"

#include <stdlib.h>

static char *lost;

static int number(const char *name, int otherwise) {
    const char *text = getenv(name);
    return text == NULL ? otherwise : atoi(text);
}

static void db_query(int keep) {
    void *rows[5];
    for (int at = 0; at < 5; at++) rows[at] = pool_take("db_query", 64);
    for (int at = keep; at < 5; at++) pool_give("db_query", rows[at], 64);
}

static void render(int keep) {
    void *page = pool_take("render", 256);
    if (!keep) pool_give("render", page, 256);
}

/* Outside of the pools, where AddressSanitizer looks. */
__attribute__((noinline)) static void log_line(void) {
    lost = malloc(80);
    lost[0] = 0;
    if (getenv("LEAK") == NULL) free(lost);
    lost = NULL;
}

int main(void) {
    db_query(number("KEPT_ROWS", 2));
    render(number("KEPT_PAGES", 0));
    log_line();
    pool_report();
    return 0;
}
