// A library that leaks; the program that loads it unloads it before it ends.
#include <stdlib.h>

void lose_in_plugin(void) {
    char *lost = malloc(123);
    lost[0] = 1;
}
