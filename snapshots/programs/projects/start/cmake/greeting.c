#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Returns a greeting, which the caller frees. */
char *greeting(const char *name) {
    char *upper = strdup(name);
    upper[0] = (char)toupper(upper[0]);
    char *text = malloc(strlen(upper) + sizeof "Hello, !");
    sprintf(text, "Hello, %s!", upper);
    return text;
}
