/* Stands in for appverif.exe. Does what the variable VERIFIER says, and keeps its state in the working directory:
   calls.txt has the commands, and enabled.txt the name of the program while the checks are enabled. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *mode;

static int is_mode(const char *name) { return strcmp(mode, name) == 0; }

static int enable(const char *program) {
    if (is_mode("not-elevated")) {
        puts("Application Verifier must run as an administrator.");
        return 5;
    }
    FILE *file = fopen("enabled.txt", "w");
    if (!file) return 65;
    fputs(program, file);
    fclose(file);
    return 0;
}

static int disable(const char *program) {
    char enabled[260] = "";
    FILE *file = fopen("enabled.txt", "r");
    if (!file) return 66;
    fgets(enabled, sizeof enabled, file);
    fclose(file);
    return strcmp(enabled, program) == 0 ? remove("enabled.txt") : 67;
}

static int export(const char *path) {
    if (is_mode("nothing")) return 0;
    unsigned long pid = 0;
    FILE *file = fopen("app.pid", "r");
    if (!file) return 68;
    fscanf(file, "%lu", &pid);
    fclose(file);
    FILE *log = fopen(path, "w");
    if (!log) return 69;
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<avrf:logfile xmlns:avrf=\"Application Verifier\">\n", log);
    fprintf(log, "<avrf:logSession TimeStarted=\"2026-05-01 : 10:00:00\" PID=\"%lu\" Version=\"2\">\n",
            is_mode("old") ? pid + 1 : pid);
    if (is_mode("found"))
        fputs("<avrf:logEntry Time=\"2026-05-01 : 10:00:01\" LayerName=\"Leak\" StopCode=\"0x900\" Severity=\"Error\">\n"
              "<avrf:message>A heap allocation was leaked.</avrf:message>\n"
              "<avrf:stackTrace><avrf:trace>app!keep+0x1c (c:\\src\\app.c @ 4)</avrf:trace></avrf:stackTrace>\n"
              "</avrf:logEntry>\n", log);
    fputs("</avrf:logSession>\n</avrf:logfile>\n", log);
    return fclose(log) == 0 ? 0 : 70;
}

int main(int argc, char **argv) {
    const char *expected[] = {"Heaps", "Handles", "Locks", "Memory", "Leak", "-for"};
    mode = getenv("VERIFIER") ? getenv("VERIFIER") : "";
    FILE *calls = fopen("calls.txt", "a");
    if (!calls) return 71;
    for (int i = 1; i < argc; i++) fprintf(calls, "%s%s", argv[i], i + 1 < argc ? "|" : "\n");
    fclose(calls);
    puts("Stand-in for Application Verifier");
    if (argc == 9 && !strcmp(argv[1], "-enable")) {
        for (int i = 0; i < 6; i++)
            if (strcmp(argv[i + 2], expected[i])) return 64;
        return enable(argv[8]);
    }
    if (argc == 5 && !strcmp(argv[1], "-disable") && !strcmp(argv[2], "*") && !strcmp(argv[3], "-for"))
        return disable(argv[4]);
    if (argc == 7 && !strcmp(argv[1], "-export") && !strcmp(argv[2], "log") && !strcmp(argv[3], "-for") &&
        !strcmp(argv[5], "-with") && !strncmp(argv[6], "To=", 3))
        return export(argv[6] + 3);
    return 64;
}
