#include "settings.h"

#include <stdlib.h>
#include <string.h>

char *settings_check(const char *line) {
    char *message = NULL;
    if (strchr(line, '=') == NULL) message = strdup("a line of settings needs a `=`");
    return message;
}

void settings_free(char *message) {
    free(message);
}
