/* A program for run-on-macos and run-on-windows.ps1. Its argument selects an error. */
#include <stdlib.h>
#include <string.h>

static char *volatile block;

static void forget(int blocks) {
    block = (char *)malloc(4242);
    block[0] = 1;
    block = NULL;
    if (blocks > 1) forget(blocks - 1);
}

int main(int argc, char **argv) {
    const char *mode = argc > 1 ? argv[1] : "";
    if (!strcmp(mode, "leak")) forget(20);
    if (!strcmp(mode, "read-freed")) {
        block = (char *)malloc(10);
        free(block);
        return block[1];
    }
    if (!strcmp(mode, "free-twice")) {
        block = (char *)malloc(10);
        free(block);
        free(block);
    }
    return !strcmp(mode, "fail") ? 3 : 0;
}
