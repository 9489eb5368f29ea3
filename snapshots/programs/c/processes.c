// Several processes: forks that share a log, and programs that are started.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void __attribute__((noinline)) lose(size_t bytes) {
    char *lost = malloc(bytes);
    lost[0] = 1;
}

static void __attribute__((noinline)) scrub(void) {
    volatile char stack[4096];
    for (size_t i = 0; i < sizeof stack; i++)
        stack[i] = 0;
}

int main(int argc, char **argv) {
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "child") == 0) {
        lose(33);
        scrub();
        return 3;
    }
    lose(11); // before the fork: parent and child both have it
    if (strcmp(name, "fork") == 0 || strcmp(name, "exec") == 0) {
        pid_t child = fork();
        if (child == 0) {
            if (strcmp(name, "exec") == 0)
                execl(argv[0], argv[0], "child", (char *)NULL);
            lose(22); // in the child alone
            scrub();
            return 0;
        }
        waitpid(child, NULL, 0);
        lose(44); // in the parent alone
    }
    if (strcmp(name, "twice") == 0) // replaces itself: one PID, two programs
        execl(argv[0], argv[0], "child", (char *)NULL);
    if (strcmp(name, "crowd") == 0) { // three children at once
        for (int i = 0; i < 3; i++)
            if (fork() == 0) {
                lose(100 + i);
                scrub();
                return 0;
            }
        while (wait(NULL) > 0)
            ;
    }
    scrub();
    return 0;
}
