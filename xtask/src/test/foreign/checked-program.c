/* A program for Application Verifier. Leaves its pid for appverif.c, and exits with its argument. */
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

int main(int argc, char **argv) {
    FILE *file = fopen("app.pid", "w");
    if (!file) return 99;
    fprintf(file, "%lu\n", (unsigned long)GetCurrentProcessId());
    fclose(file);
    puts("tests ran");
    return argc > 1 ? atoi(argv[1]) : 0;
}
