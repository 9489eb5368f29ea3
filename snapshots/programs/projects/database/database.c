/* A server that forks a worker for each session, and starts a helper in a process of its own. DEFECT names what goes wrong. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char *catalog, *row;

static int has(const char *defect) {
    const char *chosen = getenv("DEFECT");
    return chosen != NULL && strcmp(chosen, defect) == 0;
}

/* Before the server forks: every worker inherits what is lost here. */
__attribute__((noinline)) static void load_catalog(void) {
    catalog = malloc(300);
    memset(catalog, 0, 300);
    if (has("catalog")) catalog = NULL;
    free(catalog);
    catalog = NULL;
}

__attribute__((noinline)) static int read_row(int session) {
    row = malloc(50);
    if (!has("uninit")) memset(row, session, 50);
    if (row[session] == 9) puts("a row of nines");
    if (has("session")) row = malloc(1);
    free(row);
    if (has("free-twice")) free(row);
    if (has("read-freed")) session += row[1];
    row = NULL;
    return session;
}

int main(int argc, char **argv) {
    int status, failed = 0;
    (void)argc;
    load_catalog();
    for (int session = 0; session < 3; session++) {
        if (fork() == 0) return read_row(session) < 0;
        wait(&status);
        failed += status != 0;
    }
    if (fork() == 0) {
        char path[4096];
        snprintf(path, sizeof path, "%.*svacuum", (int)(strrchr(argv[0], '/') + 1 - argv[0]), argv[0]);
        execl(path, path, (char *)NULL);
        return 9;
    }
    while (wait(&status) > 0) failed += status != 0;
    printf("%d of 4 processes failed\n", failed);
    return failed != 0;
}
