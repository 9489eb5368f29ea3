#include <stdlib.h>
#include <string.h>

char *greeting(const char *name);

int main(void) {
    char *text = greeting("ada");
    int failed = strcmp(text, "Hello, Ada!") != 0;
    free(text);
    return failed;
}
