// Errs, leaks, and then waits to be killed: its report has no end.
#include <stdlib.h>
#include <unistd.h>

int main(void) {
    char *block = malloc(12);
    volatile char past = block[12];
    block = malloc(13);
    (void)past;
    for (;;)
        sleep(10);
}
