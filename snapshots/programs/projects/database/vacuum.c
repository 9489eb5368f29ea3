/* The helper: frees what the tables no longer need. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *pages;

__attribute__((noinline)) static void sweep(void) {
    const char *defect = getenv("DEFECT");
    pages = calloc(4, 100);
    if (defect != NULL && strcmp(defect, "helper") == 0) pages = NULL;
    free(pages);
    pages = NULL;
}

int main(void) {
    sweep();
    puts("vacuumed");
    return 0;
}
