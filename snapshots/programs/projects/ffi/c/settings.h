/* Checks a line of settings, `key = value`. Returns NULL, or what is wrong; the caller frees that with settings_free. */
char *settings_check(const char *line);

/* Frees what settings_check has returned. */
void settings_free(char *message);
