// The argument names the test.
#include <stdlib.h>
#include <string.h>

static char *volatile sink;

static void read_late(void) {
    char *text = malloc(8);
    free(text);
    volatile char first = text[2]; // bug: a read after the block was freed
    (void)first;
}

static void lose(int size) {
    sink = malloc(size); // bug: a leak
    sink = NULL;
}

int main(int count, char **arguments) {
    const char *name = arguments[count - 1];
    if (strcmp(name, "read-late") == 0) read_late();
    if (strcmp(name, "lose") == 0) lose(19);
    if (strcmp(name, "both") == 0) {
        lose(23);
        read_late();
    }
    return 0;
}
